//! Certificates of other authorities: names in every script and type of string, statements that are broken, extensions
//! that are critical, keys in their place.

use rcgen::string::{BmpString, UniversalString};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue};
use serde_json::json;
use testkit::{Request, Signer, TestCa, TestServer};
use vestibule::profiles::Strictness;

use crate::ID;
use crate::refusals::{Row, check};

/// Tags, and identifiers with theirs.
const SEQUENCE: u8 = 0x30;
const UTF8: u8 = 0x0c;
const PSD2: &[u8] = &[6, 6, 4, 0, 0x81, 0x98, 0x27, 2];
const PSP_AI: &[u8] = &[6, 7, 4, 0, 0x81, 0x98, 0x27, 1, 3];
const COMPLIANCE: &[u8] = &[6, 6, 4, 0, 0x8e, 0x46, 1, 1];
const QC_TYPE: &[u8] = &[6, 6, 4, 0, 0x8e, 0x46, 1, 6];
const ESEAL: &[u8] = &[6, 7, 4, 0, 0x8e, 0x46, 1, 6, 2];

/// DER of a value, its length in the shortest form.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header: &[u8] = match (high, low) {
        (0, 0..=127) => &[tag, low],
        (0, _) => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [header, &content].concat()
}

fn role() -> Vec<u8> {
    tlv(SEQUENCE, &[PSP_AI, &tlv(UTF8, &[b"PSP_AI"])])
}

/// Statements of a seal with this content of the PSD2 statement.
fn statements(psd2: &[u8]) -> CustomExtension {
    let seal = tlv(SEQUENCE, &[QC_TYPE, &tlv(SEQUENCE, &[ESEAL])]);
    let psd2 = tlv(SEQUENCE, &[PSD2, psd2]);
    let content = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[COMPLIANCE]), &psd2, &seal]);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 3], content)
}

fn good_statements() -> CustomExtension {
    statements(&tlv(
        SEQUENCE,
        &[&tlv(SEQUENCE, &[&role()]), &tlv(UTF8, &[b"Bank"]), &tlv(UTF8, &[b"NL-DNB"])],
    ))
}

fn seal(ca: &TestCa, change: impl FnOnce(&mut CertificateParams)) -> Signer {
    ca.issue(&TestCa::subject(ID), &[], |params| {
        params.custom_extensions = vec![good_statements()];
        change(params);
    })
}

async fn server_that_trusts(cas: &[&TestCa], strictness: Strictness) -> TestServer {
    let (_guard, folder) = testkit::free_folder();
    let pem: String = cas.iter().map(|ca| ca.pem()).collect();
    std::fs::write(folder.join("ca.pem"), pem).unwrap();
    TestServer::with(|config| {
        config.strictness = strictness;
        config.trusted_authorities.push(folder.join("ca.pem"));
    })
    .await
}

#[tokio::test]
async fn issuers_of_every_name_are_named_in_a_way_that_is_taken() {
    let utf8 = |text: &str| DnValue::Utf8String(text.to_owned());
    let names = [
        ("Greek", utf8("Αθήνα Trust")),
        ("quotes and signs", utf8("Ünïcode, \"quoted\" & Söhne = +1; 100% <x> #\\")),
        ("BMPString", DnValue::BmpString(BmpString::try_from("Αθήνα 銀行").unwrap())),
        ("UniversalString", DnValue::UniversalString(UniversalString::try_from("Ωmega").unwrap())),
        ("hidden", utf8("evil\u{202e}txt\u{200b}\n")),
        ("percent", utf8("50%20Trust")),
    ];
    let made: Vec<_> = names
        .into_iter()
        .map(|(what, value)| {
            let mut name = DistinguishedName::new();
            name.push(DnType::CountryName, "GR");
            name.push(DnType::OrganizationName, value);
            name.push(DnType::CommonName, format!("{what} CA"));
            let ca = TestCa::named(name);
            let signer = seal(&ca, |_| {});
            (what, ca, signer)
        })
        .collect();
    let cas: Vec<_> = made.iter().map(|(_, ca, _)| ca).collect();
    let server = server_that_trusts(&cas, Strictness::Strict).await;
    for (what, _, signer) in made {
        let answer = server.send(&Request::onboarding("nl").signed(&signer)).await;
        assert_eq!(answer.status, 200, "{what}: {}: {}", signer.key_id, answer.body);
        let mut signer = Signer { key_id: "SN=1,CA=CN=x".to_owned(), ..signer };
        let refused = server.send(&Request::onboarding("nl").signed(&signer)).await.error().1;
        let hint = refused.split_once("expected keyId=\"").unwrap().1;
        hint.rsplit_once('"').unwrap().0.clone_into(&mut signer.key_id);
        let answer = server.send(&Request::onboarding("nl").signed(&signer)).await;
        assert_eq!(answer.status, 200, "{what}: {refused}");
        assert!(!refused.contains(['\u{202e}', '\u{200b}', '\n']), "{what}: {refused}");
    }
}

#[tokio::test]
async fn critical_statements_of_a_trusted_authority_are_taken() {
    let ca = TestCa::new("Test Trust (TEST)");
    let critical = |ca: &TestCa| {
        seal(ca, |params| params.custom_extensions.iter_mut().for_each(|e| e.set_criticality(true)))
    };
    let unknown = |ca: &TestCa| {
        seal(ca, |params| {
            let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
            extension.set_criticality(true);
            params.custom_extensions.push(extension);
        })
    };
    let (known, stranger) = (critical(&ca), TestCa::new("Nobody (TEST)"));
    let impostor = critical(&TestCa::new("Test Trust (TEST)"));
    for strictness in [Strictness::Lenient, Strictness::Strict] {
        let server = server_that_trusts(&[&ca], strictness).await;
        let answer = server.send(&Request::onboarding("nl").signed(&known)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let signed = |signer: &Signer| Request::onboarding("nl").signed(signer);
        let (code, other) = ("CERTIFICATE_INVALID", "issued by another sandbox or authority: \"CN=Test CA");
        let rows: Vec<Row> = vec![
            ("from a stranger", signed(&critical(&stranger)), 401, code, other),
            ("from one of the same name", signed(&impostor), 401, code, other),
            ("unknown extension", signed(&unknown(&ca)), 401, code, "its extension 1.2.3.4 is critical"),
            ("unknown extension from a stranger", signed(&unknown(&stranger)), 401, code, other),
        ];
        check(&server, rows).await;
    }
}

#[tokio::test]
async fn what_is_said_about_policies_may_be_critical_and_what_nobody_needs_may_be_broken() {
    // Content of certificatePolicies: QCP-l.
    let policy = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[&[6, 7, 4, 0, 0x8b, 0xec, 0x40, 1, 1]])]);
    let extension = |arcs: &[u64], content: &[u8], critical: bool| {
        let mut extension = CustomExtension::from_oid_content(arcs, content.to_vec());
        extension.set_criticality(critical);
        extension
    };
    let policies = extension(&[2, 5, 29, 32], &policy, true);
    let broken = extension(&[1, 3, 6, 1, 4, 1, 11_129, 2, 4, 2], &[0x30, 0x80], false);
    let root = TestCa::new("Test Trust (TEST)");
    let server = server_that_trusts(&[&root], Strictness::Lenient).await;
    for (what, more) in [("critical policies", policies), ("a broken list of timestamps", broken)] {
        let signer = seal(&root, |params| params.custom_extensions.push(more));
        let answer = server.send(&Request::onboarding("nl").signed(&signer)).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
    }
}

#[tokio::test]
async fn keys_of_p521_authenticate_connections_and_sign() {
    let server = TestServer::start().await;
    let make = async |profile: &str| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let wish =
            json!({"organizationIdentifier": ID, "profile": profile, "publicKey": key.public_key_pem()});
        let (status, made) = server.manage("POST", "/test-certificates", wish).await;
        assert_eq!(status, 201, "{made}");
        let chain = made["chain"].as_array().unwrap().iter().map(|pem| pem.as_str().unwrap().to_owned());
        let chain = chain.collect();
        let certificate = made["certificate"].as_str().unwrap();
        Signer::from_pem(certificate, &key.serialize_pem(), None).with_chain(chain)
    };
    let (seal, qwac) = (make("qseal").await, make("qwac").await);
    for signer in [&seal, &qwac] {
        assert_eq!(eidas::describe(&signer.certificate).public_key, "EC P-521");
    }
    let client = server.presenting(&qwac);
    let answer = Request::onboarding("nl").signed(&seal).send(&client, server.tls_url()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let other = Request::onboarding("nl").signed(&seal).set("x-request-id", "other");
    let refused = other.send(&client, server.tls_url()).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (401, "SIGNATURE_INVALID"), "{}", refused.body);
}

#[tokio::test]
async fn a_broken_psd2_statement_is_named() {
    let ca = TestCa::new("Test Trust (TEST)");
    let (name, id) = (tlv(UTF8, &[b"De Nederlandsche Bank"]), tlv(UTF8, &[b"NL-DNB"]));
    let roles = tlv(SEQUENCE, &[&role()]);
    let broken = |content: Vec<u8>| {
        let signer = seal(&ca, |params| params.custom_extensions = vec![statements(&content)]);
        Request::onboarding("nl").signed(&signer)
    };
    let flat = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[PSP_AI, &tlv(UTF8, &[b"PSP_AI"]), PSP_AI])]);
    let misnamed = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[PSP_AI, &tlv(UTF8, &[b"PSP_PI"])])]);
    let twice = seal(&ca, |params| {
        let one = tlv(SEQUENCE, &[PSD2, &tlv(SEQUENCE, &[&roles, &name, &id])]);
        let content = tlv(SEQUENCE, &[&one, &one]);
        let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 3], content);
        params.custom_extensions = vec![extension];
    });
    let garbage = seal(&ca, |params| {
        let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 3], vec![4, 1, 0]);
        params.custom_extensions = vec![extension];
    });
    let code = "CERTIFICATE_INVALID";
    let rows: Vec<Row> = vec![
        (
            "flat",
            broken(tlv(SEQUENCE, &[&flat, &name, &id])),
            401,
            code,
            "role 1 of rolesOfPSP is a SEQUENCE of 3",
        ),
        (
            "Latin-1",
            broken(tlv(SEQUENCE, &[&roles, &tlv(UTF8, &[b"\xd6sterreich"]), &id])),
            401,
            code,
            "nCAName is not UTF-8",
        ),
        (
            "no roles",
            broken(tlv(SEQUENCE, &[&tlv(SEQUENCE, &[]), &name, &id])),
            401,
            code,
            "rolesOfPSP is empty",
        ),
        ("misnamed", broken(tlv(SEQUENCE, &[&misnamed, &name, &id])), 401, code, "must be named PSP_AI"),
        ("order", broken(tlv(SEQUENCE, &[&name, &id, &roles])), 401, code, "rolesOfPSP is a UTF8String"),
        (
            "no name",
            broken(tlv(SEQUENCE, &[&roles, &tlv(UTF8, &[]), &id])),
            401,
            code,
            "nCAName has 0 characters",
        ),
        ("text", broken(tlv(UTF8, &[b"x"])), 401, code, "the PSD2 statement: its content is a UTF8String"),
        ("twice", Request::onboarding("nl").signed(&twice), 401, code, "occurs more than once"),
        (
            "garbage",
            Request::onboarding("nl").signed(&garbage),
            401,
            code,
            "not a DER sequence of statements",
        ),
    ];
    for strictness in [Strictness::Lenient, Strictness::Strict] {
        check(&server_that_trusts(&[&ca], strictness).await, rows.clone()).await;
    }
    // What is wrong with another statement does not touch the roles.
    let server = server_that_trusts(&[&ca], Strictness::Lenient).await;
    let other = seal(&ca, |params| {
        let psd2 = tlv(SEQUENCE, &[PSD2, &tlv(SEQUENCE, &[&roles, &name, &id])]);
        let content = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[QC_TYPE, &tlv(UTF8, &[b"web"])]), &psd2]);
        let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 3], content);
        params.custom_extensions = vec![extension];
    });
    let answer = server.send(&Request::onboarding("nl").signed(&other)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_header_reads_pem_in_every_dress_and_names_a_key() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let with = |value: String| {
        let request = Request::onboarding("nl").set("tpp-signature-certificate", value);
        request.digest().sign(&tpp, "digest x-request-id")
    };
    let pem = eidas::certificate::to_pem(&tpp.certificate.der);
    let line = |text: &str| text.replace('\n', " ");
    for value in [
        line(&format!("Bag Attributes friendlyName: x {pem}")),
        line(&format!("   {pem}   and text behind it")),
        pem.replace('\n', "%0D%0A"),
        pem.replace('\n', ""),
    ] {
        let answer = server.send(&with(value.clone())).await;
        assert_eq!(answer.status, 200, "{value}: {}", answer.body);
    }
    let code = "CERTIFICATE_INVALID";
    let key = line(&tpp.key_pem);
    let bare: String = tpp.key_pem.lines().filter(|line| !line.starts_with('-')).collect();
    let rows: Vec<Row> = vec![
        ("key", with(key.clone()), 401, code, "private key, which must never be sent to anyone"),
        (
            "certificate and key",
            with(format!("{} {key}", line(&pem))),
            401,
            code,
            "private key, which must never",
        ),
        ("base64 of a key", with(bare.clone()), 401, code, "private key, which must never be sent to anyone"),
    ];
    check(&server, rows.clone()).await;
    for (name, request, ..) in rows {
        let body = server.send(&request).await.body;
        assert!(!body.contains(&bare[..12]) && !body.contains(&bare[40..60]), "{name}: {body}");
    }
}
