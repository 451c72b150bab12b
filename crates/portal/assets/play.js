// Things to play with: each form is one call of the management API.

import { announce, busy, fill, make, one, all } from "./dom.js";
import { showToday } from "./flow/clock.js";
import { manage } from "./management.js";
import { WENT_BACK, customer, onChange, read, tenant as tenantInUse, thirdParty } from "./state.js";

const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

const texts = {
  clock: ["Tenant", "Now", "Moved"],
  notMoved: "no",
  ahead: (words) => `${words} ahead`,
  behind: (words) => `${words} behind`,
  moved: "The clock was moved.",
  noFaults: "No fault waits for a call.",
  faultAdded: "The fault waits for calls.",
  remove: "Remove",
  removeAll: "Remove all",
  noSnapshots: "There is no snapshot.",
  saved: (name) => `Saved as ${name}.`,
  restore: "Restore",
  restored: (name) => `The bank is as it was when ${name} was saved.`,
  savedAt: (moment) => `${moment.slice(0, 10)} ${moment.slice(11, 16)} UTC`,
  wasReset: "The bank is as at its first start.",
  everyCall: "every call",
  next: (number) => (number === 1 ? "the next call" : `the next ${number} calls`),
  struck: (number) => `struck ${number}`,
  entered: (made) => `${made.amount} ${made.currency} ${made.status === "pending" ? "is pending, and booked" : "is booked"} on ${made.bookingDate}.`,
  loaded: (made) => `${count(made.testAccounts.length, "customer")} and ${count(made.transactions, "transaction")} were loaded.`,
  customer: (made) => `${made.name}: ${made.iban}, digipass ${made.digipassNumber}`,
  certificate: (made) => `The certificate ends on ${made.notAfter.slice(0, 10)}. Its key id is ${made.keyId}`,
};

const MEDIA_TYPES = { csv: "text/csv", json: "application/json", yaml: "application/yaml", yml: "application/yaml" };

/** Does the work of a form or button, and tells what went wrong where the reader looks. */
async function attempt(button, place, work) {
  const problem = one(place);
  problem.hidden = true;
  await busy(button, async () => {
    try {
      await work();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  });
}

/** What a form says, without what was left empty. */
const said = (form) => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));

/** Seconds in words. */
function words(seconds) {
  const parts = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "min"]];
  return parts.filter(([number]) => number > 0).map(([number, unit]) => `${number} ${unit}`).join(" ") || `${seconds} s`;
}

function difference(seconds) {
  if (seconds === 0) return make("span.quiet", {}, texts.notMoved);
  return make("span.moved", {}, seconds > 0 ? texts.ahead(words(seconds)) : texts.behind(words(-seconds)));
}

async function showClocks() {
  const { clocks } = await manage("GET", "/clock");
  const row = (clock) => make("tr", {}, make("td", {}, clock.tenant), make("td", {}, make("time", { datetime: clock.now }, `${clock.now.slice(0, 10)} ${clock.now.slice(11, 16)}`)), make("td", {}, difference(clock.offsetSeconds)));
  const head = make("thead", {}, make("tr", {}, ...texts.clock.map((title) => make("th", { scope: "col" }, title))));
  fill(one("#clocks"), make("table", {}, head, make("tbody", {}, ...clocks.map(row))));
}

function move(button, wish) {
  const tenant = one("#clock-tenant").value;
  return attempt(button, "#clock-problem", async () => {
    await manage("PUT", "/clock", tenant ? { tenant, ...wish } : wish);
    await showClocks();
    await showToday(tenantInUse());
    announce(texts.moved);
  });
}

function clocks() {
  for (const button of all("[data-advance]")) {
    button.addEventListener("click", () => move(button, { advance: button.dataset.advance }));
  }
  one("#clock-reset").addEventListener("click", (event) => move(event.target, { reset: true }));
  one("#clock-form").addEventListener("submit", (event) => {
    event.preventDefault();
    move(event.submitter, { now: `${one("#clock-date").value}T12:00:00Z` });
  });
}

/** One fault, and a button that takes it away. */
function fault(found) {
  const parts = [
    found.fault,
    found.next ? texts.next(found.next) : texts.everyCall,
    found.interface,
    found.thirdParty,
    found.path,
    found.seconds && `${found.seconds} s`,
    texts.struck(found.struck),
  ];
  const remove = (event) => attempt(event.target, "#fault-problem", async () => {
    await manage("DELETE", `/faults/${found.id}`);
    await showFaults();
  });
  const label = `${texts.remove}: ${found.fault}`;
  return make("li", {}, make("span", {}, parts.filter(Boolean).join(" · ")), make("button.plain", { type: "button", click: remove, "aria-label": label }, texts.remove));
}

async function showFaults() {
  const { faults } = await manage("GET", "/faults");
  if (faults.length === 0) return fill(one("#faults"), make("p.quiet", {}, texts.noFaults));
  return fill(one("#faults"), make("ul.faults", {}, ...faults.map(fault)));
}

function faults() {
  one("#fault-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const wish = said(event.target);
    for (const name of ["next", "seconds"]) if (wish[name]) wish[name] = Number(wish[name]);
    attempt(event.submitter, "#fault-problem", async () => {
      await manage("POST", "/faults", wish);
      await showFaults();
      announce(texts.faultAdded);
    });
  });
}

function data() {
  const done = one("#data-done");
  one("#transaction-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const { account, pending, ...wish } = said(event.target);
    if (pending) wish.status = "pending";
    const iban = account.replace(/[^0-9A-Za-z]/g, "");
    fill(done);
    attempt(event.submitter, "#data-problem", async () => {
      const made = await manage("POST", `/test-accounts/${iban}/transactions`, wish);
      fill(done, make("p", {}, texts.entered(made)));
    });
  });
  one("#file-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const file = one("#file").files[0];
    fill(done);
    attempt(event.submitter, "#data-problem", async () => {
      const kind = MEDIA_TYPES[file?.name.split(".").pop().toLowerCase()] ?? MEDIA_TYPES.yaml;
      const made = await manage("POST", "/data", file ? await file.text() : one("#document").value, kind);
      const customers = made.testAccounts.map((one) => make("li", {}, texts.customer(one)));
      fill(done, make("p", {}, texts.loaded(made)), make("ul", {}, ...customers));
    });
  });
}

function certificates() {
  one("#certificate-form").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(event.submitter, "#certificate-problem", async () => {
      const made = await manage("POST", "/test-certificates", said(event.target));
      const pem = made.certificate + made.privateKey + made.chain.join("");
      const copy = make("button.copy", { type: "button", "data-copy": pem, "aria-label": "Copy certificate, key and chain" });
      fill(one("#certificate-done"), make("p", {}, texts.certificate(made)), make("div.command", {}, make("pre", { tabindex: "0" }, make("code", {}, made.certificate)), copy));
    });
  });
}

/** Under which key the next page finds what it is to tell. */
const TOLD = "vestibule:told";

/** Shows the page of a bank that was put back to something else, to which other third parties and customers may belong. Pages
 * in other tabs hear of it too. */
function showAnew(text) {
  sessionStorage.setItem(TOLD, text);
  localStorage.setItem(WENT_BACK, Date.now());
  location.reload();
}

/** Tells what became of the page before. */
function tell() {
  const text = sessionStorage.getItem(TOLD);
  sessionStorage.removeItem(TOLD);
  if (!text) return;
  fill(one("#snapshot-done"), make("p", {}, text));
  one("#snapshot-name").focus();
}

/** One snapshot, with buttons that go back to it and take it away. */
function snapshot(found) {
  const path = `/snapshots/${found.name}`;
  const restore = (event) => attempt(event.target, "#snapshot-problem", async () => {
    await manage("POST", `${path}/restore`);
    showAnew(texts.restored(found.name));
  });
  const remove = (event) => attempt(event.target, "#snapshot-problem", async () => {
    await manage("DELETE", path);
    await showSnapshots();
  });
  const named = make("span", {}, make("strong", {}, found.name), ` · ${texts.savedAt(found.savedAt)}`);
  const button = (text, click) => make("button.plain", { type: "button", click, "aria-label": `${text}: ${found.name}` }, text);
  return make("li", {}, named, make("span.buttons", {}, button(texts.restore, restore), button(texts.remove, remove)));
}

async function showSnapshots() {
  const { snapshots } = await manage("GET", "/snapshots");
  if (snapshots.length === 0) return fill(one("#snapshots"), make("p.quiet", {}, texts.noSnapshots));
  return fill(one("#snapshots"), make("ul.faults", {}, ...snapshots.map(snapshot)));
}

function snapshots() {
  const done = one("#snapshot-done");
  one("#snapshot-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const { name } = said(event.target);
    fill(done);
    attempt(event.submitter, "#snapshot-problem", async () => {
      await manage("PUT", `/snapshots/${encodeURIComponent(name)}`);
      await showSnapshots();
      fill(done, make("p", {}, texts.saved(name)));
    });
  });
  one("#reset").addEventListener("click", (event) => {
    fill(done);
    attempt(event.target, "#snapshot-problem", async () => {
      await manage("POST", "/reset");
      showAnew(texts.wasReset);
    });
  });
}

/** Takes over whoever is in use on the other pages. */
function takeOver() {
  const ibans = read().customers.map((one) => make("option", { value: one.iban }, one.name));
  fill(one("#ibans"), ...ibans);
  const iban = one("#iban");
  if (iban.value === "") iban.value = customer()?.iban ?? "";
  const party = thirdParty();
  if (party) one("#identifier").value = party.identifier;
}

clocks();
faults();
data();
snapshots();
certificates();
takeOver();
onChange(takeOver);
attempt(one("#clock-reset"), "#clock-problem", showClocks);
attempt(one("#fault-form button"), "#fault-problem", showFaults);
attempt(one("#snapshot-form button"), "#snapshot-problem", showSnapshots).then(tell);
