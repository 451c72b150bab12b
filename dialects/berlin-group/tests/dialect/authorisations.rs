//! How many authorisations of one thing there can be.

use serde_json::{Value, json};
use testkit::{FUNDS_CONSENTS, TestServer, day, detailed, euro_payment, parameter};

use crate::ID;

/// Whoever reads a consent or a payment reads all of its authorisations, and those that wait end with it.
#[tokio::test]
async fn fifty_authorisations_of_one_thing_are_begun_and_no_more() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let empty = json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let (status, customer) = server.manage("POST", "/test-accounts", empty).await;
    assert_eq!(status, 201, "{customer}");
    let iban = customer["iban"].as_str().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let consent = tpp.consent(&server, &detailed(iban, true)).await;
    let funds = tpp.funds_consent(&server, iban).await;
    let mut later = euro_payment("1.00", "DE89370400440532013000");
    later["requestedExecutionDate"] = day(9).into();
    let payment = tpp.submitted_payment(&server, ("payments/sepa-credit-transfers", &later), iban).await.path;
    // With those that came with what was asked for.
    let stops = format!("{payment}/cancellation-authorisations");
    let ask_anew = ("50 authorisations of it were begun", "or ask for what it is about anew");
    // Asked for anew, it would be a second payment.
    let wait = (
        "50 authorisations of its cancellation were begun within 24 hours",
        "24 hours after the first of them",
    );
    for (path, begun, (begins, ends)) in [
        (format!("/v1/consents/{}/authorisations", text(&consent["consentId"])), 1, ask_anew),
        (format!("{FUNDS_CONSENTS}/{}/authorisations", text(&funds["consentId"])), 1, ask_anew),
        (stops.clone(), 0, wait),
    ] {
        let begin = tpp.redirecting("POST", &path);
        let first = server.send(&begin).await;
        assert_eq!(first.status, 201, "{path}: {}", first.body);
        for number in begun + 1..50 {
            let more = server.send(&tpp.redirecting("POST", &path)).await;
            assert_eq!(more.status, 201, "{path} {number}: {}", more.body);
        }
        let refused = server.send(&tpp.redirecting("POST", &path)).await;
        assert_eq!((refused.status, refused.error().0.as_str()), (400, "STATUS_INVALID"), "{path}");
        let said = refused.error().1;
        assert!(said.starts_with(begins) && said.ends_with(ends), "{}", refused.body);
        let all = server.send(&tpp.get(&path)).await.json()["authorisationIds"].clone();
        assert_eq!(all.as_array().unwrap().len(), 50, "{path}");
        assert_eq!(server.send(&begin).await.body, first.body, "the same request is no further one");
    }
    // Taking a payment back begins one, too.
    let late = server.send(&tpp.redirecting("DELETE", &payment)).await;
    assert_eq!((late.status, late.error().0.as_str()), (400, "STATUS_INVALID"), "{}", late.body);
    // The newest one is as good as any.
    let location = server.decide(&tpp.authorization_url(&consent), iban, "approve").await;
    assert!(parameter(&location, "code").is_some(), "{location}");

    // On another day a payment can be taken back after all, however often that came to nothing.
    server.advance("nl", "PT24H").await;
    for (method, path, status) in [("DELETE", &payment, 202), ("POST", &stops, 201)] {
        let begun = server.send(&tpp.redirecting(method, path)).await;
        assert_eq!(begun.status, status, "{}", begun.body);
    }
    let all = server.send(&tpp.get(&stops)).await.json()["authorisationIds"].clone();
    assert_eq!(all.as_array().unwrap().len(), 52);
}
