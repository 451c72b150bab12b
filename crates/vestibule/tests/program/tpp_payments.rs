//! `vestibule tpp pay`, `payment` and their flow at the Berlin Group interface.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

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
    // What only the bank can know.
    write(bulk("NL91ABNA0417164300", &["1.00"], 1));
    setting.refused(&["pay", "--file", file.to_str().unwrap()], "the bank refused with 40");
    write(bulk(&iban, &["1.00"; 101], 101));
    setting.refused(&["pay", "--file", file.to_str().unwrap()], "send at most 100 at once");
    assert_eq!(setting.json(&["payment", "status"])["id"], paid["id"], "nothing else is kept");
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
        (vec!["pay", "--to", "NL91ABNA0417164301", "--name", "Shop", "--amount", "1.00"], "Invalid iban"),
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
    let made = setting.json(&[&authorise[..], &["--digipass", second]].concat());
    assert_eq!(made["status"], "ACSC", "{made}");
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

/// A way to a bank on which answers to some requests about payments get lost.
struct LossyWay {
    url: String,
    /// `X-Request-ID` of each such request.
    ids: Arc<Mutex<Vec<String>>>,
}

impl LossyWay {
    /// Loses the first answers to requests of this method.
    fn to(bank: &str, method: &'static str, losses: usize) -> Self {
        let bank = bank.split("://").nth(1).unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ids = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&ids);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, bank) = (client.unwrap(), TcpStream::connect(&bank).unwrap());
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || carry(client, bank, &seen, (method, losses)));
            }
        });
        Self { url, ids }
    }

    /// Runs `vestibule tpp` on this way.
    fn tpp(&self, setting: &Setting, arguments: &[&str]) -> (i32, String, String) {
        let management = setting.bank.url("management");
        let to = ["--bank", &self.url, "--state", &setting.state, "--management", &management];
        vestibule(&[&["tpp"], arguments, &to].concat())
    }

    fn ids(&self) -> Vec<String> {
        self.ids.lock().unwrap().clone()
    }
}

/// Carries requests to the bank, and back those answers that do not get lost.
fn carry(
    mut client: TcpStream,
    mut bank: TcpStream,
    seen: &Mutex<Vec<String>>,
    (method, losses): (&str, usize),
) {
    let is_lost = Arc::new(AtomicBool::new(false));
    let (mut answers, mut back, lost) =
        (bank.try_clone().unwrap(), client.try_clone().unwrap(), Arc::clone(&is_lost));
    std::thread::spawn(move || {
        let mut octets = [0; 64 * 1024];
        while let Ok(count @ 1..) = answers.read(&mut octets) {
            if lost.load(Ordering::SeqCst) || back.write_all(&octets[..count]).is_err() {
                break;
            }
        }
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut octets = [0; 64 * 1024];
    while let Ok(count @ 1..) = client.read(&mut octets) {
        let text = String::from_utf8_lossy(&octets[..count]);
        if text.starts_with(&format!("{method} /xs2a-bg/nl/v1/payments/")) {
            let id = text.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
            let mut seen = seen.lock().unwrap();
            seen.push(id.to_owned());
            is_lost.store(seen.len() <= losses, Ordering::SeqCst);
        }
        if bank.write_all(&octets[..count]).is_err() {
            break;
        }
    }
}

/// A request that no answer came to is the same one when it is sent again, so that the bank makes one payment of both.
#[test]
fn a_payment_whose_answer_was_lost_is_asked_for_once() {
    let setting = Setting::ephemeral();
    let way = LossyWay::to(&setting.bank.url("public"), "POST", 4);
    let tpp = |arguments: &[&str]| way.tpp(&setting, arguments);
    let (code, _, error) = tpp(&["register", "--redirect-uri", "https://tpp.example/cb"]);
    assert_eq!(code, 0, "{error}");
    let pay = |amount: &str| tpp(&[&["pay", "--json", "--amount", amount][..], &SHOP].concat());
    // It is sent three times at once, and nobody knows what became of it.
    let (code, out, _) = pay("1.00");
    assert_eq!((code, &json(&out)["error"]["kind"]), (1, &"unreachable".into()), "{out}");
    assert_eq!(tpp(&["payment", "status"]).0, 1, "none is kept");
    let (code, out, error) = pay("1.00");
    assert_eq!((code, &json(&out)["status"]), (0, &"RCVD".into()), "{error}");
    let ids = way.ids();
    assert!(ids.len() == 5 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    // The same again is another payment, and so is another amount.
    let (first, second, third) = (json(&out), json(&pay("1.00").1), json(&pay("2.00").1));
    assert!(first["id"] != second["id"] && second["id"] != third["id"], "{first} {second} {third}");
    let mut ids = way.ids();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

/// Each request that no answer came to is remembered by itself.
#[test]
fn two_payments_whose_answers_were_lost_are_asked_for_once_each() {
    let setting = Setting::ephemeral();
    // Each is sent three times.
    let way = LossyWay::to(&setting.bank.url("public"), "POST", 6);
    let tpp = |arguments: &[&str]| way.tpp(&setting, arguments);
    let (code, _, error) = tpp(&["register", "--redirect-uri", "https://tpp.example/cb"]);
    assert_eq!(code, 0, "{error}");
    let pay = |amount: &str| tpp(&[&["pay", "--amount", amount][..], &SHOP].concat()).0;
    assert_eq!([pay("1.00"), pay("2.00"), pay("1.00"), pay("2.00")], [1, 1, 0, 0]);
    let ids = way.ids();
    assert!(ids.len() == 8 && ids[0] != ids[3], "{ids:?}");
    assert_eq!((&ids[6], &ids[7]), (&ids[0], &ids[3]), "{ids:?}");
}

/// What was approved and whose confirmation got lost is confirmed by the same command, without another visit at the bank.
#[test]
fn an_approval_whose_confirmation_was_lost_is_confirmed_again() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    let way = LossyWay::to(&setting.bank.url("public"), "PUT", 3);
    let (code, _, error) = way.tpp(&setting, &["register", "--redirect-uri", "https://tpp.example/cb"]);
    assert_eq!(code, 0, "{error}");
    let pay = sepa(&iban, &["--amount", "1.00", "--headless", "approve"]);
    let (code, _, error) = way.tpp(&setting, &pay);
    assert!(code == 1 && error.contains("cannot be reached"), "{error}");
    // Nobody is there to approve it again.
    let (code, text, error) = way.tpp(&setting, &["authorise", "--payment"]);
    assert!(code == 0 && text.contains("is ACSC"), "{text}{error}");
    let ids = way.ids();
    assert!(ids.len() == 4 && ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
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
