//! `created` and `updated` of everything that can be changed, and the balance after each payment.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, cents, euro, shop};
use testkit::{TestServer, in_days};

/// A moment as the interface writes it.
fn moment(thing: &Value, name: &str) -> Timestamp {
    let text = thing[name].as_str().unwrap_or_else(|| panic!("{name}: {thing}"));
    text.replace(' ', "T")
        .parse::<jiff::civil::DateTime>()
        .unwrap()
        .to_zoned_datetime(TimeZone::UTC)
        .unwrap()
        .timestamp()
}

/// Something that was made, and what changes it.
struct Changed {
    name: &'static str,
    /// Where it is read and changed.
    path: String,
    method: &'static str,
    body: Value,
}

/// Things of a customer, each just made.
async fn things(server: &TestServer, own: &BunqClient, account: i64, iban: &Value) -> Vec<Changed> {
    let mut things = Vec::new();
    let mut add = |name, path: String, method, body: Value| {
        things.push(Changed { name, path, method, body });
    };
    let user = |rest: &str| format!("/user/{}{rest}", own.user);
    let below = |rest: &str| own.below(account, rest);
    add(
        "account",
        user(&format!("/monetary-account-bank/{account}")),
        "PUT",
        json!({"description": "Household"}),
    );
    let keys = user("/credential-password-ip");
    let addresses = format!("{keys}/{}/ip", own.list(&keys).await[0]["id"]);
    let address = own.make(&addresses, &json!({"ip": "192.0.2.7", "status": "ACTIVE"})).await;
    add("permitted address", format!("{addresses}/{address}"), "PUT", json!({"status": "INACTIVE"}));
    let clients = user("/oauth-client");
    let client = own.make(&clients, &json!({"status": "ACTIVE"})).await;
    let urls = format!("{clients}/{client}/callback-url");
    let url = own.make(&urls, &json!({"url": "https://tpp.example/one"})).await;
    add("callback URL", format!("{urls}/{url}"), "PUT", json!({"url": "https://tpp.example/two"}));
    let entry = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "Draft"});
    let draft = json!({"number_of_required_accepts": 1, "entries": [entry]});
    let drafts = below("/draft-payment");
    for (name, status) in
        [("accepted draft", "ACCEPTED"), ("rejected draft", "REJECTED"), ("cancelled draft", "CANCELLED")]
    {
        let id = own.make(&drafts, &draft).await;
        add(name, format!("{drafts}/{id}"), "PUT", json!({ "status": status }));
    }
    let times = in_days(30).strftime("%Y-%m-%d 10:00:00.000000").to_string();
    let schedule = json!({"payment": entry, "schedule": {"time_start": times, "recurrence_unit": "ONCE"}});
    let schedules = below("/schedule-payment");
    let (first, second) = (own.make(&schedules, &schedule).await, own.make(&schedules, &schedule).await);
    let dearer = json!({"amount": euro("2.00"), "counterparty_alias": shop(), "description": "Rent"});
    add("schedule", format!("{schedules}/{first}"), "PUT", json!({ "payment": dearer }));
    add("deleted schedule", format!("{schedules}/{second}"), "DELETE", Value::Null);
    // Somebody else asks, who is also a customer.
    let asker = server.customer("nl", "student").await;
    let asker = BunqClient::customer(server, &asker).await;
    let asking = asker.account().await;
    let whom = json!({"type": "IBAN", "value": iban, "name": "P. Payer"});
    let inquiry = json!({"amount_inquired": euro("1.00"), "counterparty_alias": whom, "description": "Please",
        "allow_bunqme": false});
    let responses = below("/request-response");
    for (name, status) in [("accepted request", "ACCEPTED"), ("rejected request", "REJECTED")] {
        asker.make(&asker.below(asking, "/request-inquiry"), &inquiry).await;
        let id = own.list(&responses).await[0]["id"].clone();
        add(name, format!("{responses}/{id}"), "PUT", json!({ "status": status }));
    }
    let inquiries = below("/request-inquiry");
    let whom = json!({"type": "IBAN", "value": "NL91ABNA0417164300", "name": "Shop"});
    let inquiry = json!({"amount_inquired": euro("1.00"), "counterparty_alias": whom, "description": "Please",
        "allow_bunqme": false});
    let answer = own.post(&inquiries, &inquiry).await;
    if answer.status == 200 {
        let id = own.list(&inquiries).await[0]["id"].clone();
        add("revoked request", format!("{inquiries}/{id}"), "PUT", json!({"status": "REVOKED"}));
    }
    things
}

/// What was made an hour ago and is changed now says both; what is only read says what it said before.
#[tokio::test]
async fn what_is_changed_says_when() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let things = things(&server, &own, account, &customer["iban"]).await;
    let mut made = Vec::new();
    for thing in &things {
        let seen = own.list(&thing.path).await.remove(0);
        let (created, updated) = (moment(&seen, "created"), moment(&seen, "updated"));
        assert!(
            created <= updated && updated.duration_since(created) < SignedDuration::from_mins(10),
            "{}: {seen}",
            thing.name
        );
        made.push((created, updated));
    }
    server.advance("nl", "PT1H").await;
    let mut wrong = Vec::new();
    for (thing, (created, updated)) in things.iter().zip(made) {
        let before = own.list(&thing.path).await.remove(0);
        let body = (!thing.body.is_null()).then_some(&thing.body);
        let answer = own.send(&own.request(thing.method, &thing.path, body)).await;
        let after = own.list(&thing.path).await.remove(0);
        let later = moment(&after, "updated").duration_since(updated);
        let is_right = (moment(&before, "created"), moment(&before, "updated")) == (created, updated)
            && answer.status == 200
            && moment(&after, "created") == created
            && (SignedDuration::from_mins(50)..SignedDuration::from_mins(80)).contains(&later);
        if !is_right {
            wrong.push(format!("{}: {} {}\n{before}\n{after}", thing.name, answer.status, answer.body));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// From the newest payment back to the first one: each says what it left, and the one before it what was there.
#[tokio::test]
async fn each_payment_says_what_it_left() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    for amount in ["1.00", "2.50"] {
        let body = json!({"amount": euro(amount), "counterparty_alias": shop(), "description": "x"});
        own.make(&own.below(account, "/payment"), &body).await;
    }
    let payments = own.list(&own.below(account, "/payment?count=200")).await;
    let cents_of = |payment: &Value, name: &str| cents(payment[name]["value"].as_str().unwrap());
    let mut left = own.balance(account).await;
    assert!(payments.len() > 20, "{}", payments.len());
    for payment in &payments {
        assert_eq!(payment["balance_after_mutation"]["currency"], "EUR");
        assert_eq!(cents_of(payment, "balance_after_mutation"), left, "{payment}");
        left -= cents_of(payment, "amount");
    }
    // One by itself says the same.
    let third = &payments[2];
    let alone = own.list(&own.below(account, &format!("/payment/{}", third["id"]))).await.remove(0);
    assert_eq!(&alone, third);
}
