// What was done: one run for each third party, tenant and flow, kept in this browser until the bank is another one.

import { RUNS as KEY } from "../state.js";
import { secret } from "./run.js";

/** Answers that are longer are not kept over a reload. */
const MOST = 100_000;

const begun = () => ({ kept: { verifier: secret(), state: secret() }, results: {}, moves: [] });

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

const name = (party, tenant, flow) => `${party.id} ${tenant} ${flow.id}`;

/** A run: `{kept, results, edits, moves, current}`. */
export function runOf(party, tenant, flow) {
  const run = load()[name(party, tenant, flow)] ?? {};
  return { edits: {}, current: flow.steps[0].name, ...begun(), ...run };
}

/** The same from its beginning. What was edited stays. */
export const again = (run) => ({ ...run, ...begun() });

/**
 * Puts what came of a step into a run. What came of later steps rests on what this one was before, and goes; clocks that
 * were moved since the step before it were moved before this one.
 */
export function put(run, flow, step, result) {
  const place = flow.steps.indexOf(step);
  const names = flow.steps.map(({ name }) => name);
  for (const name of names.slice(place)) delete run.results[name];
  const before = names.slice(0, place).findLast((name) => run.results[name]) ?? null;
  run.moves = run.moves.map((move) => (names.indexOf(move.after) < place ? move : { ...move, after: before }));
  run.results[step.name] = result;
}

/** Whether a step was changed after it was sent, so that its answer is one to something else. */
export function isStale(run, name) {
  const { [name]: result } = run.results;
  if (!result?.edits) return false;
  const now = run.edits[name] ?? {};
  return Object.keys({ ...now, ...result.edits }).some((field) => now[field] !== result.edits[field]);
}

/** Keeps a run. */
export function keepRun(party, tenant, flow, run) {
  const short = ({ answer, ...rest }) =>
    answer?.body.length > MOST
      ? { ...rest, answer: { ...answer, body: answer.body.slice(0, MOST), isCut: true } }
      : { ...rest, answer };
  const results = Object.fromEntries(Object.entries(run.results).map(([name, result]) => [name, short(result)]));
  const all = { ...load(), [name(party, tenant, flow)]: { ...run, results } };
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // The browser's space is used up: other runs are given up first.
    localStorage.setItem(KEY, JSON.stringify({ [name(party, tenant, flow)]: { ...run, results: {} } }));
  }
}

/**
 * Gives what a browser came back with to the run that sent it away, told by `state`.
 * @returns {boolean} whether there is such a run
 */
export function arrive(back) {
  const all = load();
  const found = Object.values(all).find((run) => back.state && run.kept?.state === back.state);
  if (!found) return false;
  const isDone = Boolean(back.code);
  found.results.approve = { back, isDone, decision: isDone ? "approve" : "reject", milliseconds: 0 };
  if (isDone) found.kept.code = back.code;
  localStorage.setItem(KEY, JSON.stringify(all));
  return true;
}

/** Tells when another tab changed a run. */
export function onArrival(listener) {
  addEventListener("storage", (event) => event.key === KEY && listener());
}
