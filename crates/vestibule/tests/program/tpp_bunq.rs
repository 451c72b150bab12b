//! `vestibule tpp` at the bunq interface.

use serde_json::json;

use crate::third_party::Setting;
use crate::vestibule;

#[test]
fn from_nothing_to_a_draft_payment() {
    let setting = Setting::ephemeral();
    let flow = setting.json(&["flow", "bunq", "--headless", "approve"]);
    let steps: Vec<_> =
        flow["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    for step in
        ["registration", "customer", "authorisation", "session", "accounts", "transactions", "draft payment"]
    {
        assert!(steps.contains(&step), "{step}: {steps:?}");
    }
    // What was kept says which interface it is.
    let accounts = setting.ok(&["accounts"]);
    assert_eq!(accounts.lines().count(), 3, "headings and two accounts: {accounts}");
    assert!(setting.ok(&["balances"]).contains("interimAvailable"));
    assert!(setting.ok(&["transactions", "--csv"]).lines().count() > 400);
    let shown = setting.ok(&["show"]);
    assert!(shown.contains("(hidden; --secrets shows it)") && shown.contains("_bunq"), "{shown}");
    let calls = setting.tpp(&["accounts", "--show-calls"]).2;
    assert!(calls.contains("x-bunq-client-signature"), "{calls}");
}

#[cfg(unix)]
#[test]
fn registering_again_goes_on_where_it_stopped_and_files_are_closed() {
    use std::os::unix::fs::PermissionsExt;
    let setting = Setting::ephemeral();
    let uri = ["--redirect-uri", "https://tpp.example/callback"];
    let register =
        |more: &[&str]| setting.json(&[&["register", "--dialect", "bunq"], &uri[..], more].concat());
    let first = register(&[]);
    let second = register(&["--redirect-uri", "https://tpp.example/other"]);
    assert_eq!((&first["clientId"], &first["clientSecret"]), (&second["clientId"], &second["clientSecret"]));
    let client = setting.json(&["oauth-client", "--dialect", "bunq"]);
    assert!(client.to_string().contains("https://tpp.example/other"), "{client}");
    let mut files = 0;
    for folder in std::fs::read_dir(&setting.state).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            assert_eq!(
                std::fs::metadata(&file).unwrap().permissions().mode() & 0o077,
                0,
                "{}",
                file.display()
            );
            files += 1;
        }
    }
    assert!(files >= 4, "{files}");
    // Nobody has approved yet.
    setting.refused(&["accounts", "--dialect", "bunq"], "authorise");
}

#[test]
fn payments_by_an_account_number_by_a_connection_and_funds() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["register", "--dialect", "bunq", "--redirect-uri", "https://tpp.example/callback"]);
    let to = ["--to", "NL91ABNA0417164300", "--name", "Shop", "--description", "Coffee"];
    let pay = |amount: &str, more: &[&str]| {
        setting.json(&[&["pay", "--from", &iban, "--amount", amount][..], &to, more].concat())
    };
    assert_eq!(pay("12.50", &["--headless", "approve"])["status"], "ACCEPTED");
    let pending = pay("1.00", &[]);
    assert_eq!(pending["status"], "PENDING");
    assert!(pending.to_string().contains("/bunq/auth?"), "{pending}");
    // What waits is decided at the next authorisation.
    setting.ok(&["authorise", "--headless", "approve", "--customer-iban", &iban]);
    let newest = setting.ok(&["transactions", "--csv", "--account", &iban]);
    let coffees: Vec<_> = newest.lines().filter(|line| line.contains("Coffee")).collect();
    assert!(coffees.len() == 2 && coffees.iter().any(|line| line.contains("12.50")), "{coffees:?}");
    let waits = pay("999999.00", &["--headless", "approve"]);
    assert_eq!(waits["status"], "PENDING");
    assert!(waits["reason"].as_str().unwrap().contains("insufficient funds"), "{waits}");
    // What cannot be paid does not keep the customer from paying what can.
    assert_eq!(pay("0.50", &["--headless", "approve"])["status"], "ACCEPTED");
    let draft = setting.json(&[&["draft", "--account", &iban, "--amount", "2.00"][..], &to].concat());
    assert_eq!(draft["status"], "PENDING");
    assert_eq!(setting.json(&["funds", "--iban", &iban, "--amount", "1.00"])["hasSufficientFunds"], true);
    assert_eq!(
        setting.json(&["funds", "--iban", &iban, "--amount", "999999.00"])["hasSufficientFunds"],
        false
    );
    setting
        .refused(&["funds", "--iban", "NL91ABNA0417164300", "--amount", "1.00"], "no account of this bank");
    // The bank is asked in the currency that is named.
    let several = setting.customer("multi-currency");
    for (account, currency, refusal) in [
        (&iban, "EUR", None),
        (&several, "usd", None),
        (&iban, "USD", Some("no account of this bank in this currency")),
        (&iban, "EURO", Some("EURO is no currency; expected a code of ISO 4217")),
    ] {
        let question = ["funds", "--iban", account, "--amount", "1.00", "--currency", currency];
        match refusal {
            Some(text) => _ = setting.refused(&question, text),
            None => {
                let told = format!("{account} holds 1.00 {}", currency.to_ascii_uppercase());
                assert!(setting.ok(&question).contains(&told), "{currency}");
            }
        }
    }
    setting.refused(&["authorise", "--headless", "reject", "--customer-iban", &iban], "access_denied");
    setting.refused(&["consent"], "not offered at banks of the dialect bunq");
}

/// Whether an account holds an amount is asked without a consent.
#[test]
fn funds_in_one_command() {
    let setting = Setting::ephemeral();
    let flow = setting.json(&["flow", "funds", "--dialect", "bunq", "--headless", "approve"]);
    assert_eq!(flow["hasSufficientFunds"], true, "{flow}");
    let steps: Vec<_> = flow["steps"].as_array().unwrap().iter().map(|step| &step["step"]).collect();
    assert_eq!(steps, ["registration", "customer", "funds"]);
    let iban = setting.customer("household");
    let text = setting.ok(&["flow", "funds", "--customer-iban", &iban]);
    assert!(text.contains(&format!("{iban} holds 12.50 EUR")), "{text}");
}

/// The page shows all that waits; what is said of a payment is about this one.
#[test]
fn why_a_payment_waits_is_not_why_another_one_does() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["register", "--dialect", "bunq", "--redirect-uri", "https://tpp.example/callback"]);
    let to = ["--to", "NL91ABNA0417164300", "--name", "Shop", "--reference", "Coffee"];
    let pay = |amount: &str, more: &[&str]| {
        setting.json(&[&["pay", "--from", &iban, "--amount", amount][..], &to, more].concat())
    };
    let reason = |paid: &serde_json::Value| paid["reason"].as_str().unwrap_or_default().to_owned();
    // One that the customer refuses is refused.
    let refused = pay("1.00", &["--headless", "reject"]);
    assert_eq!((&refused["status"], reason(&refused)), (&"PENDING".into(), "The customer refused".into()));
    // One for which there is no money says so, also where the customer approves the others at the same page.
    let waits = pay("999999.00", &["--headless", "approve"]);
    assert_eq!(waits["status"], "PENDING");
    assert!(reason(&waits).contains("insufficient funds"), "{waits}");
    assert!(reason(&waits).contains(&iban), "it is this one: {waits}");
    // One for which there is enough is not told to lack what another one lacks.
    let refused = pay("2.00", &["--headless", "reject"]);
    let why = reason(&refused);
    assert!(refused["status"] == "PENDING" && !why.contains("insufficient"), "{refused}");
    assert!(why.contains("The customer refused"), "{refused}");
    let made = pay("3.00", &["--headless", "approve"]);
    assert_eq!((&made["status"], reason(&made)), (&"ACCEPTED".into(), String::new()));
    // Alone at the page, and refused: both are said.
    let other = pay("999998.00", &["--headless", "reject"]);
    assert!(reason(&other).contains("insufficient funds"), "{other}");
}

/// What is there for payments at every interface is there at this one, as far as it can.
#[test]
fn payments_are_followed_shown_and_taken_back() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["register", "--dialect", "bunq", "--redirect-uri", "https://tpp.example/callback"]);
    setting.refused(&["payment", "status"], "no payment is kept yet; ask for one with: ");
    let to = ["--to", "NL91ABNA0417164300", "--name", "Shop"];
    let pay =
        |more: &[&str]| setting.json(&[&["pay", "--amount", "1.5", "--from", &iban][..], &to, more].concat());
    let (first, second) = (pay(&["--reference", "Tea"]), pay(&["--reference", "Coffee"]));
    let (first, second) = (first["id"].to_string(), second["id"].to_string());
    assert_eq!(setting.json(&["payment", "status"])["id"].to_string(), second, "the newest");
    for words in [&["payment", "status"][..], &["status", "payment"]] {
        let status = setting.json(&[words, &[&first]].concat());
        assert_eq!((&status["status"], status["id"].to_string()), (&"PENDING".into(), first.clone()));
    }
    let shown = setting.json(&["payment", "show", &first]);
    assert_eq!((&shown["debtor"], &shown["amount"]), (&json!(iban), &json!("1.50 EUR")));
    assert_eq!((&shown["creditor"], &shown["asked"]), (&json!(to[1]), &json!("1.50 EUR to Shop")));
    assert_eq!(setting.json(&["payment", "cancel", &first])["status"], "CANCELLED");
    setting.refused(&["payment", "cancel", &first], "the bank refused with 400");
    setting
        .refused(&["authorise", "--payment", &first, "--headless", "approve"], "has ended: it is CANCELLED");
    // A payment says what became of it when its customer comes back.
    let authorise = ["authorise", "--payment", "--headless", "approve", "--customer-iban", &iban];
    let text = setting.ok(&authorise);
    assert!(text.contains(&format!("Payment {second} is ACCEPTED")), "{text}");
    let kept = setting.ok(&["show"]);
    assert!(kept.contains(&format!("{first} is CANCELLED")) && kept.contains("is ACCEPTED"), "{kept}");
    setting.refused(&["payment", "show", "999999"], "the bank refused with 404");
    setting.refused(&["payment", "show", "../x"], "payment ../x is not kept here");
    let flow = setting.json(&["flow", "pis", "--headless", "approve"]);
    assert_eq!(flow["status"], "ACCEPTED", "{flow}");
}

#[test]
fn what_only_other_interfaces_offer_is_refused_with_what_there_is() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["register", "--dialect", "bunq", "--redirect-uri", "https://tpp.example/callback"]);
    let pay = ["pay", "--to", "NL91ABNA0417164300", "--name", "Shop", "--amount", "1.00"];
    let from = ["--from", &iban, "--reference", "Coffee"];
    for (more, text) in [
        (&[][..], "payments name the account that pays"),
        (&["--from", &iban], "payments say what they are for"),
        (&["--from", &iban, "--on", "2030-01-01"], "not offered at banks of the dialect bunq"),
        (&["--from", &iban, "--every", "month"], "not offered at banks of the dialect bunq"),
        (&["--from", &iban, "--currency", "USD"], "not offered at banks of the dialect bunq"),
        (&["--from", &iban, "--product", "uk"], "not offered at banks of the dialect bunq"),
    ] {
        setting.refused(&[&pay[..], more].concat(), text);
    }
    setting.refused(&["funds", "consent", "--iban", &iban], "is asked without one");
    setting.refused(&["authorise", "--funds"], "not offered at banks of the dialect bunq");
    let elsewhere = "spoken at branch nl alone, not at uk; leave --tenant out";
    setting.refused(&[&pay[..], &from, &["--tenant", "uk"]].concat(), elsewhere);
    let register = ["register", "--dialect", "bunq", "--redirect-uri", "https://tpp.example/callback"];
    setting.refused(&[&register[..], &["--tenant", "uk"]].concat(), elsewhere);
    // Nothing was asked for on the way.
    setting.refused(&["payment", "status"], "no payment is kept yet");
    setting.ok(&[&pay[..], &from].concat());
}

#[test]
fn sessions_renew_by_themselves_until_the_customer_ends_it() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["flow", "bunq", "--headless", "approve", "--customer-iban", &iban]);
    // The provider's first session was for an hour.
    setting.manage("PUT", "/clock", &json!({"tenant": "nl", "advance": "PT2H"}));
    assert_eq!(setting.json(&["funds", "--iban", &iban, "--amount", "1.00"])["hasSufficientFunds"], true);
    setting.ok(&["accounts"]);
    let consents = setting.manage("GET", &format!("/consents?iban={iban}"), &json!({}));
    let consent = consents["consents"][0]["consentId"].as_str().unwrap().to_owned();
    setting.manage("POST", &format!("/consents/{consent}/revocation"), &json!({}));
    setting.refused(&["accounts"], "authorise");
    setting.ok(&["authorise", "--headless", "approve", "--customer-iban", &iban]);
    setting.ok(&["accounts"]);
}

#[test]
fn a_real_certificate_is_taken_over() {
    let setting = Setting::ephemeral();
    let management = setting.bank.url("management");
    let folder = format!("{}-seal", setting.state);
    let (code, _, error) = vestibule(&[
        "certificate",
        "new",
        "--profile",
        "qseal",
        "--out",
        &folder,
        "--management",
        &management,
        "--organization-identifier",
        "PSDNL-DNB-B77",
    ]);
    assert_eq!(code, 0, "{error}");
    let (certificate, key) = (format!("{folder}/certificate.pem"), format!("{folder}/key.pem"));
    setting.ok(&["certificate", "--dialect", "bunq", "--certificate", &certificate, "--key", &key]);
    setting.ok(&["register", "--dialect", "bunq", "--redirect-uri", "https://tpp.example/callback"]);
    let shown = setting.json(&["show", "--dialect", "bunq"]);
    assert!(shown.to_string().contains("PSDNL-DNB-B77"), "{shown}");
}

/// The customer's approval outlives the certificate: what reads says which command gets another one.
#[test]
fn reads_with_an_expired_certificate_name_the_command_that_helps() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    let advance = |by: &str| setting.manage("PUT", "/clock", &json!({"tenant": "nl", "advance": by}));
    let authorise = ["authorise", "--headless", "approve", "--customer-iban", &iban];
    let register = ["register", "--dialect", "bunq", "--redirect-uri", "https://tpp.example/callback"];
    setting.ok(&register);
    advance("P300D");
    setting.ok(&authorise);
    advance("P80D");
    for command in ["accounts", "balances", "transactions"] {
        let error = setting.refused(&[command], "is valid from");
        assert!(error.contains("tpp certificate --bank") && error.contains("tpp register --bank"), "{error}");
    }
    // The same user gets another one, and the approval holds.
    setting.ok(&register);
    setting.ok(&["accounts"]);
    // A certificate of the sandbox is replaced by another one of the sandbox.
    setting.ok(&["certificate", "--profile", "qseal"]);
    setting.ok(&register);
    let funds = ["funds", "--iban", &iban, "--amount", "1.00"];
    advance("P380D");
    setting.ok(&funds);
    advance("P380D");
    let error = setting.refused(&funds, "tpp certificate --bank");
    assert!(!error.contains("tpp register"), "{error}");
    setting.ok(&["certificate", "--profile", "qseal"]);
    setting.ok(&register);
    setting.ok(&funds);
}
