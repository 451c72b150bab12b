//! `vestibule tpp pay`, `payment` and their flow at the Berlin Group interface.

use std::fs;

use crate::third_party::{Setting, json};
use crate::vestibule;

/// Who is paid in most tests.
const SHOP: [&str; 4] = ["--to", "NL91ABNA0417164300", "--name", "Shop"];

/// A third party, and a customer's account.
fn registered(persona: &str) -> (Setting, String) {
    let setting = Setting::ephemeral();
    let iban = setting.customer(persona);
    setting.ok(&["register", "--redirect-uri", "https://tpp.example/cb"]);
    (setting, iban)
}

/// A payment of euros from an account.
fn sepa<'a>(iban: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["pay", "--from", iban][..], &SHOP, more].concat()
}

/// From nothing to a payment that is made, in every branch.
#[test]
fn a_payment_in_one_command() {
    let setting = Setting::ephemeral();
    let flow = setting.json(&["flow", "pis", "--headless", "approve"]);
    assert_eq!(
        (flow["status"].as_str(), &flow["asked"]),
        (Some("ACSC"), &"12.50 EUR to Example Shop".into())
    );
    let steps: Vec<_> = flow["steps"].as_array().unwrap().iter().map(|step| &step["step"]).collect();
    let expected =
        ["registration", "customer", "payment", "authorisation", "tokens", "confirmation", "status"];
    assert_eq!(steps, expected);
    let text = setting.ok(&["flow", "pis", "--tenant", "be_fr", "--headless", "approve"]);
    assert!(text.contains("is ACSC (the money has left the account): 12.50 EUR to Example Shop"), "{text}");
    // Not instant: it settles with others.
    let text = setting.ok(&["flow", "pis", "--tenant", "uk", "--headless", "approve"]);
    assert!(text.contains("is ACSP (the bank is making it): 12.50 GBP to Example Shop"), "{text}");
    setting.refused(
        &["flow", "pis", "--headless", "reject"],
        "the payment is rejected; ask for another one with: ",
    );
    let rejected = setting.ok(&["show"]);
    assert!(rejected.contains(" is RJCT: 12.50 EUR to Example Shop"), "{rejected}");
}

/// Everything that can be paid, approved at once.
#[test]
fn every_product_is_paid() {
    let (setting, iban) = registered("household");
    let british =
        json(&setting.account(&["new", "--tenant", "uk", "--json"]))["iban"].as_str().unwrap().to_owned();
    let later = testkit::day(20);
    let sepa = [&["--from", &iban][..], &SHOP].concat();
    let uk = ["--tenant", "uk", "--from", &british, "--to", "20-00-00/55779911", "--name", "Shop"];
    let uk_by_iban = ["--tenant", "uk", "--from", &british, "--to", "GB33BUKB20201555555555"];
    let uk_by_iban = [&uk_by_iban[..], &["--currency", "GBP", "--name", "Shop"]].concat();
    for (arguments, asked, status) in [
        ([&sepa[..], &["--amount", "3.5", "--reference", "Order 7"]].concat(), "3.50 EUR to Shop", "ACSC"),
        (
            [&sepa[..], &["--amount", "1.00", "--on", &later, "--end-to-end", "E7"]].concat(),
            "1.00 EUR to Shop, on ",
            "ACTC",
        ),
        (
            [
                &sepa[..],
                &["--amount", "1.00", "--every", "month", "--on", &later, "--day-of-execution", "31"],
            ]
            .concat(),
            "1.00 EUR to Shop, Monthly, from ",
            "ACCP",
        ),
        ([&uk[..], &["--amount", "1.00"]].concat(), "1.00 GBP to Shop", "ACSP"),
        ([&uk_by_iban[..], &["--amount", "1.00"]].concat(), "1.00 GBP to Shop", "ACSP"),
    ] {
        let paid = setting.json(&[&["pay", "--headless", "approve"][..], &arguments].concat());
        assert_eq!(paid["status"], status, "{arguments:?}: {paid}");
        let id = paid["id"].as_str().unwrap();
        let shown = setting.json(&["payment", "show", id]);
        assert!(shown["asked"].as_str().unwrap().starts_with(asked), "{shown}");
        let payer = if arguments.contains(&"uk") { &british } else { &iban };
        assert_eq!(
            (&shown["debtor"], shown["debtorName"].is_string()),
            (&payer.as_str().into(), true),
            "{shown}"
        );
        assert_eq!(setting.json(&["payment", "status", id, "--wait"])["status"], status);
        assert_eq!(setting.json(&["payment", "status"])["id"], id, "the newest");
    }
    let booked = setting.json(&["flow", "ais", "--headless", "approve", "--customer-iban", &iban]);
    assert!(booked["balances"].as_array().unwrap().len() > 1);
    let spent = setting.ok(&["transactions", "--csv"]);
    assert!(spent.contains("-3.50,EUR,Shop,NL91ABNA0417164300,Order 7"), "{spent}");
}

/// A file is sent as it is, approved by the customer of the account that it names, and made as one.
#[test]
fn the_payments_of_a_file_are_made_as_one() {
    let (setting, iban) = registered("household");
    // Far from midnight, on the day of the file.
    let now = format!("{}T10:00:00Z", testkit::day(1));
    setting.manage("PUT", "/clock", &serde_json::json!({"tenant": "nl", "now": now}));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bulk.xml");
    let write = |text: String| fs::write(&file, text).unwrap();
    let pay = ["pay", "--file", file.to_str().unwrap(), "--headless", "approve"];
    write(bulk(&iban, &["1.00", "2.50"], 2));
    let paid = setting.json(&pay);
    assert_eq!(paid["status"], "ACSP", "{paid}");
    let shown = setting.json(&["payment", "show"]);
    assert_eq!(
        (&shown["asked"], &shown["debtor"]),
        (&"2 payments of 3.50 together".into(), &iban.as_str().into())
    );
    assert_eq!(shown["product"], "bulk-payments/sepa-credit-transfers");
    setting.ok(&["flow", "ais", "--headless", "approve", "--customer-iban", &iban]);
    let spent = setting.ok(&["transactions", "--csv"]);
    for line in ["-1.00,EUR,Shop 0,NL91ABNA0417164300,Order 0", "-2.50,EUR,Shop 1,NL91ABNA0417164300,Order 1"]
    {
        assert!(spent.contains(line), "{spent}");
    }
    // One of them is refused by the bank, which the other one does not hide.
    let payer = serde_json::json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let payer = setting.manage("POST", "/test-accounts", &payer)["iban"].as_str().unwrap().to_owned();
    write(bulk(&payer, &["1.01", "2.50"], 2).replacen("Shop 0", "Vestibule Magic", 1));
    let partly = setting.json(&pay);
    assert_eq!(partly["status"], "ACSP", "{partly}");
    for command in ["show", "status"] {
        let told = setting.json(&["payment", command]);
        let reason = told["reason"].as_str().unwrap_or_else(|| panic!("{command}: {told}"));
        assert!(reason.starts_with("not every transfer is made; AC01: "), "{command}: {told}");
    }
    // What only the bank can know.
    write(bulk("NL91ABNA0417164300", &["1.00"], 1));
    setting.refused(&["pay", "--file", file.to_str().unwrap()], "the bank refused with 40");
    write(bulk(&iban, &["1.00"; 101], 101));
    setting.refused(&["pay", "--file", file.to_str().unwrap()], "send at most 100 at once");
    assert_eq!(setting.json(&["payment", "status"])["id"], partly["id"], "nothing else is kept");
}

/// What the bank says no to.
#[test]
fn requests_that_the_bank_refuses_leave_nothing_behind() {
    let (setting, iban) = registered("household");
    for (arguments, text) in [
        (sepa(&iban, &["--amount", "1.00", "--on", "2020-01-01"]), "EXECUTION_DATE_INVALID"),
        (sepa(&iban, &["--amount", "1.00", "--product", "cross-border", "--currency", "USD"]), "501"),
        (
            sepa(&iban, &["--amount", "1.00", "--redirect-uri", "https://tpp.example/other"]),
            "character by character",
        ),
        (vec!["pay", "--to", "NL91ABNA0417164301", "--name", "Shop", "--amount", "1.00"], "is no IBAN"),
        (
            [&["pay", "--amount", "1.00", "--from", "NL91ABNA0417164300"][..], &SHOP].concat(),
            "the bank refused with 40",
        ),
        (
            vec!["pay", "--to", "20-00-00/55779911", "--name", "Shop", "--amount", "1.00", "--tenant", "xx"],
            "has no tenant xx",
        ),
    ] {
        setting.refused(&arguments, text);
    }
    setting.refused(&["payment", "status"], "no payment is kept yet");
}

/// What a customer who thinks better of it, a wrong answer and too little money lead to.
#[test]
fn a_payment_that_is_not_approved_says_how_it_stands() {
    let (setting, iban) = registered("household");
    // Who approves may think better of it; the command says how it stands then.
    let paid = |more: &[&str]| setting.json(&sepa(&iban, more));
    let rejected = paid(&["--amount", "1.00", "--headless", "reject"]);
    assert_eq!(rejected["status"], "RJCT");
    assert!(rejected["reason"].as_str().unwrap().contains("cancelled"), "{rejected}");
    let shown = setting.json(&["payment", "show"]);
    let status = setting.json(&["payment", "status"]);
    assert!(status["reason"].is_string() && shown["reason"] == status["reason"], "{shown} {status}");
    assert!(
        setting
            .ok(&["payment", "show"])
            .contains(&format!("Reason     {}", shown["reason"].as_str().unwrap()))
    );
    setting.refused(&["authorise", "--payment"], "has ended: it is RJCT; ask for another one with: ");
    setting.refused(&["payment", "cancel"], "has ended: it is RJCT");

    // A wrong answer ends the attempt alone.
    let waits = paid(&["--amount", "2.00"]);
    let id = waits["id"].as_str().unwrap();
    let authorise = ["authorise", "--payment", id, "--customer-iban", &iban, "--headless"];
    let error =
        setting.refused(&[&authorise[..], &["wrong-answer"]].concat(), "the payment waits; another attempt");
    assert!(error.contains(&format!("--payment {id}")), "{error}");
    assert_eq!(setting.json(&["payment", "status"])["status"], "RCVD");
    let approved = setting.json(&[&authorise[..], &["approve"]].concat());
    assert_eq!((&approved["status"], &approved["id"]), (&"ACSC".into(), &id.into()));
    setting.refused(&[&authorise[..], &["approve"]].concat(), "is approved, and is ACSC");
    setting
        .refused(&["authorise", "--payment", "--location", "https://tpp.example/cb?code=x"], "is under way");
    setting.refused(&["payment", "cancel", id], "CANCELLATION_INVALID");

    // Not enough money.
    let much = sepa(&iban, &["--amount", "999999.00", "--headless", "approve"]);
    let (code, out, error) = setting.tpp(&much);
    assert!(code == 1 && error.contains("PAYMENT_FAILED") || out.contains("insufficient"), "{out}{error}");

    // Another folder knows nothing of all that.
    let bank = setting.bank.url("public");
    let other = format!("{}-other", setting.state);
    let (code, _, error) = vestibule(&["tpp", "payment", "status", id, "--bank", &bank, "--state", &other]);
    assert!(code == 1 && error.contains(&format!("payment {id} is not kept here")), "{error}");
}

/// Before the customer approved, what waits is taken back at once; after that, with their approval; once it is made, never.
#[test]
fn payments_are_taken_back_while_there_is_time() {
    let (setting, iban) = registered("household");
    let later = testkit::day(20);
    let pay = [&["pay", "--from", &iban, "--amount", "1.00"][..], &SHOP].concat();
    let waits = setting.json(&pay);
    assert_eq!(waits["status"], "RCVD");
    let text = setting.ok(&["payment", "cancel", waits["id"].as_str().unwrap()]);
    assert!(text.contains("is CANC (it is taken back)"), "{text}");

    let dated = setting.json(&[&pay[..], &["--on", &later, "--headless", "approve"]].concat());
    let id = dated["id"].as_str().unwrap();
    assert_eq!(dated["status"], "ACTC");
    // The customer is asked. One who says no keeps the payment.
    let text = setting.ok(&["payment", "cancel"]);
    assert!(text.contains("/v1/auth?") && text.contains("tpp authorise --bank"), "{text}");
    let cancel = ["payment", "cancel", id, "--customer-iban", &iban, "--headless"];
    let kept = setting.json(&[&cancel[..], &["reject"]].concat());
    assert_eq!(kept["status"], "ACTC", "{kept}");
    let authorise = ["authorise", "--payment", id, "--customer-iban", &iban, "--headless", "approve"];
    let cancelled = setting.json(&[&cancel[..], &["wrong-answer"]].concat());
    assert_eq!(cancelled["status"], "ACTC");
    assert_eq!(setting.json(&authorise)["status"], "CANC");
    assert_eq!(setting.json(&["payment", "status"])["status"], "CANC");
    setting.refused(&[&cancel[..], &["approve"]].concat(), "has ended: it is CANC");
}

/// The way with a browser elsewhere: the address is printed, and what it came back to is pasted.
#[test]
fn a_browser_elsewhere_comes_back_with_an_approval() {
    let (setting, iban) = registered("household");
    // Nobody says which account pays: the customer chooses.
    let text = setting.ok(&[&["pay", "--amount", "1.00"][..], &SHOP].concat());
    let url = text.lines().find(|line| line.contains("/v1/auth?")).unwrap().trim();
    let location = setting.account(&["approve", url, "--iban", &iban]);
    let location = location.lines().find(|line| line.contains("code=")).unwrap().trim();
    let approved = setting.ok(&["authorise", "--payment", "--location", location]);
    assert!(approved.contains("is ACSC"), "{approved}");
    assert_eq!(setting.json(&["payment", "show"])["debtor"], iban);
    setting.refused(&["authorise", "--payment", "--location", location], "no authorisation is under way");
}

/// Two holders approve, one after the other.
#[test]
fn joint_accounts_need_both_holders() {
    let setting = Setting::ephemeral();
    setting.ok(&["register", "--redirect-uri", "https://tpp.example/cb"]);
    let joint = json(&setting.account(&["new", "--persona", "joint", "--json"]));
    let iban = joint["iban"].as_str().unwrap();
    let devices = [&joint["digipassNumber"], &joint["coHolders"][0]["digipassNumber"]];
    let [first, second] = devices.map(|number| number.as_str().unwrap());
    let waits = setting.json(&sepa(iban, &["--amount", "1.00"]));
    let id = waits["id"].as_str().unwrap();
    let authorise = ["authorise", "--payment", id, "--headless", "approve", "--customer-iban", iban];
    let text = setting.ok(&[&authorise[..], &["--digipass", first]].concat());
    assert!(text.contains("is PATC (another holder of the account has to approve it too)"), "{text}");
    assert!(text.contains(&format!("--payment {id}")), "{text}");
    // The same one again is no other.
    let again = [&authorise[..], &["--digipass", first]].concat();
    setting.refused(&again, "the payment waits; another attempt at it begins with: ");
    assert_eq!(setting.json(&["payment", "status"])["status"], "PATC");
    // Whoever comes back later is told how each of them approves.
    let later = setting.ok(&["payment", "status"]);
    for device in [first, second] {
        let command = format!("--headless approve --customer-iban {iban} --digipass {device}");
        assert!(later.contains(&command), "{command}: {later}");
    }
    // The command that is named for the other one is copied.
    let made = pasted(&text, second);
    assert!(made.contains("is ACSC"), "{made}");

    // The same where nobody said who approves first.
    let text = setting.ok(&sepa(iban, &["--amount", "2.00", "--headless", "approve"]));
    assert!(text.contains("is PATC"), "{text}");
    let made = pasted(&text, "--digipass");
    assert!(made.contains("is ACSC"), "{made}");
}

/// Runs the command of a text that has some words in it, as a shell does.
fn pasted(text: &str, words: &str) -> String {
    let command = text.lines().find(|line| line.contains("--headless approve") && line.contains(words));
    let command = command.unwrap_or_else(|| panic!("{words}: {text}"));
    let now = testkit::now().to_string();
    let output = testkit::run("env", &[&format!("VESTIBULE_NOW={now}"), "sh", "-c", command]);
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The account that something is about is the customer's, so that nobody has to name it again.
#[test]
fn who_decides_is_known_from_what_is_kept() {
    let (setting, iban) = registered("household");
    let later = testkit::day(20);
    setting.ok(&sepa(&iban, &["--amount", "1.00", "--on", &later]));
    let approve = ["--headless", "approve"];
    let paid = setting.json(&[&["authorise", "--payment"], &approve[..]].concat());
    assert_eq!(paid["status"], "ACTC", "{paid}");
    let cancelled = setting.json(&[&["payment", "cancel"], &approve[..]].concat());
    assert_eq!(cancelled["status"], "CANC", "{cancelled}");
    setting.ok(&["consent", "--iban", &iban]);
    setting.ok(&[&["authorise"], &approve[..]].concat());
    setting.ok(&["funds", "consent", "--iban", &iban]);
    setting.ok(&[&["authorise", "--funds"], &approve[..]].concat());

    // The customer chooses the account: nobody is known until they did, and then the bank tells.
    let pay = [&["pay", "--amount", "1.00", "--on", &later][..], &SHOP].concat();
    setting.refused(&[&pay[..], &approve].concat(), "name an account of the customer with --customer-iban");
    setting.ok(&pay);
    let authorise = [&["authorise", "--payment"], &approve[..]].concat();
    let error = setting.refused(&authorise, "is about is not known here");
    assert!(error.contains("account new --management"), "{error}");
    setting.ok(&[&authorise[..], &["--customer-iban", &iban]].concat());
    let cancelled = setting.json(&[&["payment", "cancel"], &approve[..]].concat());
    assert_eq!(cancelled["status"], "CANC", "{cancelled}");
    setting.ok(&["consent"]);
    setting.refused(&[&["authorise"], &approve[..]].concat(), "is about is not known here");
    // What fails after a payment was asked for says how to go on with it.
    let error = setting.refused(
        &[&pay[..], &approve, &["--customer-iban", "NL91ABNA0417164300"]].concat(),
        "no customer of tenant nl has iban NL91ABNA0417164300",
    );
    let id = setting.json(&["payment", "status"])["id"].as_str().unwrap().to_owned();
    assert!(error.contains(&format!("--payment {id}")), "{error}");
}

/// Who may not pay is told how to get a certificate with which one may.
#[test]
fn another_role_is_got_by_the_commands_that_are_named() {
    let (setting, iban) = registered("household");
    setting.ok(&["certificate", "--role", "PSP_AI"]);
    setting.ok(&["register", "--redirect-uri", "https://tpp.example/cb"]);
    let pay = sepa(&iban, &["--amount", "1.00"]);
    let error =
        setting.refused(&pay, "ROLE_INVALID: the certificate grants PSP_AI; this service needs PSP_PI");
    assert!(
        error.contains("--role PSP_PI,PSP_AI,PSP_IC") && error.contains("tpp register --bank"),
        "{error}"
    );
    setting.ok(&["certificate", "--role", "PSP_PI,PSP_AI,PSP_IC"]);
    setting.ok(&["register", "--redirect-uri", "https://tpp.example/cb"]);
    setting.ok(&pay);
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
        day = testkit::day(1),
    )
}
