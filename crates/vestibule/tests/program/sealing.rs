//! What a gateway keeps secret in its database: sealed by a key of the configuration, which can be changed while it runs.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use testkit::{Request, TestServer, database};

use crate::BINARY;
use crate::configuration::{Files, OTHER_SEALING_KEY, SEALING_KEY};
use crate::serve::{Listeners, Scene};
use crate::serve_command::{LONG, Program, behind, command, scene, start};

/// Owner, kind, key and value of all that is secret.
fn secrets(files: &Files) -> Vec<[String; 4]> {
    let database = rusqlite::Connection::open(files.path("vestibule.db")).unwrap();
    let sql = "SELECT owner, kind, key, value FROM private_state WHERE kind IN ('key', 'signing-key') ORDER BY owner, key";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]));
    rows.unwrap().map(Result::unwrap).collect()
}

/// Whether a text stands in the database's file or in one beside it.
fn is_in_files(files: &Files, text: &str) -> bool {
    ["vestibule.db", "vestibule.db-wal", "vestibule.db-shm"].iter().any(|name| {
        let octets = fs::read(files.path(name)).unwrap_or_default();
        octets.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

/// Writes the section with these lines in place of what it says.
fn seal_with(files: &Files, lines: &str) {
    let path = files.path("vestibule.toml");
    let text = fs::read_to_string(&path).unwrap();
    let before = text.split("[sealing]").next().unwrap();
    fs::write(&path, format!("{before}[sealing]\n{lines}")).unwrap();
}

/// What a program says that does not start.
fn refused(files: &Files) -> String {
    let output = command(files).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    // Beside what its log says of authorities for tests.
    let told: Vec<_> = said.lines().filter(|line| !line.contains(" WARN ")).collect();
    assert_eq!(told.len(), 1, "{said}");
    said
}

fn seal(files: &Files) -> Value {
    of_keys(files, "seal")
}

/// What `vestibule keys` says.
fn of_keys(files: &Files, what: &str) -> Value {
    let mut command = Command::new(BINARY);
    command.arg("keys").args(what.split(' ')).args(["--json", "--config"]).arg(files.path("vestibule.toml"));
    let output = command.env_remove("VESTIBULE_NOW").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn stop(served: &mut Program) {
    served.signal(Signal::TERM);
    assert!(served.0.wait().unwrap().success());
}

async fn published(scene: &Scene<Program>) -> Value {
    published_at(scene, &scene.listeners).await
}

async fn published_at(scene: &Scene<Program>, node: &Listeners) -> Value {
    let keys = Request::new("GET", "/auth/nl/v1/jwks");
    let answer = keys.exchange(&scene.client(None), &format!("https://{}", node.pages)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// A key that fell into other hands is replaced while nodes serve; nodes that sign by another algorithm have one of their own, and all
/// publish all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_id_tokens_changes_while_nodes_run() {
    if !database::is_there() {
        return;
    }
    let core = TestServer::start().await;
    let (files, _bank) = behind(&core, &database::make().await).await;
    seal_with(&files, "key_file = \"sealing.key\"\n");
    let [one, other] = [start(&files), start(&files)];
    let scene =
        Scene { core, served: one.0, files, listeners: one.1, bank: "Bank of the tests", clock: None };
    let ids = async |node: &Listeners| -> Vec<String> {
        let set = published_at(&scene, node).await;
        let ids = set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
        ids.collect()
    };
    let first = ids(&scene.listeners).await;
    assert_eq!((first.len(), ids(&other.1).await), (1, first.clone()));
    let rotated = of_keys(&scene.files, "rotate");
    assert_eq!(rotated["algorithm"], "RS256");
    let second = rotated["keyId"].as_str().unwrap().to_owned();
    let begun = Instant::now();
    let until = async |node: &Listeners, expected: &[&String]| {
        while ids(node).await.iter().collect::<Vec<_>>() != expected {
            assert!(begun.elapsed() < LONG, "{:?} and not {expected:?}", ids(node).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    for node in [&scene.listeners, &other.1] {
        until(node, &[&second, &first[0]]).await;
    }

    let path = scene.files.path("vestibule.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("rules = ", "id_tokens = \"ES256\"\nrules = ")).unwrap();
    let third = start(&scene.files);
    let all = ids(&third.1).await;
    assert_eq!((all.len(), &all[1], &all[2]), (3, &second, &first[0]));
    for node in [&scene.listeners, &other.1] {
        until(node, &[&second, &all[0], &first[0]]).await;
    }

    // After a leak no key before is good for a day more.
    let alone = of_keys(&scene.files, "rotate --leaked");
    assert_eq!(alone["algorithm"], "ES256");
    until(&third.1, &[&alone["keyId"].as_str().unwrap().to_owned()]).await;
}

fn a_moved_value_does_not_open(files: &Files) {
    let database = rusqlite::Connection::open(files.path("vestibule.db")).unwrap();
    let moved = "UPDATE private_state SET value = (SELECT value FROM private_state WHERE kind = 'key' AND key = 'sealing') \
                 WHERE kind = 'key' AND key = 'pairwise'";
    assert_eq!(database.execute(moved, []).unwrap(), 1);
    drop(database);
    seal_with(files, "key_file = \"sealing-other.key\"\n");
    let text = refused(files);
    assert!(text.contains("gateway/key/pairwise in the database does not open"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_sealed_and_the_key_changes_while_it_runs() {
    let (mut scene, _bank) = scene().await;
    let plain = secrets(&scene.files);
    assert_eq!(plain.len(), 3, "{plain:?}");
    let keys = published(&scene).await;
    stop(&mut scene.served);
    assert!(plain.iter().all(|row| is_in_files(&scene.files, &row[3])), "without a key they are as they are");

    // With a key, what is not sealed is refused until somebody seals it.
    seal_with(&scene.files, "key_file = \"sealing.key\"\n");
    let said = refused(&scene.files);
    assert!(said.contains("is not sealed; `vestibule keys seal` seals what is there"), "{said}");
    let sealed = seal(&scene.files);
    assert_eq!((&sealed["kept"], &sealed["sealed"]), (&3.into(), &3.into()), "{sealed}");
    let first = sealed["key"].as_str().unwrap().to_owned();
    assert_eq!(seal(&scene.files)["sealed"], 0);
    let is_plain = |text: &str| plain.iter().any(|row| text.contains(&row[3]));
    for row in &plain {
        // A line of a PEM, and a text as it is.
        let secret = row[3].lines().nth(1).unwrap_or(&row[3]);
        assert!(!is_in_files(&scene.files, secret), "{} {} is readable", row[0], row[2]);
    }
    for row in secrets(&scene.files) {
        assert!(row[3].starts_with(&format!("sealed-1:{first}:")) && !is_plain(&row[3]), "{}", row[3]);
    }
    (scene.served, scene.listeners) = start(&scene.files);
    assert_eq!(published(&scene).await, keys, "the same keys");

    // Another key, while it runs.
    let mut log = BufReader::new(scene.served.0.stderr.take().unwrap());
    let mut said = |what: &str| {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "{what} was not said");
        }
        line
    };
    seal_with(&scene.files, "key_file = \"sealing-other.key\"\n");
    scene.served.signal(Signal::HUP);
    let line = said("stays as it is sealed");
    assert!(line.contains(&format!("is sealed by the key {first}, and [sealing] has ")), "{line}");
    seal_with(&scene.files, "key_file = \"sealing-other.key\"\nother_key_file = \"sealing.key\"\n");
    scene.served.signal(Signal::HUP);
    said("certificates and trust were read again");
    said("what is kept secret was sealed anew");
    let anew = secrets(&scene.files);
    assert!(anew.iter().all(|row| row[3].starts_with("sealed-1:") && !row[3].contains(&first)), "{anew:?}");
    assert_eq!(published(&scene).await, keys);
    stop(&mut scene.served);

    // The old key alone opens nothing, the new one alone everything.
    seal_with(&scene.files, "key_file = \"sealing.key\"\n");
    let text = refused(&scene.files);
    assert!(text.contains("[sealing] has ") && text.contains(&first), "{text}");
    for key in [SEALING_KEY, OTHER_SEALING_KEY] {
        assert!(!text.contains(key.trim()), "{text}");
    }
    let whole = fs::read_to_string(scene.files.path("vestibule.toml")).unwrap();
    fs::write(scene.files.path("vestibule.toml"), whole.split("[sealing]").next().unwrap()).unwrap();
    let text = refused(&scene.files);
    assert!(text.contains("no key is configured; name it with key_file of [sealing]"), "{text}");
    seal_with(&scene.files, "key = \"env:SEALING_KEY\"\n");
    let mut other = command(&scene.files);
    let mut other = other.env("SEALING_KEY", OTHER_SEALING_KEY.trim()).arg("--json");
    other = other.stdout(std::process::Stdio::piped());
    let mut other = Program(other.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(other.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("\"ready\":true"), "{line}");
    stop(&mut other);

    a_moved_value_does_not_open(&scene.files);
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains(OTHER_SEALING_KEY.trim()), "{rest}");
}
