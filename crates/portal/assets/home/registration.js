// Card 2: the calls that register a third party, signed in this browser and sent to the bank's own doors.

import { all, fill, make, one } from "../dom.js";
import { importKey, onOneLine, signBerlinGroup } from "../signing.js";
import { keepThirdParty, registrationOf, signingCertificate, tenant } from "../state.js";
import { texts } from "./texts.js";

const form = one("#registration-form");
const uris = form.elements["redirect-uris"];

/** What stands for the calls until some were made. */
const hints = all("[data-dialect]", one("#registration-calls"));

let offered;
let offeredTo;

/** Puts into the form what is registered, or what is offered; what somebody typed stays until another one is meant. */
export function offer(party, isLost) {
  const isBunq = party?.dialect === "bunq";
  one("#sector").closest("details").hidden = isBunq;
  // The calls of another third party are not those of this one.
  if (party?.id !== offeredTo) fill(one("#registration-calls"), ...hints);
  offeredTo = party?.id;
  for (const hint of hints) hint.hidden = (hint.dataset.dialect === "bunq") !== isBunq;
  const registered = registrationOf(party);
  const meant = JSON.stringify([party?.id, isBunq, isLost, registered?.clientSecret]);
  if (meant === offered) return;
  offered = meant;
  const callback = form.dataset.callback ? location.origin + form.dataset.callback : "https://tpp.example/callback";
  uris.value = (registered?.redirectUris ?? [callback]).join("\n");
  const replaces = (one) => (isBunq ? texts.addsAtBunq : texts.replaces(one.redirectUris));
  one("#registration-replaces").textContent = registered && !isLost ? replaces(registered) : "";
}

/** Where the bank wants a TLS client certificate with each call, which it does not at bunq's interface, there is a command in place of the form. */
export function showWay(isBunq) {
  const command = one("#mtls");
  if (!command) return;
  command.hidden = isBunq;
  if (!isBunq) form.hidden = true;
}

/** Why the bank said no, from an error in either of its formats. */
function refusal({ status, json }) {
  const text = json?.error_description ?? json?.tppMessages?.[0]?.text ?? json?.error ?? json?.tppMessages?.[0]?.code;
  return new Error(texts.refused(status, text ?? "something that is no JSON"));
}

async function initialAccessToken(calls, identity) {
  const request = {
    method: "GET",
    target: `/xs2a-bg/${tenant()}/onboarding/v1`,
    headers: { accept: "application/json", "x-request-id": crypto.randomUUID() },
    body: "",
  };
  const { headers } = await signBerlinGroup(request, identity);
  const answer = await calls.send({ ...request, headers });
  if (answer.status !== 200) throw refusal(answer);
  return answer.json.access_token;
}

/** Registers the third party in use with what is in the form. */
export async function register(calls, party) {
  const wanted = uris.value.split(/\s+/).filter(Boolean);
  if (wanted.length === 0) {
    uris.focus();
    throw new Error(texts.noUri);
  }
  if (party.dialect === "bunq") {
    const { registerAtBunq } = await import("./bunq.js");
    calls.begin();
    await registerAtBunq(calls, party, wanted);
    return;
  }
  const body = new URLSearchParams(wanted.map((uri) => ["redirect_uris", uri]));
  const sector = form.elements.sector.value.trim();
  if (sector) body.append("sector_identifier_uri", sector);
  calls.begin();
  const certificate = signingCertificate(party);
  const identity = { ...certificate, key: await importKey(certificate.privateKey) };
  const token = await initialAccessToken(calls, identity);
  const answer = await calls.send({
    method: "POST",
    target: `/auth/${tenant()}/v1/registration`,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-request-id": crypto.randomUUID(),
      authorization: `Bearer ${token}`,
      "tpp-signature-certificate": onOneLine(certificate.certificate),
    },
    body: body.toString(),
  });
  if (answer.status !== 201) throw refusal(answer);
  const { client_id: clientId, client_secret: clientSecret, redirect_uris: redirectUris } = answer.json;
  const replaced = party.registration?.redirectUris;
  keepThirdParty({ ...party, registration: { tenant: tenant(), clientId, clientSecret, redirectUris, replaced } });
}

const fact = (label, text) =>
  make("div", {}, make("dt", {}, label), make("dd", {}, make("code", {}, text), make("button.copy", { type: "button", "data-copy": text, "aria-label": `Copy: ${label}` })));

/** Shows what the bank gave. */
export function showRegistration({ clientId, clientSecret, redirectUris, replaced }) {
  fill(one("#registration-done"),
    make("dl.facts", {}, fact("Client id", clientId), fact("Client secret", clientSecret), ...redirectUris.map((uri) => fact("Redirect URI", uri))),
    replaced ? make("p.hint", {}, texts.replaced(replaced)) : null);
}
