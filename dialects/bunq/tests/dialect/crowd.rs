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

/// Whoever changes something beside others is not refused for that, and what each of them says is there afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_one_thing_at_once_are_all_made() {
    let server = TestServer::start().await;
    let own = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    let provider = BunqClient::provider(&server, "Crowd AISP").await;
    let account = own.account().await;
    let credentials = format!("/user/{}/credential-password-ip", provider.user);
    let credential = provider.list(&credentials).await[0]["id"].as_i64().unwrap();
    let client = provider.oauth_client().await["id"].as_i64().unwrap();
    let callbacks = format!("/user/{}/oauth-client/{client}/callback-url", provider.user);
    let addresses = format!("{credentials}/{credential}/ip");
    let described = format!("/user/{}/monetary-account-bank/{account}", own.user);
    let before = [provider.list(&callbacks).await.len(), provider.list(&addresses).await.len()];
    let all: Vec<_> = (0..8)
        .flat_map(|number| {
            let url = json!({"url": format!("https://tpp.example/callback/{number}")});
            let ip = json!({"ip": format!("192.0.2.{number}"), "status": "ACTIVE"});
            let name = json!({"description": format!("Household {number}")});
            [
                (provider.request("POST", &callbacks, Some(&url)), provider.clone()),
                (provider.request("POST", &addresses, Some(&ip)), provider.clone()),
                (own.request("PUT", &described, Some(&name)), own.clone()),
            ]
        })
        .map(|(request, who)| tokio::spawn(async move { who.send(&request).await }))
        .collect();
    for one in all {
        let answer = one.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let after = [provider.list(&callbacks).await.len(), provider.list(&addresses).await.len()];
    assert_eq!(after, before.map(|count| count + 8));
    let name = own.list(&described).await[0]["description"].as_str().unwrap().to_owned();
    assert!(name.starts_with("Household "), "{name}");
}
