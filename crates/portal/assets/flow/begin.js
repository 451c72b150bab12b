// For whoever comes to the flows first: a third party with a key that is made here, and a customer, as most want them.

import { drawn } from "../home/identifier.js";
import { manage } from "../management.js";
import { newKeyPair } from "../signing.js";
import { customer, keepCustomer, keepThirdParty, tenant, thirdParty } from "../state.js";

const ROLES = ["PSP_PI", "PSP_AI", "PSP_IC"];
const NAME = "Example TPP B.V.";

/** Makes what is not there yet. */
export async function begin() {
  if (thirdParty() === undefined) await becomeThirdParty(drawn());
  if (customer() !== undefined) return;
  const made = await manage("POST", "/test-accounts", { tenant: tenant(), persona: "household" });
  keepCustomer({ ...made, tenant: tenant() });
}

async function becomeThirdParty(identifier) {
  const { privateKey, publicKey } = await newKeyPair();
  const certificate = await manage("POST", "/test-certificates", {
    organizationIdentifier: identifier,
    organizationName: NAME,
    roles: ROLES,
    profile: "test-client",
    publicKey,
    tenant: tenant(),
  });
  keepThirdParty({
    id: crypto.randomUUID(),
    identifier,
    name: NAME,
    roles: ROLES,
    dialect: "berlin-group",
    certificates: { "test-client": { ...certificate, privateKey } },
    keyMadeHere: true,
    registration: null,
  });
}
