// What tests of the portal's modules share: a third party, a customer, and a way through a flow. The script reads
// {"assets", "bank", "management"} from standard input.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { pathToFileURL } from "node:url";

export const given = JSON.parse(readFileSync(0, "utf8"));
export const module = (name) => import(pathToFileURL(`${given.assets}/${name}`));
export const run = await module("flow/run.js");
export const held = (what) => console.log(`ok ${what}`);

export async function manage(path, body) {
  const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(given.management + path, request);
  assert.ok(answer.ok, `${path}: ${await answer.clone().text()}`);
  return answer.json();
}

async function becomeThirdParty(organizationIdentifier) {
  const made = await manage("/test-certificates", { organizationIdentifier });
  const privateKey = createPrivateKey(made.privateKey);
  const pem = (key, type) => key.export({ type, format: "pem" });
  const { certificate, keyId, chain } = made;
  const keys = { privateKey: pem(privateKey, "pkcs8"), publicKey: pem(createPublicKey(privateKey), "spki") };
  return { organizationIdentifier, certificate, keyId, chain, ...keys };
}

/** A new third party and a new customer, of the Dutch tenant unless another one is named. */
export async function newPlace(organizationIdentifier, { tenant = "nl" } = {}) {
  return {
    bank: given.bank,
    tenant,
    redirectUri: `${given.bank}/portal/callback`,
    thirdParty: await becomeThirdParty(organizationIdentifier),
    customer: await manage("/test-accounts", { tenant, persona: "household" }),
    kept: { verifier: run.secret(), state: run.secret() },
  };
}

/** Takes the steps of a flow until one does not end well; returns what each gave, by its name, in their order. */
export async function go(flow, place, { edits = {}, decision = "approve" } = {}) {
  const results = {};
  for (const step of flow.steps) {
    const result = step.approval
      ? await decide(step, place, decision)
      : await run.take(step, edits[step.name] ?? {}, place);
    results[step.name] = result;
    if (!result.isDone) break;
    place.kept = { ...place.kept, ...result.kept };
  }
  return results;
}

async function decide(step, place, decision) {
  const url = await run.departure(step, place);
  const { location } = await manage("/approvals", { url, iban: place.customer.iban, decision });
  const back = run.arrival(location);
  assert.equal(back.state, place.kept.state, location);
  return { decision, back, kept: { code: back.code }, isDone: Boolean(back.code) };
}
