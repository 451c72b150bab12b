// "Save as test": what was called, with the values that flowed, and what has to come of it. `vestibule tpp replay` reads it;
// docs/guide.md describes the format.

import { at } from "./values.js";
import { edited } from "./edits.js";
import { jsonOf } from "./run.js";

/** Where the bank's errors stand, in each dialect. */
const CODES = ["tppMessages.0.code", "error", "Error.0.error_description"];

/** What has to come of a call: the status, members that are the same in each run, and some that are there. */
function expected(step, { answer, isDone }) {
  const json = jsonOf(answer.body);
  const members = {};
  for (const path of isDone ? (step.stable ?? []) : CODES) {
    const value = at(json, path);
    if (value !== undefined) members[path] = value;
  }
  if (isDone) for (const path of step.members ?? []) members[path] = "*";
  // What an earlier run had done already is new to the bank that a test is for.
  return { status: isDone ? step.status : answer.status, members };
}

/**
 * A call as it was sent; what was changed since then had no answer yet. Where somebody wrote a value of this run, which would be
 * another one in the next, its place stands.
 */
function savedCall(step, result, known) {
  const { sign, method, path, headers, json, form } = edited(step, result.edits);
  const call = { sign, method, path, headers, ...(json && { json }), ...(form && { form }) };
  return {
    name: step.name,
    call: withPlaces(call, known),
    ...(result.isDone && step.keep && { keep: step.keep }),
    expect: expected(step, result),
  };
}

/** The shortest text that is taken for a value of the run and for nothing else. */
const SHORTEST = 12;

/** A JSON value with places where its texts have values that are known. */
function withPlaces(json, known) {
  if (typeof json === "string") return known.reduce((text, [name, value]) => text.replaceAll(value, `{{${name}}}`), json);
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map((inner) => withPlaces(inner, known));
  return Object.fromEntries(Object.entries(json).map(([name, inner]) => [name, withPlaces(inner, known)]));
}

function savedApproval(step, { decision, back, isDone }) {
  const members = isDone ? {} : { error: back.error };
  const { url } = step.approval;
  return { name: step.name, approval: { url, decision }, ...(isDone && { keep: step.keep }), expect: { members } };
}

/** Whether the bank answered at all; a decision that it did not take never came to be. */
const isAnswered = ({ answer, back }) => (answer ? answer.status !== null : Boolean(back.state));

/** An organisation of the run's own at the same authority, so that no run touches the certificates of another. */
const anyOf = (identifier) => `${identifier.split("-").slice(0, 2).join("-")}-T*`;

/**
 * The file of a run, as JSON: what was sent and what came of it. It ends at the call that failed: what came after it, did not come of it.
 * @param {{flow: object, run: object, place: object, party: object}} what `run` has `results` and `moves`: clocks
 *   that were moved, each with the step after which that was
 */
export function testOf({ flow, run, place, party }) {
  const { bank, tenant, redirectUri, customer } = place;
  const steps = [];
  const known = [];
  const move = (after) => {
    for (const { after: step, ...clock } of run.moves) {
      if (step === after) steps.push({ name: `clock-${steps.length + 1}`, clock });
    }
  };
  move(null);
  for (const step of flow.steps) {
    const result = run.results[step.name];
    if (!result || !isAnswered(result)) break;
    steps.push(step.approval ? savedApproval(step, result) : savedCall(step, result, known));
    if (!result.isDone) break;
    known.push(...Object.entries(result.kept).filter(([, value]) => value.length >= SHORTEST));
    move(step.name);
  }
  const own = redirectUri.startsWith(`${bank}/`) ? `{{bank}}${redirectUri.slice(bank.length)}` : redirectUri;
  return {
    format: "vestibule-flow/1",
    name: flow.title,
    tenant,
    thirdParty: {
      organizationIdentifier: anyOf(party.identifier),
      organizationName: party.name,
      roles: party.roles,
      profile: party.certificates.qseal ? "qseal" : "test-client",
    },
    ...(customer && { customer: { persona: customer.persona } }),
    values: { redirectUri: own },
    steps,
  };
}
