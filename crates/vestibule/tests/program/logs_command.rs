//! `vestibule logs`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::third_party::{Setting, json};
use crate::{BINARY, vestibule};

/// Runs `vestibule logs` at the bank.
fn logs(setting: &Setting, arguments: &[&str]) -> (i32, String, String) {
    let management = setting.bank.url("management");
    vestibule(&[&["logs"], arguments, &["--management", &management]].concat())
}

fn call(arguments: &[&str]) {
    assert!(testkit::run("curl", &[&["-s", "-o", "/dev/null"], arguments].concat()).status.success());
}

#[test]
fn calls_in_the_terminal() {
    let setting = Setting::ephemeral();
    let (code, out, _) = logs(&setting, &[]);
    assert!(
        code == 0 && out.contains("No call like that") && out.contains("the page at its address"),
        "{out}"
    );
    setting.ok(&["flow", "ais", "--headless", "approve"]);
    let public = setting.bank.url("public");
    let consent = format!("{public}/xs2a-bg/nl/v1/consents/x?token=s3cret");
    call(&["-H", "X-Request-ID: my-id", "-H", "Authorization: Bearer s3cret", &consent]);
    let (code, out, error) = logs(&setting, &[]);
    assert_eq!(code, 0, "{error}");
    assert!(
        out.contains("POST /xs2a-bg/nl/v1/consents") && out.contains("  201  ") && out.contains(" ms  "),
        "{out}"
    );
    let last: Vec<_> = out.lines().rev().take(2).collect();
    assert!(last[1].contains("401") && last[1].contains("/consents/x?token=***"), "{out}");
    assert!(
        last[0].contains("CERTIFICATE_MISSING: the TPP-Signature-Certificate header is missing"),
        "{out}"
    );
    let (_, failed, _) = logs(&setting, &["--failed", "--json"]);
    let failed: Vec<_> = failed.lines().map(json).collect();
    assert!(failed.len() == 1 && failed[0]["requestId"] == "my-id", "{failed:?}");
    let number = failed[0]["number"].to_string();
    for arguments in [
        &["--request-id", "my-id"][..],
        &["--status", "401"],
        &["--path", "/consents/x"],
        &["--interface", "berlin-group", "--limit", "1"],
    ] {
        let (_, out, _) = logs(&setting, arguments);
        assert!(out.contains("/consents/x") && out.lines().count() == 2, "{arguments:?}: {out}");
    }
    let (_, out, _) = logs(&setting, &["--third-party", "PSDNL-DNB-R999999"]);
    assert!(out.contains("No call like that"), "{out}");
    let (_, out, _) = logs(&setting, &["show", &number]);
    for text in [
        "Remedy",
        "Clause",
        "passed  X-Request-ID is there",
        "FAILED  The certificate can be read",
        "authorization: Bearer ***",
        "\"code\":\"CERTIFICATE_MISSING\"",
    ] {
        assert!(out.contains(text), "{text}: {out}");
    }
    assert!(!out.contains("s3cret"), "{out}");
    let (_, out, _) = logs(&setting, &["show", &number, "--json"]);
    assert_eq!(json(&out)["failedCheck"], "certificate");
    let (_, out, _) = logs(&setting, &["show", &number, "--har"]);
    assert_eq!(json(&out)["log"]["entries"][0]["response"]["status"], 401);
    let (_, out, _) = logs(&setting, &["show", &number, "--curl"]);
    assert!(out.starts_with("curl ") && out.contains("-H 'x-request-id: my-id'"), "{out}");
    // It is a command that a shell runs.
    let again =
        std::process::Command::new("sh").args(["-c", &format!("{} -s", out.trim_end())]).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stdout).contains("CERTIFICATE_MISSING"));
}

#[test]
fn calls_as_they_come() {
    let setting = Setting::ephemeral();
    let management = setting.bank.url("management");
    let public = setting.bank.url("public");
    call(&[&format!("{public}/first")]);
    let mut following = testkit::command(BINARY)
        .args(["logs", "--follow", "--failed", "--management", &management])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().contains("GET /first"));
    assert!(lines.next().unwrap().contains("not_found: "));
    call(&[&format!("{public}/bunq/openapi.json")]);
    call(&[&format!("{public}/second")]);
    assert!(lines.next().unwrap().contains("GET /second"), "only what was refused");
    following.kill().unwrap();
    following.wait().unwrap();
}

#[test]
fn what_does_not_work() {
    let setting = Setting::ephemeral();
    let bank = setting.bank.url("public");
    for (arguments, text) in [
        (vec!["show", "999"], "there is no call 999"),
        (vec!["show", "first"], "a number is expected"),
        (vec!["--status", "bad"], "such as 4xx"),
        (vec!["--limit", "0"], "from 1 to 500"),
        (vec!["--limit", "99999999"], "from 1 to 500"),
        (vec!["--limit", "x"], "a number from 1 to 500"),
        (vec!["--interface", "foo"], "berlin-group, bunq or oauth"),
    ] {
        let (code, _, error) = logs(&setting, &arguments);
        assert!(code != 0 && error.contains(text), "{arguments:?}: {error}");
    }
    let (code, _, error) = vestibule(&["logs", "--management", "http://127.0.0.1:9"]);
    assert!(code != 0 && error.contains("cannot be reached") && error.contains("vestibule"), "{error}");
    let (code, out, error) = vestibule(&["logs", "--management", &bank, "--json"]);
    assert!(code != 0 && error.contains("is not a management address"), "{error}");
    assert!(json(&out)["error"]["message"].is_string(), "{out}");
    let (code, out, _) = vestibule(&["logs", "--help"]);
    assert!(code == 0 && out.contains("--follow") && out.contains("--request-id"), "{out}");
}
