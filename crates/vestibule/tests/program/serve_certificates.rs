//! Certificates of third parties in front of a real bank: they are renewed, several are good side by side, and clocks differ.

use std::fs;

use gateway::Clock;
use gateway::domain::{Tenant, Timestamp};
use jiff::SignedDuration;
use serde_json::json;
use testkit::bunq::certificate_time;
use testkit::{
    Answer, CALLBACK, Request, Signer, TestCa, TestTpp, VERIFIER, challenge, detailed, euro_payment,
};

use crate::certificate_status::token_request;
use crate::configuration::Files;
use crate::serve::{
    NO_CORE, PAGE, Scene, approve, configuration, confirmed, consented, error, registered_with,
};

const ID: &str = "PSDNL-DNB-R654321";

/// The section of a stop list.
const STOPS: &str = "[register]\nstop_list_file = \"stop-list.txt\"\n";

fn hours(hours: i64) -> Timestamp {
    testkit::now() + SignedDuration::from_hours(hours)
}

/// A certificate of the third party by the authority of the tests, valid between two moments.
fn certificate(files: &Files, roles: &[&str], (from, to): (Timestamp, Timestamp)) -> Signer {
    files.ca.issue(&TestCa::subject(ID), roles, |params| {
        params.not_before = certificate_time(from);
        params.not_after = certificate_time(to);
    })
}

/// A gateway that trusts that authority too.
async fn scene() -> Scene {
    let mut scene = Scene::with("").await;
    let anchors = fs::read_to_string(scene.files.path("anchors.pem")).unwrap() + scene.files.ca.pem();
    fs::write(scene.files.path("anchors.pem"), anchors).unwrap();
    assert!(scene.served.reload(configuration(&scene.files, NO_CORE, "")).unwrap().is_empty());
    scene
}

/// What the registration has of its certificate, and how often it was written.
fn registration(scene: &Scene) -> (String, String, String, i64) {
    let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    let row = "SELECT certificate, roles, signing_key, version FROM tpps WHERE id = ?1";
    database.query_row(row, [ID], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap()
}

fn with(tpp: &TestTpp, signer: Signer) -> TestTpp {
    TestTpp { signer, tenant: tpp.tenant.clone(), secret: tpp.secret.clone() }
}

async fn refresh(scene: &Scene, tpp: &TestTpp, client: &reqwest::Client, token: &str) -> Answer {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    tpp.token_request(&form).exchange(client, &scene.interface()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_goes_on_at_every_door_without_a_registration() {
    let scene = scene().await;
    let (customer, interface) = (scene.core.customer("nl", "saver").await, scene.interface());
    let iban = customer["iban"].as_str().unwrap();
    let old = certificate(&scene.files, &["PSP_AI"], (hours(-24), hours(24)));
    let newer = certificate(&scene.files, &["PSP_AI", "PSP_PI"], (hours(-1), hours(24 * 400)));
    let client = scene.client(Some(&certificate(&scene.files, &["PSP_AI"], (hours(-1), hours(24 * 400)))));
    let of_old = old.certificate.fingerprint_hex();
    let tpp = registered_with(&scene, &client, old).await;
    let next = with(&tpp, newer);
    let given = consented(&scene, &tpp, &client, &customer).await;
    scene.core.advance("nl", "PT23H").await;
    // It is used beside the one of the registration while that is good, which stays what it is.
    let before = registration(&scene);
    let asked = next.consent_request(&detailed(iban, true)).exchange(&client, &interface).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    assert!(registration(&scene) == before && before.0 == of_old);

    scene.core.advance("nl", "PT2H").await;
    let status = format!("/v1/consents/{}/status", given.id);
    let over = tpp.get(&status).exchange(&client, &interface).await;
    assert_eq!((over.status, error(&over).as_str()), (401, "CERTIFICATE_EXPIRED"), "{}", over.body);
    // Where no call is signed, the certificate of the connection counts; a browser has none.
    let tokens = refresh(&scene, &next, &client, &given.refresh_token).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let asked = asked.json();
    let code = approve(&scene, &asked, &customer).await;
    assert_eq!(registration(&scene), before);
    // The first signed call leaves word of it, and no other one.
    let consent = confirmed(&scene, &next, &client, (&asked, &code)).await;
    let renewed = registration(&scene);
    assert_eq!(renewed.0, next.signer.certificate.fingerprint_hex());
    assert_eq!((renewed.1.contains("PSP_PI"), renewed.3), (true, before.3 + 1), "{renewed:?}");
    let key = &next.signer.certificate.public_key.spki_der;
    assert_eq!(renewed.2, eidas::header::to_single_line_pem(key, "PUBLIC KEY"), "that of client assertions");
    let accounts = next.read("/v1/accounts", &consent).exchange(&client, &interface).await;
    assert_eq!(accounts.status, 200, "{}", accounts.body);
    assert_eq!(registration(&scene), renewed);
    // Nobody else's certificate does, whatever is over.
    let foreign = scene.files.ca.issue(&TestCa::subject("PSDNL-DNB-R999999"), &["PSP_AI"], |_| {});
    let foreign = with(&tpp, foreign).get(&status).exchange(&client, &interface).await;
    assert_eq!((foreign.status, error(&foreign).as_str()), (401, "CERTIFICATE_INVALID"), "{}", foreign.body);
    let late = scene.client(Some(&certificate(&scene.files, &["PSP_AI"], (hours(-24), hours(24)))));
    let late = refresh(&scene, &next, &late, &given.refresh_token).await;
    assert!(late.status == 401 && late.body.contains("CERTIFICATE_EXPIRED"), "{}", late.body);
}

/// What was asked for by a certificate with the role for it is authorised, whichever certificate the registration has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_let_in_for_what_a_newer_certificate_asked_for() {
    let scene = scene().await;
    let (customer, interface) = (scene.core.customer("nl", "empty").await, scene.interface());
    let of_a_year = |roles| certificate(&scene.files, roles, (hours(-1), hours(24 * 400)));
    let both = ["PSP_AI", "PSP_PI"];
    let client = scene.client(Some(&of_a_year(&both)));
    let tpp = registered_with(&scene, &client, of_a_year(&["PSP_AI"])).await;
    let (next, before) = (with(&tpp, of_a_year(&both)), registration(&scene));
    let mut body = euro_payment("1.00", "DE89370400440532013000");
    body["debtorAccount"] = json!({"iban": customer["iban"]});
    let pay = async |tpp: &TestTpp| {
        let request = tpp.payment_request("payments/sepa-credit-transfers", &body);
        request.exchange(&client, &interface).await
    };
    let refused = pay(&tpp).await;
    assert_eq!((refused.status, error(&refused).as_str()), (401, "ROLE_INVALID"), "{}", refused.body);
    let asked = pay(&next).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    assert_eq!(registration(&scene), before);
    let asked = asked.json();
    let link = asked["_links"]["scaRedirect"].as_str().unwrap();
    let link = link.strip_prefix("https://bank.example.com").unwrap();
    let proof = format!("&code_challenge={}&code_challenge_method=S256", challenge(VERIFIER));
    let opened = Request::new("GET", &(link.to_owned() + &proof)).set("accept", "text/html");
    let opened = opened.exchange(&scene.client(None), &scene.pages()).await;
    let page = format!("https://bank.example.com{PAGE}");
    assert_eq!((opened.status, opened.header("location")), (302, page.as_str()), "{}", opened.body);
}

/// A client that proves itself by assertions does so with the key of the certificate that its registration has, and is never without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_is_signed_with_the_key_of_the_certificate_that_the_registration_has() {
    let scene = scene().await;
    let (customer, interface) = (scene.core.customer("nl", "saver").await, scene.interface());
    let of_a_year = (hours(-1), hours(24 * 400));
    let old = certificate(&scene.files, &["PSP_AI"], (hours(-24), hours(24)));
    let newer = certificate(&scene.files, &["PSP_AI"], of_a_year);
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let without = scene.files.ca.issue_with(&key, (&TestCa::subject(ID), &["PSP_AI"]), |params| {
        params.not_before = certificate_time(of_a_year.0);
        params.not_after = certificate_time(of_a_year.1);
    });
    let client = scene.client(Some(&certificate(&scene.files, &["PSP_AI"], of_a_year)));
    let send = async |request: Request| request.exchange(&client, &interface).await;
    let token = send(Request::onboarding("nl").signed(&old)).await;
    let token = token.json()["access_token"].as_str().unwrap().to_owned();
    let registering = Request::registration("nl", &token, &[CALLBACK]).certificate(&old);
    let form = String::from_utf8(registering.body.clone()).unwrap();
    let registered = send(registering.form(&(form + "&token_endpoint_auth_method=private_key_jwt"))).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    let [old, newer, without] = [old, newer, without].map(|signer| {
        let (tenant, secret) = ("nl".to_owned(), String::new());
        TestTpp { signer, tenant, secret }
    });
    let known = send(Request::new("GET", "/auth/nl/.well-known/openid-configuration")).await.json();
    let issuer = known["issuer"].as_str().unwrap();
    let proves = async |tpp: &TestTpp| {
        let now = scene.core.running.sandbox.clock.now(Tenant::parse("nl").ok().as_ref());
        let answer = send(token_request(&tpp.signer, issuer, now)).await;
        assert!([400, 401].contains(&answer.status), "{}", answer.body);
        let unknown = answer.body.contains("Unknown refresh token");
        assert_eq!(answer.status == 400, unknown, "{}", answer.body);
        unknown
    };
    let signs = async |tpp: &TestTpp| {
        let body = detailed(customer["iban"].as_str().unwrap(), true);
        let asked = send(tpp.consent_request(&body)).await;
        assert_eq!(asked.status, 201, "{}", asked.body);
        registration(&scene)
    };
    let before = registration(&scene);
    assert_eq!(signs(&newer).await, before);
    assert!(proves(&old).await && !proves(&newer).await);
    scene.core.advance("nl", "PT25H").await;
    // One that no assertion can be signed with does not take its place.
    assert_eq!(signs(&without).await, before);
    assert!(!proves(&old).await && !proves(&newer).await);
    let renewed = signs(&newer).await;
    assert_eq!(renewed.0, newer.signer.certificate.fingerprint_hex());
    assert!(!proves(&old).await && proves(&newer).await);
}

/// A certificate that was recorded when paths were not kept gets its own when it is shown again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_an_earlier_release_gets_its_path_by_onboarding() {
    let scene = scene().await;
    let of_a_year = || certificate(&scene.files, &["PSP_AI"], (hours(-1), hours(24 * 400)));
    let (qwac, seal) = (of_a_year(), of_a_year());
    let fingerprint = seal.certificate.fingerprint_hex();
    let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    let kept = || -> Option<String> {
        let read = "SELECT path FROM certificates WHERE fingerprint = ?1";
        database.query_row(read, [&fingerprint], |row| row.get(0)).unwrap()
    };
    let onboard = async |id: &str| {
        let request = Request::onboarding("nl").set("x-request-id", id).signed(&seal);
        let answer = request.exchange(&scene.client(Some(&qwac)), &scene.interface()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    onboard("first").await;
    let path = kept();
    assert!(path.is_some());
    for (id, forgotten) in [("path", "path = NULL"), ("path-and-key", "path = NULL, signing_key = NULL")] {
        let sql = format!("UPDATE certificates SET {forgotten} WHERE fingerprint = ?1");
        assert_eq!(database.execute(&sql, [&fingerprint]).unwrap(), 1);
        onboard(id).await;
        assert_eq!(kept(), path, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_staff_stopped_makes_way_for_the_next_one() {
    let mut scene = scene().await;
    let (customer, interface) = (scene.core.customer("nl", "saver").await, scene.interface());
    let of_a_year = || certificate(&scene.files, &["PSP_AI"], (hours(-1), hours(24 * 400)));
    let (qwac, old, newer) = (of_a_year(), of_a_year(), of_a_year());
    let client = scene.client(Some(&qwac));
    let of_old = old.certificate.fingerprint_hex();
    let tpp = registered_with(&scene, &client, old).await;
    let given = consented(&scene, &tpp, &client, &customer).await;
    fs::write(scene.files.path("stop-list.txt"), &of_old).unwrap();
    assert!(scene.served.reload(configuration(&scene.files, NO_CORE, STOPS)).unwrap().is_empty());
    // It is of no use itself, and stands in the way of no other one of its holder, whichever is shown first.
    let path = format!("/v1/consents/{}/status", given.id);
    let refused = tpp.get(&path).exchange(&client, &interface).await;
    assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_BLOCKED"), "{}", refused.body);
    let tokens = refresh(&scene, &tpp, &client, &given.refresh_token).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(registration(&scene).0, of_old);
    let next = with(&tpp, newer);
    let status = next.get(&path).exchange(&client, &interface).await;
    assert_eq!(status.status, 200, "{}", status.body);
    assert_eq!(registration(&scene).0, next.signer.certificate.fingerprint_hex());
    let token = tokens.json()["refresh_token"].as_str().unwrap().to_owned();
    // A stop of the certificate of the connection, or of the holder, is one.
    for (stopped, refused) in
        [(qwac.certificate.fingerprint_hex(), true), (ID.to_owned(), true), ("#".to_owned(), false)]
    {
        fs::write(scene.files.path("stop-list.txt"), &stopped).unwrap();
        assert!(scene.served.reload(configuration(&scene.files, NO_CORE, STOPS)).unwrap().is_empty());
        let answer = refresh(&scene, &next, &client, &token).await;
        assert_eq!(answer.status, if refused { 401 } else { 200 }, "{stopped}: {}", answer.body);
        assert_eq!(answer.body.contains("was stopped by the bank"), refused, "{stopped}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_registration_with_another_certificate_leaves_the_one_before_good() {
    let scene = scene().await;
    let interface = scene.interface();
    let of_a_year = || certificate(&scene.files, &["PSP_AI"], (hours(-1), hours(24 * 400)));
    let (qwac, first, second) = (of_a_year(), of_a_year(), of_a_year());
    let client = scene.client(Some(&qwac));
    let tpp = registered_with(&scene, &client, first).await;
    let other = registered_with(&scene, &client, second).await;
    assert_eq!(registration(&scene).0, other.signer.certificate.fingerprint_hex());
    let customer = scene.core.customer("nl", "empty").await;
    let body = detailed(customer["iban"].as_str().unwrap(), true);
    for (tpp, of) in [(&tpp, "the first"), (&other, "the second")] {
        let asked = tpp.consent_request(&body).exchange(&client, &interface).await;
        assert_eq!(asked.status, 201, "{of}: {}", asked.body);
    }
    // Nor is it kept from being that of the registration again.
    let again = registered_with(&scene, &client, tpp.signer).await;
    assert_eq!(registration(&scene).0, again.signer.certificate.fingerprint_hex());
}

#[tokio::test]
async fn a_certificate_may_be_used_as_early_as_clocks_differ() {
    let scene = scene().await;
    let end = hours(24 * 400);
    let later = |minutes| testkit::now() + SignedDuration::from_mins(minutes);
    let onboard = async |qwac: &Signer, seal: &Signer, id: &str| {
        let request = Request::onboarding("nl").set("x-request-id", id).signed(seal);
        request.exchange(&scene.client(Some(qwac)), &scene.interface()).await
    };
    let good = certificate(&scene.files, &["PSP_AI"], (hours(-1), end));
    let (soon, early) = (
        certificate(&scene.files, &["PSP_AI"], (later(4), end)),
        certificate(&scene.files, &["PSP_AI"], (later(60), end)),
    );
    let taken = onboard(&soon, &soon, "early-1").await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    for (qwac, seal, id) in [(&early, &good, "early-2"), (&good, &early, "early-3")] {
        let refused = onboard(qwac, seal, id).await;
        assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_EXPIRED"), "{id}");
    }
    // It registers, and is known by what was kept of it.
    let client = scene.client(Some(&soon));
    let tpp = registered_with(&scene, &client, soon).await;
    let tokens = refresh(&scene, &tpp, &client, "unknown").await;
    assert!(tokens.status == 400 && tokens.body.contains("Unknown refresh token"), "{}", tokens.body);
}
