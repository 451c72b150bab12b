//! `vestibule certificate`

use serde_json::Value;
use testkit::{Program, free_folder, openssl};

use crate::{BINARY, vestibule};

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn new_inspect_and_check_without_a_sandbox() {
    let (_guard, folder) = free_folder();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    for (profile, kind) in [("qwac", "qwac"), ("qseal", "qseal")] {
        let out = path(profile);
        let (code, text, error) = vestibule(&[
            "certificate",
            "new",
            "--ca",
            &path("ca"),
            "--out",
            &out,
            "--profile",
            profile,
            "--organization-identifier",
            "PSDFR-ACPR-12345",
            "--organization-name",
            "Tiers",
            "--role",
            "PSP_AI",
        ]);
        assert_eq!(code, 0, "{error}");
        assert!(
            text.contains("PSDFR-ACPR-12345") && text.contains("country FR, authority ACPR, number 12345"),
            "{text}"
        );
        let certificate = format!("{out}/certificate.pem");

        let (_, text, _) = vestibule(&["certificate", "inspect", &certificate, "--json"]);
        let described = json(&text);
        assert_eq!(described["kind"], kind);
        assert_eq!(
            described["authorizationNumber"],
            json(r#"{"country":"FR","authority":"ACPR","number":"12345"}"#)
        );
        assert_eq!(described["psd2"]["roles"], json(r#"["PSP_AI"]"#));
        assert_eq!(described["psd2"]["ncaId"], "FR-ACPR");
        let (_, text, _) = vestibule(&["certificate", "inspect", &certificate]);
        assert!(text.contains("Key id for signatures") && text.contains("SN="), "{text}");

        let ca = path("ca/ca.pem");
        let (code, text, error) = vestibule(&["certificate", "check", &certificate, "--ca", &ca]);
        assert_eq!(code, 0, "{text}{error}");
        assert!(text.contains("trusted   path") && text.contains("No rule is broken."), "{text}");
        let at = testkit::now().as_second().to_string();
        openssl(&["verify", "-attime", &at, "-CAfile", &ca, &certificate]);
        let key = openssl(&["pkey", "-in", &format!("{out}/key.pem"), "-pubout"]);
        assert_eq!(openssl(&["x509", "-in", &certificate, "-noout", "-pubkey"]), key);
        let (code, text, _) =
            vestibule(&["certificate", "check", &certificate, "--at", "2090-01-01T00:00:00Z"]);
        assert!(
            code == 1 && text.contains("certificate_expired") && text.contains("RFC 5280, 4.1.2.5"),
            "{text}"
        );
        let purpose = if profile == "qwac" { "qseal" } else { "qwac" };
        let (code, text, _) =
            vestibule(&["certificate", "check", &certificate, "--purpose", purpose, "--json"]);
        let checked = json(&text);
        assert!(code == 1 && checked["ok"] == false, "{text}");
        let rules: Vec<_> =
            checked["findings"].as_array().unwrap().iter().map(|f| f["rule"].clone()).collect();
        assert!(rules.contains(&"wrong_qc_type".into()), "{rules:?}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for key in ["qwac/key.pem", "ca/ca.key.pem"] {
            let mode = std::fs::metadata(folder.join(key)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{key}");
        }
    }
}

#[test]
fn new_from_a_sandbox() {
    let program = Program::sandbox(BINARY, &["--ephemeral"]);
    let (_guard, folder) = free_folder();
    for profile in ["test-client", "qwac", "qseal"] {
        let out = folder.join(profile);
        let out = out.to_str().unwrap();
        let (code, text, error) = vestibule(&[
            "certificate",
            "new",
            "--management",
            &program.url("management"),
            "--out",
            out,
            "--profile",
            profile,
            "--json",
        ]);
        assert_eq!(code, 0, "{error}");
        let made = json(&text);
        assert!(made["organizationIdentifier"].as_str().unwrap().starts_with("PSDNL-DNB-R"));
        let certificate = made["certificate"].as_str().unwrap();
        let (code, text, _) = vestibule(&["certificate", "check", certificate]);
        // The profile of the compatible bank breaks rules of the standard, and the command names them.
        assert_eq!(code == 0, profile != "test-client", "{text}");
        if profile == "test-client" {
            for rule in [
                "qc_statements_critical",
                "EN 319 412-5, QCS-4.1-02",
                "qc_compliance_missing",
                "nca_id_format",
                "key_usage",
            ] {
                assert!(text.contains(rule), "{rule}: {text}");
            }
        }
    }
}

#[test]
fn refusals_say_what_would_be_right() {
    let (_guard, folder) = free_folder();
    let out = folder.to_str().unwrap();
    let new = |more: &[&str]| {
        let all = [&["certificate", "new", "--ca", out, "--out", out], more].concat();
        let (code, _, error) = vestibule(&all);
        assert_ne!(code, 0);
        error
    };
    assert!(new(&["--organization-identifier", "DE-BAFIN-1"]).contains("must begin with PSD"));
    assert!(new(&["--role", "PSP_XX"]).contains("role PSP_XX is not known"));
    assert!(new(&["--profile", "qes"]).contains("possible values: test-client, qwac, qseal"));
    let (_, _, error) =
        vestibule(&["certificate", "new", "--management", "http://127.0.0.1:1", "--out", out]);
    assert!(error.contains("http://127.0.0.1:1/test-certificates cannot be reached"), "{error}");
}
