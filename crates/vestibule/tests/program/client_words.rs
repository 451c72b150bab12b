//! How a client says things: tables, errors for programs, calls, waits, and what is wrong on the command line.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::free_folder;

use crate::third_party::Setting;
use crate::{BINARY, vestibule};

const URI: &str = "https://tpp.example/callback";

#[test]
fn customers_are_listed_newest_first_whatever_the_clock_says() {
    let setting = Setting::ephemeral();
    let mut made = vec![setting.customer("student")];
    for advance in ["P10D", "-P30D", "P1D"] {
        setting.manage("PUT", "/clock", &json!({ "advance": advance }));
        made.push(setting.customer("student"));
        made.push(setting.customer("empty"));
    }
    let listed = setting.account(&["list"]);
    assert!(listed.starts_with("TENANT"), "{listed}");
    let ibans: Vec<_> = listed.lines().skip(1).map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(ibans, made.iter().rev().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn tables_have_headings_and_errors_are_json_for_programs() {
    let setting = Setting::ephemeral();
    for (flow, dialect) in [("ais", "berlin-group"), ("bunq", "bunq")] {
        setting.ok(&["flow", flow, "--headless", "approve"]);
        for (table, heading) in
            [("accounts", "ACCOUNT "), ("balances", "ACCOUNT "), ("transactions", "DATE ")]
        {
            let shown = setting.ok(&[table, "--dialect", dialect, "--psu-ip-address", "192.0.2.1"]);
            assert!(shown.starts_with(heading), "{shown}");
        }
    }
    assert!(setting.account(&["list", "--personas"]).starts_with("PERSONA "));
    let plain = setting.bank.url("public");
    let json = |arguments: &[&str]| -> (i32, Value) {
        let (code, out, error) = vestibule(&[arguments, &["--json"]].concat());
        assert!(error.contains("error: "), "{error}");
        (code, serde_json::from_str(&out).unwrap_or_else(|problem| panic!("{problem}: {out}")))
    };
    let to = ["--bank", &plain, "--state", &setting.state];
    let (code, refused) = json(
        &[&["tpp", "register", "--redirect-uri", "nonsense", "--dialect", "berlin-group"], &to[..]].concat(),
    );
    let error = &refused["error"];
    assert_eq!((code, &error["kind"], &error["status"]), (1, &json!("refused"), &json!(400)));
    assert_eq!(error["codes"], json!(["invalid_redirect_uri"]));
    assert!(error["requestId"].is_string() && error["message"].as_str().unwrap().contains("nonsense"));
    let (code, missing) =
        json(&[&["tpp", "accounts", "--consent", "x", "--dialect", "berlin-group"], &to[..]].concat());
    assert_eq!((code, &missing["error"]["kind"]), (1, &json!("failed")));
    let (code, usage) = json(&["tpp", "draft"]);
    assert_eq!((code, &usage["error"]["kind"]), (2, &json!("usage")));
    let management = setting.bank.url("management");
    let (code, account) = json(&["account", "show", "NL91ABNA0417164300", "--management", &management]);
    assert!(code == 1 && account["error"]["message"].as_str().unwrap().contains("no customer"), "{account}");
    let (code, none) = json(&["certificate", "inspect", "/nowhere"]);
    assert!(code == 1 && none["error"]["message"].is_string());
    let (code, none) = json(&["sandbox", "--ephemeral", "--listen", "nonsense"]);
    assert!(code == 1 && none["error"]["message"].as_str().unwrap().contains("nonsense"));
}

#[test]
fn the_wrong_scheme_is_named() {
    let setting = Setting::ephemeral();
    let (plain, tls) = (setting.bank.url("public"), setting.bank.url("tls"));
    let (plain, tls) = (plain.strip_prefix("http://").unwrap(), tls.strip_prefix("https://").unwrap());
    for (wrong, text) in [
        (format!("http://{tls}"), format!("this is the TLS port: say https://{tls}")),
        (format!("https://{plain}"), format!("this is the port without TLS: say http://{plain}")),
    ] {
        let management = setting.bank.url("management");
        let arguments =
            ["tpp", "register", "--redirect-uri", URI, "--bank", &wrong, "--management", &management];
        let (code, _, error) = vestibule(&[&arguments[..], &["--state", &setting.state]].concat());
        assert!(code == 1 && error.contains(&text), "{error}");
    }
}

#[test]
fn answers_are_shown_with_the_calls() {
    let setting = Setting::ephemeral();
    let (_, _, shown) = setting.tpp(&["register", "--redirect-uri", URI, "--show-calls"]);
    assert!(
        shown.contains("\n# 201 Created\n") && shown.contains("\n#   content-type: application/json\n"),
        "{shown}"
    );
    assert!(shown.contains("#     \"client_id\": \"PSDNL-DNB-R"), "{shown}");
    let refused =
        setting.refused(&["register", "--redirect-uri", "nonsense", "--show-calls"], "\n# 400 Bad Request\n");
    assert!(refused.contains("#     \"error\": \"invalid_redirect_uri\""), "{refused}");
}

/// A bank that is slow: the client says what it waits for.
#[test]
fn long_waits_say_what_they_wait_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (_guard, folder) = free_folder();
    let mut child = testkit::command(BINARY)
        .args(["account", "list", "--management", &address])
        .env("HOME", &folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut told = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut told).unwrap();
    assert_eq!(told.trim(), format!("Waiting for the answer of GET {address}/test-accounts …"));
    let body = "{\"testAccounts\":[]}";
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        .unwrap();
    drop(stream);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_wrong_on_the_command_line_is_said_in_plain_words() {
    let setting = Setting::ephemeral();
    let bank = setting.bank.url("public");
    let below = format!("{bank}/xs2a-bg/nl");
    let wants = format!("--bank wants the bank's origin without the path /xs2a-bg/nl: {bank}");
    for (arguments, code, text) in [
        (&["tpp", "register", "--redirect-uri", URI, "--bank", &below][..], 1, wants.as_str()),
        (&["tpp", "show", "--bank", "127.0.0.1:8080"], 1, "for example http://127.0.0.1:8080"),
        (&["sandbox", "--now", "nonsense"], 2, "no moment such as 2027-01-31T12:00:00Z"),
        (&["tpp", "status", "draft", "abc"], 2, "a number is expected"),
        (&["tpp", "consent", "--frequency-per-day", "often"], 2, "a number is expected"),
    ] {
        let (found, _, error) = vestibule(arguments);
        assert!(found == code && error.contains(text), "{arguments:?}: {error}");
    }
}
