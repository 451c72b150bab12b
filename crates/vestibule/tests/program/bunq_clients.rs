//! Clients of the bunq interface that share no code with this project: the provider's own SDK for Python, and the
//! community's for JavaScript, both unmodified but for the base URL.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use testkit::{TestServer, environment};

/// Runs a program to its end and returns what it printed.
fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_for_python_goes_the_whole_way() {
    let Some(folder) = environment("VESTIBULE_PYTHON", "python-bunq", "scripts/python") else { return };
    let server = TestServer::in_real_time().await;
    let mut command = Command::new(folder.join("bin/python"));
    command
        .arg(crate::python::script("bunq_sdk_client.py"))
        .arg(format!("{}/bunq/v1/", server.url()))
        .arg(&server.running.addresses.management);
    let printed = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
    for step in [
        "PSD2 user",
        "OAuth client",
        "authorization and token",
        "session with the access token",
        "accounts",
        "payments page by page",
        "draft payment",
        "draft payment of the service provider",
        "confirmation of funds",
        "sandbox person",
        "request inquiry",
        "payments",
        "payment batch",
        "error with a response id",
        "end of the session",
    ] {
        assert!(printed.lines().any(|line| line == format!("done: {step}")), "{step}: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_for_javascript_starts_reads_and_pays() {
    let Some(folder) = environment("VESTIBULE_NODE", "node", "scripts/node") else { return };
    let server = TestServer::in_real_time().await;
    let wish = json!({"tenant": "nl", "persona": "household", "balance": "500.00"});
    let (_, customer) = server.manage("POST", "/test-accounts", wish).await;
    let mut command = Command::new("node");
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/bunq_js_client.cjs"))
        .arg(format!("{}/bunq/v1", server.url()))
        .arg(customer["bunq"]["apiKey"].as_str().unwrap())
        .env("NODE_PATH", folder.join("node_modules"));
    let printed = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
    for step in
        ["installation", "device", "session", "user", "accounts", "payments", "payment: id", "draft payment"]
    {
        assert!(printed.lines().any(|line| line.starts_with(&format!("ok {step}"))), "{step}: {printed}");
    }
}
