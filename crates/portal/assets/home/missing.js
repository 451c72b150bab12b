// What this browser keeps and the bank does not have. A bank that went back to a snapshot knows nothing of what came after
// it, and the cards have to say so.

import { manage } from "../management.js";
import { registrationOf } from "../state.js";

/** What was asked for, and what of it is missing, each under a mark. */
const [asked, missing] = [new Set(), new Set()];

/** A registration ends with its secret: registering again gives another one. */
const markOf = ({ identifier }, { clientSecret }) => `${identifier} ${clientSecret}`;

/** The beginning of SHA-256 of a text; null where browsers compute none. */
async function digest(text) {
  if (!globalThis.crypto?.subtle) return null;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...hash.slice(0, 8)].map((octet) => octet.toString(16).padStart(2, "0")).join("");
}

async function isRegistered(party, { clientSecret }) {
  const { thirdParties } = await manage("GET", `/third-parties?id=${encodeURIComponent(party.identifier)}`);
  // At bunq a third party has a client of its own, which may be gone although the bank knows the organisation.
  const known = party.dialect === "bunq" ? thirdParties[0]?.bunq : thirdParties[0];
  const [own, theirs] = [await digest(clientSecret), known?.clientSecretDigest];
  return theirs != null && (own === null || own === theirs);
}

async function isCustomer({ customerId }) {
  const { testAccounts } = await manage("GET", `/test-accounts?customerId=${encodeURIComponent(customerId)}`);
  return testAccounts.length > 0;
}

async function ask(mark, isThere, isAgain) {
  if (asked.has(mark) && !isAgain) return;
  const found = await isThere();
  asked.add(mark);
  if (found) missing.delete(mark);
  else missing.add(mark);
}

/**
 * Asks the bank about whoever is in use: once, or again, since it may have gone back or on meanwhile.
 * @throws {ManagementError}
 */
export async function look(party, person, isAgain = false) {
  const registration = registrationOf(party);
  await Promise.all([
    registration && ask(markOf(party, registration), () => isRegistered(party, registration), isAgain),
    person && ask(person.customerId, () => isCustomer(person), isAgain),
  ]);
}

/** Whoever is in use was made just now. */
export function trust(party, person) {
  const registration = registrationOf(party);
  if (registration) asked.add(markOf(party, registration));
  if (person) asked.add(person.customerId);
}

/** Whether the bank does not have what a third party registered. */
export const isRegistrationMissing = (party) => {
  const registration = registrationOf(party);
  return Boolean(registration) && missing.has(markOf(party, registration));
};

/** Whether the bank does not have a customer. */
export const isCustomerMissing = (person) => Boolean(person) && missing.has(person.customerId);
