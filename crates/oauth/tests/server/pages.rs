//! The bank's pages over plain HTTP, as a browser without scripts sees them.

use serde_json::{Value, json};
use testkit::{Answer, CALLBACK, Request, TestCa, TestServer, TestTpp, bank_offered, detailed, parameter};

use crate::ID;

const PAGE: &str = "/auth/internalonly/authorise.html";

/// A browser: keeps its cookie and reads forms.
pub(crate) struct Browser<'a> {
    server: &'a TestServer,
    cookie: String,
}

impl<'a> Browser<'a> {
    /// Opens an authorization URL; the bank sends it to its page.
    pub(crate) async fn open(server: &'a TestServer, url: &str) -> Self {
        let target = url.strip_prefix(server.url()).unwrap();
        let answer = server.send(&Request::new("GET", target).set("accept", "text/html")).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        assert_eq!(answer.header("location"), format!("{}{PAGE}", server.url()));
        let mut browser = Self { server, cookie: String::new() };
        browser.keep_cookie(&answer);
        assert!(!browser.cookie.is_empty());
        browser
    }

    fn keep_cookie(&mut self, answer: &Answer) {
        let set = answer.header("set-cookie");
        if !set.is_empty() {
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
            set.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
    }

    pub(crate) async fn get(&self, query: &str) -> Answer {
        let request = Request::new("GET", &format!("{PAGE}{query}")).set("accept", "text/html");
        self.server.send(&request.set("cookie", &self.cookie)).await
    }

    /// Sends a form with its token.
    pub(crate) async fn send(&mut self, csrf: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.server.send(&self.form(csrf, fields)).await;
        self.keep_cookie(&answer);
        answer
    }

    /// Goes to an address of the bank's, as after a redirect from elsewhere.
    pub(crate) async fn arrive(&mut self, url: &str) -> Answer {
        let target = url.strip_prefix(self.server.url()).unwrap_or_else(|| panic!("{url}"));
        let request = Request::new("GET", target).set("accept", "text/html").set("cookie", &self.cookie);
        let answer = self.server.send(&request.set("sec-fetch-site", "cross-site")).await;
        self.keep_cookie(&answer);
        answer
    }

    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    pub(crate) fn form(&self, csrf: &str, fields: &[(&str, &str)]) -> Request {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", csrf).extend_pairs(fields);
        Request::new("POST", PAGE).set("accept", "text/html").set("cookie", &self.cookie).form(&form.finish())
    }

    /// Fills in the form of the page that is shown and sends it.
    pub(crate) async fn submit(&mut self, fields: &[(&str, &str)]) -> Answer {
        let page = self.get("").await.body;
        let csrf = value(&page, "csrf");
        let mut fields = fields.to_vec();
        let is_given = fields.iter().any(|(name, _)| *name == "challenge");
        let is_shown = page.contains("name=\"challenge\"") && !is_given;
        let challenge = is_shown.then(|| value(&page, "challenge"));
        fields.extend(challenge.as_ref().map(|challenge| ("challenge", challenge.as_str())));
        let answer = self.server.send(&self.form(&csrf, &fields)).await;
        self.keep_cookie(&answer);
        answer
    }

    pub(crate) async fn log_in(&mut self, customer: &Value) -> Answer {
        let text = |name: &str| customer[name].as_str().unwrap().to_owned();
        let (iban, answer) = (text("iban"), text("digipassNumber"));
        self.submit(&[("action", "log-in"), ("iban", &iban), ("answer", &answer)]).await
    }

    /// What the simulator on the page answers for payments that are chosen, with the challenge.
    pub(crate) async fn simulate(&mut self, fields: &[(&str, &str)]) -> (String, String) {
        let page = self.submit(&[&[("action", "simulate")], fields].concat()).await.body;
        let answer = page.split_once("id=\"simulated\">").unwrap_or_else(|| panic!("{page}")).1;
        (value(&page, "challenge"), answer.split('<').next().unwrap().to_owned())
    }

    /// Sends the decision with an answer to a challenge.
    pub(crate) async fn answer(
        &mut self,
        fields: &[(&str, &str)],
        (challenge, answer): (&str, &str),
    ) -> Answer {
        let answered = [("action", "approve"), ("challenge", challenge), ("answer", answer)];
        self.submit(&[&answered, fields].concat()).await
    }
}

/// The value of a field of the page.
pub(crate) fn value(page: &str, name: &str) -> String {
    let after = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{page}")).1;
    after.split('"').next().unwrap().to_owned()
}

pub(crate) struct Scene {
    server: TestServer,
    tpp: TestTpp,
    customer: Value,
}

impl Scene {
    pub(crate) async fn new(tenant: &str, persona: &str) -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered(tenant, ID).await;
        let customer = server.customer(tenant, persona).await;
        Self { server, tpp, customer }
    }

    pub(crate) fn iban(&self) -> &str {
        self.customer["iban"].as_str().unwrap()
    }

    pub(crate) async fn browser(&self, body: &Value) -> (Browser<'_>, String) {
        let asked = self.tpp.consent(&self.server, body).await;
        let url = self.tpp.authorization_url(&asked);
        (Browser::open(&self.server, &url).await, url)
    }
}

fn assert_way_back(answer: &Answer, status: u16, error: &str, words: &str) {
    let location = answer.header("location");
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(parameter(location, "error").as_deref(), Some(error), "{location}");
    assert!(parameter(location, "error_description").unwrap().contains(words), "{location}");
    assert_eq!(parameter(location, "state").as_deref(), Some("a state+"), "{location}");
    assert!(parameter(location, "iss").is_some(), "{location}");
}

#[tokio::test]
async fn log_in_choose_and_approve() {
    let scene = Scene::new("nl", "saver").await;
    let (mut browser, _) = scene.browser(&bank_offered("9999-12-31")).await;
    let page = browser.get("").await;
    assert_eq!(page.status, 200);
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(page.header(name), value);
    }
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' https://tpp.example;"), "{policy}");
    assert!(page.body.contains("<html lang=\"nl\">") && page.body.contains("Example TPP B.V."));
    assert!(page.body.contains(ID), "the identifier from the certificate");

    // The simulator answers for any device, and its answer is taken.
    let number = scene.customer["digipassNumber"].as_str().unwrap();
    let simulated = browser.submit(&[("action", "simulate"), ("number", number)]).await;
    let answer = simulated.body.split_once("id=\"simulated\">").unwrap().1[..6].to_owned();
    let before = browser.cookie.clone();
    let logged_in =
        browser.submit(&[("action", "log-in"), ("iban", scene.iban()), ("answer", &answer)]).await;
    assert_eq!((logged_in.status, logged_in.header("location")), (303, PAGE));
    assert_ne!(browser.cookie, before, "the session goes on under a new secret");

    let decision = browser.get("?lang=en").await;
    assert!(
        decision.body.contains("Share account information?") && decision.body.contains("G. van den Berg")
    );
    assert_eq!(decision.body.matches("type=\"radio\"").count(), 4, "one for each account");
    let unchosen = browser.submit(&[("action", "approve")]).await;
    assert_eq!(unchosen.status, 200);
    assert!(unchosen.body.contains("Choose an account."), "in the language that was chosen");
    let foreign = browser.submit(&[("action", "approve"), ("account", "somebody-elses")]).await;
    assert!(foreign.body.contains("Choose an account."));
    let account = value(&decision.body, "account");
    let approved = browser.submit(&[("action", "approve"), ("account", &account)]).await;
    assert_eq!(approved.status, 303, "{}", approved.body);
    let location = approved.header("location");
    assert!(location.starts_with("https://tpp.example/callback?code="), "{location}");
    assert!(approved.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(scene.tpp.redeem(&scene.server, &parameter(location, "code").unwrap()).await.status, 200);
}

#[tokio::test]
async fn each_way_out_leads_back_to_the_third_party() {
    let scene = Scene::new("uk", "household").await;
    let body = detailed(scene.iban(), true);
    let (mut browser, url) = scene.browser(&body).await;
    let cancelled = browser.submit(&[("action", "cancel")]).await;
    assert_way_back(&cancelled, 303, "consent_required", "cancelled");
    let target = url.strip_prefix(scene.server.url()).unwrap();
    let again = scene.server.send(&Request::new("GET", target)).await;
    assert_way_back(&again, 302, "invalid_request", "No pending authorisations found for consent with uuid");

    let (mut browser, _) = scene.browser(&body).await;
    browser.log_in(&scene.customer).await;
    assert_way_back(&browser.submit(&[("action", "cancel")]).await, 303, "consent_required", "cancelled");

    let (mut browser, _) = scene.browser(&body).await;
    let wrong = [("action", "log-in"), ("iban", scene.iban()), ("answer", "000000")];
    for left in [2, 1] {
        let page = browser.submit(&wrong).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains(&format!("Attempts left: {left}")), "{}", page.body);
        assert!(page.body.contains("role=\"alert\""));
    }
    assert_way_back(&browser.submit(&wrong).await, 303, "access_denied", "Log-in failed");

    let (mut browser, _) = scene.browser(&body).await;
    browser.log_in(&scene.customer).await;
    scene.server.advance("uk", "PT5M").await;
    assert_way_back(&browser.get("").await, 302, "access_denied", "timed out");

    let asked = scene.tpp.consent(&scene.server, &body).await;
    let mut browser = Browser::open(&scene.server, &scene.tpp.authorization_url(&asked)).await;
    browser.log_in(&scene.customer).await;
    let csrf = value(&browser.get("").await.body, "csrf");
    let path = format!("/v1/consents/{}", asked["consentId"].as_str().unwrap());
    scene.server.send(&scene.tpp.request("DELETE", &path).signed(&scene.tpp.signer)).await;
    let late = scene.server.send(&browser.form(&csrf, &[("action", "approve")])).await;
    assert_way_back(&late, 303, "invalid_request", "No pending authorisations found");
}

#[tokio::test]
async fn a_customer_with_nothing_to_choose_is_told_so_and_can_decline() {
    let scene = Scene::new("nl", "student").await;
    let (mut browser, _) = scene.browser(&bank_offered("9999-12-31")).await;
    browser.log_in(&scene.customer).await;
    for account in scene.customer["accounts"].as_array().unwrap() {
        let path = format!("/test-accounts/{}", account["iban"].as_str().unwrap());
        let (status, answer) = scene.server.manage("PUT", &path, json!({"status": "deleted"})).await;
        assert_eq!(status, 200, "{answer}");
    }
    let told = "role=\"alert\">You have no account of the kind that is asked for.";
    let page = browser.get("?lang=en").await.body;
    assert!(page.contains(told) && !page.contains("name=\"account\""), "{page}");
    assert!(!page.contains("value=\"approve\"") && page.contains("value=\"cancel\""), "{page}");
    let approved = browser.submit(&[("action", "approve")]).await;
    assert!(approved.status == 200 && approved.body.contains(told), "{}", approved.body);
    assert_way_back(&browser.submit(&[("action", "cancel")]).await, 303, "consent_required", "cancelled");
}

#[tokio::test]
async fn a_reloaded_page_does_not_use_up_an_attempt() {
    let scene = Scene::new("uk", "student").await;
    let (mut browser, _) = scene.browser(&detailed(scene.iban(), true)).await;
    let page = browser.get("").await.body;
    let (csrf, challenge) = (value(&page, "csrf"), value(&page, "challenge"));
    let fields = [
        ("action", "log-in"),
        ("iban", scene.iban()),
        ("answer", "000000"),
        ("challenge", challenge.as_str()),
    ];
    let wrong = browser.form(&csrf, &fields);
    assert!(scene.server.send(&wrong).await.body.contains("Attempts left: 2"));
    for _ in 0..3 {
        let reloaded = scene.server.send(&wrong).await;
        assert!(reloaded.status == 200 && !reloaded.body.contains("Attempts left"), "{}", reloaded.body);
    }
    let next = browser.submit(&[("action", "log-in"), ("iban", scene.iban()), ("answer", "000000")]).await;
    assert!(next.body.contains("Attempts left: 1"), "{}", next.body);
}

#[tokio::test]
async fn an_account_of_somebody_else_cannot_be_approved() {
    let scene = Scene::new("nl", "household").await;
    let other = scene.server.customer("nl", "student").await;
    let (mut browser, _) = scene.browser(&detailed(other["iban"].as_str().unwrap(), true)).await;
    let answer = browser.log_in(&scene.customer).await;
    assert_way_back(&answer, 303, "access_denied", "does not hold all accounts");
}

#[tokio::test]
async fn five_failures_block_the_log_in_for_a_while() {
    let scene = Scene::new("be_nl", "household").await;
    let body = detailed(scene.iban(), true);
    let wrong = [("action", "log-in"), ("iban", scene.iban()), ("answer", "000000")];
    let (mut first, _) = scene.browser(&body).await;
    for _ in 0..3 {
        first.submit(&wrong).await;
    }
    let (mut second, _) = scene.browser(&body).await;
    second.submit(&wrong).await;
    let blocked = second.submit(&wrong).await;
    assert!(blocked.body.contains("geblokkeerd"), "{}", blocked.body);
    let (mut third, _) = scene.browser(&body).await;
    let right = third.log_in(&scene.customer).await;
    assert_eq!(right.status, 200);
    assert!(right.body.contains("geblokkeerd"), "the right answer does not help");
    scene.server.advance("be_nl", "PT15M").await;
    let (mut fourth, _) = scene.browser(&body).await;
    assert_eq!(fourth.log_in(&scene.customer).await.status, 303);
}

#[tokio::test]
async fn an_unknown_customer_looks_like_a_wrong_answer() {
    let scene = Scene::new("nl", "household").await;
    let body = detailed(scene.iban(), true);
    let mut pages = Vec::new();
    for iban in [scene.iban(), "NL91ABNA0417164300", "nonsense"] {
        let (mut browser, _) = scene.browser(&body).await;
        let fields = [("action", "log-in"), ("iban", iban), ("answer", "000000")];
        let page = browser.submit(&fields).await;
        assert_eq!(page.status, 200);
        pages.push(page.body.contains("Rekeningnummer of antwoord is niet juist"));
    }
    assert_eq!(pages, [true, true, true]);
}

#[tokio::test]
async fn forged_and_stale_sessions_get_nowhere() {
    let scene = Scene::new("nl", "household").await;
    let (mut browser, _) = scene.browser(&detailed(scene.iban(), true)).await;
    let csrf = value(&browser.get("").await.body, "csrf");
    let cancel = [("action", "cancel")];
    let (name, _) = browser.cookie.split_once('=').unwrap();
    let nobody = Browser { server: &scene.server, cookie: format!("{name}=forged") };
    let bare = Browser { server: &scene.server, cookie: "x=y".into() };
    for (name, request) in [
        ("a forged cookie", nobody.form(&csrf, &cancel)),
        ("no cookie", bare.form(&csrf, &cancel)),
        ("no token", browser.form("", &cancel)),
        ("another token", browser.form(&csrf.to_lowercase(), &cancel)),
        ("from another site", browser.form(&csrf, &cancel).set("sec-fetch-site", "cross-site")),
    ] {
        let answer = scene.server.send(&request).await;
        assert_eq!(answer.status, 403, "{name}");
        assert!(answer.header("content-type").starts_with("text/html"), "{name}");
        assert_eq!(answer.header("location"), "", "{name}");
    }
    assert_eq!(nobody.get("").await.status, 403);
    let unknown = browser.submit(&[("action", "dance")]).await;
    assert_eq!(unknown.status, 400);

    // After the log-in the old cookie is worth nothing, after the end the new one is neither.
    let old = Browser { server: &scene.server, cookie: browser.cookie.clone() };
    browser.log_in(&scene.customer).await;
    assert_eq!(old.get("").await.status, 403);
    let csrf = value(&browser.get("").await.body, "csrf");
    let used = Browser { server: &scene.server, cookie: browser.cookie.clone() };
    browser.submit(&[("action", "approve")]).await;
    assert_eq!(used.get("").await.status, 403);
    assert_eq!(scene.server.send(&used.form(&csrf, &[("action", "approve")])).await.status, 403);
}

#[tokio::test]
async fn what_cannot_be_seen_in_a_name_is_written_out() {
    let ca = TestCa::new("Test Trust (TEST)");
    let (_guard, folder) = testkit::free_folder();
    std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    let server = TestServer::with(|config| config.trusted_authorities.push(folder.join("ca.pem"))).await;
    let mut subject = TestCa::subject(ID);
    subject[1].1 = "Good\u{202e}knaB\u{200b} \u{2066}Ltd\u{0}\n é";
    let signer = ca.issue(&subject, &["PSP_AI"], |_| {});
    let registration = server.register("nl", &signer, &[CALLBACK]).await;
    let secret = registration["client_secret"].as_str().unwrap().to_owned();
    let tpp = TestTpp { signer, tenant: "nl".to_owned(), secret };
    let named = json!({"tenant": "nl", "persona": "student", "name": "Sam\u{202e} \u{200b}Vries"});
    let (status, customer) = server.manage("POST", "/test-accounts", named).await;
    assert_eq!(status, 201, "{customer}");
    let asked = tpp.consent(&server, &bank_offered("9999-12-31")).await;
    let mut browser = Browser::open(&server, &tpp.authorization_url(&asked)).await;
    let shown = r"Good\u{202e}knaB\u{200b} \u{2066}Ltd\u{0000}\u{000a} é";
    let log_in = browser.get("").await.body;
    assert!(log_in.contains(shown), "{log_in}");
    browser.log_in(&customer).await;
    let decision = browser.get("").await.body;
    assert!(decision.contains(shown) && decision.contains(r"Sam\u{202e} \u{200b}Vries"), "{decision}");
    for page in [log_in, decision] {
        assert!(!page.contains(['\u{202e}', '\u{200b}', '\u{2066}', '\0']), "{page}");
    }
}
