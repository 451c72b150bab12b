//! `vestibule tpp funds` and its flow at the Berlin Group interface.

use crate::third_party::Setting;

#[test]
fn whether_an_account_holds_an_amount() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["register", "--redirect-uri", "https://tpp.example/cb"]);
    let ask = |amount: &str| setting.json(&["funds", "--iban", &iban, "--amount", amount]);
    let question = ["funds", "--iban", &iban, "--amount", "1.00"];
    setting.refused(&question, "ask for one with: ");
    let consent = setting.json(&["funds", "consent", "--iban", &iban.to_lowercase()]);
    let id = consent["consentId"].as_str().unwrap();
    setting.refused(&question, &format!("tpp authorise --bank {} ", setting.bank.url("public")));
    assert_eq!(setting.json(&["funds", "status"])["consentStatus"], "received");
    // A wrong answer ends the attempt and not the consent; a customer who says no ends both.
    let authorise = |decision: &str| {
        let words = ["authorise", "--funds", id, "--customer-iban", &iban, "--headless"];
        setting.tpp(&[&words[..], &[decision]].concat())
    };
    let (code, _, error) = authorise("wrong-answer");
    assert!(code == 1 && error.contains("another attempt at the same consent begins"), "{error}");
    assert!(error.contains(&format!("--funds {id}")), "{error}");
    let (code, text, error) = authorise("approve");
    assert!(code == 0 && text.contains(&format!("Consent for funds {id} is valid")), "{text}{error}");
    assert_eq!(
        (&ask("1.00")["hasSufficientFunds"], &ask("999999.00")["hasSufficientFunds"]),
        (&true.into(), &false.into())
    );
    let text = setting.ok(&[&question[..], &["--payee", "Shop", "--consent", id]].concat());
    assert!(text.contains(&format!("{iban} holds 1.00 EUR")), "{text}");
    setting.refused(&[&question[..], &["--currency", "USD"]].concat(), "the bank refused with 403");
    let (code, _, error) = authorise("approve");
    assert!(code == 1 && error.contains("is valid, and is authorised once"), "{error}");
    assert!(setting.ok(&["show"]).contains(&format!("Funds consent   {id} of account {iban}")));
    setting.ok(&["funds", "revoke"]);
    setting.refused(&question, "ask for one with: ");
    setting.refused(&[&question[..], &["--consent", id]].concat(), "has ended: it is terminatedByTpp");

    // One that the customer rejects, one of an account that the bank does not have.
    setting.ok(&["funds", "consent", "--iban", &iban]);
    let reject = ["authorise", "--funds", "--customer-iban", &iban, "--headless", "reject"];
    setting.refused(&reject, "the consent is rejected; ask for another one with: ");
    setting.refused(&["funds", "consent", "--iban", "NL91ABNA0417164300"], "is not allowed");
    setting.refused(&["funds", "consent", "--iban", "NL91ABNA0417164301"], "is no IBAN");
}

/// From nothing to the answer, in every branch.
#[test]
fn funds_in_one_command() {
    let setting = Setting::ephemeral();
    for (tenant, currency) in [("nl", "EUR"), ("uk", "GBP")] {
        let text = setting.ok(&["flow", "funds", "--tenant", tenant, "--headless", "approve"]);
        assert!(text.contains(&format!(" holds 12.50 {currency}")), "{text}");
    }
    let flow = setting.json(&["flow", "funds", "--headless", "approve"]);
    assert_eq!(flow["hasSufficientFunds"], true);
    let steps: Vec<_> = flow["steps"].as_array().unwrap().iter().map(|step| &step["step"]).collect();
    assert_eq!(steps, ["customer", "consent", "authorisation", "tokens", "confirmation", "funds"]);
    setting.refused(&["flow", "funds", "--headless", "reject"], "ask for another one with: ");
}

/// A consent may outlive its tokens; what leads on is said.
#[test]
fn tokens_that_are_over_lead_to_another_consent() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["flow", "funds", "--headless", "approve", "--customer-iban", &iban]);
    setting.manage("PUT", "/clock", &serde_json::json!({"tenant": "nl", "advance": "P200D"}));
    let error =
        setting.refused(&["funds", "--iban", &iban, "--amount", "1.00"], "its tokens are good no more");
    assert!(
        error.contains("tpp funds consent --bank") && error.ends_with(&format!("--iban {iban}\n")),
        "{error}"
    );
}
