// Why a bank said no, in its own words, and what to do about it.

import { at } from "./values.js";
import { jsonOf } from "./run.js";

/** What to do about a code. */
const BY_CODE = {
  SIGNATURE_INVALID:
    "The bank computed another signature. Compare the tab Signing string with what its text says; the digest, the headers that are named and the key id have to be those of this very call.",
  SIGNATURE_MISSING: "Send the header Signature: signing adds it, unless it was edited.",
  CERTIFICATE_INVALID: "Take a test certificate of this bank, on the first page, and send it on one line.",
  CERTIFICATE_EXPIRED:
    "The certificate is out of its time by this tenant’s clock: move the clock back, or get another certificate on the first page.",
  CERTIFICATE_REVOKED:
    "A newer certificate took its place. Choose the third party again or get another certificate, then register.",
  CERTIFICATE_BLOCKED: "The bank blocked this certificate: get another one on the first page.",
  CERTIFICATE_MISSING: "Send the header TPP-Signature-Certificate: signing adds it, unless it was edited.",
  ROLE_INVALID: "The certificate lacks the role for this service: get one with it on the first page, then register.",
  FORMAT_ERROR: "Something in the request is not as the interface describes it; the bank’s text names it.",
  CONSENT_INVALID: "The consent is not valid (any more): confirm it after the approval, or ask for another one.",
  CONSENT_EXPIRED: "The consent has ended: ask for another one, or move the clock back.",
  CONSENT_UNKNOWN: "This id is not that of a consent of yours: run the step that asks for one.",
  TOKEN_INVALID:
    "The access token is not good (any more), by the tenant’s clock. A code is good once, so the customer has to approve again: start over.",
  TOKEN_EXPIRED: "The access token has ended by the tenant’s clock: have the customer approve again.",
  TOKEN_UNKNOWN:
    "The bank was shown no access token that it knows: put the header Authorization back, or have the customer approve again, from the start.",
  ACCESS_EXCEEDED:
    "Unattended reads of the day are used up: add the header PSU-IP-Address while the customer takes part, or move the clock by a day.",
  RESOURCE_UNKNOWN: "Nothing is at this path for you: the ids in it have to be those that the bank gave you.",
  PRODUCT_INVALID: "The account or payment product does not fit: choose another account, currency or product.",
  PAYMENT_FAILED: "The bank could not make the payment: look at what the account holds.",
  SERVICE_INVALID: "The bank does not offer this service.",
  invalid_grant:
    "A code is good once, for ten minutes by the tenant’s clock, with the redirect URI and verifier that it was asked with: have the customer decide again.",
  invalid_client: "Client id and secret are not those of the last registration: run the step that registers.",
  invalid_token: "An initial access token registers once: run the step before again.",
  invalid_redirect_uri: "Redirect URIs have to be as the bank takes them: https under --strict, and no fragment.",
  consent_required: "The customer said no. Ask for another one: start over.",
  access_denied:
    "The attempt ended without an approval. What was asked for may still wait: start over, or begin another authorisation.",
  log_in_blocked: "Too many wrong answers: move the clock by a quarter of an hour.",
  log_in_failed:
    "The customer could not log in. If the bank went back to a snapshot or was reset since, they may be gone: get another customer on the first page.",
  too_many_challenges:
    "Log-ins of this customer that failed are still open: move the clock by ten minutes, or get another customer on the first page.",
  forbidden: "Reload this page: what it may do ended with the bank that it was loaded from. What was done stays.",
  unreachable: "Start the sandbox again, or open this page at one of its own addresses.",
  unknown_account: "This customer is not one of this tenant: choose another customer.",
};

/** What to do about a text, where banks have no codes (bunq). */
const BY_TEXT = [
  [/signature is invalid/i, BY_CODE.SIGNATURE_INVALID],
  [/request signature is required/i, "This call has to be signed: put the header X-Bunq-Client-Signature back."],
  [
    /credentials are incorrect/i,
    "API key or access token is not good (any more): run the steps from the certificate on again.",
  ],
  [
    /insufficient (authori[sz]ation|authentication)/i,
    "The token in X-Bunq-Client-Authentication is not one for this call: open a session again.",
  ],
];

const WAIT = "Too many calls: wait as long as Retry-After says, then send it again.";

/** What to do about a text whose code mostly has another reason. */
const BEFORE_CODE = [
  [
    /because a test asked for it/,
    "A fault asked for this answer: send the call again, or take the fault away on the page Play.",
  ],
  [/^too many calls/i, WAIT],
];

const BY_STATUS = {
  404: "Nothing is at this path: compare it with the original.",
  405: "This path knows other methods.",
  429: WAIT,
  503: "The bank cannot answer for a moment: send it again.",
};

/** What an answer says beside its status: code, text, and what to do. */
export function explain({ status, body }, place = {}) {
  const json = jsonOf(body);
  const found = (paths) => paths.map((path) => at(json, path)).find((value) => typeof value === "string");
  const code = found(["tppMessages.0.code", "error"]) ?? "";
  const text = found(["tppMessages.0.text", "error_description", "Error.0.error_description", "message"]) ?? "";
  return { code, text, remedy: remedyOf(code, text, status, place) };
}

/** What to do about a code, a text or a status. */
export function remedyOf(code, text, status, { isEdited = false } = {}) {
  const by = (list) => list.find(([pattern]) => pattern.test(text))?.[1];
  const remedy =
    by(BEFORE_CODE) ??
    BY_CODE[code] ??
    by(BY_TEXT) ??
    BY_STATUS[status] ??
    "Compare the request with the original, and run the steps before it again.";
  return isEdited
    ? `You changed this call: put the marked values back, or go on to see what the bank thinks of them. ${remedy}`
    : remedy;
}
