//! The signature covers the request id and neither method nor path: the signed headers of one call are of no use for
//! another.

use serde_json::json;
use testkit::{CALLBACK, Request, TestServer, detailed, euro_payment};

use crate::ID;

/// The headers of a call with another method or path.
fn moved(request: &Request, method: &str, path: &str) -> Request {
    let mut moved = Request::new(method, path);
    moved.headers = request.headers.clone();
    moved
}

#[tokio::test]
async fn signed_headers_of_one_call_are_no_good_for_another_that_changes_something() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["accounts"][0]["iban"].as_str().unwrap();
    let consent = tpp.consent(&server, &detailed(iban, true)).await;
    let other = tpp.consent(&server, &detailed(iban, true)).await;
    let path = |consent: &serde_json::Value| {
        format!("/xs2a-bg/nl/v1/consents/{}", consent["consentId"].as_str().unwrap())
    };
    let status = async |consent: &serde_json::Value| {
        let id = consent["consentId"].as_str().unwrap();
        let answer = server.send(&tpp.get(&format!("/v1/consents/{id}/status"))).await;
        answer.json()["consentStatus"].clone()
    };
    let read = moved(&tpp.get("/v1/x"), "GET", &path(&consent));
    let read_status = moved(&tpp.get("/v1/x"), "GET", &format!("{}/status", path(&consent)));
    for request in [&read, &read_status] {
        assert_eq!(server.send(request).await.status, 200);
        // Also read again, and at another address: that changes nothing.
        assert_eq!(server.send(request).await.status, 200);
        assert_eq!(server.send(&moved(request, "GET", &path(&other))).await.status, 200);
    }
    for (name, stolen) in [
        ("another method", moved(&read, "DELETE", &path(&consent))),
        ("another method, with a slash", moved(&read, "DELETE", &format!("{}/", path(&consent)))),
        ("another method and path", moved(&read_status, "DELETE", &path(&consent))),
        ("another consent", moved(&read, "DELETE", &path(&other))),
        ("a new authorisation", moved(&read, "POST", &format!("{}/authorisations", path(&consent)))),
    ] {
        let answer = server.send(&stolen).await;
        let (code, text) = answer.error();
        assert_eq!((answer.status, code.as_str()), (400, "FORMAT_ERROR"), "{name}: {}", answer.body);
        assert!(text.contains("for another method or path; use a new UUID"), "{name}: {text}");
    }
    assert_eq!((status(&consent).await, status(&other).await), (json!("received"), json!("received")));
    // The headers of a call that changed something are good for that call alone.
    let delete = moved(&tpp.get("/v1/x"), "DELETE", &path(&consent));
    assert_eq!(server.send(&delete).await.status, 204);
    assert_eq!(server.send(&moved(&delete, "DELETE", &path(&other))).await.status, 400);
    assert_eq!(status(&other).await, "received");
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
    assert_eq!(server.send(&theirs.sign(&other.signer, "digest x-request-id")).await.status, 201);
    // Nobody takes an id from its owner by a call whose signature does not fit.
    let fresh = tpp.consent_request(&detailed(iban, true));
    let mut forged = Request::new("DELETE", "/xs2a-bg/nl/v1/consents/00000000-0000-0000-0000-000000000000");
    forged.headers = fresh.headers.clone();
    let forged = forged.set(
        "signature",
        "keyId=\"SN=1,CA=CN=x\",algorithm=\"rsa-sha256\",headers=\"digest x-request-id\",signature=\"AAAA\"",
    );
    assert_eq!(server.send(&forged).await.status, 401);
    assert_eq!(server.send(&fresh).await.status, 201);
    // After a day an id is as good as new.
    server.advance("nl", "P1D").await;
    let path = format!("/xs2a-bg/nl/v1/consents/{}", first.json()["consentId"].as_str().unwrap());
    let mut later = Request::new("DELETE", &path);
    later.headers = tpp.get("/v1/x").set("x-request-id", &id).signed(&tpp.signer).headers;
    assert_eq!(server.send(&later).await.status, 204);
}

#[tokio::test]
async fn signed_headers_of_one_call_neither_make_nor_cancel_another_payment() {
    const SEPA: &str = "payments/sepa-credit-transfers";
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (payer["iban"].as_str().unwrap(), payee["iban"].as_str().unwrap());
    let body = euro_payment("1.00", creditor);
    let payment = tpp.approved_payment(&server, (SEPA, &body), iban).await;
    let other = tpp.approved_payment(&server, (SEPA, &body), iban).await;
    let below = |path: &str| format!("/xs2a-bg/nl{path}");
    let read = tpp.redirecting("GET", &payment.path);
    assert_eq!(server.send(&read).await.status, 200);
    let confirm = tpp
        .request("PUT", &payment.authorisation)
        .set("authorization", format!("Bearer {}", payment.access_token))
        .set("tpp-redirect-uri", CALLBACK)
        .signed(&tpp.signer);
    assert_eq!(server.send(&confirm).await.status, 200);
    let asking = tpp.payment_request(SEPA, &body);
    assert_eq!(server.send(&asking).await.status, 201);
    let with_body = |moved: Request| Request { body: asking.body.clone(), ..moved };
    let domestic = below("/v1/payments/uk-domestic-transfers");
    for (name, stolen) in [
        ("a read that cancels", moved(&read, "DELETE", &below(&payment.path))),
        ("a read that cancels another", moved(&read, "DELETE", &below(&other.path))),
        ("a read that begins", moved(&read, "POST", &below(&format!("{}/authorisations", other.path)))),
        ("a read that confirms", moved(&read, "PUT", &below(&other.authorisation))),
        ("a confirmation that cancels", moved(&confirm, "DELETE", &below(&other.path))),
        ("a confirmation of another", moved(&confirm, "PUT", &below(&other.authorisation))),
        ("a request for another product", with_body(moved(&asking, "POST", &domestic))),
    ] {
        let answer = server.send(&stolen).await;
        let (code, text) = answer.error();
        assert_eq!((answer.status, code.as_str()), (400, "FORMAT_ERROR"), "{name}: {}", answer.body);
        assert!(text.contains("for another method or path; use a new UUID"), "{name}: {text}");
    }
    assert_eq!(tpp.payment_status(&server, &payment.path).await, "ACSC");
    assert_eq!(tpp.payment_status(&server, &other.path).await, "RCVD");
    // The same call again is no other call.
    let delete = tpp.redirecting("DELETE", &other.path);
    let (first, again) = (server.send(&delete).await, server.send(&delete).await);
    assert_eq!((first.status, again.status, &first.body), (200, 200, &again.body));
    assert_eq!(server.send(&moved(&delete, "DELETE", &below(&payment.path))).await.status, 400);
}
