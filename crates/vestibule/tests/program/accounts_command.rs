//! `vestibule account` and the part of `vestibule tpp` that reads accounts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::BINARY;
use crate::third_party::{Setting, json};

#[test]
fn customers_of_a_sandbox() {
    let setting = Setting::ephemeral();
    let out = setting.account(&["list"]);
    assert!(out.contains("vestibule account new"), "{out}");
    let who = ["new", "--persona", "student", "--name", "Ada Möller", "--balance", "99.95", "--json"];
    let made = json(&setting.account(&who));
    assert_eq!((&made["name"], &made["persona"]), (&"Ada Möller".into(), &"student".into()));
    let iban = made["iban"].as_str().unwrap();
    let out = setting.account(&["list"]);
    assert!(out.contains(iban) && out.contains(made["digipassNumber"].as_str().unwrap()), "{out}");
    let out = setting.account(&["show", iban]);
    assert!(out.contains("Ada Möller") && out.contains("CACC enabled"), "{out}");
    let out = setting.account(&["list", "--personas"]);
    assert!(out.lines().count() >= 12, "{out}");
    for (arguments, text) in [
        (vec!["show", "NL91ABNA0417164300"], "no customer with account"),
        (vec!["new", "--persona", "nobody"], "is not one of household, student"),
        (vec!["new", "--tenant", "xx"], "tenant \"xx\" is not one of nl"),
        (vec!["new", "--currency", "euro"], "no code of ISO 4217"),
        (vec!["new", "--balance", "1,5"], "balance \"1,5\""),
        (vec!["new", "--currency", "JPY", "--balance", "1.5"], "fraction digits"),
        (vec!["approve", "http://x/", "--iban", iban], "must be an authorization URL of this bank"),
    ] {
        let (code, _, error) = setting.try_account(&arguments);
        assert!(code != 0 && error.contains(text), "{arguments:?}: {error}");
    }
}

#[test]
fn from_nothing_to_the_first_balance_and_on() {
    let setting = Setting::ephemeral();
    let flow = json(&setting.ok(&["flow", "ais", "--headless", "approve", "--json"]));
    assert_eq!((&flow["consentStatus"], flow["balances"].as_array().unwrap().len()), (&"valid".into(), 2));
    let steps: Vec<_> =
        flow["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    let expected = [
        "registration",
        "customer",
        "consent",
        "authorisation",
        "tokens",
        "confirmation",
        "accounts",
        "balances",
    ];
    assert_eq!(steps, expected);
    let again = setting.ok(&["flow", "ais", "--headless", "approve"]);
    assert!(!again.contains("registration") && again.contains("together"), "{again}");

    let accounts = json(&setting.ok(&["accounts", "--json"]));
    let iban = accounts["accounts"][0]["iban"].as_str().unwrap().to_owned();
    assert!(setting.ok(&["accounts"]).contains(&iban));
    assert!(setting.ok(&["balances", "--account", &iban]).contains("closingBooked"));
    let csv = setting.ok(&["transactions", "--csv"]);
    let lines: Vec<_> = csv.lines().collect();
    assert!(lines.len() > 300, "the first read sees the whole history: {}", lines.len());
    assert!(lines[0].starts_with("account,status,bookingDate,amount"));
    assert!(lines[1..].iter().all(|line| line.starts_with(&iban)));
    let later = json(&setting.ok(&["transactions", "--booking-status", "booked", "--json"]));
    let later = later["transactions"][0]["booked"].as_array().unwrap().len();
    assert!(later < 300 && later > 20, "later reads see ninety days: {later}");
    assert!(setting.ok(&["transactions", "--psu-ip-address", "192.0.2.1"]).contains("booked"));

    // The daily budget is kept on this side, and the bank has the last word.
    setting.ok(&["balances"]);
    setting.ok(&["balances"]);
    setting.refused(&["balances"], "4 unattended reads of balances");
    setting.refused(&["balances", "--beyond-budget"], "429 ACCESS_EXCEEDED");
    setting.refused(&["balances", "--beyond-budget"], "T00:00:00Z, or with the customer");
    setting.ok(&["balances", "--psu-ip-address", "192.0.2.1"]);

    assert!(setting.ok(&["refresh"]).contains("has new tokens"));
    setting.ok(&["accounts"]);
    let shown = json(&setting.ok(&["show", "--json"]));
    assert_eq!(shown["consents"].as_array().unwrap().len(), 2);
    assert!(!shown.to_string().contains("accessToken"), "tokens stay in the folder");
    assert!(setting.ok(&["revoke"]).contains("has no tokens any more"));
    setting.refused(&["accounts"], "vestibule tpp consent");
    let first = flow["consentId"].as_str().unwrap();
    setting.ok(&["accounts", "--consent", first]);
    assert!(setting.ok(&["revoke", "--delete-consent", "--consent", first]).contains("was ended"));
}

#[test]
fn the_wrong_order_is_answered_with_the_next_step() {
    let setting = Setting::ephemeral();
    setting.refused(&["consent"], "vestibule tpp register");
    setting.ok(&["register", "--redirect-uri", "https://tpp.example/callback"]);
    setting.refused(&["accounts"], "vestibule tpp consent");
    let consent = json(&setting.ok(&["consent", "--json"]));
    assert_eq!(consent["hasTokens"], false);
    setting.refused(&["balances"], "vestibule tpp authorise");
    // Without a browser on this machine: the address to open, and how to finish.
    let told = setting.refused(&["authorise"], "--location");
    assert!(told.contains("/auth/nl/v1/auth?"), "{told}");
    let url = told.lines().find(|line| line.trim().starts_with("http")).unwrap().trim().to_owned();
    let iban = setting.customer("household");
    let location = setting.account(&["approve", &url, "--iban", &iban]);
    let stolen = location.trim().replace("state=", "state=x");
    setting.refused(&["authorise", "--location", &stolen], "another state");
    assert!(setting.ok(&["authorise", "--location", location.trim()]).contains("is valid"));
    setting.refused(&["authorise", "--location", location.trim()], "no authorisation is under way");
    setting.ok(&["accounts"]);
    setting.refused(&["authorise", "--headless", "approve"], "--customer-iban");
    setting.refused(&["accounts", "--consent", "x"], "not kept here");
    setting.refused(&["accounts", "--account", "NL91ABNA0417164300"], "does not cover");
    setting.ok(&["consent"]);
    let no =
        setting.refused(&["authorise", "--headless", "reject", "--customer-iban", &iban], "consent_required");
    assert!(no.contains("cancelled"), "{no}");
}

/// A browser that is sent to the bank, decides there, and comes back to a listener on this machine.
#[test]
fn the_customer_comes_back_to_a_loopback_address() {
    let setting = Setting::ephemeral();
    let port = testkit::free_port();
    let uri = format!("http://127.0.0.1:{port}/callback");
    setting.ok(&["register", "--redirect-uri", &uri]);
    let iban = setting.customer("student");
    setting.ok(&["consent", "--iban", &iban, "--one-off"]);
    let mut child = testkit::command(BINARY)
        .args(["tpp", "authorise", "--no-browser"])
        .args(setting.arguments())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.find(|line| line.trim().starts_with("http")).unwrap().trim().to_owned();
    let location = setting.account(&["approve", &url, "--iban", &iban]);
    let target = location.trim().strip_prefix(&format!("http://127.0.0.1:{port}")).unwrap().to_owned();
    for (target, status) in [("/favicon.ico", "404"), (target.as_str(), "200")] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("is valid"));
    setting.refused(&["refresh"], "has no refresh token");
    assert!(setting.ok(&["balances"]).contains("12.34"));
}

/// The strict profile over mutual TLS: a QSealC signs, a QWAC is presented, and tokens are bound to it.
#[test]
fn the_whole_way_over_mutual_tls() {
    let setting = Setting::new(&["--ephemeral", "--strict", "--require-mtls"]);
    let tpp = |arguments: &[&str]| {
        let (code, out, error) = setting.tpp_at("tls", arguments);
        assert_eq!(code, 0, "{arguments:?}: {error}");
        out
    };
    for profile in ["qwac", "qseal"] {
        tpp(&["certificate", "--profile", profile, "--organization-identifier", "PSDNL-DNB-R123456"]);
    }
    tpp(&["register", "--redirect-uri", "https://tpp.example/callback"]);
    let flow = json(&tpp(&["flow", "ais", "--headless", "approve", "--json"]));
    assert_eq!(flow["consentStatus"], "valid");
    tpp(&["refresh"]);
    assert!(tpp(&["transactions", "--csv"]).lines().count() > 100);
    tpp(&["revoke"]);
}
