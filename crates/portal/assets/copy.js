// Buttons that copy: `data-copy` has the text, or `data-copy-from` the selector of the element that shows or holds it.

import { announce, one } from "./dom.js";

/** Puts a text on the clipboard. Origins without TLS that are not of this machine have no clipboard API. */
export async function copyText(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // A browser may refuse; the way below needs nobody's permission.
    }
  }
  const field = document.createElement("textarea");
  field.className = "unseen";
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

/** The text that a button copies. */
function textOf(button) {
  if (button.dataset.copy !== undefined) return button.dataset.copy;
  const source = one(button.dataset.copyFrom);
  return source?.value ?? source?.textContent ?? "";
}

/** Makes every such button of the page work, those that come later too. */
export function listenForCopies() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy], button[data-copy-from]");
    if (!button) return;
    const done = await copyText(textOf(button));
    button.focus();
    announce(done ? "Copied" : "The browser does not let this page copy");
    button.dataset.copied = done ? "yes" : "no";
    setTimeout(() => delete button.dataset.copied, 1500);
  });
}
