//! Faults on demand, by management API and by command, and a bank that misbehaves by itself.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_signatures::key::{Algorithm, PublicKey};
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, client_keys};
use testkit::{Program, Request, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::third_party::{Setting, json as read};
use crate::{BINARY, vestibule};

const ID: &str = "PSDNL-DNB-R123456";

async fn ask(server: &TestServer, fault: Value) -> String {
    let (status, made) = server.manage("POST", "/faults", fault).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn waiting(server: &TestServer) -> usize {
    server.manage("GET", "/faults", Value::Null).await.1["faults"].as_array().unwrap().len()
}

#[tokio::test]
async fn errors_come_in_the_format_of_the_interface_and_end_by_themselves() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let onboarding = async || server.send(&Request::onboarding("nl").signed(&tpp)).await;
    let installation = async || {
        let body = json!({"client_public_key": client_keys().1});
        let request =
            Request::new("POST", "/bunq/v1/installation").body("application/json", body.to_string());
        server.send(&request).await
    };
    for (fault, status, code) in
        [("500", 500, "INTERNAL_SERVER_ERROR"), ("503", 503, ""), ("429", 429, "ACCESS_EXCEEDED")]
    {
        ask(&server, json!({"fault": fault, "next": 2})).await;
        let answer = onboarding().await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let message = &answer.json()["tppMessages"][0];
        assert_eq!(message["code"].as_str().unwrap_or_default(), code, "{}", answer.body);
        assert!(message["text"].as_str().unwrap().contains("a test asked for it"));
        let waits = answer.headers.get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(waits.as_deref(), (status != 500).then_some("1"), "{fault}");
        let answer = installation().await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.json()["Error"][0]["error_description"].is_string(), "{}", answer.body);
        assert_eq!((onboarding().await.status, installation().await.status), (200, 200), "{fault} is over");
    }
    assert_eq!(waiting(&server).await, 0);
    // What is known at one interface alone.
    ask(&server, json!({"fault": "certificate-expired", "next": 1})).await;
    assert_eq!(installation().await.status, 200);
    let answer = onboarding().await;
    assert!(answer.status == 401 && answer.body.contains("CERTIFICATE_EXPIRED"), "{}", answer.body);
    ask(&server, json!({"fault": "consent-vanished", "next": 1})).await;
    assert_eq!(onboarding().await.status, 200, "it names no consent");
    let answer = server.send(&Request::new("GET", "/xs2a-bg/nl/v1/consents/1").signed(&tpp)).await;
    assert!(answer.status == 403 && answer.body.contains("CONSENT_UNKNOWN"), "{}", answer.body);
    assert_eq!(waiting(&server).await, 0);
    let answer = server.http.get(format!("{}/auth/nl/.well-known/openid-configuration", server.url()));
    ask(&server, json!({"fault": "503", "interface": "oauth", "seconds": 7})).await;
    let answer = answer.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"7".parse().unwrap()));
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(body["error"], "temporarily_unavailable");
}

#[tokio::test]
async fn a_fault_strikes_the_calls_that_it_is_for_and_no_other() {
    let server = TestServer::start().await;
    let (one, other) = (server.tpp(ID).await, server.tpp("PSDNL-DNB-R654321").await);
    let status = async |signer, tenant| server.send(&Request::onboarding(tenant).signed(signer)).await.status;
    let by_party = ask(&server, json!({"fault": "500", "thirdParty": ID})).await;
    assert_eq!((status(&one, "nl").await, status(&other, "nl").await), (500, 200));
    let listed = server.manage("GET", "/faults", Value::Null).await.1;
    assert_eq!((&listed["faults"][0]["struck"], &listed["faults"][0]["thirdParty"]), (&json!(1), &json!(ID)));
    assert_eq!(server.manage("DELETE", &format!("/faults/{by_party}"), Value::Null).await.0, 200);
    assert_eq!(server.manage("DELETE", &format!("/faults/{by_party}"), Value::Null).await.0, 404);
    ask(&server, json!({"fault": "500", "path": "/xs2a-bg/uk/*"})).await;
    assert_eq!((status(&one, "nl").await, status(&one, "uk").await), (200, 500));
    let (_, removed) = server.manage("DELETE", "/faults", Value::Null).await;
    assert_eq!((removed["removed"].as_u64(), status(&one, "uk").await), (Some(1), 200));
    // Who calls at bunq is told by the session, and at the authorization server by the client.
    let provider = BunqClient::provider(&server, "Example PISP AISP").await;
    let parties = server.manage("GET", "/third-parties", Value::Null).await.1;
    let parties = parties["thirdParties"].as_array().unwrap();
    let own = parties
        .iter()
        .map(|party| party["id"].as_str().unwrap())
        .find(|id| !id.starts_with("PSDNL-DNB"))
        .unwrap();
    ask(&server, json!({"fault": "503", "thirdParty": own, "next": 1})).await;
    let path = format!("/user/{}", provider.user);
    assert_eq!(
        (status(&one, "nl").await, provider.get(&path).await.status, provider.get(&path).await.status),
        (200, 503, 200)
    );
    let registered = server.register("nl", &one, &["https://tpp.example/callback"]).await;
    let id = registered["client_id"].as_str().unwrap();
    ask(&server, json!({"fault": "503", "thirdParty": ID, "interface": "oauth", "next": 1})).await;
    let url = format!("{}/auth/nl/v1/token", server.url());
    let form = format!("grant_type=refresh_token&refresh_token=x&client_id={id}&client_secret=y");
    let token = async || {
        let request = server.http.post(&url).header("content-type", "application/x-www-form-urlencoded");
        request.body(form.clone()).send().await.unwrap().status().as_u16()
    };
    assert_eq!(token().await, 503);
    assert!((400..=401).contains(&token().await));
    // A fault for every call leaves the pages alone that take it away.
    ask(&server, json!({"fault": "500"})).await;
    for path in ["/", "/portal/play", "/assets/style.css", "/.well-known/vestibule", "/auth/nl/customer"] {
        assert_eq!(server.send(&Request::new("GET", path)).await.status, 200, "{path}");
    }
    assert_eq!(token().await, 500);
}

#[tokio::test]
async fn answers_come_late_slowly_in_part_or_with_a_wrong_signature() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let url = format!("{}/bunq/openapi.json", server.url());
    let whole = server.http.get(&url).send().await.unwrap().bytes().await.unwrap();
    for fault in ["latency", "slow-body"] {
        ask(&server, json!({"fault": fault, "next": 1, "seconds": 1})).await;
        let begun = Instant::now();
        let body = server.http.get(&url).send().await.unwrap().bytes().await.unwrap();
        assert!(begun.elapsed().as_millis() >= 900 && body == whole, "{fault}: {:?}", begun.elapsed());
    }
    ask(&server, json!({"fault": "cut", "next": 1})).await;
    let answer = server.http.get(&url).send().await;
    let is_cut = match answer {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(is_cut);
    assert_eq!(server.http.get(&url).send().await.unwrap().bytes().await.unwrap(), whole);
    let client = BunqClient::provider(&server, "Example PISP AISP").await;
    ask(&server, json!({"fault": "wrong-signature", "next": 1})).await;
    assert_eq!(server.send(&Request::onboarding("nl").signed(&tpp)).await.status, 200);
    let path = format!("/user/{}", client.user);
    let fits = async || {
        let answer = server.send(&client.request("GET", &path, None)).await;
        let lines = client.server_key.lines().filter(|line| !line.starts_with('-'));
        let key = PublicKey::from_spki_der(&STANDARD.decode(lines.collect::<String>()).unwrap()).unwrap();
        let signature = STANDARD.decode(answer.headers["x-bunq-server-signature"].as_bytes()).unwrap();
        key.verifies(Algorithm::RsaPkcs1Sha256, answer.body.as_bytes(), &signature)
    };
    assert!(!fits().await);
    assert!(fits().await);
}

/// The newest call, once it is kept.
async fn newest(server: &TestServer, after: u64) -> Value {
    for _ in 0..600 {
        let (_, calls) = server.manage("GET", "/calls?limit=1", Value::Null).await;
        if let Some(number) = calls["calls"][0]["number"].as_u64().filter(|number| *number > after) {
            return server.manage("GET", &format!("/calls/{number}"), Value::Null).await.1;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no call after {after} is kept");
}

#[tokio::test]
async fn calls_say_which_fault_was_asked_for_and_what_did_not_arrive() {
    let server = TestServer::start().await;
    let host = server.url().strip_prefix("http://").unwrap().to_owned();
    ask(&server, json!({"fault": "latency", "next": 1, "seconds": 1})).await;
    server.send(&Request::new("GET", "/bunq/openapi.json")).await;
    let late = newest(&server, 0).await;
    assert_eq!((&late["status"], &late["code"]), (&json!(200), &json!("fault-asked-for")), "{late}");
    assert!(late["milliseconds"].as_f64().unwrap() >= 900.0, "{late}");
    assert_eq!(late["response"]["omitted"], "only the beginning of the body is kept", "{late}");
    let mut number = late["number"].as_u64().unwrap();
    // The bank cuts the connection; whoever called goes away in the middle of the answer.
    for fault in ["cut", "slow-body"] {
        ask(&server, json!({"fault": fault, "next": 1})).await;
        let mut connection = TcpStream::connect(&host).await.unwrap();
        let request = format!("GET /xs2a-bg/nl/v1/accounts HTTP/1.1\r\nhost: {host}\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut begun = [0; 16];
        let read = connection.read(&mut begun).await;
        assert!(fault == "cut" || read.is_ok_and(|octets| octets > 0), "{fault}");
        drop(connection);
        let broken = newest(&server, number).await;
        assert_eq!(broken["code"], "fault-asked-for", "{fault}: {broken}");
        let omitted = &broken["response"]["omitted"];
        assert_eq!(omitted, "the connection ended before the whole answer was sent", "{fault}: {broken}");
        number = broken["number"].as_u64().unwrap();
    }
}

#[test]
fn the_log_says_which_fault_strikes() {
    let (program, log) = Program::logging(BINARY, "info");
    let (code, _, error) = vestibule(&[
        "fault",
        "add",
        "latency",
        "--seconds",
        "1",
        "--next",
        "1",
        "--management",
        &program.url("management"),
    ]);
    assert_eq!(code, 0, "{error}");
    testkit::run("curl", &["-s", &format!("{}/bunq/openapi.json", program.url("public"))]);
    program.kill();
    let log = log.join().unwrap();
    assert!(log.contains("a fault that was asked for strikes") && log.contains("kind=\"latency\""), "{log}");
    let line = log.lines().find(|line| line.contains("fault-asked-for")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("200") && line.contains("GET"), "{line}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let server = TestServer::start().await;
    for (fault, code) in [
        (json!({"fault": "418"}), "unknown_fault"),
        (json!({}), "invalid_request"),
        (json!({"fault": "500", "colour": "red"}), "invalid_request"),
        (json!({"fault": "500", "interface": "soap"}), "unknown_interface"),
        (json!({"fault": "wrong-signature", "interface": "berlin-group"}), "invalid_fault"),
        (json!({"fault": "500", "path": "xs2a-bg"}), "invalid_path"),
        (json!({"fault": "500", "next": 0}), "invalid_next"),
        (json!({"fault": "500", "seconds": 1}), "invalid_seconds"),
        (json!({"fault": "latency", "seconds": 3600}), "invalid_seconds"),
        (json!({"fault": "500", "thirdParty": " "}), "invalid_third_party"),
    ] {
        let (status, body) = server.manage("POST", "/faults", fault.clone()).await;
        assert_eq!((status, &body["error"]), (400, &json!(code)), "{fault}: {body}");
    }
    assert_eq!(waiting(&server).await, 0);
}

/// Refusals are of the kinds that are documented, and what is answered otherwise is the same for whoever reads it as the
/// standards say.
#[tokio::test]
async fn a_bank_that_misbehaves_can_be_lived_with() {
    let server = TestServer::with(|config| config.misbehaves = 60).await;
    let tpp = server.tpp(ID).await;
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        let answer = server.send(&Request::onboarding("nl").signed(&tpp)).await;
        match answer.status {
            429 | 503 => assert_eq!(answer.headers["retry-after"], "1"),
            401 => assert!(answer.body.contains("TOKEN_INVALID"), "{}", answer.body),
            status => assert_eq!(status, 200, "{}", answer.body),
        }
        let is_other = answer.body.contains("x_nobodyKnowsThis");
        assert!(!is_other || answer.json()["access_token"].is_string(), "{}", answer.body);
        seen.insert((answer.status, is_other));
    }
    let expected = [(200, false), (200, true), (429, false), (503, false)];
    assert!(expected.iter().all(|one| seen.contains(one)), "{seen:?}");
    assert_eq!(server.http.get(server.url()).send().await.unwrap().status(), 200, "pages are left alone");
}

#[test]
fn faults_by_command() {
    let setting = Setting::ephemeral();
    let management = setting.bank.url("management");
    let fault =
        |arguments: &[&str]| vestibule(&[&["fault"], arguments, &["--management", &management]].concat());
    let (_, out, _) = fault(&["list"]);
    assert!(out.contains("No fault waits"), "{out}");
    let (code, out, error) = fault(&["add", "503", "--next", "3", "--path", "/bunq/*", "--seconds", "9"]);
    assert!(code == 0 && out.contains("503") && out.contains("next 3 to /bunq/*, 9 s"), "{out}{error}");
    let (_, out, _) = fault(&["add", "500", "--third-party", ID, "--interface", "berlin-group", "--json"]);
    assert_eq!(read(&out)["interface"], "berlin-group");
    let (_, out, _) = fault(&["list", "--json"]);
    assert_eq!(read(&out)["faults"].as_array().unwrap().len(), 2);
    assert_eq!(fault(&["remove", "1"]).0, 0);
    assert!(fault(&["remove", "1"]).2.contains("there is no such fault"));
    assert!(fault(&["remove", "--all"]).1.contains("Removed 1."));
    assert!(fault(&["add", "418"]).2.contains("is not one of 500, 503, 429, latency"));
    assert_ne!(fault(&["remove"]).0, 0);
}
