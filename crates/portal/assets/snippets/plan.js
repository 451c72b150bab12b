// One call as a program would make it: what is the same in every language. The files `key.pem` (PKCS#8) and
// `certificate.pem` are those of the third party.

import { SIGNED } from "../signing.js";

/** Headers that a program makes by itself. */
const MADE = ["digest", "tpp-signature-certificate", "signature", "x-bunq-client-signature", "x-request-id"];

/**
 * @param {string} bank the bank's origin
 * @param {{method: string, target: string, headers: Object<string, string>, body: string, sign: string}} request as it is
 *   prepared, not yet signed
 * @param {{keyId: string}} thirdParty
 * @param {string[]} edited names of headers that a user wrote: a program sends them as they are
 */
export function planOf(bank, { method, target, headers, body, sign }, { keyId }, edited = []) {
  const isGiven = ([name]) => !MADE.includes(name) || edited.includes(name);
  const given = Object.fromEntries(Object.entries(headers).filter(isGiven));
  const carried = { ...given, digest: "", "x-request-id": "" };
  const names = SIGNED.filter((name) => carried[name] !== undefined);
  return { method, url: bank + target, headers: given, body, sign, keyId, names };
}

/** A text as a literal of most languages: that of JSON. */
export const literal = (text) => JSON.stringify(text);

/** A text in other quotes, where they spare its own from being escaped; a usual literal where they do not. */
export function quotedBy(begin, end, text) {
  const isPlain = /^[^\\\n\r\p{Cc}]*$/u.test(text) && !text.includes(end.trim()) && text.includes('"');
  return isPlain ? begin + text + end : literal(text);
}
