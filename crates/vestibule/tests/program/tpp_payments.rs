//! `vestibule tpp pay`, `payment`, `funds` and their flows at the Berlin Group interface.

use std::fs;

use crate::third_party::Setting;
use crate::vestibule;

/// Who is paid in most tests.
const SHOP: [&str; 4] = ["--to", "NL91ABNA0417164300", "--name", "Shop"];

/// What is missing, and what is wrong before anything is sent, is said with what leads on.
#[test]
fn what_is_known_here_is_refused_here() {
    let setting = Setting::ephemeral();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let pay = |more: &[&str]| [&["pay"], &SHOP[..], more].concat().iter().map(ToString::to_string).collect();
    let (table, sums) = (file("table.csv", "a,b\n1,2\n"), file("sums.xml", &bulk("NL1", &["1.00"], 2)));
    let rows: Vec<(Vec<String>, &str)> = vec![
        (pay(&["--amount", "12,50"]), "12,50 is no amount; an amount in EUR is a decimal number"),
        (pay(&["--amount", "0.00"]), "0.00 is no amount; expected more than nothing"),
        (pay(&["--amount", "1.00", "--currency", "EURO"]), "EURO is no currency"),
        (pay(&["--amount", "1.00", "--on", "tomorrow"]), "tomorrow is no day"),
        (
            pay(&["--amount", "1.00", "--every", "month", "--day-of-execution", "32"]),
            "--day-of-execution is from 1 to 31, not 32",
        ),
        (pay(&["--amount", "1.00", "--headless", "approve"]), "--headless needs --customer-iban"),
        (pay(&["--amount", "1.00"]), "tpp register --bank"),
        (words(&["pay", "--file", "/nowhere.xml"]), "/nowhere.xml: No such file"),
        (words(&["pay", "--file", &table]), "it is no XML"),
        (words(&["pay", "--file", &sums]), "NbOfTxs of GrpHdr is 2, and there are 1 transfers"),
        (words(&["payment", "status"]), "no payment is kept yet; ask for one with: "),
        (words(&["payment", "show", "6f"]), "payment 6f is not kept here; those that are, are listed by: "),
        (words(&["payment", "cancel", "6f"]), "payment 6f is not kept here"),
        (words(&["authorise", "--payment"]), "no payment is kept yet"),
        (words(&["authorise", "--funds", "6f"]), "consent for funds 6f is not kept here"),
        (
            words(&["funds", "--iban", "NL91ABNA0417164300", "--amount", "1.00"]),
            "no consent to ask for funds is kept for account NL91ABNA0417164300; ask for one with: ",
        ),
        (words(&["funds", "--iban", "NL91ABNA0417164300", "--amount", "1,00"]), "1,00 is no amount"),
        (words(&["funds", "consent", "--iban", "NL91ABNA0417164300"]), "tpp register --bank"),
        (
            words(&["flow", "pis", "--headless", "approve", "--persona", "nobody"]),
            "persona nobody is not one of",
        ),
    ];
    for (arguments, text) in rows {
        setting.refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), text);
    }
    // What the command line itself knows.
    for arguments in [
        &["pay", "--name", "Shop", "--amount", "1.00"][..],
        &["pay", "--file", "x", "--to", "NL1"],
        &["pay", "--to", "x", "--name", "x", "--amount", "1", "--until", "2030-01-01"],
        &["funds", "--iban", "NL91ABNA0417164300"],
        &["authorise", "--payment", "--funds"],
    ] {
        let (code, _, error) = vestibule(&[&["tpp"], arguments].concat());
        assert_eq!(code, 2, "{arguments:?}: {error}");
    }
}

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
    setting.refused(&["funds", "consent", "--iban", "NL91ABNA0417164301"], "Invalid iban");
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

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// A bulk payment as XML, which says that it has so many transfers.
fn bulk(debtor: &str, amounts: &[&str], count: usize) -> String {
    let transfer = |(at, amount): (usize, &&str)| {
        format!(
            "<CdtTrfTxInf><PmtId><EndToEndId>E{at}</EndToEndId></PmtId>\
             <Amt><InstdAmt Ccy=\"EUR\">{amount}</InstdAmt></Amt><Cdtr><Nm>Shop {at}</Nm></Cdtr>\
             <CdtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></CdtrAcct>\
             <RmtInf><Ustrd>Order {at}</Ustrd></RmtInf></CdtTrfTxInf>"
        )
    };
    let transfers: String = amounts.iter().enumerate().map(transfer).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.03\"><CstmrCdtTrfInitn>\
         <GrpHdr><MsgId>M1</MsgId><CreDtTm>{now}</CreDtTm><NbOfTxs>{count}</NbOfTxs>\
         <InitgPty><Nm>Example TPP</Nm></InitgPty></GrpHdr>\
         <PmtInf><PmtInfId>P1</PmtInfId><PmtMtd>TRF</PmtMtd>\
         <PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf><ReqdExctnDt>{day}</ReqdExctnDt>\
         <Dbtr><Nm>Payer</Nm></Dbtr><DbtrAcct><Id><IBAN>{debtor}</IBAN></Id></DbtrAcct>\
         <DbtrAgt><FinInstnId/></DbtrAgt><ChrgBr>SLEV</ChrgBr>{transfers}</PmtInf></CstmrCdtTrfInitn></Document>",
        now = testkit::now(),
        day = &testkit::now().to_string()[..10],
    )
}
