//! Whoever changes the audit trail is found out: in the database of a gateway, in a file that was exported, with all hashes made anew.

use std::fs;

use gateway::domain::Timestamp;
use gateway::domain::audit::{Entry, Head};
use serde_json::{Value, json};

use crate::admin::{People, as_staff, post, staffed};
use crate::audit::{entries, entries_with, tamper, verify};
use crate::serve::{Scene, registered};

const ID: &str = "PSDNL-DNB-R654321";

/// A gateway with a trail in which staff did something, and its auditor.
async fn scene() -> (Scene, People, String) {
    let (scene, people, admin) = staffed().await;
    let qwac = scene.certificate("qwac").await;
    registered(&scene, &scene.client(Some(&qwac))).await;
    let operator = scene.client(Some(&people.operator));
    // Calls of a third party are there, and one of staff behind them.
    entries_with(&scene, &people, &admin, |entry| entry["staff"].is_string()).await;
    for reason in ["One.", "Two.", "Three."] {
        let block = format!("/third-parties/{ID}/block");
        let done = post(&operator, &admin, &block, &json!({"reason": reason})).await;
        assert_eq!(done.status, 200, "{}", done.body);
    }
    (scene, people, admin)
}

fn damages(told: &Value) -> Vec<String> {
    let all = told["damages"].as_array().unwrap_or_else(|| panic!("{told}"));
    all.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn line(entry: &Entry) -> String {
    json!({"number": entry.number, "hash": entry.hash, "text": entry.text}).to_string()
}

fn end(name: &str, head: &Head) -> String {
    json!({name: {"number": head.number, "hash": head.hash}}).to_string()
}

/// The lines of an exported trail.
fn file(before: &Head, entries: &[Entry], head: &Head) -> String {
    let lines = entries.iter().map(line);
    let all: Vec<_> = [end("before", before)].into_iter().chain(lines).chain([end("head", head)]).collect();
    all.join("\n") + "\n"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one trail, changed in every way")]
async fn a_file_that_was_tampered_with_is_told_with_the_place() {
    let (scene, people, admin) = scene().await;
    let person = ("auditor", &people.auditor);
    let (code, out, error) = as_staff(&scene, &admin, person, &["audit", "export"]);
    assert_eq!(code, 0, "{error}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let read = |value: &Value| Entry {
        number: value["number"].as_i64().unwrap(),
        hash: value["hash"].as_str().unwrap().to_owned(),
        text: value["text"].as_str().unwrap().to_owned(),
    };
    let whole: Vec<Entry> = lines[1..lines.len() - 1].iter().map(read).collect();
    let head_of = |entry: &Entry| Head { number: entry.number, hash: entry.hash.clone() };
    let (start, last) = (Head::default(), head_of(whole.last().unwrap()));
    assert_eq!(file(&start, &whole, &last).lines().count(), out.lines().count());
    assert!(whole.len() > 5, "{out}");
    let exported = scene.files.path("trail.jsonl");
    let found = |text: &str, more: &[&str]| -> Vec<String> {
        fs::write(&exported, text).unwrap();
        let arguments = [&["--file", exported.to_str().unwrap()], more].concat();
        let (code, told) = verify(&scene, &admin, &people.auditor, &arguments);
        let damages = damages(&told);
        assert_eq!(code, i32::from(!damages.is_empty()), "{told}");
        damages
    };
    assert_eq!(found(&file(&start, &whole, &last), &[]), [""; 0]);
    let anchor = format!("{}:{}", last.number, last.hash);
    let kept = ["--anchor", anchor.as_str()];

    let mut altered = whole.clone();
    altered[2].text = altered[2].text.replacen("20", "30", 1);
    assert_eq!(found(&file(&start, &altered, &last), &[]).len(), 1);
    let mut removed = whole.clone();
    removed.remove(2);
    assert_eq!(found(&file(&start, &removed, &last), &[]), ["entry 3 was taken out"]);
    let mut swapped = whole.clone();
    swapped.swap(1, 2);
    assert_eq!(found(&file(&start, &swapped, &last), &[]).len(), 2);

    // At the beginning, with a beginning that fits: nothing says that they were forgotten.
    let cut = found(&file(&head_of(&whole[1]), &whole[2..], &last), &[]);
    assert_eq!(
        cut,
        ["entries 1 to 2 were taken out at the beginning: no entry says that they were forgotten"]
    );
    // At the end, with an end that fits: only somebody who kept the end elsewhere can know.
    let shorter = &whole[..whole.len() - 1];
    let short = file(&start, shorter, &head_of(shorter.last().unwrap()));
    assert_eq!(found(&short, &[]), [""; 0]);
    assert_eq!(found(&short, &kept), [format!("entry {} was taken out", last.number)]);
    // All of it made anew.
    let (anew, end) = start.followed_by(altered.iter().map(|entry| entry.text.clone()));
    let anew = file(&start, &anew, &end);
    assert_eq!(found(&anew, &[]), [""; 0]);
    let rewritten = found(&anew, &kept);
    assert!(rewritten.len() == 1 && rewritten[0].contains("the trail was made anew"), "{rewritten:?}");

    // Cut, with a word of forgetting made by hand: it may say what it likes, but not of when others know better.
    let word_of = |hash: &str, at: Timestamp, days: i64| {
        let word = format!(
            "{{\"kind\":\"forgotten\",\"at\":\"{at}\",\"number\":3,\"hash\":\"{hash}\",\"writtenAt\":\"2020-01-01T00:00:00Z\",\"days\":{days}}}"
        );
        last.followed_by([word])
    };
    let word = |at: Timestamp, days: i64| {
        let (more, end) = word_of(&whole[2].hash, at, days);
        file(&head_of(&whole[2]), &[&whole[3..], &more].concat(), &end)
    };
    assert_eq!(found(&word(testkit::now(), 400), &[]), [""; 0]);
    let noted = format!("2:{}@{}", whole[1].hash, testkit::now());
    let early = |text: &str, days: &str, more: &[&str]| {
        let early = found(text, &[&["--anchor", &noted], more].concat());
        assert!(early.len() == 1 && early[0].contains(&format!("before the {days} days")), "{early:?}");
    };
    early(&word(testkit::now(), 400), "400", &[]);
    early(&word(testkit::in_days(500), 400), "400", &[]);
    early(&word(testkit::now(), 0), "1", &[]);
    early(&word(testkit::now(), -7), "400", &["--days", "400"]);

    // Taken out in the middle, with such a word: what stands before it says when it was written.
    let gap = |hash: &str, days: i64| {
        let (more, end) = word_of(hash, testkit::now(), days);
        file(&start, &[&whole[..2], &whole[3..], &more].concat(), &end)
    };
    assert_eq!(found(&gap(&"0".repeat(64), 400), &[]), ["entry 3 was taken out"]);
    let told = found(&gap(&whole[2].hash, 400), &[]);
    assert!(told.len() == 1 && told[0].contains("before the 400 days"), "{told:?}");

    // One trail behind another one: neither is taken for the whole.
    let own = file(&start, &whole, &last);
    for two in [own.clone() + &short, short + &own, own.clone() + &line(&whole[0]) + "\n"] {
        fs::write(&exported, two).unwrap();
        let arguments = ["audit", "verify", "--file", exported.to_str().unwrap()];
        let (code, out, error) = as_staff(&scene, &admin, person, &arguments);
        assert!(code == 1 && error.contains("there is more than one trail"), "{out}{error}");
    }
    let odd = as_staff(&scene, &admin, person, &["audit", "verify", "--anchor", "7:short"]);
    assert!(odd.0 == 2 && odd.2.contains("64 hexadecimal digits are expected"), "{odd:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_tampered_with_is_told_with_the_place() {
    let (scene, people, admin) = scene().await;
    let told = |more: &[&str]| verify(&scene, &admin, &people.auditor, more);
    let (code, whole) = told(&[]);
    assert_eq!(code, 0, "{whole}");
    let anchor = whole["anchor"].as_str().unwrap().to_owned();

    // The oldest group goes.
    tamper(
        &scene,
        "CREATE TABLE away AS SELECT * FROM audit WHERE first_number = '0000000000000001';
                    DELETE FROM audit WHERE first_number = '0000000000000001'",
    );
    let found = damages(&told(&[]).1);
    assert!(found.len() == 1 && found[0].contains("at the beginning: no entry says"), "{found:?}");
    tamper(&scene, "INSERT INTO audit SELECT * FROM away; DROP TABLE away");
    assert_eq!(told(&[]).0, 0);

    // Two acts change places.
    assert_eq!(entries(&scene, &people, &admin, "?kind=acts").await.len(), 3);
    tamper(
        &scene,
        "CREATE TABLE away AS SELECT * FROM audit WHERE kind = 'acts' ORDER BY first_number LIMIT 2;
         UPDATE audit SET entries = (SELECT entries FROM away WHERE away.first_number <> audit.first_number)
         WHERE first_number IN (SELECT first_number FROM away)",
    );
    let (code, found) = told(&[]);
    assert!(code == 1 && damages(&found)[0].contains("was changed"), "{found}");
    tamper(
        &scene,
        "UPDATE audit SET entries = (SELECT entries FROM away WHERE away.first_number = audit.first_number)
         WHERE first_number IN (SELECT first_number FROM away);
         DROP TABLE away",
    );
    assert_eq!(told(&["--anchor", &anchor]).0, 0);

    // The end goes, and what is noted of the end with it.
    tamper(
        &scene,
        "DELETE FROM audit WHERE first_number > (SELECT MIN(first_number) FROM audit WHERE kind = 'acts');
                    UPDATE audit_head SET number = (SELECT MAX(CAST(first_number AS INTEGER)) FROM audit),
                        hash = (SELECT substr(entries, 1, 64) FROM audit ORDER BY first_number DESC LIMIT 1)",
    );
    let (_, found) = told(&["--anchor", &anchor]);
    let found = damages(&found);
    let is_told = |damage: &String| damage.contains("taken out") || damage.contains("made anew");
    assert!(!found.is_empty() && found.iter().any(is_told), "{found:?}");
}
