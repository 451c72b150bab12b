//! Consents end, whatever was decided about them or not, and are forgotten a while later by a task of its own.

use std::time::Duration;

use serde_json::Value;
use testkit::{FUNDS_CONSENTS, TestServer, TestTpp, bank_offered};

use crate::ID;

/// The status of a consent; none if there is no such consent.
async fn status(server: &TestServer, tpp: &TestTpp, consent: &str) -> Option<String> {
    let answer = server.send(&tpp.get(&format!("/v1/consents/{consent}/status"))).await;
    if answer.status == 200 {
        return Some(answer.json()["consentStatus"].as_str().unwrap().to_owned());
    }
    assert_eq!(answer.error().0, "CONSENT_UNKNOWN", "{}", answer.body);
    None
}

#[tokio::test]
async fn consents_are_forgotten_when_nobody_can_need_them_any_more() {
    let server = TestServer::start().await;
    let mut tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "student").await;
    let iban = customer["iban"].as_str().unwrap();
    let id = |asked: &Value| asked["consentId"].as_str().unwrap().to_owned();
    let body = bank_offered("9999-12-31");
    let abandoned = id(&tpp.consent(&server, &body).await);
    let refused = tpp.consent(&server, &body).await;
    server.decide(&tpp.authorization_url(&refused), iban, "reject").await;
    let refused = id(&refused);
    // Approved, with tokens, and never confirmed.
    let unconfirmed = tpp.approved(&server, &body, iban).await.id;
    let (valid, ended) = (tpp.valid(&server, &body, iban).await.id, tpp.valid(&server, &body, iban).await.id);
    let deleted =
        server.send(&tpp.request("DELETE", &format!("/v1/consents/{ended}")).signed(&tpp.signer)).await;
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    let all = [&abandoned, &refused, &unconfirmed, &valid, &ended];
    let (rejected, terminated) = (Some("rejected"), Some("terminatedByTpp"));
    for (advance, expected) in [
        ("P2D", [rejected, rejected, rejected, Some("valid"), terminated]),
        ("P26D", [rejected, rejected, rejected, Some("valid"), terminated]),
        ("P5D", [None, None, None, Some("valid"), terminated]),
        ("P167D", [None, None, None, Some("expired"), terminated]),
        ("P210D", [None, None, None, Some("expired"), None]),
        ("P200D", [None, None, None, None, None]),
    ] {
        server.advance("nl", advance).await;
        // Certificates end sooner than what is remembered.
        tpp.signer = server.tpp(ID).await;
        for (consent, expected) in all.into_iter().zip(expected) {
            for _ in 0..600 {
                if expected.is_some() || status(&server, &tpp, consent).await.is_none() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert_eq!(status(&server, &tpp, consent).await.as_deref(), expected, "{advance} {consent}");
        }
    }
}

/// Tokens are forgotten sooner than what they are of. A client that always sends its last one ends its consent all the same.
#[tokio::test]
async fn a_consent_is_ended_with_a_token_that_nobody_knows_any_more() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "saver").await;
    let iban = customer["iban"].as_str().unwrap();
    let accounts = tpp.valid(&server, &bank_offered("9999-12-31"), iban).await;
    let funds = tpp.valid_funds(&server, iban).await;
    let end = async |path: &str, token: &str| {
        let request = tpp.request("DELETE", path).set("authorization", format!("Bearer {token}"));
        server.send(&request.signed(&tpp.signer)).await
    };
    let folders = [("/v1/consents", &accounts), (FUNDS_CONSENTS, &funds)];
    // That of another one is refused.
    for ((folder, consent), (_, other)) in folders.iter().zip(folders.iter().rev()) {
        let refused = end(&format!("{folder}/{}", consent.id), &other.access_token).await;
        assert_eq!((refused.status, refused.error().0.as_str()), (401, "CONSENT_INVALID"), "{folder}");
    }
    server.advance("nl", "P120D").await;
    for (folder, consent) in folders {
        let path = format!("{folder}/{}", consent.id);
        let status = async || server.send(&tpp.get(&format!("{path}/status"))).await.json();
        assert_eq!(status().await["consentStatus"], "valid", "{folder}");
        let ended = end(&path, &consent.access_token).await;
        assert_eq!(ended.status, 204, "{folder}: {}", ended.body);
        assert_eq!(status().await["consentStatus"], "terminatedByTpp", "{folder}");
    }
}
