//! Several commands of `vestibule tpp` at once on one folder: nothing that one of them kept is lost to another.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Stdio};

use serde_json::{Value, json};

use crate::BINARY;
use crate::third_party::Setting;

/// Who is paid.
const SHOP: [&str; 4] = ["--to", "NL91ABNA0417164300", "--name", "Shop"];

const URI: [&str; 2] = ["--redirect-uri", "https://tpp.example/cb"];

/// Runs commands at once, all of which have to succeed.
fn at_once(setting: &Setting, commands: &[Vec<&str>]) -> Vec<Value> {
    std::thread::scope(|scope| {
        let running: Vec<_> =
            commands.iter().map(|command| scope.spawn(move || setting.json(command))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn ids(all: &[Value], name: &str) -> BTreeSet<String> {
    all.iter().map(|one| one[name].to_string()).collect()
}

#[test]
fn twenty_commands_at_once_lose_nothing() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&[&["register"], &URI[..]].concat());
    // Half of them ask for the same, which is no less.
    let amounts: Vec<String> = (0..20).map(|at| format!("{}.00", if at < 10 { 1 } else { at })).collect();
    let pay = |amount| [&["pay", "--from", &iban, "--amount", amount][..], &SHOP].concat();
    let made = at_once(&setting, &amounts.iter().map(|amount| pay(amount)).collect::<Vec<_>>());
    let kept = setting.json(&["show"]);
    assert_eq!(ids(&made, "id").len(), 20);
    assert_eq!(ids(&made, "id"), ids(kept["payments"].as_array().unwrap(), "id"));
    assert_eq!(kept["payments"].as_array().unwrap().len(), 20);

    // Of every kind.
    let consent = vec!["consent", "--iban", &iban];
    let funds = vec!["funds", "consent", "--iban", &iban];
    let pay = [&["pay", "--from", &iban, "--amount", "2.00", "--headless", "approve"][..], &SHOP].concat();
    let status = vec!["payment", "status"];
    let mixed: Vec<_> = [consent, funds, pay, status].into_iter().cycle().take(20).collect();
    at_once(&setting, &mixed);
    let kept = setting.json(&["show"]);
    let count = |name: &str| kept[name].as_array().unwrap().len();
    assert_eq!((count("consents"), count("fundsConsents"), count("payments")), (5, 5, 25));
}

#[test]
fn twenty_commands_at_once_lose_nothing_at_bunq() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&[&["register", "--dialect", "bunq"], &URI[..]].concat());
    let amounts: Vec<String> = (0..20).map(|at| format!("{}.00", if at < 10 { 1 } else { at })).collect();
    let pay = |amount| {
        let whose = ["pay", "--from", &iban, "--amount", amount, "--reference", "Coffee"];
        [&whose[..], &SHOP].concat()
    };
    let made = at_once(&setting, &amounts.iter().map(|amount| pay(amount)).collect::<Vec<_>>());
    assert_eq!(ids(&made, "id").len(), 20);
    assert_eq!(ids(&made, "id"), ids(setting.json(&["show"])["payments"].as_array().unwrap(), "id"));
    // Browsers that left with each of them come back in any order.
    for url in [&made[17], &made[3]].map(|one| one["authorizationUrl"].as_str().unwrap()) {
        let location = setting.account(&["approve", url, "--iban", &iban]);
        let location = location.lines().find(|line| line.contains("code=")).unwrap().trim().to_owned();
        setting.ok(&["authorise", "--location", &location]);
    }
    assert_eq!(setting.json(&["show"])["bunq"]["connections"].as_array().unwrap().len(), 2);
}

/// From nothing: whoever comes first enrols, and the others go on with it.
#[test]
fn flows_at_once_enrol_once() {
    for (dialect, word) in [("berlin-group", "id"), ("bunq", "id")] {
        let setting = Setting::ephemeral();
        let flow = vec!["flow", "pis", "--dialect", dialect, "--headless", "approve"];
        let made = at_once(&setting, &vec![flow; 5]);
        let kept = setting.json(&["show", "--dialect", dialect]);
        assert_eq!(ids(&made, word), ids(kept["payments"].as_array().unwrap(), word), "{dialect}");
        assert_eq!(ids(&made, word).len(), 5);
    }
    // The same when a bank that kept nothing was started again.
    let setting = Setting::ephemeral();
    setting.ok(&["flow", "ais", "--headless", "approve"]);
    let setting = setting.replace(&["--ephemeral"]);
    at_once(&setting, &vec![vec!["flow", "ais", "--headless", "approve"]; 5]);
    assert_eq!(setting.json(&["show"])["consents"].as_array().unwrap().len(), 5);
}

/// A refresh token works once: one command gets new tokens, and the others use them.
#[test]
fn tokens_are_renewed_once_for_all() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&["flow", "ais", "--headless", "approve", "--customer-iban", &iban]);
    for _ in 0..2 {
        setting.manage("PUT", "/clock", &json!({"tenant": "nl", "advance": "PT3H"}));
        at_once(&setting, &vec![vec!["accounts"]; 8]);
    }
    setting.ok(&["refresh"]);
    setting.ok(&["accounts"]);
}

/// A command that waits for a browser, what it goes on to say, and the address to which it said to go.
fn waiting_for_a_browser(setting: &Setting) -> (Child, BufReader<ChildStderr>, String) {
    let mut waiting = testkit::command(BINARY);
    waiting.args(["tpp", "authorise", "--no-browser"]).args(setting.arguments());
    waiting.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut waiting = waiting.spawn().unwrap();
    let mut told = BufReader::new(waiting.stderr.take().unwrap());
    let mut url = String::new();
    while !url.contains("/v1/auth?") {
        url.clear();
        assert_ne!(told.read_line(&mut url).unwrap(), 0);
    }
    (waiting, told, url)
}

/// A command that waits for a browser keeps nobody else waiting, and loses nothing that others keep meanwhile.
#[test]
fn a_command_that_waits_for_a_browser_holds_nobody_up() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&[&["register"], &URI[..]].concat());
    let consent = setting.json(&["consent", "--iban", &iban]);
    let (mut waiting, _told, url) = waiting_for_a_browser(&setting);
    let payment = setting.json(&[&["pay", "--from", &iban, "--amount", "1.00"][..], &SHOP].concat());
    let location = setting.account(&["approve", url.trim(), "--iban", &iban]);
    let location = location.lines().find(|line| line.contains("code=")).unwrap().trim().to_owned();
    writeln!(waiting.stdin.take().unwrap(), "{location}").unwrap();
    assert!(waiting.wait().unwrap().success());
    let kept = setting.json(&["show"]);
    assert_eq!(kept["payments"][0]["id"], payment["id"]);
    assert_eq!(
        (&kept["consents"][0]["consentId"], &kept["consents"][0]["hasTokens"]),
        (&consent["consentId"], &true.into())
    );
}

/// What was forgotten while a command was at work is not brought back, and nothing breaks.
#[test]
fn a_command_goes_on_where_another_one_forgot_everything() {
    let setting = Setting::ephemeral();
    let iban = setting.customer("household");
    setting.ok(&[&["register"], &URI[..]].concat());
    setting.ok(&["consent", "--iban", &iban]);
    let (mut waiting, mut told, url) = waiting_for_a_browser(&setting);
    setting.ok(&["forget"]);
    let location = setting.account(&["approve", url.trim(), "--iban", &iban]);
    let location = location.lines().find(|line| line.contains("code=")).unwrap().trim().to_owned();
    writeln!(waiting.stdin.take().unwrap(), "{location}").unwrap();
    let mut error = String::new();
    told.read_to_string(&mut error).unwrap();
    assert!(!waiting.wait().unwrap().success());
    assert!(error.contains("another command forgot it meanwhile") && !error.contains("panicked"), "{error}");
    setting.refused(&["show"], "nothing is kept");
}
