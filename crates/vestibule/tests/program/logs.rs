//! Logs never hold what is secret, however much is logged.

use std::io::Read;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::{Request, Signer};

use crate::BINARY;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_secret_key_or_body_reaches_the_log() {
    let mut child = Command::new(BINARY)
        .args(["sandbox", "--ephemeral", "--json", "--listen", "127.0.0.1:0"])
        .args(["--tls-listen", "127.0.0.1:0", "--management-listen", "127.0.0.1:0"])
        .env("VESTIBULE_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let (origin, management) = (ready["public"].as_str().unwrap(), ready["management"].as_str().unwrap());
    // Reading in the background, so that a full pipe does not stop the server.
    let mut stderr = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        log
    });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({"organizationIdentifier": "PSDNL-DNB-CANARY"}).to_string();
    let made =
        client.post(format!("{management}/test-certificates")).header("content-type", "application/json");
    let made: Value =
        serde_json::from_slice(&made.body(body).send().await.unwrap().bytes().await.unwrap()).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let tpp = Signer::from_pem(&text("certificate"), &text("privateKey"), None);
    let answer = Request::onboarding("nl").signed(&tpp).send(&client, origin).await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let canary = "https://canary-in-the-body.example/cb";
    let registered = Request::registration("nl", &token, &[canary]).send(&client, origin).await;
    let secret = registered.json()["client_secret"].as_str().unwrap().to_owned();
    for request in [
        Request::registration("nl", "canary-token", &[canary]),
        Request::onboarding("nl").signed(&tpp).set("signature", "canary-signature"),
        Request::new("POST", "/auth/nl/v1/token").form(&format!("grant_type=refresh_token&refresh_token=canary-refresh&client_id=PSDNL-DNB-CANARY&client_secret={secret}")),
        Request::new("GET", "/auth/nl/v1/userinfo").set("authorization", "Bearer canary-access"),
        Request::new("GET", "/auth/nl/v1/auth?code_challenge=canary-challenge&state=canary-state"),
    ] {
        let answer = request.send(&client, origin).await;
        assert!((400..500).contains(&answer.status), "{}", answer.body);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let log = reader.join().unwrap();
    assert!(
        log.contains("request refused") && log.contains("SIGNATURE_INVALID"),
        "something is logged: {log}"
    );
    let key_line = tpp.key_pem.lines().nth(1).unwrap().to_owned();
    for secret in [token.as_str(), secret.as_str(), &key_line[..60], "canary-", canary] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}
