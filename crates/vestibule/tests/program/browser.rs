//! The bank's pages in headless Chromium, clicked through as a person would. Screenshots are kept in
//! `target/screenshots`.

use std::path::Path;

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro};
use testkit::{TestServer, VERIFIER, bank_offered, challenge, free_port, parameter};

use crate::python;

/// Sends a browser through a scenario; returns what the script found.
pub(crate) async fn browse(scenario: &str, url: &str, customer: &Value, port: u16) -> Option<Value> {
    let interpreter = python::program("python")?;
    // Where browser.py expects them.
    testkit::system_program("/usr/bin/chromium")?;
    testkit::system_program("/usr/bin/chromedriver")?;
    let screenshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    std::fs::create_dir_all(&screenshots).unwrap();
    let text = |name: &str| customer[name].as_str().unwrap().to_owned();
    let port = port.to_string();
    // The checkout of a service provider gets its browser back without a word.
    let bare = url.contains("transactionId=").then(|| "--bare".to_owned());
    let arguments: Vec<String> = [
        python::script("browser.py").as_str(),
        "--url",
        url,
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
    .into_iter()
    .chain(bare)
    .collect();
    let done = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        python::run_script(&interpreter, &arguments, &Value::Null)
    });
    Some(done.await.unwrap())
}

/// Sends a browser with a consent through a scenario and returns where it came back to.
async fn go(scenario: &str, tenant: &str, persona: &str) -> Option<String> {
    let server = TestServer::start().await;
    let signer = server.tpp("PSDNL-DNB-BROWSER").await;
    let port = free_port();
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
    let found = browse(scenario, &url, &customer, port).await?;
    let location = format!("http://127.0.0.1{}", found["final"].as_str().unwrap());
    assert_eq!(parameter(&location, "state").as_deref(), Some("xyz"), "{location}");
    assert!(parameter(&location, "iss").is_some(), "{location}");
    Some(location)
}

/// A service provider of the bunq interface with a callback on this machine, and the address for a browser.
pub(crate) async fn provider(server: &TestServer, port: u16) -> (BunqClient, String) {
    let provider = BunqClient::provider(server, "Browser AISP PISP").await;
    let callback = format!("http://127.0.0.1:{port}/callback");
    let client = provider.oauth_client().await;
    let path = format!("/user/{}/oauth-client/{}/callback-url", provider.user, client["id"]);
    provider.make(&path, &json!({ "url": callback })).await;
    let callback = callback.replace(':', "%3A").replace('/', "%2F");
    let url = provider.authorization_url().await.replace("https%3A%2F%2Ftpp.example%2Fcallback", &callback);
    (provider, url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_accounts_for_a_service_provider() {
    let (server, port) = (TestServer::start().await, free_port());
    let customer = server.customer("nl", "saver").await;
    let (_, url) = provider(&server, port).await;
    let Some(found) = browse("several", &url, &customer, port).await else { return };
    assert_eq!(found["checks"]["accounts"], 4);
    let iban = customer["iban"].as_str().unwrap();
    let consents = server.manage("GET", &format!("/consents?iban={iban}"), json!(null)).await.1;
    let consent = &consents["consents"][0];
    assert_eq!(consent["accounts"].as_array().unwrap().len(), 2, "{consent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_of_a_service_provider_one_by_one() {
    let (server, port) = (TestServer::start().await, free_port());
    let customer = server.customer("nl", "household").await;
    let (provider, url) = provider(&server, port).await;
    let path = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let draft = |amount: &str| {
        json!({"sender_iban": customer["iban"], "counterparty_iban": "NL91ABNA0417164300",
            "counterparty_name": "<b>Shop & Co</b>", "description": format!("Order of {amount}"), "amount": euro(amount)})
    };
    let ids = [provider.make(&path, &draft("12.50")).await, provider.make(&path, &draft("7.25")).await];
    let Some(found) = browse("payments", &url, &customer, port).await else { return };
    let text = found["checks"]["text"].as_str().unwrap();
    for shown in
        ["€12.50", "€7.25", "<b>Shop & Co</b>", "NL91 ABNA 0417 1643 00", "Browser AISP PISP", "balances"]
    {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let mut statuses = Vec::new();
    for id in ids {
        let draft = provider.list(&format!("{path}/{id}")).await.remove(0);
        statuses.push(format!(
            "{} {}",
            draft["amount"]["value"].as_str().unwrap(),
            draft["status"].as_str().unwrap()
        ));
    }
    statuses.sort();
    // Payments of one second are shown in any order: one was made, the other was not.
    let made = |one: &str, other: &str| vec![format!("12.50 {one}"), format!("7.25 {other}")];
    assert!(
        statuses == made("ACCEPTED", "REJECTED") || statuses == made("REJECTED", "ACCEPTED"),
        "{statuses:?}"
    );
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
