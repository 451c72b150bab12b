//! What is refused, each with status, code and a text that says what would be right.

mod certificates;
mod signatures;

use testkit::{Request, TestServer};

const ID: &str = "PSDNL-DNB-R000000";

/// Name, request, status, code, a part of the text.
pub(crate) type Row = (&'static str, Request, u16, &'static str, &'static str);

pub(crate) async fn check(server: &TestServer, rows: Vec<Row>) {
    for (name, request, status, code, text) in rows {
        // Where a proxy hands certificates on, that is its word alone.
        if testkit::is_served() && name == "SSL-Certificate unreadable" {
            continue;
        }
        let id = request.headers.get("x-request-id").cloned();
        let answer = server.send(&request).await;
        let (got_code, got_text) = answer.error();
        assert_eq!((answer.status, got_code.as_str()), (status, code), "{name}: {}", answer.body);
        let text = testkit::told(code, text);
        assert!(got_text.contains(text), "{name}: \"{got_text}\" does not say \"{text}\"");
        assert_eq!(answer.header("content-type"), "application/json", "{name}");
        if let Some(id) = id.filter(|id| id.to_str().is_ok() && !name.contains("twice")) {
            assert_eq!(answer.headers.get("x-request-id"), Some(&id), "{name}");
        }
        assert!(!answer.header("x-request-id").is_empty(), "{name}");
    }
}

#[tokio::test]
async fn requests_that_no_bank_can_serve() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let signed = || Request::onboarding("nl").signed(&tpp);
    let at = |target: &str| Request::new("GET", target).set("x-request-id", "id");
    let mut many = signed();
    for number in 0..110 {
        many = many.set(&format!("x-extra-{number}"), "1");
    }
    let rows: Vec<Row> = vec![
        ("unknown path", at("/xs2a-bg/nl/v1/nothing"), 404, "", "Not Found"),
        ("unknown tenant", at("/xs2a-bg/xx/onboarding/v1"), 404, "", "Not Found"),
        ("tenant in upper case", at("/xs2a-bg/NL/onboarding/v1"), 404, "", "Not Found"),
        ("no tenant", at("/xs2a-bg/"), 404, "", "Not Found"),
        ("empty segment", at("/xs2a-bg/nl//onboarding/v1"), 404, "", "Not Found"),
        ("encoded slash", at("/xs2a-bg/nl%2Fonboarding/v1"), 404, "", "Not Found"),
        ("encoded dots", at("/xs2a-bg/nl/%2e%2e/onboarding/v1"), 404, "", "Not Found"),
        (
            "another method",
            Request::new("POST", "/xs2a-bg/nl/onboarding/v1").signed(&tpp),
            405,
            "SERVICE_INVALID",
            "method POST is not supported",
        ),
        (
            "signing baskets",
            Request::new("POST", "/xs2a-bg/nl/v1/signing-baskets").set("x-request-id", "id"),
            405,
            "SERVICE_INVALID",
            "signing baskets are not offered",
        ),
        ("a basket", at("/xs2a-bg/nl/v1/signing-baskets/1/status"), 405, "SERVICE_INVALID", "by itself"),
        ("baskets with a slash", at("/xs2a-bg/nl/v1/signing-baskets/"), 405, "SERVICE_INVALID", "by itself"),
        (
            "trusted beneficiaries",
            at("/xs2a-bg/uk/v1/trusted-beneficiaries?account-id=1"),
            405,
            "SERVICE_INVALID",
            "no payment is exempt from authentication",
        ),
        ("baskets of nobody", at("/xs2a-bg/xx/v1/signing-baskets"), 404, "", "Not Found"),
        (
            "a strange method",
            Request::new("BREW", "/xs2a-bg/nl/v1/onboarding"),
            405,
            "SERVICE_INVALID",
            "method BREW",
        ),
        (
            "body above 1 MiB",
            signed().body("text/plain", vec![0; 1024 * 1024 + 1]),
            413,
            "FORMAT_ERROR",
            "larger than 1048576 bytes",
        ),
        (
            "headers above 32 KiB",
            signed().set("x-extra", "x".repeat(40 * 1024)),
            431,
            "FORMAT_ERROR",
            "exceed 32768 bytes",
        ),
        ("more than 100 headers", many, 431, "FORMAT_ERROR", "100 fields"),
        (
            "long query",
            at(&format!("/xs2a-bg/nl/onboarding/v1?{}", "x".repeat(9000))),
            414,
            "FORMAT_ERROR",
            "longer than 8192 bytes",
        ),
        ("gzip", signed().set("content-encoding", "gzip"), 415, "FORMAT_ERROR", "\"gzip\" is not supported"),
        (
            "request id twice",
            signed().append("x-request-id", "other"),
            400,
            "FORMAT_ERROR",
            "X-Request-ID header occurs more than once",
        ),
        ("request id not ASCII", signed().set("x-request-id", [0xe9]), 400, "FORMAT_ERROR", "outside ASCII"),
    ];
    check(&server, rows).await;
}
