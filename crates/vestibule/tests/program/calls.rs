//! `/calls` of the management API: the requests that a sandbox received, with secrets masked.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::bunq::BunqClient;
use testkit::{Request, TestServer, detailed};

const ID: &str = "PSDNL-DNB-R123456";

/// The calls that a query finds.
async fn calls(server: &TestServer, query: &str) -> Vec<Value> {
    let (status, body) = server.manage("GET", &format!("/calls?{query}"), Value::Null).await;
    assert_eq!(status, 200, "{body}");
    body["calls"].as_array().unwrap().clone()
}

/// The last call in full.
async fn last(server: &TestServer) -> Value {
    let number = calls(server, "limit=1").await[0]["number"].clone();
    let (status, call) = server.manage("GET", &format!("/calls/{number}"), Value::Null).await;
    assert_eq!(status, 200, "{call}");
    call
}

#[tokio::test]
async fn a_call_is_kept_with_what_came_what_went_and_what_was_checked() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let request = tpp.consent_request(&detailed(customer["iban"].as_str().unwrap(), true));
    let answer = request.exchange(&server.http, server.url()).await;
    let call = last(&server).await;
    assert_eq!(call["status"], 201, "{call}");
    assert_eq!((&call["method"], &call["target"]), (&json!("POST"), &json!("/xs2a-bg/nl/v1/consents")));
    assert_eq!(call["route"], "/xs2a-bg/{tenant}/v1/consents");
    assert_eq!((&call["thirdParty"], &call["interface"]), (&json!(ID), &json!("berlin-group")));
    assert_eq!(call["requestId"], answer.header("x-request-id"));
    assert_eq!(call["origin"], server.url());
    assert!(call["milliseconds"].as_f64().unwrap() > 0.0);
    assert_eq!(call["request"]["body"].as_str().unwrap().as_bytes(), request.body);
    assert_eq!(call["response"]["body"], answer.body);
    let checks = call["checks"].as_array().unwrap();
    let names: Vec<_> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    let expected = [
        "request_id",
        "certificate",
        "organization",
        "registration",
        "role",
        "validity",
        "status",
        "standing",
        "signature_header",
        "key_id",
        "algorithm",
        "signed_headers",
        "signature_time",
        "signature",
        "digest",
        "fresh_request_id",
    ];
    let mut sorted = (names.clone(), expected.to_vec());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    assert_eq!(sorted.0, sorted.1);
    assert!(checks.iter().all(|check| check["passed"] == true), "{call}");
    assert!(call["why"].is_null() && call["clause"].is_null() && call["code"].is_null());
    let comparison = &call["comparison"];
    assert_eq!(comparison["expected"], comparison["got"], "{comparison}");
    assert!(comparison["expected"].as_str().unwrap().starts_with("digest: SHA-256="), "{comparison}");
}

#[tokio::test]
async fn filters_and_what_is_wrong_with_them() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let unknown = tpp.request("GET", "/v1/consents/0f0f0f0f-0000-4000-8000-000000000001");
    server.send(&unknown.set("x-request-id", "one").signed(&tpp.signer)).await;
    server.send(&Request::new("GET", "/bunq/v1/user/7")).await;
    server.send(&Request::new("GET", "/nothing")).await;
    for (query, least, holds) in [
        ("", 5, "\"number\""),
        ("third_party=PSDNL-DNB-R123456&limit=1", 1, "PSDNL-DNB-R123456"),
        ("third_party=psdnl-dnb-r123456&limit=1", 1, "PSDNL-DNB-R123456"),
        ("interface=bunq", 1, "/bunq/v1/user/7"),
        ("dialect=bunq", 1, "/bunq/v1/user/7"),
        ("path=%2Fnothing", 1, "not_found"),
        ("status=404", 1, "/nothing"),
        ("status=4xx", 3, "CONSENT_UNKNOWN"),
        ("failed=true", 3, "CONSENT_UNKNOWN"),
        ("failed=false&status=2xx", 2, "registration"),
        ("request_id=one", 1, "\"one\""),
    ] {
        let found = calls(&server, query).await;
        assert!(found.len() >= least, "{query}: {found:?}");
        assert!(json!(found).to_string().contains(holds), "{query}: {found:?}");
    }
    assert!(calls(&server, "third_party=PSDNL-DNB-R9&failed=true").await.is_empty());
    assert_eq!(calls(&server, "path=nothing&failed=true&limit=500").await.len(), 1);
    let all = calls(&server, "").await;
    let number = |call: &Value| call["number"].as_u64().unwrap();
    assert!(all.is_sorted_by_key(|call| std::cmp::Reverse(number(call))), "the newest first");
    let older = calls(&server, &format!("before={}", number(&all[0]))).await;
    assert_eq!(older[..], all[1..]);
    assert_eq!(calls(&server, &format!("after={}", number(&all[1]))).await[..], all[..1]);
    for (path, expected, text) in [
        ("/calls?colour=red", 400, "\"colour\" is not known"),
        ("/calls?limit=0", 400, "from 1 to 500"),
        ("/calls?limit=ten", 400, "from 1 to 500"),
        ("/calls?status=bad", 400, "such as 4xx"),
        ("/calls?failed=yes", 400, "true or false"),
        ("/calls?before=x", 400, "in digits"),
        ("/calls?path=a&path=b", 400, "more than once"),
        ("/calls.har?limit=x", 400, "from 1 to 500"),
        ("/calls/stream?status=x", 400, "such as 4xx"),
        ("/calls/999999", 404, "there is no call 999999"),
        ("/calls/999999.har", 404, "there is no call 999999"),
        ("/calls/first", 400, "in digits"),
        ("/calls/-1", 400, "in digits"),
    ] {
        let (status, body) = server.manage("GET", path, Value::Null).await;
        assert_eq!(status, expected, "{path}: {body}");
        assert!(body["message"].as_str().unwrap().contains(text), "{path}: {body}");
    }
    assert_eq!(server.manage("POST", "/calls", json!({})).await.0, 405);
}

/// Addresses that somebody logs in by, or that have a token, at every door that takes one.
async fn send_secret_addresses(server: &TestServer, tpp: &testkit::TestTpp, iban: &str) {
    let address = "https://user:s3cret-of-a-user@tpp.example/cb;access_token=s3cret-of-a-path";
    let encoded: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
    let form = format!("initial_access_token=x&redirect_uris={encoded}");
    for request in [
        Request::new("GET", "/xs2a-bg/nl;access_token=s3cret-of-a-path/v1/accounts;token=s3cret-of-a-path"),
        Request::new("GET", &format!("/auth/nl/v1/auth?client_id={ID}&redirect_uri={encoded}")),
        Request::new("GET", &format!("/bunq/auth?client_id=x&redirect_uri={encoded}")),
        Request::new("POST", &format!("/bunq/v1/token?redirect_uri={encoded}")),
        Request::new("POST", "/auth/nl/v1/registration").form(&form),
        Request::new("POST", "/auth/nl/v1/token")
            .form(&format!("password=a;s3cret-of-a-user&redirect_uri={encoded}")),
        tpp.consent_request(&detailed(iban, true)).set("tpp-redirect-uri", address).signed(&tpp.signer),
        Request::new("POST", "/bunq/v1/installation")
            .body("application/json", json!({"client_public_key": {"x": address}}).to_string()),
    ] {
        let answer = server.send(&request).await;
        assert!(answer.status >= 400, "{} {}: {}", request.method, request.target, answer.body);
    }
}

/// Names of secrets as clients write them, in bodies of each kind.
async fn send_secret_names(server: &TestServer) {
    let part = |name: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\ns3cret-of-a-name\r\n")
    };
    let parts = part("client_secret[]") + &part("user.Password") + "--x--\r\n";
    for request in [
        Request::new("POST", "/auth/nl/v1/token").form(
            "client_secret[]=s3cret-of-a-name&Client%2DSecret%5B0%5D=s3cret-of-a-name&user[password]=s3cret-of-a-name\
             &new_password=s3cret-of-a-name&number=s3cret-of-a-name&code[]=s3cret-of-a-name",
        ),
        Request::new("POST", "/auth/nl/v1/token").body("multipart/form-data; boundary=x", parts),
        Request::new("GET", "/auth/nl/v1/auth?credentials[PASSWORD][]=s3cret-of-a-name&oauth_token=s3cret-of-a-name"),
        Request::new("GET", "/auth/nl%3Baccess_token%3Ds3cret-of-a-name/v1/auth"),
        Request::new("POST", "/bunq/v1/installation").body(
            "application/json",
            json!({"client_public_key": [{"password": {"value": ["s3cret-of-a-name"]}}, {"Secret[]": "s3cret-of-a-name"}],
                   "digipassNumber": "s3cret-of-a-name"})
            .to_string(),
        ),
    ] {
        let answer = server.send(&request).await;
        assert!(answer.status >= 400, "{} {}: {}", request.method, request.target, answer.body);
    }
}

/// Everything that is secret, at every place where it comes by.
#[tokio::test]
async fn no_secret_is_kept() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let consent = tpp.valid(&server, &detailed(iban, true), iban).await;
    server.send(&tpp.read("/v1/accounts", &consent)).await;
    let refreshed = tpp.refreshed(&server, &consent).await;
    let payer = BunqClient::customer(&server, &customer).await;
    payer.get("/v1/user").await;
    let provider = BunqClient::provider(&server, "Example PISP AISP 7").await;
    let client = provider.oauth_client().await;
    // A signing string may hold a token, and the bank's text on it repeats both.
    let covered = tpp.get("/v1/accounts").set("authorization", "Bearer s3cret-of-a-header");
    let covered = covered.sign(&tpp.signer, "digest x-request-id authorization");
    let repeated = server.send(&covered.set("authorization", "Bearer another-s3cret-of-a-header")).await;
    assert!(repeated.body.contains("another-s3cret-of-a-header"), "{}", repeated.body);
    send_secret_addresses(&server, &tpp, iban).await;
    send_secret_names(&server).await;
    let (_, all) = server.manage("GET", "/calls.har?limit=500", Value::Null).await;
    let entries = all["log"]["entries"].as_array().unwrap();
    let mut everything = all.to_string();
    for number in 1..=entries.len() {
        everything += &server.manage("GET", &format!("/calls/{number}"), Value::Null).await.1.to_string();
    }
    let secrets = [
        consent.access_token.as_str(),
        consent.refresh_token.as_str(),
        refreshed.access_token.as_str(),
        refreshed.refresh_token.as_str(),
        client["secret"].as_str().unwrap(),
        &tpp.basic()["Basic ".len()..],
        "s3cret-of-a-header",
        "s3cret-of-a-user",
        "s3cret-of-a-path",
        "s3cret-of-a-name",
        customer["digipassNumber"].as_str().unwrap(),
    ];
    for secret in secrets {
        assert!(secret.len() > 8, "{secret}");
        assert!(!everything.contains(secret), "{secret} is kept");
    }
    // Nor anything that merely looks like one.
    for entry in entries {
        let text = entry.to_string();
        let is_secret = |name: &str| {
            ["authorization", "cookie", "set-cookie", "x-bunq-client-authentication"].contains(&name)
        };
        for part in ["request", "response"] {
            for field in entry[part]["headers"].as_array().unwrap() {
                if is_secret(field["name"].as_str().unwrap()) {
                    assert!(field["value"].as_str().unwrap().contains("***"), "{field}");
                }
            }
        }
        for name in
            ["access_token", "refresh_token", "id_token", "client_secret", "token", "api_key", "token_value"]
        {
            let member = format!("\\\"{name}\\\":\\\"");
            for (at, _) in text.match_indices(&member) {
                assert!(text[at + member.len()..].starts_with("***"), "{name}: {text}");
            }
        }
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
    assert!(everything.contains("***"));
}

#[tokio::test]
async fn an_archive_of_calls() {
    let server = TestServer::start().await;
    server.registered("nl", ID).await;
    server.send(&Request::new("GET", "/auth/nl/v1/auth?client_id=x&state=y%20z&code=s3cret")).await;
    let (status, one) = server.manage("GET", "/calls.har?path=%2Fv1%2Fauth&limit=1", Value::Null).await;
    assert_eq!((status, &one["log"]["version"]), (200, &json!("1.2")));
    let entry = &one["log"]["entries"][0];
    let url = format!("{}/auth/nl/v1/auth?client_id=x&state=y%20z&code=***", server.url());
    assert_eq!(entry["request"]["url"], url);
    assert_eq!(entry["request"]["queryString"][1], json!({"name": "state", "value": "y z"}));
    assert_eq!(entry["response"]["status"], 400);
    assert!(entry["time"].as_f64().unwrap() > 0.0);
    assert!(entry["startedDateTime"].as_str().unwrap().contains('T'));
    let number = calls(&server, "path=%2Fv1%2Fauth&limit=1").await[0]["number"].clone();
    let (_, same) = server.manage("GET", &format!("/calls/{number}.har"), Value::Null).await;
    assert_eq!(same, one);
    let (_, all) = server.manage("GET", "/calls.har", Value::Null).await;
    let entries = all["log"]["entries"].as_array().unwrap();
    assert!(entries.len() >= 3);
    assert!(entries.is_sorted_by_key(|entry| entry["startedDateTime"].as_str().unwrap().to_owned()));
    for entry in entries {
        for member in ["startedDateTime", "time", "request", "response", "cache", "timings"] {
            assert!(!entry[member].is_null(), "{member}: {entry}");
        }
    }
}

/// Reads events until one holds a text.
async fn event(stream: &mut reqwest::Response, holds: &str) -> String {
    let mut all = String::new();
    let reading = async {
        while !all.contains(holds) || !all.ends_with("\n\n") {
            let chunk = stream.chunk().await.unwrap().unwrap_or_else(|| panic!("it ended with {all}"));
            all += std::str::from_utf8(&chunk).unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.unwrap();
    all
}

#[tokio::test]
async fn calls_as_they_come() {
    let server = TestServer::start().await;
    let management = server.running.addresses.management.clone();
    let listen = async |query: &str, seen: Option<&str>| {
        let mut request = server.http.get(format!("{management}/calls/stream{query}"));
        if let Some(seen) = seen {
            request = request.header("last-event-id", seen);
        }
        request.send().await.unwrap()
    };
    server.send(&Request::new("GET", "/before")).await;
    let mut all = listen("", None).await;
    assert_eq!(all.headers()["content-type"], "text/event-stream");
    let mut failed = listen("?failed=true&path=nothing", None).await;
    server.send(&Request::new("GET", "/bunq/openapi.json")).await;
    server.send(&Request::new("GET", "/nothing")).await;
    let told = event(&mut all, "/nothing").await;
    assert!(
        told.contains("event: call\n") && told.contains("openapi.json") && !told.contains("/before"),
        "{told}"
    );
    let only = event(&mut failed, "/nothing").await;
    assert!(!only.contains("openapi"), "{only}");
    let number: u64 = only.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().parse().unwrap();
    let before = (number - 1).to_string();
    let again = event(&mut listen("", Some(&before)).await, "/nothing").await;
    assert!(again.contains(&format!("id: {number}\n")) && !again.contains("openapi"), "{again}");
    let (status, body) = {
        let answer = listen("", Some("x")).await;
        (answer.status(), answer.text().await.unwrap())
    };
    assert!(status == 400 && body.contains("Last-Event-ID must be the number"), "{body}");
    // Listeners have places, which are free again when they are gone.
    let mut others = Vec::new();
    let refused = loop {
        let answer = listen("", None).await;
        if answer.status() != 200 {
            break answer;
        }
        others.push(answer);
        assert!(others.len() < 100);
    };
    assert_eq!(refused.status(), 429);
    assert!(refused.text().await.unwrap().contains("too_many_listeners"));
    drop(others);
    let mut free = listen("", None).await;
    for _ in 0..600 {
        if free.status() == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        free = listen("", None).await;
    }
    assert_eq!(free.status(), 200, "places of listeners who are gone are free");
    // The bank stops although somebody listens.
    let stopping = tokio::time::timeout(Duration::from_secs(60), server.running.stop());
    stopping.await.expect("a listener holds the bank up");
    while free.chunk().await.unwrap().is_some() {}
}

#[tokio::test]
async fn bodies_have_bounds_and_pages_are_not_kept() {
    let server = TestServer::start().await;
    let long = "x".repeat(40_000);
    server.send(&Request::new("POST", "/auth/nl/v1/token").form(&format!("grant_type={long}"))).await;
    let call = last(&server).await;
    assert_eq!(call["request"]["octets"], 40_011);
    assert_eq!(call["request"]["body"].as_str().unwrap().len(), 16 * 1024);
    assert_eq!(call["request"]["omitted"], "only the beginning of the body is kept");
    let page = Request::new("GET", "/auth/nl/v1/auth").set("accept", "text/html");
    server.send(&page).await;
    let call = last(&server).await;
    assert!(call["response"]["body"].is_null() && call["response"]["octets"].as_u64() > Some(100), "{call}");
    assert_eq!(call["response"]["omitted"], "pages of the bank are not kept");
    server.send(&Request::new("POST", "/xs2a-bg/nl/v1/consents").body("application/json", "{\"a\":1}")).await;
    let call = last(&server).await;
    assert_eq!(call["request"]["omitted"], "the bank answered without reading the whole body");
    // Pages that show calls are none of them.
    server.send(&Request::new("GET", "/")).await;
    server.send(&Request::new("GET", "/assets/style.css")).await;
    assert_eq!(last(&server).await["number"], call["number"]);
}

#[tokio::test]
async fn without_the_switch_there_are_no_calls() {
    let server = TestServer::with(|config| config.record_calls = false).await;
    server.send(&Request::new("GET", "/nothing")).await;
    assert_eq!(server.manage("GET", "/calls", Value::Null).await.0, 404);
}
