//! Bodies that ask for payments and are refused, one of each kind of rule from outside; every rule has a row beside the
//! code.

use serde_json::{Value, json};
use testkit::{TestServer, day, euro_payment, monthly_payment};

use crate::ID;

const SEPA: &str = "payments/sepa-credit-transfers";
const STANDING: &str = "periodic-payments/sepa-credit-transfers";
const UK: &str = "payments/uk-domestic-transfers";
const PAYEE: &str = "DE89370400440532013000";

/// The body with some members changed; those that are null are gone.
fn changed(mut body: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => body.as_object_mut().unwrap().remove(name),
            value => body.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    body
}

#[tokio::test]
async fn a_periodic_payment_is_asked_for() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let body = changed(
        monthly_payment("12.50", PAYEE),
        json!({"dayOfExecution": "31", "executionRule": "preceding"}),
    );
    let asked = tpp.payment(&server, STANDING, &body).await;
    assert_eq!(asked["transactionStatus"], "RCVD");
    let path = tpp.path_of(&asked["_links"]["self"]);
    assert!(path.starts_with(&format!("/v1/{STANDING}/")), "{path}");
    let cancelled = server.send(&tpp.redirecting("DELETE", &path)).await;
    assert_eq!((cancelled.status, &cancelled.json()["transactionStatus"]), (200, &json!("CANC")));
}

#[tokio::test]
async fn bodies_are_refused_with_what_would_be_right() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let single = || euro_payment("12.50", PAYEE);
    let periodic = || monthly_payment("12.50", PAYEE);
    for (product, body, status, code, said) in [
        (
            SEPA,
            changed(single(), json!({"creditorName": null})),
            400,
            "FORMAT_ERROR",
            "missing field `creditorName`",
        ),
        (SEPA, changed(single(), json!({"creditorName": 7})), 400, "FORMAT_ERROR", "creditorName"),
        (
            SEPA,
            changed(single(), json!({"creditorName": "x".repeat(71)})),
            400,
            "FORMAT_ERROR",
            "creditorName has 71 characters; send at most 70",
        ),
        (
            SEPA,
            changed(single(), json!({"instructedAmount": {"currency": "EUR"}})),
            400,
            "FORMAT_ERROR",
            "instructedAmount has a missing field `amount`",
        ),
        (
            SEPA,
            changed(single(), json!({"instructedAmount": {"currency": "EUR", "amount": 0}})),
            400,
            "FORMAT_ERROR",
            "the amount must be greater than 0",
        ),
        (
            SEPA,
            changed(single(), json!({"instructedAmount": {"currency": "GBP", "amount": "1"}})),
            400,
            "FORMAT_ERROR",
            "SEPA transfers are in EUR, not in GBP",
        ),
        (
            SEPA,
            changed(single(), json!({"creditorAccount": {"iban": "DE00"}})),
            400,
            "FORMAT_ERROR",
            "creditorAccount.iban: Invalid iban: DE00 (those of its country have 22 characters)",
        ),
        (
            SEPA,
            changed(single(), json!({"creditorAccount": {"iban": "NL91ABNA0417164301"}})),
            400,
            "FORMAT_ERROR",
            "Invalid iban: NL91ABNA0417164301 (its check digits do not fit: a character is wrong)",
        ),
        (
            SEPA,
            changed(single(), json!({"creditorAccount": {"iban": PAYEE, "currency": "USD"}})),
            403,
            "PRODUCT_INVALID",
            "creditorAccount.currency is USD, and instructedAmount is in EUR",
        ),
        (
            SEPA,
            changed(single(), json!({"creditorAccount": {"iban": PAYEE, "currency": "euro"}})),
            400,
            "FORMAT_ERROR",
            "creditorAccount.currency \"euro\" is no code of ISO 4217",
        ),
        (
            SEPA,
            changed(single(), json!({"debtorAccount": {"iban": "DE00"}})),
            400,
            "FORMAT_ERROR",
            "debtorAccount: Invalid iban: DE00",
        ),
        (
            SEPA,
            changed(single(), json!({"debtorAccount": {"iban": PAYEE}})),
            404,
            "RESOURCE_UNKNOWN",
            "not an account of this bank",
        ),
        (
            SEPA,
            changed(single(), json!({"requestedExecutionDate": day(-2)})),
            400,
            "EXECUTION_DATE_INVALID",
            "is in the past",
        ),
        (
            SEPA,
            changed(single(), json!({"requestedExecutionDate": day(370)})),
            400,
            "EXECUTION_DATE_INVALID",
            "is too far ahead",
        ),
        (
            SEPA,
            changed(single(), json!({"requestedExecutionTime": "12:00"})),
            400,
            "PARAMETER_NOT_SUPPORTED",
            "send a day as requestedExecutionDate",
        ),
        (SEPA, periodic(), 400, "FORMAT_ERROR", "post them to periodic-payments/sepa-credit-transfers"),
        (STANDING, single(), 400, "FORMAT_ERROR", "startDate is missing"),
        (
            STANDING,
            changed(periodic(), json!({"frequency": "Hourly"})),
            400,
            "FORMAT_ERROR",
            "is not one of Daily, Weekly",
        ),
        (
            STANDING,
            changed(periodic(), json!({"endDate": day(1)})),
            400,
            "PERIOD_INVALID",
            "is before startDate",
        ),
        (
            STANDING,
            changed(periodic(), json!({"dayOfExecution": "32"})),
            400,
            "FORMAT_ERROR",
            "is not one of \"1\" to \"31\"",
        ),
        (UK, single(), 403, "PRODUCT_INVALID", "are in GBP, not in EUR"),
        (
            "periodic-payments/cross-border-credit-transfers",
            periodic(),
            404,
            "PRODUCT_UNKNOWN",
            "periodic-payments has",
        ),
        (
            "bulk-payments/uk-domestic-transfers",
            single(),
            404,
            "PRODUCT_UNKNOWN",
            "bulk-payments has sepa-credit-transfers",
        ),
        ("bulk-payments/sepa-credit-transfers", single(), 400, "FORMAT_ERROR", "debtorAccount"),
    ] {
        let answer = server.send(&tpp.payment_request(product, &body)).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        let (got, text) = answer.error();
        assert_eq!(got, code, "{body}: {text}");
        assert!(text.contains(said), "{body}: {text}");
    }
}
