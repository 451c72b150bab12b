//! Many at once.

use serde_json::json;
use testkit::TestServer;
use testkit::bunq::{BunqClient, euro, shop};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_installations_and_sessions_at_once() {
    let server = std::sync::Arc::new(TestServer::start().await);
    let customer = server.customer("nl", "student").await;
    let key = customer["bunq"]["apiKey"].as_str().unwrap().to_owned();
    let all: Vec<_> = (0..200)
        .map(|_| {
            let (server, key) = (std::sync::Arc::clone(&server), key.clone());
            tokio::spawn(async move {
                let client = BunqClient::install(&server).await.open(&key).await;
                (client.installation.clone(), client.session.clone().unwrap(), client.user)
            })
        })
        .collect();
    let mut tokens = std::collections::BTreeSet::new();
    let mut users = std::collections::BTreeSet::new();
    for one in all {
        let (installation, session, user) = one.await.unwrap();
        assert!(tokens.insert(installation) && tokens.insert(session));
        users.insert(user);
    }
    assert_eq!((tokens.len(), users.len()), (400, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_spends_the_same_money_twice() {
    let server = TestServer::start().await;
    let (_, made) =
        server.manage("POST", "/test-accounts", json!({"tenant": "nl", "persona": "empty"})).await;
    let own = BunqClient::customer(&server, &made).await;
    let account = own.account().await;
    let gift = json!({"amount_inquired": euro("10.00"), "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}, "description": "x", "allow_bunqme": false});
    own.make(&own.below(account, "/request-inquiry"), &gift).await;
    let payment = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "One of many"});
    let all: Vec<_> = (0..40)
        .map(|_| {
            let (own, payment) = (own.clone(), payment.clone());
            tokio::spawn(async move { own.post(&own.below(account, "/payment"), &payment).await.status })
        })
        .collect();
    let mut paid = 0;
    for one in all {
        let status = one.await.unwrap();
        assert!(status == 200 || status == 400, "{status}");
        paid += u32::from(status == 200);
    }
    assert_eq!((paid, own.balance(account).await), (10, 0));
    let payments = own.list(&own.below(account, "/payment?count=200")).await;
    assert_eq!(payments.len(), 11);
    let numbers: std::collections::BTreeSet<_> =
        payments.iter().map(|one| one["id"].as_i64().unwrap()).collect();
    assert_eq!(numbers.len(), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_draft_is_accepted_once_however_many_say_yes() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let before = own.balance(account).await;
    let body = json!({"number_of_required_accepts": 1, "entries": [
        {"amount": euro("3.00"), "counterparty_alias": shop(), "description": "Once"}]});
    let draft = own.make(&own.below(account, "/draft-payment"), &body).await;
    let path = own.below(account, &format!("/draft-payment/{draft}"));
    let all: Vec<_> = (0..20)
        .map(|_| {
            let (own, path) = (own.clone(), path.clone());
            tokio::spawn(async move { own.put(&path, &json!({"status": "ACCEPTED"})).await.status })
        })
        .collect();
    let mut accepted = 0;
    for one in all {
        accepted += u32::from(one.await.unwrap() == 200);
    }
    assert_eq!((accepted, own.balance(account).await), (1, before - 300));
}
