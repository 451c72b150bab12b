// Runs what the portal shows as code, in every language, for a call of each kind, against a running bank. Prints a line for
// each program that did what the call does.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { given, go, held, module, newPlace, run } from "./portal.mjs";

const { flowOf } = await module("flows/index.js");
const { planOf } = await module("snippets/plan.js");
const { snippets } = await module("snippets/index.js");

const programs = {
  curl: (file) => ["sh", file],
  python: (file) => [given.python, file],
  node: (file) => ["node", file],
  java: (file) => ["java", file],
  go: (file) => ["go", "run", file],
};

/** A call, what a user changed in it, and what the bank has to answer. */
const calls = [
  // What has to be escaped somewhere: quotes, a backslash, letters that are not ASCII, places of shells and formats.
  [
    "pis",
    "payment",
    {
      "json.creditorName": `O'Neill "Café" \\ $HOME %s`,
      "json.remittanceInformationUnstructured": "it's `id` {x} #1",
      "header.psu-id": "o'neill",
    },
    201,
    /"RCVD"/,
  ],
  ["pis", "payment", { "header.digest": "SHA-256=AAAA" }, 401, /SIGNATURE_INVALID/],
  ["ais", "onboard", { "header.x-request-id": "a-name-of-mine" }, 200, /access_token/],
  ["ais", "token", {}, 400, /invalid_grant/],
  ["bunq", "session", {}, 200, /UserPaymentServiceProvider/],
  ["bunq", "session", { "header.x-bunq-client-signature": "AAAA" }, 400, /signature/],
];

const folder = mkdtempSync(join(tmpdir(), "portal-"));
try {
  const places = {};
  for (const flow of ["ais", "bunq"]) {
    places[flow] = await newPlace(`PSDNL-DNB-CODE${flow.toUpperCase()}`);
    await go(await flowOf(flow, "nl"), places[flow]);
  }
  places.pis = places.ais;
  for (const snippet of snippets) {
    // What compiles anew for each program gets one of each kind.
    const few = ["java", "go"].includes(snippet.id);
    for (const [flow, name, edits, status, expected] of few ? [calls[0], calls[3], calls[4]] : calls) {
      const place = places[flow];
      const step = (await flowOf(flow, "nl")).steps.find((step) => step.name === name);
      const request = run.prepare(step, edits, await run.valuesOf(place));
      const headers = Object.keys(edits).map((field) => field.replace(/^header\./, ""));
      const program = snippet.code(planOf(given.bank, request, place.thirdParty, headers));
      assert.ok(!program.includes("PRIVATE KEY-----\n"), "no program has the key in it");
      writeFileSync(join(folder, snippet.file), program);
      writeFileSync(join(folder, "key.pem"), place.thirdParty.privateKey);
      writeFileSync(join(folder, "certificate.pem"), place.thirdParty.certificate);
      const [command, ...words] = programs[snippet.id](snippet.file);
      let printed;
      try {
        printed = execFileSync(command, words, { cwd: folder, encoding: "utf8" });
      } catch (error) {
        throw new Error(`${error.message}\n${program}`);
      }
      const what = `${snippet.id}: ${flow} ${name} ${JSON.stringify(edits)}`;
      assert.ok(printed.trim().split("\n").includes(String(status)), `${what}: ${printed}\n${program}`);
      assert.match(printed, expected, what);
    }
    held(`${snippet.id} (${snippet.file})`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
