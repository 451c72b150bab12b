//! What a client does when things are not as they were: ended consents, keys that are there already,
//! browsers elsewhere.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::free_folder;

use crate::third_party::Setting;
use crate::{BINARY, vestibule};

const URI: &str = "https://tpp.example/callback";

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
