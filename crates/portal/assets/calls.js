// The list of calls goes on by itself: new calls come as server-sent events and stand on top.

import { announce, make, one } from "./dom.js";
import { stream } from "./management.js";

/** Most calls of the page; older ones are a page of their own. */
const MOST = 200;

/** Time before the stream is tried again, in milliseconds. */
const AGAIN = 2000;

const TEXTS = { live: "Live", paused: "Paused", away: "Not connected" };

const list = one("#calls");
const button = one("#live");
let last = Number(list.dataset.last);
let ends = null;
/** Whether this page was let in before: who is refused then has the page of a bank that was started again. */
let wasLetIn = false;

/** A row as the template has it. */
function row(call) {
  const code = call.code ? `${call.code}: ` : "";
  return make("li", {}, make("a", { href: `/portal/calls/${call.number}`, class: call.status >= 400 ? "failed" : null },
    make("span.calls-status", {}, String(call.status)),
    make("span.calls-what", {}, make("b", {}, call.method), ` ${call.target}`),
    make("span.calls-who", {}, call.thirdParty ?? ""),
    make("span.calls-took", {}, `${call.milliseconds.toFixed(1)} ms`),
    make("time.calls-time", { datetime: call.at }, call.at.slice(11, 19)),
    call.why ? make("span.calls-why", {}, code + call.why) : null));
}

function add(call) {
  last = Math.max(last, call.number);
  if (one(`a[href="/portal/calls/${call.number}"]`, list)) return;
  list.prepend(row(call));
  list.firstElementChild.classList.add("fresh");
  one("#calls-empty").hidden = true;
  while (list.children.length > MOST) list.lastElementChild.remove();
}

/** Says whether the list goes on. */
function tell(state) {
  button.textContent = TEXTS[state];
  button.dataset.state = state;
  button.setAttribute("aria-pressed", String(state !== "paused"));
}

/** Listens until it is told to stop; a stream that ends is begun again after the last call that was seen. */
async function follow() {
  const controller = new AbortController();
  ends = controller;
  const pause = () => new Promise((resolve) => setTimeout(resolve, AGAIN));
  while (!controller.signal.aborted) {
    tell("live");
    const query = new URLSearchParams(list.dataset.query);
    query.set("after", last);
    try {
      await stream(`/calls/stream?${query}`, (event) => {
        if (event.event === "call") add(JSON.parse(event.data));
      }, controller.signal);
    } catch (error) {
      if (error.code === "forbidden" && wasLetIn) location.reload();
      wasLetIn ||= error.code !== "forbidden";
      if (controller.signal.aborted) return;
      tell("away");
      button.title = error.message;
      await pause();
    }
  }
}

if (list.dataset.live !== undefined) {
  button.addEventListener("click", () => {
    if (button.dataset.state === "paused") {
      follow();
      announce("New calls come by themselves");
    } else {
      ends.abort();
      tell("paused");
      announce("New calls wait");
    }
  });
  addEventListener("pagehide", () => ends?.abort());
  addEventListener("pageshow", (event) => {
    if (event.persisted) follow();
  });
  follow();
}
