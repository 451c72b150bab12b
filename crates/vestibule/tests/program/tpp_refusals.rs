//! What `vestibule tpp pay`, `payment` and `funds` refuse before anything is sent.

use std::fs;

use crate::third_party::Setting;
use crate::vestibule;

/// A bulk payment of one transfer that says that it has two.
const SUMS: &str = "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.03\"><CstmrCdtTrfInitn>\
    <GrpHdr><MsgId>M</MsgId><NbOfTxs>2</NbOfTxs></GrpHdr><PmtInf><PmtInfId>P</PmtInfId><PmtMtd>TRF</PmtMtd>\
    <ReqdExctnDt>2026-11-26</ReqdExctnDt><DbtrAcct><Id><IBAN>NL1</IBAN></Id></DbtrAcct><CdtTrfTxInf>\
    <PmtId><EndToEndId>E</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"EUR\">1.00</InstdAmt></Amt><Cdtr><Nm>Shop</Nm></Cdtr>\
    <CdtrAcct><Id><IBAN>NL2</IBAN></Id></CdtrAcct></CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>";

/// Who is paid.
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
    let (table, sums) = (file("table.csv", "a,b\n1,2\n"), file("sums.xml", SUMS));
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
        (words(&["pay", "--file", &table]), "it is no pain.001 document"),
        (words(&["pay", "--file", &sums]), "GrpHdr/NbOfTxs is 2, and there are 1 transfers"),
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

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}
