//! `vestibule core-bank`: a bank behind the core bank interface, and the check of anybody's.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use core_bank::server::tls::{Listener, TlsSettings};
use core_bank::server::{router, test_authority};
use core_bank::{CoreBank, CoreBankSettings, Limits};
use gateway::bank::Events;
use gateway::domain::{AccountStatus, CustomerId, Tenant, TppId};
use gateway::{BankEvent, Store, ToldEvent};
use http::StatusCode;
use serde_json::{Value, json};
use testkit::{Request, TestServer};

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

/// What a gateway knows the bank by stays what it was, whoever fails to start.
#[test]
fn a_bank_that_does_not_start_leaves_the_certificates_of_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let files = || {
        ["ca.pem", "gateway.pem", "gateway.key.pem"].map(|name| fs::read(folder.path().join(name)).unwrap())
    };
    let second = |more: &[&str]| {
        let mut command = Command::new(BINARY);
        command
            .args(["core-bank", "--listen", "127.0.0.1:0", "--certificates"])
            .arg(folder.path())
            .args(more);
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            (output.status.code(), output.stdout.len(), error.lines().count()),
            (Some(1), 0, 1),
            "{error}"
        );
        error
    };
    let bank = serve(folder.path());
    let before = files();
    let error = second(&["--management-listen", "127.0.0.1:0"]);
    assert!(error.contains("is in use by another core bank"), "{error}");
    assert!(error.contains("choose another folder with --certificates"), "{error}");
    assert_eq!(files(), before);
    let (code, out, error) = check(&bank.1, folder.path(), &[]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");

    drop(bank);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = second(&["--management-listen", &taken.local_addr().unwrap().to_string()]);
    assert!(error.contains("the address is in use"), "{error}");
    assert_eq!(files(), before);
    let error = second(&["--management-listen", "127.0.0.1:0", "--data", "/dev/null/x"]);
    assert!(error.contains("cannot use the data folder"), "{error}");
    assert_eq!(files(), before);
    // The next one that starts has certificates of its own.
    let bank = serve(folder.path());
    assert_ne!(files(), before);
    let (code, out, error) = check(&bank.1, folder.path(), &[]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
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
    fs::write(&no_pem, "nothing\n").unwrap();
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
        fs::write(folder.join(name), text).unwrap();
    }
    let tls = TlsSettings {
        certificate: certificates.server.into_bytes(),
        private_key: certificates.server_key.into_bytes(),
        client_authorities: certificates.authority.into_bytes(),
    };
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", tcp.local_addr().unwrap());
    let (bank, books) = (server.running.sandbox.bank.clone(), Store::clone(&server.running.sandbox.store));
    let routes = router(bank, books, vec![Tenant::parse("nl").unwrap()]);
    let routes = routes.layer(from_fn(move |request: axum::extract::Request, next: Next| async move {
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

/// A gateway's way to a bank.
fn way_to(ready: &Value, folder: &Path) -> Arc<dyn Events> {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let settings = CoreBankSettings {
        url: ready["url"].as_str().unwrap().to_owned(),
        authorities: read("ca.pem"),
        identity: [read("gateway.pem"), read("gateway.key.pem")].concat(),
        limits: Limits::default(),
        name: "the bank".to_owned(),
        own_numbers: Vec::new(),
    };
    CoreBank::new(&settings, &Store::in_memory().unwrap()).unwrap().ports().events.unwrap()
}

/// What a bank tells behind an event: the events, if it knows that one.
async fn told(events: &Arc<dyn Events>, after: Option<&ToldEvent>) -> Option<Vec<ToldEvent>> {
    events.events(after.map(|event| event.id.as_str()), 100, Duration::ZERO).await.unwrap()
}

fn consents_of(told: &[ToldEvent]) -> Vec<&str> {
    let consent = |told| match told {
        &ToldEvent { event: Some(BankEvent::Withdrawn { consent: Some(ref id), .. }), .. } => id.as_str(),
        other => panic!("{other:?}"),
    };
    told.iter().map(consent).collect()
}

/// Names of events are never used again, although their numbers are; and what is paid from then on is kept in the data of then.
#[tokio::test]
async fn a_bank_that_went_back_tells_what_happens_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut bank = serve(folder.path());
    let management = bank.1["management"].as_str().unwrap().to_owned();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let manage = async |method: &str, path: &str, body: Value| {
        let mut request = Request::new(method, path);
        if !body.is_null() {
            request = request.body("application/json", body.to_string());
        }
        let answer = request.exchange(&client, &management).await;
        assert_eq!(answer.status / 100, 2, "{path}: {}", answer.body);
        answer.json()
    };
    let path = format!("/test-accounts/{}/withdrawal", bank.1["customers"][0].as_str().unwrap());
    let withdraw = async |id: &str| manage("POST", &path, json!({"consentId": id})).await;
    let events = way_to(&bank.1, folder.path());
    withdraw("early").await;
    manage("PUT", "/snapshots/before", Value::Null).await;
    withdraw("undone").await;
    let before = told(&events, None).await.unwrap();
    assert_eq!(consents_of(&before), ["early", "undone"]);

    manage("POST", "/snapshots/before/restore", Value::Null).await;
    withdraw("later").await;
    assert_eq!(told(&events, before.last()).await, None, "an event that is there no more");
    let after = told(&events, None).await.unwrap();
    assert_eq!(consents_of(&after), ["early", "later"]);
    assert!(after.iter().all(|one| before.iter().all(|other| one.id != other.id)), "{before:?} {after:?}");
    assert_eq!(told(&events, after.first()).await.unwrap(), after[1..]);
    let (code, out, error) = check(&bank.1, folder.path(), &[]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");

    // A bank that begins anew tells too, once it has customers again.
    manage("POST", "/reset", Value::Null).await;
    assert_eq!(told(&events, after.last()).await, None);
    assert_eq!(told(&events, None).await, Some(Vec::new()));
    for place in 0..2 {
        let made = manage("POST", "/test-accounts", json!({"balance": "5000.00"})).await;
        bank.1["customers"][place] = made["iban"].clone();
    }
    let (code, out, error) = check(&bank.1, folder.path(), &[]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
    assert!(out.lines().any(|line| line.starts_with("holds  what happens is told")), "{out}");
}

const SMALL_BANK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/core-bank-python/core_bank.py");

/// The bank in Python with its files in a folder.
fn small_bank(python: &str, folder: &Path) -> Running {
    let certificates = test_authority::make(&["127.0.0.1".to_owned()]).unwrap();
    let file = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    file("ca.pem", &certificates.authority);
    file("bank.pem", &certificates.server);
    file("bank.key.pem", &certificates.server_key);
    file("gateway.pem", &certificates.client);
    file("gateway.key.pem", &certificates.client_key);
    let mut command = Command::new(python);
    command.current_dir(folder).args([SMALL_BANK, "--listen", "127.0.0.1:0", "--database", "bank.db"]);
    command.args(["--certificate", "bank.pem", "--private-key", "bank.key.pem", "--client-ca", "ca.pem"]);
    start(&mut command)
}

#[test]
fn a_small_bank_in_another_language_keeps_the_contract() {
    let Some(python) = crate::python::program("python") else { return };
    let folder = tempfile::tempdir().unwrap();
    let bank = small_bank(&python, folder.path());
    for _ in 0..2 {
        let (code, out, error) = check(&bank.1, folder.path(), &[]);
        assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
        // What it leaves out is told, with what that means.
        let skipped: Vec<_> = out.lines().filter(|line| !line.starts_with("holds  ")).collect();
        assert!(skipped.len() == 1 && skipped[0].starts_with("skips  an account is opened"), "{out}");
    }
}

/// Also if there is money by now, and if it was asked for together with others.
#[tokio::test]
async fn a_small_bank_in_another_language_never_makes_what_it_declined() {
    let Some(python) = crate::python::program("python") else { return };
    let folder = tempfile::tempdir().unwrap();
    let bank = small_bank(&python, folder.path());
    let file = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let http = reqwest::Client::builder()
        .tls_certs_only(reqwest::Certificate::from_pem_bundle(&file("ca.pem")).unwrap())
        .identity(
            reqwest::Identity::from_pem(&[file("gateway.pem"), file("gateway.key.pem")].concat()).unwrap(),
        )
        .build()
        .unwrap();
    let send = async |path: &str, payments: &[(&str, &str)]| {
        let payment = |(id, amount): &(&str, &str)| {
            json!({"id": id, "branch": "nl", "account": "account-anna", "settlement": "immediate", "service": "payments",
                "product": "sepa-credit-transfers", "transfers": [{"creditor": {"iban": bank.1["customers"][1], "name": "B"},
                "amount": {"amount": amount, "currency": "EUR"}}]})
        };
        let order = json!({"at": "2026-11-26T09:00:00Z", "payments": payments.iter().map(payment).collect::<Vec<_>>()});
        let url = format!("{}/core/v1{path}", bank.1["url"].as_str().unwrap());
        let answer = http.post(url).header("content-type", "application/json").body(order.to_string());
        let answer = answer.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        (status, serde_json::from_str::<Value>(&text).unwrap()["payment"].clone())
    };
    // What is looked at alone is not decided.
    assert_eq!(send("/payment-checks", &[("one", "1.00"), ("two", "9999.00")]).await, (422, json!("two")));
    assert_eq!(send("/payment-checks", &[("one", "1.00")]).await.0, 200);
    assert_eq!(send("/payments", &[("one", "1.00"), ("two", "9999.00")]).await, (422, json!("two")));
    for path in ["/payments", "/payment-checks"] {
        assert_eq!(send(path, &[("one", "1.00")]).await, (422, json!("one")));
        assert_eq!(send(path, &[("two", "1.00")]).await, (422, json!("two")));
    }
    assert_eq!(send("/payments", &[("three", "1.00")]).await.0, 200);
    // What was taken is left alone.
    assert_eq!(send("/payments", &[("three", "1.00"), ("four", "9999.00")]).await, (422, json!("four")));
    assert_eq!(send("/payments", &[("three", "1.00")]).await.0, 200);
}

#[tokio::test]
async fn a_small_bank_in_another_language_tells_what_happens_there() {
    let Some(python) = crate::python::program("python") else { return };
    let folder = tempfile::tempdir().unwrap();
    let bank = small_bank(&python, folder.path());
    let [anna, bram] = [0, 1].map(|index| bank.1["customers"][index].as_str().unwrap());
    let beside = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.current_dir(folder.path()).args([SMALL_BANK, "--database", "bank.db"]).args(arguments);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let done = (Some(0), String::new());
    assert_eq!(beside(&["--withdraw", anna]), done);
    assert_eq!(beside(&["--withdraw", anna, "--consent", "one"]), done);
    assert_eq!(beside(&["--withdraw", anna, "--third-party", "PSDNL-DNB-R123456"]), done);
    assert_eq!(beside(&["--close", bram]), done);
    for (arguments, says) in [
        (["--close", bram], format!("open account {bram} not found")),
        (["--withdraw", "NL00"], "open account NL00 not found".to_owned()),
        (["--listen", "127.0.0.1:0"], "--client-ca are needed to serve".to_owned()),
    ] {
        let (code, error) = beside(&arguments);
        assert!(code == Some(2) && error.contains(&says), "{error}");
    }
    let told = told(&way_to(&bank.1, folder.path()), None).await.unwrap();
    let withdrawn = |consent: Option<&str>, third_party: Option<&str>| BankEvent::Withdrawn {
        customer: CustomerId::new("anna"),
        consent: consent.map(str::to_owned),
        third_party: third_party.map(TppId::new),
    };
    let [all, one, of_one, closed] = &told[..] else { panic!("{told:?}") };
    assert_eq!(all.event, Some(withdrawn(None, None)));
    assert_eq!(one.event, Some(withdrawn(Some("one"), None)));
    assert_eq!(of_one.event, Some(withdrawn(None, Some("PSDNL-DNB-R123456"))));
    let Some(BankEvent::AccountClosed { account, customers }) = &closed.event else { panic!("{closed:?}") };
    assert_eq!((account.iban.as_str(), account.status), (bram, AccountStatus::Deleted));
    assert_eq!(*customers, [CustomerId::new("bram")]);
    // Nobody is paid on an account that was closed.
    let (code, out, _) = check(&bank.1, folder.path(), &[]);
    assert!(code == Some(1) && out.contains("FAILS  a payment at once"), "{out}");
}
