//! Another bank that speaks the same dialect: its profile alone says by which numbers.

use gateway::Profiles;
use jiff::SignedDuration;
use serde_json::json;
use testkit::bunq::{BUNQ, BunqClient, client_keys, element};
use testkit::{Request, TestServer};
use vestibule::profiles::{RateLimits, Strictness, of_sandbox};

/// A bank with shorter sessions, and fewer newcomers in a day.
fn another_bank(strictness: Strictness, rate_limits: RateLimits) -> Profiles {
    let mut profiles = of_sandbox(strictness, rate_limits);
    let keys = &mut profiles.bunq.keys;
    keys.first_session = SignedDuration::from_mins(5);
    keys.session = SignedDuration::from_mins(30);
    keys.customer_session = SignedDuration::from_mins(2);
    keys.customer_sessions = [SignedDuration::from_secs(30), SignedDuration::from_secs(120)];
    keys.newcomers.installations = 8;
    profiles.bunq.redirects.max_count = 1;
    profiles
}

#[tokio::test]
async fn sessions_last_as_long_as_the_bank_says() {
    let server = TestServer::with(|config| config.profiles = another_bank).await;
    let first = BunqClient::provider(&server, "Clock AISP").await;
    let later = first.clone().session(&first.key.clone()).await;
    let user = element(&later.get("/user").await, "UserPaymentServiceProvider");
    assert_eq!(user["session_timeout"], 1800);
    server.advance("nl", "PT5M").await;
    assert_eq!((first.get("/user").await.status, later.get("/user").await.status), (403, 200));
    server.advance("nl", "PT25M").await;
    assert_eq!(later.get("/user").await.status, 403);

    let customer = server.customer("nl", "student").await;
    let client = BunqClient::customer(&server, &customer).await;
    let person = element(&client.get("/user").await, "UserPerson");
    assert_eq!(person["session_timeout"], 120);
    let own = format!("/user-person/{}", client.user);
    let refused = client.put(&own, &json!({"session_timeout": 600})).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("must be from 30 to 120 seconds"), "{}", refused.body);
}

#[tokio::test]
async fn newcomers_and_callback_urls_are_as_many_as_the_bank_says() {
    let server = TestServer::with(|config| config.profiles = another_bank).await;
    let provider = BunqClient::provider(&server, "Newcomer AISP").await;
    BunqClient::install(&server).await;
    let third = Request::new("POST", &format!("{BUNQ}/installation"))
        .body("application/json", json!({"client_public_key": client_keys().1}).to_string());
    let refused = server.send(&third).await;
    assert_eq!(refused.status, 429);
    let text = "at most 2 installations in 24 hours for one network";
    assert!(refused.body.contains(text), "{}", refused.body);

    let client = provider.oauth_client().await;
    let path = format!("/user/{}/oauth-client/{}/callback-url", provider.user, client["id"]);
    let refused = provider.post(&path, &json!({"url": "https://one.too.many/"})).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("A client has at most 1 callback URLs."), "{}", refused.body);
}
