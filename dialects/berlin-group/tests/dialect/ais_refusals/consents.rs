//! Of requests for consents.

use serde_json::{Value, json};
use testkit::{CALLBACK, detailed};

use super::Scene;
use crate::refusals::check;

#[tokio::test]
async fn requests_for_consents() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let good = || tpp.consent_request(&detailed(iban, true));
    let access = |value: Value| scene.with("/access", value);
    let account = |value: Value| access(json!({"accounts": [value]}));
    let closed = server.customer("nl", "closed").await["iban"].as_str().unwrap().to_owned();
    let belgian = server.customer("be_nl", "student").await["iban"].as_str().unwrap().to_owned();
    let many = vec![json!({"iban": iban}); 101];
    let format = "FORMAT_ERROR";
    let rows = vec![
        (
            "no PSU-IP-Address",
            good().without("psu-ip-address"),
            400,
            format,
            "PSU-IP-Address header is missing",
        ),
        ("PSU-IP-Address is none", good().set("psu-ip-address", "customer"), 400, format, "no IP address"),
        (
            "no TPP-Redirect-URI",
            good().without("tpp-redirect-uri"),
            400,
            format,
            "TPP-Redirect-URI header is missing",
        ),
        (
            "a redirect URI that is not registered",
            good().set("tpp-redirect-uri", "https://tpp.example/callback/"),
            400,
            format,
            "character by character",
        ),
        ("no X-Request-ID", good().without("x-request-id"), 400, format, "X-Request-ID header is missing"),
        ("no body", scene.raw("application/json", ""), 400, format, "the body is missing"),
        ("no JSON", scene.raw("application/json", "{"), 400, format, "the body: EOF"),
        ("an array", scene.raw("application/json", "[]"), 400, format, "the body: "),
        ("XML", scene.raw("application/xml", "<a/>"), 415, format, "send application/json"),
        ("deep nesting", scene.raw("application/json", &"[".repeat(5000)), 400, format, "the body: "),
        (
            "a member twice",
            scene.raw("application/json", r#"{"access":{},"access":{}}"#),
            400,
            format,
            "duplicate field `access`",
        ),
        ("no access", scene.without("access"), 400, format, "missing field `access`"),
        (
            "no recurringIndicator",
            scene.without("recurringIndicator"),
            400,
            format,
            "missing field `recurringIndicator`",
        ),
        ("no validUntil", scene.without("validUntil"), 400, format, "missing field `validUntil`"),
        (
            "no frequencyPerDay",
            scene.without("frequencyPerDay"),
            400,
            format,
            "missing field `frequencyPerDay`",
        ),
        (
            "no combinedServiceIndicator",
            scene.without("combinedServiceIndicator"),
            400,
            format,
            "missing field `combinedServiceIndicator`",
        ),
        (
            "recurringIndicator is a number",
            scene.with("/recurringIndicator", json!(1)),
            400,
            format,
            "expected true or false",
        ),
        (
            "frequencyPerDay is a fraction",
            scene.with("/frequencyPerDay", json!(1.5)),
            400,
            format,
            "expected a whole number",
        ),
        (
            "frequencyPerDay is a word",
            scene.with("/frequencyPerDay", json!("often")),
            400,
            format,
            "expected a whole number",
        ),
        ("frequencyPerDay is 5", scene.with("/frequencyPerDay", json!(5)), 400, format, "from 1 to 4"),
        ("frequencyPerDay is 0", scene.with("/frequencyPerDay", json!(0)), 400, format, "from 1 to 4"),
        (
            "frequencyPerDay is huge",
            scene.with("/frequencyPerDay", json!(u64::MAX)),
            400,
            format,
            "expected a whole number",
        ),
        (
            "a one-off consent four times a day",
            scene.with("/recurringIndicator", json!(false)),
            400,
            format,
            "must be 1 when recurringIndicator is false",
        ),
        (
            "combined with a payment",
            scene.with("/combinedServiceIndicator", json!(true)),
            400,
            "SESSIONS_NOT_SUPPORTED",
            "must be false",
        ),
        (
            "validUntil in the past",
            scene.with("/validUntil", json!("2020-01-01")),
            400,
            format,
            "is in the past; today is",
        ),
        (
            "validUntil is no date",
            scene.with("/validUntil", json!("31-12-2026")),
            400,
            format,
            "expected YYYY-MM-DD",
        ),
        (
            "validUntil does not exist",
            scene.with("/validUntil", json!("2027-02-30")),
            400,
            format,
            "is no date",
        ),
        (
            "validUntil is a number",
            scene.with("/validUntil", json!(20270101)),
            400,
            format,
            "expected a string",
        ),
        ("access is empty", access(json!({})), 400, format, "holds none of accounts, balances, transactions"),
        ("access is a text", access(json!("allAccounts")), 400, format, "the body: "),
        (
            "empty and filled arrays",
            access(json!({"accounts": [{"iban": iban}], "balances": []})),
            400,
            format,
            "mixes empty and filled arrays",
        ),
        ("more than 100 accounts", access(json!({"accounts": many})), 400, format, "more than 100 accounts"),
        (
            "available accounts",
            access(json!({"availableAccounts": "allAccounts"})),
            400,
            "PARAMETER_NOT_SUPPORTED",
            "availableAccounts is not supported",
        ),
        (
            "all accounts with balances",
            access(json!({"availableAccountsWithBalances": "allAccounts"})),
            400,
            "PARAMETER_NOT_SUPPORTED",
            "not supported",
        ),
        (
            "global",
            access(json!({"allPsd2": "allAccounts"})),
            400,
            "PARAMETER_NOT_SUPPORTED",
            "allPsd2 is not supported",
        ),
        (
            "global and arrays",
            access(json!({"allPsd2": "allAccounts", "accounts": []})),
            400,
            format,
            "mixes allPsd2 with arrays",
        ),
        (
            "more about the accounts that are named",
            access(
                json!({"accounts": [{"iban": iban}], "additionalInformation": {"ownerName": [{"iban": iban}]}}),
            ),
            400,
            "PARAMETER_NOT_SUPPORTED",
            "access.additionalInformation is not supported; leave it out",
        ),
        (
            "more about no accounts",
            access(json!({"additionalInformation": {"ownerName": [{"iban": iban}]}})),
            400,
            format,
            "holds none of accounts, balances, transactions",
        ),
        (
            "restricted to what is unknown",
            access(json!({"accounts": [], "restrictedTo": ["LOAN"]})),
            400,
            format,
            "not one of CACC, SVGS",
        ),
        (
            "wrong check digits",
            account(json!({"iban": "NL00TRIO0320564487"})),
            400,
            format,
            "Invalid iban: NL00TRIO0320564487",
        ),
        ("an IBAN too long", account(json!({"iban": format!("{iban}0")})), 400, format, "Invalid iban: "),
        ("no number", account(json!({})), 400, format, "identified by iban alone"),
        (
            "two numbers",
            account(json!({"iban": iban, "ukSortCode": "123456", "ukAccountNumber": "12345678"})),
            400,
            format,
            "identified by iban alone",
        ),
        (
            "half a British number",
            account(json!({"ukSortCode": "123456"})),
            400,
            format,
            "ukSortCode (6 digits) and ukAccountNumber (8 digits)",
        ),
        (
            "a British number of letters",
            account(json!({"ukSortCode": "12345x", "ukAccountNumber": "12345678"})),
            400,
            format,
            "6 digits",
        ),
        ("a card", account(json!({"maskedPan": "1234xxxxxx1234"})), 400, format, "identified by iban alone"),
        (
            "a currency that is none",
            account(json!({"iban": iban, "currency": "euro"})),
            400,
            format,
            "no code of ISO 4217",
        ),
        (
            "an account in a currency it has not",
            account(json!({"iban": iban, "currency": "USD"})),
            400,
            "PRODUCT_INVALID",
            "in USD is not allowed: the account is kept in EUR; name that currency, or leave currency out",
        ),
        (
            "an account of another bank",
            account(json!({"iban": "NL91ABNA0417164300"})),
            400,
            "PRODUCT_INVALID",
            "Access to IBAN [NL91ABNA0417164300] is not allowed",
        ),
        (
            "an account of another tenant",
            account(json!({"iban": belgian})),
            400,
            "PRODUCT_INVALID",
            "is not allowed",
        ),
        ("a closed account", account(json!({"iban": closed})), 400, "PRODUCT_INVALID", "is not allowed"),
        (
            "a British account in Holland",
            account(json!({"ukSortCode": "009900", "ukAccountNumber": "12345678"})),
            400,
            "PRODUCT_INVALID",
            "is not allowed",
        ),
        ("a wrong method", scene.signed("PATCH", "/v1/consents"), 405, "SERVICE_INVALID", "method PATCH"),
    ];
    assert!(rows.len() >= 50);
    check(server, rows).await;
}

#[tokio::test]
async fn the_same_request_again_makes_nothing_new() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let body = detailed(iban, true);
    let request = tpp.consent_request(&body);
    let first = server.send(&request).await;
    let again = server.send(&request).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(first.headers.get("location"), again.headers.get("location"));
    // Also after the consent has gone on, and at the same moment.
    let location = server.decide(&tpp.authorization_url(&first.json()), iban, "reject").await;
    assert!(location.contains("consent_required"));
    assert_eq!(server.send(&request).await.body, first.body, "the answer of that time");
    let at_once = tpp.consent_request(&body);
    let (one, other) = tokio::join!(server.send(&at_once), server.send(&at_once));
    assert_eq!(one.body, other.body);
    // The same id for another body is a mistake, for another third party it is another request.
    let id = request.headers["x-request-id"].to_str().unwrap().to_owned();
    let other_body = tpp
        .consent_request(&detailed(iban, false))
        .set("x-request-id", &id)
        .sign(&tpp.signer, "digest x-request-id");
    let refused = server.send(&other_body).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "FORMAT_ERROR"));
    assert!(refused.error().1.contains("use a new UUID for each request"));
    let other = server.registered("nl", "PSDNL-DNB-R999999").await;
    let theirs =
        other.consent_request(&body).set("x-request-id", &id).sign(&other.signer, "digest x-request-id");
    assert_ne!(server.send(&theirs).await.json()["consentId"], first.json()["consentId"]);
    // Authorisations are begun once too, and after a day the id is free again.
    let path = format!("/v1/consents/{}/authorisations", one.json()["consentId"].as_str().unwrap());
    let start = tpp.request("POST", &path).set("tpp-redirect-uri", CALLBACK).signed(&tpp.signer);
    let begun = server.send(&start).await;
    assert_eq!((begun.status, &begun.json()["scaStatus"]), (201, &json!("received")));
    assert_eq!(server.send(&start).await.body, begun.body);
    let ids = server.send(&tpp.get(&path)).await.json()["authorisationIds"].clone();
    assert_eq!(ids.as_array().unwrap().len(), 2);
    server.advance("nl", "P1D").await;
    assert_ne!(server.send(&request).await.json()["consentId"], first.json()["consentId"]);
}
