// A call as a program in Python.

import { literal, quotedBy } from "./plan.js";

const SIGN = `
key = serialization.load_pem_private_key(open("key.pem", "rb").read(), password=None)


def sign(octets):
    return base64.b64encode(key.sign(octets, padding.PKCS1v15(), hashes.SHA256())).decode()

`;

const berlinGroup = ({ keyId, names }) => `
pem = open("certificate.pem").read()
certificate = re.sub(r"-----[A-Z ]+-----|\\s", "", pem)
headers.setdefault("x-request-id", str(uuid.uuid4()))
headers.setdefault("digest", "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode())
headers.setdefault("tpp-signature-certificate", certificate)
names = ${literal(names.join(" "))}
text = "\\n".join(f"{name}: {headers[name].strip()}" for name in names.split())
key_id = ${literal(keyId)}
signature = f'keyId="{key_id}",algorithm="rsa-sha256",headers="{names}",signature="{sign(text.encode())}"'
headers.setdefault("signature", signature)
`;

const BUNQ = `
headers.setdefault("x-bunq-client-signature", sign(body))
`;

const signing = { "berlin-group": berlinGroup, bunq: () => BUNQ, none: () => "" };
const imports = {
  "berlin-group": ["base64", "hashlib", "re", "urllib.error", "urllib.request", "uuid"],
  bunq: ["base64", "urllib.error", "urllib.request"],
  none: ["urllib.error", "urllib.request"],
};
const LIBRARY = `
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
`;

export const python = {
  id: "python",
  title: "Python",
  file: "call.py",
  how: "pip install cryptography; python call.py",
  code(plan) {
    const isSigned = plan.sign !== "none";
    const headers = Object.entries(plan.headers).map(([name, text]) => `    ${literal(name)}: ${literal(text)},\n`);
    return `${imports[plan.sign].map((name) => `import ${name}\n`).join("")}${isSigned ? LIBRARY + SIGN : ""}
method = ${literal(plan.method)}
url = ${literal(plan.url)}
headers = {
${headers.join("")}}
body = ${quotedBy("'", "'", plan.body)}.encode()
${signing[plan.sign](plan)}
request = urllib.request.Request(url, data=body or None, headers=headers, method=method)
try:
    answer = urllib.request.urlopen(request)
except urllib.error.HTTPError as refusal:
    answer = refusal
print(answer.status)
print(answer.read().decode())
`;
  },
};
