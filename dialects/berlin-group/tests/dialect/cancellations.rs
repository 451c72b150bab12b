//! Payments that are taken back, before the bank has them and afterwards.

use serde_json::{Value, json};
use testkit::{TestServer, euro_payment, parameter};

use crate::ID;
use crate::refusals::check;

const SEPA: &str = "payments/sepa-credit-transfers";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn what_the_bank_does_not_have_is_taken_back_at_once() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let had = tpp.expected_balance(&server, creditor).await;
    let asked = tpp.payment(&server, SEPA, &euro_payment("1.00", creditor)).await;
    let path = tpp.path_of(&asked["_links"]["self"]);
    let delete = tpp.redirecting("DELETE", &path);
    let done = server.send(&delete).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let expected = json!({
        "transactionStatus": "CANC", "paymentId": asked["paymentId"], "authorisationId": asked["authorisationId"],
        "_links": {"self": format!("/nl{path}"), "status": format!("/nl{path}/status")},
    });
    assert_eq!(done.json(), expected);
    for again in [delete, tpp.redirecting("DELETE", &path)] {
        assert_eq!(server.send(&again).await.json(), expected, "harmless");
    }
    assert_eq!(tpp.payment_status(&server, &path).await, "CANC");
    let sca = tpp.path_of(&asked["_links"]["scaStatus"]);
    assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "failed"}));
    let location = server.decide(&tpp.authorization_url(&asked), iban, "approve").await;
    assert_eq!(parameter(&location, "error").as_deref(), Some("invalid_request"), "{location}");

    // Approved at the page, and not confirmed.
    let approved = tpp.approved_payment(&server, (SEPA, &euro_payment("1.00", creditor)), iban).await;
    let done = server.send(&tpp.redirecting("DELETE", &approved.path)).await;
    assert_eq!((done.status, &done.json()["transactionStatus"]), (200, &json!("CANC")));
    let late = tpp.confirm_payment_at(&server, &approved.authorisation, &approved.access_token).await;
    assert_eq!((late.status, late.error().0.as_str()), (400, "STATUS_INVALID"), "{}", late.body);
    assert_eq!(tpp.expected_balance(&server, creditor).await, had);
}

#[tokio::test]
async fn what_is_made_or_refused_cannot_be_taken_back() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let body = euro_payment("1.00", creditor);
    let made = tpp.submitted_payment(&server, (SEPA, &body), iban).await;
    let refused = tpp.payment(&server, SEPA, &body).await;
    server.decide(&tpp.authorization_url(&refused), iban, "reject").await;
    let refused = tpp.path_of(&refused["_links"]["self"]);
    let late = tpp.path_of(&tpp.payment(&server, SEPA, &body).await["_links"]["self"]);
    let no_uri = tpp.request("DELETE", &late).signed(&tpp.signer);
    let elsewhere = tpp.request("DELETE", &late).set("tpp-redirect-uri", "https://x.example/");
    let delete = |path: &str| tpp.redirecting("DELETE", path);
    let rows = vec![
        (
            "made",
            delete(&made.path),
            400,
            "CANCELLATION_INVALID",
            "the payment is ACCC and cannot be cancelled",
        ),
        ("refused", delete(&refused), 400, "CANCELLATION_INVALID", "the payment is rejected"),
        ("no redirect URI", no_uri, 400, "FORMAT_ERROR", "TPP-Redirect-URI header is missing"),
        ("a foreign redirect URI", elsewhere.signed(&tpp.signer), 400, "FORMAT_ERROR", "TPP-Redirect-URI"),
    ];
    check(&server, rows).await;
    server.advance("nl", "P1D").await;
    let rows = vec![("expired", delete(&late), 400, "CANCELLATION_INVALID", "the payment is expired")];
    check(&server, rows).await;
}
