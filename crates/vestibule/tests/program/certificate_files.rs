//! `vestibule certificate inspect` and `check` of files in every form and order.

use testkit::{Program, free_folder, openssl};

use crate::certificate_command::json;
use crate::{BINARY, vestibule};

#[test]
fn every_form_of_a_file_is_read() {
    let (_guard, folder) = free_folder();
    let out = folder.to_str().unwrap();
    let (code, _, error) =
        vestibule(&["certificate", "new", "--ca", out, "--out", out, "--profile", "qseal"]);
    assert_eq!(code, 0, "{error}");
    let pem = std::fs::read_to_string(folder.join("certificate.pem")).unwrap();
    let der = eidas::certificate::chain_from_pem(&pem).unwrap().remove(0);
    let chain = pem.clone() + &std::fs::read_to_string(folder.join("ca.pem")).unwrap();
    let fingerprint = eidas::Certificate::from_der(&der).unwrap().fingerprint_hex();
    for (name, content, issuers) in [
        ("pem", pem.clone().into_bytes(), 0),
        ("der", der.clone(), 0),
        ("header", eidas::header::to_header_value(&der).into_bytes(), 0),
        ("escaped", pem.replace('\n', "%0A").into_bytes(), 0),
        ("chain", chain.into_bytes(), 1),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, content).unwrap();
        let (code, text, error) = vestibule(&["certificate", "inspect", file.to_str().unwrap(), "--json"]);
        assert_eq!(code, 0, "{name}: {error}");
        assert_eq!(json(&text)["fingerprint"], fingerprint, "{name}");
        assert_eq!(json(&text)["chain"].as_array().unwrap().len(), issuers, "{name}");
    }
    let piped = format!("{BINARY} certificate inspect - < {out}/pem");
    assert!(testkit::run("sh", &["-c", &piped]).status.success());
    for (name, content, text) in [
        ("empty", &b""[..], "no certificate"),
        ("garbage", b"hello", "neither base64 of a DER certificate"),
        ("octets", &[0xff, 0xfe, 0x00], "not an X.509 certificate in DER"),
        ("half", &der[..200], "not an X.509 certificate in DER"),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, content).unwrap();
        let (code, _, error) = vestibule(&["certificate", "inspect", file.to_str().unwrap()]);
        assert!(code == 1 && error.contains(text), "{name}: {error}");
    }
    let (code, _, error) = vestibule(&["certificate", "inspect", "/nowhere"]);
    assert!(code == 1 && error.contains("/nowhere: No such file"), "{error}");
}

/// A seal made without a sandbox: its certificate, its key, and the authority's certificate.
fn offline_seal(folder: &std::path::Path) -> (String, String, String) {
    let out = folder.to_str().unwrap();
    let made = vestibule(&["certificate", "new", "--ca", out, "--out", out, "--profile", "qseal"]);
    assert_eq!(made.0, 0, "{}", made.2);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    (read("certificate.pem"), read("key.pem"), read("ca.pem"))
}

/// A third party takes over a seal that it has.
fn take_over(certificate: &str, key: &str, more: &[&str]) -> (i32, String, String) {
    let command = ["tpp", "certificate", "--profile", "qseal", "--bank", "http://127.0.0.1:1"];
    vestibule(&[&command[..], &["--certificate", certificate, "--key", key], more].concat())
}

#[test]
fn pem_is_read_in_every_dress() {
    let (_guard, folder) = free_folder();
    let (pem, key, ca) = offline_seal(&folder);
    let fingerprint = eidas::Certificate::from_pem(&pem).unwrap().fingerprint_hex();
    let utf_16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(pem.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let dressed = |pem: &str| -> Vec<(&str, Vec<u8>)> {
        vec![
            ("one line", pem.replace('\n', "").into_bytes()),
            ("CRLF", pem.replace('\n', "\r\n").into_bytes()),
            ("indented", pem.replace('\n', "\n\t ").into_bytes()),
            ("byte order mark", format!("\u{feff}{pem}").into_bytes()),
            (
                "attributes",
                format!("Bag Attributes\n    friendlyName: M\nsubject=CN = x\n{pem}").into_bytes(),
            ),
            ("Latin-1", [b"M\xfcller\n", pem.as_bytes()].concat()),
        ]
    };
    let file = |name: &str, octets: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, octets).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut forms = dressed(&pem);
    forms.push(("UTF-16", utf_16));
    forms.push(("root first", format!("{ca}{pem}").into_bytes()));
    forms.push(("with its key", format!("{key}{pem}").into_bytes()));
    for (what, octets) in &forms {
        let (code, text, error) = vestibule(&["certificate", "inspect", &file("c", octets), "--json"]);
        assert_eq!(code, 0, "{what}: {error}");
        assert_eq!(json(&text)["fingerprint"], fingerprint, "{what}");
    }
    let state = folder.join("state").to_str().unwrap().to_owned();
    for ((what, certificate), (_, key)) in forms.iter().zip(dressed(&key).iter().cycle()) {
        let (certificate, key) = (file("c", certificate), file("k", key));
        let (code, text, error) = take_over(&certificate, &key, &["--state", &state, "--json"]);
        assert_eq!(code, 0, "{what}: {error}");
        assert!(text.contains("organizationIdentifier"), "{what}: {text}");
    }
    for (what, octets) in dressed(&ca) {
        let program = Program::sandbox(BINARY, &["--ephemeral", "--trusted-ca", &file("ca", &octets)]);
        assert!(program.url("public").starts_with("http"), "{what}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row a refusal")]
fn what_is_no_certificate_or_key_is_named_and_never_repeated() {
    let (_guard, folder) = free_folder();
    let (pem, key, _) = offline_seal(&folder);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let convert = |name: &str, arguments: &[&str]| {
        openssl(&[arguments, &["-in", &path("key.pem"), "-out", &path(name)]].concat());
    };
    convert("encrypted.pem", &["pkey", "-aes256", "-passout", "pass:secret"]);
    convert("old.pem", &["rsa", "-traditional", "-aes256", "-passout", "pass:secret"]);
    convert("key.der", &["pkey", "-outform", "DER"]);
    convert("pkcs1.pem", &["rsa", "-traditional"]);
    openssl(&["req", "-new", "-key", &path("key.pem"), "-subj", "/CN=x", "-out", &path("csr.pem")]);
    openssl(&["x509", "-in", &path("certificate.pem"), "-outform", "DER", "-out", &path("certificate.der")]);
    let write = |name: &str, content: &str| std::fs::write(folder.join(name), content).unwrap();
    write("line.pem", &key.replace('\n', ""));
    write("broken.pem", &key.replace("-----END", "-----END OF"));
    write("dirty.pem", &key.replacen("MI", "M*", 1));
    let base64: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    write("bare.pem", &base64);
    let hidden = [&base64[..20], &base64[60..80], &base64[200..220]];
    let inspect = |name: &str| vestibule(&["certificate", "inspect", &path(name)]);
    let take = |certificate: &str, key: &str| {
        let (certificate, key, state) = (path(certificate), path(key), path("state"));
        take_over(&certificate, &key, &["--state", &state])
    };
    let trust = |name: &str| vestibule(&["sandbox", "--ephemeral", "--trusted-ca", &path(name)]);
    let key_text = |text: &str| vestibule(&["certificate", "inspect", text]);
    for (what, (code, text, error), expected) in [
        ("key", inspect("key.pem"), "it is a private key; expected a certificate"),
        ("key on one line", inspect("line.pem"), "it is a private key; expected a certificate"),
        ("broken key", inspect("broken.pem"), "the line -----END PRIVATE KEY----- is missing"),
        ("encrypted key", inspect("encrypted.pem"), "it is an encrypted private key; expected a certificate"),
        ("key in DER", inspect("key.der"), "it is a private key; expected an X.509 certificate"),
        ("bare key", inspect("bare.pem"), "it is a private key; expected an X.509 certificate"),
        ("request", inspect("csr.pem"), "it is a certificate request (CSR); expected a certificate"),
        ("the key itself", key_text(&key), "a file's name is expected on the command line"),
        (
            "the key itself on one line",
            key_text(&key.replace('\n', "")),
            "a file's name is expected on the command line",
        ),
        (
            "swapped",
            take("key.pem", "certificate.pem"),
            "key.pem: it is a private key; expected a certificate",
        ),
        (
            "certificate as key",
            take("certificate.pem", "certificate.pem"),
            "it is a certificate; expected a private key",
        ),
        ("encrypted", take("certificate.pem", "encrypted.pem"), "openssl pkey -in FILE -out KEY.pem"),
        ("encrypted as of old", take("certificate.pem", "old.pem"), "it is an encrypted private key"),
        ("DER", take("certificate.pem", "key.der"), "it is a private key in DER; expected PEM"),
        ("DER certificate", take("certificate.der", "key.pem"), "it is a certificate in DER; expected PEM"),
        (
            "dirty",
            take("certificate.pem", "dirty.pem"),
            "what stands between BEGIN and END of a private key is not base64",
        ),
        ("bare", take("certificate.pem", "bare.pem"), "it is the base64 of a private key without the lines"),
        ("trusted key", trust("key.pem"), "key.pem: it is a private key; expected a certificate"),
        ("trusted DER", trust("certificate.der"), "it is a certificate in DER; expected PEM"),
        ("trusted line", trust("broken.pem"), "the line -----END PRIVATE KEY----- is missing"),
    ] {
        assert!(code != 0 && error.contains(expected), "{what}: {text}{error}");
        for part in hidden {
            assert!(!error.contains(part) && !text.contains(part), "{what}: {error}");
        }
    }
    let taken = take("certificate.pem", "pkcs1.pem");
    assert_eq!(taken.0, 0, "{}", taken.2);
    assert!(pem.contains("BEGIN CERTIFICATE"));
}

#[test]
fn a_missing_intermediate_is_named_and_looked_for_beside_the_file() {
    let program = Program::sandbox(BINARY, &["--ephemeral"]);
    let other = Program::sandbox(BINARY, &["--ephemeral"]);
    let (_guard, folder) = free_folder();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    for (program, name) in [(&program, "ca.pem"), (&other, "other.pem")] {
        let url = format!("{}/ca.pem", program.url("management"));
        assert!(testkit::run("curl", &["-sSf", "-o", &path(name), &url]).status.success());
    }
    for profile in ["qwac", "qseal", "test-client"] {
        let (management, out) = (program.url("management"), path(profile));
        let new = ["certificate", "new", "--management", &management, "--out", &out, "--profile", profile];
        let (code, _, error) = vestibule(&new);
        assert_eq!(code, 0, "{error}");
        let certificate = path(&format!("{profile}/certificate.pem"));
        let check = |file: &str, ca: &str| vestibule(&["certificate", "check", file, "--ca", &path(ca)]);
        let (code, text, error) = check(&certificate, "ca.pem");
        assert!(text.contains("trusted   path"), "{profile}: {text}{error}");
        assert_eq!(code == 0, profile != "test-client", "{text}");
        let alone = path(&format!("{profile}.pem"));
        std::fs::copy(&certificate, &alone).unwrap();
        let (code, text, _) = check(&alone, "ca.pem");
        let issuer =
            if profile == "test-client" { "CN=Xs2aTpp (TEST)" } else { "CN=Vestibule Issuing CA (TEST)" };
        assert!(code == 1 && text.contains(&format!("the certificate of its issuer \"{issuer}")), "{text}");
        assert!(text.contains("is missing: put the intermediate certificate behind this one"), "{text}");
        let (code, text, _) = check(&certificate, "other.pem");
        assert!(code == 1 && text.contains("it was issued by another sandbox or authority"), "{text}");
    }
}

#[test]
fn an_authority_in_any_dress_is_read_and_a_foreign_key_refused() {
    let (_guard, folder) = free_folder();
    let (_, _, ca) = offline_seal(&folder);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let key = std::fs::read_to_string(folder.join("ca.key.pem")).unwrap();
    let new = |name: &str, ca: &[u8], key: &[u8]| {
        let authority = folder.join(format!("ca-{name}"));
        std::fs::create_dir_all(&authority).unwrap();
        std::fs::write(authority.join("ca.pem"), ca).unwrap();
        std::fs::write(authority.join("ca.key.pem"), key).unwrap();
        let (authority, out) = (path(&format!("ca-{name}")), path(name));
        vestibule(&["certificate", "new", "--ca", &authority, "--out", &out, "--profile", "qseal"])
    };
    let utf_16 = |text: &str| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let latin_1 = |text: &str| [b"# M\xfcller\n", text.as_bytes()].concat();
    for (name, certificate, key) in
        [("utf-16", utf_16(&ca), utf_16(&key)), ("latin-1", latin_1(&ca), latin_1(&key))]
    {
        let (code, _, error) = new(name, &certificate, &key);
        assert_eq!(code, 0, "{name}: {error}");
        let made = path(&format!("{name}/certificate.pem"));
        let (_, text, error) = vestibule(&["certificate", "check", &made, "--ca", &path("ca.pem")]);
        assert!(text.contains("trusted   path"), "{name}: {text}{error}");
    }
    openssl(&["pkey", "-in", &path("ca.key.pem"), "-outform", "DER", "-out", &path("key.der")]);
    openssl(&["x509", "-in", &path("ca.pem"), "-outform", "DER", "-out", &path("ca.der")]);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let other = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    for (name, certificate, key, expected) in [
        ("der-key", ca.clone().into_bytes(), read("key.der"), "it is a private key in DER; expected PEM"),
        (
            "der-ca",
            read("ca.der"),
            key.clone().into_bytes(),
            "ca.pem: it is a certificate in DER; expected PEM",
        ),
        (
            "no-key",
            ca.clone().into_bytes(),
            ca.clone().into_bytes(),
            "it is a certificate; expected a private key",
        ),
        ("foreign", ca.clone().into_bytes(), other.clone().into(), "ca.key.pem: the key does not belong to"),
    ] {
        let (code, text, error) = new(name, &certificate, &key);
        assert!(code != 0 && error.contains(expected), "{name}: {text}{error}");
        assert!(!folder.join(name).join("certificate.pem").exists(), "{name}");
    }
}

#[test]
fn inspect_says_what_stands_in_the_place_of_a_kind() {
    let (_guard, folder) = free_folder();
    offline_seal(&folder);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    openssl(&["req", "-new", "-key", &path("key.pem"), "-subj", "/CN=x", "-out", &path("csr.pem")]);
    let qc_type = |kind: &str| format!("3013060604008e4601063009060704008e460106{kind}");
    let (web, seal, esign) = (qc_type("03"), qc_type("02"), qc_type("01"));
    for (statements, expected) in [
        (Some(format!("302a{web}{seal}")), "QcType names 2 types: web, eseal"),
        (Some(format!("3015{esign}")), "QcType is esign"),
        (Some("300c300a060604008e4601063000".to_owned()), "QcType names no type"),
        (Some("300c300a060604008e4601060c00".to_owned()), "QcType cannot be read"),
        (Some("0400".to_owned()), "qcStatements cannot be read"),
        (None, "QcType is absent"),
    ] {
        let statements = statements.map(|der| format!("1.3.6.1.5.5.7.1.3=DER:{der}\n")).unwrap_or_default();
        std::fs::write(folder.join("extensions"), format!("basicConstraints=CA:FALSE\n{statements}"))
            .unwrap();
        let (csr, key) = (path("csr.pem"), path("key.pem"));
        let (extensions, out) = (path("extensions"), path("made.pem"));
        openssl(&["x509", "-req", "-in", &csr, "-signkey", &key, "-extfile", &extensions, "-out", &out]);
        let (_, text, error) = vestibule(&["certificate", "inspect", &out]);
        assert!(text.contains(&format!("neither QWAC nor QSealC ({expected})")), "{expected}: {text}{error}");
    }
}

#[test]
fn an_unknown_issuer_comes_before_the_time() {
    let ((_guard, folder), (_other_guard, other)) = (free_folder(), free_folder());
    offline_seal(&folder);
    offline_seal(&other);
    let path = |folder: &std::path::Path, name: &str| folder.join(name).to_str().unwrap().to_owned();
    let certificate = path(&folder, "certificate.pem");
    for (ca, expected) in [
        (path(&folder, "ca.pem"), "a certificate on its path is outside its period of validity"),
        (path(&other, "ca.pem"), "it was issued by another sandbox or authority"),
    ] {
        let at = "2090-01-01T00:00:00Z";
        let (code, text, _) = vestibule(&["certificate", "check", &certificate, "--ca", &ca, "--at", at]);
        assert!(code == 1 && text.contains(expected), "{text}");
    }
}
