// What the portal says of identifiers: the first argument is its module, standard input a JSON list of texts. Prints a list of
// what is wrong with each, null where nothing is.

import { readFileSync } from "node:fs";

const source = readFileSync(process.argv[2], "utf8");
const { problemOf } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(problemOf)));
