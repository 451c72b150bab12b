// What every page does: copy buttons, the tenant in use, the panel with tenants and addresses.

import { listenForCopies } from "./copy.js";
import { all, one } from "./dom.js";
import { WENT_BACK, change, read } from "./state.js";

document.documentElement.classList.add("scripted");
listenForCopies();

/** Shows a tenant in the head of the page. */
function show(link) {
  one("#tenant").textContent = link.dataset.tenant;
  const today = one("#today");
  today.dateTime = link.dataset.today;
  today.textContent = one("time", link).textContent;
  for (const other of all("[data-tenant]")) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
}

const asked = new URLSearchParams(location.search).get("tenant");
const linkOf = (name) => all("[data-tenant]").find((link) => link.dataset.tenant === name);
if (asked && linkOf(asked)) {
  if (read().tenant !== asked) change((state) => { state.tenant = asked; });
} else if (linkOf(read().tenant)) {
  show(linkOf(read().tenant));
}

// A page in another tab put the bank back to something else: this one is about what was before.
addEventListener("storage", (event) => {
  if (event.key === WENT_BACK) location.reload();
});

// The panel closes as a menu does: by Escape, and by a press elsewhere.
const where = one("#where");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !where.open) return;
  where.open = false;
  one("summary", where).focus();
});
document.addEventListener("click", (event) => {
  if (where.open && !where.contains(event.target)) where.open = false;
});
