//! Acts of the bank's staff as they stand in the trail: what was done to whom, in which call, and on one line.

use serde_json::{Value, json};
use testkit::{Signer, TestCa};

use crate::admin::{ID, People, as_staff, get, jiff_minutes, post, refused, staffed};
use crate::admin_erasure::columns;
use crate::audit::{entries, entries_with, tamper};
use crate::configuration::Files;
use crate::customer_interfaces::{later, over};
use crate::serve::{consented, registered};

#[tokio::test]
async fn each_call_of_staff_has_an_id_that_its_entry_and_its_act_have_too() {
    let (scene, people, admin) = staffed().await;
    let qwac = scene.certificate("qwac").await;
    registered(&scene, &scene.client(Some(&qwac))).await;
    let operator = scene.client(Some(&people.operator));
    let block = format!("/third-parties/{ID}/block");
    let done = post(&operator, &admin, &block, &json!({"reason": "Leaks."})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let missing = get(&operator, &admin, "/third-parties/none").await;
    refused(&missing, 404, &["third party not found"]);
    let stranger = scene.client(Some(&people.auditor));
    let refusal = get(&stranger, &admin, "/consents").await;
    refused(&refusal, 403, &["role_missing"]);
    let ids = [&done, &missing, &refusal].map(|answer| answer.header("x-request-id").to_owned());
    assert!(ids.iter().all(|id| id.len() == 36) && ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
    for (id, status) in ids.iter().zip([200, 404, 403]) {
        let is_it = |entry: &Value| entry["interface"] == "staff" && entry["request"] == id.as_str();
        let all = entries_with(&scene, &people, &admin, is_it).await;
        assert!(all.iter().any(|entry| is_it(entry) && entry["status"] == status), "{id}");
    }
    let acts = entries(&scene, &people, &admin, "?kind=acts").await;
    assert_eq!((acts.len(), &acts[0]["act"], &acts[0]["request"]), (1, &json!("block"), &json!(ids[0])));
}

/// Two customers of two branches may have the same id: the trail says which of them it was, and how much went.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_says_whose_data_went() {
    let (scene, people, admin) = staffed().await;
    let operator = scene.client(Some(&people.operator));
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let all = columns(&scene, "consents");
    // At each branch somebody of the same id, with two consents that were refused at one and one at the other.
    for (id, branch) in [("a", "nl"), ("b", "nl"), ("c", "uk")] {
        tamper(
            &scene,
            &format!(
                "CREATE TABLE more AS SELECT * FROM consents WHERE id = '{}';
                 UPDATE more SET id = '{id}', tenant = '{branch}', customer = '1', decision = 'rejected';
                 INSERT INTO consents ({all}) SELECT {all} FROM more;
                 DROP TABLE more",
                consent.id
            ),
        );
    }
    let why = json!({"reason": "Asked for."});
    for (branch, ids) in [("nl", json!(["a", "b"])), ("uk", json!(["c"]))] {
        let erased = post(&operator, &admin, &format!("/customers/{branch}/1/erase"), &why).await.json();
        let mut consents: Vec<_> = erased["erasedConsents"].as_array().unwrap().clone();
        consents.sort_by_key(Value::to_string);
        assert_eq!(json!(consents), ids, "{erased}");
    }
    let withdraw = format!("/consents/{}/withdraw", consent.id);
    assert_eq!(post(&operator, &admin, &withdraw, &why).await.status, 200);
    let erased = post(&operator, &admin, &format!("/third-parties/{ID}/erase"), &why).await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    let acts = entries(&scene, &people, &admin, "?kind=acts").await;
    let acts: Vec<_> = acts.iter().map(|act| (&act["act"], &act["to"], &act["consents"])).collect();
    let expected = [
        (json!("erase-customer"), json!("nl 1"), json!(2)),
        (json!("erase-customer"), json!("uk 1"), json!(1)),
        (json!("withdraw"), json!(consent.id), Value::Null),
        (json!("erase-third-party"), json!(ID), json!(0)),
    ];
    assert_eq!(acts, expected.each_ref().map(|(act, to, consents)| (act, to, consents)));
    let person = ("auditor", &people.auditor);
    let (code, out, error) = as_staff(&scene, &admin, person, &["audit", "acts"]);
    let ends: Vec<_> = out.lines().map(|line| line.rsplit("  ").next().unwrap()).collect();
    let expected = ["2 consents erased", "1 consent erased", "Asked for.", "0 consents erased"];
    assert_eq!((code, &ends[..]), (0, &expected[..]), "{out}{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_line_of_an_act_says_how_long_a_block_lasts_and_what_was_imported() {
    let (scene, people, admin) = staffed().await;
    let qwac = scene.certificate("qwac").await;
    registered(&scene, &scene.client(Some(&qwac))).await;
    later(&scene);
    let operator = scene.client(Some(&people.operator));
    let until = testkit::now() + jiff_minutes(60 * 24 * 30);
    let until = gateway::domain::Timestamp::from_second(until.as_second()).unwrap().to_string();
    let block = format!("/third-parties/{ID}/block");
    // What somebody writes stands before what is so.
    for body in [json!({"reason": "x  without an end", "until": until}), json!({"reason": "Leaks."})] {
        let done = post(&operator, &admin, &block, &body).await;
        assert_eq!(done.status, 200, "{}", done.body);
    }
    let day = over(&operator, &admin).await[0].clone();
    let path = scene.files.path("web.csv");
    std::fs::write(&path, format!("day,down_seconds\n{day},3\n")).unwrap();
    let run = |person: (&str, &Signer), arguments: &[&str]| as_staff(&scene, &admin, person, arguments);
    for _ in 0..2 {
        let arguments =
            ["statistics", "import", path.to_str().unwrap(), "--interface", "web", "--reason", "x"];
        let (code, out, error) = run(("operator", &people.operator), &arguments);
        assert_eq!(code, 0, "{out}{error}");
    }
    let sha256 = entries(&scene, &people, &admin, "?kind=acts").await[3]["sha256"].clone();
    let sha256 = sha256.as_str().unwrap();
    let (code, out, error) = run(("auditor", &people.auditor), &["audit", "acts"]);
    let lines: Vec<_> = out.lines().collect();
    assert_eq!((code, lines.len()), (0, 4), "{out}{error}");
    for (line, end) in lines.iter().zip([
        format!("  x  without an end  until {until}"),
        "  Leaks.  without an end".to_owned(),
        format!("  x  0 days replaced  SHA-256 {sha256}"),
        format!("  x  1 day replaced  SHA-256 {sha256}"),
    ]) {
        assert!(line.ends_with(&end), "{line}: {end}");
    }
}

/// In TLS 1.3 the alert about a certificate comes after the client's part of the handshake, if it comes: either way it is told that the
/// certificate may be why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_not_taken_is_told_whatever_comes_of_the_connection() {
    let (scene, _, admin) = staffed().await;
    let stranger = TestCa::new("Authority of others").issue(&TestCa::subject("STAFF-2"), &[], |_| {});
    let block = ["admin", "block", ID, "--reason", "x"];
    let commands = [&["admin", "consents"][..], &block, &block, &block, &block, &block, &block];
    for arguments in commands {
        let (code, out, error) = as_staff(&scene, &admin, ("stranger", &stranger), arguments);
        assert!(code == 1 && out.is_empty(), "{out}{error}");
        assert!(error.contains("does not take the certificate of --certificate"), "{error}");
        assert!(error.contains("trust_files in [admin]"), "{error}");
    }
}

#[test]
fn an_address_where_nobody_listens_is_no_matter_of_certificates() {
    let files = Files::new();
    let people = People::of(&files.ca);
    files.pair("reader", &people.reader);
    std::fs::write(files.path("ca.pem"), files.ca.pem()).unwrap();
    let at = |name: &str| files.path(name).to_str().unwrap().to_owned();
    let (ca, certificate, key) = (at("ca.pem"), at("reader.pem"), at("reader.key"));
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, _, error) = crate::vestibule(&[
        "admin",
        "consents",
        "--admin",
        &format!("https://{address}"),
        "--ca",
        &ca,
        "--certificate",
        &certificate,
        "--private-key",
        &key,
    ]);
    assert!(code == 1 && error.contains("see that the gateway is running"), "{error}");
    assert!(!error.contains("does not take"), "{error}");
}
