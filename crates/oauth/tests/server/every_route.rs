//! Every operation of the authorization server, as its description tells them, and who may call it. An operation without a
//! row here fails, and so does a row without an operation.

use serde_json::json;
use testkit::{Answer, Request, TestServer, TestTpp};

use crate::{ID, basic};

/// Anybody may call these.
const FOR_ANYBODY: &[&str] =
    &["GET /{tenant}/.well-known/openid-configuration", "GET /{tenant}/v1/jwks", "GET /openapi.json"];

/// Browsers come here; what they bring is looked at and not who they are.
/// An authorization request without a client is wrong, and without one there is no page to see or to send.
const FOR_BROWSERS: &[(&str, u16)] = &[
    ("GET /{tenant}/v1/auth", 400),
    ("POST /{tenant}/v1/auth", 400),
    ("GET /internalonly/authorise.html", 403),
    ("POST /internalonly/authorise.html", 403),
    ("GET /internalonly/callback", 403),
    ("GET /{tenant}/customer", 200),
    ("POST /{tenant}/customer", 403),
    ("GET /{tenant}/customer/log-in", 403),
    ("GET /{tenant}/customer/callback", 403),
    ("GET /{tenant}/customer/accounts/{account}", 403),
    ("GET /{tenant}/customer/access", 403),
    ("GET /{tenant}/customer/payments", 403),
    ("GET /{tenant}/customer/access/{consent}", 403),
    ("POST /{tenant}/customer/access/{consent}", 403),
    ("GET /{tenant}/customer/payments/{payment}", 403),
    ("POST /{tenant}/customer/payments/{payment}", 403),
];

/// With a token: the initial access token for a registration, an access token for the rest.
const WITH_TOKEN: &[&str] =
    &["POST /{tenant}/v1/registration", "GET /{tenant}/v1/userinfo", "POST /{tenant}/v1/userinfo"];

/// With the credentials of a client.
const FOR_CLIENTS: &[&str] =
    &["POST /{tenant}/v1/par", "POST /{tenant}/v1/token", "POST /{tenant}/v1/token/revoke"];

/// With the credentials of a service of the bank, which a bank for tests alone has.
const FOR_SERVICES: &[&str] = &["POST /{tenant}/v1/introspect"];

fn call(operation: &str) -> Request {
    let (method, path) = operation.split_once(' ').unwrap();
    Request::new(method, &format!("/auth{}", path.replace("{tenant}", "nl")))
}

/// The same with a body that is right for each of them.
fn form(operation: &str) -> Request {
    let form =
        format!("grant_type=authorization_code&code=7&redirect_uri=x&code_verifier=y&token=7&client_id={ID}");
    if operation.starts_with("GET") { call(operation) } else { call(operation).form(&form) }
}

fn hold(operation: &str, answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.error().0.as_str()), (status, code), "{operation}: {}", answer.body);
}

#[tokio::test]
async fn no_operation_is_without_a_row() {
    let server = TestServer::start().await;
    let mut described = server.operations("/auth").await;
    let for_services = if testkit::is_served() { &[] } else { FOR_SERVICES };
    let mut rows = [FOR_ANYBODY, WITH_TOKEN, FOR_CLIENTS, for_services].concat();
    rows.extend(FOR_BROWSERS.iter().map(|(operation, _)| operation));
    described.sort();
    rows.sort_unstable();
    assert_eq!(rows, described);
}

#[tokio::test]
async fn what_anybody_may_call_asks_for_nothing() {
    let server = TestServer::start().await;
    for operation in FOR_ANYBODY {
        let answer = server.send(&call(operation)).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
    }
}

/// Without a request that began somewhere there is no page, and nobody is sent anywhere.
#[tokio::test]
async fn browsers_get_a_page_that_says_no() {
    let server = TestServer::start().await;
    for (operation, status) in FOR_BROWSERS {
        let answer = server.send(&form(operation).set("accept", "text/html")).await;
        let is_page = answer.header("content-type").starts_with("text/html");
        assert!(is_page && answer.header("location").is_empty(), "{operation}: {}", answer.body);
        assert_eq!(answer.status, *status, "{operation}: {}", answer.body);
    }
}

#[tokio::test]
async fn tokens_are_asked_for() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    for operation in WITH_TOKEN {
        let with = |value: &str| form(operation).certificate(&tpp.signer).set("authorization", value);
        let (none, unknown) = match operation.ends_with("userinfo") {
            true => ((400, "invalid_token"), (400, "invalid_token")),
            false => ((401, "invalid_request"), (401, "invalid_token")),
        };
        let answer = server.send(&form(operation).certificate(&tpp.signer)).await;
        hold(operation, &answer, none.0, none.1);
        let answer = server.send(&with("Bearer 00000000-0000-4000-8000-000000000000")).await;
        hold(operation, &answer, unknown.0, unknown.1);
        hold(operation, &server.send(&with("Bearer")).await, 400, "Invalid HTTP Authorization header value");
    }
}

#[tokio::test]
async fn clients_prove_who_they_are() {
    let server = TestServer::start().await;
    let tpp: TestTpp = server.registered("nl", ID).await;
    for operation in FOR_CLIENTS {
        let with = |id: &str, secret: &str| form(operation).set("authorization", basic(id, secret));
        hold(operation, &server.send(&form(operation)).await, 401, "invalid_client");
        hold(operation, &server.send(&with(ID, "wrong")).await, 401, "invalid_client");
        hold(operation, &server.send(&with("PSDNL-DNB-R000009", &tpp.secret)).await, 401, "invalid_client");
        let answer = server.send(&with(ID, &tpp.secret)).await;
        let is_passed = answer.status < 500 && answer.status != 401;
        assert!(is_passed, "{operation}: {} {}", answer.status, answer.body);
    }
}

#[tokio::test]
async fn services_prove_who_they_are() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (status, service) = server.manage("POST", "/resource-servers", json!({"id": "ledger"})).await;
    assert_eq!(status, 201, "{service}");
    let secret = service["secret"].as_str().unwrap();
    for operation in FOR_SERVICES {
        let with = |id: &str, secret: &str| form(operation).set("authorization", basic(id, secret));
        hold(operation, &server.send(&form(operation)).await, 401, "invalid_client");
        hold(operation, &server.send(&with("ledger", "wrong")).await, 401, "invalid_client");
        // A client is no service.
        hold(operation, &server.send(&with(ID, &tpp.secret)).await, 401, "invalid_client");
        let answer = server.send(&with("ledger", secret)).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"active": false})), "{operation}");
    }
}
