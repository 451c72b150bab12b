// A third party's certificates and keys as files, and what is put on the clipboard of them.

import { make } from "../dom.js";
import { onOneLine, wrapped } from "../signing.js";
import { pkcs12 } from "./pkcs12.js";

/** Gives a file to whoever sits there. */
export function download(name, content, type) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

const README = `Test certificates of a Vestibule sandbox.

certificate.pem   the certificate
key.pem           its private key (PKCS#8): keep it to yourself
chain.pem         the authorities above it
key-id.txt        the keyId of the header Signature
header.txt        the value of the header TPP-Signature-Certificate
third-party.p12   all of it as PKCS#12, for Java, browsers and Windows
password.txt      the password of that file
`;

/** Key, certificate and chain in one text, as servers and clients read them. */
export function bundle(certificate) {
  return [certificate.privateKey, certificate.certificate, ...certificate.chain].map(wrapped).join("");
}

const filesOf = (certificate) => ({
  "certificate.pem": wrapped(certificate.certificate),
  "key.pem": wrapped(certificate.privateKey),
  "chain.pem": certificate.chain.map(wrapped).join(""),
  "key-id.txt": `${certificate.keyId}\n`,
  "header.txt": `${onOneLine(certificate.certificate)}\n`,
});

/** Everything of a third party in one archive, with this password for what needs one. The library comes when it is asked for. */
export async function archive(party, password) {
  await import("../vendor/fflate.js");
  const { strToU8, zipSync } = globalThis.fflate;
  const profiles = Object.entries(party.certificates);
  const files = { "README.txt": strToU8(README) };
  for (const [profile, certificate] of profiles) {
    const folder = profiles.length > 1 ? `${profile}/` : "";
    for (const [name, text] of Object.entries(filesOf(certificate))) files[folder + name] = strToU8(text);
    files[`${folder}third-party.p12`] = await pkcs12(certificate, party.identifier, password);
    files[`${folder}password.txt`] = strToU8(`${password}\n`);
  }
  return zipSync(files);
}
