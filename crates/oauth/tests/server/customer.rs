//! A customer's own pages, as a browser without scripts sees them: the log-in and its rules, sessions, and what is theirs.

use serde_json::Value;
use testkit::{Answer, Request, TestServer, detailed};

use crate::ID;
use crate::pages::value;

/// A browser at the customer's own pages of a branch: keeps its cookie and reads forms.
pub(crate) struct OwnBrowser<'a> {
    server: &'a TestServer,
    pub(crate) base: String,
    pub(crate) cookie: String,
}

impl<'a> OwnBrowser<'a> {
    pub(crate) fn new(server: &'a TestServer, tenant: &str) -> Self {
        Self { server, base: format!("/auth/{tenant}/customer"), cookie: String::new() }
    }

    /// A browser in which a customer has logged in.
    pub(crate) async fn of(server: &'a TestServer, tenant: &str, customer: &Value) -> Self {
        let mut browser = Self::new(server, tenant);
        let entered = browser.log_in(customer).await;
        assert_eq!((entered.status, entered.header("location")), (303, browser.base.as_str()));
        browser
    }

    fn keep_cookie(&mut self, answer: &Answer) {
        let set = answer.header("set-cookie");
        if !set.is_empty() {
            // Over TLS the browser itself holds the cookie to this host.
            let is_secure = self.server.url().starts_with("https:");
            let begins = if is_secure { "__Host-customer-" } else { "customer-" };
            let path = if is_secure { "Path=/; Secure;".to_owned() } else { format!("Path={};", self.base) };
            assert!(set.starts_with(begins) && set.contains("HttpOnly"), "{set}");
            assert!(set.contains("SameSite=Lax") && set.contains(&path), "{set}");
            set.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
    }

    fn request(&self, method: &str, path: &str) -> Request {
        let request = Request::new(method, &format!("{}{path}", self.base)).set("accept", "text/html");
        if self.cookie.is_empty() { request } else { request.set("cookie", &self.cookie) }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.server.send(&self.request("GET", path)).await;
        self.keep_cookie(&answer);
        answer
    }

    pub(crate) fn form(&self, path: &str, csrf: &str, fields: &[(&str, &str)]) -> Request {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", csrf).extend_pairs(fields);
        self.request("POST", path).form(&form.finish())
    }

    /// Fills in the form of the page that is shown and sends it.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(path).await.body;
        let mut fields = fields.to_vec();
        let challenge = page.contains("name=\"challenge\"").then(|| value(&page, "challenge"));
        fields.extend(challenge.as_ref().map(|challenge| ("challenge", challenge.as_str())));
        let answer = self.server.send(&self.form(path, &value(&page, "csrf"), &fields)).await;
        self.keep_cookie(&answer);
        answer
    }

    pub(crate) async fn log_in(&mut self, customer: &Value) -> Answer {
        let text = |name: &str| customer[name].as_str().unwrap().to_owned();
        let (iban, answer) = (text("iban"), text("digipassNumber"));
        self.submit("", &[("action", "log-in"), ("iban", &iban), ("answer", &answer)]).await
    }

    async fn answer_wrongly(&mut self, iban: &str) -> Answer {
        self.submit("", &[("action", "log-in"), ("iban", iban), ("answer", "000000")]).await
    }
}

pub(crate) fn grouped(iban: &str) -> String {
    iban.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
}

pub(crate) fn iban(customer: &Value) -> &str {
    customer["iban"].as_str().unwrap()
}

fn assert_over(answer: &Answer, title: &str, way_on: &str) {
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.body.contains(title), "{title}: {}", answer.body);
    assert!(answer.body.contains(&format!("href=\"{way_on}\"")), "{way_on}: {}", answer.body);
    assert!(!answer.body.contains("J. Jansen"), "{}", answer.body);
}

#[tokio::test]
async fn a_customer_logs_in_sees_what_is_theirs_and_leaves() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let mut browser = OwnBrowser::new(&server, "nl");
    let page = browser.get("").await;
    assert_eq!((page.status, page.header("location")), (200, ""), "{}", page.body);
    let first = browser.cookie.clone();
    assert!(page.body.contains("<html lang=\"nl\">") && page.body.contains("Inloggen"));
    assert!(page.body.contains("Vestibule Bank Nederland") && page.body.contains(">TEST<"));
    assert!(!page.body.contains("value=\"cancel\""), "nobody sent the customer here");
    let again = browser.get("").await;
    assert_eq!(value(&again.body, "challenge"), value(&page.body, "challenge"), "a reload asks the same");

    assert_eq!(browser.log_in(&customer).await.status, 303);
    assert_ne!(browser.cookie, first, "the secret changes at the log-in");
    let own = browser.get("?lang=en").await.body;
    for text in
        ["My bank", "J. Jansen", &grouped(iban(&customer)), "Savings account", "Total", "Nobody has access"]
    {
        assert!(own.contains(text), "{text}: {own}");
    }
    assert_eq!(own.matches("J. Jansen").count(), 1, "the holder stands there once");
    let balance = customer["accounts"][0]["balance"].as_str().unwrap_or_default();
    assert!(own.contains('€') && !own.contains(&format!("{balance} EUR")), "{own}");
    // Whoever kept the page or the secret from before the log-in has nothing.
    let stale = OwnBrowser { server: &server, base: browser.base.clone(), cookie: first };
    let old = server.send(&stale.request("GET", "/access/1")).await;
    assert_over(&old, "U bent niet ingelogd", &browser.base);

    let out = browser.submit("", &[("action", "log-out")]).await;
    let (location, log_in) = (out.header("location"), format!("{}?lang=en", browser.base));
    assert_eq!(
        (out.status, location),
        (303, log_in.as_str()),
        "the language that was chosen goes with the customer"
    );
    assert!(out.header("set-cookie").contains("Max-Age=0") && out.header("clear-site-data") == "\"cache\"");
    let inside = browser.cookie.clone();
    browser.cookie = inside;
    let again = browser.get("?lang=en").await.body;
    assert!(again.contains("name=\"answer\"") && again.contains("<html lang=\"en\">"), "the log-in again");
}

#[tokio::test]
async fn a_log_in_that_is_sent_twice_lets_the_customer_in_once() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let mut browser = OwnBrowser::new(&server, "nl");
    let page = browser.get("").await.body;
    let challenge = value(&page, "challenge");
    let answer = customer["digipassNumber"].as_str().unwrap();
    let fields =
        [("action", "log-in"), ("iban", iban(&customer)), ("answer", answer), ("challenge", &*challenge)];
    let form = browser.form("", &value(&page, "csrf"), &fields);
    let first = server.send(&form).await;
    assert_eq!(first.status, 303, "{}", first.body);
    browser.keep_cookie(&first);
    let second = server.send(&form).await;
    assert_over(&second, "U bent niet ingelogd", &browser.base);
    // The session of the first one stays, and the way on leads into it.
    assert_eq!(second.header("set-cookie"), "");
    assert!(browser.get("").await.body.contains("J. Jansen"));
}

#[tokio::test]
async fn a_session_ends_after_five_minutes_and_cannot_be_taken_up_again() {
    let server = TestServer::start().await;
    let customer = server.customer("be_fr", "household").await;
    let mut browser = OwnBrowser::of(&server, "be_fr", &customer).await;
    server.advance("be_fr", "PT4M").await;
    assert_eq!(browser.get("").await.status, 200);
    server.advance("be_fr", "PT5M").await;
    let (cookie, base) = (browser.cookie.clone(), browser.base.clone());
    let idle = browser.get("").await;
    assert_over(&idle, "Vous êtes resté absent trop longtemps", &format!("{base}?lang=fr"));
    assert!(
        idle.body.contains("Vers la connexion")
            && idle.body.contains(server.name_of("Vestibule Bank Belgique"))
    );
    browser.cookie = cookie;
    server.advance("be_fr", "-PT5M").await;
    assert_over(&browser.get("/access/1").await, "Vous n&#39;êtes pas connecté", &base);
    assert!(browser.get("").await.body.contains("name=\"answer\""));
}

#[tokio::test]
async fn wrong_answers_end_the_log_in_and_then_block_it() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let mut browser = OwnBrowser::new(&server, "nl");
    let base = browser.base.clone();
    let first = browser.answer_wrongly(iban(&customer)).await;
    assert!(first.status == 200 && first.body.contains("Resterende pogingen: 2"), "{}", first.body);
    let (csrf, challenge) = (value(&first.body, "csrf"), value(&first.body, "challenge"));
    assert!(browser.answer_wrongly(iban(&customer)).await.body.contains("Resterende pogingen: 1"));
    // An answer to the challenge before counts for nothing, right or wrong.
    let number = customer["digipassNumber"].as_str().unwrap();
    let old =
        [("action", "log-in"), ("iban", iban(&customer)), ("answer", number), ("challenge", &challenge)];
    let stale = server.send(&browser.form("", &csrf, &old)).await;
    assert!(stale.status == 200 && stale.body.contains("name=\"answer\""), "{}", stale.body);
    assert!(!stale.body.contains("role=\"alert\""), "{}", stale.body);
    let third = browser.answer_wrongly(iban(&customer)).await;
    assert_over(&third, "Te veel foute antwoorden", &format!("{base}?lang=nl"));

    let mut second = OwnBrowser::new(&server, "nl");
    second.answer_wrongly(iban(&customer)).await;
    let fifth = second.answer_wrongly(iban(&customer)).await;
    assert!(fifth.body.contains("geblokkeerd"), "{}", fifth.body);
    let mut third = OwnBrowser::new(&server, "nl");
    assert!(third.log_in(&customer).await.body.contains("geblokkeerd"), "the right answer does not help");
    // Third parties are other doors.
    let tpp = server.registered("nl", ID).await;
    let asked = tpp.consent(&server, &detailed(iban(&customer), true)).await;
    let mut browser = crate::pages::Browser::open(&server, &tpp.authorization_url(&asked)).await;
    assert_eq!(browser.log_in(&customer).await.status, 303);
    server.advance("nl", "PT15M").await;
    assert_eq!(OwnBrowser::new(&server, "nl").log_in(&customer).await.status, 303);
}

#[tokio::test]
async fn three_browsers_with_wrong_answers_are_open_at_most() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    for _ in 0..3 {
        let mut browser = OwnBrowser::new(&server, "nl");
        assert!(browser.answer_wrongly(iban(&customer)).await.body.contains("is niet juist"));
    }
    let mut fourth = OwnBrowser::new(&server, "nl");
    let refused = fourth.log_in(&customer).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "300"), "{}", refused.body);
    server.advance("nl", "PT4M59S").await;
    fourth.get("").await;
    server.advance("nl", "PT2S").await;
    assert_eq!(fourth.log_in(&customer).await.status, 303);
}

#[tokio::test]
async fn nobody_comes_in_without_a_session_or_with_a_form_of_another() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let tpp = server.registered("nl", ID).await;
    let consent = tpp.valid(&server, &detailed(iban(&customer), true), iban(&customer)).await;
    let access = format!("/access/{}", consent.id);
    let mut browser = OwnBrowser::of(&server, "nl", &customer).await;
    let page = browser.get(&access).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let csrf = value(&page.body, "csrf");
    let withdraw = [("action", "withdraw")];

    // Nobody, and somebody who has yet to log in.
    let mut nobody = OwnBrowser::new(&server, "nl");
    for path in [access.as_str(), "/accounts/1", "/payments/1"] {
        assert_over(&nobody.get(path).await, "U bent niet ingelogd", &browser.base);
    }
    assert_over(&server.send(&nobody.form(&access, &csrf, &withdraw)).await, "U bent niet", &browser.base);
    let entrance = nobody.get("").await;
    for path in [access.as_str(), "/accounts/1", "/payments/1"] {
        assert_over(&nobody.get(path).await, "U bent niet ingelogd", &browser.base);
    }
    let outside = nobody.form(&access, &value(&entrance.body, "csrf"), &withdraw);
    assert_over(&server.send(&outside).await, "U bent niet ingelogd", &browser.base);

    // A form of another session, of another site, and one that says nothing.
    for wrong in ["", "x", &value(&entrance.body, "csrf")] {
        let refused = server.send(&browser.form(&access, wrong, &withdraw)).await;
        assert_over(&refused, "Deze pagina is verlopen", &browser.base);
    }
    for site in ["cross-site", "same-site"] {
        let request = browser.form(&access, &csrf, &withdraw).set("sec-fetch-site", site);
        assert_over(&server.send(&request).await, "Dit kwam niet van onze pagina", &browser.base);
    }
    for fields in [&[][..], &[("action", "end")], &[("action", "withdraw"), ("action", "withdraw")]] {
        let refused = server.send(&browser.form(&access, &csrf, fields)).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
        assert!(refused.body.contains("no action that is known"), "{}", refused.body);
    }
    let json = browser.request("POST", &access).body("application/json", "{}");
    assert_eq!(server.send(&json).await.status, 415);
    // The session is one of this branch alone, also for who renames its cookie.
    let cookie = browser.cookie.replacen("customer-nl", "customer-uk", 1);
    assert_ne!(cookie, browser.cookie);
    let elsewhere = OwnBrowser { base: "/auth/uk/customer".to_owned(), cookie, ..browser };
    assert_over(
        &server.send(&elsewhere.request("GET", &access)).await,
        "U bent niet ingelogd",
        &elsewhere.base,
    );
    let unknown = Request::new("GET", "/auth/xx/customer").set("accept", "text/html");
    let unknown = server.send(&unknown).await;
    assert!(unknown.status == 404 && unknown.header("content-type").starts_with("text/html"));
    assert_eq!(server.send(&tpp.read("/v1/accounts", &consent)).await.status, 200, "nothing was withdrawn");
}
