// "Show me the calls": what a card of the first page sent and what came back, octet by octet.

import { fill, make } from "../dom.js";
import { ManagementError, ask } from "../management.js";
import { texts } from "./texts.js";

/** A private key belongs into no list. */
const hideKeys = (name, value) => (name === "privateKey" && value ? "(not shown here)" : value);

function written(text) {
  try {
    return JSON.stringify(JSON.parse(text), hideKeys, 2);
  } catch {
    return text;
  }
}

const lines = (headers) => Object.entries(headers).map(([name, value]) => `${name}: ${value}`);

function shown({ method, target, headers, body, status, milliseconds, answer }) {
  const request = [`${method} ${target}`, ...lines(headers), ...(body ? ["", written(body)] : [])].join("\n");
  const kind = status >= 200 && status < 300 ? "status" : "status.wrong";
  return make("li", {}, make("details.call", {},
    make("summary", {}, make("code", {}, `${method} ${target}`), make(`span.${kind}`, {}, String(status || "no answer")), make("span.quiet", {}, `${milliseconds} ms`)),
    make("pre", { tabindex: "0", "aria-label": "Request" }, request),
    make("pre", { tabindex: "0", "aria-label": "Answer" }, written(answer))));
}

/** The list of a card's calls. */
export class Calls {
  constructor(list) {
    this.list = list;
  }

  /** Forgets the calls of before. */
  begin() {
    fill(this.list);
  }

  add(call) {
    this.list.append(shown(call));
  }

  /** Calls the management API. @throws {ManagementError} */
  async manage(method, path, body) {
    const begun = performance.now();
    const call = { method, target: path, headers: body ? { "content-type": "application/json" } : {}, body: body && JSON.stringify(body) };
    const add = (status, answer) => this.add({ ...call, status, answer, milliseconds: Math.round(performance.now() - begun) });
    try {
      const { status, answer } = await ask(method, path, body);
      add(status, JSON.stringify(answer));
      return answer;
    } catch (error) {
      if (error instanceof ManagementError) add(error.status, JSON.stringify({ error: error.code, message: error.message }));
      throw error;
    }
  }

  /**
   * Calls the bank itself.
   * @returns {Promise<{status: number, json: any}>}
   */
  async send({ method, target, headers, body = "" }) {
    const begun = performance.now();
    const add = (status, answer) =>
      this.add({ method, target, headers, body, status, answer, milliseconds: Math.round(performance.now() - begun) });
    let response;
    try {
      response = await fetch(target, { method, headers, body: body || undefined, credentials: "omit" });
    } catch (error) {
      add(0, error.message);
      throw new Error(texts.unreachable);
    }
    const answer = await response.text();
    add(response.status, answer);
    try {
      return { status: response.status, json: JSON.parse(answer) };
    } catch {
      return { status: response.status, json: null };
    }
  }
}
