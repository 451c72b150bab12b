//! A client whose bank is another one now: another at the same address, of another time, stricter, or down.

use serde_json::json;
use testkit::free_folder;

use crate::third_party::Setting;
use crate::vestibule;

const URI: &str = "https://tpp.example/callback";

#[test]
fn an_ephemeral_sandbox_that_was_started_again_is_enrolled_at_again() {
    let setting = Setting::ephemeral();
    setting.ok(&["certificate", "--organization-identifier", "PSDNL-DNB-AGAIN"]);
    setting.ok(&["register", "--redirect-uri", URI]);
    setting.ok(&["flow", "ais", "--headless", "approve"]);
    setting.ok(&["flow", "bunq", "--headless", "approve"]);
    // Also if the next one is stricter.
    let setting = setting.replace(&["--ephemeral", "--strict"]);
    let (code, out, error) = setting.tpp(&["consent", "--json"]);
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("is another one than before"), "{error}");
    assert!(out.contains("consentId"), "{out}");
    let shown = setting.json(&["show"]);
    assert_eq!(shown["clientId"], "PSDNL-DNB-AGAIN", "the same organisation");
    assert_eq!(shown["redirectUris"], json!([URI]));
    assert_eq!(shown["consents"].as_array().unwrap().len(), 1, "what the other one knew is gone");
    let (_, _, error) = setting.tpp(&["consent"]);
    assert!(!error.contains("another one"), "it says so once: {error}");
    let bunq = setting.refused(&["accounts", "--dialect", "bunq"], "tpp authorise");
    assert!(bunq.contains("is another one than before"), "{bunq}");
    let iban = setting.customer("student");
    setting.ok(&["authorise", "--dialect", "bunq", "--headless", "approve", "--customer-iban", &iban]);
    setting.ok(&["accounts", "--dialect", "bunq"]);
    // What reads finds no consent, and says which command gets one.
    let setting = setting.replace(&["--ephemeral"]);
    setting.refused(&["accounts"], "tpp consent");
}

#[test]
fn another_bank_with_data_of_its_own_is_not_taken_for_the_first() {
    let (_guard, data) = free_folder();
    let [one, two] = ["one", "two"].map(|name| data.join(name).to_str().unwrap().to_owned());
    let setting = Setting::new(&["--data", &one]);
    setting.ok(&["flow", "ais", "--headless", "approve"]);
    let setting = setting.replace(&["--data", &two]);
    for command in [&["accounts"][..], &["consent"], &["register", "--redirect-uri", URI], &["flow", "ais"]] {
        setting.refused(command, "tpp forget");
    }
    // The first one again: nothing is lost.
    let setting = setting.replace(&["--data", &one]);
    setting.ok(&["accounts"]);
    let setting = setting.replace(&["--data", &two]);
    assert!(setting.ok(&["forget"]).contains("tpp register"));
    setting.ok(&["flow", "ais", "--headless", "approve"]);
}

/// A clock that was moved further than a certificate is good: what is refused names the way on.
#[test]
fn a_clock_that_was_moved_far_leaves_a_way_on() {
    let setting = Setting::ephemeral();
    setting.ok(&["register", "--tenant", "uk", "--redirect-uri", URI]);
    setting.ok(&["flow", "bunq", "--headless", "approve"]);
    let user = setting.json(&["show", "--dialect", "bunq"])["signing"]["organizationIdentifier"].clone();
    setting.manage("PUT", "/clock", &json!({"tenant": "uk", "advance": "P3Y"}));
    for command in [&["consent"][..], &["register", "--redirect-uri", URI]] {
        setting.refused(&[command, &["--dialect", "berlin-group"]].concat(), "tpp certificate");
    }
    assert!(setting.ok(&["certificate", "--dialect", "berlin-group"]).contains("tpp register"));
    let flow = ["flow", "ais", "--headless", "approve"];
    let register = format!("tpp register --bank {}", setting.bank.url("public"));
    setting.refused(&flow, &register);
    setting.ok(&["register", "--dialect", "berlin-group", "--redirect-uri", URI]);
    setting.ok(&flow);
    // At the other interface the certificate is made here, by the bank's day.
    setting.manage("PUT", "/clock", &json!({"tenant": "nl", "advance": "P3Y"}));
    setting.ok(&["flow", "bunq", "--headless", "approve"]);
    let again = setting.json(&["show", "--dialect", "bunq"])["signing"]["organizationIdentifier"].clone();
    assert_eq!(again, user, "the same third party");
}

#[test]
fn a_bank_of_another_time_takes_a_certificate_of_its_time() {
    let setting = Setting::new(&["--ephemeral", "--now", "2031-05-05T12:00:00Z"]);
    setting.ok(&["register", "--dialect", "bunq", "--redirect-uri", URI]);
    setting.ok(&["flow", "bunq", "--headless", "approve"]);
}

/// Nobody at the bank's address: nobody else is asked in its place.
#[test]
fn a_bank_that_is_down_is_the_first_to_be_asked() {
    let setting = Setting::ephemeral();
    let port = testkit::free_port();
    let bank = format!("http://127.0.0.1:{port}");
    let management = setting.bank.url("management");
    for more in [&[][..], &["--management", &management]] {
        let arguments =
            ["tpp", "register", "--redirect-uri", URI, "--bank", &bank, "--state", &setting.state];
        let (code, _, error) = vestibule(&[&arguments[..], more].concat());
        assert!(code == 1 && error.contains(&format!("http to port {port}")), "{error}");
        assert!(!error.contains(":8081") && !std::path::Path::new(&setting.state).exists(), "{error}");
    }
    let tls = setting.bank.url("tls").replace("https:", "http:");
    let (_, _, error) = vestibule(&["tpp", "register", "--redirect-uri", URI, "--bank", &tls]);
    assert!(error.contains("this is the TLS port"), "{error}");
    // It is not the bank that is not there.
    let error = setting
        .refused(&["register", "--redirect-uri", URI, "--management", "http://127.0.0.1:1"], "port 1;");
    assert!(
        error.contains("management address and not the bank's") && !error.contains("sandbox --"),
        "{error}"
    );
    let public = setting.bank.url("public");
    let (code, _, error) = vestibule(&["account", "list", "--management", &public]);
    assert!(code == 1 && error.contains("is not a management address"), "{error}");
}

#[test]
fn a_bank_that_keeps_its_data_is_not_started_without_any() {
    let (_guard, data) = free_folder();
    let setting = Setting::new(&["--data", data.to_str().unwrap()]);
    setting.ok(&["register", "--redirect-uri", URI]);
    let arguments = [&["tpp".to_owned(), "consent".to_owned()][..], &setting.arguments()].concat();
    setting.bank.kill();
    let (code, _, error) = vestibule(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(code == 1 && error.contains("sandbox --listen") && !error.contains("--ephemeral"), "{error}");
}

#[test]
fn what_is_forgotten_is_registered_again_in_its_own_dialect() {
    let setting = Setting::ephemeral();
    setting.ok(&["register", "--redirect-uri", URI]);
    setting.ok(&["register", "--redirect-uri", URI, "--dialect", "bunq"]);
    assert!(setting.ok(&["forget"]).contains("--dialect berlin-group"));
}

#[test]
fn a_stricter_bank_gets_a_redirect_uri_that_it_takes() {
    let setting = Setting::ephemeral();
    setting.ok(&["register", "--redirect-uri", "http://127.0.0.1:8765/callback"]);
    let setting = setting.replace(&["--ephemeral", "--strict"]);
    setting.ok(&["consent"]);
    assert_eq!(setting.json(&["show"])["redirectUris"], json!([URI]));
}

#[test]
fn a_bank_without_the_usual_tenant_is_served() {
    let setting = Setting::new(&["--ephemeral", "--tenant", "be_fr,uk"]);
    setting.refused(&["register", "--redirect-uri", URI, "--tenant", "nl"], "name one of be_fr, uk");
    setting.ok(&["flow", "ais", "--headless", "approve"]);
    setting.ok(&["flow", "bunq", "--headless", "approve"]);
}
