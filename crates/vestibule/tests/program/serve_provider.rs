//! A gateway whose customers authenticate at the bank's own OpenID provider, with the bank behind the core bank interface.

use std::fs;
use std::sync::Arc;

use openid::test_provider::{CLIENT, SECRET, TestProvider};
use serde_json::{Value, json};
use testkit::{
    Answer, CALLBACK, Request, Signer, TestServer, TestTpp, challenge, detailed, euro_payment, parameter,
};
use vestibule::{Behind, Served, serve};

use crate::configuration::Files;
use crate::serve::{Listeners, PAGE, Scene, configuration, confirmation, confirmed, registered, value};
use crate::serve_command::bank_behind;

/// Where browsers reach the pages.
pub(crate) const PAGES: &str = "https://bank.example.com";

/// The bank's name.
pub(crate) const BANK: &str = "Bank of the tests";

pub(crate) struct Provided {
    pub(crate) scene: Scene,
    core_bank: String,
    pub(crate) provider: TestProvider,
    pub(crate) customer: Value,
    pub(crate) tpp: TestTpp,
    pub(crate) client: reqwest::Client,
    _bank: tokio::task::JoinHandle<()>,
}

/// The section of a provider, with lines added.
fn section(provider: &TestProvider, more: &str) -> String {
    format!(
        "[provider]\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\nclient_secret_file = \"provider.secret\"\n{more}",
        provider.issuer()
    )
}

impl Provided {
    async fn new() -> Self {
        Self::with("").await
    }

    /// With lines added to the file.
    pub(crate) async fn with(more: &str) -> Self {
        let core = TestServer::start().await;
        let files = Files::new();
        let provider = TestProvider::start(testkit::now()).await;
        fs::write(files.path("provider.secret"), SECRET).unwrap();
        let (core_bank, bank) = bank_behind(&core, &files).await;
        let more = section(&provider, "acr_values = [\"strong\"]\n") + more;
        let clock: Arc<dyn gateway::Clock> = core.running.sandbox.clock.clone();
        let configuration = configuration(&files, &core_bank, &more);
        let served = serve(configuration, clock, Behind::core_bank).await.unwrap();
        let scene = Scene { listeners: listeners(&served), core, served, files, bank: BANK, clock: None };
        let qwac: Signer = scene.certificate("qwac").await;
        let client = scene.client(Some(&qwac));
        let tpp = registered(&scene, &client).await;
        let customer = scene.core.customer("nl", "saver").await;
        let subject = customer["customerId"].as_str().unwrap().to_owned();
        provider.behave(|it| it.subject = Some(subject));
        Self { scene, core_bank, provider, customer, tpp, client, _bank: bank }
    }

    fn iban(&self) -> &str {
        self.customer["iban"].as_str().unwrap()
    }

    async fn consent(&self) -> Value {
        let asked = self.tpp.consent_request(&detailed(self.iban(), true));
        let asked = asked.exchange(&self.client, &self.scene.interface()).await;
        assert_eq!(asked.status, 201, "{}", asked.body);
        asked.json()
    }
}

pub(crate) fn listeners(served: &Served) -> Listeners {
    let [interface, pages, management] =
        [served.interface, served.pages, served.management].map(|address| address.to_string());
    Listeners { interface, pages, management, admin: None }
}

/// A browser that knows no certificate, keeps one cookie, and goes where it is sent to.
pub(crate) struct Browser<'a, S> {
    scene: &'a Scene<S>,
    http: reqwest::Client,
    cookie: String,
}

impl<'a, S> Browser<'a, S> {
    pub(crate) fn new(scene: &'a Scene<S>) -> Self {
        Self { http: scene.client(None), scene, cookie: String::new() }
    }

    /// Follows the link of something that was asked for.
    pub(crate) async fn open(scene: &'a Scene<S>, asked: &Value) -> Self {
        let link = asked["_links"]["scaRedirect"].as_str().unwrap();
        let challenge = challenge(testkit::VERIFIER);
        let url = format!("{link}&code_challenge={challenge}&code_challenge_method=S256&state=x");
        let mut browser = Self::new(scene);
        let opened = browser.get(&url).await;
        assert_eq!((opened.status, opened.header("location")), (302, &*format!("{PAGES}{PAGE}")));
        browser
    }

    /// Asks for an address of the pages.
    pub(crate) async fn get(&mut self, url: &str) -> Answer {
        let target = url.strip_prefix(PAGES).unwrap_or(url);
        assert!(target.starts_with('/'), "{url} is no page of the bank's");
        self.send(Request::new("GET", target)).await
    }

    /// Fills in a form of a page.
    pub(crate) async fn submit(&mut self, path: &str, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let filled_in = self.filled_in(path, page, fields);
        self.send(filled_in).await
    }

    /// A form of a page that was filled in, to be sent as often as one likes.
    pub(crate) fn filled_in(&self, path: &str, page: &Answer, fields: &[(&str, &str)]) -> Request {
        let mut form = vec![format!("csrf={}", value(&page.body, "csrf"))];
        form.extend(fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))));
        self.asking(Request::new("POST", path).form(&form.join("&")))
    }

    fn asking(&self, request: Request) -> Request {
        request.set("accept", "text/html").set("cookie", &self.cookie)
    }

    async fn send(&mut self, request: Request) -> Answer {
        let answer = self.asking(request).exchange(&self.http, &self.scene.pages()).await;
        if !answer.header("set-cookie").is_empty() {
            answer.header("set-cookie").split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        answer
    }

    /// Goes to the provider, where nobody asks for anything, and comes back.
    async fn log_in(&mut self, provider: &TestProvider) -> Answer {
        let sent = self.get(PAGE).await;
        let there = sent.header("location");
        assert!(sent.status == 302 && there.starts_with(provider.issuer()), "{} {there}", sent.body);
        let back = self.http.get(there).send().await.unwrap();
        let back = back.headers()["location"].to_str().unwrap().to_owned();
        assert!(back.starts_with(&format!("{PAGES}/auth/internalonly/callback?")), "{back}");
        self.get(&back).await
    }

    /// Approves what is asked; returns the code.
    pub(crate) async fn approve(&mut self) -> String {
        let page = self.get(PAGE).await;
        assert!(page.status == 200 && page.body.contains(BANK), "{}", page.body);
        assert!(!page.body.contains("name=\"answer\"") && !page.body.contains("name=\"iban\""));
        let left = self.submit(PAGE, &page, &[("action", "approve")]).await;
        let location = left.header("location");
        assert!(left.status == 303 && location.starts_with(CALLBACK), "{} {location}", left.body);
        parameter(location, "code").unwrap_or_else(|| panic!("{location}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_authenticate_at_the_banks_provider() {
    let it = Provided::new().await;
    let (interface, client) = (it.scene.interface(), &it.client);
    let asked = it.consent().await;
    let mut browser = Browser::open(&it.scene, &asked).await;
    let came = browser.log_in(&it.provider).await;
    assert_eq!((came.status, came.header("location")), (302, PAGE), "{}", came.body);
    let request = it.provider.requests().pop().unwrap();
    assert_eq!((request["acr_values"].as_str(), request["max_age"].as_str()), ("strong", "300"));
    let code = browser.approve().await;
    let consent = confirmed(&it.scene, &it.tpp, client, (&asked, &code)).await;
    let accounts = it.tpp.read("/v1/accounts", &consent).exchange(client, &interface).await;
    assert_eq!(accounts.status, 200, "{}", accounts.body);
    let account = accounts.json()["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let balances = it.tpp.read(&format!("/v1/accounts/{account}/balances"), &consent);
    let balances = balances.exchange(client, &interface).await;
    assert!(
        balances.status == 200 && balances.json()["balances"][0]["balanceAmount"].is_object(),
        "{}",
        balances.body
    );

    // A payment is confirmed there, with amount and payee, and made once its third party says so.
    let mut body = euro_payment("12.50", "NL91ABNA0417164300");
    body["debtorAccount"] = json!({"iban": it.iban()});
    let asked = it.tpp.payment_request("payments/sepa-credit-transfers", &body);
    let asked = asked.exchange(client, &interface).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let asked = asked.json();
    let mut browser = Browser::open(&it.scene, &asked).await;
    let came = browser.log_in(&it.provider).await;
    assert_eq!((came.status, came.header("location")), (302, PAGE), "{}", came.body);
    let request = it.provider.requests().pop().unwrap();
    let details: Value = serde_json::from_str(&request["authorization_details"]).unwrap();
    assert_eq!(details[0]["instructedAmount"], json!({"currency": "EUR", "amount": "12.50"}), "{details}");
    assert_eq!(details[0]["creditorAccount"]["iban"], "NL91ABNA0417164300", "{details}");
    let code = browser.approve().await;
    let tokens = it.tpp.token_request(&TestTpp::code_form(&code)).exchange(client, &interface).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let token = tokens.json()["access_token"].as_str().unwrap().to_owned();
    let path = format!("/v1/payments/sepa-credit-transfers/{}", asked["paymentId"].as_str().unwrap());
    let authorisation = asked["authorisationId"].as_str().unwrap();
    let confirm = confirmation(&it.tpp, &format!("{path}/authorisations/{authorisation}"), &token);
    let confirm = confirm.exchange(client, &interface).await;
    assert_eq!(confirm.status, 200, "{}", confirm.body);
    let status = it.tpp.request("GET", &format!("{path}/status")).signed(&it.tpp.signer);
    let status = status.exchange(client, &interface).await;
    assert_eq!(status.json()["transactionStatus"], "ACSC", "{}", status.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_authenticated_there_is_not_logged_in() {
    let mut it = Provided::new().await;
    let own = it.customer["customerId"].as_str().unwrap().to_owned();
    let elsewhere = it.scene.core.customer("uk", "saver").await["customerId"].as_str().unwrap().to_owned();
    for (what, error, claims, subject) in [
        ("cancelled", Some("access_denied"), json!({}), own.as_str()),
        ("weak", None, json!({"acr": "weak"}), &own),
        ("unknown to the core bank", None, json!({}), "nobody"),
        ("a customer of another branch", None, json!({}), &elsewhere),
        ("a hostile name", None, json!({}), "..%2Fevents"),
    ] {
        let mut browser = Browser::open(&it.scene, &it.consent().await).await;
        it.provider.behave(|it| {
            (it.error, it.claims) = (error.map(str::to_owned), claims);
            it.subject = Some(subject.to_owned());
        });
        let page = browser.log_in(&it.provider).await;
        it.provider.behave(|it| {
            (it.error, it.claims, it.subject) = (None, json!({}), Some(own.clone()));
        });
        assert_eq!(page.status, 403, "{what}: {}", page.body);
        assert!(page.body.contains("role=\"alert\"") && page.body.contains(BANK), "{what}: {}", page.body);
        let left = browser.submit(PAGE, &page, &[("action", "cancel")]).await;
        assert!(left.status == 303 && left.header("location").starts_with(CALLBACK), "{what}: {}", left.body);
    }

    // Another customer of the bank is let in, and has nothing of what was asked for to give.
    let other = it.scene.core.customer("nl", "student").await;
    let other = other["customerId"].as_str().unwrap().to_owned();
    it.provider.behave(|it| it.subject = Some(other));
    let mut browser = Browser::open(&it.scene, &it.consent().await).await;
    browser.log_in(&it.provider).await;
    let page = browser.get(PAGE).await;
    assert!(!page.body.contains("value=\"approve\""), "{}", page.body);
    it.provider.behave(|it| it.subject = Some(own));

    // Nothing that is typed logs anybody in.
    let mut browser = Browser::open(&it.scene, &it.consent().await).await;
    it.provider.behave(|it| it.error = Some("access_denied".to_owned()));
    let page = browser.log_in(&it.provider).await;
    let (iban, number) = (it.iban(), it.customer["digipassNumber"].as_str().unwrap());
    let typed = [("action", "log-in"), ("iban", iban), ("answer", number)];
    let sent = browser.submit(PAGE, &page, &typed).await;
    assert!(sent.header("location").starts_with(it.provider.issuer()), "{} {}", sent.status, sent.body);
    it.provider.behave(|it| it.error = None);

    // What is demanded is taken up while it runs; a file that is wrong changes nothing.
    let more = section(&it.provider, "acr_values = [\"stronger\", \"strong\"]\nmax_age = \"0s\"\n");
    let new = configuration(&it.scene.files, &it.core_bank, &more);
    assert!(it.scene.served.reload(new).unwrap().is_empty());
    let mut browser = Browser::open(&it.scene, &it.consent().await).await;
    assert_eq!(browser.log_in(&it.provider).await.header("location"), PAGE);
    let request = it.provider.requests().pop().unwrap();
    assert_eq!((request["acr_values"].as_str(), request["max_age"].as_str()), ("stronger strong", "0"));
    let later = it.scene.served.reload(configuration(&it.scene.files, &it.core_bank, "")).unwrap();
    assert_eq!(later, ["provider"], "that there is one is no matter of a reload");

    // Away: told as such, with the way back to the third party.
    it.provider.behave(|it| it.is_away = true);
    let new = configuration(&it.scene.files, &it.core_bank, &section(&it.provider, ""));
    it.scene.served.reload(new).unwrap();
    let mut browser = Browser::open(&it.scene, &it.consent().await).await;
    let away = browser.get(PAGE).await;
    assert_eq!(away.status, 503, "{}", away.body);
    assert!(away.body.contains(CALLBACK) && !away.body.contains(it.provider.issuer()), "{}", away.body);
}
