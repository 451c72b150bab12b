//! Customers who authenticate at a provider of the bank: to see what is asked and decide about it, and for payments.

use std::sync::Arc;

use openid::test_provider::{Behaviour, Details, Signing, TestProvider};
use openid::{Provider, ProviderSettings};
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro};
use testkit::{Answer, CALLBACK, Request, TestServer, TestTpp, detailed, euro_payment, now, parameter};

use crate::ID;
use crate::customer::OwnBrowser;
use crate::pages::{Browser, value};

const PAGE: &str = "/auth/internalonly/authorise.html";

struct Scene {
    provider: TestProvider,
    server: TestServer,
    tpp: TestTpp,
    customer: Value,
}

impl Scene {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A provider with other settings.
    async fn with(change: impl FnOnce(&mut ProviderSettings)) -> Self {
        let provider = TestProvider::start(now()).await;
        let mut settings = provider.settings();
        settings.acr_values = vec!["strong".to_owned()];
        change(&mut settings);
        let port = Arc::new(Provider::new(settings).unwrap());
        let server = TestServer::with(|config| config.provider = Some(port)).await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "student").await;
        let subject = customer["customerId"].as_str().unwrap().to_owned();
        provider.behave(|it| it.subject = Some(subject));
        Self { provider, server, tpp, customer }
    }

    fn iban(&self) -> &str {
        self.customer["iban"].as_str().unwrap()
    }

    async fn asked(&self) -> (Value, Browser<'_>) {
        let asked = self.tpp.consent(&self.server, &detailed(self.iban(), true)).await;
        let url = self.tpp.authorization_url(&asked);
        (asked, Browser::open(&self.server, &url).await)
    }

    /// Where the provider sends a browser that the bank sent there.
    async fn at_provider(&self, sent: &Answer) -> String {
        let there = sent.header("location");
        assert!(there.starts_with(self.provider.issuer()), "{} {there} {}", sent.status, sent.body);
        let answer = self.server.http.get(there).send().await.unwrap();
        assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Sends a browser to the provider and takes it back.
    async fn log_in(&self, browser: &mut Browser<'_>) -> Answer {
        let sent = browser.get("").await;
        assert_eq!(sent.status, 302, "{}", sent.body);
        let back = self.at_provider(&sent).await;
        browser.arrive(&back).await
    }
}

/// A page that says what went wrong and leads on, there again and back to the third party.
async fn leads_back(browser: &mut Browser<'_>, answer: &Answer, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.body);
    for part in ["role=\"alert\"", "href=\"authorise.html\"", "value=\"cancel\""] {
        assert!(answer.body.contains(part), "{what}: {}", answer.body);
    }
    let csrf = value(&answer.body, "csrf");
    let left = browser.send(&csrf, &[("action", "cancel")]).await;
    assert_eq!(left.status, 303, "{what}: {}", left.body);
    assert!(left.header("location").starts_with(CALLBACK), "{what}");
    assert_eq!(parameter(left.header("location"), "error").as_deref(), Some("consent_required"), "{what}");
}

#[tokio::test]
async fn a_consent_is_decided_on_our_page_by_whom_the_provider_names() {
    let scene = Scene::new().await;
    let (asked, mut browser) = scene.asked().await;
    let before = browser.cookie().to_owned();
    let sent = browser.get("").await;
    let back = scene.at_provider(&sent).await;
    assert!(back.starts_with(&format!("{}/auth/internalonly/callback?", scene.server.url())), "{back}");
    let came = browser.arrive(&back).await;
    assert_eq!((came.status, came.header("location")), (302, PAGE), "{}", came.body);
    assert_ne!(browser.cookie(), before, "the session goes on under a new secret");
    // What came back is worth nothing a second time.
    let again = browser.arrive(&back).await;
    assert_eq!(again.status, 403, "{}", again.body);
    let page = browser.get("").await;
    assert!(page.status == 200 && page.body.contains(ID), "{}", page.body);
    let left = browser.submit(&[("action", "approve")]).await;
    let code = parameter(left.header("location"), "code").unwrap_or_else(|| panic!("{}", left.body));
    let tokens = scene.tpp.redeem(&scene.server, &code).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let text = |name: &str| asked[name].as_str().unwrap().to_owned();
    let consent = testkit::ValidConsent {
        id: text("consentId"),
        authorisation: text("authorisationId"),
        access_token: tokens.json()["access_token"].as_str().unwrap().to_owned(),
        refresh_token: String::new(),
    };
    assert_eq!(scene.tpp.confirm(&scene.server, &consent).await.status, 200);
    let accounts = scene.server.send(&scene.tpp.attended("/v1/accounts", &consent)).await;
    let id = accounts.json()["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let balances = scene.tpp.attended(&format!("/v1/accounts/{id}/balances"), &consent);
    let balances = scene.server.send(&balances).await;
    assert_eq!(balances.status, 200, "{}", balances.body);
}

#[tokio::test]
async fn whoever_is_not_authenticated_has_a_way_on_and_a_way_back() {
    type Case = (&'static str, fn(&mut Behaviour));
    let cases: &[Case] = &[
        ("access_denied", |it| it.error = Some("access_denied".to_owned())),
        ("login_required", |it| it.error = Some("login_required".to_owned())),
        ("server_error", |it| it.error = Some("server_error".to_owned())),
        ("temporarily_unavailable", |it| it.error = Some("temporarily_unavailable".to_owned())),
        ("wrong iss", |it| it.issuer = Some("https://evil.example".to_owned())),
        ("wrong nonce", |it| it.claims = json!({"nonce": "another"})),
        ("weak", |it| it.claims = json!({"acr": "weak"})),
        ("old", |it| it.claims = json!({"auth_time": now().as_second() - 4000})),
        ("unknown customer", |it| it.subject = Some("nobody".to_owned())),
        ("unknown key", |it| it.signing = Signing::UnknownKey),
        ("no signature", |it| it.signing = Signing::Nothing),
    ];
    let scene = Scene::new().await;
    let mut well = None;
    scene.provider.behave(|it| well = Some(it.clone()));
    for (what, change) in cases {
        let (_, mut browser) = scene.asked().await;
        scene.provider.behave(change);
        let answer = scene.log_in(&mut browser).await;
        scene.provider.behave(|it| *it = well.clone().unwrap());
        leads_back(&mut browser, &answer, what).await;
    }
    // Or there again, and in.
    let (_, mut browser) = scene.asked().await;
    scene.provider.behave(|it| it.error = Some("access_denied".to_owned()));
    assert_eq!(scene.log_in(&mut browser).await.status, 403);
    scene.provider.behave(|it| it.error = None);
    assert_eq!(scene.log_in(&mut browser).await.header("location"), PAGE);
}

#[tokio::test]
async fn an_answer_belongs_to_one_browser_and_one_moment() {
    let scene = Scene::new().await;
    let (_, mut victim) = scene.asked().await;
    let (_, mut attacker) = scene.asked().await;
    // An attacker's code in another browser logs nobody in (login CSRF).
    let back = scene.at_provider(&attacker.get("").await).await;
    let refused = victim.arrive(&back).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let here = format!("{}/auth/internalonly/callback", scene.server.url());
    for query in ["", "?code=x", "?state=x&code=x", "?state=&error=access_denied"] {
        let refused = victim.arrive(&format!("{here}{query}")).await;
        assert_eq!(refused.status, 403, "{query}: {}", refused.body);
        assert!(refused.body.contains("authorise.html"), "{query}: {}", refused.body);
    }
    let twice = victim.arrive(&format!("{here}?state=x&state=y&code=x")).await;
    assert_eq!(twice.status, 400, "{}", twice.body);
    // Nobody's browser is told that it is over.
    let nobody = Request::new("GET", "/auth/internalonly/callback?state=x&code=x").set("accept", "text/html");
    assert_eq!(scene.server.send(&nobody).await.status, 403);
    assert_eq!(attacker.arrive(&back).await.header("location"), PAGE);
    // Where there is a provider, nothing that is typed here logs anybody in, even if a page asked for it.
    let number = scene.customer["digipassNumber"].as_str().unwrap();
    scene.provider.behave(|it| it.error = Some("access_denied".to_owned()));
    let page = scene.log_in(&mut victim).await;
    let fields = [("action", "log-in"), ("iban", scene.iban()), ("answer", number)];
    let sent = victim.send(&value(&page.body, "csrf"), &fields).await;
    assert!(sent.header("location").starts_with(scene.provider.issuer()), "{} {}", sent.status, sent.body);
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_with_a_way_back() {
    let scene = Scene::new().await;
    scene.provider.behave(|it| it.is_away = true);
    let (_, browser) = scene.asked().await;
    let away = browser.get("").await;
    assert_eq!(away.status, 503, "{}", away.body);
    assert!(away.body.contains(CALLBACK), "{}", away.body);
    assert!(!away.body.contains(scene.provider.issuer()), "{}", away.body);
}

#[tokio::test]
async fn the_provider_confirms_a_payment_with_amount_and_payee() {
    let scene = Scene::new().await;
    let mut payment = euro_payment("1.25", "NL91ABNA0417164300");
    payment["debtorAccount"] = json!({"iban": scene.iban()});
    let asked = scene.tpp.payment(&scene.server, "payments/sepa-credit-transfers", &payment).await;
    let mut browser = Browser::open(&scene.server, &scene.tpp.authorization_url(&asked)).await;
    // Another amount than the one that was asked for is none.
    scene.provider.behave(|it| it.details = Details::Changed);
    assert_eq!(scene.log_in(&mut browser).await.status, 403);
    scene.provider.behave(|it| it.details = Details::Forgotten);
    assert_eq!(scene.log_in(&mut browser).await.status, 403);
    scene.provider.behave(|it| it.details = Details::Approved);
    let came = scene.log_in(&mut browser).await;
    assert_eq!((came.status, came.header("location")), (302, PAGE), "{}", came.body);
    let request = scene.provider.requests().pop().unwrap();
    let details: Value = serde_json::from_str(&request["authorization_details"]).unwrap();
    assert_eq!(details[0]["instructedAmount"], json!({"currency": "EUR", "amount": "1.25"}), "{details}");
    assert!(details[0]["creditorAccount"]["iban"].is_string() && details[0]["creditorName"].is_string());
    assert_eq!((details.as_array().unwrap().len(), request["prompt"].as_str()), (1, "login"));
    // The payment is confirmed by whoever authenticates for it, and not by whoever did a minute ago.
    let mut other = Browser::open(&scene.server, &scene.tpp.authorization_url(&asked)).await;
    scene.provider.behave(|it| it.claims = json!({"auth_time": now().as_second() - 60}));
    assert_eq!(scene.log_in(&mut other).await.status, 403);
    scene.provider.behave(|it| it.claims = json!({}));
    let page = browser.get("").await;
    assert!(!page.body.contains("name=\"answer\""), "no answer is asked for: {}", page.body);
    let left = browser.submit(&[("action", "approve"), ("answer", "000000"), ("challenge", "1")]).await;
    let location = left.header("location");
    assert!(
        location.starts_with(CALLBACK) && parameter(location, "code").is_some(),
        "{} {}",
        left.status,
        left.body
    );
}

#[tokio::test]
async fn payments_that_were_not_known_at_the_log_in_are_confirmed_once_more() {
    let scene = Scene::new().await;
    let bunq = BunqClient::provider(&scene.server, "Checkout PISP").await;
    let draft = json!({"sender_iban": scene.iban(), "counterparty_iban": "NL91ABNA0417164300",
        "counterparty_name": "Shop", "description": "Order", "amount": euro("1.00")});
    bunq.make(&format!("/user/{}/payment-service-provider-draft-payment", bunq.user), &draft).await;
    let mut browser = Browser::open(&scene.server, &bunq.authorization_url().await).await;
    assert_eq!(scene.log_in(&mut browser).await.header("location"), PAGE);
    assert!(!scene.provider.requests().pop().unwrap().contains_key("authorization_details"));
    let page = browser.get("").await.body;
    let mut names = page.split("name=\"").filter_map(|rest| rest.split('"').next());
    let payment = names.find(|name| name.starts_with("payment.")).unwrap_or_else(|| panic!("{page}"));
    let approval = [("action", "approve"), (payment, "accept")];
    // Somebody else there does not pay for the customer who is logged in here.
    let other = scene.server.customer("nl", "student").await;
    let own = scene.customer["customerId"].as_str().unwrap().to_owned();
    scene.provider.behave(|it| it.subject = Some(other["customerId"].as_str().unwrap().to_owned()));
    let sent = browser.submit(&approval).await;
    let back = scene.at_provider(&sent).await;
    assert_eq!(browser.arrive(&back).await.status, 403);
    scene.provider.behave(|it| it.subject = Some(own));
    let sent = browser.submit(&approval).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let back = scene.at_provider(&sent).await;
    let details = &scene.provider.requests().pop().unwrap()["authorization_details"];
    assert!(details.contains("\"1.00\"") && details.contains("NL91ABNA0417164300"), "{details}");
    let left = browser.arrive(&back).await;
    assert!(parameter(left.header("location"), "code").is_some(), "{} {}", left.status, left.body);
    assert_eq!(browser.arrive(&back).await.status, 403, "once");
}

#[tokio::test]
async fn who_is_not_the_payer_does_not_get_to_the_page_about_a_payment() {
    let scene = Scene::new().await;
    let mut payment = euro_payment("1.25", "NL91ABNA0417164300");
    payment["debtorAccount"] = json!({"iban": scene.iban()});
    let asked = scene.tpp.payment(&scene.server, "payments/sepa-credit-transfers", &payment).await;
    let other = scene.server.customer("nl", "student").await;
    scene.provider.behave(|it| it.subject = Some(other["customerId"].as_str().unwrap().to_owned()));
    let mut browser = Browser::open(&scene.server, &scene.tpp.authorization_url(&asked)).await;
    let left = scene.log_in(&mut browser).await;
    let location = left.header("location");
    assert!(left.status == 302 && location.starts_with(CALLBACK), "{} {location}", left.status);
    assert_eq!(parameter(location, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(location, "code"), None);
}

#[tokio::test]
async fn what_was_confirmed_is_what_is_paid_and_nothing_less() {
    // The provider does not say what it confirmed; what it was told is what it showed.
    let scene = Scene::with(|settings| settings.confirms_payments = false).await;
    scene.provider.behave(|it| it.pushes = true);
    let bunq = BunqClient::provider(&scene.server, "Checkout PISP").await;
    let path = format!("/user/{}/payment-service-provider-draft-payment", bunq.user);
    let draft = |amount: &str| {
        json!({"sender_iban": scene.iban(), "counterparty_iban": "NL91ABNA0417164300",
        "counterparty_name": "Shop", "description": "Order", "amount": euro(amount)})
    };
    let [first, second] = [bunq.make(&path, &draft("1.00")).await, bunq.make(&path, &draft("2.00")).await];
    let mut browser = Browser::open(&scene.server, &bunq.authorization_url().await).await;
    assert_eq!(scene.log_in(&mut browser).await.header("location"), PAGE);
    let page = browser.get("").await.body;
    let mut names: Vec<&str> = page.split("name=\"").filter_map(|rest| rest.split('"').next()).collect();
    names.retain(|name| name.starts_with("payment."));
    names.dedup();
    let approval: Vec<_> =
        names.iter().map(|name| (*name, "accept")).chain([("action", "approve")]).collect();
    let sent = browser.submit(&approval).await;
    let back = scene.at_provider(&sent).await;
    let details: Value =
        serde_json::from_str(&scene.provider.requests().pop().unwrap()["authorization_details"]).unwrap();
    assert_eq!(details.as_array().unwrap().len(), 2, "{details}");
    // Meanwhile one of them is taken back, so that another sum would be paid than the one that was confirmed.
    let taken_back = bunq.put(&format!("{path}/{first}"), &json!({"status": "CANCELLED"})).await;
    assert_eq!(taken_back.status, 200, "{}", taken_back.body);
    let refused = browser.arrive(&back).await;
    assert!(refused.status == 403 && refused.body.contains("authorise.html"), "{}", refused.body);
    let status = bunq.list(&format!("{path}/{second}")).await[0]["status"].clone();
    assert_eq!(status, "PENDING", "nothing was paid");
    // Once more, about what there is now.
    let page = browser.get("").await.body;
    let mut names = page.split("name=\"").filter_map(|rest| rest.split('"').next());
    let name = names.find(|name| name.starts_with("payment.")).unwrap_or_else(|| panic!("{page}"));
    let sent = browser.submit(&[("action", "approve"), (name, "accept")]).await;
    let back = scene.at_provider(&sent).await;
    let left = browser.arrive(&back).await;
    assert!(parameter(left.header("location"), "code").is_some(), "{} {}", left.status, left.body);
    let status = bunq.list(&format!("{path}/{second}")).await[0]["status"].clone();
    assert_eq!(status, "ACCEPTED");
}

/// At the provider with a browser that is at the customer's own pages, and back.
async fn own_log_in(scene: &Scene, browser: &mut OwnBrowser<'_>) -> (String, Answer) {
    let sent = browser.get("/log-in").await;
    let back = scene.at_provider(&sent).await;
    let path = back.strip_prefix(scene.server.url()).unwrap().strip_prefix(browser.base.as_str()).unwrap();
    assert!(path.starts_with("/callback?"), "{back}");
    let came = browser.get(path).await;
    (path.to_owned(), came)
}

#[tokio::test]
async fn a_customers_own_pages_are_entered_by_the_provider_alone() {
    let scene = Scene::new().await;
    let mut browser = OwnBrowser::new(&scene.server, "nl");
    let page = browser.get("?lang=en").await;
    assert!(page.status == 200 && page.body.contains("href=\"/auth/nl/customer/log-in\""), "{}", page.body);
    for field in ["name=\"iban\"", "name=\"answer\"", "name=\"challenge\"", "role=\"alert\""] {
        assert!(!page.body.contains(field), "{field}: {}", page.body);
    }
    let before = browser.cookie.clone();
    let (back, came) = own_log_in(&scene, &mut browser).await;
    assert_eq!((came.status, came.header("location")), (302, "/auth/nl/customer"), "{}", came.body);
    assert_ne!(browser.cookie, before, "the session goes on under a new secret");
    let request = scene.provider.requests().pop().unwrap();
    assert_eq!((request["prompt"].as_str(), request["ui_locales"].as_str()), ("login", "en"));
    let inside = browser.get("").await;
    assert!(inside.status == 200 && inside.body.contains("value=\"log-out\""), "{}", inside.body);
    assert_eq!(browser.get(&back).await.status, 403, "what came back is worth nothing a second time");
    assert_eq!(browser.get("/log-in").await.header("location"), "/auth/nl/customer", "they are inside");

    // Whoever leaves is not let in again by a provider that still knows them.
    let left = browser.submit("", &[("action", "log-out")]).await;
    assert_eq!(left.status, 303, "{}", left.body);
    let page = browser.get("").await;
    assert!(page.status == 200 && page.body.contains("/customer/log-in\""), "{}", page.body);

    // What is typed logs nobody in, even if a page asked for it.
    let (iban, number) = (scene.iban(), scene.customer["digipassNumber"].as_str().unwrap());
    let typed = browser.submit("", &[("action", "log-in"), ("iban", iban), ("answer", number)]).await;
    assert!(typed.status == 200 && typed.body.contains("/customer/log-in\""), "{}", typed.body);
}

#[tokio::test]
async fn nobody_else_enters_a_customers_own_pages() {
    type Case = (&'static str, fn(&mut Behaviour));
    let cases: &[Case] = &[
        ("access_denied", |it| it.error = Some("access_denied".to_owned())),
        ("weak", |it| it.claims = json!({"acr": "weak"})),
        ("unknown customer", |it| it.subject = Some("nobody".to_owned())),
        ("unknown key", |it| it.signing = Signing::UnknownKey),
        ("not anew", |it| it.claims = json!({"auth_time": now().as_second() - 60})),
    ];
    let scene = Scene::new().await;
    let mut well = None;
    scene.provider.behave(|it| well = Some(it.clone()));
    let mut browser = OwnBrowser::new(&scene.server, "nl");
    browser.get("").await;
    for (what, change) in cases {
        scene.provider.behave(change);
        let (back, refused) = own_log_in(&scene, &mut browser).await;
        scene.provider.behave(|it| *it = well.clone().unwrap());
        assert_eq!(refused.status, 403, "{what}: {}", refused.body);
        for part in ["role=\"alert\"", "href=\"/auth/nl/customer/log-in\""] {
            assert!(refused.body.contains(part), "{what}: {}", refused.body);
        }
        assert_eq!(browser.get(&back).await.status, 403, "{what}: once");
    }
    // Another browser's answer, none, one without a session, one of another branch, and one of a third party's request.
    let mut attacker = OwnBrowser::new(&scene.server, "nl");
    attacker.get("").await;
    let back = scene.at_provider(&attacker.get("/log-in").await).await;
    let back = back.split_once("/customer").unwrap().1.to_owned();
    for path in [back.as_str(), "/callback", "/callback?state=x&code=x"] {
        let refused = browser.get(path).await;
        assert_eq!(refused.status, 403, "{path}: {}", refused.body);
        let nobody = OwnBrowser::new(&scene.server, "nl").get(path).await;
        assert_eq!(nobody.status, 403, "{path}: {}", nobody.body);
    }
    let mut elsewhere = OwnBrowser::new(&scene.server, "uk");
    elsewhere.get("").await;
    assert_eq!(elsewhere.get(&back).await.status, 403);
    assert_eq!(browser.get("/callback?state=x&state=y&code=x").await.status, 400);
    let (_, third) = scene.asked().await;
    let of_a_consent = scene.at_provider(&third.get("").await).await;
    let query = of_a_consent.split_once("/callback").unwrap().1;
    assert_eq!(browser.get(&format!("/callback{query}")).await.status, 403);

    let own = scene.at_provider(&browser.get("/log-in").await).await;
    scene.provider.behave(|it| it.is_away = true);
    let away = browser.get(own.split_once("/customer").unwrap().1).await;
    assert!(away.status == 503 && away.body.contains("href=\"/auth/nl/customer\""), "{}", away.body);
    scene.provider.behave(|it| it.is_away = false);
    assert_eq!(attacker.get(&back).await.header("location"), "/auth/nl/customer");
}
