//! The bank's pages in headless Chromium, clicked through as a person would. Screenshots are kept in
//! `target/screenshots`.

use std::path::Path;

use serde_json::Value;
use testkit::{TestServer, VERIFIER, bank_offered, challenge, parameter};

use crate::python;

/// Sends a browser through a scenario and returns where it came back to.
async fn go(scenario: &str, tenant: &str, persona: &str) -> Option<String> {
    let interpreter = python::program("python")?;
    if !Path::new("/usr/bin/chromedriver").exists() {
        assert!(std::env::var_os("VESTIBULE_PYTHON").is_none(), "chromedriver is missing");
        println!("skipped: no chromedriver; run scripts/prerequisites first");
        return None;
    }
    let server = TestServer::start().await;
    let signer = server.tpp("PSDNL-DNB-BROWSER").await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let callback = format!("http://127.0.0.1:{port}/callback");
    server.register(tenant, &signer, &[&callback]).await;
    let customer = server.customer(tenant, persona).await;
    let request = testkit::Request::new("POST", &format!("/xs2a-bg/{tenant}/v1/consents"))
        .set("x-request-id", "browser")
        .set("psu-ip-address", "192.0.2.1")
        .set("tpp-redirect-uri", &callback)
        .body("application/json", bank_offered("9999-12-31").to_string())
        .signed(&signer);
    let asked = server.send(&request).await.json();
    let link = asked["_links"]["scaRedirect"].as_str().unwrap();
    let url = format!("{link}&code_challenge={}&code_challenge_method=S256&state=xyz", challenge(VERIFIER));
    let screenshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    std::fs::create_dir_all(&screenshots).unwrap();
    let text = |name: &str| customer[name].as_str().unwrap().to_owned();
    let port = port.to_string();
    let arguments: Vec<String> = [
        python::script("browser.py").as_str(),
        "--url",
        &url,
        "--iban",
        &text("iban"),
        "--device-number",
        &text("digipassNumber"),
        "--scenario",
        scenario,
        "--screenshots",
        screenshots.to_str().unwrap(),
        "--listen",
        &port,
    ]
    .map(str::to_owned)
    .to_vec();
    let done = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        python::run_script(&interpreter, &arguments, &Value::Null)
    });
    let path = done.await.unwrap()["final"].as_str().unwrap().to_owned();
    let location = format!("http://127.0.0.1{path}");
    assert_eq!(parameter(&location, "state").as_deref(), Some("xyz"), "{location}");
    assert!(parameter(&location, "iss").is_some(), "{location}");
    Some(location)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approve_with_the_simulator() {
    let Some(location) = go("approve", "nl", "saver").await else { return };
    assert!(parameter(&location, "code").is_some(), "{location}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approve_on_a_phone_with_the_keyboard_and_without_scripts() {
    let Some(location) = go("phone", "be_fr", "household").await else { return };
    assert!(parameter(&location, "code").is_some(), "{location}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel() {
    let Some(location) = go("cancel", "uk", "student").await else { return };
    assert_eq!(parameter(&location, "error").as_deref(), Some("consent_required"), "{location}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_wrong_answers() {
    let Some(location) = go("wrong", "nl", "student").await else { return };
    assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"), "{location}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_languages_and_the_dark() {
    let Some(location) = go("languages", "nl", "joint").await else { return };
    assert!(parameter(&location, "code").is_some(), "{location}");
}
