// Goes through the bunq dialect with a client library that shares no code with the bank.
//
//     node bunq_js_client.cjs BASE_URL API_KEY
//
// BASE_URL ends in `/v1`; API_KEY belongs to a customer with an active bank account, whose money
// pays 1.00 EUR. The library comes from the node_modules beside this file or from NODE_PATH, which
// only `require` heeds. Prints `ok STEP: …` for each step; the first step that fails ends the
// program with a message and status 1.

"use strict";

const assert = require("node:assert/strict");
const { randomBytes } = require("node:crypto");

// The library accepts replies whose signature is wrong if this is set.
delete process.env.ENV_CI;
// Its HTTP client sends calls to this machine to the proxy as well.
for (const name of ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"]) delete process.env[name];

const { default: BunqJSClient } = require("@bunq-community/bunq-js-client");

const COUNTERPARTY = { type: "EMAIL", value: "bravo@bunq.com" };
const AMOUNT = { value: "1.00", currency: "EUR" };
// The letters beyond ASCII check two things: requests are signed as UTF-8, and the library can
// verify a reply only if all of it is ASCII.
const DESCRIPTION = "Koffie bij café Ruïne";
// Clients with integers of 32 bits truncate what is larger.
const LARGEST_ID = 2 ** 31 - 1;
const LONGEST_TIMER = 2 ** 31 - 1;
const TIME_LIMIT = 60_000;

let step = "start";

function ok(detail) {
    console.log(`ok ${step}: ${detail}`);
}

function fail(error) {
    console.error(`failed ${step}: ${error?.stack ?? JSON.stringify(error)}`);
    const response = error?.response;
    if (response) {
        const body = typeof response.data === "string" ? response.data : JSON.stringify(response.data);
        console.error(`${response.config.url}: ${response.status} ${response.headers["content-type"]} ${body}`);
    }
    // The timer of a session keeps the process alive otherwise.
    process.exit(1);
}

function assertId(id) {
    assert.ok(Number.isSafeInteger(id) && id > 0 && id <= LARGEST_ID, `${JSON.stringify(id)} is no id`);
}

function assertTime(text) {
    assert.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
}

// The only entry of an object that has its type as its key.
function unwrapped(object) {
    const entries = Object.entries(object);
    assert.equal(entries.length, 1, `one type and no more: ${Object.keys(object)}`);
    return entries[0];
}

function of(type, object) {
    const [key, value] = unwrapped(object);
    assert.equal(key, type);
    return value;
}

function createdId(response) {
    assert.equal(response.length, 1);
    const { id } = of("Id", response[0]);
    assertId(id);
    return id;
}

function cents(amount) {
    assert.equal(amount.currency, "EUR");
    assert.match(amount.value, /^-?\d+\.\d\d$/);
    return Number(amount.value.replace(".", ""));
}

// Asserts that a call fails with this HTTP status and returns the description.
async function refusal(call, statuses) {
    const error = await call.then(() => assert.fail("the call succeeded"), (error) => error);
    if (!error.response) throw error;
    assert.ok(statuses.includes(error.response.status), `status ${error.response.status}, not ${statuses}`);
    const [{ error_description: description, error_description_translated: translated }] = error.response.data.Error;
    assert.ok(description && translated, "both descriptions");
    return description;
}

function memory() {
    const values = new Map();
    return {
        get: (key) => values.get(key),
        set: (key, value) => void values.set(key, value),
        remove: (key) => void values.delete(key),
    };
}

async function main(baseUrl, apiKey) {
    assert.match(baseUrl, /^https?:\/\/.+\/v1\/?$/, "the base URL ends in /v1");
    assert.ok(apiKey, "an API key is given");

    step = "run";
    const client = new BunqJSClient(memory());
    // The library makes its key pair only if it has a key to store it under.
    await client.run(apiKey, [], "SANDBOX", randomBytes(16).toString("hex"));
    const { Session: session, api } = client;
    assert.match(session.publicKeyPem, /^-----BEGIN PUBLIC KEY-----/);
    // Paths in the library begin with `/v1`.
    session.environmentUrl = baseUrl.replace(/\/v1\/?$/, "");
    ok("key pair made");

    step = "installation";
    await client.install();
    assert.ok(session.serverPublicKey, "the key that all further replies are verified with");
    assert.equal(session.serverPublicKey.n.bitLength(), 2048);
    assert.match(session.installToken, /^[0-9a-f]{64}$/);
    assert.ok(!Number.isNaN(session.installCreated.getTime()) && !Number.isNaN(session.installUpdated.getTime()));
    ok("token and server key");

    step = "device";
    await client.registerDevice("Vestibule test");
    assertId(session.deviceId);
    ok(`id ${session.deviceId}`);

    step = "session";
    await client.registerSession();
    assertId(session.sessionId);
    assert.match(session.sessionToken, /^[0-9a-f]{64}$/);
    assert.notEqual(session.sessionToken, session.installToken);
    const [userType, sessionUser] = unwrapped(session.userInfo);
    assertId(sessionUser.id);
    const lifetime = session.sessionTimeout;
    assert.ok(lifetime > 30_000, `a session that the library does not renew at once: ${lifetime} ms`);
    // A later end overflows the library's timer, which then asks for the user without a pause.
    assert.ok(lifetime - 15_000 <= LONGEST_TIMER, `an end that a timer can wait for: ${lifetime} ms`);
    const age = Date.now() - (session.sessionExpiryTime.getTime() - lifetime);
    assert.ok(Math.abs(age) < TIME_LIMIT, `a time of creation in UTC: ${age} ms ago`);
    ok(`${lifetime / 1000} s for a ${userType}`);

    step = "user";
    const user = (await client.getUsers(true))[userType];
    assert.equal(user.id, sessionUser.id);
    const [, sameUser] = unwrapped(await api.user.get(user.id));
    assert.equal(sameUser.id, user.id);
    assert.equal(sameUser.display_name, user.display_name);
    ok(`id ${user.id}`);

    step = "signatures";
    const { serverPublicKey } = session;
    session.serverPublicKey = session.publicKey;
    await assert.rejects(api.user.list(), { errorCode: client.errorCodes.INVALID_RESPONSE_RECEIVED });
    session.serverPublicKey = serverPublicKey;
    ok("no reply is accepted under another key");

    step = "accounts";
    const accounts = (await api.monetaryAccount.list(user.id)).map(unwrapped);
    for (const [type, { id, created, status, alias, balance }] of accounts) {
        assert.match(type, /^MonetaryAccount[A-Z]/);
        assertId(id);
        assertTime(created);
        assert.equal(typeof status, "string");
        assert.ok(alias.some((pointer) => pointer.type === "IBAN" && pointer.value && pointer.name), "an IBAN");
        assert.match(balance.value, /^-?\d+\.\d\d$/);
    }
    const found = accounts.find(([type, { status }]) => type === "MonetaryAccountBank" && status === "ACTIVE");
    assert.ok(found, "an active bank account");
    const account = found[1];
    const balance = async () => cents(unwrapped(await api.monetaryAccount.get(user.id, account.id))[1].balance);
    assert.equal(await balance(), cents(account.balance));
    ok(`${accounts.length}, of which ${account.id} has ${account.balance.value} EUR`);

    step = "payments";
    const payments = async (options) =>
        (await api.payment.list(user.id, account.id, options)).map((element) => of("Payment", element));
    const before = await payments();
    for (const [index, payment] of before.entries()) {
        assertId(payment.id);
        assert.ok(index === 0 || payment.id < before[index - 1].id, "newest first");
        assert.equal(payment.monetary_account_id, account.id);
        assertTime(payment.created);
        cents(payment.amount);
        assert.ok(payment.alias && payment.counterparty_alias, "both sides");
    }
    ok(`${before.length}`);

    step = "payment";
    const pay = () => api.payment.post(user.id, account.id, DESCRIPTION, AMOUNT, COUNTERPARTY);
    let left = cents(account.balance);
    if (left >= cents(AMOUNT)) {
        const id = createdId(await pay());
        const [newest] = await payments({ count: 1 });
        assert.equal(newest.id, id);
        assert.equal(newest.amount.value, `-${AMOUNT.value}`);
        assert.equal(newest.description, DESCRIPTION);
        assert.ok(newest.counterparty_alias.display_name, "a payee with a name");
        const newer = before.length > 0 ? await payments({ count: 200, newer_id: before[0].id }) : [newest];
        assert.deepEqual(newer.map((payment) => payment.id), [id]);
        assert.deepEqual(of("Payment", await api.payment.get(user.id, account.id, id)), newest);
        left -= cents(AMOUNT);
        assert.equal(await balance(), left);
        ok(`id ${id}, ${AMOUNT.value} EUR to ${COUNTERPARTY.value}`);
    } else {
        const description = await refusal(pay(), [400]);
        assert.equal(await balance(), left);
        ok(`refused for lack of money: ${description}`);
    }

    step = "draft payment";
    const draftId = createdId(await api.draftPayment.post(user.id, account.id, DESCRIPTION, AMOUNT, COUNTERPARTY));
    const draft = of("DraftPayment", await api.draftPayment.get(user.id, account.id, draftId));
    assert.equal(draft.id, draftId);
    assert.equal(draft.monetary_account_id, account.id);
    assert.equal(draft.status, "PENDING");
    assert.equal(draft.entries.length, 1);
    assert.equal(Math.abs(cents(draft.entries[0].amount)), cents(AMOUNT));
    assert.equal(draft.entries[0].description, DESCRIPTION);
    assert.equal(await balance(), left, "a draft moves no money");
    ok(`id ${draftId}`);

    step = "end of session";
    await api.sessionServer.delete();
    const description = await refusal(api.user.list(), [401, 403]);
    assert.match(description, /^Insufficient (authentication|authorisation)\.$/);
    await client.destroyApiSession();
    assert.equal(session.sessionToken, null);
    ok(`then refused: ${description}`);
}

const limit = setTimeout(() => fail(new Error(`no end after ${TIME_LIMIT / 1000} s`)), TIME_LIMIT);
limit.unref();
main(...process.argv.slice(2)).catch(fail);
