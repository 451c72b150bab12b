// What this browser keeps for this bank: third parties and customers, several side by side, and which of them are in use.
// It is in localStorage under the bank's own mark, so that another bank at the same address begins with nothing.

import { meta } from "./dom.js";

/**
 * @typedef {Object} Certificate
 * @property {string} certificate in PEM
 * @property {string[]} chain in PEM, the issuer first
 * @property {string} privateKey PKCS#8 in PEM; made in this browser, or by the bank if that was asked for
 * @property {string} keyId as `keyId` of the header `Signature`
 * @property {string} fingerprint SHA-256 in hexadecimal
 * @property {string} notAfter
 *
 * @typedef {Object} Registration
 * @property {string} tenant where it was done; it holds at every tenant
 * @property {string} clientId
 * @property {string} clientSecret
 * @property {string[]} redirectUris
 *
 * @typedef {Object} ThirdParty
 * @property {string} id of this browser's own
 * @property {string} identifier such as "PSDNL-DNB-R123456"
 * @property {string} name
 * @property {string[]} roles such as "PSP_AI"
 * @property {"berlin-group"|"bunq"} dialect what it speaks first
 * @property {Object<string, Certificate>} certificates by profile: "test-client", or "qwac" and "qseal"
 * @property {Registration|null} registration at the authorization server of the Berlin Group dialect
 * @property {Registration} [bunq] its OAuth client at bunq's interface
 *
 * @typedef {Object} Customer what POST /test-accounts answered
 * @property {string} customerId
 * @property {string} tenant
 * @property {string} iban
 * @property {string} digipassNumber
 * @property {string} name
 * @property {string} persona
 */

const KEY = `vestibule:${meta("bank")}`;
/** Where the runs of the flows are kept, under third party, tenant and flow. */
export const RUNS = `vestibule:runs:${meta("bank")}`;
/** When the bank went back to something else, by a page. */
export const WENT_BACK = "vestibule-went-back";
/** The banks that this browser has met, the last one first. */
const BANKS = "vestibule-banks";
/** Of how many banks something is kept: what belongs to those of long ago is of no use, and has private keys. */
const MOST_BANKS = 8;

const EMPTY = { tenant: null, thirdParties: [], thirdParty: null, customers: [], customer: null };

/** Everything that is kept. Changes to what this returns are not kept: use `change`. */
export function read() {
  try {
    return { ...EMPTY, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return structuredClone(EMPTY);
  }
}

/** Puts this bank first, and forgets those that nobody has met for long. */
function meet() {
  const others = JSON.parse(localStorage.getItem(BANKS) ?? "[]").filter((mark) => mark !== meta("bank"));
  const gone = others.splice(MOST_BANKS - 1);
  for (const key of Object.keys(localStorage)) {
    if (gone.some((mark) => key.endsWith(`:${mark}`))) localStorage.removeItem(key);
  }
  localStorage.setItem(BANKS, JSON.stringify([meta("bank"), ...others]));
}

const listeners = new Set();
const tell = () => listeners.forEach((listener) => listener(read()));

/** Changes what is kept: the function gets it and changes it in place. Whoever listens is told. */
export function change(how) {
  const state = read();
  how(state);
  localStorage.setItem(KEY, JSON.stringify(state));
  meet();
  tell();
}

/** Tells a listener of each change, of this page and of other tabs. */
export function onChange(listener) {
  listeners.add(listener);
}

addEventListener("storage", (event) => {
  if (event.key === KEY || event.key === null) tell();
});

/** The tenant in use. */
export const tenant = () => read().tenant ?? document.querySelector("#tenant").textContent;

/** The third party in use, or undefined. @returns {ThirdParty|undefined} */
export function thirdParty(state = read()) {
  return state.thirdParties.find((one) => one.id === state.thirdParty) ?? state.thirdParties.at(-1);
}

/** What a third party registered in the dialect that it speaks first. @returns {Registration|null|undefined} */
export const registrationOf = (party) => (party?.dialect === "bunq" ? party.bunq : party?.registration);

/** The certificate that a third party signs with. @returns {Certificate} */
export const signingCertificate = (party) => party.certificates.qseal ?? party.certificates["test-client"];

/** The customer in use, or undefined: one of the tenant in use. @returns {Customer|undefined} */
export function customer(state = read()) {
  const here = state.customers.filter((one) => one.tenant === tenant());
  return here.find((one) => one.customerId === state.customer) ?? here.at(-1);
}

/** Keeps a third party, new or changed, and takes it into use. */
export function keepThirdParty(party) {
  change((state) => {
    const place = state.thirdParties.findIndex((one) => one.id === party.id);
    if (place < 0) state.thirdParties.push(party);
    else state.thirdParties[place] = party;
    state.thirdParty = party.id;
  });
}

/** Keeps a customer, new or changed, and takes them into use. */
export function keepCustomer(customer) {
  change((state) => {
    state.customers = state.customers.filter((one) => one.customerId !== customer.customerId);
    state.customers.push(customer);
    state.customer = customer.customerId;
  });
}

/** Forgets a third party, and its runs, which have its secrets. The bank keeps it. */
export function forgetThirdParty(id) {
  const runs = Object.entries(JSON.parse(localStorage.getItem(RUNS) ?? "{}"));
  localStorage.setItem(RUNS, JSON.stringify(Object.fromEntries(runs.filter(([name]) => !name.startsWith(`${id} `)))));
  change((state) => {
    state.thirdParties = state.thirdParties.filter((one) => one.id !== id);
  });
}

/** Forgets a customer. The bank keeps them. */
export function forgetCustomer(id) {
  change((state) => {
    state.customers = state.customers.filter((one) => one.customerId !== id);
  });
}
