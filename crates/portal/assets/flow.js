// The flow page: which third party, customer and flow are chosen, and what happens when something is pressed.

import { all, announce, busy, fill, make, one } from "./dom.js";
import { manage } from "./management.js";
import { change, customer, onChange, read, signingCertificate, tenant, thirdParty } from "./state.js";
import { publicKeyOf } from "./signing.js";
import { flowOf } from "./flows/index.js";
import { showCall } from "./flow/call.js";
import { showClock } from "./flow/clock.js";
import { showPhone } from "./flow/phone.js";
import { arrival, departure, take, valuesOf } from "./flow/run.js";
import { again, isStale, keepRun, onArrival, put, runOf } from "./flow/runs.js";
import { markStep, showSteps } from "./flow/steps.js";
import { isTaken, texts } from "./flow/texts.js";
import { MissingValue } from "./flow/values.js";

const bank = location.origin;
/** What the bank says about itself. */
const facts = await (await fetch("/.well-known/vestibule")).json();
// A bank that holds to the letter takes addresses with TLS and a name alone: there, the phone is the one way back.
const isNamed = location.protocol === "https:" && !/^[\d.]+$|^\[/.test(location.hostname);
const callback = facts.strict && !isNamed ? "https://tpp.example/callback" : `${bank}/portal/callback`;
const asked = new URLSearchParams(location.search);
const publicKeys = new Map();

/** The tenant that the flow is about. */
let flowsOf = tenant();
let flow = await flowOf(asked.get("flow"), flowsOf);
let party;
let person;
let run;

/** How many things are under way: until they are done, flow, third party and customer stay who they are. */
let held = 0;

/** Does something for which they have to stay. */
async function hold(work) {
  held += 1;
  one("#choose").inert = true;
  try {
    return await work();
  } finally {
    held -= 1;
    one("#choose").inert = held > 0;
    await draw();
  }
}

/** What a call needs to know of where it is made. */
async function place() {
  const certificate = signingCertificate(party);
  if (!publicKeys.has(certificate.keyId)) publicKeys.set(certificate.keyId, await publicKeyOf(certificate.privateKey));
  const known = (flow.dialect === "bunq" ? party.bunq : party.registration)?.redirectUris ?? [];
  const { clientId, clientSecret } = (flow.dialect === "berlin-group" && party.registration) || {};
  return {
    bank,
    tenant: flowsOf,
    // Who registered other addresses goes on with theirs.
    redirectUri: known.length === 0 || known.includes(callback) ? callback : known[0],
    thirdParty: {
      ...certificate,
      organizationIdentifier: party.identifier,
      publicKey: publicKeys.get(certificate.keyId),
    },
    customer: person,
    kept: { ...(clientId && { clientId, clientSecret }), ...run.kept },
  };
}

const currentStep = () => flow.steps.find((step) => step.name === run.current) ?? flow.steps[0];

/** Where the customer decides, if something waits for them. */
async function waiting(here) {
  const step = flow.steps.find((step) => step.approval);
  const before = flow.steps[flow.steps.indexOf(step) - 1];
  const result = run.results[step.name];
  // What the bank did not take, for instance because the page was too old, can be decided again.
  if (!run.results[before.name]?.isDone || (result && isTaken(result))) return null;
  try {
    return await departure(step, here);
  } catch (error) {
    if (error instanceof MissingValue) return null;
    throw error;
  }
}

/** Draws everything anew. What has the focus keeps it. */
async function draw() {
  if (held === 0) {
    if (flowsOf !== tenant()) flow = await flowOf(flow.id, (flowsOf = tenant()));
    [party, person] = [thirdParty(), customer()];
  } else {
    // Registering is a step, too.
    party = read().thirdParties.find(({ id }) => id === party?.id) ?? party;
  }
  const isReady = party !== undefined && person !== undefined;
  one("#begin").hidden = isReady;
  one("#flow").hidden = !isReady;
  drawChoices();
  if (!isReady) return;
  run = runOf(party, flowsOf, flow);
  const here = await place();
  const values = await valuesOf(here);
  const url = await waiting(here);
  one("#to-phone").hidden = url === null;
  const focused = document.activeElement?.id;
  showSteps(one("#steps"), { flow, run, choose });
  showCall(one("#call"), { step: currentStep(), flow, run, place: here, values, send: () => go(currentStep()), edit });
  showPhone(one("#phone"), {
    flow,
    run,
    party,
    customer: here.customer,
    url,
    decide: (decision) =>
      go(
        flow.steps.find((step) => step.approval),
        decision,
      ),
  });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function drawChoices() {
  const { thirdParties, customers } = read();
  const option = (value, text, isChosen) => make("option", { value, selected: isChosen }, text);
  fill(
    one("#party"),
    ...thirdParties.map((one) => option(one.id, `${one.name}, ${one.identifier}`, one.id === party?.id)),
  );
  const mine = customers.filter((one) => one.tenant === flowsOf);
  fill(
    one("#customer"),
    ...mine.map((one) => option(one.customerId, `${one.name}, ${one.iban}`, one.customerId === person?.customerId)),
  );
  for (const button of all("[data-flow]")) button.setAttribute("aria-pressed", String(button.dataset.flow === flow.id));
  fill(one("#flow-about"), flow.about, ...(isElsewhere() ? [" ", chooseTenant()] : []));
  if (facts.requireMtls) drawCommand();
}

/** A page's scripts show no TLS client certificate, and a bank may want one with each call of a flow. */
const lacksCertificate = () => facts.requireMtls && flow.dialect === "berlin-group";

/** What to do then: the command for the flow that is chosen. */
function drawCommand() {
  const [code, copy] = [one("#mtls pre code"), one("#mtls .copy")];
  code.textContent = copy.dataset.copy = copy.dataset.copy.replace(/ flow \w+ /, ` flow ${flow.id} `);
  one("#mtls").hidden = !lacksCertificate();
  for (const button of all("#run-all, #next")) button.disabled = lacksCertificate();
}

/** Whether the flow is one of another tenant alone: half of it would be gone through for nothing. */
const isElsewhere = () => flow.only !== undefined && flow.only !== flowsOf;

const chooseTenant = () => make("a", { href: `?flow=${flow.id}&tenant=${flow.only}` }, texts.choose(flow.only));

/** Says so, in place of a beginning. */
function refuse() {
  const why = lacksCertificate() ? [texts.noCertificate] : [texts.elsewhere(flowsOf), " ", chooseTenant()];
  fill(one("#problem"), make("p.problem", { role: "alert" }, ...why));
  return false;
}

const keep = () => keepRun(party, flowsOf, flow, run);

function choose(name) {
  run.current = name;
  keep();
  draw();
}

/** Another text for a field of the step that is shown, or none for the original. */
function edit(field, text) {
  const { [field]: _, ...others } = run.edits[run.current] ?? {};
  run.edits[run.current] = text === undefined ? others : { ...others, [field]: text };
  keep();
  markStep(run.current, Object.keys(run.edits[run.current]).length > 0);
  one("#stale").hidden = !isStale(run, run.current);
}

/** What the customer does, by the management API, which does it by the rules of the bank's pages. */
async function decided(step, here, decision) {
  try {
    const url = await departure(step, here);
    const { iban, digipassNumber } = here.customer;
    const { location } = await manage("POST", "/approvals", { url, iban, digipassNumber, decision });
    const back = arrival(location);
    return { decision, back, kept: back.code ? { code: back.code } : {}, isDone: Boolean(back.code) };
  } catch (error) {
    if (error instanceof MissingValue) throw error;
    return {
      decision,
      back: { error: error.code ?? "failed", error_description: error.message },
      kept: {},
      isDone: false,
    };
  }
}

/** Takes a step; says whether it led on. */
async function go(step, decision = "approve") {
  if (isElsewhere() || lacksCertificate()) return refuse();
  return hold(() => takeStep(step, decision));
}

async function takeStep(step, decision) {
  run.current = step.name;
  complain(null);
  try {
    const here = await place();
    const result = step.approval
      ? await decided(step, here, decision)
      : await take(step, run.edits[step.name] ?? {}, here);
    put(run, flow, step, result);
    run.kept = { ...run.kept, ...result.kept };
    keep();
    if (step.name === registering[flow.dialect] && result.isDone) register(here);
    announce(
      texts.sent(step.title, result.answer?.status ?? result.back?.error ?? "code", result.answer?.milliseconds ?? 0),
    );
    return result.isDone;
  } catch (error) {
    keep();
    complain(error);
    return false;
  } finally {
    await draw();
    // What came of it stands above what was sent.
    if (one("#call").contains(document.activeElement) && one("#call").getBoundingClientRect().top < 0)
      one("#call").scrollIntoView();
  }
}

/** The home page and other flows know of the registration too. */
function register({ redirectUri }) {
  const { clientId, clientSecret } = run.kept;
  const member = flow.dialect === "bunq" ? "bunq" : "registration";
  const registration = { tenant: flowsOf, clientId, clientSecret, redirectUris: [redirectUri] };
  // Somebody may have taken another one into use meanwhile, or forgotten this one.
  change((state) => {
    state.thirdParties = state.thirdParties.map((one) => (one.id === party.id ? { ...one, [member]: registration } : one));
  });
}

/** The steps that end a registration. */
const registering = { "berlin-group": "register", bunq: "callback" };

function complain(error) {
  const root = one("#problem");
  if (error === null) return fill(root);
  const from =
    error instanceof MissingValue &&
    flow.steps.find((step) => step.keep?.[error.value] || stepsOf(error.value) === step.name);
  const text = error instanceof MissingValue ? texts.missing(error.value, from?.title) : error.message;
  fill(root, make("p.problem", { role: "alert" }, text));
}

/** The step that gives what a computed value is made of. */
const stepsOf = (value) => ({ basic: "register", publicKeySignature: "installation" })[value];

async function runAll() {
  if (isElsewhere() || lacksCertificate()) return refuse();
  await hold(async () => {
    run = again(run);
    keep();
    for (const step of flow.steps) if (!(await go(step))) return;
    announce(`${flow.title}: done`);
  });
}

const next = () => flow.steps.find((step) => !run.results[step.name]?.isDone) ?? flow.steps.at(-1);

async function save() {
  const [{ testOf }, { download }] = await Promise.all([import("./flow/save.js"), import("./home/downloads.js")]);
  const test = testOf({ flow, run, place: await place(), party });
  if (test.steps.length === 0) return complain(new Error(texts.nothingSent));
  download(`${flow.id}.json`, `${JSON.stringify(test, null, 2)}\n`, "application/json");
  announce(`Saved as ${flow.id}.json`);
  const saved = test.steps.map(({ name }) => name);
  const changed = flow.steps.filter(({ name }) => saved.includes(name) && isStale(run, name)).map(({ title }) => `“${title}”`);
  fill(one("#problem"), changed.length > 0 ? make("p.hint", { role: "note" }, texts.savedAsSent(changed.join(", "))) : null);
}

/** What was sent and what came back, for other tools. */
async function archive() {
  const [{ archiveOf, callsOf }, { download }] = await Promise.all([import("./flow/archive.js"), import("./home/downloads.js")]);
  const calls = callsOf({ flow, run });
  if (calls.length === 0) return complain(new Error(texts.nothingSent));
  download(`${flow.id}.har`, await archiveOf(calls), "application/json");
  announce(`Saved as ${flow.id}.har`);
}

/** A third party and a customer for whoever comes here first. */
async function beginHere() {
  const { begin } = await import("./flow/begin.js");
  await begin(facts.strict);
  // Somebody came here to see a flow run.
  if (!asked.has("run")) return;
  await draw();
  await runAll();
}

function press(selector, work) {
  const button = one(selector);
  button.addEventListener("click", () => busy(button, () => work().catch((error) => complain(error))));
}

press("#begin-button", beginHere);
press("#run-all", runAll);
press("#next", () => go(next()));
press("#save", save);
press("#archive", archive);
press("#again", async () => {
  run = { ...again(run), current: flow.steps[0].name };
  keep();
  complain(null);
  await draw();
});

for (const button of all("[data-flow]")) {
  button.addEventListener("click", async () => {
    if (held > 0) return;
    flow = await flowOf(button.dataset.flow, flowsOf);
    history.replaceState(null, "", `?flow=${flow.id}`);
    complain(null);
    draw();
  });
}
one("#party").addEventListener("change", (event) => change((state) => (state.thirdParty = event.target.value)));
one("#customer").addEventListener("change", (event) => change((state) => (state.customer = event.target.value)));

/** A bank that went back to a snapshot has another past than this browser: that is said before a call fails by it. */
async function compare() {
  if (!run) return;
  const { isCustomerMissing, isRegistrationMissing, look } = await import("./home/missing.js");
  await look(party, person);
  const isCustomer = isCustomerMissing(person);
  if (held > 0 || !(isCustomer || isRegistrationMissing(party))) return;
  const told = isCustomer ? [texts.lostCustomer(person.name), " ", make("a", { href: "/" }, texts.firstPage)] : [texts.lostRegistration];
  fill(one("#problem"), make("p.problem", { role: "alert" }, ...told));
}

let clockOf;
function drawClock() {
  if (clockOf === tenant()) return;
  clockOf = tenant();
  showClock(one("#clock"), clockOf, (move) => {
    if (!run) return;
    const after = flow.steps.findLast((step) => run.results[step.name])?.name ?? null;
    run.moves.push({ after, ...move });
    keep();
  });
}

onChange(() => {
  draw();
  drawClock();
});
onArrival(draw);
await draw();
drawClock();
// Where the management API does not answer, calls say so.
compare().catch(() => {});
if (asked.has("run")) {
  // Whoever loads the page again does not want it run again.
  history.replaceState(null, "", `?flow=${flow.id}`);
  if (run) await busy(one("#run-all"), runAll);
}
