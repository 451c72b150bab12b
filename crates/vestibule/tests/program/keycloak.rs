//! A gateway whose customers authenticate at Keycloak, an OpenID provider of other hands, in the realm of `examples/keycloak`: by its own
//! pages, with password and one-time code. It knows the time of the machine alone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use gateway::{Clock, SystemClock};
use openid::test_provider::{new_key, public_key};
use rcgen::DnType;
use serde_json::{Value, json};
use testkit::{CALLBACK, Request, TestServer, TestTpp, detailed, environment, euro_payment, system_program};
use vestibule::{Behind, serve};

use crate::configuration::Files;
use crate::serve::{PAGE, Scene, configuration, confirmation, confirmed, registered};
use crate::serve_command::bank_behind;
use crate::serve_provider::{BANK, Browser, PAGES, listeners};

/// What the realm's users know: their password, and the key of their codes.
const PASSWORD: &str = "correct horse battery staple";
const KEY: &[u8] = b"a secret of twenty o";

/// How often, each a quarter of a second, it is asked whether it has started.
const PATIENCE: u32 = 600;

/// Keycloak, which is killed when this is dropped.
struct Keycloak {
    child: Child,
    issuer: String,
    /// The same over TLS, where clients may show certificates.
    tls_issuer: String,
    home: tempfile::TempDir,
}

impl Drop for Keycloak {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `scripts/keycloak` made it; none if it is missing, which was said.
fn made() -> Option<PathBuf> {
    system_program("/usr/bin/java")?;
    environment("VESTIBULE_KEYCLOAK", "keycloak", "scripts/keycloak")
}

impl Keycloak {
    /// Starts one with a realm, with data of its own, and a certificate of an authority that it trusts for those of clients too.
    async fn start(made: &Path, realm: &Value, (files, http): (&Files, &reqwest::Client)) -> Self {
        let home = tempfile::tempdir().unwrap();
        for name in ["lib", "conf", "providers", "themes"] {
            symlink(made.join(name), home.path().join(name)).unwrap();
        }
        for folder in ["data/h2", "data/import"] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let database = "data/h2/keycloakdb.mv.db";
        fs::copy(made.join(database), home.path().join(database)).unwrap();
        fs::write(home.path().join("data/import/realm.json"), realm.to_string()).unwrap();
        let (port, tls_port) = (testkit::free_port(), testkit::free_port());
        files.pair("keycloak", &files.ca.issue_server(&["127.0.0.1"]));
        fs::write(files.path("keycloak-authority.pem"), files.ca.pem()).unwrap();
        let of_tls = [
            ("https-certificate-file", "keycloak.pem"),
            ("https-certificate-key-file", "keycloak.key"),
            ("truststore-paths", "keycloak-authority.pem"),
        ];
        let log = fs::File::create(home.path().join("log")).unwrap();
        let child = Command::new("java")
            // It lives for seconds, so that compiling it well takes longer than it saves.
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xms64m", "-Xmx384m"])
            .arg(format!("-Dkc.home.dir={}", home.path().display()))
            .arg(format!("-Djboss.server.config.dir={}", made.join("conf").display()))
            .arg("-Djava.util.logging.manager=org.jboss.logmanager.LogManager")
            .arg("-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory")
            .args(["java.util", "java.util.concurrent", "java.security"].map(|package| {
                format!("--add-opens=java.base/{package}=ALL-UNNAMED")
            }))
            .arg("-cp")
            .arg(made.join("lib/quarkus-run.jar"))
            .args(["io.quarkus.bootstrap.runner.QuarkusEntryPoint", "start", "--optimized", "--import-realm"])
            .args(["--cache=local", "--http-enabled=true", "--http-host=127.0.0.1", "--hostname-strict=false"])
            .args([format!("--http-port={port}"), format!("--https-port={tls_port}")])
            .args(of_tls.map(|(option, file)| format!("--{option}={}", files.path(file).display())))
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let issuer = format!("http://127.0.0.1:{port}/realms/bank");
        let tls_issuer = format!("https://127.0.0.1:{tls_port}/realms/bank");
        let mut keycloak = Self { child, issuer, tls_issuer, home };
        keycloak.is_there(http).await;
        keycloak
    }

    async fn is_there(&mut self, http: &reqwest::Client) {
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        for _ in 0..PATIENCE {
            let has_ended = self.child.try_wait().unwrap().is_some();
            let answer = http.get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            if has_ended {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        panic!("Keycloak did not start: {}", fs::read_to_string(self.home.path().join("log")).unwrap());
    }
}

/// The realm of the example, with clients beside that have a key or a certificate in place of a secret, and a user who is a customer.
fn realm(customer: &str, key: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/keycloak/realm.json");
    let mut realm: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    realm["users"][0]["attributes"]["customer_number"] = json!([customer]);
    let mut public = serde_json::to_value(public_key(key)).unwrap();
    for (name, value) in [("kid", "gateway-1"), ("use", "sig"), ("alg", "ES256")] {
        public[name] = json!(value);
    }
    let mut client = realm["clients"][0].clone();
    client["clientId"] = json!("vestibule-with-a-key");
    client["clientAuthenticatorType"] = json!("client-jwt");
    client.as_object_mut().unwrap().remove("secret");
    client["attributes"]["use.jwks.string"] = json!("true");
    client["attributes"]["jwks.string"] = json!(json!({"keys": [public]}).to_string());
    let mut shown = realm["clients"][0].clone();
    shown["clientId"] = json!("vestibule-with-a-certificate");
    shown["clientAuthenticatorType"] = json!("client-x509");
    shown.as_object_mut().unwrap().remove("secret");
    shown["attributes"]["x509.subjectdn"] = json!("CN=vestibule, O=Example Bank, C=NL");
    shown["attributes"]["x509.allow.regex.pattern.comparison"] = json!("false");
    realm["clients"].as_array_mut().unwrap().extend([client, shown]);
    realm
}

/// The one-time code of now (RFC 6238).
fn code() -> String {
    let step = SystemClock.now(None).as_second() / 30;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, KEY);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let number = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap());
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// A browser at Keycloak's own pages, which keeps its cookies.
struct Visitor {
    http: reqwest::Client,
    cookies: Vec<(String, String)>,
    /// Titles of the forms that were filled in.
    forms: Vec<String>,
}

impl Visitor {
    fn new<S>(scene: &Scene<S>) -> Self {
        Self { http: scene.client(None), cookies: Vec::new(), forms: Vec::new() }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> (Option<String>, String) {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        let location = answer.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
        (location, answer.text().await.unwrap())
    }

    /// Goes where the bank sent it and fills in what is asked there; returns where it is sent to in the end, or the page that does not let it
    /// in.
    async fn sign_in(&mut self, there: &str, (user, password): (&str, &str)) -> Result<String, String> {
        self.forms.clear();
        let (mut location, mut page) = self.send(self.http.get(there)).await;
        for _ in 0..6 {
            if let Some(next) = location {
                if next.starts_with(PAGES) {
                    return Ok(next);
                }
                (location, page) = self.send(self.http.get(next)).await;
                continue;
            }
            let (asked, fields) = if page.contains("name=\"otp\"") {
                ("code", format!("otp={}", code()))
            } else {
                ("password", format!("username={user}&password={}", password.replace(' ', "+")))
            };
            if self.forms.iter().any(|form| form == asked) {
                return Err(page);
            }
            self.forms.push(asked.to_owned());
            let form = page.split_once("<form").unwrap_or_else(|| panic!("{page}")).1;
            let action = form.split_once("action=\"").unwrap().1.split('"').next().unwrap();
            let request = self.http.post(action.replace("&amp;", "&")).body(fields);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            (location, page) = self.send(request).await;
        }
        panic!("there is no end: {page}");
    }
}

/// What there is of everybody.
struct Customers {
    scene: Scene,
    keycloak: Keycloak,
    core_bank: String,
    tpp: TestTpp,
    client: reqwest::Client,
    customer: Value,
    /// Kept for its listener.
    _bank: tokio::task::JoinHandle<()>,
}

const PROOF: &str = "client_id = \"vestibule\"\nclient_secret_file = \"provider.secret\"\n";

/// The section of the example with another proof and other strength.
fn section(issuer: &str, proof: &str, strength: &str) -> String {
    format!(
        "[provider]\nissuer = \"{issuer}\"\n{proof}acr_values = [\"{strength}\"]\ncustomer_claim = \"customer_number\"\nconfirms_payments = \
         false\nanswer_within = \"60s\"\nconnect_within = \"20s\"\n"
    )
}

impl Customers {
    async fn at(made: &Path) -> Self {
        let core = TestServer::in_real_time().await;
        let customer = core.customer("nl", "saver").await;
        let files = Files::new();
        let key = new_key();
        fs::write(files.path("provider.key"), &key).unwrap();
        fs::write(files.path("provider.secret"), "change this secret: 100 %").unwrap();
        let realm = realm(customer["customerId"].as_str().unwrap(), &key);
        let keycloak = Keycloak::start(made, &realm, (&files, &core.http)).await;
        let (core_bank, bank) = bank_behind(&core, &files).await;
        let more = section(&keycloak.issuer, PROOF, "strong");
        let served =
            serve(configuration(&files, &core_bank, &more), Arc::new(SystemClock), Behind::core_bank);
        let served = served.await.unwrap();
        let scene = Scene { listeners: listeners(&served), core, served, files, bank: BANK, clock: None };
        let client = scene.client(Some(&scene.certificate("qwac").await));
        let tpp = registered(&scene, &client).await;
        Self { scene, keycloak, core_bank, tpp, client, customer, _bank: bank }
    }

    async fn asked(&self, request: Request) -> Value {
        let asked = request.exchange(&self.client, &self.scene.interface()).await;
        assert_eq!(asked.status, 201, "{}", asked.body);
        asked.json()
    }

    async fn consent(&self) -> Value {
        let iban = self.customer["iban"].as_str().unwrap();
        self.asked(self.tpp.consent_request(&detailed(iban, true))).await
    }

    /// Takes up another proof and strength.
    fn demand(&mut self, proof: &str, strength: &str) {
        let issuer = match proof.contains("certificate_file") {
            true => &self.keycloak.tls_issuer,
            false => &self.keycloak.issuer,
        };
        let more = section(issuer, proof, strength);
        let new = configuration(&self.scene.files, &self.core_bank, &more);
        assert!(self.scene.served.reload(new).unwrap().is_empty());
    }

    /// Somebody signs in for what was asked, in a browser of their own; where they stand then.
    async fn arrives(&self, user: &str) -> testkit::Answer {
        let mut browser = Browser::open(&self.scene, &self.consent().await).await;
        let sent = browser.get(PAGE).await;
        assert_eq!(sent.status, 302, "{}", sent.body);
        let signed_in = Visitor::new(&self.scene).sign_in(sent.header("location"), (user, PASSWORD)).await;
        browser.get(&signed_in.unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_of_a_realm_of_keycloak_consent_and_pay() {
    let Some(made) = made() else { return };
    let mut it = Customers::at(&made).await;
    let mut visitor = Visitor::new(&it.scene);
    consents(&it, &mut visitor).await;
    pays(&it, &mut visitor).await;

    // The customer's own pages ask whoever is signed in there already again.
    let mut own = Browser::new(&it.scene);
    let page = own.get("/auth/nl/customer").await;
    assert!(page.status == 200 && page.body.contains("/auth/nl/customer/log-in\""), "{}", page.body);
    let sent = own.get("/auth/nl/customer/log-in").await;
    let back = visitor.sign_in(sent.header("location"), ("customer", PASSWORD)).await.unwrap();
    assert_eq!(visitor.forms, ["password", "code"]);
    assert_eq!(own.get(&back).await.header("location"), "/auth/nl/customer");
    assert!(own.get("/auth/nl/customer").await.body.contains("value=\"log-out\""));

    // A user who is no customer, and a strength that the realm does not have.
    let page = it.arrives("guest").await;
    assert!(page.status == 403 && page.body.contains("role=\"alert\""), "{}", page.body);
    it.demand(PROOF, "stronger");
    let page = it.arrives("customer").await;
    assert!(page.status == 403 && page.body.contains("role=\"alert\""), "{}", page.body);

    // The gateway proves itself with a key, and not with a wrong secret.
    it.demand(
        "client_id = \"vestibule-with-a-key\"\nkey_file = \"provider.key\"\nkey_id = \"gateway-1\"\n",
        "strong",
    );
    let came = it.arrives("customer").await;
    assert_eq!((came.status, came.header("location")), (302, PAGE), "{}", came.body);
    with_a_certificate(&mut it).await;
    fs::write(it.scene.files.path("provider.secret"), "another").unwrap();
    it.demand(PROOF, "strong");
    let mut browser = Browser::open(&it.scene, &it.consent().await).await;
    let refused = browser.get(PAGE).await;
    assert!(refused.status == 503 && refused.body.contains(CALLBACK), "{}", refused.body);

    // It is away.
    it.keycloak.child.kill().unwrap();
    let mut browser = Browser::open(&it.scene, &it.consent().await).await;
    let away = browser.get(PAGE).await;
    assert!(away.status == 503 && away.body.contains(CALLBACK), "{}", away.body);
}

/// The gateway proves itself with the certificate of its TLS connection (RFC 8705), and not with that of somebody else.
async fn with_a_certificate(it: &mut Customers) {
    let proof = "client_id = \"vestibule-with-a-certificate\"\ncertificate_file = \"gateway.pem\"\nkey_file = \"gateway.key\"\n\
                 trust_files = [\"keycloak-authority.pem\"]\n";
    for (name, is_taken) in [("vestibule", true), ("somebody else", false)] {
        let subject = [
            (DnType::CountryName, "NL"),
            (DnType::OrganizationName, "Example Bank"),
            (DnType::CommonName, name),
        ];
        let files = &it.scene.files;
        files.pair("gateway", &files.ca.issue(&subject, &[], |_| {}));
        it.demand(proof, "strong");
        if is_taken {
            let came = it.arrives("customer").await;
            assert_eq!((came.status, came.header("location")), (302, PAGE), "{}", came.body);
        } else {
            let mut browser = Browser::open(&it.scene, &it.consent().await).await;
            let refused = browser.get(PAGE).await;
            assert!(refused.status == 503 && refused.body.contains(CALLBACK), "{}", refused.body);
        }
    }
}

/// From the log-in to balances.
async fn consents(it: &Customers, visitor: &mut Visitor) {
    let asked = it.consent().await;
    let mut browser = Browser::open(&it.scene, &asked).await;
    let sent = browser.get(PAGE).await;
    let there = sent.header("location").to_owned();
    assert!(there.contains("request_uri=urn") && !there.contains("state="), "it was pushed: {there}");
    let kept_out = Visitor::new(&it.scene).sign_in(&there, ("customer", "a wrong one")).await.unwrap_err();
    assert!(kept_out.contains("name=\"password\""), "{kept_out}");
    // A pushed request is taken once, so the customer is sent there again.
    let sent = browser.get(PAGE).await;
    let back = visitor.sign_in(sent.header("location"), ("customer", PASSWORD)).await.unwrap();
    assert_eq!(visitor.forms, ["password", "code"]);
    let came = browser.get(&back).await;
    assert_eq!((came.status, came.header("location")), (302, PAGE), "{}", came.body);
    assert_eq!(browser.get(&back).await.status, 403, "once");
    let code = browser.approve().await;
    let consent = confirmed(&it.scene, &it.tpp, &it.client, (&asked, &code)).await;
    let interface = it.scene.interface();
    let accounts = it.tpp.read("/v1/accounts", &consent).exchange(&it.client, &interface).await;
    assert_eq!(accounts.status, 200, "{}", accounts.body);
    let account = accounts.json()["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let balances = it.tpp.read(&format!("/v1/accounts/{account}/balances"), &consent);
    let balances = balances.exchange(&it.client, &interface).await;
    assert!(balances.status == 200 && balances.json()["balances"].is_array(), "{}", balances.body);
}

/// Whoever is signed in there already authenticates again for a payment.
async fn pays(it: &Customers, visitor: &mut Visitor) {
    let mut body = euro_payment("12.50", "NL91ABNA0417164300");
    body["debtorAccount"] = json!({"iban": it.customer["iban"]});
    let asked = it.asked(it.tpp.payment_request("payments/sepa-credit-transfers", &body)).await;
    let mut browser = Browser::open(&it.scene, &asked).await;
    let sent = browser.get(PAGE).await;
    let back = visitor.sign_in(sent.header("location"), ("customer", PASSWORD)).await.unwrap();
    assert_eq!(visitor.forms, ["password", "code"]);
    let came = browser.get(&back).await;
    assert_eq!((came.status, came.header("location")), (302, PAGE), "{}", came.body);
    let code = browser.approve().await;
    let interface = it.scene.interface();
    let tokens = it.tpp.token_request(&TestTpp::code_form(&code)).exchange(&it.client, &interface).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let path = format!("/v1/payments/sepa-credit-transfers/{}", asked["paymentId"].as_str().unwrap());
    let authorisation = format!("{path}/authorisations/{}", asked["authorisationId"].as_str().unwrap());
    let confirm = confirmation(&it.tpp, &authorisation, tokens.json()["access_token"].as_str().unwrap());
    let confirm = confirm.exchange(&it.client, &interface).await;
    assert_eq!(confirm.status, 200, "{}", confirm.body);
    let status = it.tpp.request("GET", &format!("{path}/status")).signed(&it.tpp.signer);
    let status = status.exchange(&it.client, &interface).await;
    assert_eq!(status.json()["transactionStatus"], "ACSC", "{}", status.body);
}
