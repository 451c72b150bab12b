// The tenant's clock: where it is, and buttons that move it.

import { announce, busy, fill, make, one } from "../dom.js";
import { manage } from "../management.js";
import { texts } from "./texts.js";

const SPANS = [
  ["PT10M", "+10 minutes"],
  ["P1D", "+1 day"],
  ["P90D", "+90 days"],
  ["P180D", "+180 days"],
];

const written = (now) => `${now.slice(0, 10)} ${now.slice(11, 16)} UTC`;

/** The tenant's moment by the bank. */
async function read(tenant) {
  const { clocks } = await manage("GET", "/clock");
  return clocks.find((clock) => clock.tenant === tenant);
}

/** The day in the head of the page is that of the bank's own calendar, which the bank tells. */
export async function showToday(tenant) {
  const { tenants } = await (await fetch("/.well-known/vestibule")).json();
  const { today } = tenants.find((known) => known.name === tenant);
  const parts = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
  const written = new Date(today).toLocaleDateString("en-GB", parts);
  one("#today").dateTime = today;
  one("#today").textContent = written;
}

/**
 * Shows the clock of a tenant. `moved` is told of each move: `{advance}`, `{now}` or `{reset}`.
 */
export async function showClock(root, tenant, moved) {
  const draw = (clock, problem) => {
    const act = (event, wish) =>
      busy(event.target, async () => {
        try {
          const now = await manage("PUT", "/clock", { tenant, ...wish });
          moved(wish);
          draw(now);
          await showToday(tenant);
          announce(texts.moved(written(now.now)));
        } catch (error) {
          draw(clock, error.message);
        }
      });
    const buttons = SPANS.map(([advance, title]) =>
      make("button", { type: "button", id: `clock-${advance}`, click: (event) => act(event, { advance }) }, title),
    );
    const reset = (event) => act(event, { reset: true });
    const date = make("input", { type: "date", id: "clock-date", value: clock.now.slice(0, 10) });
    const toDay = (event) => (date.value ? act(event, { now: `${date.value}T12:00:00Z` }) : draw(clock, texts.noDay));
    const toDate = make(
      "button",
      { type: "button", id: "clock-set", click: toDay },
      "Set",
    );
    const focused = document.activeElement?.id;
    fill(
      root,
      make("p.now", {}, make("time", { datetime: clock.now }, written(clock.now))),
      make("div.spans", {}, make("button", { type: "button", id: "clock-now", click: reset }, "Now"), ...buttons),
      make("div.date", {}, make("label", { for: "clock-date" }, "A date"), date, toDate),
      problem && make("p.problem", { role: "alert" }, problem),
    );
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
  try {
    draw(await read(tenant));
  } catch (error) {
    fill(root, make("p.problem", { role: "alert" }, error.message));
  }
}
