//! `vestibule tpp`

use std::fs;

use serde_json::json;
use testkit::{free_folder, run};

use crate::third_party::{Setting, json};
use crate::vestibule;

const URI: &str = "https://tpp.example/cb";

#[test]
fn one_command_registers_and_can_be_repeated() {
    let setting = Setting::ephemeral();
    let first = setting.json(&["register", "--redirect-uri", URI]);
    assert!(first["clientId"].as_str().unwrap().starts_with("PSDNL-DNB-R"));
    assert_eq!(first["clientId"], first["signing"]["organizationIdentifier"]);
    assert_eq!(first["initialAccessToken"].as_str().unwrap().len(), 36);

    let second = setting.json(&[
        "register",
        "--tenant",
        "uk",
        "--redirect-uri",
        "com.example.app:/cb",
        "--redirect-uri",
        URI,
    ]);
    assert_eq!((&second["clientId"], &second["signing"]), (&first["clientId"], &first["signing"]));
    assert_ne!(second["clientSecret"], first["clientSecret"]);
    assert_eq!(second["redirectUris"], json!(["com.example.app:/cb", URI]));

    let (_, shown, _) = setting.tpp(&["show", "--json", "--secrets"]);
    assert_eq!(json(&shown), second, "what was printed is what is kept");
    let (_, shown, _) = setting.tpp(&["show"]);
    let secret = second["clientSecret"].as_str().unwrap();
    assert!(!shown.contains(secret) && shown.contains("hidden"), "{shown}");
    let url = format!("{}/auth/uk/v1/token", setting.bank.url("public"));
    let credentials = format!("{}:{secret}", second["clientId"].as_str().unwrap());
    let answer =
        run("curl", &["-s", "-u", &credentials, "-d", "grant_type=refresh_token&refresh_token=x", &url]);
    assert!(
        String::from_utf8_lossy(&answer.stdout).contains("Unknown refresh token"),
        "the secret opens the door"
    );
}

#[cfg(unix)]
#[test]
fn keys_and_secrets_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let setting = Setting::ephemeral();
    setting.tpp(&["register", "--redirect-uri", URI]);
    let (_, text, _) = setting.tpp(&["show", "--json"]);
    let folder = json(&text)["folder"].as_str().unwrap().to_owned();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.as_ref()), 0o700);
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 3, "state, key and certificate");
}

/// Every printed command, pasted into a shell, gets the answer that the program got.
#[test]
fn shown_calls_work_when_pasted() {
    let setting = Setting::ephemeral();
    let (code, _, shown) = setting.tpp(&["register", "--redirect-uri", URI, "--show-calls"]);
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown
            .contains("#   digest: SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n#   x-request-id: "),
        "{shown}"
    );
    let commands: Vec<&str> = shown.split("\n\n").filter(|part| part.starts_with('#')).collect();
    assert_eq!(commands.len(), 3, "{shown}");
    // The first one comes last: a new certificate would revoke the one that the others are signed with.
    let answers = [(1, "\"client-reg\""), (2, "\"client_secret\""), (0, "\"keyId\"")];
    for (command, answer) in answers.map(|(at, answer)| (commands[at], answer)) {
        let output = run("sh", &["-c", command]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains(answer), "{command}\n{text}");
    }
}

#[test]
fn a_bank_that_demands_tls_client_certificates() {
    let id = "PSDNL-DNB-R555555";
    for profile in [&["--require-mtls"][..], &["--require-mtls", "--strict"]] {
        let setting = Setting::new(&[&["--ephemeral"], profile].concat());
        for certificate in ["qseal", "qwac"] {
            let arguments =
                ["certificate", "--profile", certificate, "--organization-identifier", id, "--json"];
            let (code, text, error) = setting.tpp_at("tls", &arguments);
            assert_eq!(code, 0, "{error}");
            assert_eq!(json(&text)["organizationIdentifier"], id);
        }
        let arguments = ["register", "--redirect-uri", URI, "--json", "--show-calls"];
        let (code, text, error) = setting.tpp_at("tls", &arguments);
        assert_eq!(code, 0, "{error}");
        assert_eq!(json(&text)["clientId"], id);
        assert!(error.contains("--cert ") && error.contains("--cacert "), "{error}");
        let pasted: Vec<&str> = error.split("\n\n").filter(|part| part.contains("onboarding/v1")).collect();
        let output = run("sh", &["-c", pasted[0]]);
        assert!(String::from_utf8_lossy(&output.stdout).contains("client-reg"), "{}", pasted[0]);
    }
    let lenient = Setting::new(&["--ephemeral", "--require-mtls"]);
    let (code, _, error) = lenient.tpp(&["register", "--redirect-uri", URI]);
    assert!(code == 1 && error.contains("CERTIFICATE_MISSING"), "{error}");
}

#[test]
fn certificates_of_ones_own_are_taken_over() {
    let (_guard, folder) = free_folder();
    let out = folder.to_str().unwrap();
    let ca = format!("{out}/ca.pem");
    vestibule(&[
        "certificate",
        "new",
        "--ca",
        out,
        "--out",
        out,
        "--profile",
        "qseal",
        "--organization-identifier",
        "PSDNL-DNB-OWN",
    ]);
    let setting = Setting::new(&["--ephemeral", "--trusted-ca", &ca]);
    let (certificate, key) = (format!("{out}/certificate.pem"), format!("{out}/key.pem"));
    let (code, _, error) =
        setting.tpp(&["certificate", "--profile", "qseal", "--certificate", &certificate, "--key", &key]);
    assert_eq!(code, 0, "{error}");
    assert_eq!(setting.json(&["register", "--redirect-uri", URI])["clientId"], "PSDNL-DNB-OWN");

    let other = format!("{out}/ca.key.pem");
    let (code, _, error) = setting.tpp(&["certificate", "--certificate", &certificate, "--key", &other]);
    assert!(code == 1 && error.contains("does not belong to the signing certificate"), "{error}");
    let (code, _, error) = setting.tpp(&["certificate", "--certificate", "/nowhere", "--key", &key]);
    assert!(code == 1 && error.contains("/nowhere: No such file"), "{error}");
}

#[test]
fn what_goes_wrong_is_said_with_the_next_step() {
    let setting = Setting::ephemeral();
    let (code, _, error) = setting.tpp(&["show"]);
    assert!(code == 1 && error.contains("vestibule tpp register --bank"), "{error}");
    let (code, _, error) = setting.tpp(&["register", "--redirect-uri", "nonsense"]);
    assert!(
        code == 1 && error.contains("400 invalid_redirect_uri: redirect URI 'nonsense' is not absolute"),
        "{error}"
    );
    assert!(error.contains("X-Request-ID"), "{error}");
    let (code, _, error) = setting.tpp(&["register", "--tenant", "xx", "--redirect-uri", URI]);
    assert!(code == 1 && error.contains("has no tenant xx; name one of nl, be_fr"), "{error}");
    let (code, _, error) = setting.tpp(&["certificate", "--organization-identifier", "X"]);
    assert!(code == 1 && error.contains("invalid_organization_identifier"), "{error}");
    let state = &setting.state;
    let (code, _, error) = vestibule(&[
        "tpp",
        "register",
        "--bank",
        "http://127.0.0.1:1",
        "--management",
        "http://127.0.0.1:1",
        "--state",
        state,
        "--redirect-uri",
        URI,
    ]);
    assert!(
        code == 1
            && error.contains("cannot be reached: Connection refused")
            && error.contains("--management"),
        "{error}"
    );
    let (code, _, error) =
        vestibule(&["tpp", "register", "--bank", "bank", "--state", state, "--redirect-uri", URI]);
    assert!(code == 1 && error.contains("bank is no address of a bank"), "{error}");
    let (code, _, error) = vestibule(&["tpp", "register"]);
    assert!(code == 2 && error.contains("--redirect-uri"), "{error}");
}

#[test]
fn show_all_lists_every_bank() {
    let (one, two) = (Setting::ephemeral(), Setting::ephemeral());
    one.tpp(&["register", "--redirect-uri", URI]);
    let other = two.bank.url("public");
    let to = ["--bank", &other, "--management", &two.bank.url("management"), "--state", &one.state];
    assert_eq!(vestibule(&[&["tpp", "register", "--redirect-uri", URI][..], &to].concat()).0, 0);
    let (_, text, _) = one.tpp(&["show", "--all", "--json"]);
    let banks: Vec<_> = json(&text).as_array().unwrap().iter().map(|state| state["bank"].clone()).collect();
    assert_eq!(banks.len(), 2);
    assert!(banks.contains(&other.into()) && banks.contains(&one.bank.url("public").into()));
}

/// The name is not that of the bank's address: the sandbox was told to write it into its links.
#[test]
fn a_public_url_that_this_machine_does_not_know_is_named_as_the_cause() {
    let port = testkit::free_port();
    let address = format!("127.0.0.1:{port}");
    let url = "http://vestibule.invalid:8080";
    let setting = Setting::new(&["--ephemeral", "--listen", &address, "--public-url", url]);
    let bank = format!("http://{address}");
    let to = ["--redirect-uri", URI, "--bank", &bank, "--state", &setting.state];
    let register = [&["tpp", "register"], &to[..]].concat();
    let (code, _, error) = vestibule(&register);
    assert!(code == 1 && error.contains("cannot resolve the name vestibule.invalid"), "{error}");
    assert!(error.contains("because of its --public-url") && !error.contains("is running"), "{error}");
    let (_, refused, _) = vestibule(&[&register[..], &["--json"]].concat());
    assert_eq!(json(&refused)["error"]["kind"], "unreachable");
    // The bank's own name is the address that was given.
    let to = ["--bank", "http://vestibule.invalid", "--state", &setting.state];
    let (code, _, error) = vestibule(&[&["tpp", "register", "--redirect-uri", URI], &to[..]].concat());
    assert!(
        code == 1 && error.contains("cannot resolve the name vestibule.invalid, http to port 80"),
        "{error}"
    );
    assert!(error.contains("check the address") && !error.contains("--public-url"), "{error}");
}
