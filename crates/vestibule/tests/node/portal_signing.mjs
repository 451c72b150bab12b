// Holds the portal's signing.js against published vectors, and signs calls that a running bank takes or refuses. Reads
// {"assets", "bank", "certificate", "chain", "privateKey", "keyId"} from standard input, prints a line for each thing
// that held.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { createPrivateKey, createPublicKey } from "node:crypto";

const given = JSON.parse(readFileSync(0, "utf8"));
const signing = await import(pathToFileURL(`${given.assets}/signing.js`));
const held = (what) => console.log(`ok ${what}`);

// Berlin Group, implementation guidelines, and RFC 3230: digests.
assert.equal(await signing.digest(""), "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
assert.equal(await signing.digest('{"hello": "world"}'), "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=");
held("digests");

// RFC 7636, appendix B.
assert.equal(
  await signing.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
  "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
);
held("challenge of RFC 7636");

// draft-cavage-http-signatures-12, appendix C.
const draft = createPrivateKey(`-----BEGIN RSA PRIVATE KEY-----
MIICXgIBAAKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8+q28hxA161QF
NUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+F
UR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJwoYi+1hqp1fIekaxsyQIDAQAB
AoGBAJR8ZkCUvx5kzv+utdl7T5MnordT1TvoXXJGXK7ZZ+UuvMNUCdN2QPc4sBiA
QWvLw1cSKt5DsKZ8UETpYPy8pPYnnDEz2dDYiaew9+xEpubyeW2oH4Zx71wqBtOK
kqwrXa/pzdpiucRRjk6vE6YY7EBBs/g7uanVpGibOVAEsqH1AkEA7DkjVH28WDUg
f1nqvfn2Kj6CT7nIcE3jGJsZZ7zlZmBmHFDONMLUrXR/Zm3pR5m0tCmBqa5RK95u
412jt1dPIwJBANJT3v8pnkth48bQo/fKel6uEYyboRtA5/uHuHkZ6FQF7OUkGogc
mSJluOdc5t6hI1VsLn0QZEjQZMEOWr+wKSMCQQCC4kXJEsHAve77oP6HtG/IiEn7
kpyUXRNvFsDE0czpJJBvL/aRFUJxuRK91jhjC68sA7NsKMGg5OXb5I5Jj36xAkEA
gIT7aFOYBFwGgQAQkWNKLvySgKbAZRTeLBacpHMuQdl1DfdntvAyqpAZ0lY0RKmW
G6aFKaqQfOXKCyWoUiVknQJAXrlgySFci/2ueKlIE1QqIiLSZ8V8OlpFLRnb1pzI
7U1yQXnTAEFYM560yJlzUpOb1V4cScGd365tiSMvxLOvTA==
-----END RSA PRIVATE KEY-----`);
const request = {
  method: "POST",
  target: "/foo?param=value&pet=dog",
  headers: {
    host: "example.com",
    date: "Sun, 05 Jan 2014 21:31:40 GMT",
    "content-type": "application/json",
    digest: "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
    "content-length": "18",
  },
  body: '{"hello": "world"}',
};
const draftKey = await signing.importKey(draft.export({ type: "pkcs8", format: "pem" }));
for (const [names, signature] of [
  [
    "(request-target) host date",
    "qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3HMbe8VfEdKFYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0=",
  ],
  [
    "(request-target) host date content-type digest content-length",
    "vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaERZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE=",
  ],
]) {
  assert.equal(await signing.sign(draftKey, signing.signingString(names.split(" "), request)), signature, names);
}
assert.throws(() => signing.signingString(["psu-id"], request), /psu-id is to be signed/);
held("signatures of draft-cavage, appendix C");

// A running bank takes what was signed here, and refuses it when one octet is another.
const publicKey = await signing.publicKeyOf(given.privateKey);
const spki = { type: "spki", format: "pem" };
assert.equal(publicKey, createPublicKey(createPrivateKey(signing.wrapped(given.privateKey))).export(spki));
const pair = await signing.newKeyPair();
assert.equal(pair.publicKey, createPublicKey(createPrivateKey(pair.privateKey)).export(spki));
const identity = {
  key: await signing.importKey(given.privateKey),
  publicKey,
  keyId: given.keyId,
  certificate: given.certificate,
};
const onboarding = {
  method: "GET",
  target: "/xs2a-bg/nl/onboarding/v1",
  headers: { "x-request-id": crypto.randomUUID(), "tpp-redirect-uri": "https://tpp.example/\u0020callback " },
  body: "",
};
const signed = await signing.signBerlinGroup(onboarding, identity);
assert.match(signed.headers.signature, /headers="digest x-request-id tpp-redirect-uri"/);
assert.match(
  signed.signingString,
  /^digest: SHA-256=.*\nx-request-id: .*\ntpp-redirect-uri: https:\/\/tpp.example\/ callback$/,
);
const onboard = (headers) => fetch(`${given.bank}${onboarding.target}`, { headers });
assert.equal((await onboard(signed.headers)).status, 200);
const spoiled = await onboard({ ...signed.headers, "x-request-id": crypto.randomUUID() });
assert.equal(spoiled.status, 401);
assert.equal((await spoiled.json()).tppMessages[0].code, "SIGNATURE_INVALID");
held("a call of the Berlin Group dialect");

const bunq = async (path, body, token) => {
  const text = JSON.stringify(body);
  const signed = await signing.signBunq({ headers: {}, body: text }, identity);
  assert.equal(signed.signingString, text);
  const headers = { ...signed.headers, ...(token && { "x-bunq-client-authentication": token }) };
  const answer = await fetch(`${given.bank}/bunq/v1${path}`, { method: "POST", headers, body: text });
  assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
  return (await answer.json()).Response;
};
const [, { Token }] = await bunq("/installation", { client_public_key: publicKey });
const credential = {
  client_payment_service_provider_certificate: signing.wrapped(given.certificate),
  client_payment_service_provider_certificate_chain: given.chain.map(signing.wrapped).join(""),
  client_public_key_signature: await signing.signPublicKey(identity, Token.token),
};
const [{ CredentialPasswordIp }] = await bunq("/payment-service-provider-credential", credential, Token.token);
const secret = CredentialPasswordIp.token_value;
await bunq("/device-server", { description: "portal", secret, permitted_ips: ["*"] }, Token.token);
await bunq("/session-server", { secret }, Token.token);
const signature = await signing.sign(identity.key, "another body");
const wrong = await fetch(`${given.bank}/bunq/v1/session-server`, {
  method: "POST",
  headers: { "x-bunq-client-authentication": Token.token, "x-bunq-client-signature": signature },
  body: JSON.stringify({ secret }),
});
assert.equal(wrong.status, 400);
assert.match(await wrong.text(), /signature is invalid/);
held("calls of bunq");

await assert.rejects(signing.importKey("-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----"), /PKCS#8/);
assert.throws(() => signing.wrapped("hello"), /no BEGIN line/);
held("keys that cannot be used are refused");
