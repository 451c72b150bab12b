//! Long histories: what a call costs depends on what it returns, its answer has a size, and others need not wait.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::bunq::{BunqClient, euro, shop};

/// Payments of one batch.
const BATCH: usize = 100;

/// A customer with money, and the account that it is on.
async fn payer(server: &TestServer) -> (BunqClient, i64) {
    let wish = json!({"tenant": "nl", "persona": "empty", "balance": "9000.00"});
    let (_, made) = server.manage("POST", "/test-accounts", wish).await;
    let own = BunqClient::customer(server, &made).await;
    let account = own.account().await;
    (own, account)
}

/// Makes batches of payments and returns their numbers, the oldest first.
async fn pay(own: &BunqClient, account: i64, batches: usize) -> Vec<i64> {
    let payment = json!({"amount": euro("0.01"), "counterparty_alias": shop(), "description": "One of many"});
    let body = json!({ "payments": vec![payment; BATCH] });
    let mut made = Vec::new();
    for _ in 0..batches {
        made.push(own.make(&own.below(account, "/payment-batch"), &body).await);
    }
    made
}

/// What the store does for a call.
async fn work(server: &TestServer, own: &BunqClient, path: &str) -> u64 {
    // The first call finds numbers for new payments, the second one what there is.
    assert_eq!(own.get(path).await.status, 200, "{path}");
    let before = server.running.sandbox.store.steps().unwrap();
    assert_eq!(own.get(path).await.status, 200, "{path}");
    server.running.sandbox.store.steps().unwrap() - before
}

#[tokio::test]
async fn a_long_history_makes_no_call_dearer() {
    let server = TestServer::start().await;
    if server.running.sandbox.store.steps().is_none() {
        println!("skipped, because this database does not count its steps");
        return;
    }
    let (own, account) = payer(&server).await;
    let batch = pay(&own, account, 1).await[0];
    let entry = json!({"amount": euro("0.01"), "counterparty_alias": shop(), "description": "Drafted"});
    let draft = json!({"number_of_required_accepts": 1, "entries": [entry.clone(), entry]});
    let draft = own.make(&own.below(account, "/draft-payment"), &draft).await;
    let accept = own.below(account, &format!("/draft-payment/{draft}"));
    assert_eq!(own.put(&accept, &json!({"status": "ACCEPTED"})).await.status, 200);
    let first = own.list(&own.below(account, "/payment?count=200")).await.pop().unwrap();
    let (id, day) = (first["id"].as_i64().unwrap(), &first["created"].as_str().unwrap()[..10]);
    let day: jiff::civil::Date = day.parse().unwrap();
    let before = json!({"statement_format": "CSV", "regional_format": "UK_US", "date_start": (day - jiff::Span::new().days(40)).to_string(), "date_end": (day - jiff::Span::new().days(1)).to_string()});
    let statement = own.make(&own.below(account, "/customer-statement"), &before).await;
    let calls = [
        format!("/user/{}/event?count=5", own.user),
        format!("/user/{}/event?count=5&older_id={}", own.user, id + 4),
        format!("/user/{}/event?count=5&newer_id={id}", own.user),
        own.below(account, "/payment?count=5"),
        own.below(account, &format!("/payment?count=5&newer_id={id}")),
        own.below(account, &format!("/payment/{id}")),
        own.below(account, &format!("/payment-batch/{batch}")),
        own.below(account, "/payment-batch?count=1"),
        own.below(account, "/draft-payment?count=1"),
        own.below(account, &format!("/draft-payment/{draft}")),
        own.below(account, &format!("/customer-statement/{statement}/content")),
        format!("/user/{}/monetary-account", own.user),
    ];
    let mut short = Vec::new();
    for path in &calls {
        short.push(work(&server, &own, path).await);
    }
    pay(&own, account, 15).await;
    for (path, short) in calls.iter().zip(short) {
        let long = work(&server, &own, path).await;
        assert!(long <= short + short / 2 + 2000, "{path}: {short} steps, then {long}");
    }
}

#[tokio::test]
async fn one_answer_has_a_size_and_the_links_lead_on() {
    let server = TestServer::start().await;
    let (own, account) = payer(&server).await;
    let made = pay(&own, account, 13).await;
    let (mut seen, mut next) = (Vec::new(), Some(own.below(account, "/payment-batch?count=200")));
    let mut pages = 0;
    while let Some(path) = next {
        let answer = own.get(&path).await;
        let json = answer.json();
        let batches = json["Response"].as_array().unwrap();
        let payments: usize =
            batches.iter().map(|batch| batch["PaymentBatch"]["payments"].as_array().unwrap().len()).sum();
        assert!(payments <= 1000 && answer.body.len() < 3_000_000, "{payments}");
        seen.extend(batches.iter().map(|batch| batch["PaymentBatch"]["id"].as_i64().unwrap()));
        next =
            json["Pagination"]["older_url"].as_str().map(|url| url.strip_prefix("/v1").unwrap().to_owned());
        pages += 1;
    }
    seen.reverse();
    assert_eq!((seen, pages), (made.clone(), 2));
    // The other way round too: those that are next newer, and no gap.
    let newer =
        own.list(&own.below(account, &format!("/payment-batch?count=200&newer_id={}", made[0]))).await;
    let ids: Vec<_> = newer.iter().rev().map(|batch| batch["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, made[1..11]);
}

/// How long others wait at most, generously: what is measured here is on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn nobody_waits_for_somebody_elses_long_list() {
    let server = TestServer::start().await;
    let (own, account) = payer(&server).await;
    pay(&own, account, 10).await;
    let other = BunqClient::customer(&server, &server.customer("nl", "student").await).await;
    let busy: Vec<_> = (0..4)
        .map(|_| {
            let (own, path) = (own.clone(), own.below(account, "/payment-batch?count=200"));
            tokio::spawn(async move {
                for _ in 0..3 {
                    assert_eq!(own.get(&path).await.status, 200);
                }
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    while busy.iter().any(|task| !task.is_finished()) {
        let begun = Instant::now();
        assert_eq!(other.get("/user").await.status, 200);
        slowest = slowest.max(begun.elapsed());
    }
    for task in busy {
        task.await.unwrap();
    }
    assert!(slowest < PATIENCE, "{slowest:?}");
}

#[tokio::test]
async fn the_schedules_of_a_user_come_page_by_page() {
    let server = TestServer::start().await;
    let (own, account) = payer(&server).await;
    let savings =
        own.make(&format!("/user/{}/monetary-account-savings", own.user), &json!({"currency": "EUR"})).await;
    let plan = json!({
        "payment": {"amount": euro("0.01"), "counterparty_alias": shop(), "description": "Later"},
        "schedule": {"time_start": "2099-01-01 00:00:00", "recurrence_unit": "ONCE"},
    });
    let mut made = Vec::new();
    for number in 0..7 {
        let account = if number % 2 == 0 { account } else { savings };
        made.push(own.make(&own.below(account, "/schedule-payment"), &plan).await);
    }
    made.reverse();
    let path = format!("/user/{}/schedule", own.user);
    let ids = |found: &[Value]| -> Vec<i64> { found.iter().map(|one| one["id"].as_i64().unwrap()).collect() };
    assert_eq!(ids(&own.list(&format!("{path}?count=3")).await), made[..3]);
    assert_eq!(ids(&own.list(&format!("{path}?count=3&older_id={}", made[2])).await), made[3..6]);
    assert_eq!(ids(&own.list(&format!("{path}?count=3&newer_id={}", made[5])).await), made[2..5]);
    assert_eq!(ids(&own.list(&path).await), made);
}
