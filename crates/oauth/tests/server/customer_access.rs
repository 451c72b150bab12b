//! Who has access, at a customer's own pages, and an end to it.

use serde_json::{Value, json};
use testkit::bunq::BunqClient;
use testkit::{Answer, TestServer, TestTpp, ValidConsent, detailed, in_euro};

use crate::ID;
use crate::customer::{OwnBrowser, grouped, iban};
use crate::pages::value;

async fn withdraw(browser: &mut OwnBrowser<'_>, id: &str) -> Answer {
    let path = format!("/access/{id}");
    let done = browser.submit(&path, &[("action", "withdraw")]).await;
    assert_eq!((done.status, done.header("location")), (303, format!("{}{path}", browser.base).as_str()));
    browser.get(&path).await
}

/// A third party and a customer who gave it access.
pub(crate) async fn given(server: &TestServer) -> (TestTpp, Value, ValidConsent) {
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let consent = tpp.valid(server, &detailed(iban(&customer), true), iban(&customer)).await;
    (tpp, customer, consent)
}

#[tokio::test]
async fn access_is_shown_and_ends_when_the_customer_withdraws_it() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let (tpp, customer, consent) = given(&server).await;
    let mut browser = OwnBrowser::of(&server, "nl", &customer).await;
    let before = browser.get("?lang=en").await.body;
    assert!(before.contains("Example TPP B.V.") && before.contains("Last used: Not yet"), "{before}");
    assert_eq!(server.send(&tpp.read("/v1/accounts", &consent)).await.status, 200);
    let page = browser.get(&format!("/access/{}", consent.id)).await.body;
    for text in
        [ID, "balances", "transactions", "NextGenPSD2", "In use", "Withdraw now", &grouped(iban(&customer))]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Not yet"), "it was used: {page}");

    let after = withdraw(&mut browser, &consent.id).await.body;
    assert!(after.contains("Withdrawn by you, ") && !after.contains("Withdraw now"), "{after}");
    let refused = server.send(&tpp.read("/v1/accounts", &consent)).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (401, "CONSENT_INVALID"), "{}", refused.body);
    assert!(refused.error().1.ends_with("with status revokedByPsu"), "{}", refused.body);
    assert_ne!(tpp.refresh(&server, &consent.refresh_token).await.status, 200);
    let status = server.send(&tpp.get(&format!("/v1/consents/{}/status", consent.id))).await;
    assert_eq!(status.json()["consentStatus"], "revokedByPsu");

    // Once more, from a page that was open elsewhere: it says so and changes nothing.
    let csrf = value(&after, "csrf");
    let path = format!("/access/{}", consent.id);
    let again = server.send(&browser.form(&path, &csrf, &[("action", "withdraw")])).await;
    assert!(again.status == 409 && again.body.contains("has ended already"), "{}", again.body);
    let overview = browser.get("").await.body;
    assert!(overview.contains("Nobody has access") && overview.contains("Access that has ended (1)"));
}

#[tokio::test]
async fn what_ended_by_itself_or_by_the_third_party_cannot_be_withdrawn() {
    let server = TestServer::start().await;
    let (tpp, customer, consent) = given(&server).await;
    let mut browser = OwnBrowser::of(&server, "nl", &customer).await;
    browser.get("?lang=en").await;
    let path = format!("/access/{}", consent.id);
    let csrf = value(&browser.get(&path).await.body, "csrf");
    let deleted = tpp.request("DELETE", &format!("/v1/consents/{}", consent.id)).signed(&tpp.signer);
    assert_eq!(server.send(&deleted).await.status, 204);
    let refused = server.send(&browser.form(&path, &csrf, &[("action", "withdraw")])).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains("Ended by the company") && !refused.body.contains("Withdraw now"));
}

#[tokio::test]
async fn confirmation_of_funds_and_connections_at_bunq_end_too() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "student").await;
    let funds = tpp.valid_funds(&server, iban(&customer)).await;
    let provider = BunqClient::provider(&server, "Ended <i>AISP</i>").await;
    let connected = provider.connect(&server, &customer).await;
    assert_eq!(connected.get("/user").await.status, 200);
    let mut browser = OwnBrowser::of(&server, "nl", &customer).await;
    let page = browser.get("?lang=en").await.body;
    assert!(page.contains("whether an account holds an amount"), "{page}");
    assert!(page.contains("Ended &#60;i&#62;AISP&#60;/i&#62;") && !page.contains("<i>"), "{page}");
    let question = tpp.ask(&funds, &in_euro(iban(&customer), "1.00"));
    assert_eq!(server.send(&question).await.status, 200);
    withdraw(&mut browser, &funds.id).await;
    let question = tpp.ask(&funds, &in_euro(iban(&customer), "1.00"));
    let refused = server.send(&question).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (401, "CONSENT_INVALID"), "{}", refused.body);

    let (_, consents) =
        server.manage("GET", &format!("/consents?iban={}", iban(&customer)), json!(null)).await;
    let all = consents["consents"].as_array().unwrap();
    let connection = all.iter().find(|one| one["tpp"] != ID).unwrap()["consentId"].as_str().unwrap();
    let shown = browser.get(&format!("/access/{connection}")).await.body;
    assert!(shown.contains("<dd>bunq</dd>") && shown.contains("In use"), "{shown}");
    withdraw(&mut browser, connection).await;
    assert_eq!(connected.get("/user").await.status, 403);
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_there() {
    let server = TestServer::start().await;
    let (tpp, customer, consent) = given(&server).await;
    let funds = tpp.valid_funds(&server, iban(&customer)).await;
    let other = server.customer("nl", "student").await;
    let mut owner = OwnBrowser::of(&server, "nl", &customer).await;
    let overview = owner.get("").await.body;
    let account = overview.split_once("/customer/accounts/").unwrap().1.split('"').next().unwrap().to_owned();
    assert_eq!(owner.get(&format!("/accounts/{account}")).await.status, 200);
    let mut browser = OwnBrowser::of(&server, "nl", &other).await;
    let csrf = value(&browser.get("").await.body, "csrf");
    for path in [
        format!("/access/{}", consent.id),
        format!("/access/{}", funds.id),
        format!("/accounts/{account}"),
        "/access/00000000-0000-4000-8000-000000000000".to_owned(),
        "/payments/00000000-0000-4000-8000-000000000000".to_owned(),
        "/accounts/%3Cb%3E".to_owned(),
    ] {
        let refused = browser.get(&path).await;
        assert_eq!(refused.status, 404, "{path}: {}", refused.body);
        assert!(
            refused.body.contains("Deze pagina bestaat niet") && refused.body.contains("Naar het overzicht")
        );
        if path.starts_with("/accounts") {
            continue;
        }
        let action = if path.starts_with("/access") { "withdraw" } else { "end" };
        let refused = server.send(&browser.form(&path, &csrf, &[("action", action)])).await;
        assert_eq!(refused.status, 404, "{path}: {}", refused.body);
    }
    assert_eq!(server.send(&tpp.read("/v1/accounts", &consent)).await.status, 200);
    let question = tpp.ask(&funds, &in_euro(iban(&customer), "1.00"));
    assert_eq!(server.send(&question).await.status, 200);
}
