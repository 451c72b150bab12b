//! `vestibule config check` on sections that a gateway may do without: a provider, a register, trusted lists, staff.

use std::fs;

use testkit::TestCa;
use vestibule::configuration::Configuration;

use crate::configuration::{Files, example, line_of};
use crate::serve::{NO_CORE, write_configuration};

/// Lines of the section of a provider, the beginning of the one that the message names, and what it says; none if it is right.
const PROVIDERS: &[(&str, &str, &str)] = &[
    ("client_secret = \"env:BANK_DATABASE\"", "", ""),
    ("key_file = \"provider.key\"\nkey_id = \"1\"", "", ""),
    ("key_file = \"provider.key\"\ncertificate_file = \"provider.pem\"\nmax_age = \"0s\"", "", ""),
    (
        "",
        "[provider]",
        "it does not say how the gateway proves itself; name client_secret_file, or key_file, or",
    ),
    ("client_secret = \"swordfish\"", "client_secret", "a secret does not stand in this file"),
    (
        "client_secret_file = \"database.address\"\nkey_file = \"provider.key\"",
        "key_file",
        "there is client_secret too; the gateway proves itself in one way",
    ),
    (
        "client_secret_file = \"database.address\"\ncertificate_file = \"provider.pem\"",
        "certificate_file",
        "there is client_secret too",
    ),
    ("certificate_file = \"provider.pem\"", "certificate_file", "key_file is missing, its private key"),
    (
        "certificate_file = \"provider.pem\"\nkey_file = \"pages.key\"",
        "key_file",
        "this is not the key of certificate_file",
    ),
    (
        "client_secret_file = \"database.address\"\nkey_id = \"1\"",
        "key_id",
        "it names a key that signs assertions: key_file alone",
    ),
    ("key_file = \"ed25519.key\"", "key_file", "has to be RSA or P-256, as PKCS#8 in PEM"),
    ("key_file = \"provider.key\"\nscope = \"profile\"", "scope", "openid among them"),
    ("key_file = \"provider.key\"\nscope = \"openid  profile\"", "scope", "one space between them"),
    ("key_file = \"provider.key\"\nacr_values = [\"a b\"]", "acr_values", "without spaces"),
    ("key_file = \"provider.key\"\nacr_values = \"strong\"", "acr_values", "in square brackets"),
    ("key_file = \"provider.key\"\nmax_age = \"2h\"", "max_age", "is not a time of at most an hour"),
    ("key_file = \"provider.key\"\nsecret = \"x\"", "secret", "[provider] has no key \"secret\""),
    (
        "key_file = \"provider.key\"\nanswer_within = \"0s\"",
        "answer_within",
        "nothing can be done in no time",
    ),
    (
        "key_file = \"provider.key\"\ntrust_files = [\"provider.key\"]",
        "trust_files",
        "expected a certificate",
    ),
];

#[test]
fn a_provider_is_checked_with_its_line() {
    let files = Files::new();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    fs::write(files.path("ed25519.key"), key.serialize_pem()).unwrap();
    let beginning = example() + "\n[provider]\nclient_id = \"vestibule\"\n";
    let right = beginning.clone() + "issuer = \"https://login.bank.example.com/realms/customers\"\n";
    for (lines, place, said) in PROVIDERS {
        let text = right.clone() + lines;
        let (code, told) = files.check(&text);
        if said.is_empty() {
            assert_eq!((code, told.as_str()), (0, "FILE is right.\n"), "{lines}");
            continue;
        }
        let after = text.lines().position(|line| line == "[provider]").unwrap();
        let at = text.lines().skip(after).position(|line| line.starts_with(place)).unwrap();
        assert!(told.starts_with(&format!("{}: ", after + at + 1)) && told.contains(said), "{lines}: {told}");
        assert_eq!((code, told.lines().count()), (1, 1), "{lines}: {told}");
        assert!(!told.contains("swordfish") && !told.contains("MIIE"), "{lines}: {told}");
    }
    for issuer in
        ["http://login.example.com", "login.example.com", "https://a.example.com/?x", "https://u@a.example"]
    {
        let text = beginning.clone() + &format!("issuer = \"{issuer}\"\nkey_file = \"provider.key\"\n");
        let (code, told) = files.check(&text);
        assert!(code == 1 && told.contains("is not https:// with a host"), "{issuer}: {told}");
    }
    let text = beginning + "issuer = \"http://127.0.0.1:8080/realms/x\"\nkey_file = \"provider.key\"\n";
    assert_eq!(files.check(&text).0, 0, "on this machine no TLS is needed");
}

#[test]
fn a_register_is_a_file_or_a_service() {
    let files = Files::new();
    fs::write(files.path("empty.json"), "").unwrap();
    fs::write(files.path("nobody.json"), "[[{}], []]").unwrap();
    fs::write(files.path("wrong-list.txt"), "# whom we stopped\nDNB-1\n").unwrap();
    fs::write(files.path("remark.txt"), "# whom we stopped\n\nPSDNL-DNB-R654321 stopped by Jane\n").unwrap();
    let right = example();
    let url = "url = \"https://registers.example.com/psd2\"";
    let trusting = format!("{url}\ntrust_files = [\"core-authority.pem\"]");
    let with = |lines: &str| files.check(&right.replace("#[register]", &format!("[register]\n{lines}")));
    for lines in [
        "file = \"register.json\"",
        "stop_list_file = \"stop-list.txt\"",
        "url = \"http://127.0.0.1:8080/register\"",
        "url = \"http://localhost:8080\"",
        &format!("{trusting}\nauthorization_file = \"register.authorization\"\nunlisted = \"refuse\""),
    ] {
        let (code, told) = with(lines);
        assert_eq!(code, 0, "{lines}: {told}");
    }
    for (lines, said) in [
        ("", "[register]: it says nothing; name a register with file or url"),
        (url, "url: without an authority the service cannot be told from others"),
        (&format!("{trusting}\nfile = \"register.json\""), "there is file too; leave one of them out"),
        ("file = \"none.json\"", "none.json: No such file"),
        ("file = \"empty.json\"", "empty.json: this is no register in the form of"),
        ("file = \"nobody.json\"", "there is no institution in it that is authorised by itself"),
        ("file = \".\"", "this is a folder"),
        (
            "url = \"http://registers.example.com/psd2\"",
            "is not https:// with a host and a path, or http:// with",
        ),
        ("url = \"https://me:swordfish@registers.example.com\"", "is not https:// with a host and a path"),
        (
            "file = \"register.json\"\nauthorization_file = \"register.authorization\"",
            "it is for the service at url",
        ),
        ("file = \"register.json\"\nauthorization = \"Bearer x\"", "a secret does not stand in this file"),
        ("file = \"register.json\"\nunlisted = \"block\"", "\"block\" is not one of \"let_in\", \"refuse\""),
        ("stop_list_file = \"wrong-list.txt\"", "line 2 is neither an organizationIdentifier"),
        (
            "stop_list_file = \"remark.txt\"",
            "line 3 is more than an organizationIdentifier, or has small letters",
        ),
        ("file = \"register.json\"\nage = \"7d\"", "[register] has no key \"age\""),
    ] {
        let (code, told) = with(lines);
        let line = line_of(&right, "#[register]") + lines.lines().count();
        assert!(code == 1 && told.contains(said), "{lines}: {told}");
        // The mistake is in the last line, or in the address above.
        let number: usize = told.split(": ").next().unwrap().parse().unwrap_or_else(|_| panic!("{told}"));
        assert!((line - 2..=line).contains(&number) && told.lines().count() <= 2, "{lines}: {line} {told}");
    }
}

#[test]
fn trusted_lists_stand_in_for_anchors() {
    let files = Files::new();
    let right = example().replace("anchor_files = [\"anchors.pem\"]", "anchor_files = []");
    let with =
        |lines: &str| files.check(&right.replace("#[trusted_lists]", &format!("[trusted_lists]\n{lines}")));
    let signers = "signer_files = [\"list-signers.pem\"]";
    for lines in [
        signers,
        &format!("{signers}\ncountries = [\"NL\", \"EL\", \"UK\"]\nurl = \"http://127.0.0.1:8080/x\""),
    ] {
        let (code, told) = with(lines);
        assert_eq!(code, 0, "{lines}: {told}");
    }
    for (lines, said) in [
        ("", "[trusted_lists] signer_files is missing: a list, each a path of a PEM file"),
        ("signer_files = []", "nobody's signature of the list of lists is taken"),
        (
            &format!("{signers}\ncountries = [\"Greece\"]"),
            "is not a country of two capital letters, such as NL",
        ),
        (&format!("{signers}\ncountries = [\"GR\"]"), "trusted lists write \"EL\" for \"GR\"; write that"),
        (&format!("{signers}\ncountries = [\"NL\", \"GB\"]"), "trusted lists write \"UK\" for \"GB\""),
        (&format!("{signers}\ncountries = [\"XX\"]"), "\"XX\" is not a country of two capital letters"),
        (
            &format!("{signers}\nurl = \"http://lists.example.com/x\""),
            "is not https:// with a host and a path, or http://",
        ),
        (&format!("{signers}\nrefresh_every = \"0s\""), "nothing can be done in no time"),
    ] {
        let (code, told) = with(lines);
        let line = line_of(&right, "#[trusted_lists]") + lines.lines().count();
        assert!(
            code == 1 && told.contains(said) && told.contains(&format!("{line}: ")),
            "{lines}: {line} {told}"
        );
    }
}

/// Whoever has such an authority, as everybody who starts a sandbox has, can be any third party.
#[test]
fn authorities_for_tests_are_trusted_where_the_file_says_so_alone() {
    let files = Files::new();
    let right = example();
    let allowed = right.replacen("[trust]\n", "[trust]\ntest_authorities = true\n", 1);
    let line = line_of(&right, "anchor_files = ");
    for (organization, is_for_tests) in [
        ("Trust Services (TEST)", true),
        ("Sandbox Trust", true),
        ("ACME test-authority", true),
        ("Attesta Trust", false),
        ("Sandboxes and Contests", false),
    ] {
        fs::write(files.path("anchors.pem"), TestCa::new(organization).pem()).unwrap();
        let (code, told) = files.check(&right);
        if is_for_tests {
            assert!(code == 1 && told.starts_with(&format!("{line}: [trust] anchor_files: ")), "{told}");
            assert!(told.contains("is an authority for tests") && told.contains(organization), "{told}");
            assert!(told.contains("say test_authorities = true in [trust] where nothing is real"), "{told}");
        } else {
            assert_eq!((code, told.as_str()), (0, "FILE is right.\n"), "{organization}");
        }
        let (code, told) = files.check(&allowed);
        assert_eq!(code, 0, "{told}");
        assert_eq!(told.contains("whoever has it can be any third party here"), is_for_tests, "{told}");
    }
    // A gateway that runs takes up none either.
    fs::write(files.path("intermediates.pem"), files.ca.pem()).unwrap();
    fs::write(files.path("anchors.pem"), files.ca.pem()).unwrap();
    let path = write_configuration(&files, NO_CORE, "");
    let text = fs::read_to_string(&path).unwrap().replace("test_authorities = true\n", "");
    fs::write(&path, text).unwrap();
    let before = Configuration::read(&path, testkit::now()).unwrap();
    fs::write(files.path("anchors.pem"), TestCa::new("Trust Services (TEST)").pem()).unwrap();
    let problems = Configuration::read_again(&path, testkit::now(), &before).unwrap_err();
    assert!(problems.len() == 1 && problems[0].text.contains("is an authority for tests"), "{problems:?}");
    // Nor do such people sign the list of lists.
    fs::write(files.path("anchors.pem"), files.ca.pem()).unwrap();
    fs::write(files.path("list-signers.pem"), TestCa::new("Lists (TEST)").pem()).unwrap();
    let section = "[trusted_lists]\nsigner_files = [\"list-signers.pem\"]";
    for (text, good) in [(&right, false), (&allowed, true)] {
        let (code, told) = files.check(&text.replace("#[trusted_lists]", section));
        assert_eq!(code == 0, good, "{told}");
        assert!(told.contains("[trusted_lists] signer_files: ") && told.contains("for tests"), "{told}");
    }
}

#[test]
fn mistakes_about_staff_are_told_with_their_lines() {
    let files = Files::new();
    let right = example()
        + "[admin]\ncertificate_file = \"admin.pem\"\nkey_file = \"admin.key\"\n"
        + "trust_files = [\"staff-authority.pem\"]\noperators = [\"CN=Jane Doe, O=Example Bank\"]\n";
    assert_eq!(files.check(&right), (0, "FILE is right.\n".to_owned()));
    let (operators, trust) =
        ("operators = [\"CN=Jane Doe, O=Example Bank\"]", "trust_files = [\"staff-authority.pem\"]");
    for (place, wrong, said) in [
        (operators, "operators = []", "[admin] operators: nobody has a role"),
        (operators, "operators = [\"Jane Doe\"]", "\"Jane Doe\" is not a subject such as"),
        (operators, "operators = [\"sha256:00\"]", "\"sha256:00\" is not a subject such as"),
        (
            operators,
            "operator = []",
            "[admin] has no key \"operator\"; its keys are listen, certificate_file,",
        ),
        (trust, "trust_files = []", "nobody of the staff is let in"),
        ("key_file = \"admin.key\"", "key_file = \"pages.key\"", "this is not the key of certificate_file"),
    ] {
        let line = right.lines().position(|line| line == place).unwrap() + 1;
        let (code, told) = files.check(&right.replacen(&format!("\n{place}\n"), &format!("\n{wrong}\n"), 1));
        let is_told = told.lines().any(|told| told.starts_with(&format!("{line}: ")) && told.contains(said));
        assert!(code == 1 && is_told, "{wrong}: line {line} expected: {told}");
    }
}
