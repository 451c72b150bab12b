// A certificate with its key and its chain as one PKCS#12 file, made in this browser: the key stays in it.

import { onOneLine, wrapped } from "../signing.js";

/** What encrypts the key. Every current reader knows it: OpenSSL, Java, Windows, macOS. */
const ENCRYPTION = { algorithm: "aes256", prfAlgorithm: "sha256", count: 10_000 };

/** Letters and digits that nobody mistakes for each other. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

/** A password to begin with. */
export function drawnPassword() {
  const drawn = Array.from(crypto.getRandomValues(new Uint8Array(16)), (octet) => LETTERS[octet % LETTERS.length]);
  return drawn.join("").replace(/(.{4})(?=.)/g, "$1-");
}

/** Whether every reader of such files takes a password: keytool wants six letters, and others are encoded by each in its own way. */
export const isPassword = (text) => /^[\x20-\x7e]{6,}$/.test(text);

/** The library, which is large, and no module: it comes as a script when it is asked for. */
function library() {
  if (globalThis.forge) return globalThis.forge;
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("../vendor/forge.js", import.meta.url);
    script.addEventListener("load", () => resolve(globalThis.forge));
    script.addEventListener("error", () => reject(new Error("the library for PKCS#12 did not load")));
    document.head.append(script);
  });
}

/**
 * The file.
 * @param {import("../state.js").Certificate} certificate
 * @param {string} name what readers of the file call the entry
 * @param {string} password
 * @returns {Promise<Uint8Array>}
 */
export async function pkcs12(certificate, name, password) {
  const { asn1, pkcs12, pki, util } = await library();
  // The library reads certificates of RSA keys alone, and authorities have others: each goes in as it is.
  const tree = (pem) => asn1.fromDer(util.decode64(onOneLine(pem)), { decodeBitStrings: false });
  pki.certificateToAsn1 = (certificate) => certificate;
  const key = pki.privateKeyFromPem(wrapped(certificate.privateKey));
  const certificates = [certificate.certificate, ...certificate.chain].map(tree);
  const file = pkcs12.toPkcs12Asn1(key, certificates, password, { ...ENCRYPTION, friendlyName: name });
  return Uint8Array.from(asn1.toDer(file).getBytes(), (letter) => letter.charCodeAt(0));
}
