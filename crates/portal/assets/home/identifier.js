// The grammar of an organisation identifier (EN 319 412-1, 5.1.4; ETSI TS 119 495, 5.2.1), with the same words as the bank has.

const MAX_OCTETS = 256;

/** Control characters, and those that cannot be seen or that turn the direction of a text. */
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;

/**
 * What is wrong with an identifier of a payment service provider.
 * @param {string} text
 * @returns {string|null} the rule that it breaks, or null
 */
export function problemOf(text) {
  if (text === "") return "it is empty; expected for example PSDNL-DNB-R123456";
  if (new TextEncoder().encode(text).length > MAX_OCTETS) return `it is longer than ${MAX_OCTETS} bytes`;
  if (HIDDEN.test(text)) return "it contains a control character or one that cannot be seen";
  const [start, rest] = [text.slice(0, 3), text.slice(3)];
  if (start === "PSD") return problemOfNumber(rest);
  const problem = problemOfOther(start, rest);
  return problem ?? "it must begin with PSD (ETSI TS 119 495, 5.2.1), for example PSDNL-DNB-R123456";
}

/** What follows `PSD`: country, authority, the provider's number. */
function problemOfNumber(rest) {
  const problem = problemOfCountry("PSD", rest);
  if (problem) return problem;
  const [authority, ...number] = rest.slice(3).split("-");
  if (!/^[A-Z]{2,8}$/.test(authority) || number.length === 0) {
    return `the competent authority must be 2 to 8 upper-case letters followed by a hyphen, got "${authority}" (TS 119 495, 5.2.1)`;
  }
  return number.join("-") === "" ? "the number after the last hyphen is missing (TS 119 495, 5.2.1)" : null;
}

/** Identifiers of other registers, which say nothing of an authorisation as a payment service provider. */
function problemOfOther(start, rest) {
  if (start === "LEI") {
    const isRight = /^XG-[A-Z0-9]{18}[0-9]{2}$/.test(rest) && remainder(rest.slice(3)) === 1;
    return isRight ? null : "a legal entity identifier is LEIXG- and 20 characters with ISO 17442 check digits";
  }
  if (!["VAT", "NTR"].includes(start) && !/^[A-Z]{2}:$/.test(start)) {
    return "it must begin with PSD, VAT, NTR or LEI, or with two letters and a colon (EN 319 412-1, 5.1.4)";
  }
  const problem = problemOfCountry(start, rest);
  if (problem) return problem;
  return rest.length === 3 ? "the number after the last hyphen is missing (TS 119 495, 5.2.1)" : null;
}

function problemOfCountry(start, rest) {
  if (/^[A-Z]{2}-/.test(rest)) return null;
  return `after ${start} comes the country, two upper-case letters, then a hyphen (TS 119 495, 5.2.1)`;
}

/** ISO 7064 MOD 97-10; a letter counts as its number, A being 10. */
const remainder = (text) => [...text].reduce((sum, one) => Number(`${sum}${parseInt(one, 36)}`) % 97, 0);

/** An identifier that nobody has yet, most probably. */
export function drawn() {
  const number = crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
  return `PSDNL-DNB-R${String(number).padStart(6, "0")}`;
}
