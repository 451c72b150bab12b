//! `vestibule snapshot` and `reset`: files of a folder, a bank that is killed meanwhile, and what is said.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use testkit::{Program, free_folder};

use crate::third_party::{Setting, json as read};
use crate::{BINARY, vestibule};

/// A bank in a folder, at the management API of which this test calls.
struct InFolder(std::path::PathBuf);

impl InFolder {
    fn start(&self) -> Program {
        let data = self.0.to_str().unwrap();
        Program::sandbox(BINARY, &["--data", data, "--tls-listen", "off", "--seed", "3"])
    }
}

fn at(bank: &Program, arguments: &[&str]) -> (i32, String, String) {
    vestibule(&[arguments, &["--management", &bank.url("management")]].concat())
}

fn ok(bank: &Program, arguments: &[&str]) -> Value {
    let (code, out, error) = at(bank, &[arguments, &["--json"]].concat());
    assert_eq!(code, 0, "{arguments:?}: {error}");
    read(&out)
}

/// How many customers there are.
fn customers(bank: &Program) -> usize {
    ok(bank, &["account", "list"])["testAccounts"].as_array().unwrap().len()
}

fn schema(file: &Path, version: i64) {
    let database = rusqlite::Connection::open(file).unwrap();
    database.execute("UPDATE schema_version SET version = version + $1", [version]).unwrap();
    database.execute("UPDATE schema_floors SET serves_from = serves_from + $1", [version]).unwrap();
}

#[test]
fn a_folder_keeps_them_and_takes_only_its_own() {
    let (_guard, folder) = free_folder();
    let (one, other) = (InFolder(folder.join("one")), InFolder(folder.join("other")));
    let bank = one.start();
    ok(&bank, &["account", "new"]);
    ok(&bank, &["snapshot", "save", "first"]);
    ok(&bank, &["account", "new"]);
    ok(&bank, &["snapshot", "save", "second"]);
    let files = one.0.join("snapshots");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&files), 0o700);
    let listed = || {
        let all = fs::read_dir(&files).unwrap().map(|entry| entry.unwrap().path());
        let all: BTreeSet<_> = all.inspect(|path| assert_eq!(mode(path), 0o600)).collect();
        all.into_iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(), ["first.db", "second.db"], "nothing else is left");
    fs::write(files.join(".work-1-1"), "of a process that was killed").unwrap();
    assert_eq!(bank.signal("TERM").0, Some(0));

    let bank = one.start();
    assert_eq!(listed(), ["first.db", "second.db"]);
    ok(&bank, &["snapshot", "restore", "first"]);
    assert_eq!(customers(&bank), 1);
    // What was restored is what is kept.
    bank.kill();
    let bank = one.start();
    assert_eq!(customers(&bank), 1);
    ok(&bank, &["reset"]);
    bank.kill();
    let bank = one.start();
    assert_eq!(customers(&bank), 0);
    ok(&bank, &["snapshot", "restore", "second"]);
    assert_eq!(customers(&bank), 2);

    let stranger = other.start();
    ok(&stranger, &["snapshot", "save", "first"]);
    drop(stranger);
    fs::copy(other.0.join("snapshots/first.db"), files.join("foreign.db")).unwrap();
    fs::write(files.join("damaged.db"), "no database").unwrap();
    let cut = fs::read(files.join("first.db")).unwrap();
    fs::write(files.join("cut.db"), &cut[..cut.len() / 2]).unwrap();
    // Its first pages say that all is well.
    let mut middle = cut.clone();
    middle[cut.len() / 3..cut.len() * 2 / 3].fill(0xAA);
    fs::write(files.join("middle.db"), &middle).unwrap();
    fs::copy(files.join("first.db"), files.join("newer.db")).unwrap();
    schema(&files.join("newer.db"), 1000);
    for (name, text) in [
        ("foreign", "that of another bank"),
        ("damaged", "is damaged; remove the snapshot"),
        ("cut", "is damaged; remove the snapshot"),
        ("middle", "is damaged; remove the snapshot"),
        ("newer", "a newer version saved the snapshot"),
    ] {
        let (code, out, error) = at(&bank, &["snapshot", "restore", name]);
        assert!(code == 1 && error.contains(text), "{name}: {out}{error}");
        assert_eq!(customers(&bank), 2, "{name}: nothing was changed");
        ok(&bank, &["snapshot", "remove", name]);
    }
    assert_eq!(listed(), ["first.db", "second.db"]);
}

/// Killed at any moment of a save or restore, the bank is the one or the other, and so is the snapshot.
#[test]
fn a_bank_that_is_killed_meanwhile_is_whole() {
    let (_guard, folder) = free_folder();
    let place = InFolder(folder.join("data"));
    let mut bank = place.start();
    ok(&bank, &["snapshot", "save", "empty"]);
    ok(&bank, &["account", "new"]);
    ok(&bank, &["snapshot", "save", "one"]);
    ok(&bank, &["account", "new"]);
    for round in 0..12_u64 {
        let url = format!("{}/snapshots", bank.url("management"));
        let (method, path) = match round % 3 {
            0 => ("POST", "/one/restore"),
            1 => ("PUT", "/changing"),
            _ => ("POST", "/empty/restore"),
        };
        let url = format!("{url}{path}");
        let call = std::thread::spawn(move || testkit::run("curl", &["-s", "-X", method, &url]));
        std::thread::sleep(Duration::from_millis(3 + round * 7));
        bank.kill();
        call.join().unwrap();
        bank = place.start();
        assert!(customers(&bank) <= 2, "round {round}");
        for snapshot in ok(&bank, &["snapshot", "list"])["snapshots"].as_array().unwrap() {
            ok(&bank, &["snapshot", "restore", snapshot["name"].as_str().unwrap()]);
        }
        ok(&bank, &["snapshot", "restore", "one"]);
        assert_eq!(customers(&bank), 1, "round {round}");
    }
}

#[test]
fn the_commands_say_what_became_of_the_bank() {
    let setting = Setting::ephemeral();
    let say = |arguments: &[&str]| {
        let (code, out, error) = at(&setting.bank, arguments);
        assert_eq!(code, 0, "{arguments:?}: {error}");
        out
    };
    assert!(say(&["snapshot", "list"]).contains("snapshot save NAME --management"));
    assert!(say(&["snapshot", "save", "before"]).contains("snapshot restore --management"));
    let list = say(&["snapshot", "list"]);
    assert!(list.contains("NAME") && list.contains("before ") && list.contains(" kB"), "{list}");
    assert!(say(&["snapshot", "restore", "before"]).contains("as it was when \"before\" was saved"));
    assert!(say(&["snapshot", "remove", "before"]).contains("Removed \"before\""));
    assert!(say(&["reset"]).contains("as at its first start"));
    for (arguments, text) in [
        (&["snapshot", "save", "../A b"][..], "1 to 64 lower-case letters"),
        (
            &["snapshot", "save", ""],
            "the name of the snapshot is empty; expected is one such as before-payment",
        ),
        (&["snapshot", "restore", ""], "the name of the snapshot is empty"),
        (&["snapshot", "remove", ""], "the name of the snapshot is empty"),
        (&["snapshot", "restore", "nothing"], "there is no snapshot \"nothing\""),
        (&["snapshot", "remove", "nothing"], "there is no snapshot \"nothing\""),
    ] {
        let (code, out, error) = at(&setting.bank, &[arguments, &["--json"]].concat());
        assert!(code == 1 && error.contains(text), "{arguments:?}: {out}{error}");
        assert_eq!(read(&out)["error"]["kind"], "refused", "{out}");
    }
    let (code, _, error) = vestibule(&["snapshot", "list", "--management", &setting.bank.url("public")]);
    assert!(code != 0 && error.contains("is not a management address"), "{error}");
}
