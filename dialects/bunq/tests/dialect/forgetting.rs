//! What this interface keeps has an end: rows go when their time is over by the clock of the branch, and whoever uses
//! something keeps it.

use std::time::Duration;

use serde_json::json;
use testkit::bunq::{BunqClient, client_keys, euro, shop};
use testkit::{Answer, Request, TestServer, in_days};

/// Rows of a kind.
async fn count(server: &TestServer, kind: &'static str) -> usize {
    gateway::Drawer::new(&server.store(), "bunq").all(kind).await.unwrap().len()
}

/// Waits for the task that forgets.
async fn until_there_are(server: &TestServer, kind: &'static str, expected: usize) {
    for _ in 0..600 {
        if count(server, kind).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count(server, kind).await, expected, "{kind}");
}

/// Whether an installation is known: a session with wrong credentials is refused for these, and not for the token.
async fn is_known(client: &BunqClient) -> bool {
    let answer = client.send(&client.request("POST", "/session-server", Some(&json!({"secret": "x"})))).await;
    match answer.status {
        400 => true,
        403 => false,
        other => panic!("{other} {}", answer.body),
    }
}

#[tokio::test]
async fn installations_sessions_and_devices_go_and_what_is_used_stays() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let never_used = BunqClient::install(&server).await;
    let used = BunqClient::customer(&server, &customer).await;
    let key = used.key.clone();
    assert!(is_known(&never_used).await);
    assert_eq!((count(&server, "installation").await, count(&server, "session").await), (2, 1));
    server.advance("nl", "P8D").await;
    until_there_are(&server, "installation", 1).await;
    until_there_are(&server, "installation-by-token", 1).await;
    until_there_are(&server, "session", 0).await;
    assert!(!is_known(&never_used).await);
    assert_eq!((count(&server, "device").await, count(&server, "device-by-installation").await), (1, 1));
    // A year later the next session opens with what is there, and keeps it.
    server.advance("nl", "P365D").await;
    let used = used.session(&key).await;
    used.account().await;
    server.advance("nl", "P365D").await;
    until_there_are(&server, "session", 0).await;
    let used = used.session(&key).await;
    used.account().await;
    server.advance("nl", "P420D").await;
    for kind in ["installation", "installation-by-token", "device", "device-by-installation"] {
        until_there_are(&server, kind, 0).await;
    }
    assert!(!is_known(&used).await);
    // The customer's own key is kept.
    let again = BunqClient::customer(&server, &customer).await;
    again.account().await;
}

#[tokio::test]
async fn keys_of_providers_and_of_approvals_go_and_are_kept_by_use() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let provider = BunqClient::provider(&server, "Lasting AISP PISP").await;
    let (certificate, key) = testkit::bunq::provider_certificate(&server, "Lasting AISP PISP").await;
    // A second key is never used; the customer's and the provider's first one are there before.
    BunqClient::install(&server).await.trade(&certificate, &certificate, &key).await;
    let approved = provider.connect(&server, &customer).await;
    let (keys, users) = (count(&server, "credential").await, count(&server, "user").await);
    assert_eq!(count(&server, "credential-by-key").await, keys);
    server.advance("nl", "P32D").await;
    until_there_are(&server, "credential", keys - 1).await;
    until_there_are(&server, "credential-by-key", keys - 1).await;
    approved.account().await;
    // The approval ends after 90 days, and what stood for it goes.
    server.advance("nl", "P100D").await;
    until_there_are(&server, "credential", keys - 2).await;
    until_there_are(&server, "user", users - 1).await;
    until_there_are(&server, "credential-by-key", keys - 2).await;
    // The provider's own key lives on with its sessions, and goes when there are none for long.
    let own = provider.key.clone();
    server.advance("nl", "P200D").await;
    let provider = provider.session(&own).await;
    server.advance("nl", "P300D").await;
    provider.session(&own).await;
    server.advance("nl", "P800D").await;
    until_there_are(&server, "credential", keys - 3).await;
    assert_eq!(count(&server, "user").await, users - 1, "third parties and customers are kept");
}

#[tokio::test]
async fn orders_go_and_what_was_paid_stays() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let entry = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "Draft"});
    let drafts = own.below(account, "/draft-payment");
    let body = json!({"number_of_required_accepts": 1, "entries": [entry, entry]});
    let (paid, waits) = (own.make(&drafts, &body).await, own.make(&drafts, &body).await);
    let accepted = own.put(&format!("{drafts}/{paid}"), &json!({"status": "ACCEPTED"})).await;
    assert_eq!(accepted.status, 200, "{}", accepted.body);
    // A statement, and a schedule that has ended.
    let statement = json!({"statement_format": "PDF", "date_start": "2020-01-01", "date_end": "2020-02-01"});
    own.make(&own.below(account, "/customer-statement"), &statement).await;
    let schedule = json!({
        "payment": {"amount": euro("1.00"), "counterparty_alias": shop(), "description": "Rent"},
        "schedule": {"time_start": in_days(800).strftime("%Y-%m-%d 00:00:00.000000").to_string(), "recurrence_unit": "ONCE"},
    });
    let schedules = own.below(account, "/schedule-payment");
    let (ended, active) = (own.make(&schedules, &schedule).await, own.make(&schedules, &schedule).await);
    let deleted = own.send(&own.request("DELETE", &format!("{schedules}/{ended}"), None)).await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    let object = own.list(&format!("{drafts}/{paid}")).await[0]["object"]["PaymentBatch"].clone();
    let payments: Vec<String> = object["payments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|payment| own.below(account, &format!("/payment/{}", payment["id"])))
        .collect();
    server.advance("nl", "P380D").await;
    let own = own.clone().session(&own.key).await;
    assert_eq!(own.list(&format!("{drafts}/{waits}")).await[0]["status"], "EXPIRED");
    server.advance("nl", "P30D").await;
    until_there_are(&server, "draft-payment", 0).await;
    until_there_are(&server, "payment-batch", 0).await;
    until_there_are(&server, "customer-statement", 0).await;
    until_there_are(&server, "scheduled-payment", 1).await;
    let own = own.clone().session(&own.key).await;
    assert!(own.list(&drafts).await.is_empty());
    assert_eq!(own.list(&schedules).await[0]["id"], active);
    for path in payments {
        assert_eq!(own.list(&path).await[0]["amount"]["value"], "-1.00", "what was paid is kept");
    }
}

/// The key of an installation is kept in one form, whatever its text looks like: a text with much white space takes no
/// more room than any other.
#[tokio::test]
async fn a_key_is_kept_in_its_canonical_form() {
    let server = TestServer::start().await;
    let pem = &client_keys().1;
    let spread = pem.lines().collect::<Vec<_>>().join(&format!("\n{}", " \n".repeat(500)));
    let windows = pem.replace('\n', "\r\n");
    for (text, most) in [(pem.clone(), 700), (spread, 700), (windows, 1300)] {
        let body = json!({ "client_public_key": text }).to_string();
        let request = Request::new("POST", "/bunq/v1/installation").body("application/json", body);
        let answer: Answer = server.send(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let kept = gateway::Drawer::new(&server.store(), "bunq").all("installation").await.unwrap();
        let length = kept.last().unwrap().1.len();
        assert!(length < most, "{length} octets are kept of {}", text.len());
    }
}

#[tokio::test]
async fn whoever_makes_customers_without_end_is_stopped() {
    let server = TestServer::with(|config| config.rate_limits = vestibule::profiles::RateLimits::Off).await;
    let make = Request::new("POST", "/bunq/v1/sandbox-user-person");
    let mut made = 0;
    let refused = loop {
        let answer = server.send(&make).await;
        match answer.status {
            200 => made += 1,
            _ => break answer,
        }
        assert!(made <= 500, "nobody says stop");
    };
    assert_eq!((made, refused.status), (500, 429), "{}", refused.body);
    let seconds: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=86_400).contains(&seconds), "{seconds}");
    assert!(refused.body.contains("at most 500 customers in 24 hours for one network"), "{}", refused.body);
    server.advance("nl", "P1D").await;
    assert_eq!(server.send(&make).await.status, 200);
}

#[tokio::test]
async fn users_are_made_with_no_body_or_an_object() {
    let server = TestServer::start().await;
    for path in ["sandbox-user-person", "sandbox-user-company"] {
        let make = Request::new("POST", &format!("/bunq/v1/{path}"));
        for body in ["[]", "\"x\"", "5", "null", "[{}]"] {
            let answer = server.send(&make.clone().body("application/json", body.to_owned())).await;
            assert_eq!(answer.status, 400, "{path} {body}");
            assert!(
                answer.body.contains("The body must be a JSON object."),
                "{path} {body}: {}",
                answer.body
            );
        }
        assert_eq!(server.send(&make).await.status, 200);
        assert_eq!(server.send(&make.body("application/json", "{}".to_owned())).await.status, 200);
    }
}
