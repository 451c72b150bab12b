//! The portal's flows by its own modules, without a browser: each goes from nothing to its end; what it shows as code runs; and
//! what it saves as a test runs again by `vestibule tpp replay`.

use std::path::Path;

use serde_json::{Value, json};
use testkit::{Program, TestServer, free_folder};

use crate::portal_signing::{assets, run_node};
use crate::{BINARY, python, vestibule};

async fn printed(script: &'static str, server: &TestServer) -> Option<String> {
    let input = json!({
        "assets": assets(),
        "bank": server.url(),
        "management": format!("{}", server.running.addresses.management),
        "python": python::program("python")?,
    });
    tokio::task::spawn_blocking(move || run_node(script, &input)).await.unwrap()
}

/// Runs a test that was saved at a bank; returns exit code and report.
pub(crate) fn replay(bank: &Program, file: &Path) -> (i32, Value) {
    let (_folder, state) = free_folder();
    let (bank, state) = (bank.url("public"), state.to_str().unwrap().to_owned());
    let file = file.to_str().unwrap();
    let (code, out, error) =
        vestibule(&["tpp", "replay", file, "--bank", &bank, "--state", &state, "--json"]);
    let report = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
    (code, report)
}

pub(crate) fn write(folder: &Path, test: &Value) -> std::path::PathBuf {
    let file = folder.join("test.json");
    std::fs::write(&file, test.to_string()).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_are_gone_through_and_saved_and_run_again() {
    let server = TestServer::start().await;
    let Some(printed) = printed("portal_flows.mjs", &server).await else { return };
    for held in [
        "flow ais",
        "flow pis",
        "flow funds",
        "flow bunq",
        "flows in pounds",
        "edits are refused and explained",
        "faults are explained",
        "a customer who says no",
    ] {
        assert!(printed.lines().any(|line| line == format!("ok {held}")), "{held}: {printed}");
    }
    let tests: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    let (_folder, folder) = free_folder();
    let bank = Program::sandbox(BINARY, &["--ephemeral"]);
    for (name, test) in tests.as_object().unwrap() {
        let (code, report) = replay(&bank, &write(&folder, test));
        assert_eq!((code, &report["passed"]), (0, &json!(true)), "{name}: {report} {test}");
        assert_eq!(report["of"].as_u64().unwrap() as usize, report["steps"].as_array().unwrap().len());
    }

    // A clock that is moved over the end of what is remembered: whatever has ended is forgotten by the next step, in each run.
    let mut later = tests["ais"].clone();
    let steps = later["steps"].as_array_mut().unwrap();
    steps.push(json!({"name": "later", "clock": {"advance": "P650D"}}));
    steps.push(json!({
        "name": "forgotten",
        "call": {"sign": "berlin-group", "method": "GET", "path": "/xs2a-bg/{{tenant}}/v1/consents/{{consentId}}/status"},
        "expect": {"status": 403, "members": {"tppMessages.0.code": "CONSENT_UNKNOWN"}},
    }));
    let file = write(&folder, &later);
    for run in 0..3 {
        let (code, report) = replay(&bank, &file);
        assert_eq!((code, &report["passed"]), (0, &json!(true)), "{run}: {report}");
    }

    // Another bank: one that holds to the letter, where no redirect URI is without TLS.
    let strict = Program::sandbox(BINARY, &["--ephemeral", "--strict"]);
    let (code, report) = replay(&strict, &write(&folder, &tests["ais"]));
    assert_eq!((code, &report["passed"]), (1, &json!(false)), "{report}");
    let last = report["steps"].as_array().unwrap().last().unwrap();
    let difference = last["differences"][0].as_str().unwrap();
    assert!(difference.starts_with("status: expected 200, got 401"), "{report}");
    // In words, and by the status of the program alone.
    let (_kept, state) = free_folder();
    let (bank_url, state) = (bank.url("public"), state.to_str().unwrap().to_owned());
    let run = |test: &Value| {
        let file = write(&folder, test);
        vestibule(&["tpp", "replay", file.to_str().unwrap(), "--bank", &bank_url, "--state", &state])
    };
    let (code, out, _) = run(&tests["pis"]);
    assert!(code == 0 && out.ends_with("passed: Pay, 7 steps\n"), "{out}");

    // Something else than was written down, each in its place.
    for (path, value, text) in [
        ("/steps/6/expect/members/scaStatus", json!("received"), "scaStatus: expected"),
        ("/steps/5/expect/status", json!(201), "status: expected 201, got 200"),
        ("/steps/2/keep/consentId", json!("consent.id"), "consent.id: later steps need it"),
        ("/steps/2/expect/members/nothing", json!("*"), "nothing: expected"),
        ("/steps/3/approval/decision", json!("perhaps"), "the bank refused"),
    ] {
        let mut test = tests["ais"].clone();
        let (above, name) = path.rsplit_once('/').unwrap();
        test.pointer_mut(above).unwrap_or_else(|| panic!("{above}"))[name] = value;
        let (code, out, _) = run(&test);
        assert!(
            code == 1 && out.contains(text) && out.contains("failed: Read accounts, at step"),
            "{path}: {out}"
        );
    }
}

#[test]
fn files_that_are_no_tests_are_refused_with_the_reason() {
    let bank = Program::sandbox(BINARY, &["--ephemeral"]);
    let (_folder, folder) = free_folder();
    let good = json!({
        "format": "vestibule-flow/1",
        "name": "One call",
        "tenant": "nl",
        "thirdParty": {"organizationIdentifier": "PSDNL-DNB-T*", "organizationName": "T", "roles": ["PSP_AI"], "profile": "test-client"},
        "values": {},
        "steps": [{"name": "onboard", "call": {"sign": "berlin-group", "method": "GET", "path": "/xs2a-bg/{{tenant}}/onboarding/v1"}, "expect": {"status": 200}}],
    });
    let (code, report) = replay(&bank, &write(&folder, &good));
    assert_eq!((code, &report["passed"]), (0, &json!(true)), "{report}");
    for (path, value, text) in [
        ("/format", json!("vestibule-flow/2"), "this program reads"),
        ("/steps", json!([]), "nothing to test"),
        ("/name", json!(7), "expected a string"),
        ("/colour", json!("red"), "unknown field `colour`"),
        ("/tenant", json!("xx"), "tenant \"xx\" is not one of"),
        ("/thirdParty/profile", json!("other"), "profile \"other\" is not known"),
        ("/thirdParty/roles", json!(["PSP_XX"]), "PSP_XX"),
        ("/values/x", json!("{{y}}"), "{{y}} has no value"),
        ("/steps/0/call/method", json!("GE T"), "is no method"),
        ("/steps/0/call/path", json!("//evil.example/x"), "has to begin with one /"),
        ("/steps/0/call/path", json!("/{{consentId}}"), "{{consentId}} has no value"),
        ("/steps/0/call/headers", json!({"a b": "c"}), "is no name of a header"),
        ("/steps/0/call/headers", json!({"x": "{{basic}}"}), "nothing before gives clientId"),
        ("/steps/0/call/json", json!({"a": ["{{iban}}"]}), "{{iban}} has no value"),
        ("/steps/0/call/sign", json!("jws"), "unknown variant `jws`"),
        ("/steps/0/clock", json!({"advance": "P1D"}), "one of call, approval and clock"),
        ("/steps/1", json!({"name": "onboard", "clock": {"advance": "P1D"}}), "two steps are called onboard"),
        ("/steps/1", json!({"name": "clock", "clock": {}}), "clock has one of advance"),
        (
            "/steps/1",
            json!({"name": "approve", "approval": {"url": "x", "decision": "approve"}}),
            "no customer",
        ),
    ] {
        let mut test = good.clone();
        let (above, name) = path.rsplit_once('/').unwrap();
        let inner = test.pointer_mut(above).unwrap();
        match inner.as_array_mut() {
            Some(list) => list.push(value.clone()),
            None => inner[name] = value.clone(),
        }
        let (code, report) = replay(&bank, &write(&folder, &test));
        let message = report["error"]["message"].as_str().unwrap_or_else(|| panic!("{path}: {report}"));
        assert!(code == 1 && message.contains(text), "{path} {value}: {message}");
    }
    for (octets, text) in [("", "EOF"), ("[]", "it is no test"), ("{\"format\"", "EOF")] {
        let file = folder.join("broken.json");
        std::fs::write(&file, octets).unwrap();
        let (code, report) = replay(&bank, &file);
        let message = report["error"]["message"].as_str().unwrap();
        assert!(code == 1 && message.contains(text) && message.contains("broken.json"), "{message}");
    }
    let (code, report) = replay(&bank, &folder.join("absent.json"));
    assert!(code == 1 && report["error"]["kind"] == "file", "{report}");
    let file = write(&folder, &good);
    let gone = bank.url("public");
    bank.kill();
    let (_kept, state) = free_folder();
    let arguments =
        ["tpp", "replay", file.to_str().unwrap(), "--bank", &gone, "--state", state.to_str().unwrap()];
    let (code, _, error) = vestibule(&arguments);
    assert!(code == 1 && error.contains(&gone), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_as_code_runs_in_each_language() {
    let server = TestServer::start().await;
    let Some(printed) = printed("portal_snippets.mjs", &server).await else { return };
    for program in
        ["curl (call.sh)", "python (call.py)", "node (call.mjs)", "java (Call.java)", "go (call.go)"]
    {
        assert!(printed.lines().any(|line| line == format!("ok {program}")), "{program}: {printed}");
    }
}
