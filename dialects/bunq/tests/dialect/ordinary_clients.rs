//! OAuth clients of ordinary users, as a community client in Rust uses them, call by call and unsigned where it does not
//! sign; and what the bank shows of them.

use serde_json::{Value, json};
use testkit::bunq::{BUNQ, BunqClient, client_keys, element, euro, shop, sign};
use testkit::{Answer, Request, TestServer, parameter};

/// Where that client is sent back to, without a path.
const BACK: &str = "http://127.0.0.1:5454";

/// A user's client with a callback URL: the user's session, and the client as it is listed.
async fn registered(server: &TestServer, persona: &str) -> (BunqClient, Value) {
    let own = BunqClient::customer(server, &server.customer("nl", persona).await).await;
    let path = format!("/user/{}/oauth-client", own.user);
    let id = own.make(&path, &json!({"status": "ACTIVE"})).await;
    own.make(&format!("{path}/{id}/callback-url"), &json!({ "url": BACK })).await;
    let client = element(&own.get(&path).await, "OauthClient");
    (own, client)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The customer approves, and the client trades its code for a token.
async fn access_token(server: &TestServer, client: &Value, customer: &Value) -> String {
    let url = format!(
        "{}/bunq/auth?response_type=code&client_id={}&redirect_uri=http%3A%2F%2F127.0.0.1%3A5454",
        server.url(),
        text(&client["client_id"])
    );
    let location = server.decide(&url, customer["iban"].as_str().unwrap(), "approve").await;
    assert!(location.starts_with(BACK), "{location}");
    let query = format!(
        "grant_type=authorization_code&code={}&client_id={}&client_secret={}&redirect_uri=http%3A%2F%2F127.0.0.1%3A5454",
        parameter(&location, "code").unwrap(),
        text(&client["client_id"]),
        text(&client["secret"])
    );
    let answer = server.send(&Request::new("POST", &format!("{BUNQ}/token?{query}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["token_type"], "bearer");
    text(&answer.json()["access_token"])
}

/// Sends JSON with a token, signed as that client signs: bodies and nothing else.
async fn call(server: &TestServer, method: &str, path: &str, (token, body): (&str, Option<Value>)) -> Answer {
    let mut request = Request::new(method, &format!("{BUNQ}{path}")).set("user-agent", "bunqyy");
    if !token.is_empty() {
        request = request.set("x-bunq-client-authentication", token);
    }
    if let Some(body) = body {
        let octets = body.to_string().into_bytes();
        if !token.is_empty() {
            request = request.set("x-bunq-client-signature", sign(&client_keys().0, &octets));
        }
        request.body = octets;
    }
    let answer = server.send(&request).await;
    assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
    answer
}

/// An amount as that client reads it: two texts, neither null.
fn is_amount(value: &Value) -> bool {
    value["value"].is_string() && value["currency"].is_string()
}

#[tokio::test]
async fn a_client_of_an_ordinary_user_goes_the_whole_way() {
    let server = TestServer::start().await;
    let (own, client) = registered(&server, "student").await;
    let customer = server.customer("nl", "household").await;
    let token = access_token(&server, &client, &customer).await;
    let key = json!({"client_public_key": client_keys().1});
    let made = call(&server, "POST", "/installation", ("", Some(key))).await.json();
    let installation = text(&made["Response"][1]["Token"]["token"]);
    let device = json!({"description": "bunqyy", "secret": token, "permitted_ips": []});
    let made = call(&server, "POST", "/device-server", (&installation, Some(device))).await;
    assert!(element(&made, "Id")["id"].is_u64());
    let secret = json!({ "secret": token });
    let opened = call(&server, "POST", "/session-server", (&installation, Some(secret))).await.json();
    let session = &opened["Response"][1]["Token"];
    assert!(session["id"].is_u64() && session["created"].is_string() && session["updated"].is_string());
    let (session, user) = (text(&session["token"]), &opened["Response"][2]["UserApiKey"]);
    for (role, number, name) in [
        ("requested_by_user", own.user, "S. de Vries"),
        ("granted_by_user", customer["bunq"]["userId"].as_i64().unwrap(), "J. Jansen"),
    ] {
        let person = &user[role]["UserPerson"];
        assert_eq!((person["id"].as_i64(), person["display_name"].as_str()), (Some(number), Some(name)));
        assert!(person["public_nick_name"].is_string() && person["session_timeout"].is_u64(), "{role}");
    }
    let path = format!("/user/{}/monetary-account", user["id"]);
    let accounts = call(&server, "GET", &path, (&session, None)).await.json();
    let accounts = accounts["Response"].as_array().unwrap().clone();
    assert_eq!(accounts.len(), 2);
    for account in &accounts {
        let (wrapper, account) = account.as_object().unwrap().iter().next().unwrap();
        assert!(["MonetaryAccountBank", "MonetaryAccountSavings"].contains(&wrapper.as_str()), "{wrapper}");
        for member in ["currency", "status", "sub_status", "description", "display_name"] {
            assert!(account[member].is_string(), "{wrapper}.{member}: {account}");
        }
        assert!(is_amount(&account["balance"]) && account["id"].is_u64());
        if wrapper == "MonetaryAccountSavings" {
            assert!(account["number_of_payment_remaining"].as_u64().is_some_and(|left| left <= 255));
        }
        let list = format!("{path}/{}/payment?count=200", account["id"]);
        let payments = call(&server, "GET", &list, (&session, None)).await.json();
        let payments = payments["Response"].as_array().unwrap().clone();
        assert!(!payments.is_empty());
        for payment in payments.iter().map(|payment| &payment["Payment"]) {
            assert!(payment["id"].is_u64() && payment["monetary_account_id"] == account["id"]);
            assert!(is_amount(&payment["amount"]) && is_amount(&payment["balance_after_mutation"]));
            for label in [&payment["alias"], &payment["counterparty_alias"]] {
                assert!(label["display_name"].is_string() && label["country"].is_string());
            }
        }
    }
}

#[tokio::test]
async fn it_belongs_to_its_user_and_ends_with_it() {
    let server = TestServer::start().await;
    let (own, client) = registered(&server, "start-up").await;
    let path = format!("/user/{}/oauth-client", own.user);
    let second = own.post(&path, &json!({"status": "ACTIVE"})).await;
    assert!(second.body.contains("You can only have one active OAuth Client registered."), "{}", second.body);
    // One that has the money on every day: a student may have none at the end of a month.
    let customer = server.customer("nl", "household").await;
    let other = BunqClient::customer(&server, &customer).await;
    assert_eq!(other.get(&path).await.status, 404, "it is somebody else's");
    let token = access_token(&server, &client, &customer).await;
    let connected = BunqClient::install(&server).await.open(&token).await;
    let user = element(&connected.get("/user").await, "UserApiKey");
    assert_eq!(user["requested_by_user"]["UserCompany"]["id"], own.user);
    // It asks, and the customer decides: a draft, not a payment.
    let account = connected.account().await;
    let payment = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "Tea"});
    assert_eq!(connected.post(&connected.below(account, "/payment"), &payment).await.status, 403);
    let draft = json!({"number_of_required_accepts": 1, "entries": [payment]});
    let id = connected.make(&connected.below(account, "/draft-payment"), &draft).await;
    let shown = other.list(&other.below(account, &format!("/draft-payment/{id}"))).await.remove(0);
    assert_eq!(shown["user_alias_created"]["display_name"], "Atelier Vers B.V.");
    let draft = other.below(account, &format!("/draft-payment/{id}"));
    let accepted = other.put(&draft, &json!({"status": "ACCEPTED"})).await;
    assert_eq!(accepted.status, 200, "{}", accepted.body);
    // Managed with the user's own key alone, shown as the user's, and over when the client is.
    let clients = format!("/user/{}/oauth-client", connected.user);
    assert_eq!(connected.get(&clients).await.status, 403);
    let consents = format!("/consents?iban={}", text(&customer["iban"]));
    let (_, consents) = server.manage("GET", &consents, json!(null)).await;
    assert_eq!(consents["consents"][0]["tpp"], format!("bunq-user-{}", own.user));
    let cancelled = own.put(&format!("{path}/{}", client["id"]), &json!({"status": "CANCELLED"})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    assert_eq!(connected.get("/user").await.status, 403);
    assert!(own.make(&path, &json!({})).await > client["id"].as_i64().unwrap());
}

#[tokio::test]
async fn every_event_is_newer_than_0() {
    let server = TestServer::start().await;
    let own = BunqClient::customer(&server, &server.customer("nl", "household").await).await;
    let path = format!("/user/{}/event", own.user);
    let oldest = own.list(&format!("{path}?count=2&newer_id=0")).await;
    assert_eq!(oldest.len(), 2);
    assert!(own.list(&format!("{path}?older_id={}", oldest[1]["id"])).await.is_empty(), "they are the first");
}
