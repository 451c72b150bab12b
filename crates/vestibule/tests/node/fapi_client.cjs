// Goes through the FAPI 2.0 Security Profile at a bank with openid-client in its mode for it, unmodified. Reads one JSON
// object from standard input:
//
//   issuer, clientId, redirectUri   a tenant of the bank and a registration there
//   method                          `tls_client_auth` or `private_key_jwt`
//   ca, certificate, key            the bank's authority; the client's QWAC with its chain, and its key; all in PEM
//   signingKey, signingAlgorithm    the key of the signing certificate in PEM, and how it signs
//   scope                           `openid offline_access` and one open consent
//   approvals, iban                 approves authorization URLs in a customer's place
//
// Everything else comes from discovery. Prints a line for each step.
const assert = require('node:assert');
const { createPrivateKey } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { Issuer, custom, generators } = require('openid-client');

const input = JSON.parse(readFileSync(0, 'utf8'));
const done = (step) => console.log(`ok ${step}`);
const bare = { timeout: 30_000, ca: input.ca };

async function discover() {
  custom.setHttpOptionsDefaults({ timeout: bare.timeout });
  const { origin, pathname } = new URL(input.issuer);
  const issuer = await Issuer.discover(input.issuer);
  const same = await Issuer.discover(`${origin}/.well-known/oauth-authorization-server${pathname}`);
  assert.strictEqual(same.issuer, issuer.issuer);
  assert.strictEqual(issuer.issuer, input.issuer);
  done('discovery');
  return issuer;
}

function client(issuer) {
  const jwk = createPrivateKey(input.signingKey).export({ format: 'jwk' });
  const metadata = {
    client_id: input.clientId,
    redirect_uris: [input.redirectUri],
    token_endpoint_auth_method: input.method,
    id_token_signed_response_alg: 'ES256',
    tls_client_certificate_bound_access_tokens: true,
  };
  if (input.method === 'private_key_jwt') {
    metadata.token_endpoint_auth_signing_alg = input.signingAlgorithm;
  }
  const keys = { keys: [{ ...jwk, use: 'sig', alg: input.signingAlgorithm, kid: 'seal' }] };
  const made = new issuer.FAPI2Client(metadata, input.method === 'private_key_jwt' ? keys : undefined);
  made[custom.http_options] = () => ({ ...bare, cert: input.certificate, key: input.key });
  return made;
}

async function approve(url) {
  const body = JSON.stringify({ url, iban: input.iban, decision: 'approve' });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(input.approvals, { method: 'POST', headers, body });
  const { location } = await answer.json();
  assert.ok(location?.startsWith(input.redirectUri), `approval: ${answer.status}`);
  return location;
}

async function authorise(fapi) {
  const secrets = { state: generators.state(), nonce: generators.nonce(), code_verifier: generators.codeVerifier() };
  const pushed = await fapi.pushedAuthorizationRequest({
    scope: input.scope,
    state: secrets.state,
    nonce: secrets.nonce,
    code_challenge: generators.codeChallenge(secrets.code_verifier),
    code_challenge_method: 'S256',
  });
  assert.ok(pushed.expires_in > 0 && pushed.expires_in < 600);
  done('pushed authorization request');
  const url = new URL(fapi.issuer.authorization_endpoint);
  url.searchParams.set('client_id', input.clientId);
  url.searchParams.set('request_uri', pushed.request_uri);
  const parameters = fapi.callbackParams(await approve(url.href));
  assert.strictEqual(parameters.iss, input.issuer);
  const tokens = await fapi.callback(input.redirectUri, parameters, { ...secrets, response_type: 'code' });
  assert.strictEqual(tokens.claims().sub.length > 0, true);
  done('tokens for the code');
  return tokens;
}

async function main() {
  const fapi = client(await discover());
  const tokens = await authorise(fapi);
  const who = await fapi.userinfo(tokens);
  assert.strictEqual(who.sub, tokens.claims().sub);
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  const stolen = await fetch(fapi.issuer.userinfo_endpoint, { headers });
  assert.ok(stolen.status >= 400, 'a token is of use without the certificate');
  done('sender-constrained access token');
  const refreshed = await fapi.refresh(tokens);
  const again = await fapi.refresh(tokens);
  assert.strictEqual(again.refresh_token, refreshed.refresh_token);
  assert.strictEqual((await fapi.userinfo(refreshed)).sub, who.sub);
  done('refresh, and once more after a lost answer');
  await fapi.revoke(refreshed.refresh_token);
  await assert.rejects(fapi.refresh(refreshed), { error: 'invalid_grant' });
  done('revocation');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
