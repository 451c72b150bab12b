//! Scheduled payments: made as time goes by, once, and by nobody who looks.

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::bunq::{BunqClient, euro, shop};

#[tokio::test]
async fn scheduled_payments_need_nobody_who_looks() {
    let server = TestServer::start().await;
    let (_, payer) = server
        .manage("POST", "/test-accounts", json!({"tenant": "nl", "persona": "empty", "balance": "100.00"}))
        .await;
    let payee = server.customer("nl", "empty").await;
    let (own, other) =
        (BunqClient::customer(&server, &payer).await, BunqClient::customer(&server, &payee).await);
    let (from, to) = (own.account().await, other.account().await);
    let begin = now(&server).await + jiff::SignedDuration::from_hours(1);
    let alias = json!({"type": "IBAN", "value": payee["iban"], "name": "Payee"});
    let body = json!({
        "payment": {"amount": euro("1.00"), "counterparty_alias": alias, "description": "Daily"},
        "schedule": {"time_start": begin.strftime("%Y-%m-%d %H:%M:%S").to_string(), "recurrence_unit": "DAILY", "recurrence_size": 1},
    });
    let id = own.make(&own.below(from, "/schedule-payment"), &body).await;
    // The payee sees the money although nobody has looked at the account that pays, nor at the schedule.
    server.advance("nl", "PT50M").await;
    assert_eq!(other.balance(to).await, 0);
    server.advance("nl", "PT20M").await;
    assert_eq!(other.balance(to).await, 100);
    server.advance("nl", "P3D").await;
    assert_eq!(other.balance(to).await, 400);
    // A clock that goes back and comes again makes nothing twice.
    server.advance("nl", "-P2D").await;
    server.advance("nl", "P2D").await;
    assert_eq!(other.balance(to).await, 400);
    // Another time: the old one is forgotten.
    let path = own.below(from, &format!("/schedule-payment/{id}"));
    assert_eq!(own.put(&path, &json!({"payment": with_amount(&body["payment"], "2.00")})).await.status, 200);
    server.advance("nl", "P1D").await;
    assert_eq!(other.balance(to).await, 600);
    let instances = own.list(&own.below(from, &format!("/schedule/{id}/schedule-instance"))).await;
    let numbers: Vec<_> = instances.iter().map(|one| one["id"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
    assert!(instances.iter().all(|one| one["result_object"]["Payment"]["id"].is_i64()));
    let books = server.running.sandbox.store.unbalanced_entries().await.unwrap();
    assert!(books.is_empty(), "{books:?}");
}

#[tokio::test]
async fn scheduled_payments_are_made_as_time_goes_by_and_once_however_often_a_clock_is_moved() {
    let server = TestServer::start().await;
    let wish = json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let (_, payer) = server.manage("POST", "/test-accounts", wish).await;
    let own = BunqClient::customer(&server, &payer).await;
    let account = own.account().await;
    let plan = |start: jiff::Timestamp| {
        json!({
            "payment": {"amount": euro("0.10"), "counterparty_alias": shop(), "description": "Hourly"},
            "schedule": {"time_start": start.strftime("%Y-%m-%d %H:%M:%S").to_string(), "recurrence_unit": "HOURLY", "recurrence_size": 1},
        })
    };
    let begin = now(&server).await + jiff::SignedDuration::from_hours(1);
    own.make(&own.below(account, "/schedule-payment"), &plan(begin)).await;
    server.advance("nl", "PT59M57S").await;
    let mut waited = 0;
    while own.balance(account).await == 10_000 {
        waited += 1;
        assert!(waited < 600, "nothing is made as time goes by");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(own.balance(account).await, 9_990);
    for minutes in [70, 80, 90, 100] {
        let start = begin + jiff::SignedDuration::from_mins(minutes);
        own.make(&own.below(account, "/schedule-payment"), &plan(start)).await;
    }
    // Eleven hours, moved by several at once: the first schedule comes eleven times more, the others ten times.
    let later = (begin + jiff::SignedDuration::from_hours(11)).to_string();
    let set = || server.manage("PUT", "/clock", json!({"tenant": "nl", "now": later}));
    tokio::join!(set(), set(), set(), set(), set(), set());
    assert_eq!(own.balance(account).await, 9_990 - 110 - 4 * 100);
}

#[tokio::test]
async fn schedules_of_earlier_versions_are_taken_up_when_their_user_comes() {
    let server = TestServer::start().await;
    let wish = json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let (_, payer) = server.manage("POST", "/test-accounts", wish).await;
    let own = BunqClient::customer(&server, &payer).await;
    let account = own.account().await;
    let start = now(&server).await + jiff::SignedDuration::from_hours(1);
    let body = json!({
        "payment": {"amount": euro("2.00"), "counterparty_alias": shop(), "description": "Daily"},
        "schedule": {"time_start": start.strftime("%Y-%m-%d %H:%M:%S").to_string(), "recurrence_unit": "DAILY", "recurrence_size": 1},
    });
    own.make(&own.below(account, "/schedule-payment"), &body).await;
    // As they were kept: nobody noted who pays, and when.
    let drawer = gateway::Drawer::new(&server.store(), "bunq");
    for (key, text) in drawer.all("scheduled-payment").await.unwrap() {
        let mut kept: Value = serde_json::from_str(&text).unwrap();
        assert!(kept["value"].as_object_mut().unwrap().remove("customer").is_some());
        drawer.put("scheduled-payment", &key, &kept.to_string()).await.unwrap();
    }
    for (key, _) in drawer.all("due-schedules").await.unwrap() {
        drawer.delete(&[("due-schedules", key)]).await.unwrap();
    }
    server.advance("nl", "PT2H").await;
    assert_eq!(own.balance(account).await, 10_000);
    let own = own.clone().session(&own.key).await;
    server.advance("nl", "PT1S").await;
    assert_eq!(own.balance(account).await, 9_800);
    server.advance("nl", "P1D").await;
    assert_eq!(own.balance(account).await, 9_600);
}

/// Whoever changes a schedule beside others is not refused for that, and it waits for the time that is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_that_many_change_at_once_waits_for_the_time_that_it_tells() {
    let server = TestServer::start().await;
    let wish = json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let (_, payer) = server.manage("POST", "/test-accounts", wish).await;
    let own = BunqClient::customer(&server, &payer).await;
    let account = own.account().await;
    let begin = now(&server).await;
    let plan = |hours: i64| {
        let start = (begin + jiff::SignedDuration::from_hours(hours)).strftime("%Y-%m-%d %H:%M:%S");
        json!({"time_start": start.to_string(), "recurrence_unit": "ONCE"})
    };
    let payment = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "Once"});
    let body = json!({"payment": payment, "schedule": plan(1)});
    let id = own.make(&own.below(account, "/schedule-payment"), &body).await;
    let path = own.below(account, &format!("/schedule-payment/{id}"));
    let all: Vec<_> = (0..24)
        .map(|at| {
            let (own, path, body) = (own.clone(), path.clone(), json!({"schedule": plan(1 + at % 2)}));
            tokio::spawn(async move { own.put(&path, &body).await })
        })
        .collect();
    for one in all {
        let answer = one.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let told = own.list(&path).await[0]["schedule"]["time_start"].as_str().unwrap().to_owned();
    let told: jiff::Timestamp = format!("{}Z", told[..19].replace(' ', "T")).parse().unwrap();
    let told = told.as_second();
    let drawer = gateway::Drawer::new(&server.store(), "bunq");
    let waiting: Vec<_> =
        drawer.all("due-schedules").await.unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(waiting, [format!("{told:012}/{account:010}/{id:010}")]);
    server.advance("nl", "PT3H").await;
    assert_eq!(own.balance(account).await, 9_900);
}

/// What the bank's clock says.
pub(crate) async fn now(server: &TestServer) -> jiff::Timestamp {
    let (_, clocks) = server.manage("GET", "/clock", json!(null)).await;
    let clocks = clocks["clocks"].as_array().unwrap();
    let clock = clocks.iter().find(|clock| clock["tenant"] == "nl").unwrap();
    clock["now"].as_str().unwrap().parse().unwrap()
}

/// A payment with another amount.
fn with_amount(payment: &Value, amount: &str) -> Value {
    let mut payment = payment.clone();
    payment["amount"] = euro(amount);
    payment
}

#[tokio::test]
async fn scheduled_payments_are_made_once_when_their_time_has_come() {
    let server = TestServer::start().await;
    let (_, made) =
        server.manage("POST", "/test-accounts", json!({"tenant": "nl", "persona": "empty"})).await;
    let own = BunqClient::customer(&server, &made).await;
    let account = own.account().await;
    let gift = json!({"amount_inquired": euro("5.00"), "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}, "description": "x", "allow_bunqme": false});
    own.make(&own.below(account, "/request-inquiry"), &gift).await;
    let start =
        own.list(&own.below(account, "/payment")).await[0]["created"].as_str().unwrap()[..10].to_owned();
    let first: jiff::civil::Date = start.parse().unwrap();
    let path = own.below(account, "/schedule-payment");
    let body = json!({
        "payment": {"amount": euro("2.00"), "counterparty_alias": shop(), "description": "Rent"},
        "schedule": {"time_start": format!("{}T00:00:00", first.tomorrow().unwrap()), "time_end": null, "recurrence_unit": "WEEKLY", "recurrence_size": 1},
        "purpose": "PAYMENT",
    });
    let id = own.make(&path, &body).await;
    assert_eq!(own.balance(account).await, 500);
    server.advance("nl", "P2D").await;
    // Everybody looks at the same moment, which makes nothing.
    let looks: Vec<_> = (0..8)
        .map(|_| {
            let own = own.clone();
            tokio::spawn(async move { own.balance(account).await })
        })
        .collect();
    for look in looks {
        look.await.unwrap();
    }
    assert_eq!(own.balance(account).await, 300);
    server.advance("nl", "P14D").await;
    let own = own.clone().session(&own.key).await;
    assert_eq!(own.balance(account).await, 100, "the third time there is not enough");
    let schedule = own.list(&own.below(account, &format!("/schedule/{id}"))).await.remove(0);
    assert_eq!(
        (schedule["status"].as_str(), schedule["recurrence_unit"].as_str()),
        (Some("ACTIVE"), Some("WEEKLY"))
    );
    let instances = own.list(&own.below(account, &format!("/schedule/{id}/schedule-instance"))).await;
    let states: Vec<_> = instances.iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["FAILED_USER_ERROR", "FINISHED_SUCCESSFULLY", "FINISHED_SUCCESSFULLY"]);
    assert_eq!(instances[1]["result_object"]["Payment"]["amount"]["value"], "-2.00");
    assert_eq!(own.send(&own.request("DELETE", &format!("{path}/{id}"), None)).await.status, 200);
    own.make(&own.below(account, "/request-inquiry"), &gift).await;
    server.advance("nl", "P14D").await;
    let own = own.clone().session(&own.key).await;
    assert_eq!(own.balance(account).await, 600);
    assert_eq!(own.list(&format!("{path}/{id}")).await[0]["status"], "CANCELLED");
}
