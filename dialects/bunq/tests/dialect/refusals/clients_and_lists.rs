//! Refusals about OAuth clients, lists, pages, files and addresses.

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::bunq::{BunqClient, euro};

use super::{Row, hold, with, without};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one row a refusal")]
async fn answers_say_what_was_wrong() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Lists AISP PISP").await;
    let other = BunqClient::provider(&server, "Others AISP").await;
    let customer = server.customer("nl", "household").await;
    let own = BunqClient::customer(&server, &customer).await;
    let client = provider.oauth_client().await["id"].as_i64().unwrap();
    let connected = provider.connect(&server, &customer).await;
    let account = connected.account().await;
    let clients = format!("/user/{}/oauth-client", provider.user);
    let callbacks = format!("{clients}/{client}/callback-url");
    let url = |url: &str| provider.request("POST", &callbacks, Some(&json!({ "url": url })));
    let payments = connected.below(account, "/payment");
    let get = |path: &str| connected.request("GET", path, None);
    let page = |query: &str| connected.request("GET", &format!("{payments}?{query}"), None);
    let statement = json!({"statement_format": "CSV", "regional_format": "UK_US", "date_start": "2026-01-01", "date_end": "2026-01-31"});
    let ask = |body: Value| {
        connected.request("POST", &connected.below(account, "/customer-statement"), Some(&body))
    };
    let picture =
        provider.request("POST", "/attachment-public", Some(&json!({}))).set("content-type", "image/png");
    let filters = |body: Value| {
        provider.request(
            "POST",
            &format!("/user/{}/notification-filter-url", provider.user),
            Some(&json!({"notification_filters": [body]})),
        )
    };
    let open = |kind: &str, body: Value| {
        own.request("POST", &format!("/user/{}/monetary-account-{kind}", own.user), Some(&body))
    };
    let change = |body: Value| {
        own.request("PUT", &format!("/user/{}/monetary-account-bank/{account}", own.user), Some(&body))
    };
    let rows: Vec<Row> = vec![
        ("callback without https", url("http://tpp.example/"), 400, "must begin with https://"),
        ("callback with a fragment", url("https://tpp.example/#x"), 400, "fragment"),
        ("callback with a user", url("https://me@tpp.example/"), 400, "without user name"),
        ("callback is none", url("callback"), 400, "must be a URL"),
        ("callback with blanks", url("https://tpp.example/a b"), 400, "without blanks"),
        ("callback with quotes", url("https://tpp.example/\"x"), 400, "percent-encoded"),
        ("callback is long", url(&format!("https://tpp.example/{}", "x".repeat(2000))), 400, "at most 2000"),
        (
            "callback is missing",
            provider.request("POST", &callbacks, Some(&json!({}))),
            400,
            "\"url\" is required",
        ),
        ("callback is there", url(testkit::CALLBACK), 400, "has already been registered for this Client."),
        (
            "second client",
            provider.request("POST", &clients, Some(&json!([{"status": "ACTIVE"}]))),
            400,
            "You can only have one active OAuth Client registered.",
        ),
        (
            "client's status",
            provider.request("PUT", &format!("{clients}/{client}"), Some(&json!({"status": "GONE"}))),
            400,
            "one of ACTIVE, CANCELLED",
        ),
        (
            "somebody else's client",
            other.request("GET", &format!("{clients}/{client}"), None),
            404,
            "Resource not found.",
        ),
        (
            "unknown client",
            provider.request("GET", &format!("{clients}/1"), None),
            404,
            "Resource not found.",
        ),
        (
            "client through a connection",
            connected.request("GET", &format!("/user/{}/oauth-client", connected.user), None),
            403,
            "one's own key",
        ),
        ("somebody else's user", get(&format!("/user/{}", provider.user)), 404, "Resource not found."),
        ("user that is no number", get("/user/me"), 404, "Resource not found."),
        (
            "provider has no accounts",
            provider.request("GET", &format!("/user/{}/monetary-account", provider.user), None),
            403,
            "access token of a user",
        ),
        (
            "account 0",
            get(&format!("/user/{}/monetary-account-bank/0", connected.user)),
            404,
            "Resource not found.",
        ),
        ("count is none", page("count=x"), 400, "\"count\" must be a whole number"),
        ("count is too much", page("count=201"), 400, "from 1 to 200"),
        ("count is nothing", page("count=0"), 400, "from 1 to 200"),
        ("both directions", page("older_id=1&newer_id=2"), 400, "not both"),
        ("older than nothing", page("older_id="), 400, "\"older_id\" must be a whole number"),
        ("payment 0", get(&format!("{payments}/0")), 404, "Resource not found."),
        ("payment beyond all", get(&format!("{payments}/2147483647")), 404, "Resource not found."),
        (
            "statement of no format",
            ask(with(&statement, "statement_format", json!("XLS"))),
            400,
            "one of CSV, MT940, PDF",
        ),
        (
            "CSV of no region",
            ask(without(&statement, "regional_format")),
            400,
            "\"regional_format\" is required",
        ),
        (
            "statement backwards",
            ask(with(&statement, "date_end", json!("2025-01-01"))),
            400,
            "must not be before",
        ),
        (
            "statement of a century",
            ask(with(&statement, "date_start", json!("1926-01-01"))),
            400,
            "five years",
        ),
        ("day that is none", ask(with(&statement, "date_start", json!("2026-02-30"))), 400, "must be a day"),
        ("picture of no type", picture.clone().set("content-type", "text/html"), 400, "image/png"),
        ("picture without description", picture.clone(), 400, "X-Bunq-Attachment-Description"),
        (
            "avatar of nothing",
            provider.request("POST", "/avatar", Some(&json!({"attachment_public_uuid": "x"}))),
            400,
            "names no picture",
        ),
        (
            "filter of no category",
            filters(json!({"category": "X", "notification_target": "https://a.example/"})),
            400,
            "one of BILLING",
        ),
        (
            "filter to plain http",
            filters(json!({"category": "OAUTH", "notification_target": "http://127.0.0.1/"})),
            400,
            "must begin with https://",
        ),
        (
            "pin that is no certificate",
            provider.request(
                "POST",
                &format!("/user/{}/certificate-pinned", provider.user),
                Some(&json!({"certificate_chain": [{"certificate": "x"}]})),
            ),
            400,
            "no certificate in PEM",
        ),
        (
            "account in dollars",
            open("bank", json!({"currency": "USD", "description": "x"})),
            400,
            "must be EUR",
        ),
        ("account without currency", open("bank", json!({})), 400, "\"currency\" is required"),
        ("joint account alone", open("joint", json!({"currency": "EUR"})), 400, "other holder"),
        ("external account", open("external", json!({"currency": "EUR"})), 400, "linked at the bank"),
        (
            "account for somebody else",
            connected.request(
                "POST",
                &format!("/user/{}/monetary-account-bank", connected.user),
                Some(&json!({"currency": "EUR"})),
            ),
            403,
            "in person",
        ),
        ("limit too high", change(json!({"daily_limit": euro("10000.01")})), 400, "from 0.00 to 10000.00"),
        ("description too long", change(json!({"description": "x".repeat(141)})), 400, "more than 140"),
        (
            "closing without a reason",
            change(json!({"status": "CANCELLED", "sub_status": "REDEMPTION_VOLUNTARY"})),
            400,
            "\"reason\" is required",
        ),
        (
            "closing what is not empty",
            change(
                json!({"status": "CANCELLED", "sub_status": "REDEMPTION_VOLUNTARY", "reason": "OTHER", "reason_description": "x"}),
            ),
            400,
            "not empty",
        ),
        (
            "address that is none",
            own.request(
                "POST",
                &format!(
                    "/user/{}/credential-password-ip/{}/ip",
                    own.user,
                    own.list(&format!("/user/{}/credential-password-ip", own.user)).await[0]["id"]
                ),
                Some(&json!({"ip": "1.2.3"})),
            ),
            400,
            "is no IP address",
        ),
    ];
    assert!(hold(&server, rows).await >= 45);
}
