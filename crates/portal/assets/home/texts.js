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
  numbers: ({ accounts, usableAccounts }) =>
    `${accounts === 1 ? "1 account" : `${accounts} accounts`}, ${usableAccounts === accounts && accounts === 1 ? "pays" : `${usableAccounts || "none"} for payments`}`,
  moreKinds: (count) => `${count} more kinds of customers`,
  registered: (clientId) => `Registered as ${clientId}`,
  replaces: (uris) => `Replaces what is registered now (${uris.join(", ")}) and the client secret. Consents stay.`,
  replaced: (uris) => `Replaced ${uris.join(", ")} and the secret of before.`,
  noUri: "Write at least one redirect URI, for example https://tpp.example/callback.",
  noKeys: "This browser makes keys at https://, localhost and 127.0.0.1 only, so the bank makes this one.",
  keyHere: "the private key is in this browser alone",
  keyOfBank: "the private key was made by the bank",
  profiles: { "test-client": "Test certificate", qwac: "QWAC, for TLS", qseal: "QSealC, for signatures" },
  ready: "Ready",
  first: "When you are registered and have a customer",
  refused: (status, text) => `The bank answered ${status}: ${text}`,
};
