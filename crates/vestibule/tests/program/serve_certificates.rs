//! Certificates of third parties in front of a real bank: they are renewed, several are good side by side, and clocks differ.

use std::fs;

use gateway::domain::Timestamp;
use jiff::SignedDuration;
use testkit::bunq::certificate_time;
use testkit::{Answer, Request, Signer, TestCa, TestTpp, detailed};

use crate::configuration::Files;
use crate::serve::{NO_CORE, Scene, approve, configuration, confirmed, consented, error, registered_with};

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
    let refused = refresh(&scene, &tpp, &client, &given.refresh_token).await;
    assert!(refused.status == 401 && refused.body.contains("was stopped by the bank"), "{}", refused.body);
    let next = with(&tpp, newer);
    let status = next.get(&format!("/v1/consents/{}/status", given.id)).exchange(&client, &interface).await;
    assert_eq!(status.status, 200, "{}", status.body);
    let tokens = refresh(&scene, &next, &client, &given.refresh_token).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(registration(&scene).0, next.signer.certificate.fingerprint_hex());
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
