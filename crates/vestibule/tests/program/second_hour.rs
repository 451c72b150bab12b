//! What a client does when things are not as they were: another bank at the same address, ended consents, keys that are
//! there already, browsers elsewhere.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::free_folder;

use crate::third_party::Setting;
use crate::{BINARY, vestibule};

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

#[test]
fn no_key_is_overwritten() {
    let (_guard, folder) = free_folder();
    let [out, ca] = ["out", "ca"].map(|name| folder.join(name).to_str().unwrap().to_owned());
    let new = |more: &[&str]| vestibule(&[&["certificate", "new", "--ca", &ca, "--out"], more].concat());
    assert_eq!(new(&[&out]).0, 0);
    let read = |path: String| std::fs::read(path).unwrap();
    let files = ["key.pem", "certificate.pem", "chain.pem"].map(|name| format!("{out}/{name}"));
    let before = files.clone().map(read);
    for kept in &files {
        let (code, _, error) = new(&[&out]);
        assert!(code == 1 && error.contains("is not overwritten"), "{error}");
        assert_eq!(files.clone().map(|file| std::fs::read(file).unwrap_or_default()).len(), before.len());
        for (file, content) in
            files.iter().zip(&before).filter(|(file, _)| std::path::Path::new(file).exists())
        {
            assert_eq!(&read(file.clone()), content);
        }
        std::fs::remove_file(kept).unwrap();
    }
    assert_eq!(new(&[&out]).0, 0, "the folder is empty");
    // The key of an authority whose certificate was lost.
    std::fs::remove_file(format!("{ca}/ca.pem")).unwrap();
    let key = read(format!("{ca}/ca.key.pem"));
    let other = format!("{out}-other");
    let (code, _, error) = new(&[&other]);
    assert!(code == 1 && error.contains("ca.key.pem exists and is not overwritten"), "{error}");
    assert_eq!(read(format!("{ca}/ca.key.pem")), key);
}

#[test]
fn another_certificate_is_for_the_same_organisation() {
    let setting = Setting::ephemeral();
    let who = ["--organization-identifier", "PSDDE-BAFIN-1234", "--organization-name", "Mein TPP GmbH"];
    setting.ok(&[&["certificate", "--role", "PSP_AI"], &who[..]].concat());
    let first = setting.json(&["register", "--redirect-uri", URI]);
    let key = std::fs::read(first["signing"]["privateKey"].as_str().unwrap()).unwrap();
    for profile in ["test-client", "qseal", "qwac"] {
        let made = setting.json(&["certificate", "--profile", profile]);
        assert_eq!(made["organizationIdentifier"], "PSDDE-BAFIN-1234");
        let (_, text, _) =
            vestibule(&["certificate", "inspect", made["certificate"].as_str().unwrap(), "--json"]);
        let described: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(described["psd2"]["roles"], json!(["PSP_AI"]), "{text}");
        assert!(described["subject"]["text"].as_str().unwrap().contains("Mein TPP GmbH"), "{text}");
    }
    assert_eq!(
        std::fs::read(first["signing"]["privateKey"].as_str().unwrap()).unwrap(),
        key,
        "the first key is kept"
    );
    setting.ok(&["consent"]);
    // Whoever is somebody else has to register as that.
    let told = setting.ok(&["certificate", "--organization-identifier", "PSDNL-DNB-OTHER"]);
    assert!(told.contains("PSDDE-BAFIN-1234") && told.contains("tpp register"), "{told}");
    setting.refused(&["consent"], "tpp register");
    assert_eq!(setting.json(&["register", "--redirect-uri", URI])["clientId"], "PSDNL-DNB-OTHER");
}

/// A flow whose customer is at a browser on another machine.
#[test]
fn a_browser_elsewhere_does_not_end_a_flow() {
    let setting = Setting::ephemeral();
    for flow in ["ais", "bunq"] {
        let mut child = testkit::command(BINARY)
            .args(["tpp", "flow", flow, "--no-browser", "--redirect-uri", URI])
            .args(setting.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut told = String::new();
        while !told.contains("digipass ") {
            assert_ne!(out.read_line(&mut told).unwrap(), 0, "{told}");
        }
        let line = told.lines().last().unwrap();
        let iban = line.split_whitespace().find(|word| word.starts_with("NL")).unwrap().trim_end_matches(',');
        let number = line.rsplit(' ').next().unwrap();
        assert!(number.len() > 8 && number.bytes().all(|b| b.is_ascii_digit()), "{line}");
        let mut error = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let url = error.find(|line| line.trim().starts_with("http")).unwrap().trim().to_owned();
        let location = setting.account(&["approve", &url, "--iban", iban]);
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "what?\n\n'{}'", location.trim()).unwrap();
        out.read_to_string(&mut told).unwrap();
        let rest: Vec<String> = error.collect();
        assert!(child.wait().unwrap().success(), "{told}{rest:?}");
        assert!(rest.iter().any(|line| line.contains("That is no address")), "{rest:?}");
        assert!(told.contains("together"), "{told}");
    }
}

/// Nobody there to paste: the address is printed, and the command that finishes asks for the other one.
#[test]
fn what_was_begun_is_finished_by_the_command_that_is_printed() {
    let setting = Setting::ephemeral();
    setting.ok(&["register", "--redirect-uri", "http://127.0.0.1:8765/callback"]);
    // A redirect URI that is not registered yet is registered beside the others.
    let error = setting.refused(&["flow", "ais", "--redirect-uri", URI], "--location -");
    let url = error.lines().find(|line| line.trim().starts_with("http")).unwrap().trim().to_owned();
    let owner =
        setting.account(&["list"]).lines().last().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    let location = setting.account(&["approve", &url, "--iban", &owner]);
    let command = error.lines().find(|line| line.contains("--location -")).unwrap();
    let command = &command[command.find(BINARY).unwrap()..];
    let output = testkit::command("sh")
        .args(["-c", &format!("echo '{}' | {command}", location.trim())])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    setting.ok(&["balances"]);
}

#[test]
fn consents_that_ended_are_left_out_and_the_next_command_is_named() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    let authorise = |decision: &'static str| ["authorise", "--headless", decision, "--customer-iban"];
    let consents = || setting.json(&["show"])["consents"].as_array().unwrap().len();
    setting.ok(&["register", "--redirect-uri", URI]);
    // Cancelled by the customer.
    setting.ok(&["consent", "--iban", &iban]);
    setting.refused(&[&authorise("reject")[..], &[&iban]].concat(), "tpp consent");
    setting.refused(&["accounts"], "it is rejected");
    assert_eq!(setting.json(&["status", "consent"])["consentStatus"], "rejected");
    setting.refused(&[&authorise("approve")[..], &[&iban]].concat(), "tpp consent");
    assert_eq!(consents(), 0);
    // Too many wrong answers: another attempt at the same consent.
    let id = setting.json(&["consent", "--iban", &iban])["consentId"].clone();
    setting.refused(&[&authorise("wrong-answer")[..], &[&iban]].concat(), "tpp authorise");
    assert_eq!(consents(), 1);
    setting.manage("PUT", "/clock", &json!({"advance": "PT1H"}));
    setting.ok(&[&authorise("approve")[..], &[&iban]].concat());
    assert_eq!(setting.json(&["status", "consent"]), json!({"consentId": id, "consentStatus": "valid"}));
    setting.ok(&["accounts"]);
    // Withdrawn at the bank.
    let id = id.as_str().unwrap();
    setting.manage("POST", &format!("/consents/{id}/revocation"), &json!({}));
    setting.refused(&["balances"], "it is revokedByPsu; ask for another one with: ");
    assert_eq!(consents(), 0);
    let registered = setting.json(&["register", "--redirect-uri", URI]);
    assert_eq!(registered["consents"], json!([]));
    // Ended by this side, and over by the bank's calendar.
    setting.ok(&["flow", "ais", "--headless", "approve"]);
    setting.ok(&["revoke", "--delete-consent"]);
    setting.refused(&["accounts"], "it is terminatedByTpp");
    assert_eq!(setting.json(&["status", "consent"])["consentStatus"], "terminatedByTpp");
    setting.ok(&["flow", "ais", "--headless", "approve"]);
    setting.manage("PUT", "/clock", &json!({"advance": "P200D"}));
    setting.refused(&["accounts"], "it is expired");
    // At the other interface as well.
    setting.ok(&["flow", "bunq", "--headless", "approve", "--customer-iban", &iban]);
    let granted = setting.manage("GET", &format!("/consents?iban={iban}"), &json!({}));
    let valid = granted["consents"].as_array().unwrap().iter().find(|one| one["consentStatus"] == "valid");
    let id = valid.unwrap()["consentId"].as_str().unwrap().to_owned();
    setting.manage("POST", &format!("/consents/{id}/revocation"), &json!({}));
    setting.refused(&["accounts", "--dialect", "bunq"], "tpp authorise");
    let shown = setting.json(&["show", "--dialect", "bunq"]);
    assert_eq!(shown["bunq"]["connections"], json!([]), "{shown}");
}

#[test]
fn reads_are_counted_as_the_bank_counts_them() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    let authorise = ["authorise", "--headless", "approve", "--customer-iban", &iban];
    setting.ok(&["register", "--redirect-uri", URI]);
    setting.ok(&["consent", "--iban", &iban, "--frequency-per-day", "2"]);
    setting.ok(&authorise);
    // What the bank refuses costs nothing: the account is blocked for a while.
    let block =
        |status: &str| setting.manage("PUT", &format!("/test-accounts/{iban}"), &json!({"status": status}));
    block("blocked");
    for _ in 0..3 {
        setting.refused(&["balances"], "blocked");
        setting.refused(&["transactions"], "blocked");
    }
    block("enabled");
    for _ in 0..2 {
        setting.ok(&["balances"]);
        setting.ok(&["transactions"]);
    }
    setting.refused(&["balances"], "2 unattended reads of balances");
    setting.refused(&["transactions"], "2 unattended reads of transactions");
    setting.refused(&["balances", "--beyond-budget"], "ACCESS_EXCEEDED");
    // The day is the bank's, not this machine's.
    setting.manage("PUT", "/clock", &json!({"advance": "P1D"}));
    setting.ok(&["balances"]);
    // One-off consents have no daily limit.
    setting.ok(&["consent", "--iban", &iban, "--one-off"]);
    setting.ok(&authorise);
    for _ in 0..6 {
        setting.ok(&["balances"]);
        setting.ok(&["transactions"]);
    }
}

#[test]
fn every_persona_goes_through_every_flow_or_is_refused_before_it_begins() {
    let setting = Setting::ephemeral();
    let personas: Value = serde_json::from_str(&setting.account(&["list", "--personas", "--json"])).unwrap();
    for flow in ["ais", "bunq"] {
        setting.refused(
            &["flow", flow, "--headless", "approve", "--persona", "nobody"],
            "is not one of household",
        );
        setting.refused(
            &["show", "--dialect", if flow == "ais" { "berlin-group" } else { "bunq" }],
            "nothing is kept",
        );
        for persona in personas["personas"].as_array().unwrap() {
            let name = persona["name"].as_str().unwrap();
            let arguments = ["flow", flow, "--headless", "approve", "--persona", name];
            if name == "blocked" {
                setting.refused(&arguments, "The bank blocks the account");
            } else {
                setting.ok(&arguments);
            }
        }
    }
    setting.refused(
        &["flow", "ais", "--persona", "student", "--customer-iban", "NL91ABNA0417164300"],
        "cannot be used with",
    );
    let listed = setting.account(&["list"]);
    assert!(!listed.contains(" blocked "), "nobody was made for it: {listed}");
}

#[test]
fn drafts_and_payments_say_what_became_of_them() {
    let setting = Setting::ephemeral();
    let flow = setting.json(&["flow", "bunq", "--headless", "approve"]);
    let (draft, iban) = (flow["draftPayment"]["id"].to_string(), flow["customer"]["iban"].as_str().unwrap());
    assert_eq!(setting.json(&["status", "draft", &draft])["status"], "PENDING");
    let to = ["--to", "NL91ABNA0417164300", "--name", "Shop", "--description", "Coffee", "--amount", "1.00"];
    let paid = setting.ok(&[&["pay", "--from", iban], &to[..]].concat());
    let payment = paid.lines().last().unwrap().rsplit(' ').find(|word| word.parse::<i64>().is_ok());
    let status = paid.lines().find(|line| line.contains("tpp payment status")).unwrap();
    assert!(status.contains(payment.unwrap_or("payment status")), "{paid}");
    let output = testkit::command("sh").args(["-c", status.trim()]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("is PENDING"), "{status}");
    setting.ok(&["authorise", "--headless", "approve", "--customer-iban", iban]);
    assert_eq!(setting.json(&["status", "draft", &draft])["status"], "ACCEPTED");
    let output = testkit::command("sh").args(["-c", status.trim()]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("is ACCEPTED"), "{status}");
    setting.refused(&["status", "draft", "1"], "no account of the connection has a draft payment 1");
    setting.refused(&["status", "consent", "--dialect", "bunq"], "not offered");
    setting.refused(&["status", "draft", "1", "--dialect", "berlin-group"], "not offered");
}

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
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let bank = format!("http://127.0.0.1:{port}");
    let management = setting.bank.url("management");
    for more in [&[][..], &["--management", &management]] {
        let arguments =
            ["tpp", "register", "--redirect-uri", URI, "--bank", &bank, "--state", &setting.state];
        let (code, _, error) = vestibule(&[&arguments[..], more].concat());
        assert!(code == 1 && error.contains(&format!("http to port {port}")), "{error}");
        assert!(!error.contains("8081") && !std::path::Path::new(&setting.state).exists(), "{error}");
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
