// The form of an operation: it calls the bank from this page, signed with the third party that this browser keeps, and
// puts ids and tokens of answers into the fields of later calls.

import { all, announce, busy, make, meta, one } from "./dom.js";
import { importKey, publicKeyOf, signBerlinGroup, signBunq } from "./signing.js";
import { customer, signingCertificate, tenant, thirdParty } from "./state.js";

const TEXTS = {
  noParty: "This browser keeps no third party yet, so the call goes without a signature. ",
  makeOne: "Become one",
  signs: (name) => `Signed by ${name}, whom this browser keeps.`,
  computed: "made when it is sent",
  redirected: "The bank answered with a redirect, which a script cannot read. Open the address in a tab of its own.",
  unreachable: "No answer. Is the bank running, and is this page at one of its own addresses?",
  empty: "(no body)",
};

/** Fields that the script fills when it sends. */
const COMPUTED = ["digest", "signature", "tpp-signature-certificate", "x-bunq-client-signature"];

/** What answers gave, by the names of fields of later calls; for this tab. */
const KEPT = `vestibule:reference:${meta("bank")}`;
const kept = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");

const form = one("#try");
const { interface: name, signed, method, server, path, kind } = form.dataset;
const fields = all("[data-place]", form);
const body = one("#body", form);

/** What a field begins with, by its name in lower case. */
function beginnings() {
  const party = thirdParty();
  const account = customer();
  return {
    tenant: tenant(),
    "psu-ip-address": "192.0.2.1",
    "tpp-redirect-uri": party?.registration?.redirectUris[0] ?? `${location.origin}/callback`,
    iban: account?.iban,
    id: party?.identifier,
    ...kept(),
  };
}

function fillFields() {
  const known = beginnings();
  for (const field of fields) {
    const asked = field.name.toLowerCase();
    if (COMPUTED.includes(asked)) field.placeholder = TEXTS.computed;
    else field.value = known[asked] ?? field.value;
  }
}

async function fillBody() {
  const party = thirdParty();
  if (!body || !party) return;
  if (name === "bunq" && path === "/v1/installation") {
    body.value = JSON.stringify({ client_public_key: await publicKeyOf(signingCertificate(party).privateKey) }, null, 2);
  }
}

function showSigner() {
  const shown = one("#signer");
  const party = thirdParty();
  if (!shown) return;
  if (party) shown.replaceChildren(TEXTS.signs(party.name));
  else shown.replaceChildren(TEXTS.noParty, make("a", { href: "/" }, TEXTS.makeOne));
}

/** The request that the fields say. */
function request() {
  const made = { method, headers: {}, body: body?.value ?? "" };
  const query = new URLSearchParams();
  let target = path;
  for (const { name: field, value, dataset } of fields) {
    if (dataset.place === "path") target = target.replace(`{${field}}`, encodeURIComponent(value));
    else if (value !== "" && dataset.place === "query") query.set(field, value);
    else if (value !== "") made.headers[field.toLowerCase()] = value;
  }
  // The page may be at another address of the same bank.
  const base = name === "management" ? meta("management") : location.origin + new URL(server, location.origin).pathname;
  made.url = base.replace(/\/$/, "") + target + (query.size > 0 ? `?${query}` : "");
  made.target = made.url.slice(new URL(made.url).origin.length);
  if (made.body !== "" && kind) made.headers["content-type"] = kind;
  if (name === "management") made.headers["x-portal-token"] = meta("portal-token");
  return made;
}

async function signedRequest(made) {
  const party = thirdParty();
  const wants = signed === "berlin-group" || path.endsWith("/v1/registration");
  if (wants) made.headers["x-request-id"] ??= crypto.randomUUID();
  if (!party || !(wants || signed === "bunq")) return made;
  const { certificate, privateKey, keyId } = signingCertificate(party);
  const key = await importKey(privateKey);
  const sign = signed === "bunq" ? signBunq : signBerlinGroup;
  const { headers } = await sign(made, { key, keyId, certificate });
  return { ...made, headers };
}

/** Keeps what later calls need, by the names that their fields have. */
function keep(answer) {
  const found = {
    consent: answer.consentId,
    "consent-id": answer.consentId,
    consentid: answer.consentId,
    payment: answer.paymentId,
    authorisation: answer.authorisationId,
    account: answer.accounts?.[0]?.resourceId,
    fingerprint: answer.fingerprint,
    authorization: answer.access_token && `Bearer ${answer.access_token}`,
  };
  for (const element of answer.Response ?? []) {
    if (element.Token) found["x-bunq-client-authentication"] = element.Token.token;
    const [, user] = Object.entries(element).find(([wrapper]) => wrapper.startsWith("User")) ?? [];
    if (user) found.user = String(user.id);
  }
  const known = Object.entries(found).filter(([, value]) => value !== undefined);
  sessionStorage.setItem(KEPT, JSON.stringify({ ...kept(), ...Object.fromEntries(known) }));
}

function readable(text) {
  try {
    const answer = JSON.parse(text);
    keep(answer);
    return JSON.stringify(answer, null, 2);
  } catch {
    return text || TEXTS.empty;
  }
}

/** What was sent, without the secret of this page. */
function written({ method: verb, url, headers, body: text }) {
  const lines = Object.entries(headers).filter(([header]) => header !== "x-portal-token");
  return [`${verb} ${url}`, ...lines.map(([header, value]) => `${header}: ${value}`), "", text].join("\n").trimEnd();
}

function show(status, text, sent) {
  one("#result").hidden = false;
  one("#status").textContent = status;
  one("#answer").textContent = text;
  one("#request-sent").textContent = sent;
  announce(status);
}

async function send() {
  const made = await signedRequest(request());
  const { url, headers } = made;
  const begun = performance.now();
  try {
    const options = { method, headers, redirect: "manual", credentials: "omit" };
    if (made.body !== "" && method !== "GET") options.body = made.body;
    const response = await fetch(url, options);
    const took = `${Math.round(performance.now() - begun)} ms`;
    if (response.type === "opaqueredirect") show(`302 · ${took}`, TEXTS.redirected, written(made));
    else show(`${response.status} ${response.statusText} · ${took}`, readable(await response.text()), written(made));
  } catch {
    show("0", TEXTS.unreachable, written(made));
  }
}

fillFields();
showSigner();
fillBody();
form.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(one("button[type=submit]", form), send);
});
