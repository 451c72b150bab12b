//! What takes trust away from third parties of a sandbox, and gives it back: `vestibule certificate revoke`, `vestibule trusted-list`
//! and `vestibule register`.

use serde_json::{Value, json};
use testkit::{free_folder, run};

use crate::third_party::{Setting, json as read};
use crate::vestibule;

const ID: &str = "PSDNL-DNB-R123456";

/// Runs a command at the sandbox.
fn at(setting: &Setting, arguments: &[&str]) -> (i32, String, String) {
    vestibule(&[arguments, &["--management", &setting.bank.url("management")]].concat())
}

/// The same for programs.
fn told(setting: &Setting, arguments: &[&str]) -> Value {
    let (code, out, error) = at(setting, &[arguments, &["--json"]].concat());
    assert_eq!(code, 0, "{arguments:?}: {error}");
    read(&out)
}

/// What the sandbox publishes at an address of its management API.
fn published(setting: &Setting, path: &str) -> String {
    let output = run("curl", &["-sS", &format!("{}{path}", setting.bank.url("management"))]);
    String::from_utf8(output.stdout).unwrap()
}

/// A QSealC in a folder.
fn certificate(setting: &Setting, folder: &str) -> String {
    let (code, _, error) = at(
        setting,
        &["certificate", "new", "--profile", "qseal", "--organization-identifier", ID, "--out", folder],
    );
    assert_eq!(code, 0, "{error}");
    format!("{folder}/certificate.pem")
}

/// Each is refused with a text.
fn refused(setting: &Setting, all: &[(&[&str], &str)]) {
    for (arguments, why) in all {
        let (code, out, error) = at(setting, arguments);
        assert!(code != 0 && error.contains(why), "{arguments:?}: {why}: {out}{error}");
        let (code, out, _) = at(setting, &[arguments, &["--json"][..]].concat());
        // What the command line itself refuses is told in words alone.
        assert!(code == 2 || read(&out)["error"]["message"].as_str().unwrap().contains(why), "{out}");
    }
}

#[test]
fn a_certificate_is_revoked_and_good_again() {
    let setting = Setting::ephemeral();
    let (_guard, folder) = free_folder();
    let folder = folder.to_str().unwrap();
    let file = certificate(&setting, &format!("{folder}/seal"));
    let serial = || {
        let known = read(&published(&setting, "/test-certificates"))["certificates"].clone();
        let one = known.as_array().unwrap().iter().find(|one| one["profile"] == "qseal").unwrap().clone();
        (one["status"].as_str().unwrap().to_owned(), one["fingerprint"].as_str().unwrap().to_owned())
    };
    let (code, out, error) = at(&setting, &["certificate", "revoke", &file]);
    assert_eq!(code, 0, "{error}");
    assert!(out.starts_with(&format!("Revoked: the qseal certificate of {ID}, serial number ")), "{out}");
    let (status, fingerprint) = serial();
    assert_eq!(status, "revoked");
    // By its fingerprint, as OpenSSL writes it too.
    let pairs = fingerprint.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap().to_uppercase());
    let pairs = pairs.collect::<Vec<_>>().join(":");
    let again = told(&setting, &["certificate", "revoke", &pairs, "--undo"]);
    assert_eq!((&again["status"], &again["fingerprint"]), (&json!("active"), &json!(fingerprint)));
    assert_eq!(serial().0, "active");
    let (_, out, _) = at(&setting, &["certificate", "revoke", &fingerprint, "--undo"]);
    assert!(out.starts_with("Good again: the qseal certificate of"), "{out}");

    let unknown = "0".repeat(64);
    let (key, missing) = (format!("{folder}/seal/key.pem"), format!("{folder}/none.pem"));
    let text = format!("{folder}/text");
    std::fs::write(&text, "no certificate!").unwrap();
    refused(
        &setting,
        &[
            (&["certificate", "revoke", &unknown], "certificate"),
            (&["certificate", "revoke", &missing], "none.pem"),
            (&["certificate", "revoke", &key], "private key"),
            (&["certificate", "revoke", &text], "neither base64 of a DER certificate nor PEM nor DER"),
            (&["certificate", "revoke"], "<FILE|SHA256>"),
        ],
    );
    assert_eq!(serial().0, "active");
    let (code, _, error) = vestibule(&["certificate", "revoke", &file, "--management", "http://127.0.0.1:9"]);
    assert!(code != 0 && error.contains("127.0.0.1:9"), "{error}");
}

#[test]
fn the_service_of_the_trusted_list_is_withdrawn_and_granted_again() {
    let setting = Setting::ephemeral();
    let list = |word: &str| published(&setting, "/trusted-lists/NL.xml").contains(word);
    let said = told(&setting, &["trusted-list", "show"]);
    assert_eq!(said["status"], "granted");
    assert!(!list("Svcstatus/withdrawn") && list("ForeSeals"));
    let withdrawn = told(&setting, &["trusted-list", "withdraw"]);
    assert_eq!((&withdrawn["status"], &withdrawn["purposes"]), (&json!("withdrawn"), &said["purposes"]));
    assert!(list("Svcstatus/withdrawn"));
    assert_eq!(told(&setting, &["trusted-list", "withdraw", "--undo"]), said);
    let (_, out, _) = at(&setting, &["trusted-list", "withdraw", "--purpose", "seals"]);
    assert!(out.contains("Service   granted\nFor       ForWebSiteAuthentication\n"), "{out}");
    assert!(!list("ForeSeals") && list("ForWebSiteAuthentication"));
    let (_, out, _) = at(&setting, &["trusted-list", "withdraw", "--purpose", "website-authentication"]);
    assert!(out.contains("For       nothing"), "{out}");
    assert_eq!(told(&setting, &["trusted-list", "withdraw", "--undo"]), said);
    refused(
        &setting,
        &[
            (&["trusted-list"], "Usage"),
            (&["trusted-list", "withdraw", "--purpose", "all"], "website-authentication, seals"),
            (&["trusted-list", "withdraw", "--purpose", "seals", "--undo"], "cannot be used with"),
        ],
    );
    assert_eq!(told(&setting, &["trusted-list", "show"]), said);
}

#[test]
fn an_authorisation_and_a_passport_are_withdrawn_and_given_again() {
    let setting = Setting::ephemeral();
    let (_guard, folder) = free_folder();
    assert_eq!(told(&setting, &["register", "show", ID]), json!({"status": "absent"}));
    let none = format!("the register does not list {ID}");
    refused(&setting, &[(&["register", "withdraw", ID, "--passport", "BE"], &none)]);
    certificate(&setting, folder.join("seal").to_str().unwrap());
    let before = told(&setting, &["register", "show", ID]);
    let roles = json!(["PSP_AI", "PSP_IC", "PSP_PI"]);
    assert_eq!((&before["status"], &before["services"]["BE"]), (&json!("active"), &roles));
    let entity = || read(&published(&setting, &format!("/register/{ID}")))[1][0].clone();
    let dates = || entity()["Properties"][1]["ENT_AUT"].as_array().unwrap().len();
    assert_eq!(dates(), 1);

    let without = told(&setting, &["register", "withdraw", ID, "--passport", "be"]);
    assert_eq!((&without["status"], &without["services"]["BE"]), (&json!("active"), &Value::Null));
    assert_eq!(without["services"]["NL"].as_array().unwrap().len(), 3);
    assert!(!entity()["Services"].to_string().contains("BE"), "{}", entity());
    let (_, out, _) = at(&setting, &["register", "show", ID]);
    assert!(
        out.starts_with("Register  active\n") && out.contains("NL        PSP_AI, PSP_IC, PSP_PI"),
        "{out}"
    );
    assert_eq!(told(&setting, &["register", "withdraw", ID])["status"], "withdrawn");
    assert_eq!(dates(), 2);
    assert_eq!(told(&setting, &["register", "withdraw", ID, "--undo"]), before);
    assert_eq!(told(&setting, &["register", "show", ID]), before);

    refused(
        &setting,
        &[
            (&["register", "show", "PSDNL_DNB_R1"], "PSDNL_DNB_R1"),
            (&["register", "show", "VATNL-123456789B01"], "authorisation number"),
            (
                &["register", "withdraw", ID, "--passport", "FR"],
                "has no passport for \"FR\"; it has them for",
            ),
            (&["register", "withdraw", ID, "--passport", "BE", "--undo"], "cannot be used with"),
            (&["register", "withdraw"], "<IDENTIFIER>"),
        ],
    );
    assert_eq!(told(&setting, &["register", "show", ID]), before);
}
