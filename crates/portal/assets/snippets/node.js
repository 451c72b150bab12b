// A call as a program in Node.js.

import { literal, quotedBy } from "./plan.js";

const SIGN = `
const key = createPrivateKey(readFileSync('key.pem'));
const signed = (text) => sign('RSA-SHA256', Buffer.from(text), key).toString('base64');
`;

const berlinGroup = ({ keyId, names }) => `
const pem = readFileSync('certificate.pem', 'utf8');
headers['x-request-id'] ??= randomUUID();
headers.digest ??= \`SHA-256=\${createHash('sha256').update(body).digest('base64')}\`;
headers['tpp-signature-certificate'] ??= pem.replace(/-----[A-Z ]+-----|\\s/g, '');
const names = ${literal(names.join(" "))};
const text = names.split(' ').map((name) => \`\${name}: \${headers[name].trim()}\`).join('\\n');
const keyId = ${literal(keyId)};
headers.signature ??= \`keyId="\${keyId}",algorithm="rsa-sha256",headers="\${names}",signature="\${signed(text)}"\`;
`;

const BUNQ = `
headers['x-bunq-client-signature'] ??= signed(body);
`;

const signing = { "berlin-group": berlinGroup, bunq: () => BUNQ, none: () => "" };
const imports = {
  "berlin-group": "createHash, createPrivateKey, randomUUID, sign",
  bunq: "createPrivateKey, sign",
};

export const node = {
  id: "node",
  title: "Node",
  file: "call.mjs",
  how: "node call.mjs",
  code(plan) {
    const crypto = imports[plan.sign];
    const begin = crypto
      ? `import { ${crypto} } from 'node:crypto';\nimport { readFileSync } from 'node:fs';\n${SIGN}\n`
      : "";
    const headers = Object.entries(plan.headers).map(([name, text]) => `  ${literal(name)}: ${literal(text)},\n`);
    return `${begin}const method = ${literal(plan.method)};
const url = ${literal(plan.url)};
const headers = {
${headers.join("")}};
const body = ${quotedBy("'", "'", plan.body)};
${signing[plan.sign](plan)}
const answer = await fetch(url, { method, headers, body: body || undefined, redirect: 'manual' });
console.log(answer.status);
console.log(await answer.text());
`;
  },
};
