//! What this library writes is read by another parser, and whatever is asked for gives a certificate or a refusal.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

use eidas::issue::{
    Authority, AuthorityName, CertificateRequest, KeyType, Profile, PublicationPoints, generate_key,
};
use eidas::{Certificate, OrganizationIdentifier, RevocationList, Role};
use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn authority() -> Authority {
    let name = AuthorityName {
        country: "NL".to_owned(),
        locality: Some("Zeist".to_owned()),
        organization_identifier: None,
        organization: "Example (TEST)".to_owned(),
        common_name: "Example CA (TEST)".to_owned(),
    };
    let validity = (time("2026-01-01T00:00:00Z"), time("2030-01-01T00:00:00Z"));
    Authority::root(&name, KeyType::P256, &[0x9f, 0xa1], validity).unwrap()
}

fn request() -> CertificateRequest {
    CertificateRequest {
        organization_identifier: OrganizationIdentifier::parse("PSDNL-DNB-R123456").unwrap(),
        organization_name: "Example TPP B.V.".to_owned(),
        country: "NL".to_owned(),
        locality: "Utrecht".to_owned(),
        roles: vec![Role::AccountInformation],
        common_name: "tpp.example".to_owned(),
        serial: vec![2],
        not_before: time("2026-01-01T00:00:00Z"),
        not_after: time("2028-01-01T00:00:00Z"),
    }
}

fn points() -> PublicationPoints {
    PublicationPoints {
        ca_issuers: "http://pki.example/ca.cer".to_owned(),
        crl: "http://pki.example/ca.crl".to_owned(),
        ocsp: Some("http://pki.example/ocsp".to_owned()),
        disclosure_statement: Some("https://pki.example/pds.pdf".to_owned()),
    }
}

#[test]
fn extensions_are_those_of_the_standard() {
    let (authority, (_, public_key)) = (authority(), generate_key(KeyType::P256).unwrap());
    let issue = |profile| authority.issue(profile, &request(), &points(), &public_key).unwrap();
    let any = issue(Profile::TestClient);
    let (_, read) = X509Certificate::from_der(&any.der).unwrap();
    let identifier = read.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(identifier) => Some(identifier),
        _ => None,
    });
    let identifier = identifier.unwrap();
    let own = Certificate::from_der(authority.der()).unwrap();
    assert_eq!(identifier.key_identifier.as_ref().map(|id| id.0.to_vec()), own.subject_key_identifier);
    assert_eq!(identifier.authority_cert_serial, Some(&[0, 0x9f, 0xa1][..]));
    let [GeneralName::DirectoryName(name)] = &identifier.authority_cert_issuer.as_ref().unwrap()[..] else {
        panic!("{identifier:?}")
    };
    assert_eq!(name.to_string(), "C=NL, L=Zeist, O=Example (TEST), CN=Example CA (TEST)");

    let qwac = issue(Profile::Qwac);
    assert_eq!(qwac.policies, [eidas::oid::POLICY_QNCP_W_GEN]);
    assert_eq!(
        (&qwac.ca_issuers[..], &qwac.ocsp[..]),
        (&["http://pki.example/ca.cer".to_owned()][..], &["http://pki.example/ocsp".to_owned()][..])
    );
    assert_eq!(qwac.crl_distribution_points, ["http://pki.example/ca.crl"]);
}

#[test]
fn an_authority_shows_nothing_of_its_key() {
    let authority = authority();
    let shown = format!("{authority:?}");
    assert_eq!(shown.len(), "Authority()".len() + 64, "{shown}");
    assert!(!shown.contains("KEY"), "{shown}");
}

type Spoil = fn(&mut CertificateRequest, &mut PublicationPoints);

#[test]
fn what_a_certificate_cannot_hold_is_refused() {
    let (authority, (_, public_key)) = (authority(), generate_key(KeyType::P256).unwrap());
    let cases: [(&str, Spoil); 8] = [
        ("country \"N?\" is not two letters", |request, _| request.country = "N?".to_owned()),
        ("is before the year 0", |request, _| request.not_before = Timestamp::MIN),
        ("is before the year 0", |request, _| request.not_after = Timestamp::MIN),
        ("IA5String", |_, points| points.crl = "http://pki.example/é.crl".to_owned()),
        ("IA5String", |_, points| points.ca_issuers = "http://pki.example/é.cer".to_owned()),
        ("IA5String", |_, points| points.disclosure_statement = Some("https://é".to_owned())),
        ("is empty or has control characters", |request, _| request.organization_name.clear()),
        ("at least one role", |request, _| request.roles.clear()),
    ];
    for (expected, spoil) in cases {
        let (mut request, mut points) = (request(), points());
        spoil(&mut request, &mut points);
        let text = authority.issue(Profile::Qwac, &request, &points, &public_key).unwrap_err().to_string();
        assert!(text.contains(expected), "expected \"{expected}\" in \"{text}\"");
    }
    let list = |at| authority.revocation_list(1, &[(vec![1], at)], at, Timestamp::MAX);
    assert!(list(Timestamp::MIN).is_err() && list(time("2026-06-01T00:00:00Z")).is_ok());
    for serial in [vec![], vec![0], vec![0x80; 30]] {
        let request = CertificateRequest { serial, ..request() };
        let issued = authority.issue(Profile::QSeal, &request, &points(), &public_key).unwrap();
        assert!(!issued.serial.is_empty());
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_asked_for_stops_nothing(
        texts in proptest::collection::vec("\\PC{0,20}|[ -~]{0,20}|[a-z]{1,9}", 6),
        serial in proptest::collection::vec(proptest::num::u8::ANY, 0..24),
        seconds in (-377_705_023_201_i64..253_402_207_200, -377_705_023_201_i64..253_402_207_200),
    ) {
        let (authority, (_, public_key)) = (authority(), generate_key(KeyType::P256).unwrap());
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let request = CertificateRequest {
            organization_name: texts[0].clone(),
            country: if texts[1].len() % 2 == 0 { "NL".to_owned() } else { texts[1].clone() },
            locality: texts[2].clone(),
            common_name: texts[3].clone(),
            serial: serial.clone(),
            not_before: at(seconds.0),
            not_after: at(seconds.1),
            ..request()
        };
        let points = PublicationPoints { ca_issuers: texts[4].clone(), crl: texts[5].clone(), ..points() };
        for profile in [Profile::TestClient, Profile::Qwac, Profile::QSeal] {
            let _ = authority.issue(profile, &request, &points, &public_key);
        }
        let names = [texts[3].clone()];
        let validity = (at(seconds.0), at(seconds.1));
        let _ = authority.issue_server((&names, &texts[0]), &serial, validity, &points, &public_key);
        if let Ok(list) = authority.revocation_list(1, &[(serial, at(seconds.0))], at(seconds.0), at(seconds.1)) {
            // The library reads no list of before 1970.
            proptest::prop_assert!(RevocationList::from_der(&list).is_ok() || seconds.0 < 0 || seconds.1 < 0);
        }
    }
}
