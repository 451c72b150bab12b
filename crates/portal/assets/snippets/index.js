// The same call in each language.

import { curl } from "./curl.js";
import { go } from "./go.js";
import { java } from "./java.js";
import { node } from "./node.js";
import { python } from "./python.js";

export { planOf } from "./plan.js";
export const snippets = [curl, python, node, java, go];
