// Digests and signatures of calls, as the two dialects want them. Keys are used by WebCrypto and never sent.

/** Headers that the Berlin Group dialect has signed when a call carries them, in this order. It fits every rule set. */
export const SIGNED = ["digest", "x-request-id", "psu-id", "psu-corporate-id", "tpp-redirect-uri"];

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

const octets = (data) => (typeof data === "string" ? new TextEncoder().encode(data) : data);

/** Octets (or the UTF-8 of a text) in standard base64. */
export function base64(data) {
  return btoa(Array.from(octets(data), (octet) => String.fromCharCode(octet)).join(""));
}

/** The same in the alphabet for addresses, without padding (RFC 4648, 5). */
export function base64url(data) {
  return base64(data).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The base64 inside a PEM block, on one line: the form in which a certificate stands in a header. */
export function onOneLine(pem) {
  return pem.replace(/-----(BEGIN|END) [A-Z ]+-----/g, "").replace(/\s+/g, "");
}

/** PEM of a certificate or key with lines of 64 letters, whatever its lines were. */
export function wrapped(pem) {
  const [, label] = /-----BEGIN ([A-Z ]+)-----/.exec(pem) ?? [];
  if (!label) throw new Error("not a PEM block: it has no BEGIN line");
  const lines = onOneLine(pem).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

const inPem = (label, der) => wrapped(`-----BEGIN ${label}-----${base64(new Uint8Array(der))}-----END ${label}-----`);

/** A private RSA key (PKCS#8 in PEM) to sign with. */
export async function importKey(pem, isExtractable = false) {
  if (!globalThis.crypto?.subtle) {
    throw new Error("this browser signs at https://, localhost and 127.0.0.1 only; open the portal there");
  }
  if (!pem.includes("BEGIN PRIVATE KEY")) {
    throw new Error("the private key must be PKCS#8 in PEM (BEGIN PRIVATE KEY)");
  }
  const der = Uint8Array.from(atob(onOneLine(pem)), (letter) => letter.charCodeAt(0));
  return crypto.subtle.importKey("pkcs8", der, RSA, isExtractable, ["sign"]);
}

/** The public half of a private key, as SubjectPublicKeyInfo in PEM. */
export async function publicKeyOf(pem) {
  const { kty, n, e } = await crypto.subtle.exportKey("jwk", await importKey(pem, true));
  const half = await crypto.subtle.importKey("jwk", { kty, n, e }, RSA, true, ["verify"]);
  return inPem("PUBLIC KEY", await crypto.subtle.exportKey("spki", half));
}

/** A new key pair, made here: both halves in PEM. */
export async function newKeyPair() {
  const parameters = { ...RSA, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
  return {
    privateKey: inPem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", privateKey)),
    publicKey: inPem("PUBLIC KEY", await crypto.subtle.exportKey("spki", publicKey)),
  };
}

/** A signature over a text or octets in base64: RSASSA-PKCS1-v1_5 with SHA-256. */
export async function sign(key, data) {
  return base64(new Uint8Array(await crypto.subtle.sign(RSA.name, key, octets(data))));
}

const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", octets(data)));

/** The value of the header Digest (RFC 3230): also an empty body has one. */
export async function digest(body) {
  return `SHA-256=${base64(await sha256(body))}`;
}

/** The challenge to a code verifier (RFC 7636, 4.2, S256). */
export async function challenge(verifier) {
  return base64url(await sha256(verifier));
}

/**
 * What is signed (draft-cavage-http-signatures): one line a name, joined by line feeds with none at the end.
 * @param {string[]} names in lower case
 * @param {{method: string, target: string, headers: Object<string, string>}} request with names in lower case; `target`
 *   is path and query
 */
export function signingString(names, { method, target, headers }) {
  const line = (name) => {
    if (name === "(request-target)") return `${name}: ${method.toLowerCase()} ${target}`;
    if (headers[name] === undefined) throw new Error(`${name} is to be signed, and the request does not have it`);
    return `${name}: ${headers[name].trim()}`;
  };
  return names.map(line).join("\n");
}

/**
 * Signs a call for the Berlin Group dialect.
 * @param {{method: string, target: string, headers: Object<string, string>, body: string}} request
 * @param {{key: CryptoKey, keyId: string, certificate: string}} identity `keyId` as the bank handed it out,
 *   `certificate` in PEM
 * @returns {Promise<{headers: Object<string, string>, signingString: string}>} all headers, the signature with them
 */
export async function signBerlinGroup(request, { key, keyId, certificate }) {
  const headers = {
    ...request.headers,
    digest: request.headers.digest ?? (await digest(request.body)),
    "tpp-signature-certificate": request.headers["tpp-signature-certificate"] ?? onOneLine(certificate),
  };
  const names = SIGNED.filter((name) => headers[name] !== undefined);
  const text = signingString(names, { ...request, headers });
  const value = await sign(key, text);
  const parameters = { keyId, algorithm: "rsa-sha256", headers: names.join(" "), signature: value };
  headers.signature ??= Object.entries(parameters)
    .map(([name, text]) => `${name}="${text}"`)
    .join(",");
  return { headers, signingString: text };
}

/** Signs a call for bunq: the exact body and nothing else; without a body, nothing at all. */
export async function signBunq(request, { key }) {
  const signature = request.headers["x-bunq-client-signature"] ?? (await sign(key, request.body));
  return { headers: { ...request.headers, "x-bunq-client-signature": signature }, signingString: request.body };
}

/** What the certificate's key signs when bunq trades a certificate for an API key: public key and installation token. */
export function signPublicKey({ key, publicKey }, installationToken) {
  return sign(key, wrapped(publicKey) + installationToken);
}
