//! The signature covers the request id and neither method nor path: the signed headers of one call are of no use for
//! another.

use serde_json::json;
use testkit::{Request, TestServer, detailed};

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
