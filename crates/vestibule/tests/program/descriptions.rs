//! The descriptions of the interfaces: what is described is served, and what is served is described.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::{Answer, Request, TestServer};
use vestibule::profiles::RateLimits;

/// The text of a refusal in any interface's format.
fn text(answer: &Answer) -> String {
    let json = answer.json();
    match json["Error"][0]["error_description"].as_str() {
        Some(text) => text.to_owned(),
        None => answer.error().1,
    }
}

async fn description(server: &TestServer, prefix: &str) -> Value {
    let answer = server.send(&Request::new("GET", &format!("{prefix}/openapi.json"))).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.body);
    let description = answer.json();
    assert_eq!(description["openapi"], "3.0.3");
    assert_eq!(description["servers"][0]["url"], format!("{}{prefix}", server.url()));
    description
}

#[tokio::test]
async fn every_operation_that_is_described_is_served_and_no_other_one() {
    let server = TestServer::with(|config| config.rate_limits = RateLimits::Off).await;
    for (prefix, least) in [("/xs2a-bg", 20), ("/auth", 14), ("/bunq", 120)] {
        let description = description(&server, prefix).await;
        let unknown = server.send(&Request::new("GET", &format!("{prefix}/v1/no/such/path"))).await;
        assert_eq!(unknown.status, 404, "{prefix}");
        let (mut ids, mut count) = (BTreeSet::new(), 0);
        for (path, operations) in description["paths"].as_object().unwrap() {
            let part = |part: &str| match part {
                "{tenant}" => "nl".to_owned(),
                name if name.starts_with('{') => "6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11".to_owned(),
                other => other.to_owned(),
            };
            let target: Vec<String> = path.split('/').map(part).collect();
            let target = format!("{prefix}{}", target.join("/"));
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
                let answer = server.send(&Request::new(method, &target)).await;
                let operation = &operations[method.to_ascii_lowercase()];
                if operation.is_null() {
                    // A path of payments that ends before the id of one is unknown.
                    let lacks_id =
                        path.ends_with("payments/{product}") && !matches!(method, "POST" | "PATCH");
                    assert_eq!(
                        answer.status,
                        if lacks_id { 404 } else { 405 },
                        "{method} {path}: {}",
                        answer.body
                    );
                    continue;
                }
                let is_served =
                    answer.status != 405 && (answer.status != 404 || text(&answer) != text(&unknown));
                assert!(
                    is_served && answer.status < 500,
                    "{method} {path}: {} {}",
                    answer.status,
                    answer.body
                );
                let names = operation["parameters"].as_array().unwrap().iter();
                let names = names.filter(|one| one["in"] == "path").map(|one| one["name"].as_str().unwrap());
                let named: Vec<_> = path.split('/').filter_map(|part| part.strip_prefix('{')).collect();
                assert_eq!(names.map(|name| format!("{name}}}")).collect::<Vec<_>>(), named, "{path}");
                assert!(!operation["summary"].as_str().unwrap().is_empty());
                assert!(operation["responses"].as_object().unwrap().len() >= 2);
                assert!(ids.insert(operation["operationId"].to_string()), "{}", operation["operationId"]);
                count += 1;
            }
        }
        assert!(count >= least, "{prefix}: {count}");
    }
}

/// What the compatible bank's clients call, each in the description of its interface.
#[tokio::test]
async fn what_clients_call_is_described() {
    let server = TestServer::start().await;
    for (prefix, operations) in [
        (
            "/xs2a-bg",
            &[
                "get /{tenant}/onboarding/v1",
                "get /{tenant}/v1/onboarding",
                "post /{tenant}/v1/consents",
                "delete /{tenant}/v1/consents/{consent}",
                "get /{tenant}/v1/consents/{consent}/status",
                "put /{tenant}/v1/consents/{consent}/authorisations/{authorisation}",
                "get /{tenant}/v1/accounts/{account}/transactions/page",
                "get /{tenant}/v2/savings/{account}/balances",
                "get /version",
                "get /openapi.json",
            ][..],
        ),
        (
            "/auth",
            &[
                "get /{tenant}/.well-known/openid-configuration",
                "post /{tenant}/v1/registration",
                "get /{tenant}/v1/auth",
                "post /{tenant}/v1/auth",
                "post /{tenant}/v1/par",
                "post /{tenant}/v1/token",
                "post /{tenant}/v1/token/revoke",
                "get /{tenant}/v1/userinfo",
                "get /{tenant}/v1/jwks",
                "get /internalonly/authorise.html",
                "get /openapi.json",
            ],
        ),
        (
            "/bunq",
            &[
                "post /v1/installation",
                "post /v1/session-server",
                "post /v1/token",
                "get /auth",
                "get /v1/user/{user}/monetary-account/{account}/payment",
                "post /v1/user/{user}/monetary-account/{account}/draft-payment",
                "get /openapi.json",
            ],
        ),
    ] {
        let description = description(&server, prefix).await;
        for operation in operations {
            let (method, path) = operation.split_once(' ').unwrap();
            assert!(description["paths"][path][method].is_object(), "{prefix}: {operation}");
        }
    }
}

#[tokio::test]
async fn the_version_is_plain_text() {
    let server = TestServer::start().await;
    let answer = server.send(&Request::new("GET", "/xs2a-bg/version")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, env!("CARGO_PKG_VERSION")));
    assert!(answer.header("content-type").starts_with("text/plain"));
}
