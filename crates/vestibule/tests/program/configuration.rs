//! `vestibule config`: the example, everything that can be wrong with a file, the reference page.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::{Signer, TestCa, free_folder};
use vestibule::configuration::{Configuration, Problem};

use crate::serve::{NO_CORE, write_configuration};
use crate::{BINARY, on_a_full_disk, vestibule};

/// Keys that seal, as `openssl rand -base64 32` makes them.
pub(crate) const SEALING_KEY: &str = "U3dvcmRmaXNoU3dvcmRmaXNoU3dvcmRmaXNoU3dvcmQ=\n";
pub(crate) const OTHER_SEALING_KEY: &str = "T3RoZXJmaXNoT3RoZXJmaXNoT3RoZXJmaXNoT3RoZXI=\n";
/// A register with one institution.
const REGISTER: &str = "[[{}], [{\"CA_OwnerID\": \"NL_DNB\", \"EntityType\": \"PSD_PI\", \"Properties\": \
    [{\"ENT_NAT_REF_COD\": \"R123456\"}, {\"ENT_AUT\": [\"2019-01-01\"]}], \"Services\": [{\"NL\": [\"PS_080\"]}]}]]";
/// A logo.
pub(crate) const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 120 40\"><rect width=\"40\" height=\"40\" \
    rx=\"20\" fill=\"#7a1fa2\"/><path d=\"M10 28 20 10l10 18z\" fill=\"#fff\"/><path d=\"M52 12h60v6H52zm0 12h42v6H52z\" fill=\"#7a1fa2\"/></svg>";

/// A folder with the files that the example names, each of them right.
pub(crate) struct Files {
    pub(crate) folder: PathBuf,
    pub(crate) ca: TestCa,
    _guard: tempfile::TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        let (guard, folder) = free_folder();
        let ca = TestCa::new("Authority of the tests");
        let files = Self { folder, ca, _guard: guard };
        let ca = &files.ca;
        files.pair("interface", &ca.issue_server(&["api.bank.example.com", "127.0.0.1"]));
        files.pair("pages", &ca.issue_server(&["bank.example.com", "127.0.0.1"]));
        files.pair("admin", &ca.issue_server(&["127.0.0.1"]));
        files.pair("core-client", &ca.issue_server(&["gateway.bank.example.com"]));
        files.pair("provider", &ca.issue_server(&["gateway.bank.example.com"]));
        for name in ["anchors.pem", "core-authority.pem", "staff-authority.pem"] {
            fs::write(files.path(name), ca.pem()).unwrap();
        }
        fs::write(files.path("sealing.key"), SEALING_KEY).unwrap();
        fs::write(files.path("sealing-other.key"), OTHER_SEALING_KEY).unwrap();
        fs::write(files.path("logo.svg"), LOGO).unwrap();
        fs::write(files.path("database.address"), "postgres://user:swordfish@db.example.com/vestibule\n")
            .unwrap();
        fs::write(files.path("list-signers.pem"), files.ca.pem()).unwrap();
        fs::write(files.path("register.json"), REGISTER).unwrap();
        fs::write(files.path("stop-list.txt"), "PSDNL-DNB-R999999 # stopped\n").unwrap();
        fs::write(files.path("register.authorization"), "Bearer swordfish\n").unwrap();
        files
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes certificate and key.
    pub(crate) fn pair(&self, name: &str, signer: &Signer) {
        fs::write(self.path(&format!("{name}.pem")), eidas::certificate::to_pem(&signer.certificate.der))
            .unwrap();
        fs::write(self.path(&format!("{name}.key")), &signer.key_pem).unwrap();
    }

    /// Checks a text as `vestibule.toml` and returns what was said.
    pub(crate) fn check(&self, text: &str) -> (i32, String) {
        let file = self.path("vestibule.toml");
        fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        let output = testkit::command(BINARY)
            .args(["config", "check", file])
            .env("BANK_DATABASE", "postgres://user:swordfish@db.example.com/vestibule")
            .env("BANK_EMPTY", "")
            .env("BANK_MYSQL", "mysql://user:swordfish@db.example.com/vestibule")
            .env("BANK_OPTION", "postgres://user:swordfish@db.example.com/vestibule?foo=bar")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap().replace(&format!("{file}:"), "").replace(file, "FILE");
        (output.status.code().unwrap_or(-1), said)
    }
}

pub(crate) fn example() -> String {
    let (code, text, error) = vestibule(&["config", "example"]);
    assert_eq!((code, error.as_str()), (0, ""));
    text
}

/// The line of a text that begins so, counted from 1.
pub(crate) fn line_of(text: &str, beginning: &str) -> usize {
    let at = text.lines().position(|line| line.starts_with(beginning));
    at.unwrap_or_else(|| panic!("no line begins with {beginning}: {text}")) + 1
}

/// What stands in the example for those who do not do as it does.
const OTHER_WAYS: [&str; 5] =
    ["sqlite_file", "client_secret_file", "key_id", "url = \"https://registers", "authorization_file"];

/// Time that passes keeps no gateway from starting over a door that third parties and customers never see, nor from taking up anything
/// while it runs. That is told, and what is new has to be good.
#[test]
fn certificates_that_have_ended_are_in_the_way_of_nothing_else() {
    let files = Files::new();
    fs::write(files.path("intermediates.pem"), files.ca.pem()).unwrap();
    let admin = "[admin]\nlisten = \"127.0.0.1:0\"\ncertificate_file = \"admin.pem\"\nkey_file = \"admin.key\"\n\
                 trust_files = [\"staff-authority.pem\"]\noperators = [\"CN=Jane Doe\"]\n";
    let ended: gateway::domain::Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    let says = |problems: &[Problem], sections: &[&str]| {
        assert_eq!(problems.len(), sections.len(), "{problems:?}");
        for (problem, section) in problems.iter().zip(sections) {
            let text = format!("[{section}] certificate_file: the certificate is good from");
            assert!(problem.text.starts_with(&text) && problem.line.is_some(), "{problem:?}");
        }
    };
    let path =
        write_configuration(&files, NO_CORE, &format!("[proxy]\naddresses = [\"127.0.0.1\"]\n{admin}"));
    says(Configuration::read(&path, ended).unwrap().remarks(), &["core_bank", "admin"]);
    let check = ["--now", "2100-01-01T00:00:00Z", "config", "check", path.to_str().unwrap()];
    let (code, said, error) = vestibule(&check);
    assert!(code == 0 && said.contains("is right, but for certificates"), "{said}{error}");
    assert!(error.contains("[admin] certificate_file: the certificate is good from"), "{error}");

    let path = write_configuration(&files, NO_CORE, admin);
    let (code, _, error) = vestibule(&check);
    assert!(code == 1 && error.contains("[interface] certificate_file: the certificate is good"), "{error}");
    says(&Configuration::read(&path, ended).unwrap_err(), &["interface", "pages"]);
    // A service that reloads goes on to the signal.
    let (code, said, error) = vestibule(&[&check[..4], &["--reload", check[4]]].concat());
    assert!(code == 0 && said.contains("is right, but for certificates"), "{said}{error}");
    assert!(error.contains("[interface] certificate_file: the certificate is good from"), "{error}");
    let before = Configuration::read(&path, testkit::now()).unwrap();
    says(before.remarks(), &[]);
    let again = || Configuration::read_again(&path, ended, &before);
    says(again().unwrap().remarks(), &["interface", "pages", "core_bank", "admin"]);
    for name in ["interface", "admin"] {
        let kept = ["pem", "key"].map(|kind| fs::read(files.path(&format!("{name}.{kind}"))).unwrap());
        files.pair(name, &files.ca.issue_server(&["api.bank.example.com", "127.0.0.1"]));
        says(&again().unwrap_err(), &[name]);
        for (kind, octets) in ["pem", "key"].iter().zip(kept) {
            fs::write(files.path(&format!("{name}.{kind}")), octets).unwrap();
        }
    }
}

#[test]
fn the_example_is_right_once_its_files_are_there() {
    let text = example();
    let (code, said) = Files::new().check(&text);
    assert_eq!((code, said.as_str()), (0, "FILE is right.\n"));

    // Each default that it shows is one.
    let all: String = text
        .lines()
        .map(|line| match line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')) {
            Some(rest) if !OTHER_WAYS.iter().any(|other| rest.starts_with(other)) => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let (code, said) = Files::new().check(&all);
    assert_eq!(code, 1);
    let lines: Vec<_> = said.lines().collect();
    assert!(
        lines.len() == 4 && lines.iter().all(|line| line.contains("the proxy of [proxy] ends TLS")),
        "with [proxy] and nothing else turned on that was off: {said}"
    );

    let (_guard, folder) = free_folder();
    let file = folder.join("vestibule.toml");
    fs::write(&file, &text).unwrap();
    let (code, _, error) = vestibule(&["config", "check", file.to_str().unwrap()]);
    assert_eq!(code, 1);
    for name in [
        "interface.pem",
        "interface.key",
        "pages.pem",
        "pages.key",
        "anchors.pem",
        "database.address",
        "core-client.pem",
        "core-client.key",
        "core-authority.pem",
    ] {
        let path = folder.join(name);
        assert!(error.contains(&format!("{}: No such file", path.display())), "{name}: {error}");
    }
}

/// What is written in place of a line of the example, the line that the message names, and what it says.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("name = ", "name = \"\"", "is not a text of 1 to 100 octets"),
    ("name = ", "name = 7", "expected a text"),
    ("name = ", "nam = \"Bank\"", "[bank] has no key \"nam\"; its keys are name, branches, rules,"),
    ("branches = ", "branches = \"nl\"", "expected a list, each a name of a branch, in square brackets"),
    ("branches = ", "branches = []", "a bank has a branch at least"),
    ("branches = ", "branches = [\"nl\", \"nl\"]", "nl is named twice"),
    ("branches = ", "branches = [\"nl\", \"../x\"]", "[bank] branches:"),
    ("#interfaces = ", "interfaces = []", "a bank has an interface at least, such as [\"berlin-group\"]"),
    ("#interfaces = ", "interfaces = [\"bunq\", \"bunq\"]", "bunq is named twice"),
    ("#interfaces = ", "interfaces = [\"stet\"]", "\"stet\" is not one of \"berlin-group\", \"bunq\""),
    ("#rules = ", "rules = \"hard\"", "\"hard\" is not one of \"strict\", \"lenient\""),
    (
        "#cross_border_payments = ",
        "cross_border_payments = \"yes\"",
        "expected true or false, without quotation marks",
    ),
    ("#id_tokens = ", "id_tokens = \"HS256\"", "is not one of \"RS256\", \"ES256\""),
    ("#listen = ", "listen = \"8443\"", "is not an address with a port, such as 127.0.0.1:8443"),
    ("#listen = ", "listen = \"0.0.0.0:8444\"", "0.0.0.0:8444 is that of another section"),
    ("url = \"https://api", "url = \"http://api.bank.example.com\"", "is not https:// with a host"),
    ("url = \"https://api", "url = \"https://api.bank.example.com/v1\"", "and nothing after it"),
    (
        "url = \"https://api",
        "url = \"https://other.example.com\"",
        "the certificate is not for other.example.com",
    ),
    ("url = \"https://bank", "url = \"https://api.bank.example.com:8443\"", "it is that of [interface]"),
    ("certificate_file = ", "certificate_file = \"interface.key\"", "expected a certificate"),
    ("certificate_file = ", "certificate_file = \".\"", "this is a folder; a file is expected"),
    ("certificate_file = ", "", "[interface] certificate_file: it is missing; only behind a [proxy]"),
    ("key_file = ", "key_file = \"pages.key\"", "this is not the key of certificate_file"),
    ("key_file = ", "key_file = \"interface.pem\"", "expected a private key"),
    (
        "anchor_files = ",
        "anchor_files = []",
        "without an authority no third party is let in; name one, or [trusted_lists]",
    ),
    ("anchor_files = ", "anchor_files = [\"anchors.pem\", \"none.pem\"]", "none.pem: No such file"),
    ("anchor_files = ", "", "[trust] anchor_files is missing: a list, each a path of a PEM file"),
    (
        "address_file = ",
        "address = \"postgres://user:swordfish@host/name\"",
        "a secret does not stand in this file",
    ),
    ("address_file = ", "address = \"env:NOBODY_HAS_IT\"", "the environment has no variable NOBODY_HAS_IT"),
    ("address_file = ", "address = \"env:BANK_EMPTY\"", "the variable BANK_EMPTY is not one line of text"),
    ("address_file = ", "address = \"env:a b\"", "behind env: stands the name of a variable"),
    ("address_file = ", "address_file = \"interface.pem\"", "expected one line of text"),
    ("address_file = ", "", "[database]: it says nothing"),
    (
        "address_file = ",
        "address_file = \"sealing.key\"",
        "the address of the database is none of PostgreSQL, such as",
    ),
    ("address_file = ", "address = \"env:BANK_MYSQL\"", "the address of the database is none of PostgreSQL"),
    ("address_file = ", "address = \"env:BANK_OPTION\"", "the address of the database is none of PostgreSQL"),
    ("address_file = ", "sqlite_file = \".\"", "this is a folder; a file is expected"),
    ("address_file = ", "sqlite_file = \"nowhere/vestibule.db\"", "/nowhere; make it first"),
    ("address_file = ", "sqlite_file = \"interface.pem\"", "this is no SQLite database"),
    ("#spool_folder = ", "spool_folder = \"interface.pem\"", "this is no folder"),
    ("#spool_folder = ", "spool_folder = \"interface.pem/x\"", "interface.pem is no folder"),
    (
        "#[trusted_lists]",
        "[trusted_lists]\nsigner_files = [\"list-signers.pem\"]\nfolder = \"interface.pem\"",
        "interface.pem is no folder",
    ),
    ("#[register]", "[register]\nfile = \"interface.pem\"", "this is no register in the form of"),
    // What may be a secret is not repeated.
    (
        "address_file = ",
        "address_file = \"postgres://user:swordfish@host/name\"",
        "is not a path of a file or folder; a secret stands in a file of its own",
    ),
    (
        "address_file = ",
        "sqlite_file = \"postgres://swordfish@host/name\"",
        "is not a path of a file or folder",
    ),
    ("address_file = ", "address_file = \"swordfish\"", "names none that can be read: No such file"),
    (
        "#[sealing]",
        "[sealing]\nkey_file = \"U3dvcmRmaXNoU3dvcmRmaXNoU3dvcmRmaXNoU3dvcmQ=\"",
        "[sealing] key: what stands here, which is not repeated since it may hold a secret, is not a path",
    ),
    ("key_file = ", "key_file = \"-----BEGIN PRIVATE KEY-----\\nMIIE\"", "is not a path of a file or folder"),
    ("key_file = ", "key_file = \"MIIEvQIBADANBgkqhkiG9w0BAQ\"", "names none that can be read"),
    (
        "url = \"https://core",
        "url = \"https://user:swordfish@core.example.com\"",
        "a secret, is not https:// with",
    ),
    (
        "#[traces]",
        "[traces]\nendpoint = \"https://user:swordfish@c/v1\"",
        "a secret, is not http:// or https://",
    ),
    (
        "#[traces]",
        "[traces]\nendpoint = \"https://c/v1?token=swordfish\"",
        "a secret, is not http:// or https://",
    ),
    (
        "[log]",
        "[log]\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC = 5",
        "[log] has no such key; its keys are",
    ),
    ("#sqlite_file = ", "sqlite_file = \"x.db\"", "a bank has one database"),
    ("#[sealing]", "[sealing]", "[sealing] key_file is missing: a path of a file with 32 octets in base64"),
    (
        "#[sealing]",
        "[sealing]\nkey_file = \"database.address\"",
        "[sealing] key: a key for sealing is 32 octets in base64, 44 letters, such as `openssl rand -base64 32` makes",
    ),
    (
        "#[sealing]",
        "[sealing]\nkey = \"U3dvcmRmaXNoU3dvcmRmaXNoU3dvcmRmaXNoU3dvcmQ=\"",
        "a secret does not stand in this file",
    ),
    (
        "#[sealing]",
        "[sealing]\nkey_file = \"sealing.key\"\nother_key_file = \"sealing.key\"",
        "it is the same key as key; leave it out, or name the other one",
    ),
    ("#[limits]", "[limits]\ncalls = 0", "[limits] calls: expected a number from 1 to 10000"),
    ("#[limits]", "[limits]\nwithin = \"0s\"", "nothing can be done in no time"),
    ("#[limits]", "[limits]\nwithin = \"500ms\"", "callers are told it in seconds; write whole ones"),
    (
        "#[limits]",
        "[limits]\nburst = 5",
        "[limits] has no key \"burst\"; its keys are calls, within, calls_at_once",
    ),
    ("#[traces]", "[traces]", "[traces] endpoint is missing: http:// or https:// with a host and a path"),
    ("#[traces]", "[traces]\nendpoint = \"grpc://collector:4317\"", "is not http:// or https:// with a host"),
    (
        "#[traces]",
        "[traces]\nendpoint = \"http://c/v1/traces\"\npercent = 101",
        "a whole number from 1 to 100",
    ),
    ("url = \"https://core", "", "[core_bank] url is missing: https:// with a host"),
    ("#connect_within = ", "connect_within = \"0s\"", "nothing can be done in no time"),
    (
        "#answer_within = ",
        "answer_within = \"2h\"",
        "is not a time of at most an hour, such as 500ms, 5s or 2m",
    ),
    ("#answer_within = ", "answer_within = 5", "expected a time of at most an hour"),
    ("trust_files = ", "trust_files = []", "the core bank cannot be told from others"),
    ("#drain = ", "drain = \"-1s\"", "is not a time of at most an hour"),
    ("#logo_file = ", "logo_file = \"interface.pem\"", "interface.pem: this is neither SVG nor PNG"),
    ("#logo_file = ", "logo_file = \"none.svg\"", "none.svg: No such file"),
    ("#logo_says_name = ", "logo_says_name = true", "there is no logo_file"),
    ("#accent = ", "accent = \"teal\"", "\"teal\" is not a colour as #rrggbb"),
    (
        "#accent = ",
        "accent = \"#ffd400\"",
        "links and buttons of the colour #ffd400 on #fdfcfa have a contrast of 1.3 to 1, and 4.5 to 1 is what can be read; take a darker",
    ),
    (
        "#accent_dark = ",
        "accent_dark = \"#1d5c63\"",
        "[looks] accent_dark: links and buttons of the colour #1d5c63 on #14191c",
    ),
    ("#background = ", "background = \"#808080\"", "take a lighter colour"),
    ("#background_dark = ", "background_dark = \"#808080\"", "take a darker colour"),
    ("#languages = ", "languages = []", "pages speak a language at least, such as [\"en\"]"),
    ("#languages = ", "languages = [\"nl\", \"nl\"]", "[texts] languages: a language is named twice"),
    ("#languages = ", "languages = [\"pl\"]", "\"pl\" is not one of en, nl, fr, de"),
    (
        "#languages = ",
        "languages = [\"en\"]\nhelp = { en = \"x\", nl = \"x\" }",
        "[texts] help: nl is not offered",
    ),
    ("#help = ", "help = \"\"", "is not a line of 1 to 200 characters without control characters"),
    ("#help = ", "help = \"one\\ntwo\"", "is not a line of 1 to 200 characters without control characters"),
    (
        "#help = ",
        "help = { en = \"x\", nl = \"x\" }",
        "[texts] help: fr, de is missing: write one for each language",
    ),
    ("#help = ", "help = { en = \"x\", pl = \"x\" }", "\"pl\" is not one of en, nl, fr, de"),
    ("#contact_url = ", "contact_url = \"http://www.bank.example.com\"", "is not https:// with a host"),
    ("#contact_url = ", "contact_url = \"javascript:alert(1)\"", "is not https:// with a host"),
    ("#privacy_url = ", "privacy_url = { en = \"https://user@www.bank.example.com\" }", "and without a user"),
    (
        "#privacy_url = ",
        "imprint_url = \"https://x\"",
        "[texts] has no key \"imprint_url\"; its keys are languages, help,",
    ),
    ("#format = ", "format = \"xml\"", "is not one of \"text\", \"json\""),
    ("[log]", "[logs]", "there is no section \"logs\"; the sections are bank, interface, pages,"),
    ("[log]", "[bank2]", "there is no section \"bank2\""),
    ("[bank]", "port = 5\n[bank]", "there is no key outside of a section \"port\""),
    ("own_numbers = ", "own_numbers = [\"nltrio\"]", "is not a country and a bank code, such as NLTRIO"),
    ("own_numbers = ", "own_numbers = [\"NL69VSTB\"]", "\"NL69VSTB\" is not a country and a bank code"),
    ("own_numbers = ", "own_numbers = [\"NLBUN\"]", "without the check digits, and whole"),
    ("own_numbers = ", "own_numbers = [\"XXBUNQ\"]", "\"XXBUNQ\" is not a country and a bank code"),
    (
        "own_numbers = ",
        "own_numbers = [\"NLBUNQ\", \"DEBUNQ\"]",
        "\"DEBUNQ\" is not a country and a bank code",
    ),
    ("#calls_at_once = ", "calls_at_once = 0", "expected a number from 1 to 10000"),
    ("#calls_at_once = ", "calls_at_once = \"64\"", "expected a number from 1 to 10000, without"),
    ("[log]", "[bank]", "this is no TOML: duplicate key"),
    ("[log]", "[log", "this is no TOML:"),
];

#[test]
fn each_mistake_is_told_with_its_line() {
    let files = Files::new();
    let right = example();
    for (place, wrong, said) in REFUSALS {
        let line = line_of(&right, place);
        let mut lines: Vec<_> = right.lines().collect();
        lines[line - 1] = wrong;
        let (code, told) = files.check(&lines.join("\n"));
        assert_eq!(code, 1, "{wrong}: {told}");
        let found = told.lines().find(|told| told.contains(said));
        let found = found.unwrap_or_else(|| panic!("{wrong}: {said:?} is not in {told}"));
        // What is missing is told at its section, and a section that is missing at none.
        let number = found.split(": ").next().unwrap().parse::<usize>().ok();
        let is_at_its_line =
            number.is_some_and(|number| (line..line + wrong.lines().count().max(1)).contains(&number));
        let is_about_others =
            wrong.is_empty() || said.contains("not for") || said.contains("another section");
        assert!(is_at_its_line || is_about_others, "{wrong}: line {line} expected: {told}");
        assert!(
            !told.contains("swordfish") && !told.contains("MIIE") && !told.contains("U3dvcm"),
            "{wrong}: {told}"
        );
        // One mistake is one message, where nothing follows from it.
        assert!(told.lines().count() <= 2, "{wrong}: {told}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = example()
        .replace("name = \"Example Bank\"", "nmae = \"Example Bank\"")
        .replace("url = \"https://core", "url = \"ftp://core")
        .replace("key_file = \"pages.key\"", "key_file = \"interface.key\"");
    let (code, said) = Files::new().check(&text);
    assert_eq!(code, 1);
    let lines: Vec<_> = said.lines().map(|line| line.split(": ").next().unwrap().to_owned()).collect();
    let expected = ["[bank]", "nmae", "key_file = \"interface.key\"", "url = \"ftp"];
    let mut expected: Vec<_> = expected.iter().map(|beginning| line_of(&text, beginning)).collect();
    // The second one with this key is that of the pages.
    expected[2] = text
        .lines()
        .enumerate()
        .filter(|(_, line)| *line == "key_file = \"interface.key\"")
        .nth(1)
        .unwrap()
        .0
        + 1;
    assert_eq!(lines, expected.iter().map(ToString::to_string).collect::<Vec<_>>(), "{said}");
}

#[test]
fn a_file_that_is_none_is_refused() {
    let (_guard, folder) = free_folder();
    let missing = folder.join("none.toml");
    let (code, _, error) = vestibule(&["config", "check", missing.to_str().unwrap()]);
    assert!(code == 1 && error.contains("none.toml: No such file"), "{error}");
    fs::write(&missing, [0xff, 0xfe]).unwrap();
    let (code, _, error) = vestibule(&["config", "check", missing.to_str().unwrap()]);
    assert!(code == 1 && error.contains("this is no text in UTF-8"), "{error}");
    fs::write(&missing, "").unwrap();
    let (code, _, error) = vestibule(&["config", "check", missing.to_str().unwrap()]);
    assert!(
        code == 1 && error.contains("[bank] name is missing: a text, such as name = \"Example Bank\""),
        "{error}"
    );
}

#[test]
fn secrets_come_from_the_environment_too() {
    let text = example().replace("address_file = \"database.address\"", "address = \"env:BANK_DATABASE\"");
    assert_eq!(Files::new().check(&text).0, 0);
}

#[test]
fn the_reference_page_is_that_of_the_program() {
    let (code, text, _) = vestibule(&["config", "reference"]);
    assert_eq!(code, 0);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let kept = fs::read_to_string(page).unwrap();
    assert!(kept == text, "write it anew: vestibule config reference > docs/configuration.md");
}

/// A file that is no configuration may be any: that of a key, for one.
#[test]
fn a_file_that_is_something_else_is_told_without_its_content() {
    let files = Files::new();
    fs::write(files.path("passwords.env"), "PASSWORD=swordfish\nswordfish\n").unwrap();
    for name in ["sealing.key", "interface.key", "database.address", "passwords.env"] {
        let file = files.path(name);
        let content = fs::read_to_string(&file).unwrap();
        let file = file.to_str().unwrap();
        for arguments in [&["config", "check", file][..], &["keys", "seal", "--config", file]] {
            let (code, out, error) = vestibule(arguments);
            assert!(
                code == 1 && out.is_empty() && error.contains("this is no TOML"),
                "{arguments:?}: {error}"
            );
            let words = content.split(['\n', '=']).filter(|word| word.len() > 3);
            assert!(words.clone().count() > 0);
            words.for_each(|word| assert!(!error.contains(word), "{arguments:?}: {word}: {error}"));
        }
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    for arguments in [
        &["config", "example"][..],
        &["config", "reference"],
        &["admin", "description"],
        &["--help"],
        &["--version"],
        &["certificate", "--help"],
    ] {
        let (code, error) = on_a_full_disk(testkit::command(BINARY).args(arguments));
        let is_told = error
            .starts_with("error: standard output cannot be written, and what it has is not all: No space");
        assert!(code == 1 && is_told && error.lines().count() == 1, "{arguments:?}: {code} {error}");
        // Whoever reads no further got what they wanted.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = testkit::command(BINARY).args(arguments).stdout(writer).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}
