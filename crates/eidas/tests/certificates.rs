//! Certificates that others make: chains in any order, old strings, names that nobody can see, critical extensions.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

use eidas::certificate::{ordered_chain, to_pem};
use eidas::{Certificate, PathError, Severity, TrustStore, check, describe};
use jiff::Timestamp;
use rcgen::string::{BmpString, TeletexString};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, IsCa, Issuer,
    KeyPair,
};

type Authority = Issuer<'static, KeyPair>;

fn name(common_name: DnValue) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "NL");
    name.push(DnType::CommonName, common_name);
    name
}

fn text(text: &str) -> DnValue {
    DnValue::Utf8String(text.to_owned())
}

fn authority(common_name: &str, above: Option<&Authority>) -> (Authority, Vec<u8>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = name(text(common_name));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = match above {
        Some(above) => params.signed_by(&key, above).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    let der = certificate.der().to_vec();
    (Issuer::new(params, key), der)
}

fn leaf(issuer: &Authority, subject: DnValue, extensions: Vec<CustomExtension>) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(subject);
    params.is_ca = IsCa::ExplicitNoCa;
    params.custom_extensions = extensions;
    params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().der().to_vec()
}

fn at() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

#[test]
fn a_chain_is_put_in_order() {
    let (root, root_der) = authority("Root", None);
    let (middle, middle_der) = authority("Middle", Some(&root));
    let (_, other_der) = authority("Other", None);
    let leaf_der = leaf(&middle, text("leaf"), Vec::new());
    let all = [&leaf_der, &middle_der, &root_der];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let pem: String = order.iter().map(|at| to_pem(all[*at])).collect();
        let chain = ordered_chain(&pem).unwrap();
        let ders: Vec<_> = chain.iter().map(|one| &one.der).collect();
        assert_eq!(ders, all, "{order:?}");
    }
    let pem = [&middle_der, &leaf_der, &other_der, &leaf_der].map(|der| to_pem(der)).concat();
    let chain = ordered_chain(&pem).unwrap();
    assert_eq!(chain.iter().map(|one| &one.der).collect::<Vec<_>>(), [&leaf_der, &middle_der, &other_der]);
    assert_eq!(ordered_chain(to_pem(&root_der)).unwrap().len(), 1);
}

#[test]
fn old_strings_are_read_and_found() {
    let (root, _) = authority("Root", None);
    for (value, expected) in [
        (DnValue::BmpString(BmpString::try_from("Αθήνα").unwrap()), "Αθήνα"),
        (DnValue::TeletexString(TeletexString::try_from("Old School").unwrap()), "Old School"),
    ] {
        let certificate = Certificate::from_der(&leaf(&root, value, Vec::new())).unwrap();
        assert_eq!(certificate.subject.first(eidas::oid::COMMON_NAME), Some(expected));
        let finding =
            check(&certificate, None, at()).into_iter().find(|f| f.rule == "subject_strings").unwrap();
        assert_eq!((finding.severity, finding.clause), (Severity::Violation, "RFC 5280, 4.1.2.4"));
        assert!(finding.text.starts_with("CN of the subject is a TeletexString, BMPString"), "{finding}");
    }
    let new = Certificate::from_der(&leaf(&root, text("Αθήνα"), Vec::new())).unwrap();
    assert!(check(&new, None, at()).iter().all(|finding| finding.rule != "subject_strings"));
}

#[test]
fn descriptions_show_what_cannot_be_seen() {
    let (root, _) = authority("evil\u{202e}Root", None);
    let certificate =
        Certificate::from_der(&leaf(&root, text("a\u{200b}b\u{1b}[31m\n"), Vec::new())).unwrap();
    let described = describe(&certificate);
    assert_eq!(described.subject.text, r"CN=a\E2\80\8Bb\1B[31m\0A, C=NL");
    assert_eq!(described.subject.attributes[1].value, r"a\u{200b}b\u{001b}[31m\u{000a}");
    assert!(
        described.key_id.is_ascii() && described.key_id.contains(r"evil\E2\80\AERoot"),
        "{}",
        described.key_id
    );
}

#[test]
fn critical_extensions_are_understood_or_named() {
    let (root, root_der) = authority("Root", None);
    let (middle, middle_der) = authority("Middle", Some(&root));
    let (stranger, _) = authority("Stranger", None);
    let extension = |arcs: &[u64]| {
        let mut extension = CustomExtension::from_oid_content(arcs, vec![0x30, 0]);
        extension.set_criticality(true);
        extension
    };
    let (statements, unknown) = (extension(&[1, 3, 6, 1, 5, 5, 7, 1, 3]), extension(&[1, 2, 3]));
    let issue = |issuer: &Authority, extensions: &[&CustomExtension]| {
        let extensions = extensions.iter().map(|one| (*one).clone()).collect();
        Certificate::from_der(&leaf(issuer, text("leaf"), extensions)).unwrap()
    };
    let mut trust = TrustStore::default();
    trust.add_anchor(&root_der).unwrap();
    let verify = |trust: &TrustStore, certificate: &Certificate| trust.verify(certificate, &[], at(), &[]);
    assert_eq!(verify(&trust, &issue(&root, &[&statements])), Ok(()));
    assert_eq!(verify(&trust, &issue(&middle, &[&statements])), Err(PathError::UntrustedIssuer));
    trust.add_intermediate(&middle_der);
    assert_eq!(verify(&trust, &issue(&middle, &[&statements])), Ok(()));
    for issuer in [&root, &middle] {
        let text = verify(&trust, &issue(issuer, &[&statements, &unknown])).unwrap_err().to_string();
        assert_eq!(text, "its path is not valid: its extension 1.2.3 is critical and not understood here");
    }
    for extensions in [&[&statements][..], &[&unknown], &[&statements, &unknown]] {
        assert_eq!(verify(&trust, &issue(&stranger, extensions)), Err(PathError::UntrustedIssuer));
    }
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = name(text("Constrained"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.custom_extensions = vec![extension(&[1, 2, 4])];
    trust.add_intermediate(params.signed_by(&key, &root).unwrap().der());
    let text = verify(&trust, &issue(&Issuer::new(params, key), &[&statements])).unwrap_err().to_string();
    assert!(text.contains("extension 1.2.4 of its authority \"CN=Constrained, C=NL\""), "{text}");
    // The signature is the one over the certificate as it came: nothing else of it may differ.
    let good = issue(&root, &[&statements]);
    let at_name = good.der.windows(4).rposition(|four| four == b"leaf").unwrap();
    let mut forged = good.der.clone();
    forged[at_name] = b'L';
    let forged = Certificate::from_der(&forged).unwrap();
    assert_eq!(verify(&trust, &forged), Err(PathError::UntrustedIssuer));
    let critical = good.der.windows(3).rposition(|three| three == [1, 1, 0xff]).unwrap();
    assert!(critical > at_name);
}

/// What is said about policies: certificatePolicies, policyMappings, policyConstraints (with tags 0 and 1), inhibitAnyPolicy, each
/// critical where RFC 5280 allows or demands it.
fn about_policies(arc: u64, content: Vec<u8>) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, arc], content);
    extension.set_criticality(true);
    extension
}

const ONE: &[u8] = &[6, 3, 0x2a, 3, 1];
const OTHER: &[u8] = &[6, 3, 0x2a, 3, 2];
const ANY: &[u8] = &[6, 4, 0x55, 0x1d, 0x20, 0];

fn policies(all: &[&[u8]]) -> CustomExtension {
    let each: Vec<_> = all.iter().map(|policy| der_of(0x30, &[policy])).collect();
    about_policies(32, der_of(0x30, &each.iter().map(|one| &one[..]).collect::<Vec<_>>()))
}

fn requires_explicit(after: u8) -> CustomExtension {
    about_policies(36, der_of(0x30, &[&[0x80, 1, after]]))
}

fn maps(from: &[u8], to: &[u8]) -> CustomExtension {
    about_policies(33, der_of(0x30, &[&der_of(0x30, &[from, to])]))
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn policies_may_be_critical_and_are_kept_where_an_authority_demands_one() {
    let (root, root_der) = authority("Root", None);
    let between = |above: &Authority, called: &str, extensions: Vec<CustomExtension>| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = name(text(called));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.custom_extensions = extensions;
        let der = params.signed_by(&key, above).unwrap().der().to_vec();
        (Issuer::new(params, key), der)
    };
    let inhibits_any = || about_policies(54, vec![2, 1, 0]);
    let rows: Vec<(&str, Vec<CustomExtension>, Vec<CustomExtension>, bool)> = vec![
        ("nothing is demanded", vec![], vec![policies(&[ONE])], true),
        ("nor of a certificate without", vec![policies(&[ONE])], vec![], true),
        (
            "the one that is demanded",
            vec![requires_explicit(0), policies(&[ONE])],
            vec![policies(&[ONE])],
            true,
        ),
        ("one of two", vec![requires_explicit(0), policies(&[ONE, OTHER])], vec![policies(&[OTHER])], true),
        ("another one", vec![requires_explicit(0), policies(&[ONE])], vec![policies(&[OTHER])], false),
        ("none", vec![requires_explicit(0), policies(&[ONE])], vec![], false),
        ("none at the authority", vec![requires_explicit(0)], vec![policies(&[ONE])], false),
        ("none, one certificate later", vec![requires_explicit(1), policies(&[ONE])], vec![], false),
        ("none, later than that", vec![requires_explicit(2), policies(&[ONE])], vec![], true),
        ("any at the authority", vec![requires_explicit(0), policies(&[ANY])], vec![policies(&[ONE])], true),
        ("any at the end", vec![requires_explicit(0), policies(&[ONE])], vec![policies(&[ANY])], true),
        (
            "any that is inhibited",
            vec![requires_explicit(0), inhibits_any(), policies(&[ONE])],
            vec![policies(&[ANY])],
            false,
        ),
        (
            "mapped",
            vec![requires_explicit(0), maps(ONE, OTHER), policies(&[ONE])],
            vec![policies(&[OTHER])],
            true,
        ),
        (
            "mapped away",
            vec![requires_explicit(0), maps(ONE, OTHER), policies(&[ONE])],
            vec![policies(&[ONE])],
            false,
        ),
        ("mapped to any", vec![maps(ONE, ANY), policies(&[ONE])], vec![policies(&[ONE])], false),
        ("the end demands it of itself", vec![], vec![requires_explicit(0)], false),
        ("and has it", vec![policies(&[ONE])], vec![requires_explicit(0), policies(&[ONE])], true),
    ];
    for (number, (what, of_authority, of_leaf, is_good)) in rows.into_iter().enumerate() {
        let (issuer, der) = between(&root, &format!("Between {number}"), of_authority);
        let leaf = Certificate::from_der(&leaf(&issuer, text("leaf"), of_leaf)).unwrap();
        let mut trust = TrustStore::default();
        trust.add_anchor(&root_der).unwrap();
        // Known before, or sent along; what is above is told as it came.
        let sent = [der.clone().into()];
        let path = trust.path(&leaf, &sent, at(), &[]);
        if is_good {
            let above: Vec<_> = path.unwrap().iter().map(|one| one.to_vec()).collect();
            assert_eq!(above, [der.clone(), root_der.clone()], "{what}");
        } else {
            let said = path.unwrap_err().to_string();
            assert!(said.contains("demands a certificate policy (policyConstraints)"), "{what}: {said}");
        }
        trust.add_intermediate(&der);
        assert_eq!(trust.verify(&leaf, &[], at(), &[]).is_ok(), is_good, "{what}");
        // Whoever looks at the certificate alone finds what nobody takes, and says of the rest that profiles forbid it.
        let findings = check(&leaf, None, at());
        let found = |rule: &str| findings.iter().find(|finding| finding.rule == rule);
        assert!(found("critical_extension").is_none(), "{what}");
        let refused = found("policy_missing").map(|finding| finding.severity);
        assert_eq!(refused, what.starts_with("the end demands").then_some(Severity::Refusal), "{what}");
    }
}

#[test]
fn an_extension_that_nobody_needs_hides_nothing() {
    let (root, root_der) = authority("Root", None);
    let mut trust = TrustStore::default();
    trust.add_anchor(&root_der).unwrap();
    let with = |arcs: &[u64], critical: bool| {
        let mut extension = CustomExtension::from_oid_content(arcs, vec![0x30, 0x80]);
        extension.set_criticality(critical);
        Certificate::from_der(&leaf(&root, text("leaf"), vec![extension]))
    };
    for arcs in [&[1, 3, 6, 1, 4, 1, 11_129, 2, 4, 2][..], &[2, 5, 29, 18], &[2, 16, 840, 1, 113_730, 1, 13]]
    {
        let read = with(arcs, false).unwrap();
        let dotted = arcs.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        let finding = check(&read, None, at()).into_iter().find(|one| one.rule == "extension_unreadable");
        let finding = finding.unwrap_or_else(|| panic!("{dotted}"));
        assert_eq!(finding.severity, Severity::Violation);
        assert_eq!(finding.text, format!("its extension {dotted} cannot be read"));
        let described = describe(&read);
        assert_eq!(described.unreadable_extensions, [dotted]);
        assert_eq!(described.subject.text, "CN=leaf, C=NL");
        assert_eq!(trust.verify(&read, &[], at(), &[]), Ok(()));
    }
    for (arcs, critical, said) in [
        (&[2, 5, 29, 32][..], false, "its extension certificatePolicies (2.5.29.32) cannot be read"),
        (&[2, 5, 29, 31], false, "its extension cRLDistributionPoints (2.5.29.31) cannot be read"),
        (&[2, 5, 29, 36], true, "its extension policyConstraints (2.5.29.36) cannot be read"),
        (&[2, 5, 29, 18], true, "its extension 2.5.29.18 cannot be read"),
    ] {
        assert_eq!(with(arcs, critical).unwrap_err().to_string(), said);
    }
    let unknown = {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3], vec![5, 0]);
        extension.set_criticality(true);
        Certificate::from_der(&leaf(&root, text("leaf"), vec![extension])).unwrap()
    };
    let finding =
        check(&unknown, None, at()).into_iter().find(|one| one.rule == "critical_extension").unwrap();
    assert_eq!(finding.severity, Severity::Refusal);
    assert!(finding.text.contains("its extension 1.2.3 is critical"), "{finding}");
}

#[test]
fn an_unknown_issuer_is_named_before_the_time_and_the_algorithm() {
    let (root, root_der) = authority("Root", None);
    let (stranger, stranger_der) = authority("Stranger", None);
    let issue = |issuer: &Authority, from: i32, to: i32| {
        let mut params = CertificateParams::default();
        params.distinguished_name = name(text("leaf"));
        params.is_ca = IsCa::ExplicitNoCa;
        (params.not_before, params.not_after) =
            (rcgen::date_time_ymd(from, 1, 1), rcgen::date_time_ymd(to, 1, 1));
        let der = params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().der().to_vec();
        Certificate::from_der(&der).unwrap()
    };
    let trusting = |der: &[u8]| {
        let mut trust = TrustStore::default();
        trust.add_anchor(der).unwrap();
        trust
    };
    let trust = trusting(&root_der);
    let verify = |certificate: &Certificate| trust.verify(certificate, &[], at(), &[]);
    for (from, to) in [(2020, 2021), (2030, 2031)] {
        assert_eq!(verify(&issue(&root, from, to)), Err(PathError::Expired));
        assert_eq!(verify(&issue(&stranger, from, to)), Err(PathError::UntrustedIssuer));
        let both = trusting(&stranger_der);
        assert_eq!(both.verify(&issue(&stranger, from, to), &[], at(), &[]), Err(PathError::Expired));
    }
    // An authority of the same name with a key of another kind did not issue it.
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = name(text("Root"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let same_name = trusting(params.self_signed(&key).unwrap().der());
    for (from, to) in [(2020, 2021), (2020, 2030)] {
        let verified = same_name.verify(&issue(&root, from, to), &[], at(), &[]);
        assert_eq!(verified, Err(PathError::UntrustedIssuer), "{to}");
    }
}

/// One DER value whose content is these parts; shorter than 128 octets.
fn der_of(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&[tag, u8::try_from(content.len()).unwrap()][..], &content].concat()
}

#[test]
fn unregistered_roles_and_unusable_statements_are_findings() {
    let (root, _) = authority("Root", None);
    let issue = |statements: Vec<u8>| {
        let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 3], statements);
        Certificate::from_der(&leaf(&root, text("leaf"), vec![extension])).unwrap()
    };
    let found = |certificate: &Certificate, rule: &str| {
        check(certificate, None, at()).into_iter().find(|finding| finding.rule == rule)
    };
    let psd2 = |role: &[u8]| {
        let role = der_of(0x30, &[&[0x06, 7, 4, 0, 0x81, 0x98, 0x27, 1], role, &der_of(0x0c, &[b"PSP_AI"])]);
        let roles = der_of(0x30, &[&role]);
        let content = der_of(0x30, &[&roles, &der_of(0x0c, &[b"Bank"]), &der_of(0x0c, &[b"NL-DNB"])]);
        der_of(0x30, &[&[0x06, 6, 4, 0, 0x81, 0x98, 0x27, 2], &content])
    };
    let unregistered = issue(der_of(0x30, &[&psd2(&[77])]));
    let finding = found(&unregistered, "roles_unregistered").unwrap();
    assert_eq!(finding.severity, Severity::Refusal);
    assert!(finding.text.contains("grants no role: 0.4.0.19495.1.77 PSP_AI is not registered"), "{finding}");
    assert!(finding.text.contains("0.4.0.19495.1.3 PSP_AI"), "{finding}");
    assert_eq!(found(&issue(der_of(0x30, &[&psd2(&[3])])), "roles_unregistered"), None);

    let qc_type = |kind: u8| {
        let types = der_of(0x30, &[&[0x06, 7, 4, 0, 0x8e, 0x46, 1, 6, kind]]);
        der_of(0x30, &[&[0x06, 6, 4, 0, 0x8e, 0x46, 1, 6], &types])
    };
    let twice = issue(der_of(0x30, &[&qc_type(3), &qc_type(2)]));
    assert!(found(&twice, "qc_type_not_single").unwrap().text.contains("it names web, eseal"));
    assert_eq!(found(&twice, "wrong_qc_type"), None);
    assert_eq!(describe(&twice).kind_error.as_deref(), Some("QcType names 2 types: web, eseal"));
    let esign = issue(der_of(0x30, &[&qc_type(1)]));
    assert!(
        found(&esign, "wrong_qc_type").unwrap().text.starts_with("QcType is esign; it must be web (QWAC)")
    );
    let unreadable = issue(der_of(0x30, &[&der_of(0x0c, &[b"?"])]));
    assert_eq!(found(&unreadable, "wrong_qc_type"), None);
    assert!(found(&unreadable, "qc_statements").unwrap().text.contains("statement 1 is a UTF8String"));
    let none = issue(vec![0x04, 0]);
    assert!(
        found(&none, "qc_statements").unwrap().text.starts_with("the extension qcStatements is not a DER")
    );
    assert_eq!(describe(&none).kind_error.as_deref(), Some("qcStatements cannot be read"));
    assert_eq!(describe(&issue(vec![0x30, 0])).kind_error.as_deref(), Some("QcType is absent"));
}

#[test]
fn locations_show_what_cannot_be_seen() {
    let (root, _) = authority("Root", None);
    let uri = |text: &[u8]| der_of(0x86, &[text]);
    let access = der_of(
        0x30,
        &[&der_of(0x30, &[&[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1], &uri(b"http://o/\x1b[2J")])],
    );
    let point = der_of(0x30, &[&der_of(0xa0, &[&der_of(0xa0, &[&uri(b"http://c/\x07")])])]);
    let entry = der_of(0x30, &[&der_of(0x16, &[b"https://p/\x1b"]), &der_of(0x13, &[b"en"])]);
    let disclosure = der_of(0x30, &[&[0x06, 6, 4, 0, 0x8e, 0x46, 1, 5], &der_of(0x30, &[&entry])]);
    let extensions = [
        (&[1, 3, 6, 1, 5, 5, 7, 1, 1][..], access),
        (&[2, 5, 29, 31], der_of(0x30, &[&point])),
        (&[1, 3, 6, 1, 5, 5, 7, 1, 3], der_of(0x30, &[&disclosure])),
    ]
    .map(|(arcs, content)| CustomExtension::from_oid_content(arcs, content));
    let certificate = Certificate::from_der(&leaf(&root, text("leaf"), extensions.to_vec())).unwrap();
    let described = describe(&certificate);
    assert_eq!(described.ocsp, [r"http://o/\u{001b}[2J"]);
    assert_eq!(described.crl_distribution_points, [r"http://c/\u{0007}"]);
    assert_eq!(described.qc_statements.unwrap().disclosure_statements[0].url, r"https://p/\u{001b}");
}

proptest::proptest! {
    /// Whatever a sender makes of a certificate is read or refused, and what is read can be described and checked.
    #[test]
    fn a_spoiled_certificate_stops_nothing(
        changes in proptest::collection::vec((proptest::num::usize::ANY, proptest::num::u8::ANY), 1..5),
        cut in 0_usize..40,
    ) {
        let seal = Certificate::from_pem(include_bytes!("seal.pem")).unwrap();
        let authority = Certificate::from_pem(include_bytes!("authority.pem")).unwrap();
        let mut trust = TrustStore::default();
        trust.add_anchor(&authority.der).unwrap();
        let mut der = seal.der.clone();
        for (place, octet) in changes {
            let place = place % der.len();
            der[place] = octet;
        }
        der.truncate(der.len() - cut.saturating_sub(20));
        if let Ok(read) = Certificate::from_der(&der) {
            serde_json::to_string(&describe(&read)).unwrap();
            check(&read, None, at());
            let is_trusted = trust.verify(&read, &[], at(), &[]).is_ok();
            proptest::prop_assert!(!is_trusted || read.der == seal.der, "a signature over other octets is taken");
        }
    }
}
