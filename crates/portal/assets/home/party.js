// Card 1: who the third party is, and its certificates.

import { busy, fill, make, one, all } from "../dom.js";
import { newKeyPair, onOneLine } from "../signing.js";
import { change, keepThirdParty, read, tenant, thirdParty } from "../state.js";
import { archive, bundle, download } from "./downloads.js";
import { drawn, problemOf } from "./identifier.js";
import { drawnPassword, isPassword, pkcs12 } from "./pkcs12.js";
import { texts } from "./texts.js";

const form = one("#party-form");
const { identifier, name } = form.elements;

/** Says, while it is typed, whether the identifier follows the grammar. */
function check() {
  const problem = problemOf(identifier.value);
  const isKnown = read().thirdParties.some((party) => party.identifier === identifier.value);
  const hint = one("#identifier-hint");
  hint.textContent = problem ?? (isKnown ? texts.replacesParty : texts.fits);
  hint.className = problem ? "problem" : "hint";
  identifier.setAttribute("aria-invalid", String(problem !== null));
  return problem;
}

/** A key pair and the certificate for it. */
async function certificate(calls, wanted, isMadeHere) {
  const pair = isMadeHere ? await newKeyPair() : {};
  const made = await calls.manage("POST", "/test-certificates", { ...wanted, publicKey: pair.publicKey });
  return { ...made, privateKey: pair.privateKey ?? made.privateKey };
}

/** What is in the form becomes a third party. */
export async function becomeThirdParty(calls) {
  const problem = check();
  if (problem) {
    identifier.focus();
    throw new Error(`Identifier: ${problem}`);
  }
  const roles = all("[name=role]:checked", form).map((box) => box.value);
  if (roles.length === 0) throw new Error(texts.noRole);
  if (name.value.trim() === "") throw new Error(texts.noName);
  const isMadeHere = form.elements.key.value === "here";
  calls.begin();
  const certificates = {};
  for (const profile of form.elements.profiles.value.split(" ")) {
    const wanted = { organizationIdentifier: identifier.value, organizationName: name.value.trim(), roles, profile, tenant: tenant() };
    certificates[profile] = await certificate(calls, wanted, isMadeHere);
  }
  const before = read().thirdParties.find((party) => party.identifier === identifier.value);
  keepThirdParty({
    id: before?.id ?? crypto.randomUUID(),
    identifier: identifier.value,
    name: name.value.trim(),
    roles,
    dialect: form.elements.dialect.value,
    certificates,
    keyMadeHere: isMadeHere,
    registration: before?.registration ?? null,
    bunq: before?.bunq,
  });
}

const copy = (label, text) => make("button", { type: "button", "data-copy": text, "aria-label": `Copy: ${label}` }, label);

function certificateRow(profile, certificate) {
  return make("div.certificate", {},
    make("h3", {}, texts.profiles[profile]),
    make("dl.facts", {},
      make("div", {}, make("dt", {}, "Key id"), make("dd", {}, make("code", {}, certificate.keyId))),
      make("div", {}, make("dt", {}, "Valid until"), make("dd", {}, certificate.notAfter.slice(0, 10)))),
    make("div.buttons", {},
      copyButton("Certificate", certificate.certificate),
      copyButton("Key id", certificate.keyId),
      copyButton("Header", onOneLine(certificate.certificate)),
      copyButton("Private key", certificate.privateKey)));
}

function copyButton(label, text) {
  const button = copy(label, text);
  button.classList.add("copies");
  return button;
}

/** The password of PKCS#12 files, drawn or as it was typed. */
let password = drawnPassword();

/** The password, if files can have it. @throws {Error} */
function checkedPassword() {
  if (isPassword(password)) return password;
  one("#password").focus();
  throw new Error(texts.password);
}

function passwordField() {
  const input = make("input.mono", { id: "password", value: password, autocomplete: "off", spellcheck: "false", maxlength: "64", input: () => typed() });
  const typed = () => {
    password = input.value;
    copy.dataset.copy = password;
    input.setAttribute("aria-invalid", String(!isPassword(password)));
  };
  const copy = make("button.copy", { type: "button", "data-copy": password, "aria-label": "Copy: password" });
  return make("div.password", {}, make("label", { for: "password" }, texts.passwordOf), input, copy);
}

/** What can be taken along as files. */
function files(party) {
  const saved = party.identifier.replace(/[^A-Za-z0-9.-]/g, "_");
  const file = (kind, name, work, type) => {
    const save = async () => {
      one("#party-problem").textContent = "";
      try {
        download(`${saved}${name}`, await work(), type);
      } catch (error) {
        one("#party-problem").textContent = error.message;
      }
    };
    return make("button", { type: "button", click: (event) => busy(event.currentTarget, save) }, kind);
  };
  const profiles = Object.entries(party.certificates);
  const single = profiles.length === 1;
  const keyStore = ([profile, certificate]) =>
    file(single ? "PKCS#12" : `PKCS#12: ${profile}`, single ? ".p12" : `-${profile}.p12`, () => pkcs12(certificate, party.identifier, checkedPassword()), "application/x-pkcs12");
  return [
    make("div.buttons.files", {},
      make("span.quiet", {}, "Download"),
      file("PEM", ".pem", () => profiles.map(([, certificate]) => bundle(certificate)).join(""), "application/x-pem-file"),
      ...profiles.map(keyStore),
      file("Zip", ".zip", () => archive(party, checkedPassword()), "application/zip")),
    passwordField(),
  ];
}

/** Shows the third party in use. */
export function showThirdParty(party) {
  const others = read().thirdParties;
  const option = (one) => make("option", { value: one.id, selected: one.id === party.id }, `${one.name}, ${one.identifier}`);
  const chooser = others.length > 1 && make("div.field", {},
    make("label", { for: "party-chooser" }, "Third party in use"),
    make("select", { id: "party-chooser", change: (event) => change((state) => { state.thirdParty = event.target.value; }) }, ...others.map(option)));
  fill(one("#party-done"),
    chooser || null,
    make("p.large", {}, make("span.mono", {}, party.identifier), make("button.copy", { type: "button", "data-copy": party.identifier, "aria-label": "Copy: identifier" })),
    make("p.quiet", {}, [party.name, party.roles.join(", "), party.keyMadeHere === false ? texts.keyOfBank : texts.keyHere].join(" · ")),
    ...Object.entries(party.certificates).map(([profile, certificate]) => certificateRow(profile, certificate)),
    ...files(party));
}

identifier.value = drawn();
identifier.addEventListener("input", check);
check();
if (!globalThis.crypto?.subtle) {
  form.elements.key.value = "bank";
  one("[name=key][value=here]", form).disabled = true;
  form.elements.key[0].closest("fieldset").append(make("p.hint", {}, texts.noKeys));
}

/** Another identifier, for the next third party. */
export function drawAnother() {
  identifier.value = drawn();
  check();
  identifier.focus();
}
