// Sends one step: fills in the values, signs, sends, and takes from the answer what later steps need.

import { at, fill, fillAll } from "./values.js";
import { edited } from "./edits.js";
import { texts } from "./texts.js";
import {
  base64,
  base64url,
  challenge,
  importKey,
  signBerlinGroup,
  signBunq,
  signPublicKey,
  wrapped,
} from "../signing.js";

/** A text that nobody guesses (RFC 7636, 4.1). */
export const secret = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/**
 * Where values come from: what was kept, what is computed of it, and what is known of third party and customer.
 * @param {{bank: string, tenant: string, redirectUri: string, thirdParty: object, customer: object?, kept: object}} place
 */
export async function valuesOf({ bank, tenant, redirectUri, thirdParty, customer, kept }) {
  const known = {
    bank,
    tenant,
    redirectUri,
    organizationIdentifier: thirdParty.organizationIdentifier,
    certificate: wrapped(thirdParty.certificate),
    chain: thirdParty.chain.map(wrapped).join(""),
    publicKey: wrapped(thirdParty.publicKey),
    iban: customer?.iban,
    digipassNumber: customer?.digipassNumber,
    ...kept,
  };
  if (known.clientId && known.clientSecret) known.basic = base64(`${known.clientId}:${known.clientSecret}`);
  if (known.verifier) known.challenge = await challenge(known.verifier);
  if (known.installationToken && thirdParty.privateKey) {
    const key = await importKey(thirdParty.privateKey);
    known.publicKeySignature = await signPublicKey({ key, publicKey: thirdParty.publicKey }, known.installationToken);
  }
  return known;
}

/** The body of a call as it is sent. */
function bodyOf({ json, form }, valueOf) {
  if (json) return JSON.stringify(fillAll(json, valueOf));
  if (form) return new URLSearchParams(fillAll(form, valueOf)).toString();
  return "";
}

/**
 * A step's request before it is signed.
 * @returns {{method: string, target: string, headers: Object<string, string>, body: string, sign: string}}
 */
export function prepare(step, edits, values) {
  const call = edited(step, edits);
  const valueOf = (name) => values[name];
  const headers = { accept: "application/json", ...fillAll(call.headers, valueOf) };
  if (call.sign === "berlin-group") headers["x-request-id"] ??= crypto.randomUUID();
  if (call.form) headers["content-type"] ??= "application/x-www-form-urlencoded";
  return {
    method: call.method,
    target: fill(call.path, valueOf),
    headers,
    body: bodyOf(call, valueOf),
    sign: call.sign,
  };
}

/** The same with what signing adds, and with the string that was signed. */
export async function signed(request, thirdParty) {
  if (request.sign === "none") return { ...request, signingString: null };
  const identity = { ...thirdParty, key: await importKey(thirdParty.privateKey) };
  const sign = request.sign === "bunq" ? signBunq : signBerlinGroup;
  return { ...request, ...(await sign(request, identity)) };
}

/** Sends a signed request. What cannot be reached is an answer without a status. */
export async function send(bank, { method, target, headers, body }) {
  const began = performance.now();
  const request = { method, headers, credentials: "omit", redirect: "manual", cache: "no-store" };
  if (body !== "") request.body = body;
  try {
    const answer = await fetch(bank + target, request);
    const text = await answer.text();
    const milliseconds = Math.round(performance.now() - began);
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: text, milliseconds };
  } catch (error) {
    return {
      status: null,
      headers: {},
      body: String(error.message),
      milliseconds: Math.round(performance.now() - began),
    };
  }
}

/** A body as JSON, or undefined if it is none. */
export function jsonOf(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** What an answer gives to later steps, by name; and the paths of what it should have given and did not. */
export function taken(step, json) {
  const kept = {};
  const absent = [];
  for (const [name, path] of Object.entries(step.keep ?? {})) {
    const value = at(json, path);
    if (value === undefined) absent.push(path);
    else kept[name] = String(value);
  }
  return { kept, absent };
}

/**
 * Takes one step that is a call.
 * @returns {Promise<{at: string, edits: object, request: object, answer: object, kept: object, isDone: boolean}>} `edits`
 *   are those that it was sent with
 * @throws {Error} if its path is none; nothing is sent then
 */
export async function take(step, edits, place) {
  const prepared = prepare(step, edits, await valuesOf(place));
  // Behind the bank's address, anything else would be part of that address.
  if (!/^\/(?!\/)/.test(prepared.target)) throw new Error(texts.noSlash(prepared.target));
  const at = new Date().toISOString();
  const request = await signed(prepared, place.thirdParty);
  const answer = await send(place.bank, request);
  const { kept, absent } = taken(step, jsonOf(answer.body));
  const isAsBefore = step.already !== undefined && answer.status === 400 && answer.body.includes(step.already);
  const isDone = isAsBefore || (answer.status === step.status && absent.length === 0);
  return { at, edits, request, answer, kept: isDone ? kept : {}, isDone };
}

/** The address at which the customer decides. */
export async function departure(step, place) {
  const values = await valuesOf(place);
  return fill(step.approval.url, (name) => values[name]);
}

/** What the customer's way back says: a code, or why there is none. */
export function arrival(location) {
  const query = new URL(location).searchParams;
  return Object.fromEntries(
    ["code", "state", "iss", "error", "error_description"].map((name) => [name, query.get(name)]),
  );
}
