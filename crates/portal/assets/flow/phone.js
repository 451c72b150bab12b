// The customer's phone: what they see, and what they can do about it.

import { busy, fill, make } from "../dom.js";
import { jsonOf } from "./run.js";
import { outcome, texts } from "./texts.js";

const DECISIONS = [
  ["approve", "Approve"],
  ["reject", "Reject"],
  ["wrong-answer", "Wrong answer"],
  ["expire", "Let it expire"],
];

/** What is asked of the customer, in a sentence. */
function asked(flow, run, party) {
  const body = (name) => jsonOf(run.results[name]?.request?.body ?? "");
  if (flow.id === "funds") return texts.asksFunds(party.name);
  const payment = body("payment");
  if (!payment) return texts.asksConsent(party.name);
  const { instructedAmount, creditorName, creditorAccount } = payment;
  // An IBAN, or a sort code and a number.
  const number = Object.values(creditorAccount ?? {}).join(" ") || "no account";
  const amount = `${instructedAmount?.currency ?? ""} ${instructedAmount?.amount ?? ""}`;
  return texts.asksPayment(party.name, amount, `${creditorName ?? "somebody"} (${number})`);
}

/** What came of the customer's decision. */
function told(result) {
  const words = outcome(result);
  const { error, error_description: text } = result.back;
  return words === texts.notDecided ? `${words} ${texts.said(error, text)}` : words;
}

const large = (label, text) =>
  make(
    "div.large",
    {},
    make("dt", {}, label),
    make(
      "dd",
      {},
      make("code", {}, text),
      make("button.copy", { type: "button", "data-copy": text, "aria-label": `Copy: ${label}` }),
    ),
  );

/**
 * Shows the phone.
 * @param {object} view `{flow, run, party, customer, url, decide}`: `url` is where the customer decides, if anything waits
 */
export function showPhone(root, { flow, run, party, customer, url, decide }) {
  const holder = make(
    "p.holder",
    {},
    make("strong", {}, customer.name ?? "A customer"),
    make("span.quiet", {}, ` ${customer.persona ?? ""}`),
  );
  const numbers = make("dl.numbers", {}, large("IBAN", customer.iban), large("Digipass", customer.digipassNumber));
  const result = run.results.approve;
  if (result && !url) return fill(root, holder, make("p.screen", { role: "status" }, told(result)), numbers);
  if (!url) return fill(root, holder, make("p.screen.quiet", {}, texts.waiting), numbers);
  const buttons = DECISIONS.map(([decision, title], place) =>
    make(
      place === 0 ? "button.primary" : "button",
      { type: "button", id: `decide-${decision}`, click: (event) => busy(event.target, () => decide(decision)) },
      title,
    ),
  );
  const page = make("a", { href: url, target: "_blank", rel: "noopener" }, "Open the bank’s page in another tab");
  return fill(
    root,
    holder,
    result ? make("p.screen", { role: "status" }, told(result)) : null,
    make("p.screen.rings", { role: "status" }, asked(flow, run, party)),
    make("div.decisions", {}, ...buttons),
    make("p", {}, page),
    numbers,
  );
}
