//! The portal's first page: from nothing to a registered third party with a customer, in a browser.

use std::path::Path;
use std::process::Command;

use eidas::OrganizationIdentifier;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::portal::look;
use crate::python;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_nothing_to_a_registered_third_party_with_a_customer() {
    let server = TestServer::start().await;
    let (_guard, downloads) = testkit::free_folder();
    let Some(found) = look("portal_home.py", &server, json!({"downloads": downloads})).await else { return };
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    let (_, parties) = server.manage("GET", "/third-parties", Value::Null).await;
    let ids: Vec<_> =
        parties["thirdParties"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert!(ids.contains(&found["identifier"]) && ids.contains(&found["second"]), "{found} {parties}");
    let (_, accounts) = server.manage("GET", "/test-accounts", Value::Null).await;
    let ibans: Vec<_> =
        accounts["testAccounts"].as_array().unwrap().iter().map(|one| one["iban"].clone()).collect();
    assert!(ibans.contains(&text("iban").replace(' ', "").into()), "{found} {accounts}");
    for store in found["stores"].as_array().unwrap() {
        openssl_opens(store);
        java_opens(store);
    }
}

/// Output of a program, if it ended well.
fn output(program: &Path, arguments: &[&str]) -> Option<String> {
    let done = Command::new(program).args(arguments).output().unwrap();
    done.status.success().then(|| String::from_utf8(done.stdout).unwrap())
}

/// The blocks of a text in PEM, each on one line.
fn blocks(pem: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut rest = pem;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (block, after) = begun.split_once("-----END").unwrap();
        blocks.push(block.split_whitespace().collect());
        rest = after;
    }
    blocks
}

/// A file in PKCS#12 has the key, the certificate and its chain, for whoever knows the password.
fn openssl_opens(store: &Value) {
    let Some(openssl) = testkit::system_program("/usr/bin/openssl") else { return };
    let read = |password: &str| {
        let password = format!("pass:{password}");
        let arguments = ["pkcs12", "-in", store["store"].as_str().unwrap(), "-passin", &password, "-nodes"];
        output(&openssl, &arguments)
    };
    let opened = blocks(&read(store["password"].as_str().unwrap()).expect("the password opens the file"));
    let wanted = blocks(store["pem"].as_str().unwrap());
    assert!(wanted.len() >= 3 && wanted.iter().all(|block| opened.contains(block)), "{opened:?}, {wanted:?}");
    assert_eq!(read("another one"), None);
}

fn java_opens(store: &Value) {
    let Some(keytool) = testkit::system_program("/usr/bin/keytool") else { return };
    let [path, password, alias] =
        ["store", "password", "alias"].map(|name| store[name].as_str().unwrap().to_owned());
    let opened = ["-keystore", &path, "-storepass", &password];
    let certificate = output(&keytool, &[&["-exportcert", "-rfc", "-alias", &alias], &opened[..]].concat());
    assert_eq!(
        blocks(&certificate.expect("Java opens the file")),
        blocks(store["pem"].as_str().unwrap())[1..2]
    );
    // A copy needs the key itself.
    let copied = format!("{path}.copy");
    let from = ["-importkeystore", "-noprompt", "-srckeystore", &path, "-srcstorepass", &password];
    let to = ["-destkeystore", &copied, "-deststorepass", "another", "-deststoretype", "PKCS12"];
    assert!(output(&keytool, &[&from[..], &to[..]].concat()).is_some(), "Java reads the key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_page_without_a_mouse_and_without_scripts() {
    let server = TestServer::start().await;
    look("portal_home_keyboard.py", &server, Value::Null).await;
}

/// The bank's word on an identifier of a payment service provider.
fn rule_that_is_broken(text: &str) -> Option<String> {
    match OrganizationIdentifier::parse(text) {
        Err(rule) => Some(rule.to_string()),
        Ok(identifier) if identifier.authorization_number().is_none() => {
            Some("it must begin with PSD (ETSI TS 119 495, 5.2.1), for example PSDNL-DNB-R123456".to_owned())
        }
        Ok(_) => None,
    }
}

/// What the page says while somebody types is what the bank says afterwards.
#[test]
#[expect(clippy::too_many_lines, reason = "one row an identifier")]
fn the_page_and_the_bank_agree_on_identifiers() {
    if testkit::system_program("/usr/bin/node").is_none() {
        return;
    }
    let long = format!("PSDNL-DNB-{}", "R".repeat(247));
    let umlauts = format!("PSDNL-DNB-{}", "ü".repeat(123));
    let texts = [
        "PSDNL-DNB-R123456",
        "PSDDE-BAFIN-123456",
        "PSDPL-PFSA-1234567890",
        "PSDES-BDE-3DFD21",
        "PSDBE-NBB-1234.567.890",
        "PSDFI-FINFSA-1234567-8",
        "PSDMT-MFSA-A 12345",
        "PSDGB-FCA-730427",
        "PSDFI-FIN-FSA-1234567-8",
        "PSDGO-BES-WGXZKBYE",
        "PSDXX-ABC-1",
        "PSDNL-DNB--",
        "PSDNL-DNB-東京",
        "PSDNL-DNB-😀",
        "VATDE-123456789",
        "NTRFR-552120222",
        "LEIXG-5493001KJTIIGC8Y1R12",
        "LEIXG-5493001KJTIIGC8Y1R13",
        "LEIXG-5493001KJTIIGC8Y1R1",
        "LEIDE-1",
        "LEI",
        "HR:HR-77",
        "HR:HR-",
        "HR:hr-1",
        "VATEL-1",
        "VATEL-",
        "VAT1-1",
        "NTR",
        "",
        " ",
        "P",
        "PSD",
        "PSDNL",
        "PSDNL-",
        "PSDNL-DNB",
        "PSDNL-DNB-",
        "PSDNL--1",
        "PSDNL-D-1",
        "PSDNL-ABCDEFGHI-1",
        "PSDNL-DNb-1",
        "PSDNL-D1B-1",
        "PSDNL-ÄÖ-1",
        "PSDnl-DNB-1",
        "psdnl-DNB-1",
        "PSDDE_BAFIN_123456",
        "PSD-DE-BAFIN-123456",
        "DE-BAFIN-123456",
        "PSDDEU-BAFIN-1",
        "PSDDE-BaFin-123456",
        "PSÐDE-BAFIN-1",
        "PSDÄ-DNB-1",
        " PSDNL-DNB-1",
        "PSDNL-DNB-1 ",
        "PSDNL-DNB-1\n",
        "PSDNL-DNB-\u{200b}1",
        "PSDNL-DNB-\u{202e}1",
        "PSDNL-DNB-\u{e0041}1",
        "PSDNL-DNB-\u{7f}",
        "<b>",
        "\u{1}",
        long.as_str(),
        &long[..256],
        umlauts.as_str(),
    ];
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../portal/assets/home/identifier.js");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/portal_identifier.mjs");
    let said = python::run_script(
        "/usr/bin/node",
        &[script.to_str().unwrap(), module.to_str().unwrap()],
        &json!(texts.as_slice()),
    );
    for (text, said) in texts.iter().zip(said.as_array().unwrap()) {
        assert_eq!(said, &json!(rule_that_is_broken(text)), "{text:?}");
    }
}
