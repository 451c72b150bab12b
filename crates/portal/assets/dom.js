// Small helpers over the document. No framework: a page's template has its structure, a module fills it.

/** The first element for a selector, or null. */
export const one = (selector, root = document) => root.querySelector(selector);

/** All elements for a selector. */
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/**
 * Makes an element. Children are elements or texts; a text is never read as markup.
 * @param {string} tag for example "li" or "button.primary"
 * @param {Object} attributes `true` sets an empty attribute, `false`, null and undefined none; a function is a listener
 * @param {...(Node|string|null)} children
 */
export function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length > 0) made.className = classes.join(" ");
  for (const [attribute, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(attribute, value);
    else if (value === true) made.setAttribute(attribute, "");
    else if (value !== false && value != null) made.setAttribute(attribute, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** Puts other children into an element. */
export const fill = (element, ...children) => element.replaceChildren(...children.filter((child) => child != null));

/** Tells screen readers what has just happened. */
export function announce(text) {
  const announcer = one("#announcer");
  if (announcer) announcer.textContent = text;
}

/**
 * Does something for a button: it is busy until that is over, and nobody starts it twice.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<any>} work
 */
export async function busy(button, work) {
  if (button.getAttribute("aria-busy") === "true") return undefined;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** What a `meta` of the page says; empty if there is none. */
export const meta = (name) => one(`meta[name="${name}"]`)?.content ?? "";
