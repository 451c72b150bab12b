//! The audit trail: what stands in it, that nothing is changed without a trace, and that it goes on after what was forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, Request, Signer, TestCa};

use crate::admin::{People, as_staff, fingerprint, get, post, staff_command, staffed};
use crate::configuration::Files;
use crate::on_a_full_disk;
use crate::serve::{Scene, consented, registered};
use crate::serve_command::{scene_of, start};

const ID: &str = "PSDNL-DNB-R654321";

/// What one of the auditors reads, and where the next page begins.
async fn page<S>(scene: &Scene<S>, people: &People, admin: &str, query: &str) -> (Vec<Value>, Option<i64>) {
    let auditor = scene.client(Some(&people.auditor));
    let page = get(&auditor, admin, &format!("/audit{query}")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let page = page.json();
    let entries = page["entries"].as_array().unwrap().iter();
    let read = |entry: &Value| serde_json::from_str(entry["text"].as_str().unwrap()).unwrap();
    (entries.map(read).collect(), page["next"].as_i64())
}

pub(crate) async fn entries<S>(scene: &Scene<S>, people: &People, admin: &str, query: &str) -> Vec<Value> {
    page(scene, people, admin, query).await.0
}

/// All of the trail.
pub(crate) async fn all_entries<S>(scene: &Scene<S>, people: &People, admin: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), Some(0));
    while let Some(number) = after {
        let (entries, next) = page(scene, people, admin, &format!("?after={number}")).await;
        all.extend(entries);
        after = next;
    }
    all
}

/// The same once there are some that fit: calls are written within a second or so.
pub(crate) async fn entries_with<S>(
    scene: &Scene<S>,
    people: &People,
    admin: &str,
    fits: impl Fn(&Value) -> bool,
) -> Vec<Value> {
    for _ in 0..200 {
        let all = all_entries(scene, people, admin).await;
        if all.iter().any(&fits) {
            return all;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no such entry is written");
}

pub(crate) fn verify<S>(scene: &Scene<S>, admin: &str, auditor: &Signer, more: &[&str]) -> (i32, Value) {
    let arguments = [&["audit", "verify", "--json"], more].concat();
    let (code, out, error) = as_staff(scene, admin, ("auditor", auditor), &arguments);
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}")))
}

/// Changes the trail behind the gateway's back.
pub(crate) fn tamper<S>(scene: &Scene<S>, sql: &str) {
    let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
    database.busy_timeout(Duration::from_secs(20)).unwrap();
    database.execute_batch(sql).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one trail, changed in every way")]
async fn every_call_and_act_is_in_the_trail_and_none_is_changed_unnoticed() {
    let (scene, people, admin) = staffed().await;
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let read = tpp.read("/v1/accounts", &consent).exchange(&client, &scene.interface()).await;
    assert_eq!(read.status, 200, "{}", read.body);
    let strange = Request::new("BREW", "/NL91ABNA0417164300").exchange(&client, &scene.interface()).await;
    assert!(strange.status < 500);
    // Whatever stands at the beginning may be forgotten: the act is to stand behind something.
    entries_with(&scene, &people, &admin, |entry| entry["interface"] == "berlin-group").await;
    let operator = scene.client(Some(&people.operator));
    let block = format!("/third-parties/{ID}/block");
    let done = post(&operator, &admin, &block, &json!({"reason": "Leaks.\" }"})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let refused = scene.client(Some(&people.reader));
    assert_eq!(post(&refused, &admin, &block, &json!({"reason": "x"})).await.status, 403);

    // An act is there with its answer, without waiting for anything.
    let acts = entries(&scene, &people, &admin, "?kind=acts").await;
    let [act] = &acts[..] else { panic!("{acts:?}") };
    for (name, expected) in [
        ("kind", "act"),
        ("act", "block"),
        ("to", ID),
        ("reason", "Leaks.\" }"),
        ("by", &people.operator.certificate.subject.to_string()),
    ] {
        assert_eq!(act[name], expected, "{act}");
    }
    assert_eq!(act["certificate"].as_str().unwrap().len(), 64);
    let all = entries_with(&scene, &people, &admin, |entry| entry["code"] == "role_missing").await;
    let found = all.iter().find(|entry| entry["request"] == read.header("x-request-id")).unwrap();
    assert_eq!(found["thirdParty"], ID);
    assert_eq!((&found["method"], &found["status"]), (&json!("GET"), &json!(200)));
    assert_eq!(found["route"], "/xs2a-bg/{tenant}/v1/accounts", "a pattern: {found}");
    assert!(all.iter().any(|entry| entry["method"] == "other"), "{all:?}");
    let staff = all.iter().find(|entry| entry["code"] == "role_missing").unwrap();
    assert_eq!(staff["staff"], people.reader.certificate.subject.to_string());
    assert_eq!(staff["route"], "/third-parties/{id}/block");
    let text = serde_json::to_string(&all).unwrap();
    let secrets = [&consent.access_token, customer["iban"].as_str().unwrap(), "NL91", &tpp.secret, "BREW"];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret}");
    }

    // Verified here; then changed, taken out, put in.
    let (code, told) = verify(&scene, &admin, &people.auditor, &[]);
    assert_eq!((code, &told["isWhole"], &told["first"]), (0, &json!(true), &json!(1)), "{told}");
    let head = &told["head"];
    let anchor = format!("{}:{}", head["number"], head["hash"].as_str().unwrap());
    let (code, out, error) = as_staff(&scene, &admin, ("auditor", &people.auditor), &["audit", "export"]);
    assert_eq!(code, 0, "{error}");
    let exported = scene.files.path("trail.jsonl");
    std::fs::write(&exported, &out).unwrap();
    let file = ["--file", exported.to_str().unwrap()];
    let (code, _) = verify(&scene, &admin, &people.auditor, &[&file[..], &["--anchor", &anchor]].concat());
    assert_eq!(code, 0, "a file can be verified without a gateway");
    std::fs::write(&exported, out.replacen("Leaks.", "Leak.", 1)).unwrap();
    let (code, told) = verify(&scene, &admin, &people.auditor, &file);
    let damages = |told: &Value| -> Vec<String> {
        told["damages"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    assert!(code == 1 && damages(&told)[0].contains(" was changed"), "{told}");

    // What is cut is no export, and nobody takes it for one.
    for arguments in [&["audit", "export"][..], &["audit", "acts"], &["audit", "verify"], &["statistics"]] {
        let mut command = staff_command(&scene, &admin, ("auditor", &people.auditor), arguments);
        let (code, error) = on_a_full_disk(&mut command);
        let is_told =
            error.starts_with("error: standard output cannot be written") && error.contains("No space");
        assert!(code == 1 && is_told && error.lines().count() == 1, "{arguments:?}: {code} {error}");
    }
    let (_, out, _) = as_staff(&scene, &admin, ("auditor", &people.auditor), &["audit", "acts"]);
    assert!(out.contains("block  PSDNL-DNB-R654321") && out.contains("Leaks."), "{out}");
    let (code, out, error) = as_staff(&scene, &admin, ("reader", &people.reader), &["audit", "verify"]);
    assert!(code == 1 && error.contains("this is for auditors"), "{out}{error}");
    let odd = get(&scene.client(Some(&people.auditor)), &admin, "/audit?after=x").await;
    assert!(odd.status == 400 && odd.body.contains("is not the number of an entry"), "{}", odd.body);

    tamper(&scene, "UPDATE audit SET entries = replace(entries, 'Leaks.', 'Thanks') WHERE kind = 'acts'");
    let (code, told) = verify(&scene, &admin, &people.auditor, &[]);
    let [damage] = &damages(&told)[..] else { panic!("{told}") };
    assert!(code == 1 && damage.contains("was changed"), "{damage}");
    tamper(&scene, "UPDATE audit SET entries = replace(entries, 'Thanks', 'Leaks.') WHERE kind = 'acts'");
    assert_eq!(verify(&scene, &admin, &people.auditor, &["--anchor", &anchor]).0, 0);
    tamper(&scene, "DELETE FROM audit WHERE kind = 'acts'");
    let (code, told) = verify(&scene, &admin, &people.auditor, &[]);
    assert!(code == 1 && damages(&told)[0].contains("taken out"), "{told}");
    let wrong = format!("1:{}", "0".repeat(64));
    let (_, told) = verify(&scene, &admin, &people.auditor, &["--anchor", &wrong]);
    assert!(damages(&told).iter().any(|damage| damage.contains("made anew")), "{told}");
}

/// What the trail says of how a call proved who it is.
fn proof(all: &[Value], answer: &Answer) -> Value {
    let found = all.iter().find(|entry| entry["request"] == answer.header("x-request-id")).unwrap();
    ["authenticated", "signed", "signingCertificate", "tlsCertificate", "tlsVerifiedBy"]
        .map(|name| found[name].clone())
        .into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trail_says_how_a_call_proved_who_it_is() {
    let (scene, people, admin) = staffed().await;
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let [seal, tls] = [&tpp.signer, &qwac].map(fingerprint);
    let read = || tpp.read("/v1/accounts", &consent);
    let good = read().exchange(&client, &scene.interface()).await;
    let other_id = "99391c7e-ad88-49ec-a2ad-99ddcb1f7999";
    let forged = read().set("x-request-id", other_id).exchange(&client, &scene.interface()).await;
    let unsigned = |number: i32| {
        let id = format!("99391c7e-ad88-49ec-a2ad-99ddcb1f800{number}");
        Request::new("GET", "/xs2a-bg/nl/v1/accounts").set("x-request-id", id)
    };
    let nobody = unsigned(1).exchange(&scene.client(None), &scene.interface()).await;
    let unsigned = unsigned(2).exchange(&client, &scene.interface()).await;
    // A certificate that nobody knows, with one that anybody may copy.
    let stranger = TestCa::new("Authority of others").issue(&TestCa::subject("R654321"), &[], |_| {});
    let copied = read().exchange(&scene.client(Some(&stranger)), &scene.interface()).await;
    let token =
        tpp.token_request("grant_type=refresh_token&refresh_token=x").set("x-request-id", "of-a-token");
    let token = token.exchange(&client, &scene.interface()).await;
    let statuses = [&good, &forged, &unsigned, &nobody, &copied, &token].map(|answer| answer.status);
    assert_eq!(statuses, [200, 401, 401, 401, 401, 400]);
    let last = token.header("x-request-id");
    let all = entries_with(&scene, &people, &admin, |entry| entry["request"] == last).await;
    for (answer, expected) in [
        (&good, json!([true, true, seal, tls, "gateway"])),
        (&forged, json!([null, null, seal, tls, "gateway"])),
        (&unsigned, json!([null, null, null, tls, "gateway"])),
        (&nobody, json!([null, null, null, null, null])),
        (&copied, json!([null, null, seal, fingerprint(&stranger), "gateway"])),
        (&token, json!([true, null, null, tls, "gateway"])),
    ] {
        assert_eq!(proof(&all, answer), expected, "{}", answer.body);
    }

    // A proxy ends TLS: that the caller holds the key is its word.
    let files = Files::new();
    let people = People::of(&files.ca);
    let section = format!("[proxy]\naddresses = [\"127.0.0.1\"]\n{}", people.section());
    let scene = Scene::of(files, &section).await;
    let admin = format!("https://{}", scene.served.admin().unwrap());
    let (qwac, signer) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
    let onboarding = Request::onboarding("nl").set("x-request-id", "proxied").signed(&signer);
    let onboarding = onboarding.set("client-cert", format!(":{}:", qwac.header()));
    let interface = format!("http://{}", scene.listeners.interface);
    let answer = onboarding.exchange(&scene.core.http, &interface).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let unread = Request::onboarding("nl").set("x-request-id", "not read").signed(&signer);
    let unread = unread.set("client-cert", qwac.header()).exchange(&scene.core.http, &interface).await;
    assert_eq!(unread.status, 400, "{}", unread.body);
    let all = entries_with(&scene, &people, &admin, |entry| entry["request"] == "not read").await;
    let [seal, tls] = [&signer, &qwac].map(fingerprint);
    assert_eq!(proof(&all, &answer), json!([true, true, seal, tls, "proxy"]));
    let entry = all.iter().find(|entry| entry["request"] == "not read").unwrap();
    assert_eq!((&entry["status"], &entry["code"]), (&json!(400), &json!("FORMAT_ERROR")), "{entry}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_old_is_forgotten_and_the_rest_is_whole() {
    let (scene, people, admin) = staffed().await;
    let operator = scene.client(Some(&people.operator));
    let qwac = scene.certificate("qwac").await;
    registered(&scene, &scene.client(Some(&qwac))).await;
    let block = format!("/third-parties/{ID}/block");
    for reason in ["One.", "Two."] {
        assert_eq!(post(&operator, &admin, &block, &json!({"reason": reason})).await.status, 200);
    }
    assert_eq!(entries(&scene, &people, &admin, "?kind=acts").await.len(), 2);
    for branch in ["nl", "uk"] {
        scene.core.advance(branch, "P401D").await;
    }
    let gone = async || {
        for _ in 0..200 {
            if entries(&scene, &people, &admin, "?kind=acts").await.is_empty() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    };
    assert!(gone().await, "the acts are forgotten after their time");
    let now = testkit::in_days(402).to_string();
    let then = ["--now", now.as_str(), "--days", "400"];
    let (code, told) = verify(&scene, &admin, &people.auditor, &then);
    assert_eq!((code, &told["isWhole"]), (0, &json!(true)), "{told}");
    let first = told["first"].as_i64().unwrap();
    assert!(first > 2, "{told}");
    assert_eq!(
        (&told["forgotten"]["number"], &told["forgotten"]["days"]),
        (&json!(first - 1), &json!(400)),
        "{told}"
    );
    let arguments = [&["audit", "verify"], &then[..]].concat();
    let (code, out, error) = as_staff(&scene, &admin, ("auditor", &people.auditor), &arguments);
    assert!(
        code == 0 && out.contains(&format!("Entries up to {} were forgotten", first - 1)),
        "{out}{error}"
    );
    // Whoever knows that entries are kept longer, or that less time went by, takes nobody's word for it.
    for judge in
        [["--now", now.as_str(), "--days", "402"], ["--now", &testkit::in_days(2).to_string(), "--days", "1"]]
    {
        let (code, told) = verify(&scene, &admin, &people.auditor, &judge);
        let damage = told["damages"][0].as_str().unwrap();
        assert!(code == 1 && damage.contains("days for which entries are kept were over"), "{told}");
    }
    // What somebody takes away beside is told from it.
    tamper(&scene, "DELETE FROM audit WHERE first_number = (SELECT MIN(first_number) FROM audit)");
    let (code, told) = verify(&scene, &admin, &people.auditor, &then);
    let damage = told["damages"][0].as_str().unwrap();
    assert!(
        code == 1 && damage.contains("at the beginning: no entry says that they were forgotten"),
        "{told}"
    );
}

/// Processes that share a database write one chain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acts_at_the_same_time_follow_each_other() {
    let (scene, people, admin) = staffed().await;
    let qwac = scene.certificate("qwac").await;
    registered(&scene, &scene.client(Some(&qwac))).await;
    let operator = scene.client(Some(&people.operator));
    let block = format!("/third-parties/{ID}/block");
    let acts: Vec<_> = (0..20)
        .map(|number| {
            let (operator, admin, block) = (operator.clone(), admin.clone(), block.clone());
            tokio::spawn(async move {
                let body = json!({"reason": format!("Act {number}.")});
                post(&operator, &admin, &block, &body).await.status
            })
        })
        .collect();
    for act in acts {
        assert_eq!(act.await.unwrap(), 200);
    }
    let acts = entries(&scene, &people, &admin, "?kind=acts").await;
    let reasons: BTreeSet<_> = acts.iter().map(|act| act["reason"].as_str().unwrap()).collect();
    assert_eq!((acts.len(), reasons.len()), (20, 20));
    let (code, told) = verify(&scene, &admin, &people.auditor, &[]);
    assert_eq!(code, 0, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_that_was_answered_is_there_after_a_kill() {
    let files = Files::new();
    let people = People::of(&files.ca);
    let (mut scene, _bank) = scene_of(files, &people.section()).await;
    let address = |scene: &Scene<_>| format!("https://{}", scene.listeners.admin.clone().unwrap());
    let qwac = scene.certificate("qwac").await;
    registered(&scene, &scene.client(Some(&qwac))).await;
    let operator = scene.client(Some(&people.operator));
    let block = format!("/third-parties/{ID}/block");
    let done = post(&operator, &address(&scene), &block, &json!({"reason": "Leaks."})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    drop(scene.served);
    (scene.served, scene.listeners) = start(&scene.files);
    let (admin, operator) = (address(&scene), scene.client(Some(&people.operator)));
    let found = get(&operator, &admin, &format!("/third-parties/{ID}")).await.json();
    assert_eq!((&found["state"], &found["blocked"]["reason"]), (&json!("blocked"), &json!("Leaks.")));
    let acts = entries(&scene, &people, &admin, "?kind=acts").await;
    assert_eq!((acts.len(), &acts[0]["to"]), (1, &json!(ID)), "{acts:?}");
    let (code, told) = verify(&scene, &admin, &people.auditor, &[]);
    assert_eq!(code, 0, "{told}");
}
