// The first page: four cards, each with its state, and what happens when its button is pressed.

import { all, announce, busy, make, one } from "./dom.js";
import { customer, forgetCustomer, forgetThirdParty, onChange, registrationOf, tenant, thirdParty } from "./state.js";
import { Calls } from "./home/calls.js";
import { choosePersona, getCustomer, showCustomer, showMissingCustomer, showPersonas } from "./home/customer.js";
import { isCustomerMissing, isRegistrationMissing, look, trust } from "./home/missing.js";
import { becomeThirdParty, drawAnother, showThirdParty } from "./home/party.js";
import { offer, register, showRegistration, showWay } from "./home/registration.js";
import { texts } from "./home/texts.js";

/** Cards whose form is open although they are done: somebody wants another one. */
const open = new Set();

/** Shows what a card came to, or its form. */
function settle(id, { done, state, again, forget }) {
  const isOpen = !done || open.has(id);
  one(`#${id}-state`).textContent = state;
  one(`#${id}-form`).hidden = !isOpen;
  one(`#${id}-back`).hidden = !done;
  const outcome = one(`#${id}-done`);
  outcome.hidden = !done || open.has(id);
  if (!done || open.has(id)) return;
  const another = make("button", { type: "button", id: `${id}-again`, click: () => reopen(id) }, again);
  const left = () => {
    forget();
    announce(texts.forgot(done.name));
    one(`#${id}-again, #${id}-form button[type=submit]`)?.focus();
  };
  outcome.append(make("div.buttons", {}, another, forget ? make("button.plain", { type: "button", id: `${id}-forget`, click: left }, texts.forget) : null));
}

function reopen(id) {
  open.add(id);
  draw();
  if (id === "party") drawAnother();
  else one(`#${id}-form :is(textarea, input:checked, input)`)?.focus();
}

function draw() {
  const [party, person] = [thirdParty(), customer()];
  const isBunq = party?.dialect === "bunq";
  const [lostRegistration, lostPerson] = [isRegistrationMissing(party), isCustomerMissing(person)];
  const registration = lostRegistration ? null : registrationOf(party);
  const here = lostPerson ? null : person;
  if (party) showThirdParty(party);
  settle("party", { done: party, state: party ? party.name : texts.nobody, again: texts.another, forget: () => forgetThirdParty(party.id) });
  if (registration) showRegistration(registration);
  offer(party, lostRegistration);
  const registered = isBunq ? texts.registeredAtBunq : texts.registered(registration?.clientId);
  settle("registration", { done: registration, state: registration ? registered : lostRegistration ? texts.lost : party ? texts.notYet : texts.partyFirst, again: texts.again });
  showWay(isBunq);
  one("#registration-form button[type=submit]").disabled = !party;
  one("#registration-lost").textContent = lostRegistration ? (isBunq ? texts.lostClient : texts.lostRegistration)(party.name) : "";
  showMissingCustomer(lostPerson ? person : null);
  if (here) showCustomer(here);
  settle("customer", { done: here, state: here ? here.name : lostPerson ? texts.lost : texts.nobody, again: texts.another, forget: () => forgetCustomer(person.customerId) });
  one("#action-state").textContent = registration && here ? texts.ready : texts.first;
  mark([["party", party], ["registration", registration], ["customer", here], ["action", false]]);
  const whole = one("#run-whole");
  if (whole) whole.href = `/portal/flow?flow=${isBunq ? "bunq" : "ais"}&run`;
  for (const name of all(".tenant-name")) name.textContent = tenant();
}

/** The first card that is not done is the one to go on with: its button alone has the accent. */
function mark(cards) {
  const now = cards.find(([, done]) => !done)[0];
  for (const [id, done] of cards) {
    const card = one(`#${id}`);
    card.dataset.state = done ? "done" : id === now ? "now" : "later";
    for (const button of all(".act", card)) button.classList.toggle("primary", id === now);
  }
}

/** Lets a card's button do its work: what went wrong stands below it. */
function onSubmit(id, work) {
  const calls = new Calls(one(`#${id}-calls`));
  one(`#${id}-form`).addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = one(`#${id}-problem`);
    problem.textContent = "";
    await busy(one("button[type=submit]", event.target), async () => {
      try {
        await work(calls);
        trust(thirdParty(), customer());
        open.delete(id);
        draw();
        announce(one(`#${id}-state`).textContent);
        focusNext();
      } catch (error) {
        problem.textContent = error.message;
      }
    });
  });
  one(`#${id}-back`).addEventListener("click", () => {
    open.delete(id);
    draw();
    one(`#${id}-again`)?.focus();
  });
}

/** Whoever has no mouse goes on where the next thing is to be done. */
function focusNext() {
  one('[data-state="now"] .act')?.focus({ preventScroll: true });
  one('[data-state="now"]')?.scrollIntoView({ block: "nearest" });
}

onSubmit("party", becomeThirdParty);
onSubmit("registration", (calls) => register(calls, thirdParty()));
onSubmit("customer", getCustomer);
/** Asks the bank what it has of what is shown. Where it does not answer, the cards stay as they are. */
async function compare(isAgain) {
  const lost = () => String([isRegistrationMissing(thirdParty()), isCustomerMissing(customer())]);
  const before = lost();
  await look(thirdParty(), customer(), isAgain).catch(() => {});
  if (lost() !== before) draw();
}

onChange(() => {
  draw();
  // Whoever is made just now need not be asked for.
  if (!one("[aria-busy='true']")) compare();
});
// Somebody may have put the bank back from a terminal, and come here again.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) compare(true);
});
draw();
compare();
showPersonas()
  .then(() => choosePersona(customer()?.persona))
  .catch((error) => { one("#customer-problem").textContent = error.message; });
