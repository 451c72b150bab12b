// Card 3: kinds of customers as tiles, and the customer in use.

import { all, fill, make, one } from "../dom.js";
import { manage } from "../management.js";
import { change, forgetCustomer, keepCustomer, read, tenant } from "../state.js";
import { isCustomerMissing } from "./missing.js";
import { texts } from "./texts.js";

/** How many kinds are seen at once. */
const FIRST = 6;

function tile(persona, place) {
  const id = `persona-${persona.name}`;
  return make("label.persona", { for: id },
    make("input", { type: "radio", name: "persona", id, value: persona.name, checked: place === 0 }),
    make("strong", {}, persona.name),
    make("span", {}, persona.description),
    make("span.numbers", {}, persona.holders.join(" and "), make("br"), texts.numbers(persona)));
}

/** Asks the bank which kinds of customers there are. */
export async function showPersonas() {
  const { personas } = await manage("GET", "/personas");
  const tiles = personas.map(tile);
  const more = make("details.more", {}, make("summary", {}, texts.moreKinds(tiles.length - FIRST)), make("div.personas", {}, ...tiles.slice(FIRST)));
  fill(one("#personas"), make("div.personas", {}, ...tiles.slice(0, FIRST)), more);
}

/** Chooses a kind, for instance that of a customer who is to be made again. */
export function choosePersona(name) {
  const tile = all("[name=persona]", one("#customer-form")).find((input) => input.value === name);
  if (!tile) return;
  tile.checked = true;
  const more = tile.closest("details");
  if (more) more.open = true;
}

/** Makes the customer who is chosen. */
export async function getCustomer(calls) {
  const persona = one("#customer-form").elements.persona?.value ?? "household";
  calls.begin();
  const made = await calls.manage("POST", "/test-accounts", { tenant: tenant(), persona });
  keepCustomer({ ...made, tenant: tenant() });
}

const number = (label, text) =>
  make("div.big", {}, make("dt", {}, label), make("dd", {}, make("span.mono", {}, text), make("button.copy", { type: "button", "data-copy": text.replaceAll(" ", ""), "aria-label": `Copy: ${label}` })));

/** Lets one of several customers be chosen. */
function chooserWith(customer) {
  const mine = read().customers.filter((one) => one.tenant === tenant());
  if (mine.length < 2) return null;
  const named = (one) => `${one.name}, ${one.persona}, ${one.iban}${isCustomerMissing(one) ? `, ${texts.lost.toLowerCase()}` : ""}`;
  const option = (one) => make("option", { value: one.customerId, selected: one.customerId === customer.customerId }, named(one));
  return make("div.field", {},
    make("label", { for: "customer-chooser" }, "Customer in use"),
    make("select", { id: "customer-chooser", change: (event) => change((state) => { state.customer = event.target.value; }) }, ...mine.map(option)));
}

/** Says of a customer whom this browser keeps that the bank does not have them; null for nobody. */
export function showMissingCustomer(customer) {
  if (!customer) return fill(one("#customer-lost"));
  const forget = () => {
    forgetCustomer(customer.customerId);
    one("#customer-form button[type=submit]").focus();
  };
  return fill(one("#customer-lost"),
    make("p", {}, texts.lostCustomer(customer), " ", make("button.plain", { type: "button", id: "customer-lost-forget", click: forget }, texts.forget)),
    chooserWith(customer));
}

/** Shows the customer in use. */
export function showCustomer(customer) {
  const accounts = customer.accounts?.length ?? 0;
  fill(one("#customer-done"),
    chooserWith(customer),
    make("dl.bigs", {}, number("IBAN", customer.iban.replace(/(.{4})(?=.)/g, "$1 ")), number("Digipass number", customer.digipassNumber)),
    make("p.quiet", {}, `${customer.name} · ${customer.persona} · ${accounts === 1 ? "1 account" : `${accounts} accounts`} at ${customer.tenant}`));
}
