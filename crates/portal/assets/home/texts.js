// The texts of the first page that are not in its template.

export const texts = {
  fits: "Follows the grammar. The client id will be the same text.",
  replacesParty: "You have this identifier already: its certificate is revoked when a new one is issued.",
  noRole: "Choose at least one role.",
  noName: "Write a name.",
  partyFirst: "Become a third party first",
  notYet: "Not yet",
  nobody: "Nobody yet",
  another: "Another one",
  again: "Register again",
  tile: (persona) => [
    persona.holders.join(" and "),
    persona.accounts === 1 ? "1 account" : `${persona.accounts} accounts`,
    persona.usableAccounts === persona.accounts ? null : `${persona.usableAccounts} can pay and be read`,
  ].filter(Boolean).join(" · "),
  registered: (clientId) => `Registered as ${clientId}`,
  replaces: (uris) => `Replaces what is registered now (${uris.join(", ")}) and the client secret. Consents stay.`,
  replaced: (uris) => `Replaced ${uris.join(", ")} and the secret of before.`,
  noUri: "Write at least one redirect URI, for example https://tpp.example/callback.",
  noKeys: "This browser makes keys at https://, localhost and 127.0.0.1 only, so the bank makes this one.",
  keyHere: "The private key is in this browser alone.",
  keyOfBank: "The private key was made by the bank.",
  profiles: { "test-client": "Test certificate", qwac: "QWAC, for TLS", qseal: "QSealC, for signatures" },
  ready: "Ready",
  first: "When you are registered and have a customer",
  refused: (status, text) => `The bank answered ${status}: ${text}`,
};
