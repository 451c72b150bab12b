//! No call is lost from the audit trail by a process that is killed: what it answered stands in a file, and is written once.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use testkit::{Request, TestServer, database};

use crate::admin::People;
use crate::audit::{all_entries, entries_with, verify};
use crate::configuration::Files;
use crate::serve::{Listeners, Scene, consented, registered, write_configuration};
use crate::serve_command::{Program, bank_behind, command, gone_away, scene_of, silenced, start};

const ANSWERED: &str = "/xs2a-bg/nl/v1/accounts";

/// The files in which calls wait.
fn waiting(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

pub(crate) fn admin_of(listeners: &Listeners) -> String {
    format!("https://{}", listeners.admin.as_ref().unwrap())
}

/// A request id that no other call has.
fn fresh() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{:08x}-0000-4000-8000-00000000cafe", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Calls that are answered without anything being written, so that the database does not have to take anything. Returns their request
/// ids.
async fn refused<S>(scene: &Scene<S>, interface: &str, count: usize) -> BTreeSet<String> {
    let nobody = scene.client(None);
    let mut ids = BTreeSet::new();
    for _ in 0..count {
        let id = fresh();
        let call = Request::new("GET", ANSWERED).set("x-request-id", &id);
        let answer = call.exchange(&nobody, interface).await;
        assert!((400..500).contains(&answer.status), "{}", answer.body);
        assert_eq!(answer.header("x-request-id"), id);
        ids.insert(id);
    }
    ids
}

/// How often each request id is in the trail, once all of them are.
async fn counted<S>(scene: &Scene<S>, people: &People, admin: &str, ids: &BTreeSet<String>) -> Vec<usize> {
    for _ in 0..200 {
        let all = all_entries(scene, people, admin).await;
        let count = |id: &String| all.iter().filter(|entry| entry["request"] == id.as_str()).count();
        let counts: Vec<usize> = ids.iter().map(count).collect();
        if counts.iter().all(|count| *count > 0) {
            return counts;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("some calls are not in the trail");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_were_answered_are_in_the_trail_once_after_a_kill() {
    let files = Files::new();
    let people = People::of(&files.ca);
    let (mut scene, _bank) = scene_of(files, &people.section()).await;
    let spool = scene.files.path("audit-spool");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

    // Somebody else writes into the database, so that nothing of what is answered now can be there.
    let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
    database.busy_timeout(Duration::from_secs(20)).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answered = refused(&scene, &scene.interface(), 40).await;
    let [file] = &waiting(&spool)[..] else { panic!("{:?}", waiting(&spool)) };
    assert_eq!((mode(&spool), mode(file)), (0o700, 0o600));
    let kept = fs::read_to_string(file).unwrap();
    let is_kept = |id: &String| kept.matches(id.as_str()).count() == 1;
    assert!(answered.iter().all(is_kept), "{kept}");
    let (file, killed) = (file.clone(), &mut scene.served.0);
    killed.kill().unwrap();
    killed.wait().unwrap();
    database.execute_batch("ROLLBACK").unwrap();

    (scene.served, scene.listeners) = start(&scene.files);
    let admin = admin_of(&scene.listeners);
    assert_eq!(counted(&scene, &people, &admin, &answered).await, [1; 40]);
    let is_gone = async |file: &Path| {
        for _ in 0..200 {
            if !file.exists() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    };
    assert!(is_gone(&file).await, "{file:?}");
    assert_eq!(waiting(&spool).len(), 1, "its own");

    // It was killed after it wrote them, and before it removed the file. Another one was killed in the middle of a line.
    fs::write(&file, &kept).unwrap();
    let (header, lines) = kept.split_once('\n').unwrap();
    let (fresh, known) = (fresh(), answered.first().unwrap());
    let line =
        lines.lines().find(|line| line.contains(known.as_str())).unwrap().replace(known.as_str(), &fresh);
    let other = spool.join("calls-of-another");
    fs::write(&other, format!("{header}\n{line}\n{}", &line[..line.len() / 2])).unwrap();
    fs::write(spool.join("calls-of-nobody"), "nothing of ours").unwrap();
    drop(scene.served);
    (scene.served, scene.listeners) = start(&scene.files);
    let admin = admin_of(&scene.listeners);
    assert!(is_gone(&file).await && is_gone(&other).await, "{:?}", waiting(&spool));
    assert_eq!(counted(&scene, &people, &admin, &answered).await, [1; 40], "none is written twice");
    assert_eq!(counted(&scene, &people, &admin, &BTreeSet::from([fresh])).await, [1]);
    let lost = entries_with(&scene, &people, &admin, |entry| entry["kind"] == "lost").await;
    let lost: Vec<_> = lost.iter().filter(|entry| entry["kind"] == "lost").collect();
    assert!(lost.len() == 1 && lost[0]["calls"] == 1, "{lost:?}");
    let (code, told) = verify(&scene, &admin, &people.auditor, &[]);
    assert_eq!(code, 0, "{told}");

    // A stop leaves nothing behind.
    scene.served.signal(rustix::process::Signal::TERM);
    assert!(scene.served.0.wait().unwrap().success());
    assert_eq!(waiting(&spool), [spool.join("calls-of-nobody")]);
    // And where others can put something in, nothing is taken.
    fs::set_permissions(&spool, fs::Permissions::from_mode(0o777)).unwrap();
    let said = command(&scene.files).output().unwrap();
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("[audit] spool_folder") && said.contains("close it with chmod go-w"), "{said}");
}

/// Two processes share a database and a folder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_writes_once_what_another_one_left() {
    if !database::is_there() {
        return;
    }
    let core = TestServer::start().await;
    let files = Files::new();
    let people = People::of(&files.ca);
    let (url, _bank) = bank_behind(&core, &files).await;
    let path = write_configuration(&files, &url, &people.section());
    let address = database::make().await;
    fs::write(files.path("database.address"), &address).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let sqlite = "sqlite_file = \"vestibule.db\"";
    fs::write(&path, text.replace(sqlite, "address_file = \"database.address\"")).unwrap();
    let nodes = [start(&files), start(&files)];
    let [one, other] = nodes.each_ref().map(|(_, listeners)| listeners.clone());
    let mut programs: Vec<Program> = nodes.into_iter().map(|(program, _)| program).collect();
    let scene = Scene { core, served: (), files, listeners: other, bank: "Bank of the tests", clock: None };
    let spool = scene.files.path("audit-spool");
    assert_eq!(waiting(&spool).len(), 2);

    let database = database::connect_to(&address).await;
    database.batch_execute("BEGIN; LOCK TABLE audit_head IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let interfaces = [format!("https://{}", one.interface), scene.interface()];
    let mut answered = refused(&scene, &interfaces[0], 15).await;
    answered.extend(refused(&scene, &interfaces[1], 15).await);
    // Killed while one of them waits for the lock, perhaps with a batch on its way.
    drop(programs.remove(0));
    database.batch_execute("ROLLBACK").await.unwrap();
    answered.extend(refused(&scene, &interfaces[1], 15).await);
    let admin = admin_of(&scene.listeners);
    assert_eq!(counted(&scene, &people, &admin, &answered).await, [1; 45]);
    let (code, told) = verify(&scene, &admin, &people.auditor, &[]);
    assert_eq!(code, 0, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_caller_does_not_wait_is_in_the_trail() {
    let files = Files::new();
    let people = People::of(&files.ca);
    let (scene, bank) = scene_of(files, &people.section()).await;
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let silent = silenced(&scene, bank).await;
    let id = fresh();
    let call = tpp.read("/v1/accounts", &consent).set("x-request-id", &id);
    let call = call.signed(&tpp.signer);
    let interface = scene.interface();
    let asked = gone_away(call.exchange(&client, &interface), &silent).await;
    let admin = admin_of(&scene.listeners);
    let all = entries_with(&scene, &people, &admin, |entry| entry["status"] == 499).await;
    let gone: Vec<_> = all.iter().filter(|entry| entry["status"] == 499).collect();
    let [gone] = &gone[..] else { panic!("{gone:?}") };
    assert_eq!(gone["request"], id, "{gone}");
    assert_eq!(
        (gone["route"].as_str(), gone["thirdParty"].as_str()),
        (Some("/xs2a-bg/{tenant}/v1/accounts"), Some("PSDNL-DNB-R654321"))
    );
    drop(asked);
}

/// A folder that somebody takes away is there again before long, and while it cannot be, that is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_taken_away_is_made_anew() {
    let files = Files::new();
    let people = People::of(&files.ca);
    let (mut scene, _bank) = scene_of(files, &people.section()).await;
    let spool = scene.files.path("audit-spool");
    let is_told = async |scene: &Scene<Program>, is_kept: bool| {
        for _ in 0..200 {
            let (status, ready) = scene.managed("/health/ready").await;
            let parts = serde_json::from_str::<serde_json::Value>(&ready).unwrap()["parts"].clone();
            assert_eq!(status, 200, "{ready}");
            if parts["audit"].is_string() != is_kept {
                let up = format!("vestibule_audit_spool_up {}\n", u8::from(is_kept));
                let metrics = scene.managed("/metrics").await.1;
                assert!(metrics.contains(&up), "{metrics}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{is_kept} is not told");
    };
    is_told(&scene, true).await;
    // Something else stands there, which cannot be used.
    // It may be there again in between.
    let in_place = || fs::remove_dir_all(&spool).and_then(|()| fs::write(&spool, "")).is_ok();
    assert!((0..100).any(|_| in_place()), "{spool:?}");
    is_told(&scene, false).await;
    let admin = admin_of(&scene.listeners);
    let meanwhile = refused(&scene, &scene.interface(), 3).await;
    assert_eq!(counted(&scene, &people, &admin, &meanwhile).await, [1; 3]);
    fs::remove_file(&spool).unwrap();
    is_told(&scene, true).await;
    let [first] = &waiting(&spool)[..] else { panic!("{:?}", waiting(&spool)) };
    // The file alone.
    fs::remove_file(first).unwrap();
    let mut files = Vec::new();
    for _ in 0..200 {
        files = waiting(&spool);
        if !files.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_ne!(file, first);

    // What is answered from now on stands in it, and is found after a kill.
    let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
    database.busy_timeout(Duration::from_secs(20)).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answered = refused(&scene, &scene.interface(), 10).await;
    let kept = fs::read_to_string(file).unwrap();
    assert!(answered.iter().all(|id| kept.contains(id.as_str())), "{kept}");
    scene.served.0.kill().unwrap();
    scene.served.0.wait().unwrap();
    database.execute_batch("ROLLBACK").unwrap();
    (scene.served, scene.listeners) = start(&scene.files);
    let admin = admin_of(&scene.listeners);
    assert_eq!(counted(&scene, &people, &admin, &answered).await, [1; 10]);
}
