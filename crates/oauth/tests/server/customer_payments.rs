//! Payments on a customer's own pages: what waits, what became of others, and an end to what is not made yet.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro};
use testkit::{TestServer, TestTpp, day, euro_payment, monthly_payment};

use crate::ID;
use crate::customer::OwnBrowser;
use crate::pages::value;

const SEPA: &str = "payments/sepa-credit-transfers";
const PERIODIC: &str = "periodic-payments/sepa-credit-transfers";
const SHOP: &str = "NL91ABNA0417164300";

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    customer: Value,
}

impl Scene {
    async fn new(persona: &str) -> Self {
        let server = TestServer::start().await;
        server.at_ten("nl").await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", persona).await;
        Self { server, tpp, customer }
    }

    fn iban(&self) -> &str {
        self.customer["iban"].as_str().unwrap()
    }

    /// The customer inside, in English.
    async fn browser(&self) -> OwnBrowser<'_> {
        let mut browser = OwnBrowser::of(&self.server, "nl", &self.customer).await;
        browser.get("?lang=en").await;
        browser
    }

    /// A payment that names the customer's account.
    fn naming_account(&self, amount: &str) -> Value {
        let mut body = euro_payment(amount, SHOP);
        body["debtorAccount"] = json!({"iban": self.iban()});
        body["creditorName"] = "<b>Shop & Co</b>".into();
        body
    }
}

#[tokio::test]
async fn what_waits_is_shown_and_refused() {
    let scene = Scene::new("household").await;
    let Scene { server, tpp, .. } = &scene;
    let asked = tpp.payment(server, SEPA, &scene.naming_account("12.50")).await;
    let other = tpp.payment(server, SEPA, &scene.naming_account("7.25")).await;
    let mut browser = scene.browser().await;
    let overview = browser.get("").await.body;
    for shown in
        ["Waiting", "€12.50", "€7.25", "Shop &#38; Co", "Waits for your approval", "Example TPP B.V."]
    {
        assert!(overview.contains(shown), "{shown}: {overview}");
    }
    assert!(!overview.contains("<b>"), "{overview}");
    let id = asked["paymentId"].as_str().unwrap();
    let path = format!("/payments/{id}");
    let page = browser.get(&path).await.body;
    for shown in ["Refuse this payment", "Invoice 7", "NL91 ABNA 0417 1643 00", "As soon as possible"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let done = browser.submit(&path, &[("action", "end")]).await;
    assert_eq!((done.status, done.header("location")), (303, format!("{}{path}", browser.base).as_str()));
    let page = browser.get(&path).await.body;
    assert!(page.contains("Not made: it was refused or stopped on request") && !page.contains("Refuse this"));
    assert_eq!(tpp.payment_status(server, &tpp.path_of(&asked["_links"]["self"])).await, "RJCT");
    let sca = server.send(&tpp.get(&tpp.path_of(&asked["_links"]["scaStatus"]))).await;
    assert_eq!(sca.json()["scaStatus"], "failed");
    // Nobody can approve it any more, and the other one waits as before.
    let location = server.decide(&tpp.authorization_url(&asked), scene.iban(), "approve").await;
    assert!(location.contains("error="), "{location}");
    assert_eq!(tpp.payment_status(server, &tpp.path_of(&other["_links"]["self"])).await, "RCVD");
    // From a page that was open elsewhere.
    let again = server.send(&browser.form(&path, &value(&page, "csrf"), &[("action", "end")])).await;
    assert!(again.status == 409 && again.body.contains("cannot be ended any more"), "{}", again.body);
    let overview = browser.get("").await.body;
    assert!(overview.contains("What became of others") && overview.contains("Not made"), "{overview}");
    // What nobody decides about in time says so.
    server.advance("nl", "PT30H").await;
    let mut browser = scene.browser().await;
    let page = browser.get(&format!("/payments/{}", other["paymentId"].as_str().unwrap())).await.body;
    assert!(page.contains("Not made: it was not approved and confirmed in time"), "{page}");
}

#[tokio::test]
async fn what_is_scheduled_is_stopped_and_what_is_made_is_not() {
    let scene = Scene::new("saver").await;
    let Scene { server, tpp, .. } = &scene;
    let mut later = euro_payment("9.75", SHOP);
    later["requestedExecutionDate"] = day(3).into();
    let later = tpp.submitted_payment(server, (SEPA, &later), scene.iban()).await;
    let monthly =
        tpp.submitted_payment(server, (PERIODIC, &monthly_payment("5.00", SHOP)), scene.iban()).await;
    let made = tpp.submitted_payment(server, (SEPA, &euro_payment("1.00", SHOP)), scene.iban()).await;
    let approved = tpp.approved_payment(server, (SEPA, &euro_payment("2.00", SHOP)), scene.iban()).await;
    let mut browser = scene.browser().await;
    let id = |path: &str| format!("/payments/{}", path.rsplit('/').next().unwrap());
    for (payment, state) in [
        (&later, "Will be made"),
        (&monthly, "Will be made"),
        (&approved, "Approved by you; waits for the application"),
    ] {
        let page = browser.get(&id(&payment.path)).await.body;
        assert!(page.contains(state) && page.contains("value=\"end\""), "{state}: {page}");
        let before = value(&page, "csrf");
        assert_eq!(browser.submit(&id(&payment.path), &[("action", "end")]).await.status, 303);
        let page = browser.get(&id(&payment.path)).await.body;
        let ended = if state == "Will be made" { "Cancelled" } else { "Not made" };
        assert!(page.contains(ended) && !page.contains("value=\"end\""), "{ended}: {page}");
        let again = server.send(&browser.form(&id(&payment.path), &before, &[("action", "end")])).await;
        assert_eq!(again.status, 409, "{}", again.body);
    }
    assert_eq!(tpp.payment_status(server, &later.path).await, "CANC");
    assert_eq!(tpp.payment_status(server, &monthly.path).await, "CANC");
    assert_eq!(tpp.payment_status(server, &approved.path).await, "RJCT");
    let confirmed = tpp.confirm_payment_at(server, &approved.authorisation, &approved.access_token).await;
    assert!((400..500).contains(&confirmed.status), "{}", confirmed.body);

    let page = browser.get(&id(&made.path)).await.body;
    assert!(!page.contains("value=\"end\""), "{page}");
    let late = server.send(&browser.form(&id(&made.path), &value(&page, "csrf"), &[("action", "end")])).await;
    assert!(late.status == 409 && late.body.contains("cannot be ended any more"), "{}", late.body);
    let other = server.customer("nl", "student").await;
    let mut stranger = OwnBrowser::of(server, "nl", &other).await;
    assert_eq!(stranger.get(&id(&made.path)).await.status, 404);
    let csrf = value(&stranger.get("").await.body, "csrf");
    let refused = server.send(&stranger.form(&id(&later.path), &csrf, &[("action", "end")])).await;
    assert_eq!(refused.status, 404, "{}", refused.body);
}

#[tokio::test]
async fn drafts_of_a_service_provider_are_refused_too() {
    let scene = Scene::new("household").await;
    let provider = BunqClient::provider(&scene.server, "Draft PISP").await;
    let path = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let draft = json!({"sender_iban": scene.iban(), "counterparty_iban": SHOP, "counterparty_name": "Shop",
        "description": "Order", "amount": euro("12.50")});
    let id = provider.make(&path, &draft).await;
    let mut browser = scene.browser().await;
    let overview = browser.get("").await.body;
    assert!(overview.contains("Draft PISP") && overview.contains("€12.50"), "{overview}");
    let payment = overview.split_once("/customer/payments/").unwrap().1.split('"').next().unwrap().to_owned();
    assert_eq!(browser.submit(&format!("/payments/{payment}"), &[("action", "end")]).await.status, 303);
    let listed = provider.list(&format!("{path}/{id}")).await.remove(0);
    assert_eq!(listed["status"], "REJECTED", "{listed}");
}
