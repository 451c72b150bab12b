//! `vestibule clock`.

use serde_json::{Value, json};

use crate::third_party::{Setting, json as read};
use crate::vestibule;

/// Runs the command at the sandbox.
fn clock(setting: &Setting, arguments: &[&str]) -> (i32, String, String) {
    vestibule(&[&["clock"], arguments, &["--management", &setting.bank.url("management")]].concat())
}

fn ok(setting: &Setting, arguments: &[&str]) -> Value {
    let (code, out, error) = clock(setting, &[arguments, &["--json"]].concat());
    assert_eq!(code, 0, "{arguments:?}: {error}");
    read(&out)
}

fn offsets(clocks: &Value) -> Vec<(String, i64)> {
    let clocks = clocks["clocks"].as_array().unwrap().iter();
    let one = |clock: &Value| {
        (clock["tenant"].as_str().unwrap().to_owned(), clock["offsetSeconds"].as_i64().unwrap())
    };
    clocks.map(one).collect()
}

#[test]
fn clocks_are_shown_moved_set_and_put_back() {
    let setting = Setting::ephemeral();
    let names: Vec<_> = offsets(&ok(&setting, &[])).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["nl", "be_fr", "be_nl", "uk"]);
    let day = 86_400;
    for (arguments, expected) in [
        (&["advance", "P90D"][..], 90 * day),
        (&["advance", "-P1D"], 89 * day),
        (&["advance", "2 hours"], 89 * day + 7200),
    ] {
        let moved = offsets(&ok(&setting, arguments));
        assert!(
            moved.len() == 4 && moved.iter().all(|(_, offset)| *offset == expected),
            "{arguments:?}: {moved:?}"
        );
    }
    let back = offsets(&ok(&setting, &["reset", "--tenant", "uk"]));
    assert_eq!(back, [("uk".to_owned(), 0)]);
    assert_eq!(offsets(&ok(&setting, &["show", "--tenant", "nl"])), [("nl".to_owned(), 89 * day + 7200)]);
    let set = ok(&setting, &["set", "2030-05-01T10:00:00Z", "--tenant", "uk"]);
    assert!(set["clocks"][0]["now"].as_str().unwrap().starts_with("2030-05-01T10:0"), "{set}");
    let (_, out, _) = clock(&setting, &["show"]);
    assert!(out.contains("89 d 2 h ahead") && out.contains("2030-05-01T10:0"), "{out}");
    assert!(offsets(&ok(&setting, &["reset"])).iter().all(|(_, offset)| *offset == 0));
    let (_, out, _) = clock(&setting, &[]);
    assert_eq!(out.matches("the same").count(), 4, "{out}");
    // The same over HTTP.
    let clocks = setting.manage("PUT", "/clock", &json!({"advance": "PT1H"}));
    assert!(offsets(&clocks).iter().all(|(_, offset)| *offset == 3600), "{clocks}");
    assert_eq!(setting.manage("PUT", "/clock", &json!({"tenant": "nl", "reset": true}))["offsetSeconds"], 0);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let setting = Setting::ephemeral();
    for (arguments, text) in [
        (&["advance", "soon"][..], "no span of time such as P90D"),
        (&["advance", "P99999Y"], "a longer span of time than a clock can be moved by"),
        (&["set", "tomorrow"], "no moment such as 2027-01-31T12:00:00Z"),
        (&["set", "1999-01-01T00:00:00Z"], "a clock can be set to moments from 2020-01-02"),
        (&["advance", "P100Y"], "a clock can be set to moments from"),
        (&["reset", "--tenant", "xx"], "tenant \"xx\" is not one of nl, be_fr, be_nl, uk"),
        (&["show", "--tenant", "xx"], "tenant \"xx\" is not one of nl, be_fr, be_nl, uk"),
    ] {
        let (code, out, error) = clock(&setting, arguments);
        assert!(code != 0 && error.contains(text), "{arguments:?}: {out}{error}");
    }
    let public = setting.bank.url("public");
    let (code, _, error) = vestibule(&["clock", "--management", &public]);
    assert!(code != 0 && error.contains("is not a management address"), "{error}");
    // Nobody listens there any more.
    let management = setting.bank.url("management");
    drop(setting);
    let (code, out, error) = vestibule(&["clock", "advance", "P1D", "--json", "--management", &management]);
    assert!(
        code != 0 && error.contains("cannot be reached") && error.contains("vestibule sandbox"),
        "{error}"
    );
    assert_eq!(read(&out)["error"]["kind"], "unreachable");
}
