//! A database that breaks while the bank serves: every door says so in the format of the interface.

use serde_json::json;
use testkit::broken::{Breakable, assert_failed, operations};
use testkit::{Answer, CALLBACK, day, detailed, euro_payment, in_euro, monthly_payment, pain001};

use crate::ID;

const JSON: &str = "application/json";

/// In the format of the interface, for which the standard has no code, with a time to try again.
fn assert_told(name: &str, answer: &Answer, secrets: &[&str]) {
    assert_failed(name, answer, 503, secrets);
    let told = json!({
        "tppMessages": [{"category": "ERROR", "text": "the service is not available; try again later"}]
    });
    assert_eq!((answer.json(), answer.header("retry-after")), (told, "5"), "{name}");
}

#[tokio::test]
async fn every_door_says_that_the_bank_is_not_available() {
    let bank = Breakable::start().await;
    let server = &bank.server;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let consent = tpp.valid(server, &detailed(iban, true), iban).await;
    let accounts = server.send(&tpp.attended("/v1/accounts", &consent)).await.json();
    let account = accounts["accounts"][0]["resourceId"].as_str().unwrap();
    let payment = euro_payment("1.00", iban);
    let asked = tpp.payment(server, "payments/sepa-credit-transfers", &payment).await;
    let payment_id = asked["paymentId"].as_str().unwrap();
    let bulk = pain001("03", iban, &day(7), &[(100, "A. Payee", iban, "Invoice 7")]);
    let operations = operations(server, "/xs2a-bg").await;
    let secrets = [consent.access_token.as_str(), &consent.id, &tpp.secret, iban, account];
    // First what comes after the question who calls, then that one too.
    for intact in [&["tpps", "certificates"][..], &[]] {
        bank.break_store(intact);
        let mut count = 0;
        for (method, path) in &operations {
            let Some(path) = path.strip_prefix("/{tenant}") else { continue };
            let path = path
                .replace("{consent}", &consent.id)
                .replace("{payment}", payment_id)
                .replace("{product}", "sepa-credit-transfers")
                .replace("{authorisation}", &consent.authorisation)
                .replace("{account}", account);
            let query = if path.ends_with("/page") { "?edgeToken=x" } else { "" };
            let (kind, body) = match path.rsplit('/').next() {
                Some("consents") => (JSON, detailed(iban, true).to_string()),
                Some("confirmation-of-funds") => (JSON, json!({"account": {"iban": iban}}).to_string()),
                Some("funds-confirmations") => (JSON, in_euro(iban, "1.00").to_string()),
                Some("sepa-credit-transfers") if path.starts_with("/v1/bulk-payments") => {
                    ("text/xml", bulk.clone())
                }
                Some("sepa-credit-transfers") if path.starts_with("/v1/periodic-payments") => {
                    (JSON, monthly_payment("1.00", iban).to_string())
                }
                Some("sepa-credit-transfers") => (JSON, payment.to_string()),
                _ => (JSON, String::new()),
            };
            let request = tpp
                .request(method, &format!("{path}{query}"))
                .set("consent-id", if path.ends_with("-transfers") { "" } else { &consent.id })
                .set("authorization", format!("Bearer {}", consent.access_token))
                .set("psu-ip-address", "192.0.2.1")
                .set("tpp-redirect-uri", CALLBACK)
                .body(kind, body)
                .signed(&tpp.signer);
            assert_told(&format!("{method} {path}, {intact:?}"), &server.send(&request).await, &secrets);
            count += 1;
        }
        assert!(count > 25, "{count}");
    }
}
