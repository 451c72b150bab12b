//! The page about payments in headless Chromium: approved with an answer that is bound to amount and payee, with the mouse
//! and with the keyboard, on large and on the smallest screens.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro};
use testkit::{CALLBACK, TestServer, TestTpp, day, euro_payment, free_port, parameter};

use crate::browser::{browse, provider};

const SEPA: &str = "payments/sepa-credit-transfers";

/// A payment of a service provider that waits for a customer, and where to look what became of it.
async fn draft(provider: &BunqClient, customer: &Value, amount: &str) -> String {
    let path = format!("/user/{}/payment-service-provider-draft-payment", provider.user);
    let body = json!({"sender_iban": customer["iban"], "counterparty_iban": "NL91ABNA0417164300",
        "counterparty_name": "<b>Shop & Co</b>", "description": "Order 7", "amount": euro(amount)});
    format!("{path}/{}", provider.make(&path, &body).await)
}

fn assert_shown(found: &Value, texts: &[&str]) {
    let shown = found["checks"]["text"].as_str().unwrap().replace('\u{a0}', " ");
    for text in texts {
        assert!(shown.contains(text), "{text}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pay_with_the_mouse_after_a_wrong_answer() {
    let (server, port) = (TestServer::start().await, free_port());
    let customer = server.customer("nl", "household").await;
    let (provider, url) = provider(&server, port).await;
    let path = draft(&provider, &customer, "1234.50").await;
    let Some(found) = browse("pay", &url, &customer, port).await else { return };
    assert_shown(
        &found,
        &[
            "€1,234.50",
            "<b>Shop & Co</b>",
            "NL91 ABNA 0417 1643 00",
            "Order 7",
            "As soon as possible",
            "available",
            "Browser AISP PISP",
        ],
    );
    let alert = found["checks"]["alert"].as_str().unwrap();
    assert!(alert.contains("not right") && alert.contains('2'), "{alert}");
    assert_eq!(provider.list(&path).await[0]["status"], "ACCEPTED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pay_with_the_keyboard_on_the_smallest_screen_without_scripts() {
    let (server, port) = (TestServer::start().await, free_port());
    let customer = server.customer("nl", "household").await;
    let (provider, url) = provider(&server, port).await;
    let path = draft(&provider, &customer, "12.50").await;
    if browse("keyboard", &url, &customer, port).await.is_none() {
        return;
    }
    assert_eq!(provider.list(&path).await[0]["status"], "ACCEPTED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_transfers_on_the_smallest_screen() {
    let (server, port) = (TestServer::start().await, free_port());
    let customer = server.customer("nl", "household").await;
    let (provider, url) = provider(&server, port).await;
    let client = provider.connect(&server, &customer).await;
    let account = client.account().await;
    let entry = |number: i64| {
        json!({"amount": euro(&format!("{number}.01")), "description": format!("Salary 2027-{number:03}"),
            "counterparty_alias": {"type": "IBAN", "value": "NL91ABNA0417164300", "name": format!("Employee {number}")}})
    };
    let entries: Vec<Value> = (1..=100).map(|number| entry(number % 9 + 1)).collect();
    let drafts = client.below(account, "/draft-payment");
    let body = json!({"number_of_required_accepts": 1, "entries": entries});
    let path = format!("{drafts}/{}", client.make(&drafts, &body).await);
    let Some(found) = browse("bulk", &url, &customer, port).await else { return };
    assert_eq!(found["checks"]["rows"], 100);
    assert_shown(
        &found,
        &["in 100 transfers", "Transfers 1 to 5", "Show the other 95 transfers", "Employee 9"],
    );
    assert_eq!(client.list(&path).await[0]["status"], "ACCEPTED");
}

/// A third party at the Berlin Group interface with a callback on this machine.
async fn initiator(server: &TestServer, port: u16) -> (TestTpp, String) {
    let callback = format!("http://127.0.0.1:{port}/callback");
    let signer = server.tpp("PSDNL-DNB-PAYMENTS").await;
    let registration = server.register("nl", &signer, &[&callback, CALLBACK]).await;
    let secret = registration["client_secret"].as_str().unwrap().to_owned();
    (TestTpp { signer, tenant: "nl".to_owned(), secret }, callback)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn choose_the_account_that_pays_what_a_third_party_asks_for() {
    let (server, port) = (TestServer::start().await, free_port());
    let (tpp, callback) = initiator(&server, port).await;
    let customer = server.customer("nl", "saver").await;
    let request = tpp
        .request("POST", &format!("/v1/{SEPA}"))
        .set("psu-ip-address", "192.0.2.1")
        .set("tpp-redirect-uri", &callback)
        .body("application/json", euro_payment("1234.50", "NL91ABNA0417164300").to_string());
    let asked = server.send(&request.signed(&tpp.signer)).await.json();
    let Some(found) = browse("pay", &tpp.authorization_url(&asked), &customer, port).await else { return };
    assert_shown(&found, &["€1,234.50", "A. Payee", "Invoice 7", "From account", "available", "Do not pay"]);
    let location = format!("http://127.0.0.1{}", found["final"].as_str().unwrap());
    assert!(parameter(&location, "code").is_some(), "{location}");
    let sca = server.send(&tpp.get(&tpp.path_of(&asked["_links"]["scaStatus"]))).await.json();
    assert_eq!(sca["scaStatus"], "unconfirmed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keep_what_was_approved_and_stop_it_with_the_keyboard() {
    let (server, port) = (TestServer::start().await, free_port());
    let (tpp, callback) = initiator(&server, port).await;
    let customer = server.customer("nl", "household").await;
    let mut body = euro_payment("12.50", "NL91ABNA0417164300");
    body["requestedExecutionDate"] = json!(day(10));
    let iban = customer["iban"].as_str().unwrap();
    let payment = tpp.submitted_payment(&server, (SEPA, &body), iban).await;
    let before = tpp.payment_status(&server, &payment.path).await;
    for (scenario, parameter_of, value) in
        [("keep", "error", Some("consent_required")), ("stop", "code", None)]
    {
        let request = tpp.request("DELETE", &payment.path).set("tpp-redirect-uri", &callback);
        let asked = server.send(&request.signed(&tpp.signer)).await;
        assert_eq!(asked.status, 202, "{}", asked.body);
        let url = tpp.authorization_url(&asked.json());
        let Some(found) = browse(scenario, &url, &customer, port).await else { return };
        let location = format!("http://127.0.0.1{}", found["final"].as_str().unwrap());
        let got = parameter(&location, parameter_of);
        assert!(got.is_some() && value.is_none_or(|value| got.as_deref() == Some(value)), "{location}");
        // Stopped is what the third party confirms.
        assert_eq!(tpp.payment_status(&server, &payment.path).await, before);
    }
}
