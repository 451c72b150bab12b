//! The page on which a customer decides about confirmation of funds, for a third party that issues cards and does nothing
//! else.

use serde_json::{Value, json};
use testkit::{CALLBACK, Request, TestServer, TestTpp, ValidConsent, in_euro, parameter};

use crate::ID;
use crate::pages::Browser;

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    customer: Value,
}

impl Scene {
    async fn new(persona: &str) -> Self {
        let server = TestServer::start().await;
        let signer = server.certificate(json!({"organizationIdentifier": ID, "roles": ["PSP_IC"]})).await;
        let registration = server.register("nl", &signer, &[CALLBACK]).await;
        let secret = registration["client_secret"].as_str().unwrap().to_owned();
        let tpp = TestTpp { signer, tenant: "nl".to_owned(), secret };
        let customer = server.customer("nl", persona).await;
        Self { server, tpp, customer }
    }

    fn iban(&self) -> &str {
        self.customer["iban"].as_str().unwrap()
    }

    async fn ask(&self, card: &Value) -> Value {
        let mut body = card.clone();
        body["account"] = json!({"iban": self.iban()});
        let answer = self.server.send(&self.tpp.funds_consent_request(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    async fn status(&self, asked: &Value) -> Value {
        let path = asked["_links"]["status"].as_str().unwrap().strip_prefix("/nl").unwrap();
        self.server.send(&self.tpp.get(path)).await.json()["consentStatus"].clone()
    }
}

#[tokio::test]
async fn the_page_says_who_asks_what_and_about_which_account() {
    let scene = Scene::new("saver").await;
    let Scene { server, tpp, customer, .. } = &scene;
    let card = json!({"cardNumber": "5409050000001234", "cardInformation": "My <b>Merchant</b> Card"});
    let asked = scene.ask(&card).await;
    let url = tpp.authorization_url(&asked);
    // Programs that look where a link leads see the same and begin nothing.
    let head = server.send(&Request::new("HEAD", url.strip_prefix(server.url()).unwrap())).await;
    assert_eq!((head.status, head.header("set-cookie")), (302, ""));
    assert!(head.header("location").ends_with("/auth/internalonly/authorise.html"));
    let mut browser = Browser::open(server, &url).await;
    browser.log_in(customer).await;
    let page = browser.get("?lang=en").await.body;
    let number = customer["iban"].as_str().unwrap().as_bytes().chunks(4).map(String::from_utf8_lossy);
    let number = number.collect::<Vec<_>>().join(" ");
    for text in [
        "Let it ask whether there is enough money?",
        "The answer is yes or no: it does not see the balance, and nothing is set aside.",
        "Until you withdraw it",
        "You can withdraw this consent at any time.",
        "My &#60;b&#62;Merchant&#60;/b&#62; Card \u{2026}1234",
        &number,
        ID,
        "G. van den Berg",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    for text in [
        "Share account information?",
        "Wants to see",
        "5409050000001234",
        "Savings account",
        "<input type=\"radio\"",
    ] {
        assert!(!page.contains(text), "{text}: {page}");
    }
    for (language, text) in [("nl", "Laten vragen of er genoeg geld is?"), ("fr", "Permettre de demander")] {
        let page = browser.get(&format!("?lang={language}")).await.body;
        assert!(page.contains(text) && page.contains(&format!("<html lang=\"{language}\">")), "{page}");
    }
    let approved = browser.submit(&[("action", "approve")]).await;
    let location = approved.header("location");
    assert_eq!(approved.status, 303, "{}", approved.body);
    let tokens = tpp.redeem(server, &parameter(location, "code").unwrap()).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let id = asked["consentId"].as_str().unwrap();
    assert_eq!(tokens.json()["scope"], format!("openid PIIS:{id}"));
    assert_eq!(tokens.json()["refresh_token"], Value::Null);
    let consent = ValidConsent {
        id: id.to_owned(),
        authorisation: asked["authorisationId"].as_str().unwrap().to_owned(),
        access_token: tokens.json()["access_token"].as_str().unwrap().to_owned(),
        refresh_token: String::new(),
    };
    assert_eq!(scene.status(&asked).await, "received", "until the third party confirms");
    assert_eq!(tpp.confirm_funds_consent(server, &consent).await.status, 200);
    assert_eq!(scene.status(&asked).await, "valid");
    let answer = server.send(&tpp.ask(&consent, &in_euro(scene.iban(), "0.01"))).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"fundsAvailable": true})), "{}", answer.body);
    // Whoever holds a token of it can be told who the customer is, as with any other.
    let info = Request::new("GET", "/auth/nl/v1/userinfo");
    let info = server.send(&info.set("authorization", format!("Bearer {}", consent.access_token))).await;
    assert_eq!((info.status, info.json()["sub"].is_string()), (200, true), "{}", info.body);
}

#[tokio::test]
async fn a_customer_who_cancels_refuses_and_one_of_two_browsers_decides() {
    let scene = Scene::new("student").await;
    let Scene { server, tpp, customer, .. } = &scene;
    let asked = scene.ask(&json!({})).await;
    let url = tpp.authorization_url(&asked);
    let (mut browser, mut other) = (Browser::open(server, &url).await, Browser::open(server, &url).await);
    browser.log_in(customer).await;
    other.log_in(customer).await;
    assert!(!other.get("?lang=en").await.body.contains("<dt>Card</dt>"), "no card was named");
    let cancelled = browser.submit(&[("action", "cancel")]).await;
    let error = parameter(cancelled.header("location"), "error");
    assert_eq!((cancelled.status, error.as_deref()), (303, Some("consent_required")), "{}", cancelled.body);
    assert_eq!(scene.status(&asked).await, "rejected");
    // There is nothing left that could be approved.
    let late = other.get("").await;
    let words = parameter(late.header("location"), "error_description").unwrap();
    assert!(words.starts_with("No pending authorisations found for consent with uuid"), "{words}");
}
