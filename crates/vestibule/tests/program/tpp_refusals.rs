//! What `vestibule tpp pay`, `payment` and `funds` refuse before anything is sent.

use std::fs;

use crate::third_party::{Setting, json};
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
        (
            pay(&["--amount", "1.00", "--headless", "approve"]),
            "name an account of the customer with --customer-iban",
        ),
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
        (words(&["funds", "--iban", "XX", "--amount", "1.00"]), "--iban: XX is no IBAN;"),
        (words(&["funds", "consent", "--iban", ""]), "--iban: an empty text is no IBAN;"),
        (
            words(&["funds", "status", "6f"]),
            "consent for funds 6f is not kept here; those that are, are listed by: ",
        ),
        (words(&["funds", "revoke"]), "no consent to ask for funds is kept; ask for one with: "),
        (words(&["funds", "consent", "--iban", "NL91ABNA0417164300"]), "tpp register --bank"),
        (
            words(&["flow", "pis", "--headless", "approve", "--persona", "nobody"]),
            "persona nobody is not one of",
        ),
    ];
    check(&setting, rows);
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
    let (code, out, _) = vestibule(&["tpp", "pay", "--json"]);
    let message = json(&out)["error"]["message"].as_str().unwrap().to_owned();
    for missing in ["--to", "--name", "--amount"] {
        assert!(code == 2 && message.contains(missing), "{out}");
    }
}

/// Amounts, accounts, days and names as people get them wrong.
#[test]
fn what_is_written_wrongly_is_said_with_what_would_be_right() {
    let setting = Setting::ephemeral();
    let pay = |more: &[&str]| [&["pay"], &SHOP[..], more].concat().iter().map(ToString::to_string).collect();
    let rows: Vec<(Vec<String>, &str)> = vec![
        (pay(&["--amount", "0"]), "0 is no amount; expected more than nothing, for example 12.50"),
        (pay(&["--amount", "-1"]), "-1 is no amount; expected more than nothing, for example 12.50"),
        (pay(&["--amount", "1.234"]), "1.234 is no amount; an amount in EUR is a decimal number"),
        (pay(&["--amount", "1e3"]), "1e3 is no amount; an amount in EUR is a decimal number"),
        (pay(&["--amount", ""]), "an empty text is no amount; an amount in EUR is a decimal number"),
        (pay(&["--amount", "1.00", "--currency", ""]), "an empty text is no currency; expected a code"),
        (words(&["pay", "--to", "NL91", "--name", "Shop", "--amount", "1.00"]), "--to: NL91 is no IBAN;"),
        (
            words(&["pay", "--to", "", "--name", "Shop", "--amount", "1.00"]),
            "--to: an empty text is no IBAN;",
        ),
        (
            words(&["pay", "--to", "NL91ABNA0417164301", "--name", "Shop", "--amount", "1.00"]),
            "expected one such as NL91ABNA0417164300, or of a British account sort code and number",
        ),
        (
            words(&["pay", "--to", "NL91ABNA0417164300", "--name", " ", "--amount", "1.00"]),
            "--name is empty; banks want the name of the payee",
        ),
        (pay(&["--amount", "1.00", "--from", "XX"]), "--from: XX is no IBAN;"),
        (
            pay(&["--amount", "1.00", "--headless", "approve", "--customer-iban", "XX"]),
            "--customer-iban: XX is no IBAN;",
        ),
        (pay(&["--amount", "1.00", "--on", "2030-02-30"]), "2030-02-30 is no day; expected YYYY-MM-DD"),
    ];
    check(&setting, rows);
}

/// Runs commands that are refused with these texts.
fn check(setting: &Setting, rows: Vec<(Vec<String>, &str)>) {
    for (arguments, text) in rows {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        setting.refused(&arguments, text);
        // For programs it is one line, with the same text, and the commands that lead on in a list.
        let (code, out, error) = setting.tpp(&[&arguments[..], &["--json"]].concat());
        assert_eq!((code, out.lines().count()), (1, 1), "{arguments:?}: {out}");
        let told = json(&out);
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.contains(text) && error.contains(message), "{arguments:?}: {out}");
        let named = message.matches(" tpp ").count() + message.matches(" account ").count();
        let next = told["error"]["next"].as_array().map_or(0, Vec::len);
        assert!(next <= named, "{out}");
        assert_eq!(next > 0, message.contains(" with: ") || message.contains(" by: "), "{out}");
    }
}

/// What is wrong with the bank or with the folder is said with what would be right.
#[test]
fn a_bank_that_is_not_there_and_a_folder_that_cannot_be_used() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["register", "--redirect-uri", "https://tpp.example/cb"]);
    let pay = [&["pay", "--from", &iban, "--amount", "1.00"][..], &SHOP].concat();
    setting.refused(
        &[&pay[..], &["--on", "2020-01-01"]].concat(),
        "2020-01-01 is in the past; send a day from ",
    );
    // A file where the folder should be.
    let file = tempfile::NamedTempFile::new().unwrap();
    let state = file.path().join("state").to_str().unwrap().to_owned();
    let bank = setting.bank.url("public");
    let register = ["tpp", "register", "--redirect-uri", "https://tpp.example/cb", "--bank", &bank];
    let (code, out, _) = vestibule(&[&register[..], &["--state", &state, "--json"]].concat());
    let told = json(&out);
    assert_eq!((code, &told["error"]["kind"]), (1, &"file".into()), "{out}");
    assert!(out.contains("let it read and write there, or name another folder with --state"), "{out}");
    // What is not the program's own.
    let kept = setting.json(&["show"])["folder"].as_str().unwrap().to_owned();
    let kept = std::path::Path::new(&kept).join("state.json");
    let whole = fs::read(&kept).unwrap();
    fs::write(&kept, &whole[..whole.len() / 2]).unwrap();
    let error = setting.refused(&pay, "it is not what this program writes");
    assert!(error.contains("begin anew with: ") && error.contains("tpp forget"), "{error}");
    fs::write(&kept, &whole).unwrap();

    // A bank that keeps nothing is started again: it is met anew, and what it does not know any more is not asked for.
    setting.ok(&pay);
    let setting = setting.replace(&["--ephemeral"]);
    let error = setting.refused(&["payment", "status"], "no payment is kept yet; ask for one with: ");
    assert!(error.contains("another one than before"), "{error}");
    let iban = setting.customer("household");
    setting.ok(&[&["pay", "--from", &iban, "--amount", "1.00"][..], &SHOP].concat());
    // And one that does not run.
    let (bank, state) = (setting.bank.url("public"), setting.state.clone());
    setting.bank.kill();
    let pay =
        [&["tpp", "pay", "--from", &iban, "--amount", "1.00", "--bank", &bank, "--state", &state][..], &SHOP];
    let (code, out, error) = vestibule(&[&pay.concat()[..], &["--json"]].concat());
    assert_eq!((code, &json(&out)["error"]["kind"]), (1, &"unreachable".into()), "{out}");
    assert!(error.contains("cannot be reached") && error.contains("a sandbox is started with: "), "{error}");
    assert!(error.contains("makes nothing twice"), "{error}");
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}
