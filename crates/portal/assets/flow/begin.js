// For whoever comes to the flows first: a third party with a key that is made here, and a customer, as most want them.

import { drawn } from "../home/identifier.js";
import { manage } from "../management.js";
import { newKeyPair } from "../signing.js";
import { customer, keepCustomer, keepThirdParty, tenant, thirdParty } from "../state.js";

const ROLES = ["PSP_PI", "PSP_AI", "PSP_IC"];
const NAME = "Example TPP B.V.";

/** Makes what is not there yet. A strict bank takes signatures by a certificate for seals alone. */
export async function begin(isStrict) {
  if (thirdParty() === undefined) await becomeThirdParty(drawn(), isStrict ? "qseal" : "test-client");
  if (customer() !== undefined) return;
  const made = await manage("POST", "/test-accounts", { tenant: tenant(), persona: "household" });
  keepCustomer({ ...made, tenant: tenant() });
}

async function becomeThirdParty(identifier, profile) {
  const { privateKey, publicKey } = await newKeyPair();
  const certificate = await manage("POST", "/test-certificates", {
    organizationIdentifier: identifier,
    organizationName: NAME,
    roles: ROLES,
    profile,
    publicKey,
    tenant: tenant(),
  });
  keepThirdParty({
    id: crypto.randomUUID(),
    identifier,
    name: NAME,
    roles: ROLES,
    dialect: "berlin-group",
    certificates: { [profile]: { ...certificate, privateKey } },
    keyMadeHere: true,
    registration: null,
  });
}
