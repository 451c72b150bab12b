// A call as a shell script: openssl signs, curl sends.

/** Single quotes keep everything but themselves. */
export const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

const SIGN = `sign() { openssl dgst -sha256 -sign key.pem | openssl base64 -A; }
`;

const variable = (name) => name.replaceAll("-", "_");

/** Headers of which the text is made, or given by the user. */
function berlinGroup({ headers, keyId, names }) {
  const made = {
    "x-request-id": "$(openssl rand -hex 16 | sed 's/^\\(.\\{8\\}\\)\\(....\\)\\(....\\)\\(....\\)/\\1-\\2-\\3-\\4-/')",
    digest: '"SHA-256=$(printf %s "$body" | openssl dgst -sha256 -binary | openssl base64 -A)"',
    "tpp-signature-certificate": '$(sed "/-----/d" certificate.pem | tr -d "\\n\\r ")',
  };
  const given = (name) => (headers[name] === undefined ? made[name] : quoted(headers[name].trim()));
  const all = [...new Set([...names, "tpp-signature-certificate"])];
  const set = all.map((name) => `${variable(name)}=${given(name)}\n`).join("");
  const lines = names.map((name) => `${name}: %s`).join("\\n");
  const values = names.map((name) => `"$${variable(name)}"`).join(" ");
  const list = names.join(" ");
  const signature = `keyId="%s",algorithm="rsa-sha256",headers="${list}",signature="%s"`;
  const sent = all.filter((name) => headers[name] === undefined);
  return {
    before: `${set}signature=$(printf '${lines}' ${values} | sign)
signature=$(printf '${signature}' ${quoted(keyId)} "$signature")
`,
    headers: [
      ...sent.map((name) => `--header "${name}: $${variable(name)}"`),
      ...(headers.signature === undefined ? ['--header "signature: $signature"'] : []),
    ],
  };
}

const bunq = ({ headers }) =>
  headers["x-bunq-client-signature"] === undefined
    ? {
        before: 'signature=$(printf %s "$body" | sign)\n',
        headers: ['--header "x-bunq-client-signature: $signature"'],
      }
    : { before: "", headers: [] };

const signing = { "berlin-group": berlinGroup, bunq, none: () => ({ before: "", headers: [] }) };

export const curl = {
  id: "curl",
  title: "curl",
  file: "call.sh",
  how: "sh call.sh",
  code(plan) {
    const { before, headers } = signing[plan.sign](plan);
    const words = [
      `curl --silent --show-error --request ${plan.method}`,
      // curl drops a header that ends in a colon; a semicolon sends it empty.
      ...Object.entries(plan.headers).map(
        ([name, text]) => `--header ${quoted(text ? `${name}: ${text}` : `${name};`)}`,
      ),
      ...headers,
      ...(plan.body ? ['--data-raw "$body"'] : []),
      `--write-out '\\n%{http_code}\\n'`,
      quoted(plan.url),
    ];
    return `${plan.sign === "none" ? "" : SIGN}body=${quoted(plan.body)}
${before}${words.join(" \\\n  ")}
`;
  },
};
