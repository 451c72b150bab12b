//! The page about a payment that a third party asks for and confirms once the customer approved it; and the one on which
//! the customer stops what they approved before.

use serde_json::{Value, json};
use testkit::{Answer, TestServer, TestTpp, day, euro_payment, monthly_payment, parameter};

use crate::ID;
use crate::pages::{Browser, value};
use crate::paying_page::payment;

const SEPA: &str = "payments/sepa-credit-transfers";
const SHOP: &str = "NL91ABNA0417164300";

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    customer: Value,
}

impl Scene {
    async fn new(persona: &str) -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", persona).await;
        Self { server, tpp, customer }
    }

    fn iban(&self) -> &str {
        self.customer["iban"].as_str().unwrap()
    }

    /// The customer, logged in at the page that an answer's links lead to.
    async fn browser(&self, asked: &Value) -> Browser<'_> {
        let mut browser = Browser::open(&self.server, &self.tpp.authorization_url(asked)).await;
        browser.log_in(&self.customer).await;
        browser
    }

    async fn status(&self, asked: &Value) -> String {
        let path = self.tpp.path_of(&asked["_links"]["self"]);
        self.tpp.payment_status(&self.server, &path).await
    }

    async fn sca_status(&self, asked: &Value) -> Value {
        let path = self.tpp.path_of(&asked["_links"]["scaStatus"]);
        self.server.send(&self.tpp.get(&path)).await.json()["scaStatus"].clone()
    }

    /// The third party confirms what the browser came back with.
    async fn confirm(&self, asked: &Value, back: &Answer) -> Answer {
        let code = parameter(back.header("location"), "code").unwrap_or_else(|| panic!("{}", back.body));
        let tokens = self.tpp.redeem(&self.server, &code).await.json();
        let path = self.tpp.path_of(&asked["_links"]["scaStatus"]);
        self.tpp.confirm_payment_at(&self.server, &path, tokens["access_token"].as_str().unwrap()).await
    }
}

#[tokio::test]
async fn a_payment_is_approved_with_an_answer_for_it() {
    let scene = Scene::new("saver").await;
    let asked = scene.tpp.payment(&scene.server, SEPA, &euro_payment("1234.50", SHOP)).await;
    let mut browser = scene.browser(&asked).await;
    let page = browser.get("?lang=nl").await.body;
    for shown in [
        "Deze betaling goedkeuren?",
        "€\u{a0}1.234,50",
        "A. Payee",
        "NL91 ABNA 0417 1643 00",
        "Invoice 7",
        "Zo snel mogelijk",
        "beschikbaar",
        "Example TPP B.V.",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let (payment, account) = (payment(&page), value(&page, "account"));
    let fields = [(payment.as_str(), "accept"), ("account", account.as_str())];

    let (challenge, answer) = browser.simulate(&fields).await;
    let unchosen = browser.answer(&fields[..1], (&challenge, &answer)).await;
    assert!(unchosen.body.contains("Kies de rekening waarvan wordt betaald"), "{}", unchosen.body);
    let unanswered = browser.answer(&fields, (&challenge, "")).await;
    assert_eq!((unanswered.status, scene.status(&asked).await.as_str()), (200, "RCVD"));
    let number = scene.customer["digipassNumber"].as_str().unwrap();
    let wrong = browser.answer(&fields, (&challenge, number)).await;
    assert!(wrong.body.contains("Het antwoord is niet juist"), "{}", wrong.body);
    let late = browser.answer(&fields, (&challenge, &answer)).await;
    assert!(late.body.contains("hoorde bij iets anders"), "an answer is taken once: {}", late.body);
    assert_eq!(scene.sca_status(&asked).await, "started");

    let (challenge, answer) = browser.simulate(&fields).await;
    let back = browser.answer(&fields, (&challenge, &answer)).await;
    assert_eq!((back.status, scene.sca_status(&asked).await), (303, json!("unconfirmed")), "{}", back.body);
    let confirmed = scene.confirm(&asked, &back).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    assert_ne!(scene.status(&asked).await, "RCVD");
}

#[tokio::test]
async fn three_wrong_answers_end_the_attempt_and_not_the_payment() {
    let scene = Scene::new("household").await;
    let asked = scene.tpp.payment(&scene.server, SEPA, &euro_payment("1.00", SHOP)).await;
    let mut browser = scene.browser(&asked).await;
    let page = browser.get("?lang=en").await.body;
    let (payment, account) = (payment(&page), value(&page, "account"));
    let fields = [(payment.as_str(), "accept"), ("account", account.as_str())];
    let mut last = None;
    for _ in 0..3 {
        let (challenge, _) = browser.simulate(&fields).await;
        last = Some(browser.answer(&fields, (&challenge, "000000")).await);
    }
    let location = last.as_ref().unwrap().header("location");
    assert_eq!(parameter(location, "error").as_deref(), Some("access_denied"), "{location}");
    let why = parameter(location, "error_description").unwrap();
    assert!(why.starts_with("The answers were wrong three times for payment"), "{why}");
    assert_eq!(
        (scene.status(&asked).await.as_str(), scene.sca_status(&asked).await),
        ("RCVD", json!("failed"))
    );
}

#[tokio::test]
async fn what_will_not_be_there_on_the_day_is_said_before() {
    let scene = Scene::new("student").await;
    let mut body = euro_payment("999999.99", SHOP);
    let day = day(10);
    body["requestedExecutionDate"] = json!(day);
    let asked = scene.tpp.payment(&scene.server, SEPA, &body).await;
    let browser = scene.browser(&asked).await;
    let page = browser.get("?lang=en").await.body;
    let written = format!("On {} ", day[8..].parse::<u8>().unwrap());
    assert!(page.contains(&written) && page.contains("€999,999.99"), "{page}");
    assert!(page.contains("will not hold enough for this payment on that day"), "{page}");
    let mut browser = browser;
    let back = browser.submit(&[("action", "cancel")]).await;
    assert_eq!(parameter(back.header("location"), "error").as_deref(), Some("consent_required"));
    assert_eq!(scene.status(&asked).await, "RJCT");
}

#[tokio::test]
async fn a_customer_without_an_account_that_can_pay_is_told_so() {
    let scene = Scene::new("blocked").await;
    let asked = scene.tpp.payment(&scene.server, SEPA, &euro_payment("1.00", SHOP)).await;
    let mut browser = scene.browser(&asked).await;
    let page = browser.get("?lang=en").await.body;
    assert!(page.contains("role=\"alert\">You have no account that can make this payment."), "{page}");
    assert!(!page.contains("name=\"account\"") && !page.contains("does not hold enough"), "{page}");
    let undecided = browser.submit(&[("action", "approve"), (&payment(&page), "accept")]).await;
    assert!(
        undecided.status == 200 && undecided.body.contains("no account that can make"),
        "{}",
        undecided.body
    );
    let back = browser.submit(&[("action", "cancel")]).await;
    assert_eq!(parameter(back.header("location"), "error").as_deref(), Some("consent_required"));
    assert_eq!(scene.status(&asked).await, "RJCT");
}

#[tokio::test]
async fn what_was_approved_is_kept_or_stopped() {
    let scene = Scene::new("household").await;
    let mut body = euro_payment("12.50", SHOP);
    body["requestedExecutionDate"] = json!(day(10));
    let payment = scene.tpp.submitted_payment(&scene.server, (SEPA, &body), scene.iban()).await;
    let before = scene.tpp.payment_status(&scene.server, &payment.path).await;
    let cancel = async || {
        let answer = scene.server.send(&scene.tpp.redirecting("DELETE", &payment.path)).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.json()
    };
    let asked = cancel().await;
    let mut browser = scene.browser(&asked).await;
    let page = browser.get("?lang=en").await.body;
    for shown in ["Stop this payment?", "€12.50", "A. Payee", "Keep it"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let kept = browser.submit(&[("action", "cancel")]).await;
    assert_eq!(parameter(kept.header("location"), "error").as_deref(), Some("consent_required"));
    assert_eq!(scene.tpp.payment_status(&scene.server, &payment.path).await, before);

    let asked = cancel().await;
    let mut browser = scene.browser(&asked).await;
    let stopped = browser.submit(&[("action", "approve")]).await;
    assert_eq!(scene.tpp.payment_status(&scene.server, &payment.path).await, before, "not confirmed yet");
    let confirmed = scene.confirm(&asked, &stopped).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    assert_eq!(scene.tpp.payment_status(&scene.server, &payment.path).await, "CANC");
}

#[tokio::test]
async fn periodic_payments_tell_their_days() {
    let scene = Scene::new("household").await;
    let periodic = "periodic-payments/sepa-credit-transfers";
    let asked = scene.tpp.payment(&scene.server, periodic, &monthly_payment("9.99", SHOP)).await;
    let mut browser = scene.browser(&asked).await;
    let page = browser.get("?lang=en").await.body;
    for shown in ["€9.99", "Every month", "<br>From ", "Until you stop it", "on the first one after it"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let (payment, account) = (payment(&page), value(&page, "account"));
    let fields = [(payment.as_str(), "accept"), ("account", account.as_str())];
    let (challenge, answer) = browser.simulate(&fields).await;
    let back = browser.answer(&fields, (&challenge, &answer)).await;
    assert_eq!(scene.confirm(&asked, &back).await.status, 200);
}
