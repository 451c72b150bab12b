//! The page about payments in headless Chromium: approved with an answer that is bound to amount and payee, with the mouse
//! and with the keyboard, on large and on the smallest screens.

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::bunq::{BunqClient, euro};

use crate::browser::{browse, free_port, provider};

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
