//! A customer's own pages in headless Chromium: with the mouse, with the keyboard alone, without scripts.

use serde_json::json;
use testkit::{TestServer, detailed, euro_payment};

use crate::portal::look;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_looks_around_and_withdraws() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", "PSDNL-DNB-CUSTOMER").await;
    let customer = server.customer("nl", "busy").await;
    let iban = customer["iban"].as_str().unwrap();
    let kept = tpp.valid(&server, &detailed(iban, true), iban).await;
    let withdrawn = tpp.valid(&server, &detailed(iban, true), iban).await;
    assert_eq!(server.send(&tpp.read("/v1/accounts", &withdrawn)).await.status, 200);
    let mut body = euro_payment("12.50", "NL91ABNA0417164300");
    body["debtorAccount"] = json!({"iban": iban});
    let payment = tpp.payment(&server, "payments/sepa-credit-transfers", &body).await;
    let more = json!({
        "base": "/auth/nl/customer",
        "consent": withdrawn.id,
        "payment": payment["paymentId"],
    });
    let Some(found) = look("customer_pages.py", &server, more).await else { return };
    let overview = found["overview"].as_str().unwrap();
    for shown in ["B. Smit", "Example TPP B.V.", "€12.50", "Total", "Waiting"] {
        assert!(overview.contains(shown), "{shown}: {overview}");
    }
    assert_eq!(overview.matches("B. Smit").count(), 1, "the holder once: {overview}");
    let (movements, older) = (found["movements"].as_i64().unwrap(), found["older"].as_i64().unwrap());
    assert!(movements >= 50 && older == 50, "{found}");
    // The next calls of the third party are refused: one was withdrawn with the mouse, the other one with the keyboard.
    for consent in [withdrawn, kept] {
        let refused = server.send(&tpp.read("/v1/accounts", &consent)).await;
        assert_eq!(
            (refused.status, refused.error().0.as_str()),
            (401, "CONSENT_INVALID"),
            "{}",
            refused.body
        );
    }
}
