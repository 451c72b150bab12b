// Card 3: kinds of customers as tiles, and the customer in use.

import { fill, make, one } from "../dom.js";
import { manage } from "../management.js";
import { change, keepCustomer, read, tenant } from "../state.js";
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

/** Makes the customer who is chosen. */
export async function getCustomer(calls) {
  const persona = one("#customer-form").elements.persona?.value ?? "household";
  calls.begin();
  const made = await calls.manage("POST", "/test-accounts", { tenant: tenant(), persona });
  keepCustomer({ ...made, tenant: tenant() });
}

const number = (label, text) =>
  make("div.big", {}, make("dt", {}, label), make("dd", {}, make("span.mono", {}, text), make("button.copy", { type: "button", "data-copy": text.replaceAll(" ", ""), "aria-label": `Copy: ${label}` })));

/** Shows the customer in use. */
export function showCustomer(customer) {
  const mine = read().customers.filter((one) => one.tenant === tenant());
  const option = (one) => make("option", { value: one.customerId, selected: one.customerId === customer.customerId }, `${one.name}, ${one.persona}, ${one.iban}`);
  const chooser = mine.length > 1 && make("div.field", {},
    make("label", { for: "customer-chooser" }, "Customer in use"),
    make("select", { id: "customer-chooser", change: (event) => change((state) => { state.customer = event.target.value; }) }, ...mine.map(option)));
  const accounts = customer.accounts?.length ?? 0;
  fill(one("#customer-done"),
    chooser || null,
    make("dl.bigs", {}, number("IBAN", customer.iban.replace(/(.{4})(?=.)/g, "$1 ")), number("Digipass number", customer.digipassNumber)),
    make("p.quiet", {}, `${customer.name} · ${customer.persona} · ${accounts === 1 ? "1 account" : `${accounts} accounts`} at ${customer.tenant}`));
}
