// Signs a call before it is sent, as its interface wants it. The environment has `certificate`, `privateKey` and `keyId`.
const crypto = require("crypto");

const value = (name) => bru.getVar(name) ?? bru.getEnvVar(name);
const fill = (text) => text.replace(/{{\s*([\w.-]+)\s*}}/g, (whole, name) => value(name) ?? whole);
const sign = (text) => crypto.sign("sha256", Buffer.from(text), value("privateKey")).toString("base64");

const path = new URL(fill(req.getUrl())).pathname;
const given = req.getBody();
let body = "";
if (typeof given === "string") body = given;
else if (given && Object.keys(given).length > 0 || Array.isArray(given)) body = JSON.stringify(given);
body = fill(body);
// What is signed is what is sent, octet by octet.
if (body !== "") req.setBody(body);

if (path.startsWith("/xs2a-bg/") || path.endsWith("/v1/registration")) {
  const headers = {
    digest: `SHA-256=${crypto.createHash("sha256").update(body).digest("base64")}`,
    "x-request-id": crypto.randomUUID(),
  };
  const sent = Object.fromEntries(Object.entries(req.getHeaders()).map(([name, text]) => [name.toLowerCase(), fill(String(text))]));
  for (const name of ["psu-id", "psu-corporate-id", "tpp-redirect-uri"]) if (sent[name]) headers[name] = sent[name];
  const names = Object.keys(headers);
  const signature = sign(names.map((name) => `${name}: ${headers[name]}`).join("\n"));
  for (const name of ["digest", "x-request-id"]) req.setHeader(name, headers[name]);
  req.setHeader("tpp-signature-certificate", value("certificate").replace(/-----[A-Z ]+-----|\s/g, ""));
  req.setHeader("signature", `keyId="${value("keyId")}",algorithm="rsa-sha256",headers="${names.join(" ")}",signature="${signature}"`);
} else if (path.startsWith("/bunq/v1/") && value("privateKey")) {
  req.setHeader("x-bunq-client-signature", sign(body));
}
