//! Whether certificates were revoked, asked at the authority that issued them: OpenSSL asks the responder of a sandbox, and a bank
//! asks the authority of another one.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use eidas::certificate::to_pem;
use eidas::issue::{
    Authority, AuthorityName, CertificateRequest, KeyType, Profile, PublicationPoints, Responder,
    generate_key,
};
use eidas::status::{OcspRequest, Standing, StatusError};
use eidas::{Certificate, OrganizationIdentifier, Role};
use gateway::Clock;
use gateway::domain::{CertificateStatus, Timestamp};
use http_signatures::key::{Algorithm, PrivateKey};
use jiff::SignedDuration;
use serde_json::json;
use testkit::bunq::{BUNQ, BunqClient, euro};
use testkit::{CALLBACK, Request, Signer, TestServer, TestTpp, detailed, free_folder, run};
use tokio::sync::mpsc;

use crate::waiting::until;

/// The host that certificates of sandboxes name.
const PKI: &str = "pki.vestibule.example.com";

fn write(folder: &Path, name: &str, octets: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, octets).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn seal(server: &TestServer, id: &str) -> Signer {
    server.certificate(json!({"organizationIdentifier": id, "profile": "qseal"})).await
}

async fn set_status(server: &TestServer, signer: &Signer, status: &str) {
    let path = format!("/test-certificates/{}", signer.certificate.fingerprint_hex());
    assert_eq!(server.manage("PUT", &path, json!({"status": status})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_learns_from_the_responder_what_the_authority_knows() {
    let (_guard, folder) = free_folder();
    let server = TestServer::in_real_time().await;
    let signer = seal(&server, "PSDNL-DNB-R000001").await;
    assert_eq!(signer.certificate.ocsp, [format!("http://{PKI}/ca/ocsp")]);
    let leaf = write(&folder, "leaf.pem", to_pem(&signer.certificate.der));
    let issuer = write(&folder, "issuer.pem", &signer.chain[0]);
    let root = write(&folder, "root.pem", &signer.chain[1]);
    let (question, url) = (folder.join("question.der"), format!("{}/ca/ocsp", server.url()));
    let question = question.to_str().unwrap();
    let common = ["ocsp", "-issuer", &issuer, "-CAfile", &root, "-verify_other", &issuer, "-cert", &leaf];
    let ask = |more: &[&str]| {
        let output = run("openssl", &[&common[..], more].concat());
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    for (status, expected) in [("active", "good"), ("blocked", "good"), ("revoked", "revoked")] {
        set_status(&server, &signer, status).await;
        let said = ask(&["-url", &url, "-reqout", question]);
        assert!(said.contains("Response verify OK") && !said.contains("nonce"), "{said}");
        assert!(said.contains(&format!("leaf.pem: {expected}")), "{said}");
    }
    // The same question by GET, with its base64 escaped in the address and as it is.
    let question = std::fs::read(question).unwrap();
    let text = STANDARD.encode(&question);
    let escaped = text.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    for text in [text, escaped] {
        let answer = server.http.get(format!("{url}/{text}")).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/ocsp-response");
        let answer = write(&folder, "answer.der", answer.bytes().await.unwrap());
        let said = ask(&["-respin", &answer, "-no_nonce"]);
        assert!(said.contains("Response verify OK") && said.contains("leaf.pem: revoked"), "{said}");
    }
    // SHA-256 names the issuer too; one that was never issued is unknown, and another authority's.
    let said = ask(&["-sha256", "-cert", &leaf, "-serial", "0x1234", "-url", &url]);
    assert!(said.contains("leaf.pem: revoked") && said.contains("0x1234: unknown"), "{said}");
    let output = run("openssl", &["ocsp", "-issuer", &root, "-cert", &issuer, "-url", &url, "-noverify"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("issuer.pem: unknown"), "{said}");
    for nonsense in [&b"nonsense"[..], &question[..question.len() - 1], &[]] {
        let answer = server.http.post(&url).body(nonsense.to_vec()).send().await.unwrap();
        assert_eq!(&answer.bytes().await.unwrap()[..], [0x30, 3, 0x0a, 1, 1], "malformedRequest");
    }
    let answer = server.http.post(&url).body(vec![0; 9000]).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 413);
    for (body, problem) in [(json!({"validSeconds": 0}), "validSeconds"), (json!({"ocps": true}), "ocps")] {
        let (status, said) = server.manage("PUT", "/status-service", body).await;
        assert!(status == 400 && said.to_string().contains(problem), "{said}");
    }
    let (status, now) = server.manage("PUT", "/status-service", json!({"ocsp": false, "lists": false})).await;
    assert_eq!((status, &now["validSeconds"]), (200, &json!(86_400)));
    for path in ["", "/AAAA", "/../issuing.crl", "/../root.crl"] {
        let answer = server.http.get(format!("{url}{path}")).send().await.unwrap();
        let expected = if path.is_empty() {
            405
        } else if path == "/AAAA" {
            200
        } else {
            503
        };
        // A question that cannot be read is told so; everything else is away.
        assert!([expected, 503].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
    }
}

/// A bank that trusts an authority of another sandbox, in PEM, and asks at its addresses.
pub(crate) async fn asking_bank(world: &TestServer, folder: &Path, authority: &str) -> TestServer {
    asking_bank_at(world.url().strip_prefix("http://").unwrap(), folder, authority).await
}

/// The same of an authority at an address.
async fn asking_bank_at(address: &str, folder: &Path, authority: &str) -> TestServer {
    let trusted = write(folder, "trusted.pem", authority).into();
    let address = address.parse().unwrap();
    TestServer::with(|config| {
        config.begin = None;
        config.trusted_authorities = vec![trusted];
        config.check_revocation = true;
        config.hosts = vec![(PKI.to_owned(), address)];
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_asks_the_authority_that_issued_a_certificate() {
    let (_guard, folder) = free_folder();
    let world = TestServer::in_real_time().await;
    let issuing = world.http.get(format!("{}/ca/issuing.cer", world.url())).send().await.unwrap();
    let issuing = to_pem(&issuing.bytes().await.unwrap());
    let bank = asking_bank(&world, &folder, &issuing).await;
    let counts = || bank.running.sandbox.gateway.revocation().unwrap().counts();
    let says = async |body| assert_eq!(world.manage("PUT", "/status-service", body).await.0, 200);
    let registered = async |id: &str| {
        let signer = seal(&world, id).await;
        let secret = bank.register("nl", &signer, &[CALLBACK]).await["client_secret"].clone();
        TestTpp { signer, tenant: "nl".to_owned(), secret: secret.as_str().unwrap().to_owned() }
    };
    let tpp = registered("PSDNL-DNB-R000001").await;
    let iban = bank.customer("nl", "household").await["iban"].as_str().unwrap().to_owned();
    let consent = tpp.valid(&bank, &detailed(&iban, true), &iban).await;
    let before = counts();
    assert_eq!((before.asked, before.unanswered), (1, 0), "it was asked once for all of these calls");
    // Certificates of its own authority are in its own books: nobody is asked.
    bank.registered("nl", "PSDNL-DNB-R000009").await;
    assert_eq!(counts().asked, before.asked);

    // Without its responder the list tells; what either says holds for three seconds now.
    says(json!({"ocsp": false, "validSeconds": 3})).await;
    let other = registered("PSDNL-DNB-R000002").await;
    let short = other.valid(&bank, &detailed(&iban, true), &iban).await;
    set_status(&world, &other.signer, "revoked").await;
    let read = |tpp: &TestTpp, consent| tpp.attended("/v1/accounts", consent);
    let refused = until(401, async || bank.send(&read(&other, &short)).await).await;
    assert!(refused.body.contains("CERTIFICATE_REVOKED"), "{}", refused.body);
    // From then on the bank itself knows, at doors too where the certificate is not shown.
    let token = other.refresh(&bank, &short.refresh_token).await;
    assert!(token.status == 401 && token.body.contains("CERTIFICATE_REVOKED"), "{}", token.body);
    assert_eq!(bank.send(&read(&tpp, &consent)).await.status, 200);

    // Nobody answers: what is new is refused with a time to come again, what is granted can be read for some hours.
    let third = registered("PSDNL-DNB-R000003").await;
    let granted = third.valid(&bank, &detailed(&iban, true), &iban).await;
    says(json!({"ocsp": false, "lists": false})).await;
    let newcomer = seal(&world, "PSDNL-DNB-R000004").await;
    // A list that was fetched before tells of it too, as long as it holds.
    let onboarding = Request::onboarding("nl").signed(&newcomer);
    let onboarding = until(503, async || bank.send(&onboarding).await).await;
    assert_eq!(onboarding.header("retry-after"), "20");
    assert!(onboarding.body.contains("could not be checked for revocation"), "{}", onboarding.body);
    let body = detailed(&iban, true);
    until(503, async || bank.send(&third.consent_request(&body)).await).await;
    let answer = bank.send(&read(&third, &granted)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(counts().let_through > 0 && counts().unanswered > 0);
}

/// A third party that proves itself by assertions is known by the key that it registered with, and at bunq's interface by the one that it
/// was given: neither is shown a second time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_acts_by_the_key_of_a_certificate_ends_with_it() {
    let (_guard, folder) = free_folder();
    let world = TestServer::in_real_time().await;
    let issuing = world.http.get(format!("{}/ca/issuing.cer", world.url())).send().await.unwrap();
    let bank = asking_bank(&world, &folder, &to_pem(&issuing.bytes().await.unwrap())).await;
    let asked = || bank.running.sandbox.gateway.revocation().unwrap().counts().asked;
    let lasting = provider(&bank, &seal(&world, "PSDNL-DNB-R000001").await).await;
    for _ in 0..5 {
        assert_eq!(lasting.get("/user").await.status, 200);
    }
    assert_eq!(asked(), 1, "once for the key and for all calls by it");

    let holds = json!({"validSeconds": 3});
    assert_eq!(world.manage("PUT", "/status-service", holds).await.0, 200);
    let signer = seal(&world, "PSDNL-DNB-R000002").await;
    let session = provider(&bank, &signer).await;
    let customer = bank.customer("nl", "household").await;
    let granted = session.connect(&bank, &customer).await;
    let token = bank.initial_access_token("nl", &signer).await;
    let registration = Request::registration("nl", &token, &[CALLBACK]).certificate(&signer);
    let form = String::from_utf8(registration.body.clone()).unwrap();
    let registration = registration.form(&(form + "&token_endpoint_auth_method=private_key_jwt"));
    assert_eq!(bank.send(&registration).await.status, 201);
    let clock = &bank.running.sandbox.clock;
    let now = || clock.now(bank.running.sandbox.gateway.settings().tenants.first());
    let issuer = format!("{}/auth/nl", bank.url());
    let by_assertion = async || bank.send(&token_request(&signer, &issuer, now())).await;
    let known = by_assertion().await;
    assert_eq!((known.status, known.error().0.as_str()), (400, "invalid_request"), "{}", known.body);

    set_status(&world, &signer, "revoked").await;
    let refused = until(403, async || granted.get("/user").await).await;
    assert!(refused.body.contains("was revoked"), "{}", refused.body);
    assert_eq!(session.get("/user").await.status, 403);
    let mut installed = session.clone();
    installed.session = None;
    let again = installed.request("POST", "/session-server", Some(&json!({"secret": session.key})));
    let refused = session.send(&again).await;
    assert!(refused.status == 400 && refused.body.contains("was revoked"), "{}", refused.body);
    let refused = until(401, by_assertion).await;
    assert!(refused.body.contains("CERTIFICATE_REVOKED"), "{}", refused.body);
    assert_eq!(lasting.get("/user").await.status, 200, "it is about nobody else");
}

/// A service provider of bunq's interface with a session, by a certificate.
async fn provider(bank: &TestServer, signer: &Signer) -> BunqClient {
    let client = BunqClient::install(bank).await;
    let pem = to_pem(&signer.certificate.der);
    let key = client.trade(&pem, &pem, &signer.key_pem).await;
    client.open(&key).await
}

/// Where nobody tells of a certificate, a client keeps its code and comes again; and what the bank itself tells a third party counts as
/// no call of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nobody_answers_a_code_is_kept_and_what_is_told_is_not_counted() {
    let (_guard, folder) = free_folder();
    let world = TestServer::in_real_time().await;
    let issuing = world.http.get(format!("{}/ca/issuing.cer", world.url())).send().await.unwrap();
    let bank = asking_bank(&world, &folder, &to_pem(&issuing.bytes().await.unwrap())).await;
    let counts = || bank.running.sandbox.gateway.revocation().unwrap().counts();
    let says = async |body| assert_eq!(world.manage("PUT", "/status-service", body).await.0, 200);
    says(json!({"validSeconds": 3})).await;
    let provider = provider(&bank, &seal(&world, "PSDNL-DNB-R000001").await).await;
    let customer = bank.customer("nl", "empty").await;
    let own = BunqClient::customer(&bank, &customer).await;
    let account = own.account().await;
    let granted = provider.connect(&bank, &customer).await;
    let (hook, mut told) = told().await;
    let filters = json!({"notification_filters": [{"category": "MUTATION", "notification_target": hook}]});
    let path = format!("/user/{}/notification-filter-url", granted.user);
    let asked = granted.post(&path, &filters).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let client = provider.oauth_client().await;
    let text = |name: &str| client[name].as_str().unwrap();
    let query = format!(
        "grant_type=authorization_code&code=unknown&redirect_uri=https%3A%2F%2Ftpp.example%2Fcallback&client_id={}&client_secret={}",
        text("client_id"),
        text("secret")
    );
    let trade = Request::new("POST", &format!("{BUNQ}/token?{query}"));
    let known = bank.send(&trade).await;
    assert_eq!((known.status, known.error().0.as_str()), (400, "invalid_grant"), "{}", known.body);

    says(json!({"ocsp": false, "lists": false})).await;
    let away = until(491, async || bank.send(&trade).await).await;
    let (code, said) = away.error();
    assert_eq!(code, "temporarily_unavailable", "{}", away.body);
    assert!(said.contains("try again in 20 seconds"), "{said}");
    let before = counts();
    let gift = json!({"amount_inquired": euro("1.00"), "description": "Told", "allow_bunqme": false,
        "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}});
    own.make(&own.below(account, "/request-inquiry"), &gift).await;
    let patience = std::time::Duration::from_secs(60);
    let event = tokio::time::timeout(patience, told.recv()).await.expect("nothing was told").unwrap();
    assert!(String::from_utf8_lossy(&event).contains("MUTATION_RECEIVED"));
    let after = counts();
    assert_eq!((after.let_through, after.remembered), (before.let_through, before.remembered));
    // A call that only reads counts.
    assert_eq!(granted.get("/user").await.status, 200);
    assert!(counts().let_through > before.let_through);
}

/// A server that is told things, by its address.
async fn told() -> (String, mpsc::UnboundedReceiver<Bytes>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, told) = mpsc::unbounded_channel();
    let take = move |body: Bytes| {
        sender.send(body).unwrap();
        std::future::ready(())
    };
    let routes = Router::new().route("/hook", post(take));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (url, told)
}

/// A request by a client that proves itself with the key of its signing certificate (RFC 7523); the refresh token is unknown.
pub(crate) fn token_request(signer: &Signer, issuer: &str, now: Timestamp) -> Request {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let (id, now) = (signer.id(), now.as_second());
    let claims = json!({"iss": id, "sub": id, "aud": issuer,
        "jti": NEXT.fetch_add(1, Ordering::Relaxed).to_string(), "iat": now, "exp": now + 60});
    let parts = [json!({"alg": "RS256"}), claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = parts.join(".");
    let key = PrivateKey::from_pem(&signer.key_pem).unwrap();
    let signature = key.sign(Algorithm::RsaPkcs1Sha256, signed.as_bytes()).unwrap();
    let assertion = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    Request::new("POST", "/auth/nl/v1/token").form(&format!(
        "grant_type=refresh_token&refresh_token=unknown&client_id={id}&client_assertion_type={kind}\
         &client_assertion={assertion}"
    ))
}

/// Answers of a responder, which says the same of every certificate.
type Says = Arc<(Responder, Mutex<Standing>, Arc<dyn Clock>)>;

async fn answer(State(says): State<Says>, question: Bytes) -> Vec<u8> {
    let (responder, standing, clock) = &*says;
    let (now, standing) = (clock.now(None), *standing.lock().unwrap());
    let until = now + SignedDuration::from_secs(2);
    responder.answer(responder.read(&question).unwrap(), &[standing], (now, until)).unwrap()
}

/// An authority of its own with a responder, and a bank that trusts it and asks there.
struct Asked {
    bank: TestServer,
    authority: Authority,
    says: Says,
}

impl Asked {
    async fn new(folder: &Path) -> Self {
        let name = AuthorityName {
            country: "NL".into(),
            locality: None,
            organization_identifier: None,
            organization: "Example (TEST)".into(),
            common_name: "Example CA (TEST)".into(),
        };
        let years = ("2020-01-01T00:00:00Z".parse().unwrap(), "2090-01-01T00:00:00Z".parse().unwrap());
        let authority = Authority::root(&name, KeyType::P256, &[1], years).unwrap();
        let responder = authority.responder(&[2], years).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let bank = asking_bank_at(&address, folder, &to_pem(authority.der())).await;
        let clock: Arc<dyn Clock> = bank.running.sandbox.clock.clone();
        let says: Says = Arc::new((responder, Mutex::new(Standing::Good), clock));
        let routes = Router::new().route("/ca/ocsp", post(answer)).with_state(Arc::clone(&says));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { bank, authority, says }
    }

    fn now(&self) -> Timestamp {
        self.says.2.now(None)
    }

    /// What the responder says from now on.
    fn say(&self, standing: Standing) {
        *self.says.1.lock().unwrap() = standing;
    }

    /// A certificate for seals.
    fn seal(&self, number: u8) -> Signer {
        let now = self.now();
        let request = CertificateRequest {
            organization_identifier: OrganizationIdentifier::parse(&format!("PSDNL-DNB-R00000{number}"))
                .unwrap(),
            organization_name: "Example TPP B.V.".into(),
            country: "NL".into(),
            locality: "Utrecht".into(),
            roles: vec![Role::AccountInformation],
            common_name: "tpp.example".into(),
            serial: vec![number],
            not_before: now - SignedDuration::from_hours(24),
            not_after: now + SignedDuration::from_hours(24),
        };
        let points = PublicationPoints {
            ca_issuers: format!("http://{PKI}/ca.cer"),
            crl: format!("http://{PKI}/ca.crl"),
            ocsp: Some(format!("http://{PKI}/ca/ocsp")),
            disclosure_statement: None,
        };
        let (key, public) = generate_key(KeyType::P256).unwrap();
        let certificate = self.authority.issue(Profile::QSeal, &request, &points, &public).unwrap();
        Signer::from_pem(&to_pem(&certificate.der), &key, None)
    }

    /// What the bank keeps of a certificate.
    async fn kept(&self, signer: &Signer) -> Option<CertificateStatus> {
        let fingerprint = signer.certificate.fingerprint_hex();
        let records = self.bank.running.sandbox.gateway.certificates().await.unwrap();
        let record = records.into_iter().find(|record| record.holder.fingerprint == fingerprint);
        record.map(|record| record.status)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_suspended_certificate_nothing_is_kept_but_of_a_revoked_one() {
    let (_guard, folder) = free_folder();
    let asked = Asked::new(&folder).await;
    let (bank, now) = (&asked.bank, asked.now());
    for (number, standing, kept) in [
        (3, Standing::Suspended { at: now }, CertificateStatus::Active),
        (4, Standing::Revoked { at: now }, CertificateStatus::Revoked { at: now }),
    ] {
        asked.say(Standing::Good);
        let signer = asked.seal(number);
        bank.register("nl", &signer, &[CALLBACK]).await;
        asked.say(standing);
        let calls = std::cell::Cell::new(0);
        let refused = until(401, async || {
            calls.set(calls.get() + 1);
            let id = format!("held-{number}-{}", calls.get());
            bank.send(&Request::onboarding("nl").set("x-request-id", id).signed(&signer)).await
        });
        let refused = refused.await;
        assert!(refused.body.contains("CERTIFICATE_REVOKED"), "{}", refused.body);
        let second = |status| match status {
            CertificateStatus::Revoked { at } => Some(at.as_second()),
            _ => None,
        };
        assert_eq!(asked.kept(&signer).await.map(second), Some(second(kept)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_with_a_certificate_that_its_issuer_does_not_know_yet_is_told_to_come_again() {
    let (_guard, folder) = free_folder();
    let asked = Asked::new(&folder).await;
    asked.say(Standing::Unknown);
    let signer = asked.seal(5);
    let refused = asked.bank.send(&Request::onboarding("nl").signed(&signer)).await;
    let (code, said) = refused.error();
    assert_eq!((refused.status, code.as_str()), (401, "CERTIFICATE_REVOKED"), "{}", refused.body);
    assert!(said.contains("is not known to the responder of its issuer"), "{said}");
    assert!(said.contains("if it is new, try again in some minutes"), "{said}");
    assert!(!said.contains("was revoked"), "{said}");
    // What is held against it passes by itself: nothing is kept.
    assert_eq!(asked.kept(&signer).await, None);
}

/// An authority whose certificate says something critical about policies signs answers itself; OpenSSL plays its responder.
#[test]
fn an_authority_that_demands_policies_is_believed() {
    let (_guard, folder) = free_folder();
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let configuration = "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\n\
                         certificatePolicies=critical,1.2.3\npolicyConstraints=critical,requireExplicitPolicy:0\n";
    let configuration = write(&folder, "openssl.cnf", configuration);
    let (issuer, issuer_key, leaf) = (at("issuer.pem"), at("issuer.key"), at("leaf.pem"));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", &configuration];
    let authority = ["req", "-x509", "-subj", "/CN=Issuer (TEST)", "-extensions", "ca", "-days", "30"];
    testkit::openssl(&[&authority[..], &curve, &["-keyout", &issuer_key, "-out", &issuer]].concat());
    let asked = ["req", "-subj", "/CN=Leaf"];
    let (request, leaf_key) = (at("leaf.csr"), at("leaf.key"));
    testkit::openssl(&[&asked[..], &curve, &["-keyout", &leaf_key, "-out", &request]].concat());
    let signs = ["x509", "-req", "-in", &request, "-CA", &issuer, "-CAkey", &issuer_key];
    testkit::openssl(&[&signs[..], &["-set_serial", "0x7f01", "-out", &leaf]].concat());
    let read = |path: &str| Certificate::from_pem(std::fs::read(path).unwrap()).unwrap();
    let (issued_by, certificate) = (read(&issuer), read(&leaf));
    let question = OcspRequest::new(&certificate, &issued_by, None).unwrap();
    let (sent, answer) = (write(&folder, "question.der", question.der()), at("answer.der"));
    let index = write(&folder, "index.txt", "V\t491231000000Z\t\t7F01\tunknown\t/CN=Leaf\n");
    let responder = ["ocsp", "-index", &index, "-CA", &issuer, "-rsigner", &issuer, "-rkey", &issuer_key];
    testkit::openssl(&[&responder[..], &["-reqin", &sent, "-respout", &answer, "-ndays", "1"]].concat());
    let answer = std::fs::read(answer).unwrap();
    // OpenSSL answers as of the time that it is; what that is makes no difference here.
    let Err(StatusError::Early(now)) = question.read_answer(&answer, &issued_by, Timestamp::UNIX_EPOCH)
    else {
        panic!("the answer is of no time");
    };
    assert_eq!(question.read_answer(&answer, &issued_by, now).unwrap().standing, Standing::Good);
    // Somebody else's key is nobody's.
    let stranger = Authority::root(
        &AuthorityName {
            country: "NL".into(),
            locality: None,
            organization_identifier: None,
            organization: "Example (TEST)".into(),
            common_name: "Issuer (TEST)".into(),
        },
        KeyType::P256,
        &[1],
        ("2020-01-01T00:00:00Z".parse().unwrap(), "2090-01-01T00:00:00Z".parse().unwrap()),
    );
    let stranger = Certificate::from_der(stranger.unwrap().der()).unwrap();
    assert_eq!(question.read_answer(&answer, &stranger, now), Err(StatusError::Signer));
}
