//! `vestibule serve` on PostgreSQL: nodes behind a proxy that ended TLS, the books of `vestibule core-bank` behind them, against
//! bare handlers on the same PostgreSQL. All are processes of their own on one machine, which have its processors to share.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{
    CALLBACK, Request, Signer, TestServer, TestTpp, ValidConsent, bank_offered, database, detailed, parameter,
};

use crate::scene::{BINARY, Server, prepared};
use crate::{
    BALANCES_GOAL, CONSENT_ROUNDS, CONSENTS_A_ROUND, CONSENTS_GOAL, REST, SIGNED_AHEAD, bare_postgres,
    compare, compare_once, judge,
};

/// Where browsers believe the pages to be, and where these are.
const PAGES: &str = "https://bank.example.com";
const PAGE: &str = "/auth/internalonly/authorise.html";

/// Most memory of a node at rest, in MiB.
const MEMORY_GOAL: u64 = 60;

/// Whoever it is that calls.
const ID: &str = "PSDNL-DNB-R654321";

/// Measures everything and returns how many goals were missed.
pub(crate) async fn run() -> usize {
    assert!(database::is_there(), "no PostgreSQL: run it with scripts/bench --serve");
    let scene = Scene::new().await;
    let nodes = [scene.node("one"), scene.node("two")];
    let [one, other] = [&nodes[0], &nodes[1]].map(interface);
    println!("resident memory of a node that nobody called: {} MiB", nodes[1].resident());
    let caller = Caller::new(&scene, &nodes[0]).await;
    let identity = scene.file("identity.pem");
    std::fs::write(scene.file("key.der"), &caller.tpp.signer.certificate.public_key.spki_der).unwrap();
    let this = std::env::current_exe().unwrap();
    bare_postgres::make_tables(&scene.address).await;
    let (key, asked) = (text(&scene.file("key.der")), scene.core_balances(&caller.iban).await);
    let (authority, identity) = (text(&scene.file("core/ca.pem")), text(&identity));
    let this = text(&this);
    let mut arguments = vec!["bare-postgres", &key, &scene.address];
    let least = Server::start(&this, &arguments);
    arguments.extend([asked.as_str(), &authority, &identity]);
    let asking = Server::start(&this, &arguments);
    let (least, asking) = (least.url("interface"), asking.url("interface"));

    let mut reached = Vec::new();
    let balances = prepared(SIGNED_AHEAD, |number| caller.balances(number));
    let ratio =
        compare("balances, the bank behind asked by both", 32, (&one, &balances), (&asking, &balances)).await;
    reached.push(judge("balances against bare", ratio, BALANCES_GOAL));
    let ratio = compare(
        "balances, the bank behind asked by the node alone",
        32,
        (&one, &balances),
        (&least, &balances),
    )
    .await;
    println!("balances against bare, which asks no bank: median ratio {ratio:.2}");
    let count = CONSENTS_A_ROUND * CONSENT_ROUNDS;
    let consents = prepared(count, |number| caller.consent(number));
    let ratio = compare_once("consents", 256, (&one, &consents), (&least, &consents)).await;
    reached.push(judge("consents against bare", ratio, CONSENTS_GOAL));
    reached.push(memory(&nodes[0]).await);

    let both = format!("{one} {other}");
    let ratio = compare("balances, two nodes against one", 32, (&both, &balances), (&one, &balances)).await;
    println!("balances, two nodes against one: median ratio {ratio:.2}");
    let more = prepared(2 * count, |number| caller.consent(count + number));
    let (at_both, at_one) = more.split_at(count);
    let ratio = compare_once("consents, two nodes against one", 256, (&both, at_both), (&one, at_one)).await;
    println!("consents, two nodes against one: median ratio {ratio:.2}");
    reached.iter().filter(|reached| !**reached).count()
}

/// What a node has at rest, once before it gave back what the load took and once after.
async fn memory(node: &Server) -> bool {
    println!("\nresident memory of a node, after the load: {} MiB", node.resident());
    tokio::time::sleep(REST).await;
    let rests = node.resident();
    let reached = rests < MEMORY_GOAL;
    let word = if reached { "reached" } else { "MISSED" };
    println!(
        "resident memory of a node, {} s later: {rests} MiB, goal {MEMORY_GOAL} MiB: {word}",
        REST.as_secs()
    );
    reached
}

/// Where a node's interface is: behind a proxy it has no TLS of its own.
fn interface(node: &Server) -> String {
    format!("http://{}", node.url("interface"))
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The bank behind, a database, and the files of the nodes.
struct Scene {
    folder: tempfile::TempDir,
    core: Server,
    address: String,
    http: reqwest::Client,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates = text(&folder.path().join("core"));
        let arguments = [
            "core-bank",
            "--json",
            "--listen",
            "127.0.0.1:0",
            "--management-listen",
            "127.0.0.1:0",
            "--certificates",
            &certificates,
        ];
        let core = Server::start(BINARY, &arguments);
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.build().unwrap();
        let scene = Self { folder, core, address: database::make().await, http };
        let anchors = scene.http.get(format!("{}/ca.pem", scene.core.url("management")));
        std::fs::write(scene.file("anchors.pem"), anchors.send().await.unwrap().bytes().await.unwrap())
            .unwrap();
        let issued = scene.certificate("qwac").await;
        std::fs::write(scene.file("intermediates.pem"), &issued.chain[0]).unwrap();
        std::fs::write(scene.file("database.address"), &scene.address).unwrap();
        let part = |name: &str| std::fs::read(scene.file(name)).unwrap();
        let identity = [part("core/gateway.key.pem"), part("core/gateway.pem")].concat();
        std::fs::write(scene.file("identity.pem"), identity).unwrap();
        scene
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A node, in the way in which it stands behind a proxy.
    fn node(&self, name: &str) -> Server {
        let configuration = format!(
            "[bank]\nname = \"Bank of the benchmark\"\nbranches = [\"nl\"]\nrules = \"lenient\"\n\
             [interface]\nlisten = \"127.0.0.1:0\"\nurl = \"https://api.bank.example.com\"\n\
             [pages]\nlisten = \"127.0.0.1:0\"\nurl = \"{PAGES}\"\n\
             [proxy]\naddresses = [\"127.0.0.1\"]\n\
             [trust]\nanchor_files = [\"anchors.pem\"]\nintermediate_files = [\"intermediates.pem\"]\n\
             check_revocation = false\ntest_authorities = true\n\
             [database]\naddress_file = \"database.address\"\n\
             [core_bank]\nurl = \"{}\"\ncertificate_file = \"core/gateway.pem\"\n\
             key_file = \"core/gateway.key.pem\"\ntrust_files = [\"core/ca.pem\"]\nown_numbers = [\"NLTRIO\"]\n\
             [management]\nlisten = \"127.0.0.1:0\"\ndrain = \"0s\"\n\
             [log]\nlevel = \"warn\"\n",
            self.core.url("url")
        );
        let path = self.file(&format!("{name}.toml"));
        std::fs::write(&path, configuration).unwrap();
        Server::start(BINARY, &["serve", "--json", "--config", path.to_str().unwrap()])
    }

    async fn manage(&self, path: &str, body: Value) -> Value {
        let request = Request::new("POST", path).body("application/json", body.to_string());
        request.exchange(&self.http, &self.core.url("management")).await.json()
    }

    async fn certificate(&self, profile: &str) -> Signer {
        let made = self
            .manage("/test-certificates", json!({"organizationIdentifier": ID, "profile": profile}))
            .await;
        let pem = |name: &str| made[name].as_str().unwrap().to_owned();
        let signer = Signer::from_pem(&pem("certificate"), &pem("privateKey"), Some(pem("keyId")));
        let chain = made["chain"].as_array().unwrap();
        signer.with_chain(chain.iter().map(|one| one.as_str().unwrap().to_owned()).collect())
    }

    /// Where the bank behind answers with the balances of an account.
    async fn core_balances(&self, iban: &str) -> String {
        let client =
            bare_postgres::client(&text(&self.file("core/ca.pem")), &text(&self.file("identity.pem")));
        let find = Request::new("POST", "/core/v1/accounts/find");
        let find = find.body("application/json", json!({"branch": "nl", "iban": iban}).to_string());
        let found = find.exchange(&client, &self.core.url("url")).await.json();
        let account = found["accounts"][0]["id"].as_str().unwrap_or_else(|| panic!("{found}"));
        format!("{}/core/v1/accounts/{account}/balances?day={}", self.core.url("url"), testkit::day(0))
    }
}

/// A third party with everything it needs to read.
struct Caller {
    tpp: TestTpp,
    consent: ValidConsent,
    account: String,
    iban: String,
    /// What the proxy says whose connection it is.
    presented: String,
}

impl Caller {
    /// Registers and gets a valid consent.
    async fn new(scene: &Scene, node: &Server) -> Self {
        let presented = format!(":{}:", scene.certificate("qwac").await.header());
        let (signer, interface) = (scene.certificate("qseal").await, interface(node));
        let send = async |request: Request| {
            let request = request.set("client-cert", &presented);
            let answer = request.exchange(&scene.http, &interface).await;
            assert!(answer.status < 300, "{} {}", request.target, answer.body);
            answer.json()
        };
        let token = send(Request::onboarding("nl").signed(&signer)).await;
        let token = token["access_token"].as_str().unwrap();
        let registered = send(Request::registration("nl", token, &[CALLBACK]).certificate(&signer)).await;
        let secret = registered["client_secret"].as_str().unwrap().to_owned();
        let tpp = TestTpp { signer, tenant: "nl".to_owned(), secret };
        let customer = scene.manage("/test-accounts", json!({"tenant": "nl", "persona": "busy"})).await;
        let iban = customer["iban"].as_str().unwrap().to_owned();
        let asked = send(tpp.consent_request(&detailed(&iban, true))).await;
        let code = approve(scene, node, &tpp.authorization_url(&asked), &customer).await;
        let tokens = send(tpp.token_request(&TestTpp::code_form(&code))).await;
        let part = |value: &Value| value.as_str().unwrap().to_owned();
        let consent = ValidConsent {
            id: part(&asked["consentId"]),
            authorisation: part(&asked["authorisationId"]),
            access_token: part(&tokens["access_token"]),
            refresh_token: part(&tokens["refresh_token"]),
        };
        let confirmation = tpp.request("PUT", &tpp.path_of(&asked["_links"]["scaStatus"]));
        let bearer = format!("Bearer {}", consent.access_token);
        let confirmation = confirmation.set("content-type", "application/json").set("authorization", bearer);
        send(confirmation.signed(&tpp.signer)).await;
        let accounts = send(tpp.attended("/v1/accounts", &consent)).await;
        let account = part(&accounts["accounts"][0]["resourceId"]);
        Self { tpp, consent, account, iban, presented }
    }

    /// A read of balances with the customer taking part.
    fn balances(&self, number: usize) -> Request {
        let path = format!("/v1/accounts/{}/balances", self.account);
        let request = self.tpp.request("GET", &path).set("x-request-id", format!("balances-{number:08}"));
        let request = request.set("psu-ip-address", "192.0.2.1").set("consent-id", &self.consent.id);
        let request = request.set("authorization", format!("Bearer {}", self.consent.access_token));
        request.signed(&self.tpp.signer).set("client-cert", &self.presented)
    }

    /// A request for a consent that no other request is like.
    fn consent(&self, number: usize) -> Request {
        let request =
            self.tpp.request("POST", "/v1/consents").set("x-request-id", format!("consent-{number:08}"));
        let request = request.set("psu-ip-address", "192.0.2.1").set("tpp-redirect-uri", CALLBACK);
        let request = request.body("application/json", bank_offered("9999-12-31").to_string());
        request.signed(&self.tpp.signer).set("client-cert", &self.presented)
    }
}

/// A customer logs in at the pages and approves; returns the code. What their device answers is reckoned here, as any bank for tests
/// would.
async fn approve(scene: &Scene, node: &Server, link: &str, customer: &Value) -> String {
    let devices = TestServer::start().await;
    let device = &devices.running.sandbox.gateway;
    let (iban, number) = (customer["iban"].as_str().unwrap(), customer["digipassNumber"].as_str().unwrap());
    let pages = format!("http://{}", node.url("pages"));
    let send =
        async |request: Request| request.set("accept", "text/html").exchange(&scene.http, &pages).await;
    let cookie = |answer: &testkit::Answer| answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let opened = send(Request::new("GET", link.strip_prefix(PAGES).unwrap())).await;
    assert_eq!(opened.status, 302, "{}", opened.body);
    let mut session = cookie(&opened);
    for fields in [format!("action=log-in&iban={iban}"), "action=approve".to_owned()] {
        let page = send(Request::new("GET", PAGE).set("cookie", &session)).await.body;
        let value = |name: &str| {
            let (_, after) = page.split_once(&format!("name=\"{name}\" value=\""))?;
            after.split('"').next()
        };
        let mut form = format!("csrf={}&{fields}", value("csrf").unwrap());
        if let Some(challenge) = value("challenge") {
            let answer = device.simulated_answer(number, challenge).unwrap();
            form += &format!("&challenge={}&answer={answer}", challenge.replace(' ', "+"));
        }
        let sent = send(Request::new("POST", PAGE).set("cookie", &session).form(&form)).await;
        if sent.header("location").starts_with(CALLBACK) {
            return parameter(sent.header("location"), "code").unwrap();
        }
        if !sent.header("set-cookie").is_empty() {
            session = cookie(&sent);
        }
    }
    panic!("the customer could not approve")
}
