// Card 2 at bunq: the calls of its flow up to the redirect URI. They are kept as a run of it, so that the flow goes on where
// this ends.

import { flowOf } from "../flows/index.js";
import { take } from "../flow/run.js";
import { again, keepRun, put, runOf } from "../flow/runs.js";
import { publicKeyOf } from "../signing.js";
import { keepThirdParty, signingCertificate, tenant } from "../state.js";
import { texts } from "./texts.js";

/** Why the bank said no, in its own words. */
function refusal({ status, body }) {
  const [, text] = /"error_description": ?"((?:[^"\\]|\\.)*)"/.exec(body) ?? [];
  return new Error(status === null ? texts.unreachable : texts.refused(status, text ?? "something that says no more"));
}

/** Registers a third party: a key, an API key for its certificate, a device, a session, an OAuth client, its redirect URIs. */
export async function registerAtBunq(calls, party, uris) {
  const flow = await flowOf("bunq", tenant());
  if (flow.only !== tenant()) throw new Error(texts.elsewhere(flow.only));
  const certificate = signingCertificate(party);
  const thirdParty = { ...certificate, organizationIdentifier: party.identifier, publicKey: await publicKeyOf(certificate.privateKey) };
  const run = again(runOf(party, tenant(), flow));
  const send = async (step, redirectUri) => {
    const result = await take(step, {}, { bank: location.origin, tenant: tenant(), redirectUri, thirdParty, kept: run.kept });
    const { status, body, milliseconds } = result.answer;
    calls.add({ ...result.request, status, answer: body, milliseconds });
    if (!result.isDone) throw refusal(result.answer);
    put(run, flow, step, result);
    Object.assign(run.kept, result.kept);
  };
  const steps = flow.steps.slice(0, flow.steps.findIndex((step) => step.approval));
  for (const step of steps) await send(step, uris[0]);
  for (const uri of uris.slice(1)) await send(steps.at(-1), uri);
  run.current = flow.steps[steps.length].name;
  keepRun(party, tenant(), flow, run);
  const { clientId, clientSecret } = run.kept;
  keepThirdParty({ ...party, bunq: { tenant: tenant(), clientId, clientSecret, redirectUris: uris } });
}
