// Where the bank sends browsers back to: what it sent goes to the run that sent the browser away.

import { one } from "./dom.js";
import { arrival } from "./flow/run.js";
import { arrive } from "./flow/runs.js";

const back = arrival(location.href);
if (back.code || back.error) {
  one("#arrived").textContent = arrive(back)
    ? "The flow that sent you to the bank has it already."
    : "No flow of this browser sent you to the bank: take the code from here.";
}
