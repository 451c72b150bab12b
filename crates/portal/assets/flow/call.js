// The middle of the page: one call, as people read it, as it went over the wire, as it was signed, and as code.

import { busy, fill, make } from "../dom.js";
import { SIGNING_HEADERS, fieldsOf } from "./edits.js";
import { jsonOf, prepare } from "./run.js";
import { isStale } from "./runs.js";
import { outcome, texts } from "./texts.js";
import { leaves } from "./values.js";

/** Members of an answer that are listed; longer ones are seen raw. */
const MOST = 80;

const TABS = [
  ["readable", "Readable", readable],
  ["raw", "Raw", raw],
  ["signing", "Signing string", signingString],
  ["curl", "curl", code],
  ["cli", "CLI", command],
  ["python", "Python", code],
  ["node", "Node", code],
  ["java", "Java", code],
  ["go", "Go", code],
];

let chosen = "readable";

/**
 * Shows a step.
 * @param {HTMLElement} root
 * @param {object} view `{step, flow, run, place, values, send, edit, show}`; `values` are those known now
 */
export function showCall(root, view) {
  const { step } = view;
  const tabs = step.approval ? TABS.filter(([id]) => id === "readable" || id === "cli") : TABS;
  if (!tabs.some(([id]) => id === chosen)) chosen = "readable";
  const draw = tabs.find(([id]) => id === chosen)[2];
  const panel = make("div.tab-panel", {
    role: "tabpanel",
    id: "panel",
    "aria-labelledby": `tab-${chosen}`,
    tabindex: "0",
  });
  panel.append(...[draw(view, chosen)].flat().filter((part) => part != null));
  const choose = (id) => {
    chosen = id;
    showCall(root, view);
    root.querySelector(`#tab-${id}`).focus();
  };
  const list = make("div.tabs", {
    role: "tablist",
    "aria-label": "How to see this call",
    keydown: (event) => move(event, tabs, choose),
  });
  for (const [id, title] of tabs) {
    const isChosen = id === chosen;
    const attributes = {
      type: "button",
      role: "tab",
      id: `tab-${id}`,
      "aria-selected": String(isChosen),
      tabindex: isChosen ? "0" : "-1",
    };
    list.append(
      make("button.tab", { ...attributes, "aria-controls": isChosen && "panel", click: () => choose(id) }, title),
    );
  }
  const about = step.about && make("p.quiet", {}, step.about);
  fill(root, make("h2", { id: "call-title" }, step.title), about, list, panel);
}

/** Arrows, Home and End choose among tabs. */
function move(event, tabs, choose) {
  const place = tabs.findIndex(([id]) => id === chosen);
  const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  choose(tabs.at(to % tabs.length)[0]);
}

/** A text, and a button that copies it. */
export const copyable = (text, label) =>
  make(
    "div.command",
    {},
    make("pre", { tabindex: "0" }, make("code", {}, text)),
    make("button.copy", { type: "button", "data-copy": text, "aria-label": `Copy ${label}` }),
  );

function readable(view) {
  const { step, run } = view;
  if (step.approval) return approval(view);
  const result = run.results[step.name];
  const stale = make("p.hint.stale", { id: "stale", role: "note", hidden: !isStale(run, step.name) }, texts.stale);
  return [line(view), stale, result && answer(view, result), request(view)];
}

/** What is sent now, and the button that sends it. */
function line({ step, run, values, send }) {
  const title = run.results[step.name] ? "Send again" : "Send this call";
  const button = make("button", { type: "button", id: "send", click: () => busy(button, send) }, title);
  const path = make(
    "p.line",
    {},
    make("span.method", {}, step.call.method),
    " ",
    make("code", {}, shown(step, run, values)),
  );
  return make("div.sending", {}, path, button);
}

function request({ step, run, values, send, edit }) {
  const edits = run.edits[step.name] ?? {};
  const rows = fieldsOf(step, edits).map((field) => row(field, { step, values, edit, send }));
  const title = make("h3", {}, "Request");
  return make("div.request", {}, title, make("div.fields", {}, ...rows), make("p.hint", {}, texts.leaveOut));
}

/** The path as it is sent now. */
function shown(step, run, values) {
  return prepare(step, run.edits[step.name] ?? {}, withPlaces(values)).target;
}

/** Values, with the place itself for each that is not known yet. */
export const withPlaces = (values) => new Proxy(values, { get: (known, name) => known[name] ?? `{{${name}}}` });

/** What a text says with the values that are known. */
const filled = (text, values) => text.replace(/\{\{(\w+)(:encoded)?\}\}/g, (place, name) => values[name] ?? place);

/** One field that can be edited. It marks itself, so that nothing else moves under the user's hands. */
function row({ field, name, original, text, isEdited }, { step, values, edit, send }) {
  const id = `field-${field}`.replace(/[^\w-]/g, "-");
  const isMade = original === "" && SIGNING_HEADERS[step.call.sign].includes(name) && field.startsWith("header.");
  const usual = filled(original, values);
  const input = make("input.mono", {
    id,
    value: isEdited ? text : usual,
    placeholder: isMade && texts.addedBySigning,
    autocomplete: "off",
    spellcheck: "false",
    change: () => keep(),
    // Enter sends, with what was typed.
    keydown: (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      keep();
      send();
    },
  });
  const mark = make("span.mark", { id: `${id}-mark` }, texts.edited);
  const putBack = () => {
    input.value = usual;
    keep();
    input.focus();
  };
  const label = `${texts.putBack}: ${name}`;
  const back = make("button.plain", { type: "button", "aria-label": label, click: putBack }, texts.putBack);
  const [part] = field.split(".", 1);
  const kind = part === "path" ? null : make("span.part", {}, ` ${part}`);
  const entry = make("div.entry", {}, make("label", { for: id }, name, kind), input, mark, back);
  const show = (isEdited) => {
    entry.classList.toggle("edited", isEdited);
    mark.hidden = back.hidden = !isEdited;
    if (isEdited) input.setAttribute("aria-describedby", mark.id);
    else input.removeAttribute("aria-describedby");
  };
  const keep = () => {
    const isEdited = input.value !== usual && input.value !== original;
    edit(field, isEdited ? input.value : undefined);
    show(isEdited);
  };
  show(isEdited);
  return entry;
}

function answer(view, result) {
  const { answer } = result;
  const head = make(
    "h3",
    {},
    "Answer ",
    badge(answer.status, result.isDone),
    make("span.quiet", {}, ` ${answer.milliseconds} ms`),
  );
  return make(
    "section.answer",
    { "aria-label": "Answer" },
    head,
    problem(view, result),
    answer.isCut && make("p.hint", {}, texts.cut),
    members(answer),
  );
}

/** A status in its colour; what it means is told beside it too. */
export const badge = (status, isDone) =>
  make(isDone ? "span.badge.good" : "span.badge.bad", {}, String(status ?? "no answer"));

/** Why a step led nowhere, in the bank's own words, and what to do. */
function problem({ step }, { answer, isDone, edits }) {
  if (isDone) return answer.status === step.status ? null : make("p.hint", {}, texts.already);
  const isEdited = Object.keys(edits).length > 0;
  const absent = answer.status === step.status && Object.values(step.keep ?? {})[0];
  if (answer.status === null) return told("", answer.body, texts.unreachable);
  return explained(({ explain }) => {
    const { code, text, remedy } = explain(answer, { isEdited });
    return [code, absent ? texts.absent(absent) : text, remedy];
  });
}

/** What went wrong, and what to do. */
const told = (code, text, remedy) =>
  make(
    "div.told",
    { role: "alert" },
    make("p.why", {}, code && make("strong", {}, `${code} `), text),
    make("p", {}, make("strong", {}, "What to do: "), remedy),
  );

/** The same of an answer. What knows that comes from the bank, which has just answered. */
function explained(words) {
  const root = make("div");
  import("./remedies.js").then((remedies) => fill(root, told(...words(remedies))));
  return root;
}

function members({ body }) {
  const json = jsonOf(body);
  if (json === undefined) return body ? make("pre", { tabindex: "0" }, body) : null;
  const all = leaves(json);
  const shown = all.filter(([, value]) => value !== null).slice(0, MOST);
  const list = make("dl.members");
  for (const [path, value] of shown) {
    // Long paths break after their dots.
    const names = path.split(".").flatMap((name, place) => (place === 0 ? [name] : [".", make("wbr"), name]));
    list.append(
      make(
        "div",
        {},
        make("dt", {}, ...names),
        make("dd.mono", {}, typeof value === "string" ? value : JSON.stringify(value)),
      ),
    );
  }
  const rest = all.length - shown.length;
  return make("div", {}, list, rest > 0 ? make("p.hint", {}, texts.more(rest)) : null);
}

function approval({ step, run }) {
  const result = run.results[step.name];
  if (!result) return make("p", {}, make("a", { href: "#phone-title" }, "To the customer’s phone"));
  const { back, isDone } = result;
  const words = make(
    "p",
    {},
    badge(isDone ? "code" : (back.error ?? "refused"), isDone),
    ` ${outcome(result)}`,
  );
  if (isDone) return [words, members({ body: JSON.stringify(back, (_, value) => value ?? undefined) })];
  const text = back.error_description ?? "";
  if (back.error === "unreachable") return [words, told("", text, texts.unreachable)];
  return [words, explained(({ remedyOf }) => [back.error ?? "", text, remedyOf(back.error, text, null)])];
}

/** Headers, one a line, and the body. */
const wire = (first, headers, body) =>
  `${[first, ...Object.entries(headers).map(([name, text]) => `${name}: ${text}`)].join("\n")}\n\n${body}`;

function raw({ step, run, values }) {
  const result = run.results[step.name];
  const { method, target, headers, body } =
    result?.request ?? prepare(step, run.edits[step.name] ?? {}, withPlaces(values));
  const sent = wire(`${method} ${target} HTTP/1.1`, headers, body);
  const parts = [make("h3", {}, "Request"), copyable(sent, "the request")];
  if (!result) return [...parts, make("p.quiet", {}, texts.notSent)];
  const { answer } = result;
  return [
    ...parts,
    make("h3", {}, "Answer"),
    copyable(wire(`HTTP/1.1 ${answer.status}`, answer.headers, answer.body), "the answer"),
  ];
}

function signingString({ step, run }) {
  const { sign } = step.call;
  if (sign === "none") return make("p", {}, texts.notSigned);
  const request = run.results[step.name]?.request;
  const about = make("p", {}, sign === "bunq" ? texts.bunqSigned : texts.berlinGroupSigned);
  if (!request) return [about, make("p.quiet", {}, texts.notSent)];
  const header = sign === "bunq" ? "x-bunq-client-signature" : "signature";
  return [
    about,
    make("div.program", {}, copyable(request.signingString, "the signing string")),
    make("h3", {}, "The header that came of it"),
    copyable(`${header}: ${request.headers[header]}`, "the header"),
  ];
}

/** The call as a program. What writes programs is loaded when somebody wants to see one. */
function code(view, id) {
  const root = make("div");
  import("./program.js").then(({ program }) => fill(root, ...program(view, id)));
  return root;
}

function command({ step, flow, place, values }) {
  const bank = place.bank === "http://127.0.0.1:8080" ? "" : ` --bank ${place.bank}`;
  const whole = `vestibule tpp flow ${flow.id} --headless approve${bank}`;
  if (step.cli) return copyable(`vestibule ${filled(step.cli, values)}${bank}`, "the command");
  return [make("p", {}, texts.noCommand), copyable(whole, "the command")];
}
