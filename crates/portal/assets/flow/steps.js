// The steps of a flow, as rows: what is called, and what came of it.

import { fill, make, one } from "../dom.js";
import { badge } from "./call.js";

/** A path without what is the same in all: host, interface, tenant, query. */
const short = (path) =>
  path
    .split("?")[0]
    .replace(/^\/(xs2a-bg|auth)\/\{\{tenant\}\}|^\/bunq/, "")
    .replaceAll(/\{\{(\w+)\}\}/g, "{$1}");

/** Shows the steps. `choose` is told which one the user wants to see. */
export function showSteps(root, { flow, run, choose }) {
  const rows = flow.steps.map((step, place) => {
    const result = run.results[step.name];
    const isEdited = Object.keys(run.edits[step.name] ?? {}).length > 0;
    const status =
      result &&
      (step.approval
        ? badge(result.isDone ? "code" : (result.back.error ?? "refused"), result.isDone)
        : badge(result.answer.status, result.isDone));
    const time = result && !step.approval ? make("span.time", {}, `${result.answer.milliseconds} ms`) : null;
    const path = step.approval ? "the customer’s phone" : short(step.call.path);
    const button = make(
      "button.step",
      {
        type: "button",
        id: `step-${step.name}`,
        "aria-current": run.current === step.name ? "step" : null,
        click: () => choose(step.name),
      },
      make("span.number", { "aria-hidden": "true" }, String(place + 1)),
      make(
        "span.what",
        {},
        make("span.title", {}, step.title, make("span.mark", { hidden: !isEdited }, "changed")),
        make("span.path", {}, make("span.method", {}, step.approval ? "" : step.call.method), " ", path),
      ),
      make("span.outcome", {}, status, time),
    );
    return make(result ? (result.isDone ? "li.done" : "li.failed") : "li", {}, button);
  });
  fill(root, ...rows);
}

/** Marks a step as changed by the user, or as it was. */
export function markStep(name, isEdited) {
  one(`#step-${name} .mark`).hidden = !isEdited;
}
