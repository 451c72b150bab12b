//! The portal's page of flows in a browser, as a developer uses it, and the tests that it saves.

use serde_json::{Value, json};
use testkit::{Program, Request, TestServer, free_folder};
use vestibule::profiles::Strictness;

use crate::BINARY;
use crate::portal::look;
use crate::portal_flows::{replay, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_developer_makes_real_calls() {
    let server = TestServer::start().await;
    let mtls = TestServer::with(|config| config.require_mtls = true).await;
    let Some(found) = look("portal_flow.py", &server, json!({"mtls": mtls.url()})).await else { return };
    let text = |name: &str| found[name].as_str().unwrap_or_else(|| panic!("{name}: {found}"));
    assert!(text("balance").contains("balances.0.balanceAmount.currency\nEUR"), "{}", text("balance"));
    assert!(text("paid").contains("transactionStatus\nACSC"), "{}", text("paid"));
    assert!(text("told").contains("You changed this call"), "{}", text("told"));
    assert!(text("callback").contains("/portal/callback?error=consent_required"), "{}", text("callback"));
    for (tab, seen) in [
        ("raw", "POST /xs2a-bg/nl/v1/consents HTTP/1.1"),
        ("signing", "digest: SHA-256="),
        ("curl", "openssl dgst -sha256 -sign key.pem"),
        ("cli", "vestibule tpp consent --tenant nl"),
        ("python", "from cryptography"),
        ("node", "from 'node:crypto'"),
        ("java", "class Call"),
        ("go", "package main"),
    ] {
        let shown = found["tabs"][tab].as_str().unwrap();
        assert!(shown.contains(seen), "{tab}: {shown}");
    }
    assert!(found["octets"].as_u64() < Some(60_000), "{}", found["octets"]);
    hold_archive(&found["archive"], 8);
    hold_archive(&found["bunqs_archive"], 10);
    let bank = Program::sandbox(BINARY, &["--ephemeral"]);
    let (_folder, folder) = free_folder();
    for (name, flow, steps) in [
        ("test", "Read accounts", 9),
        ("bunq", "bunq, call by call", 11),
        ("refused", "Read accounts", 5),
        ("written", "Read accounts", 9),
        ("moved", "Read accounts", 13),
        // The last one: it leaves the clock where it is.
        ("late", "Read accounts", 9),
    ] {
        let test: Value = serde_json::from_str(text(name)).unwrap();
        assert_eq!((&test["name"], test["steps"].as_array().unwrap().len()), (&json!(flow), steps), "{test}");
        let (code, report) = replay(&bank, &write(&folder, &test));
        assert_eq!((code, &report["passed"]), (0, &json!(true)), "{report} {test}");
    }
}

/// An archive has what the format asks for (HAR 1.2), so many calls, and none of the secrets.
fn hold_archive(archive: &Value, calls: usize) {
    let text = archive["har"].as_str().unwrap();
    let secrets = archive["secrets"].as_array().unwrap();
    assert!(secrets.len() >= 4, "{secrets:?}");
    for secret in secrets {
        assert!(!text.contains(secret.as_str().unwrap()), "{secret}: {text}");
    }
    assert!(text.contains("***") && !text.contains("PRIVATE KEY"), "{text}");
    let har: Value = serde_json::from_str(text).unwrap();
    hold_har(&har);
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), calls, "{har}");
}

/// A member, and of which kind it is.
type Member = (&'static str, fn(&Value) -> bool);

/// The members that the format has without "optional", each of its kind.
fn hold_har(har: &Value) {
    let of = |value: &Value, members: &[Member]| {
        for (name, is_right) in members {
            assert!(is_right(&value[*name]), "{name} is {} in {value}", value[*name]);
        }
    };
    let named = |list: &Value| {
        for item in list.as_array().unwrap() {
            of(item, &[("name", Value::is_string), ("value", Value::is_string)]);
        }
    };
    let log = &har["log"];
    of(log, &[("version", Value::is_string), ("creator", Value::is_object), ("entries", Value::is_array)]);
    of(&log["creator"], &[("name", Value::is_string), ("version", Value::is_string)]);
    let message: [Member; 5] = [
        ("httpVersion", Value::is_string),
        ("cookies", Value::is_array),
        ("headers", Value::is_array),
        ("headersSize", Value::is_i64),
        ("bodySize", Value::is_i64),
    ];
    for entry in log["entries"].as_array().unwrap() {
        let (request, answer) = (&entry["request"], &entry["response"]);
        of(entry, &[("startedDateTime", Value::is_string), ("time", Value::is_number)]);
        of(entry, &[("cache", Value::is_object), ("timings", Value::is_object)]);
        let moment = entry["startedDateTime"].as_str().unwrap();
        assert!(moment.contains('T') && moment.ends_with('Z'), "{moment}");
        let waits = &entry["timings"];
        of(waits, &[("send", Value::is_number), ("wait", Value::is_number), ("receive", Value::is_number)]);
        of(request, &message);
        of(answer, &message);
        of(
            request,
            &[("method", Value::is_string), ("url", Value::is_string), ("queryString", Value::is_array)],
        );
        of(answer, &[("status", Value::is_i64), ("statusText", Value::is_string)]);
        of(answer, &[("redirectURL", Value::is_string), ("content", Value::is_object)]);
        of(&answer["content"], &[("size", Value::is_i64), ("mimeType", Value::is_string)]);
        assert!(url::Url::parse(request["url"].as_str().unwrap()).is_ok(), "{request}");
        for list in [&request["headers"], &request["queryString"], &answer["headers"]] {
            named(list);
        }
        if !request["postData"].is_null() {
            let posted = &request["postData"];
            of(
                posted,
                &[("mimeType", Value::is_string), ("text", Value::is_string), ("params", Value::is_array)],
            );
        }
    }
}

/// What the page of flows tells for an archive, and what is wrong with it.
#[tokio::test]
async fn an_archive_of_what_a_page_tells() {
    let server = TestServer::start().await;
    let ask = async |kind: &str, body: &str| {
        server.send(&Request::new("POST", "/portal/flow.har").body(kind, body)).await
    };
    let call = json!({
        "at": "2026-06-17T10:00:00.5Z", "milliseconds": 7, "method": "POST", "status": 200,
        "target": "/a;access_token=s3cret?code=s3cret&to=https%3A%2F%2Fu%3As3cret%40tpp.example",
        "request": {
            "headers": {"authorization": "Bearer s3cret-s3cret", "content-type": "application/x-www-form-urlencoded"},
            "body": "client_secret=s3cret;s3cret&x=y",
        },
        "answer": {"headers": {"content-type": "application/json"}, "body": "{\"token\":\"s3cret\",\"why\":\"s3cret-s3cret\"}"},
    });
    let answer = ask("application/json", &json!({"calls": [call]}).to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(!answer.body.contains("s3cret"), "{}", answer.body);
    hold_har(&answer.json());
    let url = answer.json()["log"]["entries"][0]["request"]["url"].clone();
    assert_eq!(url, format!("{}/a;access_token=***&to=https%3A%2F%2F***%40tpp.example", server.url()));
    let with = |member: &str, value: Value| {
        let mut call = call.clone();
        call[member] = value;
        json!({"calls": [call]}).to_string()
    };
    for (body, text) in [
        ("{}".to_owned(), "calls"),
        ("[]".to_owned(), "it must be a JSON object"),
        ("{".to_owned(), "the body: "),
        (with("at", json!("yesterday")), "calls[0].at must be a moment"),
        (with("status", json!(7)), "calls[0].status must be from 100"),
        (with("method", json!("A B")), "calls[0].method must be one of HTTP"),
        (with("target", json!("https://x/")), "calls[0].target must be a path"),
        (with("request", json!({"headers": {"a b": "c"}, "body": ""})), "calls[0].request.headers must have"),
        (with("answer", json!({"headers": {"a": "b\n"}, "body": ""})), "calls[0].answer.headers must have"),
        (with("milliseconds", json!(-1)), "calls[0].milliseconds"),
        (with("more", json!(1)), "more"),
    ] {
        let answer = ask("application/json", &body).await;
        assert!(
            answer.status == 400 && answer.body.contains(text),
            "{body}: {} {}",
            answer.status,
            answer.body
        );
    }
    assert_eq!(ask("text/plain", "{}").await.status, 415);
    assert_eq!(ask("application/json", &" ".repeat(1024 * 1024 + 1)).await.status, 413);
    assert_eq!(server.send(&Request::new("GET", "/portal/flow.har")).await.status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_bank_gets_what_it_wants() {
    let server = TestServer::with(|config| config.strictness = Strictness::Strict).await;
    let Some(found) = look("portal_flow.py", &server, json!({"strict": true})).await else { return };
    assert_eq!(found["steps"], 9);
}

#[tokio::test]
async fn what_the_bank_sends_back_is_shown_as_text() {
    let server = TestServer::start().await;
    for (query, shown, hidden) in [
        ("?code=a%3Cb%3E&state=%22x", "a&#60;b&#62;", "a<b>"),
        ("?error=access_denied&error_description=%3Cscript%3E", "without a code", "<script>"),
        ("?other=%3Cb%3E", "It sent nothing along", "<b>"),
        ("", "It sent nothing along", "<table>"),
    ] {
        let page = server.send(&Request::new("GET", &format!("/portal/callback{query}"))).await;
        assert_eq!(page.status, 200);
        let main = page.body.split_once("<main").unwrap().1;
        assert!(main.contains(shown) && !main.contains(hidden), "{query}: {main}");
    }
}
