//! What a request id stands for: one request of one third party, by its method and path (section 12 of the contract).

use serde_json::json;
use testkit::{CALLBACK, Request, TestServer, detailed, euro_payment};

use crate::ID;

const SEPA: &str = "payments/sepa-credit-transfers";

/// A third party may send one id with all the calls of a flow: each of them is another request.
#[tokio::test]
async fn an_id_is_good_once_for_each_method_and_path() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["accounts"][0]["iban"].as_str().unwrap();
    let with_id = |request: Request| {
        let request = request.set("x-request-id", "the same for all").set("psu-ip-address", "192.0.2.1");
        request.set("tpp-redirect-uri", CALLBACK).signed(&tpp.signer)
    };
    let asking = with_id(tpp.consent_request(&detailed(iban, true)));
    let asked = server.send(&asking).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let path = tpp.path_of(&asked.json()["_links"]["self"]);
    let attempts = format!("{path}/authorisations");
    for (method, path, status) in [
        ("GET", path.clone(), 200),
        ("GET", format!("{path}/status"), 200),
        ("POST", attempts.clone(), 201),
        ("GET", attempts.clone(), 200),
        ("DELETE", path.clone(), 204),
        ("DELETE", path.clone(), 204),
    ] {
        let answer = server.send(&with_id(tpp.request(method, &path))).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    }
    // Another path, which makes something else.
    let other = server.customer("nl", "student").await;
    let creditor = other["iban"].as_str().unwrap();
    let paying = with_id(tpp.payment_request(SEPA, &euro_payment("1.00", creditor)));
    let paid = server.send(&paying).await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    // The same request is answered as before, and another one at its path refused.
    assert_eq!(server.send(&paying).await.body, paid.body);
    assert_eq!(server.send(&asking).await.status, 201);
    for changed in [
        with_id(tpp.payment_request(SEPA, &euro_payment("2.00", creditor))),
        with_id(tpp.consent_request(&detailed(iban, false))),
    ] {
        let answer = server.send(&changed).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (400, "FORMAT_ERROR"), "{}", answer.body);
        assert!(
            answer.error().1.contains("for another request to this path; use a new UUID"),
            "{}",
            answer.body
        );
    }
}

#[tokio::test]
async fn the_same_call_again_is_no_other_call_and_others_have_ids_of_their_own() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["accounts"][0]["iban"].as_str().unwrap();
    let request = tpp.consent_request(&detailed(iban, true));
    let (first, again) = (server.send(&request).await, server.send(&request).await);
    assert_eq!((first.status, again.status, &first.body), (201, 201, &again.body));
    let id = request.headers["x-request-id"].to_str().unwrap().to_owned();
    // A third party that chooses the same id is not concerned.
    let other = server.registered("nl", "PSDNL-DNB-R999999").await;
    let theirs = other.consent_request(&detailed(iban, true)).set("x-request-id", &id);
    let theirs = server.send(&theirs.sign(&other.signer, "digest x-request-id")).await;
    assert_eq!(theirs.status, 201);
    assert_ne!(theirs.json()["consentId"], first.json()["consentId"]);
    // After a day an id is as good as new.
    let later = tpp.consent_request(&detailed(iban, false)).set("x-request-id", &id);
    let later = later.sign(&tpp.signer, "digest x-request-id");
    assert_eq!(server.send(&later).await.status, 400);
    server.advance("nl", "P1D").await;
    assert_eq!(server.send(&later).await.status, 201);
}

/// The same call that takes a payment back does so once, and is answered as before.
#[tokio::test]
async fn a_cancellation_that_is_repeated_is_answered_as_before() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (payer["iban"].as_str().unwrap(), payee["iban"].as_str().unwrap());
    let payment = tpp.approved_payment(&server, (SEPA, &euro_payment("1.00", creditor)), iban).await;
    let delete = tpp.redirecting("DELETE", &payment.path);
    let (first, again) = (server.send(&delete).await, server.send(&delete).await);
    assert_eq!((first.status, again.status, &first.body), (200, 200, &again.body));
    assert_eq!(first.json()["transactionStatus"], json!("CANC"));
}
