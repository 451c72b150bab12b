//! A database that breaks while the bank serves: every door says so, to programs in JSON, to browsers on a page.

use serde_json::json;
use testkit::broken::{Breakable, assert_failed, operations};
use testkit::{CALLBACK, Request, TestTpp, detailed};

use crate::{ID, basic};

/// Doors behind which there is nothing that is stored.
const WITHOUT_STORE: [&str; 3] =
    ["/openapi.json", "/{tenant}/.well-known/openid-configuration", "/{tenant}/v1/jwks"];

#[tokio::test]
async fn every_door_says_that_the_bank_is_not_available() {
    let bank = Breakable::start().await;
    let server = &bank.server;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let consent = tpp.valid(server, &detailed(iban, true), iban).await;
    let asked = tpp.consent(server, &detailed(iban, true)).await;
    let authorization = tpp.authorization_url(&asked);
    let authorization = authorization.strip_prefix(server.url()).unwrap();
    let (_, parameters) = authorization.split_once('?').unwrap();
    let page = server.send(&Request::new("GET", authorization)).await;
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let own = server.send(&Request::new("GET", "/auth/nl/customer")).await;
    let own_cookie = own.header("set-cookie").split(';').next().unwrap().to_owned();
    let csrf = crate::pages::value(&own.body, "csrf");
    let token = server.initial_access_token("nl", &tpp.signer).await;
    let operations = operations(server, "/auth").await;
    let secrets = [consent.access_token.as_str(), &tpp.secret, iban, &token, &cookie];
    bank.break_store(&[]);
    let mut count = 0;
    for (method, path) in &operations {
        let name = format!("{method} {path}");
        let request = Request::new(method, &format!("/auth{}", path.replace("{tenant}", "nl")));
        let bearer = format!("Bearer {}", consent.access_token);
        let request = match path.rsplit('/').next().unwrap() {
            "registration" => Request::registration("nl", &token, &[CALLBACK]).without("x-request-id"),
            "par" => request.set("authorization", tpp.basic()).form(parameters),
            "auth" if method == "GET" => Request::new("GET", authorization),
            "auth" => request.form(parameters),
            "token" => tpp.token_request(&TestTpp::code_form("a code")),
            "revoke" => request.set("authorization", tpp.basic()).form("token=x"),
            "userinfo" => request.set("authorization", bearer),
            "introspect" => request.set("authorization", basic("ledger", "secret")).form("token=x"),
            "log-in" => request.set("cookie", &own_cookie),
            "callback" if path.contains("customer") => request.set("cookie", &own_cookie),
            "authorise.html" | "callback" if method == "GET" => request.set("cookie", &cookie),
            "authorise.html" => request.set("cookie", &cookie).form("action=cancel&csrf=x"),
            "customer" | "access" | "payments" | "{account}" | "{consent}" | "{payment}" => {
                let request = request.set("cookie", &own_cookie);
                let action = match path.rsplit('/').next().unwrap() {
                    "{consent}" => "withdraw",
                    "{payment}" => "end",
                    _ => "log-out",
                };
                let form = format!("action={action}&csrf={csrf}");
                if method == "GET" { request } else { request.form(&form) }
            }
            _ => {
                assert!(WITHOUT_STORE.contains(&path.as_str()), "{name}");
                assert_eq!(server.send(&request).await.status, 200, "{name}");
                continue;
            }
        };
        let answer = server.send(&request).await;
        assert_failed(&name, &answer, 503, &secrets);
        let text = "the service is not available; try again later";
        assert_eq!(
            answer.json(),
            json!({"error": "temporarily_unavailable", "error_description": text}),
            "{name}"
        );
        assert_eq!(answer.header("retry-after"), "5", "{name}");
        if ["auth", "authorise.html", "callback", "log-in", "customer", "access", "payments", "}"]
            .iter()
            .any(|end| path.ends_with(end))
        {
            let answer = server.send(&request.set("accept", "text/html")).await;
            assert_failed(&name, &answer, 503, &secrets);
            assert!(answer.header("content-type").starts_with("text/html"), "{name}");
            assert!(answer.body.contains(text) && answer.body.contains("temporarily_unavailable"), "{name}");
        }
        count += 1;
    }
    assert!(count > 9, "{count}");
}
