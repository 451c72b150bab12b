//! A gateway in front of a bank: mutual TLS, no door for tests, reload, drain, metrics, a proxy before it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use gateway::Bank;
use gateway::domain::{Tenant, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::{
    Answer, CALLBACK, Request, Signer, TestServer, TestTpp, ValidConsent, challenge, detailed, parameter,
};
use vestibule::configuration::Configuration;
use vestibule::{Behind, Served, serve};

use crate::configuration::Files;

const ID: &str = "PSDNL-DNB-R654321";

/// A core bank that nobody asks, since the bank behind is of the same process.
pub(crate) const NO_CORE: &str = "https://core.bank.example.com";

/// Where customers approve.
pub(crate) const PAGE: &str = "/auth/internalonly/authorise.html";

/// A gateway, the sandbox whose books are behind it, and the files that it was started with.
pub(crate) struct Scene<S = Served> {
    pub(crate) core: TestServer,
    pub(crate) served: S,
    pub(crate) files: Files,
    /// Addresses of its three listeners.
    pub(crate) listeners: Listeners,
    /// What its pages call the bank.
    pub(crate) bank: &'static str,
    /// The clock of a gateway in this process.
    pub(crate) clock: Option<Arc<Ahead>>,
}

/// The bank's clock, with the system's time ahead of it: that is what issuers and registers live in.
#[derive(Debug)]
pub(crate) struct Ahead {
    clock: Arc<dyn gateway::Clock>,
    minutes: AtomicI64,
}

impl Ahead {
    pub(crate) fn by_more(&self, minutes: i64) {
        self.minutes.fetch_add(minutes, Ordering::Relaxed);
    }
}

impl gateway::Clock for Ahead {
    fn now(&self, tenant: Option<&Tenant>) -> Timestamp {
        let minutes = if tenant.is_none() { self.minutes.load(Ordering::Relaxed) } else { 0 };
        self.clock.now(tenant) + SignedDuration::from_mins(minutes)
    }
}

/// Host and port of interface, pages, management and staff.
#[derive(Clone)]
pub(crate) struct Listeners {
    pub(crate) interface: String,
    pub(crate) pages: String,
    pub(crate) management: String,
    /// Where staff calls, if the node has such a listener.
    pub(crate) admin: Option<String>,
}

impl Scene {
    /// With lines added to the file.
    pub(crate) async fn with(more: &str) -> Self {
        Self::of(Files::new(), more).await
    }

    /// The same with files that are there.
    pub(crate) async fn of(files: Files, more: &str) -> Self {
        Self::behind(TestServer::start().await, files, more).await
    }

    /// In front of a bank that was started before, with files that are there.
    pub(crate) async fn behind(core: TestServer, files: Files, more: &str) -> Self {
        Self::behind_ports(core, files, more, |ports| ports).await
    }

    /// The same with other ports in the place of some of the bank's.
    pub(crate) async fn behind_ports(
        core: TestServer,
        files: Files,
        more: &str,
        change: impl FnOnce(Bank) -> Bank,
    ) -> Self {
        fs::write(files.path("anchors.pem"), core.running.sandbox.authorities.root_pem()).unwrap();
        let clock = ahead(&core);
        let served = start(&core, &files, (more, clock.clone()), change).await;
        let [interface, pages, management] =
            [served.interface, served.pages, served.management].map(|address| address.to_string());
        let admin = served.admin().map(|address| address.to_string());
        // The bank behind says what it is called, and this is a sandbox's.
        let bank = "Vestibule Bank";
        let listeners = Listeners { interface, pages, management, admin };
        Self { core, served, files, listeners, bank, clock: Some(clock) }
    }
}

impl<S> Scene<S> {
    /// A third party with a certificate of a profile.
    pub(crate) async fn certificate(&self, profile: &str) -> Signer {
        self.core.certificate(json!({"organizationIdentifier": ID, "profile": profile})).await
    }

    /// A client that presents a certificate, or none. Each request has a connection of its own, so that a load balancer before nodes may
    /// choose for each.
    pub(crate) fn client(&self, signer: Option<&Signer>) -> reqwest::Client {
        self.client_builder(signer).pool_max_idle_per_host(0).build().unwrap()
    }

    /// The same, which stays on one connection.
    pub(crate) fn lasting_client(&self, signer: Option<&Signer>) -> reqwest::Client {
        self.client_builder(signer).build().unwrap()
    }

    fn client_builder(&self, signer: Option<&Signer>) -> reqwest::ClientBuilder {
        let ca = reqwest::Certificate::from_pem(self.files.ca.pem().as_bytes()).unwrap();
        let mut client = reqwest::Client::builder()
            .tls_certs_only([ca])
            .tls_info(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        if let Some(signer) = signer {
            let pem = signer.key_pem.clone() + &eidas::certificate::to_pem(&signer.certificate.der);
            client = client.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
        }
        client
    }

    pub(crate) fn interface(&self) -> String {
        format!("https://{}", self.listeners.interface)
    }

    pub(crate) fn pages(&self) -> String {
        format!("https://{}", self.listeners.pages)
    }

    pub(crate) fn management(&self) -> String {
        format!("http://{}", self.listeners.management)
    }

    pub(crate) async fn managed(&self, path: &str) -> (u16, String) {
        let answer = Request::new("GET", path).exchange(&self.core.http, &self.management()).await;
        (answer.status, answer.body)
    }
}

/// Writes the configuration and reads it as the program does.
pub(crate) fn configuration(files: &Files, core_bank: &str, more: &str) -> Configuration {
    let path = write_configuration(files, core_bank, more);
    Configuration::read(&path, testkit::now()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Writes a configuration with a core bank at an address and lines added, the first one in [bank] if it names interfaces.
pub(crate) fn write_configuration(files: &Files, core_bank: &str, more: &str) -> PathBuf {
    let mut text = String::from(
        "[bank]\nname = \"Bank of the tests\"\nbranches = [\"nl\", \"uk\"]\nrules = \"lenient\"\n",
    );
    let (of_bank, more) = match more.split_once('\n') {
        Some((line, rest)) if line.starts_with("interfaces = ") => (line, rest),
        _ => ("", more),
    };
    text += &format!("{of_bank}\n");
    let is_behind_proxy = more.contains("[proxy]");
    for (section, host) in [("interface", "api.bank.example.com"), ("pages", "bank.example.com")] {
        text += &format!("[{section}]\nlisten = \"127.0.0.1:0\"\nurl = \"https://{host}\"\n");
        if !is_behind_proxy {
            text += &format!("certificate_file = \"{section}.pem\"\nkey_file = \"{section}.key\"\n");
        }
    }
    text += "[trust]\nanchor_files = [\"anchors.pem\"]\nintermediate_files = [\"intermediates.pem\"]\n";
    text += "check_revocation = false\ntest_authorities = true\n";
    text += "[database]\nsqlite_file = \"vestibule.db\"\n";
    text += &format!("[core_bank]\nurl = \"{core_bank}\"\n");
    text += "certificate_file = \"core-client.pem\"\n";
    text += "key_file = \"core-client.key\"\ntrust_files = [\"core-authority.pem\"]\n";
    text += "own_numbers = [\"NLTRIO\", \"NLVSTB\", \"NLBUNQ\"]\n";
    text += "[management]\nlisten = \"127.0.0.1:0\"\ndrain = \"3s\"\n";
    text += more;
    let path = files.path("vestibule.toml");
    fs::write(&path, text).unwrap();
    path
}

fn ahead(core: &TestServer) -> Arc<Ahead> {
    Arc::new(Ahead { clock: core.running.sandbox.clock.clone(), minutes: AtomicI64::new(0) })
}

async fn start(
    core: &TestServer,
    files: &Files,
    (more, clock): (&str, Arc<Ahead>),
    change: impl FnOnce(Bank) -> Bank,
) -> Served {
    let signer = core.certificate(json!({"organizationIdentifier": ID, "profile": "qwac"})).await;
    fs::write(files.path("intermediates.pem"), &signer.chain[0]).unwrap();
    let sandbox = &core.running.sandbox;
    // What a bank for tests has beside stays behind.
    let ports = change(Bank { test_doors: None, ..sandbox.bank.clone() });
    let behind = Behind { ports, upkeep: None, core_bank: None };
    serve(configuration(files, NO_CORE, more), clock, |_, _| Ok(behind)).await.unwrap()
}

pub(crate) fn error(answer: &Answer) -> String {
    answer.json()["tppMessages"][0]["code"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

/// A third party that registered by mutual TLS.
pub(crate) async fn registered<S>(scene: &Scene<S>, client: &reqwest::Client) -> TestTpp {
    registered_with(scene, client, scene.certificate("qseal").await).await
}

/// The same with a certificate for its signatures.
pub(crate) async fn registered_with<S>(
    scene: &Scene<S>,
    client: &reqwest::Client,
    signer: Signer,
) -> TestTpp {
    let token = Request::onboarding("nl").signed(&signer).exchange(client, &scene.interface()).await;
    assert_eq!(token.status, 200, "{}", token.body);
    let token = token.json()["access_token"].as_str().unwrap().to_owned();
    let registration = Request::registration("nl", &token, &[CALLBACK]).certificate(&signer);
    let registration = registration.exchange(client, &scene.interface()).await;
    assert_eq!(registration.status, 201, "{}", registration.body);
    let secret = registration.json()["client_secret"].as_str().unwrap().to_owned();
    TestTpp { signer, tenant: "nl".to_owned(), secret }
}

/// The value of a field of a page.
pub(crate) fn value(page: &str, name: &str) -> String {
    let after = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{page}")).1;
    after.split('"').next().unwrap().to_owned()
}

/// A customer logs in at the pages and approves; returns the code.
pub(crate) async fn approve<S>(scene: &Scene<S>, asked: &Value, customer: &Value) -> String {
    let location = decide(scene, asked, customer, "approve").await;
    parameter(&location, "code").unwrap_or_else(|| panic!("{location}"))
}

/// A customer logs in at the pages and decides; returns the way back.
pub(crate) async fn decide<S>(scene: &Scene<S>, asked: &Value, customer: &Value, action: &str) -> String {
    let decided = try_to_decide(scene, asked, customer, action).await;
    assert_eq!(decided.status, 303, "{}", decided.body);
    decided.header("location").to_owned()
}

/// A customer logs in at the pages and decides, whatever comes of it.
pub(crate) async fn try_to_decide<S>(
    scene: &Scene<S>,
    asked: &Value,
    customer: &Value,
    action: &str,
) -> Answer {
    let browser = scene.client(None);
    let link = asked["_links"]["scaRedirect"].as_str().unwrap();
    let query =
        format!("&code_challenge={}&code_challenge_method=S256&state=x", challenge(testkit::VERIFIER));
    let target = link.strip_prefix("https://bank.example.com").unwrap().to_owned() + &query;
    let opened =
        Request::new("GET", &target).set("accept", "text/html").exchange(&browser, &scene.pages()).await;
    assert_eq!(
        (opened.status, opened.header("location")),
        (302, &*format!("https://bank.example.com{PAGE}"))
    );
    let cookie = |answer: &Answer| answer.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(opened.header("set-cookie").contains("Secure"), "{}", opened.header("set-cookie"));
    let mut session = cookie(&opened);
    let text = |name: &str| customer[name].as_str().unwrap().to_owned();
    let (iban, number) = (text("iban"), text("digipassNumber"));
    let log_in = [("action", "log-in"), ("iban", iban.as_str())];
    let mut last = opened;
    for fields in [&log_in[..], &[("action", action)]] {
        assert!(matches!(last.status, 302 | 303), "{}", last.body);
        // As on the list of a bank for tests, of which there is nothing here.
        let taken = format!("{PAGE}?customer={number}+{iban}");
        let page = Request::new("GET", &taken).set("accept", "text/html").set("cookie", &session);
        let page = page.exchange(&browser, &scene.pages()).await.body;
        assert!(page.contains(scene.bank), "{page}");
        let filled_in = format!("value=\"{iban}\"");
        for door in ["simulat", "name=\"customer\"", &filled_in, "/portal", "esting only"] {
            assert!(!page.contains(door), "{door}: {page}");
        }
        let csrf = value(&page, "csrf");
        let mut form = vec![("csrf", csrf)];
        form.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        if page.contains("name=\"challenge\"") {
            // The customer's device is beside, as at a real bank: it is asked, and not the page.
            let challenge = value(&page, "challenge");
            let device = &scene.core.running.sandbox.gateway;
            form.push(("answer", device.simulated_answer(&number, &challenge).unwrap()));
            form.push(("challenge", challenge));
        }
        let form: Vec<_> =
            form.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
        let sent = Request::new("POST", PAGE).set("accept", "text/html").set("cookie", &session);
        let sent = sent.form(&form.join("&")).exchange(&browser, &scene.pages()).await;
        if !sent.header("set-cookie").is_empty() {
            session = cookie(&sent);
        }
        last = sent;
    }
    last
}

/// A third party asks for a consent, its customer gives it, and it is confirmed.
pub(crate) async fn consented<S>(
    scene: &Scene<S>,
    tpp: &TestTpp,
    client: &reqwest::Client,
    customer: &Value,
) -> ValidConsent {
    let iban = customer["iban"].as_str().unwrap();
    let asked = tpp.consent_request(&detailed(iban, true)).exchange(client, &scene.interface()).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let asked = asked.json();
    let code = approve(scene, &asked, customer).await;
    confirmed(scene, tpp, client, (&asked, &code)).await
}

/// A third party redeems the code for what it asked for, and confirms a consent.
pub(crate) async fn confirmed<S>(
    scene: &Scene<S>,
    tpp: &TestTpp,
    client: &reqwest::Client,
    (asked, code): (&Value, &str),
) -> ValidConsent {
    let interface = scene.interface();
    let tokens = tpp.token_request(&TestTpp::code_form(code)).exchange(client, &interface).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let consent = ValidConsent {
        id: text(&asked["consentId"]),
        authorisation: text(&asked["authorisationId"]),
        access_token: text(&tokens.json()["access_token"]),
        refresh_token: text(&tokens.json()["refresh_token"]),
    };
    let path = format!("/v1/consents/{}/authorisations/{}", consent.id, consent.authorisation);
    let confirmed = confirmation(tpp, &path, &consent.access_token).exchange(client, &interface).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    consent
}

/// The request that confirms an authorisation.
pub(crate) fn confirmation(tpp: &TestTpp, path: &str, token: &str) -> Request {
    tpp.request("PUT", path)
        .set("content-type", "application/json")
        .set("authorization", format!("Bearer {token}"))
        .signed(&tpp.signer)
}

#[tokio::test]
async fn from_onboarding_to_balances_over_mutual_tls() {
    let scene = Scene::with("").await;
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let (interface, tpp) = (scene.interface(), registered(&scene, &client).await);

    let consent = consented(&scene, &tpp, &client, &customer).await;
    let accounts = tpp.read("/v1/accounts", &consent).exchange(&client, &interface).await;
    assert_eq!(accounts.status, 200, "{}", accounts.body);
    let account = accounts.json()["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let balances = format!("/v1/accounts/{account}/balances");
    let read = tpp.read(&balances, &consent).exchange(&client, &interface).await;
    assert!(read.status == 200 && read.json()["balances"][0]["balanceAmount"].is_object(), "{}", read.body);

    // The same call without a certificate, at either listener, and with the header that stands in for it at a sandbox.
    for (client, origin) in [(scene.client(None), interface.clone()), (client.clone(), scene.pages())] {
        for request in [
            tpp.read(&balances, &consent),
            tpp.read(&balances, &consent).set("ssl-certificate", qwac.header()),
            tpp.read(&balances, &consent).set("client-cert", format!(":{}:", qwac.header())),
        ] {
            let refused = request.exchange(&client, &origin).await;
            assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_MISSING"), "{origin}");
        }
    }
    let token = tpp
        .token_request("grant_type=refresh_token&refresh_token=x")
        .exchange(&scene.client(None), &interface)
        .await;
    assert!(token.status == 401 && token.body.contains("CERTIFICATE_MISSING"), "{}", token.body);

    // A certificate of somebody else's authority is no QWAC here, and nobody is told more.
    let foreign = scene.files.ca.issue(&testkit::TestCa::subject(ID), &["PSP_AI"], |_| {});
    let refused = tpp.read(&balances, &consent).exchange(&scene.client(Some(&foreign)), &interface).await;
    assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_INVALID"), "{}", refused.body);
    assert!(!refused.body.contains("Authority of the tests"), "{}", refused.body);
    let token = tpp.token_request("grant_type=refresh_token&refresh_token=x");
    let refused = token.exchange(&scene.client(Some(&foreign)), &interface).await;
    let said = "CERTIFICATE_INVALID: the certificate is not acceptable";
    assert_eq!((refused.status, refused.error().1.as_str()), (401, said), "{}", refused.body);

    assert_counted(&scene, &client, &[customer["iban"].as_str().unwrap(), &consent.access_token, &account])
        .await;
}

/// What was counted of the calls before, and that nothing of what callers sent stands there.
async fn assert_counted(scene: &Scene, client: &reqwest::Client, secrets: &[&str]) {
    let strange = Request::new("BREW", "/xs2a-bg/nl/v1/accounts").exchange(client, &scene.interface()).await;
    assert!(strange.status < 500);
    let (status, metrics) = scene.managed("/metrics").await;
    assert_eq!(status, 200);
    let has = |parts: &[&str]| metrics.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    for parts in [
        &[
            "vestibule_http_requests_total{",
            "method=\"GET\"",
            "/balances\"",
            "status=\"200\"",
            "code=\"none\"",
        ][..],
        &["vestibule_http_requests_total{", "status=\"401\"", "code=\"CERTIFICATE_MISSING\"", "} 6"],
        &["vestibule_http_request_duration_seconds_bucket{", "/balances\"", "le=\"+Inf\""],
        &["vestibule_http_requests_total{", "method=\"other\""],
        &["vestibule_database_up 1"],
        &["vestibule_certificate_expiry_timestamp_seconds{section=\"interface\"", "4000000000"],
    ] {
        assert!(has(parts), "{parts:?}: {metrics}");
    }
    for secret in secrets.iter().chain(&["BREW", ID]) {
        assert!(!metrics.contains(*secret), "{secret}: {metrics}");
    }
}

#[tokio::test]
async fn there_is_no_door_for_tests() {
    let scene = Scene::with("").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    // All that a sandbox has on its management listener, and what it publishes beside the interfaces.
    let sandbox = &scene.core.running.addresses.management;
    let description = Request::new("GET", "/openapi.json").exchange(&scene.core.http, sandbox).await.json();
    let mut doors: Vec<(String, String)> = Vec::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            doors.push((method.to_ascii_uppercase(), path.replace(['{', '}'], "")));
        }
    }
    assert!(doors.len() > 20 && doors.iter().any(|(_, path)| path == "/approvals"), "{doors:?}");
    let published = [
        "/",
        "/portal/flow",
        "/portal/calls",
        "/portal/customers",
        "/portal/reference",
        "/ca/root.cer",
        "/ca/root.crl",
        "/.well-known/vestibule",
        "/openapi.json",
        "/bunq/v1/installation",
        "/v1/user",
        "/bunq/openapi.json",
        "/metrics",
        "/health/live",
    ];
    doors.extend(published.map(|path| ("GET".to_owned(), path.to_owned())));
    // Services that ask what a token is worth are made at a sandbox.
    doors.push(("POST".to_owned(), "/auth/nl/v1/introspect".to_owned()));
    for (method, path) in &doors {
        for origin in [scene.interface(), scene.pages(), scene.management()] {
            let is_own =
                origin.starts_with("http://") && ["/metrics", "/health/live"].contains(&path.as_str());
            let answer = Request::new(method, path).exchange(&client, &origin).await;
            assert_eq!(
                answer.status,
                if is_own { 200 } else { 404 },
                "{method} {origin}{path}: {}",
                answer.body
            );
        }
    }
    // What is served is described, and none of it is for tests.
    let answer = Request::new("GET", "/xs2a-bg/openapi.json").exchange(&client, &scene.interface()).await;
    let paths = answer.json()["paths"].as_object().unwrap().clone();
    assert!(paths.len() > 10);
    for path in paths.keys() {
        for word in ["test", "approvals", "clock", "fault", "sandbox"] {
            assert!(!path.contains(word), "{path}");
        }
    }
    assert_eq!(scene.managed("/health/live").await, (200, "{\"status\":\"live\"}".to_owned()));
    assert_eq!(scene.managed("/health/ready").await, (200, "{\"status\":\"ready\"}".to_owned()));
}

/// The certificate that a listener presents.
pub(crate) async fn presented(client: &reqwest::Client, origin: &str) -> Vec<u8> {
    let answer = client.get(format!("{origin}/none")).send().await.unwrap();
    let info = answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap();
    info.peer_certificate().unwrap().to_vec()
}

#[tokio::test]
async fn certificates_and_trust_are_taken_up_and_a_stop_drains() {
    let mut scene = Scene::with("").await;
    let (qwac, signer) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
    let onboarding = Request::onboarding("nl").signed(&signer);
    let onboarded = onboarding.exchange(&scene.client(Some(&qwac)), &scene.interface()).await;
    assert_eq!(onboarded.status, 200, "{}", onboarded.body);

    let before = presented(&scene.client(None), &scene.interface()).await;
    let renewed = scene.files.ca.issue_server(&["api.bank.example.com", "127.0.0.1"]);
    scene.files.pair("interface", &renewed);
    let anchors = fs::read_to_string(scene.files.path("anchors.pem")).unwrap();
    fs::write(scene.files.path("anchors.pem"), scene.files.ca.pem()).unwrap();
    let later =
        scene.served.reload(configuration(&scene.files, NO_CORE, "[log]\nformat = \"json\"\n")).unwrap();
    assert_eq!(later, ["log"], "what takes effect at the next start");
    let after = presented(&scene.client(None), &scene.interface()).await;
    assert!(before != after && after == renewed.certificate.der, "a new certificate is presented");
    let onboarding = Request::onboarding("nl").set("x-request-id", "again-1").signed(&signer);
    let refused = onboarding.exchange(&scene.client(Some(&qwac)), &scene.interface()).await;
    assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_INVALID"), "{}", refused.body);

    fs::write(scene.files.path("anchors.pem"), anchors).unwrap();
    assert!(scene.served.reload(configuration(&scene.files, NO_CORE, "")).unwrap().is_empty());
    let onboarding = Request::onboarding("nl").set("x-request-id", "again-2").signed(&signer);
    let client = scene.client(Some(&qwac));
    assert_eq!(onboarding.exchange(&client, &scene.interface()).await.status, 200, "trusted again");

    // Authorities are asked from now on, and none of them is there; then nobody is asked.
    let path = write_configuration(&scene.files, "https://core.bank.example.com", "");
    let text = fs::read_to_string(&path).unwrap();
    for (number, asks, status) in [(4, true, 503), (5, false, 200)] {
        let asks = format!("check_revocation = {asks}");
        fs::write(&path, text.replace("check_revocation = false", &asks)).unwrap();
        let changed = Configuration::read(&path, testkit::now()).unwrap();
        assert!(scene.served.reload(changed).unwrap().is_empty());
        let onboarding = Request::onboarding("nl").set("x-request-id", format!("again-{number}"));
        let answer = onboarding.signed(&signer).exchange(&client, &scene.interface()).await;
        assert_eq!(answer.status, status, "{asks}: {}", answer.body);
        let metrics = scene.managed("/metrics").await.1;
        let is_told = metrics.contains("revocation_questions_total{outcome=\"unanswered\"}");
        assert_eq!(is_told, status == 503, "{metrics}");
    }

    let (interface, management) = (scene.interface(), scene.management());
    let stopping = tokio::spawn(scene.served.stop());
    let ready = Request::new("GET", "/health/ready");
    let answer = loop {
        let answer = ready.exchange(&scene.core.http, &management).await;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!((answer.status, answer.body.as_str()), (503, "{\"status\":\"stopping\"}"));
    let onboarding = Request::onboarding("nl").set("x-request-id", "again-3").signed(&signer);
    assert_eq!(
        onboarding.exchange(&client, &interface).await.status,
        200,
        "calls that still come are answered"
    );
    stopping.await.unwrap();
    assert!(
        client.get(&interface).send().await.is_err()
            && scene.core.http.get(&management).send().await.is_err()
    );
}

#[tokio::test]
async fn a_proxy_hands_the_certificate_on() {
    let scene = Scene::with("[proxy]\naddresses = [\"127.0.0.1\"]\n").await;
    let (qwac, signer) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
    let interface = format!("http://{}", scene.listeners.interface);
    let header = format!(":{}:", qwac.header());
    let mut number = 0;
    let mut onboarding = || {
        number += 1;
        Request::onboarding("nl").set("x-request-id", format!("proxied-{number}")).signed(&signer)
    };
    let answer = onboarding().set("client-cert", &header).exchange(&scene.core.http, &interface).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    for request in [
        onboarding(),
        onboarding().set("client-cert", "-"),
        onboarding().set("x-ssl-cert", qwac.header()),
        onboarding().set("ssl-certificate", qwac.header()),
    ] {
        let refused = request.exchange(&scene.core.http, &interface).await;
        assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_MISSING"));
    }
    for request in [
        onboarding().set("client-cert", qwac.header()),
        onboarding().set("client-cert", &header).append("client-cert", &header),
    ] {
        let refused = request.exchange(&scene.core.http, &interface).await;
        assert!(refused.status == 400 && refused.body.contains("client-cert"), "{}", refused.body);
        assert_eq!(error(&refused), "FORMAT_ERROR");
        assert!(refused.header("x-request-id").starts_with("proxied-"), "{:?}", refused.headers);
    }

    // At the pages the proxy asks nobody for a certificate, so that whoever says that there was one has made it up.
    let pages = format!("http://{}", scene.listeners.pages);
    let made_up = onboarding().set("client-cert", &header).exchange(&scene.core.http, &pages).await;
    assert_eq!((made_up.status, error(&made_up).as_str()), (401, "CERTIFICATE_MISSING"), "{}", made_up.body);
    let token = format!("grant_type=client_credentials&client_id={ID}");
    let token = Request::new("POST", "/auth/nl/v1/token").form(&token).set("client-cert", &header);
    let made_up = token.exchange(&scene.core.http, &pages).await;
    assert!(made_up.status == 401 && made_up.body.contains("CERTIFICATE_MISSING"), "{}", made_up.body);

    // Whoever is no proxy is not let in.
    let files = Files::new();
    fs::write(files.path("anchors.pem"), scene.core.running.sandbox.authorities.root_pem()).unwrap();
    let other = "[proxy]\naddresses = [\"192.0.2.10\"]\n";
    let other = start(&scene.core, &files, (other, ahead(&scene.core)), |ports| ports).await;
    let closed = scene.core.http.get(format!("http://{}/none", other.interface)).send().await;
    assert!(closed.is_err(), "{closed:?}");
}
