// Runs calls of the collection for Bruno with its own scripts, as Bruno runs them: the script before a call gets `req` and
// `bru`, then variables in double braces are filled in, then the script after it gets `res`. Reads one JSON object from
// standard input:
//
//   collection               the collection
//   certificate              what POST /test-certificates answered
//   iban, redirectUri        an account of a customer, and where the customer comes back to
//
// Prints a line for each call.
const assert = require('node:assert');
const { readFileSync } = require('node:fs');
const vm = require('node:vm');

const { collection, certificate, iban, redirectUri } = JSON.parse(readFileSync(0, 'utf8'));
const { req: before, res: after } = collection.root.request.script;
const environment = Object.fromEntries(collection.environments[0].variables.map(({ name, value }) => [name, value]));
Object.assign(environment, {
  certificate: certificate.certificate,
  privateKey: certificate.privateKey,
  keyId: certificate.keyId,
});
const variables = {};
const bru = {
  getVar: (name) => variables[name],
  setVar: (name, value) => void (variables[name] = value),
  getEnvVar: (name) => environment[name],
};
const fill = (text) => text.replace(/{{([\w.-]+)}}/g, (whole, name) => variables[name] ?? environment[name] ?? whole);

/** Every call below a folder. */
const calls = (items) => items.flatMap((item) => (item.type === 'folder' ? calls(item.items) : [item]));

/** The call whose address ends so. */
function find(method, end) {
  const found = calls(collection.items).find(({ request }) => request.method === method && request.url.endsWith(end));
  assert.ok(found, `${method} …${end} is not in the collection`);
  return structuredClone(found.request);
}

/** Lets a script of the collection see what Bruno gives it. */
function run(script, given) {
  const context = { require, Buffer, URL, console, bru, ...given };
  vm.runInNewContext(script, context, { timeout: 10_000 });
}

async function call(method, end, status, change = () => {}) {
  const request = find(method, end);
  change(request);
  const headers = {};
  for (const { name, value, enabled } of request.headers) if (enabled) headers[name] = value;
  let body = request.body.json;
  if (request.body.mode === 'formUrlEncoded') {
    body = new URLSearchParams(request.body.formUrlEncoded.map(({ name, value }) => [name, value])).toString();
    headers['content-type'] = 'application/x-www-form-urlencoded';
  } else if (body !== undefined) headers['content-type'] = 'application/json';
  // Bruno hands out JSON as an object.
  let given = request.body.mode === 'json' ? JSON.parse(body) : body;
  const req = {
    getUrl: () => request.url,
    getMethod: () => request.method,
    getHeaders: () => headers,
    setHeader: (name, value) => void (headers[name] = value),
    getBody: () => given,
    setBody: (value) => void (given = value),
  };
  run(before, { req });
  for (const name of Object.keys(headers)) headers[name] = fill(headers[name]);
  const sent = typeof given === 'object' ? JSON.stringify(given) : given;
  const answer = await fetch(fill(request.url), { method, headers, body: sent && fill(sent) });
  const text = await answer.text();
  assert.strictEqual(answer.status, status, `${method} ${fill(request.url)}: ${text}`);
  run(after, { res: { getBody: () => (text.startsWith('{') ? JSON.parse(text) : text) } });
  console.log(`ok ${method} ${end}`);
  return text;
}

/** Another value for a field of a form. */
const field = (name, value) => ({ body }) => {
  for (const one of body.formUrlEncoded) if (one.name === name) one.value = value;
};

async function main() {
  await call('GET', '/onboarding/v1', 200);
  assert.match(variables.Authorization, /^Bearer /);
  await call('POST', '/v1/registration', 201, (request) => {
    field('initial_access_token', variables.Authorization.replace('Bearer ', ''))(request);
    field('redirect_uris', redirectUri)(request);
  });
  await call('POST', '/{{tenant}}/v1/consents', 201, (request) => {
    const access = [{ iban }];
    request.body.json = JSON.stringify({ ...JSON.parse(request.body.json), access: { accounts: access, balances: access } });
    request.headers = request.headers.map((header) =>
      header.name === 'TPP-Redirect-URI' ? { ...header, value: redirectUri }
        : header.name === 'PSU-IP-Address' ? { ...header, value: '192.0.2.1' } : header);
  });
  assert.match(variables.consent, /-/);
  await call('GET', '/v1/consents/{{consent}}/status', 200);
  await call('POST', '/v1/installation', 200, (request) => {
    const { createPublicKey } = require('node:crypto');
    const key = createPublicKey(certificate.privateKey).export({ type: 'spki', format: 'pem' });
    request.body.json = JSON.stringify({ client_public_key: key });
  });
  // The signature is checked before the key in the body, which is nobody's.
  assert.match(await call('POST', '/v1/device-server', 400), /User credentials are incorrect/);
}

main();
