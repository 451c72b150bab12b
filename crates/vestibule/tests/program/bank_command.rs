//! `vestibule bank`.

use serde_json::Value;

use crate::third_party::{Setting, json as read};
use crate::vestibule;

/// Runs the command at the sandbox.
fn bank(setting: &Setting, arguments: &[&str]) -> (i32, String, String) {
    vestibule(&[&["bank"], arguments, &["--management", &setting.bank.url("management")]].concat())
}

fn names(setting: &Setting, arguments: &[&str]) -> Vec<(String, String)> {
    let (code, out, error) = bank(setting, &[arguments, &["--json"]].concat());
    assert_eq!(code, 0, "{arguments:?}: {error}");
    let text = |branch: &Value, name: &str| branch[name].as_str().unwrap().to_owned();
    let branches = read(&out)["tenants"].as_array().unwrap().clone();
    branches.iter().map(|branch| (text(branch, "tenant"), text(branch, "bankName"))).collect()
}

#[test]
fn the_bank_gets_another_name_at_one_branch_or_all_of_them() {
    let setting = Setting::ephemeral();
    let is = |tenant: &str, name: &str| (tenant.to_owned(), name.to_owned());
    let before = names(&setting, &[]);
    assert_eq!(before.len(), 4);
    assert_eq!(before[0], is("nl", "Vestibule Bank Nederland"));
    let page = || {
        let url = format!("{}/auth/uk/customer", setting.bank.url("public"));
        String::from_utf8(testkit::run("curl", &["-s", &url]).stdout).unwrap()
    };
    assert!(page().contains("Vestibule Bank UK"), "{}", page());
    let marsh = "Bank of <the> Marsh";
    assert_eq!(names(&setting, &["name", marsh, "--tenant", "uk"]), [is("uk", marsh)]);
    // The pages show it at once.
    assert!(page().contains("Bank of &#60;the&#62; Marsh"), "{}", page());
    assert_eq!(names(&setting, &["show"])[0], before[0]);
    let (_, out, _) = bank(&setting, &["show", "--tenant", "uk"]);
    assert!(out.contains("uk      Bank of <the> Marsh") && !out.contains("Nederland"), "{out}");
    assert!(names(&setting, &["name", "Everywhere"]).iter().all(|(_, name)| name == "Everywhere"));
}

#[test]
fn what_is_no_name_or_no_branch_is_refused() {
    let setting = Setting::ephemeral();
    let long = "x".repeat(71);
    for (arguments, text) in [
        (&["name", ""][..], "bankName must have 1 to 70 characters"),
        (&["name", " "], "bankName must have 1 to 70 characters"),
        (&["name", &long], "bankName must have 1 to 70 characters"),
        (&["name", "a\nb"], "no control characters"),
        (&["name", "a\u{202e}b"], "none that cannot be seen"),
        (&["name", "B", "--tenant", "xx"], "tenant \"xx\" is not one of nl, be_fr, be_nl, uk"),
        (&["--tenant", "../x"], "tenant \"../x\" is not one of nl, be_fr, be_nl, uk"),
        (&["name"], "<TEXT>"),
    ] {
        let (code, out, error) = bank(&setting, arguments);
        assert!(code != 0 && error.contains(text), "{arguments:?}: {out}{error}");
    }
    assert_eq!(names(&setting, &[])[0].1, "Vestibule Bank Nederland");
}
