//! Clients, callback URLs, the way of the browser, codes and tokens, the end of a connection.

use serde_json::{Value, json};
use testkit::bunq::{BUNQ, BunqClient, element};
use testkit::{CALLBACK, Request, TestServer, parameter};

#[tokio::test]
async fn a_user_approves_and_the_token_is_a_key_here_and_elsewhere() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let provider = BunqClient::provider(&server, "OAuth AISP PISP").await;
    let url = provider.authorization_url().await;
    let iban = customer["iban"].as_str().unwrap();
    let location = server.decide(&url, iban, "approve").await;
    assert!(location.starts_with(&format!("{CALLBACK}?code=")), "{location}");
    assert_eq!(parameter(&location, "state").as_deref(), Some("s 1"));
    assert_eq!(parameter(&location, "iss"), None);
    let code = parameter(&location, "code").unwrap();
    assert!(code.len() == 64 && code.bytes().all(|b| b.is_ascii_hexdigit()));
    let answer = provider.exchange(&code).await;
    let token = answer.json();
    assert_eq!((token["token_type"].as_str(), token["state"].as_str()), (Some("bearer"), Some("s 1")));
    let token = token["access_token"].as_str().unwrap().to_owned();
    // On the provider's own installation, without a device; and on a new one, with it.
    let here = provider.clone().session(&token).await;
    let elsewhere = BunqClient::install(&server).await.open(&token).await;
    assert_eq!(here.user, elsewhere.user);
    let user = element(&here.get("/user").await, "UserApiKey");
    assert_eq!(user["requested_by_user"]["UserPaymentServiceProvider"]["id"], provider.user);
    let granting = &user["granted_by_user"]["UserPerson"];
    assert_eq!(
        (&granting["id"], granting["display_name"].as_str()),
        (&customer["bunq"]["userId"], Some("J. Jansen"))
    );
    // Both numbers lead to the accounts.
    for user in [here.user, granting["id"].as_i64().unwrap()] {
        let accounts = here.list(&format!("/user/{user}/monetary-account")).await;
        assert_eq!(accounts.len(), 2, "the current and the savings account");
        let person = here.get(&format!("/user/{user}")).await;
        assert_eq!(person.status, 200, "{}", person.body);
    }
    // A second exchange of the code ends what came from it.
    assert_eq!(provider.exchange(&code).await.json()["error"], "invalid_grant");
    assert_eq!(here.get("/user").await.status, 403);
}

#[tokio::test]
async fn a_refusal_goes_back_with_its_state() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let provider = BunqClient::provider(&server, "Refused AISP").await;
    let url = provider.authorization_url().await;
    let location = server.decide(&url, customer["iban"].as_str().unwrap(), "reject").await;
    assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&location, "state").as_deref(), Some("s 1"));
    assert_eq!(parameter(&location, "code"), None);
}

#[tokio::test]
async fn a_client_has_callbacks_that_can_be_changed() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Callbacks AISP").await;
    let clients = format!("/user/{}/oauth-client", provider.user);
    let id = provider.make(&clients, &json!([])).await;
    let callbacks = format!("{clients}/{id}/callback-url");
    let first = provider.make(&callbacks, &json!({"url": "https://one.example/cb"})).await;
    let second = provider.make(&callbacks, &json!({"url": "http://127.0.0.1:8765/cb"})).await;
    let again = provider.post(&callbacks, &json!({"url": "https://one.example/cb"})).await;
    assert!(
        again.body.contains("The Callback URL has already been registered for this Client."),
        "{}",
        again.body
    );
    let changed =
        provider.put(&format!("{callbacks}/{first}"), &json!({"url": "https://two.example/cb"})).await;
    assert_eq!(changed.status, 200);
    let deleted = provider.send(&provider.request("DELETE", &format!("{callbacks}/{second}"), None)).await;
    assert_eq!(deleted.status, 200);
    let listed = provider.list(&callbacks).await;
    assert_eq!((listed.len(), listed[0]["url"].as_str()), (1, Some("https://two.example/cb")));
    let client = provider.list(&format!("{clients}/{id}")).await.remove(0);
    assert_eq!(client["callback_url"][0]["url"], "https://two.example/cb");
    let second = provider.post(&clients, &json!({"status": "ACTIVE"})).await;
    assert!(second.body.contains("You can only have one active OAuth Client registered."), "{}", second.body);
    assert_eq!(provider.put(&format!("{clients}/{id}"), &json!({"status": "CANCELLED"})).await.status, 200);
    assert!(provider.make(&clients, &json!({})).await > id);
}

#[tokio::test]
async fn the_page_refuses_what_is_wrong_and_never_redirects_it() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Page AISP").await;
    let url = provider.authorization_url().await;
    let target = url.strip_prefix(server.url()).unwrap();
    let right = server.send(&Request::new("GET", target)).await;
    assert_eq!(right.status, 302);
    assert!(right.header("location").ends_with("/auth/internalonly/authorise.html"));
    let client_id = provider.oauth_client().await["client_id"].as_str().unwrap().to_owned();
    for (wrong, text) in [
        (target.replace("code&", "token&"), "must be &#34;code&#34;"),
        (target.replace(&client_id, &"0".repeat(64)), "names no active OAuth client"),
        (target.replace("callback", "callback2"), "character by character"),
        (target.replace("callback", "callback%2F"), "character by character"),
        (target.replace("response_type=code&", ""), "&#34;response_type&#34; is required"),
        (format!("{target}&state=again"), "more than once"),
        (format!("{}&state={}", target.replace("&state=s%201", ""), "x".repeat(2001)), "longer than 2000"),
    ] {
        let answer = server.send(&Request::new("GET", &wrong)).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.body.contains(text), "{wrong}: {}", answer.body);
        assert_eq!(answer.header("location"), "");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    }
    let cancelled = format!("/user/{}/oauth-client/{}", provider.user, provider.oauth_client().await["id"]);
    assert_eq!(provider.put(&cancelled, &json!({"status": "CANCELLED"})).await.status, 200);
    assert_eq!(server.send(&Request::new("GET", target)).await.status, 400);
}

/// Whoever keeps a secret of a client learns from the bank whether it is still that one.
#[tokio::test]
async fn a_bank_for_tests_tells_by_which_secret_a_client_is_known() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Kept AISP").await;
    let told = async || {
        let (status, answer) = server.manage("GET", "/third-parties", Value::Null).await;
        let [party] = &answer["thirdParties"].as_array().unwrap()[..] else { panic!("{answer}") };
        assert_eq!(
            (status, &party["clientSecretDigest"]),
            (200, &Value::Null),
            "nothing of another interface"
        );
        party["bunq"].clone()
    };
    let beginning = |client: &Value| {
        let hash = gateway::secret_hash(client["secret"].as_str().unwrap());
        json!({"clientSecretDigest": &hash.as_hex()[..16]})
    };
    assert_eq!(told().await, Value::Null, "it has no client");
    let first = provider.oauth_client().await;
    assert_eq!(told().await, beginning(&first));
    let clients = format!("/user/{}/oauth-client", provider.user);
    let cancelled =
        provider.put(&format!("{clients}/{}", first["id"]), &json!({"status": "CANCELLED"})).await;
    assert_eq!((cancelled.status, told().await), (200, Value::Null), "{}", cancelled.body);
    provider.make(&clients, &json!({"status": "ACTIVE"})).await;
    let second = element(&provider.get(&clients).await, "OauthClient");
    assert_eq!(told().await, beginning(&second));
    assert_ne!(beginning(&first), beginning(&second));
}

#[tokio::test]
async fn the_token_endpoint_says_what_is_wrong_as_oauth_does() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let provider = BunqClient::provider(&server, "Token AISP").await;
    let other = BunqClient::provider(&server, "Thief AISP").await;
    let client = provider.oauth_client().await;
    let thief = other.oauth_client().await;
    let location = server
        .decide(&provider.authorization_url().await, customer["iban"].as_str().unwrap(), "approve")
        .await;
    let code = parameter(&location, "code").unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let right = format!(
        "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Ftpp.example%2Fcallback&client_id={}&client_secret={}",
        text(&client["client_id"]),
        text(&client["secret"])
    );
    let send = |query: String| {
        let request = Request::new("POST", &format!("{BUNQ}/token?{query}"));
        let server = &server;
        async move { server.send(&request).await }
    };
    for (wrong, error) in [
        (right.replace("authorization_code", "refresh_token"), "unsupported_grant_type"),
        (right.replace("grant_type=authorization_code&", ""), "invalid_request"),
        (right.replace(&code, &"0".repeat(64)), "invalid_grant"),
        (right.replace("callback", "other"), "invalid_grant"),
        (right.replace(&text(&client["secret"]), &"0".repeat(64)), "invalid_client"),
        (right.replace(&text(&client["client_id"]), &"0".repeat(64)), "invalid_client"),
        (
            right
                .replace(&text(&client["client_id"]), &text(&thief["client_id"]))
                .replace(&text(&client["secret"]), &text(&thief["secret"])),
            "invalid_grant",
        ),
        (format!("{right}&code=x"), "invalid_request"),
    ] {
        let answer = send(wrong.clone()).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (400, Some(error)),
            "{wrong}: {}",
            answer.body
        );
        assert!(!answer.json()["error_description"].as_str().unwrap().is_empty());
    }
    assert_eq!(server.send(&Request::new("GET", &format!("{BUNQ}/token?{right}"))).await.status, 405);
    // The same in a form.
    let request = Request::new("POST", &format!("{BUNQ}/token")).form(&right);
    assert_eq!(server.send(&request).await.status, 200);
}

#[tokio::test]
async fn a_code_is_good_for_a_short_while() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let provider = BunqClient::provider(&server, "Late AISP").await;
    let url = provider.authorization_url().await;
    let location = server.decide(&url, customer["iban"].as_str().unwrap(), "approve").await;
    server.advance("nl", "PT10M").await;
    let answer = provider.exchange(&parameter(&location, "code").unwrap()).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_grant")));
}

#[tokio::test]
async fn a_connection_ends_after_ninety_days_or_when_the_user_says_so() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let provider = BunqClient::provider(&server, "Ended AISP").await;
    let own = provider.key.clone();
    let connected = provider.connect(&server, &customer).await;
    let (_, consents) = server
        .manage("GET", &format!("/consents?iban={}", customer["iban"].as_str().unwrap()), json!(null))
        .await;
    let consent = &consents["consents"][0];
    assert_eq!(consent["consentStatus"], "valid");
    assert_eq!(consent["tpp"], "/CN=Ended AISP/C=NL");
    let path = format!("/consents/{}/revocation", consent["consentId"].as_str().unwrap());
    assert_eq!(server.manage("POST", &path, json!(null)).await.0, 200);
    let refused = connected.get("/user").await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let client = BunqClient::install(&server).await;
    let refused = client.post("/session-server", &json!({"secret": connected.key})).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("User credentials are incorrect"), "{}", refused.body);
    let again = provider.clone().session(&own).await.connect(&server, &customer).await;
    assert_eq!(again.get("/user").await.status, 200);
    server.advance("nl", "P91D").await;
    // Another installation: one with which no session was opened is forgotten meanwhile.
    let client = BunqClient::install(&server).await;
    let refused = client.post("/session-server", &json!({"secret": again.key})).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    // A client that is cancelled takes all its connections with it.
    let provider = provider.session(&own).await;
    let connected = provider.connect(&server, &customer).await;
    let path = format!("/user/{}/oauth-client/{}", provider.user, provider.oauth_client().await["id"]);
    assert_eq!(provider.put(&path, &json!({"status": "CANCELLED"})).await.status, 200);
    assert_eq!(connected.get("/user").await.status, 403);
}
