//! `vestibule core-bank`: a bank behind the core bank interface, and the check of anybody's.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use core_bank::server::test_authority;
use serde_json::Value;

use crate::BINARY;

/// A bank that runs until this is dropped, and what it said when it was ready.
struct Running(Child, Value);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> Running {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Running(child, serde_json::from_str(&line).unwrap())
}

fn serve(folder: &Path) -> Running {
    let mut command = Command::new(BINARY);
    command.args(["core-bank", "--json", "--listen", "127.0.0.1:0", "--management-listen", "127.0.0.1:0"]);
    start(command.arg("--certificates").arg(folder))
}

/// Exit code, standard output and standard error of a check.
fn check(ready: &Value, folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let [payer, payee] = [0, 1].map(|index| ready["customers"][index].as_str().unwrap());
    let output = Command::new(BINARY)
        .args(["core-bank", "check", ready["url"].as_str().unwrap(), "--ca", &file("ca.pem")])
        .args(["--certificate", &file("gateway.pem"), "--private-key", &file("gateway.key.pem")])
        .args(["--payer", payer, "--payee", payee])
        .args(more)
        .output()
        .unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_bank_for_tests_keeps_the_contract_and_says_so_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let bank = serve(folder.path());
    // What is written by one run does not disturb the next one.
    for _ in 0..2 {
        let (code, out, error) = check(&bank.1, folder.path(), &[]);
        assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
        assert!(out.lines().count() >= 6 && out.lines().all(|line| line.starts_with("holds  ")), "{out}");
    }
    let (code, out, _) = check(&bank.1, folder.path(), &["--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["holds"]), (Some(0), &true.into()), "{out}");
    assert!(told["clauses"].as_array().unwrap().iter().all(|clause| clause["holds"] == true));
    // What does not hold is named: that number is one of this bank.
    let payee = bank.1["customers"][1].as_str().unwrap();
    let (code, out, error) = check(&bank.1, folder.path(), &["--elsewhere", payee]);
    assert_eq!((code, error.as_str()), (Some(1), ""), "{out}");
    assert!(out.lines().any(|line| line.starts_with("FAILS  accounts are found")), "{out}");
    let (code, out, error) = check(&bank.1, folder.path(), &["--branch", "uk"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(error.starts_with("error: ") && error.contains("branch"), "{error}");
    // Another start has another authority.
    let other = tempfile::tempdir().unwrap();
    let _other = serve(other.path());
    let (code, _, error) = check(&bank.1, other.path(), &[]);
    assert_eq!(code, Some(1));
    assert!(error.starts_with("error: ") && error.lines().count() == 1, "{error}");
}

#[test]
fn a_small_bank_in_another_language_keeps_the_contract() {
    let Some(python) = crate::python::program("python") else { return };
    let folder = tempfile::tempdir().unwrap();
    let certificates = test_authority::make(&["127.0.0.1".to_owned()]).unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("ca.pem", &certificates.authority);
    file("bank.pem", &certificates.server);
    file("bank.key.pem", &certificates.server_key);
    file("gateway.pem", &certificates.client);
    file("gateway.key.pem", &certificates.client_key);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/core-bank-python/core_bank.py");
    let mut command = Command::new(python);
    command.current_dir(folder.path()).args([script, "--listen", "127.0.0.1:0", "--database", "bank.db"]);
    command.args(["--certificate", "bank.pem", "--private-key", "bank.key.pem", "--client-ca", "ca.pem"]);
    let bank = start(&mut command);
    for _ in 0..2 {
        let (code, out, error) = check(&bank.1, folder.path(), &[]);
        assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
    }
}
