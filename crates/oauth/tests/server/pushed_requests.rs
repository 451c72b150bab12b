//! Pushed authorization requests (RFC 9126).

use serde_json::Value;
use testkit::{CALLBACK, Request, TestServer, TestTpp, VERIFIER, bank_offered, challenge, parameter};

use crate::ID;
use crate::pages::Browser;

async fn consent(server: &TestServer, tpp: &TestTpp) -> String {
    let asked = tpp.consent(server, &bank_offered("9999-12-31")).await;
    asked["consentId"].as_str().unwrap().to_owned()
}

fn form(consent: &str) -> String {
    let uri: String = form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect();
    format!(
        "response_type=code&redirect_uri={uri}&scope=openid+AIS%3A{consent}&state=pushed\
         &code_challenge={}&code_challenge_method=S256",
        challenge(VERIFIER)
    )
}

fn push(tpp: &TestTpp, form: &str) -> Request {
    Request::new("POST", "/auth/nl/v1/par").set("authorization", tpp.basic()).form(form)
}

/// Where a browser goes with what was pushed.
fn target(pushed: &Value) -> String {
    let reference = pushed["request_uri"].as_str().unwrap().as_bytes();
    let reference: String = form_urlencoded::byte_serialize(reference).collect();
    format!("/auth/nl/v1/auth?client_id={ID}&request_uri={reference}")
}

#[tokio::test]
async fn a_pushed_request_is_used_once_by_its_client() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let other = server.registered("nl", "PSDNL-DNB-R999999").await;
    let customer = server.customer("nl", "student").await;
    let consent = consent(&server, &tpp).await;
    let pushed = server.send(&push(&tpp, &form(&consent))).await;
    assert_eq!((pushed.status, pushed.header("cache-control")), (201, "no-store"), "{}", pushed.body);
    assert_eq!(pushed.json()["expires_in"], 90);
    let reference = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    assert!(reference.starts_with("urn:ietf:params:oauth:request_uri:"), "{reference}");
    let encoded: String = form_urlencoded::byte_serialize(reference.as_bytes()).collect();
    let url = |client: &str, reference: &str| {
        format!("/auth/nl/v1/auth?client_id={client}&request_uri={reference}&state=ignored")
    };
    let get = |target: String| Request::new("GET", &target);
    for (name, target) in [
        ("another client", url(&other.id(), &encoded)),
        ("unknown", url(ID, "urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax")),
    ] {
        let answer = server.send(&get(target)).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (400, "invalid_request_uri"), "{name}");
    }
    let absolute = format!("{}{}", server.url(), url(ID, &encoded));
    let location = server.decide(&absolute, customer["iban"].as_str().unwrap(), "approve").await;
    assert_eq!(parameter(&location, "state").as_deref(), Some("pushed"), "what was pushed counts");
    let again = server.send(&get(url(ID, &encoded))).await;
    assert_eq!(again.error().0, "invalid_request_uri", "once");
}

#[tokio::test]
async fn a_pushed_request_is_used_up_by_a_log_in_and_not_by_a_page_that_loads() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "student").await;
    let form = form(&consent(&server, &tpp).await);
    let pushed = server.send(&push(&tpp, &form)).await.json();
    let target = target(&pushed);
    // A program that shows previews, then the customer, who loads the page again in another browser.
    let preview = Browser::open(&server, &format!("{}{target}", server.url())).await;
    assert_eq!(preview.get("").await.status, 200);
    let mut first = Browser::open(&server, &format!("{}{target}", server.url())).await;
    let mut second = Browser::open(&server, &format!("{}{target}", server.url())).await;
    assert_eq!(first.log_in(&customer).await.status, 303);
    assert_eq!(first.get("").await.status, 200, "the customer who logged in goes on");
    let again = server.send(&Request::new("GET", &target)).await;
    assert_eq!((again.status, again.error().0.as_str()), (400, "invalid_request_uri"));
    let late = second.log_in(&customer).await;
    assert_eq!(late.status, 403, "one log-in is enough: {}", late.body);
    assert_eq!(second.get("").await.status, 403);
    let page = first.get("").await.body;
    let account =
        page.split_once("name=\"account\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let approved = first.submit(&[("action", "approve"), ("account", &account)]).await;
    let location = approved.header("location");
    assert!(parameter(location, "code").is_some(), "{}", approved.body);
    assert_eq!(tpp.redeem(&server, &parameter(location, "code").unwrap()).await.status, 200);
}

#[tokio::test]
async fn a_pushed_request_whose_log_in_failed_can_be_tried_again() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "student").await;
    let form = form(&consent(&server, &tpp).await);
    let pushed = server.send(&push(&tpp, &form)).await.json();
    let url = format!("{}{}", server.url(), target(&pushed));
    let mut first = Browser::open(&server, &url).await;
    let iban = customer["iban"].as_str().unwrap();
    let wrong = first.submit(&[("action", "log-in"), ("iban", iban), ("answer", "000000")]).await;
    assert_eq!(wrong.status, 200, "{}", wrong.body);
    let mut second = Browser::open(&server, &url).await;
    assert_eq!(second.log_in(&customer).await.status, 303);
}

#[tokio::test]
async fn a_pushed_request_is_checked_when_it_is_pushed() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let good = form(&consent(&server, &tpp).await);
    for (name, request, status, code) in [
        ("no credentials", push(&tpp, &good).without("authorization"), 401, "invalid_client"),
        (
            "wrong secret",
            push(&tpp, &good).set("authorization", crate::basic(ID, "x")),
            401,
            "invalid_client",
        ),
        ("another client id", push(&tpp, &format!("{good}&client_id=PSDNL-DNB-1")), 401, "invalid_client"),
        ("a reference inside", push(&tpp, &format!("{good}&request_uri=urn:x")), 400, "invalid_request"),
        ("no challenge", push(&tpp, &good.replace("code_challenge=", "x=")), 400, "invalid_request"),
        ("plain challenge", push(&tpp, &good.replace("S256", "plain")), 400, "invalid_request"),
        ("unregistered URI", push(&tpp, &good.replace("callback", "elsewhere")), 400, "invalid_request"),
        ("no scope", push(&tpp, &good.replace("scope=", "x=")), 400, "invalid_request"),
        ("implicit", push(&tpp, &good.replace("type=code", "type=token")), 400, "unsupported_response_type"),
        ("twice", push(&tpp, &format!("{good}&state=2")), 400, "invalid_request"),
        ("GET", Request::new("GET", "/auth/nl/v1/par"), 405, "invalid_request"),
        ("JSON", push(&tpp, "{}").set("content-type", "application/json"), 415, "invalid_request"),
    ] {
        let answer = server.send(&request).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (status, code), "{name}: {}", answer.body);
        assert!(!answer.error().1.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_pushed_request_expires() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let form = form(&consent(&server, &tpp).await);
    let pushed = server.send(&push(&tpp, &form)).await.json();
    server.advance("nl", "PT91S").await;
    let late = server.send(&Request::new("GET", &target(&pushed))).await;
    assert_eq!(late.error().0, "invalid_request_uri");
}
