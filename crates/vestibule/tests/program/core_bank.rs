//! `vestibule core-bank`: a bank behind the core bank interface, and the check of anybody's.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use core_bank::server::tls::{Listener, TlsSettings};
use core_bank::server::{router, test_authority};
use gateway::domain::Tenant;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::TestServer;

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
}

/// What is wrong with the arguments is told of them, on one line.
#[test]
fn wrong_arguments_are_not_the_banks_fault() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (bank, another) = (serve(folder.path()), serve(other.path()));
    let [payer, payee] = [0, 1].map(|index| bank.1["customers"][index].as_str().unwrap());
    let file = |folder: &tempfile::TempDir, name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (ca, certificate, key) =
        (file(&folder, "ca.pem"), file(&folder, "gateway.pem"), file(&folder, "gateway.key.pem"));
    let (other_ca, other_certificate, other_key) =
        (file(&other, "ca.pem"), file(&other, "gateway.pem"), file(&other, "gateway.key.pem"));
    let (no_pem, missing) = (file(&folder, "nothing.pem"), file(&folder, "missing.pem"));
    std::fs::write(&no_pem, "nothing\n").unwrap();
    let url = bank.1["url"].as_str().unwrap();
    let right = [
        ("URL", url),
        ("--ca", ca.as_str()),
        ("--certificate", &certificate),
        ("--private-key", &key),
        ("--payer", payer),
        ("--payee", payee),
    ];
    let management = bank.1["management"].as_str().unwrap();
    let path = format!("{url}/other");
    let whole = format!("{url}/core/v1/");
    let poor = another.1["customers"][0].as_str().unwrap();
    let tls_of_another = another.1["url"].as_str().unwrap();
    for (changed, says) in [
        (vec![("--payee", payer)], "--payer and --payee are the same account"),
        (vec![("--payer", "NL00")], "--payer NL00: "),
        (
            vec![("--payer", "NL91ABNA0417164300")],
            "--payer: the bank has no account NL91ABNA0417164300 in EUR at branch nl",
        ),
        (vec![("--payee", poor)], "--payee: the bank has no account"),
        (vec![("--elsewhere", payee)], "--elsewhere is a number of this bank"),
        (vec![("--branch", "uk")], "(--branch)"),
        (vec![("--branch", "N L")], "--branch: "),
        (vec![("URL", path.as_str())], "URL is what stands before /core/v1"),
        (vec![("URL", whole.as_str())], "ends before /core/v1"),
        (vec![("URL", management)], "https URL"),
        (vec![("URL", "https://127.0.0.1:1")], "https://127.0.0.1:1 cannot be asked"),
        (vec![("URL", tls_of_another)], "is not one of the authority in --ca"),
        (vec![("--ca", other_ca.as_str())], "is not one of the authority in --ca"),
        (
            vec![("--certificate", other_certificate.as_str()), ("--private-key", other_key.as_str())],
            "does not take the certificate in --certificate",
        ),
        (vec![("--private-key", other_key.as_str())], "--certificate "),
        (vec![("--ca", no_pem.as_str())], "nothing.pem: it is not PEM"),
        (vec![("--ca", key.as_str())], "gateway.key.pem: it is a private key"),
        (vec![("--certificate", key.as_str())], "gateway.key.pem: it is a private key"),
        (vec![("--private-key", ca.as_str())], "ca.pem: it is a certificate"),
        (vec![("--private-key", missing.as_str())], "missing.pem: "),
    ] {
        let mut command = Command::new(BINARY);
        command.args(["core-bank", "check"]);
        for (name, value) in &right {
            let value = changed.iter().find(|(other, _)| other == name).map_or(*value, |(_, value)| *value);
            match *name {
                "URL" => command.arg(value),
                name => command.args([name, value]),
            };
        }
        let more = changed.iter().filter(|(name, _)| right.iter().all(|(known, _)| known != name));
        command.args(more.flat_map(|(name, value)| [name, value]));
        let output = command.output().unwrap();
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!((output.status.code(), out.as_ref()), (Some(1), ""), "{changed:?}: {error}");
        assert!(error.starts_with("error: ") && error.lines().count() == 1, "{changed:?}: {error}");
        assert!(error.contains(says), "{changed:?}: {error}");
        assert!(!error.trim_end().ends_with("builder error"), "{error}");
    }
}

/// A bank whose answers are spoiled, with the arguments of a check of it.
async fn spoiled(spoils: fn(&str) -> Option<(u16, &'static str)>, folder: &Path) -> (TestServer, Value) {
    let server = TestServer::start().await;
    let mut customers = Vec::new();
    for _ in 0..2 {
        customers.push(server.customer("nl", "student").await["iban"].clone());
    }
    let certificates = test_authority::make(&["127.0.0.1".to_owned()]).unwrap();
    for (name, text) in [
        ("ca.pem", &certificates.authority),
        ("gateway.pem", &certificates.client),
        ("gateway.key.pem", &certificates.client_key),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let tls = TlsSettings {
        certificate: certificates.server.into_bytes(),
        private_key: certificates.server_key.into_bytes(),
        client_authorities: certificates.authority.into_bytes(),
    };
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", tcp.local_addr().unwrap());
    let routes = router(server.running.sandbox.bank.clone(), vec![Tenant::parse("nl").unwrap()]);
    let routes = routes.layer(from_fn(move |request: Request, next: Next| async move {
        match spoils(request.uri().path()) {
            Some((status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
            None => next.run(request).await,
        }
    }));
    let listener = Listener::begin(tcp, &tls).unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (server, json!({"url": url, "customers": customers}))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bank_does_wrong_is_told_apart_from_what_is_no_bank() {
    let folder = tempfile::tempdir().unwrap();
    let check_of = async |spoils| {
        let (_server, ready) = spoiled(spoils, folder.path()).await;
        let path = folder.path().to_owned();
        tokio::task::spawn_blocking(move || check(&ready, &path, &[])).await.unwrap()
    };
    // Events may be left out, and it is said what that means.
    let (code, out, error) = check_of(|_| None).await;
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
    let skipped: Vec<_> = out.lines().filter(|line| !line.starts_with("holds  ")).collect();
    assert!(skipped.len() == 1 && skipped[0].starts_with("skips  what happens is told"), "{out}");
    // So may numbers of entries, and accounts that customers open.
    let (code, out, error) = check_of(|path| path.ends_with("/parts").then_some((404, ""))).await;
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
    for (clause, means) in
        [("entries are numbered", "not bunq's interface"), ("an account is opened", "refuses to")]
    {
        let line = out.lines().find(|line| line.starts_with(&format!("skips  {clause}")));
        assert!(line.is_some_and(|line| line.contains(means)), "{out}");
    }
    // And whoever offers them has to do so rightly.
    let (code, out, _) =
        check_of(|path| path.ends_with("/entries").then_some((200, "{\"count\":3,\"entries\":[]}"))).await;
    assert!(code == Some(1) && out.contains("FAILS  entries are numbered"), "{out}");
    // Whoever tells them has to tell them rightly.
    let (code, out, _) =
        check_of(|path| path.ends_with("/events").then_some((200, "{\"events\":[{}]}"))).await;
    assert!(code == Some(1) && out.contains("FAILS  what happens is told"), "{out}");
    // A bank that does not keep its word is named by the clause.
    let (code, out, error) = check_of(|path| path.ends_with("/payments").then_some((500, ""))).await;
    assert_eq!((code, out.lines().count()), (Some(1), 9), "{out} {error}");
    assert!(out.lines().any(|line| line.starts_with("FAILS  a payment at once")), "{out}");
    assert!(out.lines().any(|line| line.starts_with("holds  accounts are found")), "{out}");
    // What is no bank of the interface is told by the address.
    for no_bank in
        [|_: &str| Some((404, "<html>")), |_: &str| Some((200, "<html>")), |_: &str| Some((302, ""))]
    {
        let (code, out, error) = check_of(no_bank).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{error}");
        assert!(error.contains("the core bank interface is not at https://127.0.0.1:"), "{error}");
    }
    let (code, _, error) = check_of(|_| Some((500, "<html>"))).await;
    assert!(code == Some(1) && error.contains("cannot be asked: the core bank answered with 500"), "{error}");
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
        // What it leaves out is told, with what that means.
        let skipped: Vec<_> = out.lines().filter(|line| !line.starts_with("holds  ")).collect();
        assert!(skipped.len() == 1 && skipped[0].starts_with("skips  an account is opened"), "{out}");
    }
}
