//! Of questions whether an account holds enough.

use serde_json::{Value, json};
use testkit::{ValidConsent, detailed, in_euro};

use super::{Scene, UNKNOWN, bearer, changed};
use crate::refusals::check;

#[tokio::test]
async fn questions() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, savings, consent } = &scene;
    let question = || in_euro(iban, "1.00");
    let stranger = server.registered("nl", "PSDNL-DNB-R999999").await;
    let access = tpp.valid(server, &detailed(iban, true), iban).await;
    let other = tpp.valid_funds(server, iban).await;
    // Whose token somebody else shows ends with it.
    let leaked = tpp.valid_funds(server, iban).await;
    let waiting = tpp.approved_funds(server, iban).await;
    let student = server.customer("nl", "student").await["iban"].as_str().unwrap().to_owned();
    let card = tpp.funds_consent_request(&json!({"account": {"iban": iban}, "cardNumber": "5409"}));
    let card = tpp.approve(server, &server.send(&card).await.json(), iban).await;
    assert_eq!(tpp.confirm_funds_consent(server, &card).await.status, 200);
    let amount = |text: &str| scene.with("/instructedAmount/amount", json!(text));
    let account = |value: Value| scene.with("/account", value);
    let named = |consent: &ValidConsent| tpp.ask(consent, &question());
    let raw = |kind: &str, body: &str| {
        tpp.request("POST", "/v1/funds-confirmations")
            .set("consent-id", &consent.id)
            .set("authorization", format!("Bearer {}", consent.access_token))
            .body(kind, body)
            .signed(&tpp.signer)
    };
    let format = "FORMAT_ERROR";
    let (invalid, product) = ("CONSENT_INVALID", "PRODUCT_INVALID");
    let an_amount = "an amount in EUR is a decimal number";
    check(
        server,
        vec![
            (
                "no Consent-ID",
                named(consent).without("consent-id"),
                400,
                format,
                "the Consent-ID header is missing",
            ),
            (
                "a Consent-ID that is none",
                scene.with_header("consent-id", "1"),
                400,
                format,
                "Consent-ID header is no UUID",
            ),
            (
                "no X-Request-ID",
                named(consent).without("x-request-id"),
                400,
                format,
                "X-Request-ID header is missing",
            ),
            ("no body", raw("application/json", ""), 400, format, "the body is missing"),
            ("no JSON", raw("application/json", "{"), 400, format, "the body: EOF"),
            ("a form", raw("application/x-www-form-urlencoded", "a=b"), 415, format, "send application/json"),
            ("no account", account(Value::Null), 400, format, "missing field `account`"),
            ("an empty account", account(json!({})), 400, format, "identified by iban alone"),
            ("an IBAN that is none", account(json!({"iban": "NL12"})), 400, format, "Invalid iban: NL12"),
            (
                "a currency of the account that is none",
                account(json!({"iban": iban, "currency": "XYZ1"})),
                400,
                format,
                "currency \"XYZ1\" is no code of ISO 4217",
            ),
            (
                "no instructedAmount",
                scene.with("/instructedAmount", Value::Null),
                400,
                format,
                "missing field `instructedAmount`",
            ),
            (
                "no amount",
                scene.with("/instructedAmount/amount", Value::Null),
                400,
                format,
                "missing field `amount`",
            ),
            (
                "no currency",
                scene.with("/instructedAmount/currency", Value::Null),
                400,
                format,
                "missing field `currency`",
            ),
            (
                "a currency that is none",
                scene.with("/instructedAmount/currency", json!("EURO")),
                400,
                format,
                "currency \"EURO\" is no code of ISO 4217",
            ),
            ("nothing", amount("0.00"), 400, format, "instructedAmount must be greater than 0"),
            ("less than nothing", amount("-1.00"), 400, format, "instructedAmount must be greater than 0"),
            ("no number", amount("ten"), 400, format, an_amount),
            ("an empty amount", amount(""), 400, format, an_amount),
            ("a comma", amount("1,00"), 400, format, an_amount),
            ("an exponent", amount("1e3"), 400, format, an_amount),
            ("a fraction of a cent", amount("1.001"), 400, format, "with at most two places"),
            ("fifteen digits", amount("100000000000000"), 400, format, "up to 14 digits"),
            (
                "amount is a list",
                scene.with("/instructedAmount/amount", json!([1])),
                400,
                format,
                "the body: ",
            ),
            (
                "a long payee",
                scene.with("/payee", json!("é".repeat(71))),
                400,
                format,
                "characters; send at most 70",
            ),
            (
                "a long cardNumber",
                scene.with("/cardNumber", json!("1".repeat(36))),
                400,
                format,
                "characters; send at most 35",
            ),
            (
                "another card",
                tpp.ask(&card, &changed(question(), "/cardNumber", json!("5410"))),
                400,
                "CARD_INVALID",
                "not that of the card that the consent is for",
            ),
            (
                "no token",
                named(consent).without("authorization"),
                401,
                "TOKEN_UNKNOWN",
                "Authorization: Bearer",
            ),
            (
                "Basic",
                scene.with_header("authorization", &tpp.basic()),
                401,
                "TOKEN_INVALID",
                "not Bearer and a token",
            ),
            (
                "an unknown token",
                bearer(named(consent), "0123456789"),
                401,
                "TOKEN_INVALID",
                "invalid or expired",
            ),
            (
                "the token of another consent",
                bearer(named(consent), &other.access_token),
                401,
                invalid,
                "was not issued for consent",
            ),
            (
                "the token of a consent to access",
                bearer(named(consent), &access.access_token),
                401,
                invalid,
                "was not issued for consent",
            ),
            ("not confirmed", named(&waiting), 401, invalid, "with status received"),
            ("a consent to access", named(&access), 403, "CONSENT_UNKNOWN", "not known here"),
            (
                "an unknown consent",
                scene.with_header("consent-id", UNKNOWN),
                403,
                "CONSENT_UNKNOWN",
                "not known here",
            ),
            (
                "another third party's consent",
                stranger.ask(&leaked, &question()),
                403,
                "CONSENT_UNKNOWN",
                "this third party",
            ),
            (
                "a consent about a savings account",
                tpp.funds_consent_request(&json!({"account": {"iban": savings}})),
                400,
                product,
                "nobody pays from a savings account; name a current account",
            ),
            (
                "a number with too many digits",
                raw(
                    "application/json",
                    &question().to_string().replace("\"1.00\"", "1.00000000000000000000001"),
                ),
                400,
                format,
                "an amount in EUR is a decimal number",
            ),
            (
                "another charset",
                raw("application/json; charset=utf-16", "{}"),
                415,
                format,
                "the charset \"utf-16\" in Content-Type is not taken; send the body in UTF-8",
            ),
            (
                "another account of the customer",
                account(json!({"iban": savings})),
                403,
                product,
                "the consent is about another account",
            ),
            (
                "somebody else's account",
                account(json!({"iban": student})),
                403,
                product,
                "the consent is about another account",
            ),
            (
                "another currency",
                scene.with("/instructedAmount/currency", json!("USD")),
                403,
                product,
                "the account is kept in EUR, not in USD",
            ),
            (
                "two currencies",
                account(json!({"iban": iban, "currency": "USD"})),
                403,
                product,
                "name the same currency in both",
            ),
            (
                "an account of another bank",
                account(json!({"iban": "NL91ABNA0417164300"})),
                404,
                "RESOURCE_UNKNOWN",
                "no account of this bank has IBAN [NL91ABNA0417164300]",
            ),
            (
                "GET",
                scene.signed("GET", "/v1/funds-confirmations"),
                405,
                "SERVICE_INVALID",
                "method GET is not supported",
            ),
        ],
    )
    .await;
    let right = changed(question(), "/cardNumber", json!("5409"));
    let answer = server.send(&tpp.ask(&card, &changed(right, "/payee", json!("é".repeat(70))))).await;
    assert_eq!((answer.status, answer.json()["fundsAvailable"].is_boolean()), (200, true), "{}", answer.body);
}
