//! A customer's own pages, as a browser without scripts sees them: the log-in and its rules, accounts and what moves on
//! them, who has access and an end to it.

use serde_json::{Value, json};
use testkit::bunq::BunqClient;
use testkit::{Answer, Request, TestServer, TestTpp, ValidConsent, detailed, in_euro};

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
        self.submit("", &[("action", "log-in"), ("iban", iban), ("answer", "999999")]).await
    }
}

fn grouped(iban: &str) -> String {
    iban.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
}

fn iban(customer: &Value) -> &str {
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
    server.advance("be_fr", "PT4M59S").await;
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

async fn withdraw(browser: &mut OwnBrowser<'_>, id: &str) -> Answer {
    let path = format!("/access/{id}");
    let done = browser.submit(&path, &[("action", "withdraw")]).await;
    assert_eq!((done.status, done.header("location")), (303, format!("{}{path}", browser.base).as_str()));
    browser.get(&path).await
}

/// A third party and a customer who gave it access.
async fn given(server: &TestServer) -> (TestTpp, Value, ValidConsent) {
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

#[tokio::test]
async fn movements_are_paged_to_the_first_one() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "busy").await;
    let mut browser = OwnBrowser::of(&server, "nl", &customer).await;
    let overview = browser.get("?lang=en").await.body;
    let account = overview.split_once("/customer/accounts/").unwrap().1.split('"').next().unwrap().to_owned();
    let first = format!("/accounts/{account}");
    let (mut path, mut pages, mut movements) = (first.clone(), 0, 0);
    loop {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let booked = page.body.split_once("<h2>Movements</h2>").unwrap().1;
        let on_page = booked.matches("<td class=\"number\">").count();
        assert!((1..=50).contains(&on_page), "{on_page}");
        assert!(booked.contains("scope=\"rowgroup\"") && booked.contains("(on this page)"));
        assert_eq!(page.body.contains(">Newest<"), pages > 0);
        (pages, movements) = (pages + 1, movements + on_page);
        let Some((before, _)) = booked.split_once("\" rel=\"next\"") else { break };
        let next = before.rsplit_once("href=\"").unwrap().1.strip_prefix(&browser.base).unwrap();
        assert!(next.starts_with(&format!("{first}?after=20")), "{next}");
        next.clone_into(&mut path);
    }
    assert_eq!((pages, movements), (24, 1200));
    for wrong in ["x", "2026-01-01", "2026-13-01.1", "2026-01-01.x"] {
        assert_eq!(browser.get(&format!("{first}?after={wrong}")).await.status, 404, "{wrong}");
    }
    let none = browser.get(&format!("{first}?after=1950-01-01.1")).await;
    assert!(none.status == 200 && none.body.contains("Nothing has moved"), "{}", none.body);
}

#[tokio::test]
async fn a_bank_for_tests_lists_its_customers_and_fills_one_in() {
    let server = TestServer::start().await;
    let household = server.customer("nl", "household").await;
    server.customer("uk", "saver").await;
    let hostile = json!({"tenant": "nl", "persona": "student", "name": "<script>alert(1)</script>"});
    let (status, newest) = server.manage("POST", "/test-accounts", hostile).await;
    assert_eq!(status, 201, "{newest}");
    let mut browser = OwnBrowser::new(&server, "nl");
    let page = browser.get("?lang=en").await.body;
    assert!(page.contains("Test customers") && page.contains("Someone like most: a salary"), "{page}");
    assert!(!page.contains("<script") && !page.contains("G. van den Berg"), "{page}");
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(place("&#60;script&#62;") < place("J. Jansen"), "the newest first");
    let (device, number) = (household["digipassNumber"].as_str().unwrap(), iban(&household));
    let button = format!("<button form=\"take\" name=\"customer\" value=\"{device} {number}\"");
    assert!(page.contains(&button) && page.contains("<form id=\"take\" method=\"get\""), "{page}");
    // One click asks for the page filled in, so that going back sends nothing again; the next one logs in, without scripts.
    let fill = format!("?customer={device}+{number}");
    let filled = browser.get(&fill).await;
    assert!(filled.status == 200 && filled.body.contains("are filled in"), "{}", filled.body);
    let number = value(&filled.body, "iban");
    let answer = filled.body.split_once("id=\"simulated\">").unwrap().1.split('<').next().unwrap().to_owned();
    assert_eq!((number.as_str(), answer.len()), (iban(&household), 6));
    assert!(filled.body.contains(&format!("autofocus value=\"{answer}\"")), "{}", filled.body);
    let entered = browser.submit("", &[("action", "log-in"), ("iban", &number), ("answer", &answer)]).await;
    assert_eq!(entered.status, 303, "{}", entered.body);
    assert!(browser.get("").await.body.contains("J. Jansen"));
    // The same where a third party asks.
    let tpp = server.registered("nl", ID).await;
    let asked = tpp.consent(&server, &detailed(iban(&household), true)).await;
    let mut sent = crate::pages::Browser::open(&server, &tpp.authorization_url(&asked)).await;
    assert!(sent.get("").await.body.contains(&button));
    let filled = sent.get(&fill).await.body;
    let answer = filled.split_once("id=\"simulated\">").unwrap().1.split('<').next().unwrap().to_owned();
    let number = value(&filled, "iban");
    let entered = sent.submit(&[("action", "log-in"), ("iban", &number), ("answer", &answer)]).await;
    assert_eq!(entered.status, 303, "{}", entered.body);
    // What is asked for is only shown, whatever it is.
    for odd in ["", "1", "1+2&customer=1+2", "%3Cb%3E%221+%3Ci%3E2", "+"] {
        let shown = OwnBrowser::new(&server, "nl").get(&format!("?customer={odd}")).await;
        assert!(shown.status == 200 && !shown.body.contains("<b>") && !shown.body.contains("<i>"), "{odd}");
    }
}

#[tokio::test]
async fn eight_customers_are_listed_at_most() {
    let server = TestServer::start().await;
    for _ in 0..10 {
        server.customer("nl", "empty").await;
    }
    let page = OwnBrowser::new(&server, "nl").get("").await.body;
    assert_eq!(page.matches("name=\"customer\"").count(), 8, "{page}");
}

#[tokio::test]
async fn each_page_carries_the_name_that_the_bank_has_at_the_branch() {
    let (_guard, folder) = testkit::free_folder();
    let start = async || {
        TestServer::with(|config| config.data = vestibule::DataLocation::Folder(folder.clone())).await
    };
    let server = start().await;
    let name = "Bank <b>& Söhne</b>";
    let named = server.manage("PUT", "/tenants/uk", json!({"bankName": format!(" {name} ")})).await;
    assert_eq!((named.0, &named.1["bankName"]), (200, &json!(name)), "{}", named.1);
    for (path, body, error) in [
        ("/tenants/xx", json!({"bankName": "x"}), "unknown_tenant"),
        ("/tenants/uk", json!({"bankName": ""}), "invalid_name"),
        ("/tenants/uk", json!({"bankName": "a\nb"}), "invalid_name"),
        ("/tenants/uk", json!({"bankName": "x".repeat(71)}), "invalid_name"),
        ("/tenants/uk", json!({"name": "x"}), "invalid_request"),
    ] {
        let (status, answer) = server.manage("PUT", path, body).await;
        assert_eq!((status, answer["error"].as_str()), (400, Some(error)), "{path}: {answer}");
    }
    let (_, all) = server.manage("GET", "/tenants", json!(null)).await;
    let of =
        |tenant: &str| all["tenants"].as_array().unwrap().iter().find(|one| one["tenant"] == tenant).cloned();
    assert_eq!(
        of("uk").unwrap(),
        json!({"tenant": "uk", "bankName": name, "country": "GB", "currency": "GBP",
        "language": "en"})
    );
    assert_eq!(of("be_nl").unwrap()["bankName"], "Vestibule Bank België");
    let shown = "Bank &#60;b&#62;&#38; Söhne&#60;/b&#62;";
    let customer = server.customer("uk", "student").await;
    let mut browser = OwnBrowser::of(&server, "uk", &customer).await;
    let tpp = server.registered("uk", ID).await;
    let asked = tpp.consent(&server, &detailed(iban(&customer), true)).await;
    let mut sent = crate::pages::Browser::open(&server, &tpp.authorization_url(&asked)).await;
    let mut pages = vec![browser.get("").await, browser.get("/access/1").await, sent.get("").await];
    sent.log_in(&customer).await;
    pages.push(sent.get("").await);
    pages
        .push(server.send(&Request::new("GET", "/auth/uk/v1/auth?scope=x").set("accept", "text/html")).await);
    for page in pages {
        assert!(page.body.contains(shown) && page.body.contains(">TEST<"), "{}", page.body);
    }
    server.stop().await;
    let page = OwnBrowser::new(&start().await, "uk").get("").await.body;
    assert!(page.contains(shown), "{page}");
}
