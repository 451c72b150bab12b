//! The portal's pages of calls.

use serde_json::{Value, json};
use testkit::{Request, TestServer, TestTpp, detailed};

use crate::portal::look;

/// A consent request whose signature is over another text than it should be.
fn signed_over(tpp: &TestTpp, body: &Value, text: impl Fn(&str) -> String) -> Request {
    let request = tpp.consent_request(body);
    let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
    let right = format!("digest: {}\nx-request-id: {}", header("digest"), header("x-request-id"));
    let value = tpp.signer.key.sign(tpp.signer.algorithm().0, text(&right).as_bytes()).unwrap();
    let (key_id, value) = (&tpp.signer.key_id, eidas::header::to_header_value(&value));
    let names = "headers=\"digest x-request-id\"";
    request.set(
        "signature",
        format!("keyId=\"{key_id}\",algorithm=\"rsa-sha256\",{names},signature=\"{value}\""),
    )
}

/// Sends a call and returns its number.
async fn number(server: &TestServer, request: Request) -> Value {
    server.send(&request).await;
    let (_, list) = server.manage("GET", "/calls?limit=1", Value::Null).await;
    list["calls"][0]["number"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_seen_as_they_come_and_each_says_what_was_wrong() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R123456").await;
    let customer = server.customer("nl", "household").await;
    let body = detailed(customer["iban"].as_str().unwrap(), true);
    let wrong = number(&server, signed_over(&tpp, &body, |right| format!("{right}\n"))).await;
    let plain = number(&server, signed_over(&tpp, &body, |_| "something else".to_owned())).await;
    let secret = "s3cret-0f0f0f0f";
    server.send(&tpp.token_request(&format!("grant_type=refresh_token&refresh_token={secret}"))).await;
    server.send(&tpp.consent_request(&body)).await;
    let more = json!({"wrong": wrong, "plain": plain, "secret": secret, "marked": "↵\n"});
    let Some(found) = look("portal_calls.py", &server, more).await else { return };
    let command = found["command"].as_str().unwrap();
    assert!(command.contains("-X POST") && command.contains("/xs2a-bg/nl/v1/consents"), "{command}");
}

/// Whoever comes by another name of this machine, as a page of somebody else might, sees nothing.
#[tokio::test]
async fn calls_are_shown_at_the_banks_own_addresses_alone() {
    let server = TestServer::start().await;
    server.send(&Request::new("GET", "/marker")).await;
    for path in ["/portal/calls", "/portal/calls/1"] {
        let own = server.send(&Request::new("GET", path).set("accept", "text/html")).await;
        assert!(own.status == 200 && own.body.contains("/marker"), "{path}");
        let foreign = Request::new("GET", path).set("host", "evil.example:8080");
        let foreign = server.send(&foreign).await;
        assert!(!foreign.body.contains("/marker"), "{path}");
    }
    for path in ["/portal/calls.har", "/portal/calls/1.har"] {
        let own = server.send(&Request::new("GET", path)).await;
        assert_eq!(own.json()["log"]["entries"].as_array().unwrap().len(), 1, "{path}");
        let foreign = server.send(&Request::new("GET", path).set("host", "evil.example:8080")).await;
        assert_eq!(foreign.status, 404, "{path}");
        assert!(!foreign.body.contains("marker"), "{path}");
    }
    assert_eq!(server.send(&Request::new("GET", "/portal/calls.har?status=x")).await.status, 400);
    assert_eq!(server.send(&Request::new("GET", "/portal/calls/99")).await.status, 404);
    assert_eq!(server.send(&Request::new("GET", "/portal/calls/x")).await.status, 404);
    let without = TestServer::with(|config| config.record_calls = false).await;
    let page = without.send(&Request::new("GET", "/portal/calls")).await;
    assert!(page.status == 200 && page.body.contains("keeps no calls"), "{}", page.body);
}
