// Keeps ids and tokens of answers under the names that paths and headers of later calls have.
const answer = res.getBody();

if (answer && typeof answer === "object") {
  const kept = {
    consent: answer.consentId,
    payment: answer.paymentId,
    authorisation: answer.authorisationId,
    account: answer.accounts?.[0]?.resourceId,
    iban: answer.iban,
    Authorization: answer.access_token && `Bearer ${answer.access_token}`,
    "Consent-ID": answer.consentId,
  };
  for (const element of answer.Response ?? []) {
    if (element.Token) kept["X-Bunq-Client-Authentication"] = element.Token.token;
    const user = Object.entries(element).find(([name]) => name.startsWith("User"));
    if (user) kept.user = String(user[1].id);
  }
  for (const [name, text] of Object.entries(kept)) if (text !== undefined) bru.setVar(name, text);
}
