// What a user changed in a step. An edit belongs to a field: `path`, `header.NAME`, `json.PATH`, `form.NAME`. Its text may
// have places for values like the original; an empty one leaves the field out.

import { leaves, withAt } from "./values.js";

/** Headers that signing adds; an edit puts another text in their place. */
export const SIGNING_HEADERS = {
  "berlin-group": ["x-request-id", "digest", "tpp-signature-certificate", "signature"],
  bunq: ["x-bunq-client-signature"],
  none: [],
};

/** What is written for a leaf, and read back. */
const written = (leaf) => (typeof leaf === "string" ? leaf : JSON.stringify(leaf));

function readBack(text, original) {
  if (text === "") return undefined;
  if (typeof original === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The fields of a step that can be edited: `[{field, name, original, text, isEdited}]`. */
export function fieldsOf(step, edits) {
  const { path, headers, json, form, sign } = step.call;
  const all = [["path", "Path", path]];
  for (const [name, text] of Object.entries(headers)) all.push([`header.${name}`, name, text]);
  for (const name of SIGNING_HEADERS[sign]) all.push([`header.${name}`, name, ""]);
  if (json) for (const [path, leaf] of leaves(json)) all.push([`json.${path}`, path, written(leaf)]);
  if (form) for (const [name, text] of Object.entries(form)) all.push([`form.${name}`, name, text]);
  return all.map(([field, name, original]) => {
    const text = edits[field] ?? original;
    return { field, name, original, text, isEdited: edits[field] !== undefined };
  });
}

/** The call of a step as a user changed it. */
export function edited(step, edits) {
  let { path, headers, json, form } = structuredClone(step.call);
  for (const [field, text] of Object.entries(edits)) {
    const [part] = field.split(".", 1);
    const name = field.slice(part.length + 1);
    if (part === "path") path = text;
    if (part === "header") headers = withMember(headers, name, text);
    if (part === "form") form = withMember(form, name, text);
    if (part === "json") {
      const original = leaves(step.call.json).find(([path]) => path === name)?.[1];
      json = withAt(json, name, readBack(text, original));
    }
  }
  return { ...step.call, path, headers, ...(json && { json }), ...(form && { form }) };
}

/** The same object with one member more, another one, or without it. */
function withMember(members, name, text) {
  const { [name]: _, ...others } = members;
  return text === "" ? others : { ...others, [name]: text };
}
