// Calls to the management API, which has an origin of its own and answers this page alone: by its origin and its token.

import { meta } from "./dom.js";

/** A refusal, or that there was no answer. */
export class ManagementError extends Error {
  /**
   * @param {number} status 0 if there was no answer
   * @param {string} code such as "invalid_roles"
   * @param {string} message what was wrong and what would be right
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function call(path, options) {
  const headers = { ...options.headers, "X-Portal-Token": meta("portal-token") };
  try {
    return await fetch(meta("management") + path, { ...options, headers, credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const text = `${meta("management")} does not answer this page. Is the sandbox running, and is this one of its own addresses?`;
    throw new ManagementError(0, "unreachable", text);
  }
}

async function refusal(response) {
  const text = await response.text();
  if (response.status === 403 && text.includes("X-Portal-Token")) {
    return new ManagementError(403, "forbidden", "The sandbox was started again after this page was loaded. Reload the page.");
  }
  try {
    const { error, message } = JSON.parse(text);
    return new ManagementError(response.status, error, message);
  } catch {
    return new ManagementError(response.status, "unexpected", `The management API answered ${response.status}: ${text}`);
  }
}

/**
 * Calls the management API.
 * @param {string} method
 * @param {string} path such as "/personas"
 * @param {Object} [body] sent as JSON
 * @returns {Promise<any>} the answer: JSON, or a text if it is none; undefined if it is empty
 * @throws {ManagementError}
 */
export async function manage(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await call(path, options);
  if (!response.ok) throw await refusal(response);
  const text = await response.text();
  if (text === "") return undefined;
  const kind = response.headers.get("content-type") ?? "";
  return kind.includes("json") ? JSON.parse(text) : text;
}

/** One event of a stream, from its lines; null if it has no data. */
function event(block) {
  const made = { event: "message", data: "", id: undefined };
  const data = [];
  for (const line of block.split("\n")) {
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === "data") data.push(value);
    else if (name === "event") made.event = value;
    else if (name === "id") made.id = value;
  }
  return data.length === 0 ? null : { ...made, data: data.join("\n") };
}

/**
 * Reads server-sent events. `EventSource` cannot send the token, so the stream is read by `fetch`.
 * @param {string} path
 * @param {(event: {event: string, data: string, id?: string}) => void} onEvent
 * @param {AbortSignal} [signal] ends the stream
 * @returns {Promise<void>} when the stream has ended
 * @throws {ManagementError}
 */
export async function stream(path, onEvent, signal) {
  const response = await call(path, { headers: { Accept: "text/event-stream" }, signal });
  if (!response.ok) throw await refusal(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value.replaceAll("\r\n", "\n")).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const made = event(block);
      if (made) onEvent(made);
    }
  }
}
