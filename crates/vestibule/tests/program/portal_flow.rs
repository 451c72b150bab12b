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
    let Some(found) = look("portal_flow.py", &server, json!({})).await else { return };
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
    let bank = Program::sandbox(BINARY, &["--ephemeral"]);
    let (_folder, folder) = free_folder();
    for (name, flow, steps) in [
        ("test", "Read accounts", 9),
        ("bunq", "bunq, call by call", 11),
        ("refused", "Read accounts", 5),
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
