// One call as a program in another language, with the files that it needs.

import { make } from "../dom.js";
import { download } from "../home/downloads.js";
import { wrapped } from "../signing.js";
import { planOf, snippets } from "../snippets/index.js";
import { copyable, withPlaces } from "./call.js";
import { prepare } from "./run.js";
import { texts } from "./texts.js";

/** The call of a view as the program with this id. */
export function program(view, id) {
  const snippet = snippets.find((one) => one.id === id);
  return [...files(view, snippet), text(view, snippet)];
}

/** The files that a program needs, and how it is run. */
function files({ step, place }, snippet) {
  const how = make("p", {}, texts.run, make("code", {}, snippet.how));
  if (step.call.sign === "none") return [how];
  const { certificate, privateKey } = place.thirdParty;
  const button = (name, text) => {
    const save = () => download(name, text, "application/x-pem-file");
    return make("button.plain", { type: "button", "aria-label": `Save ${name}`, click: save }, name);
  };
  const own = [button("certificate.pem", wrapped(certificate)), button("key.pem", wrapped(privateKey))];
  return [make("p", {}, texts.ownFiles, ...own), how];
}

function text({ step, run, place, values }, snippet) {
  const edits = run.edits[step.name] ?? {};
  const request = prepare(step, edits, withPlaces(values));
  const edited = Object.keys(edits)
    .filter((field) => field.startsWith("header."))
    .map((field) => field.slice(7));
  const written = snippet.code(planOf(place.bank, request, place.thirdParty, edited));
  return make("div.program", {}, copyable(written, `the program ${snippet.file}`));
}
