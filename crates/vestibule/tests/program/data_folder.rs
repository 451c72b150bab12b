//! The data folder: who may read it, what makes it whole, and what happens when it is not or when there is no room.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use testkit::{Program, free_folder, openssl, run};

use crate::{BINARY, vestibule};

/// Starts a bank in a folder.
fn start(folder: &Path) -> Program {
    Program::sandbox(BINARY, &["--data", folder.to_str().unwrap(), "--tls-listen", "off"])
}

/// What a start in a folder that cannot be used says: one line.
fn refusal(folder: &Path) -> String {
    let data = folder.to_str().unwrap();
    let (code, out, error) = vestibule(&[
        "sandbox",
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "--tls-listen",
        "off",
        "--management-listen",
        "127.0.0.1:0",
    ]);
    assert_eq!((code, out.as_str()), (1, ""), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    error
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn its_files_are_closed_to_others_also_those_that_were_open() {
    let (_guard, folder) = free_folder();
    let files = |when: &str| {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{when}: {}", path.display());
        }
        for name in ["sandbox.db", "sandbox.db-wal", "sandbox.db-shm", "lock", "identity"] {
            assert!(folder.join(name).exists(), "{when}: {name}");
        }
    };
    let bank = start(&folder);
    files("a new folder");
    // Killed, so that every file stays.
    bank.kill();
    for entry in fs::read_dir(&folder).unwrap() {
        set_mode(&entry.unwrap().path(), 0o644);
    }
    let bank = start(&folder);
    files("a folder that others could read");
    let (code, log) = bank.signal("TERM");
    assert_eq!((code, log.as_str()), (Some(0), ""), "nobody else can write to it");
    for (others, is_warned) in [(0o777, true), (0o772, true), (0o755, false)] {
        set_mode(&folder, others);
        let (_, log) = start(&folder).signal("TERM");
        assert_eq!(log.contains("can write to the data folder"), is_warned, "{others:o}: {log}");
    }
}

#[test]
fn after_a_stop_and_after_a_start_the_database_is_one_file() {
    let (_guard, folder) = free_folder();
    let (first, copy, killed) = (folder.join("first"), folder.join("copy"), folder.join("killed"));
    let of = |bank: &Program| run("curl", &["-s", &format!("{}/ca.pem", bank.url("management"))]).stdout;
    let bank = start(&first);
    let authority = of(&bank);
    bank.signal("TERM");
    fs::create_dir(&copy).unwrap();
    fs::copy(first.join("sandbox.db"), copy.join("sandbox.db")).unwrap();
    let bank = start(&copy);
    assert_eq!(of(&bank), authority, "the copy is the bank");
    assert_eq!(fs::read(copy.join("identity")).unwrap(), fs::read(first.join("identity")).unwrap());
    // What a killed bank left in its log is in the database after the next start.
    bank.kill();
    let bank = start(&copy);
    fs::create_dir(&killed).unwrap();
    fs::copy(copy.join("sandbox.db"), killed.join("sandbox.db")).unwrap();
    bank.kill();
    assert_eq!(of(&start(&killed)), authority);
}

#[test]
fn a_lost_or_foreign_database_is_no_new_bank() {
    let (_guard, folder) = free_folder();
    let (mine, other) = (folder.join("mine"), folder.join("other"));
    for bank in [&mine, &other] {
        start(bank).signal("TERM");
    }
    let database = mine.join("sandbox.db");
    let kept = fs::read(&database).unwrap();
    let gone = "whose database sandbox.db is missing or empty";
    let foreign = "is not the database of the bank to which the folder belongs";
    fs::remove_file(&database).unwrap();
    assert!(refusal(&mine).contains(gone));
    assert!(!database.exists(), "nothing was made");
    fs::write(&database, b"").unwrap();
    assert!(refusal(&mine).contains(gone));
    assert_eq!(fs::metadata(&database).unwrap().len(), 0, "nothing was written");
    fs::copy(other.join("sandbox.db"), &database).unwrap();
    assert!(refusal(&mine).contains(foreign));
    fs::write(
        &database,
        b"something else altogether, and long enough to have a header of a database".repeat(20),
    )
    .unwrap();
    assert!(refusal(&mine).contains("not a database"));
    // A database of another program, in a folder of this bank and in one that is nobody's yet.
    let stranger = folder.join("stranger");
    fs::create_dir(&stranger).unwrap();
    let database_of_others = stranger.join("sandbox.db");
    let python = format!(
        "import sqlite3; sqlite3.connect('{}').execute('CREATE TABLE x (y)')",
        database_of_others.display()
    );
    assert!(run("python3", &["-c", &python]).status.success());
    assert!(refusal(&stranger).contains(foreign));
    fs::copy(&database_of_others, &database).unwrap();
    assert!(refusal(&mine).contains(foreign));
    fs::write(&database, kept).unwrap();
    start(&mine).signal("TERM");
    // A log without its database, in a folder from before there were identities.
    fs::remove_file(mine.join("identity")).unwrap();
    let bank = start(&mine);
    assert!(mine.join("identity").exists(), "it gets one");
    bank.kill();
    fs::remove_file(mine.join("identity")).unwrap();
    fs::remove_file(&database).unwrap();
    assert!(mine.join("sandbox.db-wal").exists());
    assert!(refusal(&mine).contains(gone));
}

/// What a killed bank acknowledged last may be in its log alone.
#[test]
fn a_lost_log_is_no_older_bank() {
    let (_guard, folder) = free_folder();
    start(&folder).kill();
    fs::remove_file(folder.join("sandbox.db-wal")).unwrap();
    assert!(
        refusal(&folder).contains("its log sandbox.db-wal, which holds what was written last, is missing")
    );
    fs::remove_file(folder.join("running")).unwrap();
    let bank = start(&folder);
    assert!(folder.join("running").exists());
    bank.signal("TERM");
    assert!(!folder.join("running").exists());
    start(&folder).signal("TERM");
}

/// The program, with files of at most so many KiB.
fn limited(folder: &Path, kib: u32) -> String {
    let script = folder.join(format!("limited-{kib}"));
    fs::write(&script, format!("#!/bin/bash\nulimit -f {kib}\nexec {BINARY} \"$@\"\n")).unwrap();
    set_mode(&script, 0o755);
    script.to_str().unwrap().to_owned()
}

/// As if the disk were full: what cannot be written is refused, everything else goes on.
#[tokio::test]
async fn a_file_that_may_not_grow_is_an_error_and_not_the_end() {
    let (_guard, folder) = free_folder();
    let data = folder.join("data");
    let arguments = ["--data", data.to_str().unwrap(), "--tls-listen", "off"];
    let bank = Program::sandbox(&limited(&folder, 1024), &arguments);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let management = bank.url("management");
    fs::write(
        folder.join("key"),
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    )
    .unwrap();
    let public = openssl(&["pkey", "-in", folder.join("key").to_str().unwrap(), "-pubout"]);
    let mut status = 0;
    for number in 0..2000 {
        let body = json!({"organizationIdentifier": format!("PSDNL-DNB-{number}"), "publicKey": public});
        let request = client.post(format!("{management}/test-certificates"));
        let answer = request.header("content-type", "application/json").body(body.to_string()).send().await;
        status = answer.unwrap().status().as_u16();
        if status != 201 {
            break;
        }
    }
    assert_eq!(status, 503, "what cannot be written is refused");
    let read = client.get(format!("{management}/test-certificates")).send().await.unwrap();
    assert_eq!(read.status().as_u16(), 200, "reads go on");
    let (code, _) = bank.signal("TERM");
    assert_eq!(code, Some(0));
    let bank = Program::sandbox(BINARY, &arguments);
    let read = client.get(format!("{}/test-certificates", bank.url("management"))).send().await.unwrap();
    assert_eq!(read.status().as_u16(), 200, "with room it goes on");
    bank.signal("TERM");
    // Too little room to begin with: one line.
    let program = limited(&folder, 8);
    let none = folder.join("none");
    let output = run(
        &program,
        &[
            "sandbox",
            "--data",
            none.to_str().unwrap(),
            "--listen",
            "127.0.0.1:0",
            "--tls-listen",
            "off",
            "--management-listen",
            "127.0.0.1:0",
        ],
    );
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.starts_with("error: cannot use the data folder") && error.trim_end().lines().count() == 1,
        "{error}"
    );
}
