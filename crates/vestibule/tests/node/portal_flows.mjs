// Goes through every flow of the portal against a running bank, with the modules that the page uses, twice each, and saves
// each as a test. Prints a line for each thing that held, and then the tests as JSON.
import assert from "node:assert/strict";
import { go, held, manage, module, newPlace } from "./portal.mjs";

const { ids, flowOf } = await module("flows/index.js");
const flows = await Promise.all(ids.map((id) => flowOf(id, "nl")));
const { at } = await module("flow/values.js");
const { explain } = await module("flow/remedies.js");
const { testOf } = await module("flow/save.js");

const tests = {};

function save(name, flow, place, results, edits = {}, moves = []) {
  const { certificate, organizationIdentifier } = place.thirdParty;
  const certificates = { "test-client": certificate };
  const roles = ["PSP_AI", "PSP_PI", "PSP_IC"];
  const party = { identifier: organizationIdentifier, name: 'Portal "Test"', roles, certificates };
  tests[name] = testOf({ flow, run: { edits, results, moves }, place, party });
}

for (const [number, flow] of flows.entries()) {
  const place = await newPlace(`PSDNL-DNB-FLOW${number}`);
  for (const time of ["once", "again"]) {
    const results = await go(flow, place);
    const last = flow.steps.at(-1);
    const { answer, isDone } = Object.values(results).at(-1);
    assert.ok(isDone && results[last.name], `${flow.id} ${time}: ${JSON.stringify(Object.values(results).at(-1))}`);
    for (const path of [...(last.members ?? []), ...(last.stable ?? [])]) {
      assert.notEqual(at(JSON.parse(answer.body), path), undefined, path);
    }
    // What the bank had already is new to another one.
    save(time === "once" ? flow.id : `${flow.id} again`, flow, place, results);
  }
  held(`flow ${flow.id}`);
}

for (const id of ["ais", "pis", "funds"]) {
  const british = await newPlace(`PSDNL-DNB-UK${id}`, { tenant: "uk" });
  const flow = await flowOf(id, "uk");
  const results = await go(flow, british);
  assert.ok(results[flow.steps.at(-1).name]?.isDone, `${id}: ${JSON.stringify(Object.values(results).at(-1))}`);
  save(`${id} in pounds`, flow, british, results);
}
held("flows in pounds");

const place = await newPlace("PSDNL-DNB-EDITS");
const ais = await flowOf("ais", "nl");
// Each edit, and the code that the bank answers with.
for (const [step, field, text, status, code] of [
  ["consent", "json.frequencyPerDay", "5", 400, "FORMAT_ERROR"],
  ["consent", "json.combinedServiceIndicator", "true", 400, "SESSIONS_NOT_SUPPORTED"],
  ["consent", "header.digest", "SHA-256=AAAA", 401, "SIGNATURE_INVALID"],
  ["consent", "header.tpp-redirect-uri", "", 400, "FORMAT_ERROR"],
  ["token", "form.code_verifier", "another", 400, "invalid_grant"],
  [
    "confirm",
    "path",
    "/xs2a-bg/{{tenant}}/v1/consents/{{authorisationId}}/authorisations/{{authorisationId}}",
    403,
    "CONSENT_UNKNOWN",
  ],
]) {
  const edits = { [step]: { [field]: text } };
  const results = await go(ais, place, { edits });
  assert.equal(Object.keys(results).at(-1), step, JSON.stringify(edits));
  const { answer } = results[step];
  const explained = explain(answer, { isEdited: true });
  assert.deepEqual([answer.status, explained.code], [status, code], answer.body);
  assert.ok(explained.text.length > 0 && explained.remedy.startsWith("You changed this call"), explained.remedy);
  save(`${step} ${field}`, ais, place, results, edits);
}
held("edits are refused and explained");

// What a fault asked for says so, whatever its code is.
for (const fault of ["429", "certificate-expired", "consent-vanished", "503"]) {
  await manage("/faults", { fault, next: 1, thirdParty: place.thirdParty.organizationIdentifier });
  const { answer } = Object.values(await go(ais, place)).at(-1);
  assert.match(explain(answer).remedy, /^A fault asked for this answer: .* the page Play/, answer.body);
}
const said = (status, code, text) => explain({ status, body: JSON.stringify({ tppMessages: [{ code, text }] }) }).remedy;
assert.match(said(429, "ACCESS_EXCEEDED", "Too many calls; try again after the time of Retry-After"), /wait .* Retry-After/);
assert.match(said(429, "ACCESS_EXCEEDED", "The daily limit of 4 unattended account requests"), /PSU-IP-Address/);
held("faults are explained");

const answerless = { answer: { status: null, headers: {}, body: "" }, isDone: false };
save("no answer", ais, place, { ...(await go(ais, place)), consent: answerless });
assert.deepEqual(tests["no answer"].steps.map(({ name }) => name), ["onboard", "register"]);

const rejected = await go(ais, place, { decision: "reject" });
assert.equal(rejected.approve.back.error, "consent_required");
save("rejected", ais, place, rejected, {}, [{ after: "register", advance: "PT10M" }]);
held("a customer who says no");

console.log(JSON.stringify(tests));
