//! The whole way from a request for a consent to account data and its end.

use serde_json::{Value, json};
use testkit::{TestServer, TestTpp, bank_offered, detailed, parameter};

use crate::ID;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_recurring_consent_from_request_to_end() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = text(&customer["iban"]);

    let asked = tpp.consent(&server, &detailed(iban, true)).await;
    assert_eq!(asked["consentStatus"], "received");
    let id = text(&asked["consentId"]);
    let links = &asked["_links"];
    assert_eq!(links["self"], format!("/nl/v1/consents/{id}"));
    assert_eq!(links["status"], format!("/nl/v1/consents/{id}/status"));
    assert_eq!(links["scaStatus"], links["confirmation"]);
    let redirect = text(&links["scaRedirect"]);
    assert!(redirect.starts_with(&format!("{}/auth/nl/v1/auth?", server.url())), "{redirect}");
    assert!(redirect.contains(&format!("scope=openid+offline_access+AIS%3A{id}")), "{redirect}");
    assert!(!redirect.contains("state=") && !redirect.contains("code_challenge"));

    let location = server.decide(&tpp.authorization_url(&asked), iban, "approve").await;
    assert!(location.starts_with("https://tpp.example/callback?code="), "{location}");
    assert_eq!(parameter(&location, "state").as_deref(), Some("a state+"));
    assert_eq!(parameter(&location, "iss"), Some(format!("{}/auth/nl", server.url())));
    let code = parameter(&location, "code").unwrap();

    let tokens = tpp.redeem(&server, &code).await;
    assert_eq!((tokens.status, tokens.header("cache-control")), (200, "no-store"), "{}", tokens.body);
    let tokens = tokens.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert_eq!(tokens["scope"], format!("openid offline_access AIS:{id}"));
    let consent = testkit::ValidConsent {
        id: id.to_owned(),
        authorisation: text(&asked["authorisationId"]).to_owned(),
        access_token: text(&tokens["access_token"]).to_owned(),
        refresh_token: text(&tokens["refresh_token"]).to_owned(),
    };

    // Before the confirmation the status stays and nothing can be read.
    let status = format!("/v1/consents/{id}/status");
    assert_eq!(server.send(&tpp.get(&status)).await.json()["consentStatus"], "received");
    let early = server.send(&tpp.read("/v1/accounts", &consent)).await;
    assert_eq!((early.status, early.error().0.as_str()), (401, "CONSENT_INVALID"));
    assert_eq!(early.error().1, format!("Operation not possible on consent {id} with status received"));
    let sca = format!("/v1/consents/{id}/authorisations/{}", consent.authorisation);
    assert_eq!(server.send(&tpp.get(&sca)).await.json()["scaStatus"], "unconfirmed");

    for _ in 0..2 {
        let confirmed = tpp.confirm(&server, &consent).await;
        assert_eq!((confirmed.status, &confirmed.json()["scaStatus"]), (200, &json!("finalised")));
    }
    assert_eq!(server.send(&tpp.get(&status)).await.json()["consentStatus"], "valid");

    let accounts = server.send(&tpp.read("/v1/accounts", &consent)).await;
    assert_eq!(accounts.status, 200, "{}", accounts.body);
    let account = accounts.json()["accounts"][0].clone();
    assert_eq!((text(&account["iban"]), &account["cashAccountType"]), (iban, &json!("CACC")));
    let path = |link: &Value| text(link).strip_prefix("/nl").unwrap().to_owned();
    let balances = server.send(&tpp.attended(&path(&account["_links"]["balances"]), &consent)).await.json();
    assert_eq!(balances["balances"][0]["balanceType"], "closingBooked");
    let transactions =
        server.send(&tpp.read(&path(&account["_links"]["transactions"]), &consent)).await.json();
    assert_eq!(transactions["transactions"]["booked"].as_array().unwrap().len(), 100);

    let renewed = tpp.refreshed(&server, &consent).await;
    assert_ne!(renewed.refresh_token, consent.refresh_token);
    assert_eq!(server.send(&tpp.read("/v1/accounts", &renewed)).await.status, 200);

    let delete = || tpp.request("DELETE", &format!("/v1/consents/{id}")).signed(&tpp.signer);
    assert_eq!(server.send(&delete()).await.status, 204);
    assert_eq!(server.send(&delete()).await.status, 204, "harmless");
    assert_eq!(server.send(&tpp.get(&status)).await.json()["consentStatus"], "terminatedByTpp");
    let gone = server.send(&tpp.read("/v1/accounts", &renewed)).await;
    assert_eq!((gone.status, gone.error().0.as_str()), (401, "CONSENT_INVALID"));
    let refused = tpp.refresh(&server, &renewed.refresh_token).await;
    assert_eq!((refused.status, refused.error().1.as_str()), (400, "Unknown refresh token"));
}

#[tokio::test]
async fn the_customer_chooses_the_account_of_an_open_consent() {
    let server = TestServer::start().await;
    let tpp = server.registered("be_fr", ID).await;
    let customer = server.customer("be_fr", "saver").await;
    let iban = text(&customer["iban"]);
    let consent = tpp.valid(&server, &bank_offered("9999-12-31"), iban).await;
    let read = server.send(&tpp.get(&format!("/v1/consents/{}", consent.id))).await.json();
    assert_eq!(read["access"]["accounts"][0]["iban"], iban);
    assert_eq!(read["access"]["transactions"].as_array().unwrap().len(), 1);
    let accounts = server.send(&tpp.read("/v1/accounts", &consent)).await.json();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_one_off_consent_has_no_refresh_token() {
    let server = TestServer::start().await;
    let tpp = server.registered("uk", ID).await;
    let customer = server.customer("uk", "joint").await;
    let iban = text(&customer["iban"]);
    let asked = tpp.consent(&server, &detailed(iban, false)).await;
    assert!(!text(&asked["_links"]["scaRedirect"]).contains("offline_access"));
    let consent = tpp.valid(&server, &detailed(iban, false), iban).await;
    assert_eq!(consent.refresh_token, "");
    let account = server.send(&tpp.read("/v1/accounts", &consent)).await.json()["accounts"][0].clone();
    assert_eq!(account["name"], "M. Bakker EN/OF P. Visser");
    assert_eq!(text(&account["ukSortCode"]).len(), 6);
    assert_eq!(text(&account["ukAccountNumber"]).len(), 8);
    assert_eq!(account["currency"], "GBP");
}

#[tokio::test]
async fn every_way_back_carries_state_and_issuer() {
    let server = TestServer::start().await;
    let tpp: TestTpp = server.registered("be_fr", ID).await;
    let customer = server.customer("be_fr", "student").await;
    let iban = text(&customer["iban"]);
    let body = detailed(iban, true);
    for (decision, error, words) in [
        ("reject", "consent_required", "cancelled"),
        ("wrong-answer", "access_denied", "Log-in failed"),
        ("expire", "access_denied", "timed out"),
    ] {
        let asked = tpp.consent(&server, &body).await;
        let url = tpp.authorization_url(&asked);
        let location = server.decide(&url, iban, decision).await;
        assert_eq!(parameter(&location, "error").as_deref(), Some(error), "{location}");
        assert!(parameter(&location, "error_description").unwrap().contains(words), "{location}");
        assert_eq!(parameter(&location, "state").as_deref(), Some("a state+"));
        let issuer = parameter(&location, "iss").unwrap();
        assert!(issuer.contains("/auth/be_fr"), "{issuer}");
        // The link is of no use any more.
        let again = server.decide(&url, iban, "approve").await;
        assert_eq!(parameter(&again, "iss"), Some(issuer));
        assert_eq!(parameter(&again, "error").as_deref(), Some("invalid_request"));
        let expected =
            format!("No pending authorisations found for consent with uuid {}", text(&asked["consentId"]));
        assert_eq!(parameter(&again, "error_description"), Some(expected));
    }
}
