// Values that flow from step to step: `{{name}}` in a step stands for one, and an answer gives new ones by their paths.

/** A value that is not known yet. */
export class MissingValue extends Error {
  constructor(name) {
    super(`{{${name}}} has no value yet`);
    this.value = name;
  }
}

const PLACE = /\{\{([A-Za-z]+)(:encoded)?\}\}/g;

/** The names that a text needs. */
export const namesIn = (text) => [...String(text).matchAll(PLACE)].map(([, name]) => name);

/** Fills the places in a text. `valueOf` gives a text, or undefined for what is not known. */
export function fill(text, valueOf) {
  return text.replace(PLACE, (_, name, encoded) => {
    const value = valueOf(name);
    if (value === undefined) throw new MissingValue(name);
    return encoded ? encodeURIComponent(value) : value;
  });
}

/** What stands at a path of a JSON value, `accounts.0.iban`; undefined if nothing does. */
export const at = (json, path) => path.split(".").reduce((inner, name) => inner?.[name], json);

const isLeaf = (value) => value === null || typeof value !== "object" || Object.keys(value).length === 0;

/** The leaves of a JSON value with their paths. An empty list or object is a leaf. */
export function leaves(json, path = []) {
  if (isLeaf(json)) return [[path.join("."), json]];
  return Object.entries(json).flatMap(([name, value]) => leaves(value, [...path, name]));
}

/** A copy of a JSON value with something else at a path; without anything there, if the value is undefined. */
export function withAt(json, path, value) {
  const copy = structuredClone(json);
  const names = path.split(".");
  const last = names.pop();
  const inner = names.reduce((inner, name) => inner[name], copy);
  if (value === undefined) delete inner[last];
  else inner[last] = value;
  return copy;
}

/** Fills the places in every text of a JSON value. */
export function fillAll(json, valueOf) {
  if (typeof json === "string") return fill(json, valueOf);
  if (Array.isArray(json)) return json.map((inner) => fillAll(inner, valueOf));
  if (json === null || typeof json !== "object") return json;
  return Object.fromEntries(Object.entries(json).map(([name, inner]) => [name, fillAll(inner, valueOf)]));
}
