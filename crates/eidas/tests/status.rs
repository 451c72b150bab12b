//! What an authority says of certificates that it issued, by OCSP and by list, and who is believed when.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

use eidas::issue::{
    Authority, AuthorityName, CertificateRequest, KeyType, NoStatus, Profile, PublicationPoints, Responder,
    generate_key,
};
use eidas::status::{OcspRequest, Standing, Status, StatusError, by_list};
use eidas::{Certificate, OrganizationIdentifier, Role};
use jiff::{SignedDuration, Timestamp};

const NONCE: [u8; 16] = *b"a nonce of mine.";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2027-01-01T12:00:00Z")
}

fn years() -> (Timestamp, Timestamp) {
    (at("2020-01-01T00:00:00Z"), at("2090-01-01T00:00:00Z"))
}

struct World {
    authority: Authority,
    responder: Responder,
    issuer: Certificate,
    seal: Certificate,
}

impl World {
    fn new(common_name: &str) -> Self {
        let name = AuthorityName {
            country: "NL".into(),
            locality: None,
            organization_identifier: None,
            organization: "Example (TEST)".into(),
            common_name: common_name.into(),
        };
        let authority = Authority::root(&name, KeyType::P256, &[1], years()).unwrap();
        let request = CertificateRequest {
            organization_identifier: OrganizationIdentifier::parse("PSDNL-DNB-R123456").unwrap(),
            organization_name: "Example TPP B.V.".into(),
            country: "NL".into(),
            locality: "Utrecht".into(),
            roles: vec![Role::AccountInformation],
            common_name: "tpp.example".into(),
            serial: vec![0x7f, 1, 2],
            not_before: at("2026-01-01T00:00:00Z"),
            not_after: at("2028-01-01T00:00:00Z"),
        };
        let points = PublicationPoints {
            ca_issuers: "http://pki.example/ca.cer".into(),
            crl: "http://pki.example/ca.crl".into(),
            ocsp: Some("http://pki.example/ocsp".into()),
            disclosure_statement: None,
        };
        let (_, public) = generate_key(KeyType::P256).unwrap();
        let seal = authority.issue(Profile::QSeal, &request, &points, &public).unwrap();
        let responder = authority.responder(&[9], years()).unwrap();
        let issuer = Certificate::from_der(authority.der()).unwrap();
        Self { authority, responder, issuer, seal }
    }

    /// Asks about the seal, and answers as of a time for an hour.
    fn answered(&self, standing: Standing, as_of: Timestamp) -> (OcspRequest, Vec<u8>) {
        let question = OcspRequest::new(&self.seal, &self.issuer, Some(NONCE)).unwrap();
        let asked = self.responder.read(question.der()).unwrap();
        assert_eq!(asked.serials().collect::<Vec<_>>(), [Some("7f0102".to_owned())]);
        let until = as_of + SignedDuration::from_hours(1);
        let answer = self.responder.answer(asked, &[standing], (as_of, until)).unwrap();
        (question, answer)
    }

    fn list(&self, revoked: &[(Vec<u8>, Timestamp)], as_of: Timestamp) -> Vec<u8> {
        let until = as_of + SignedDuration::from_hours(1);
        self.authority.revocation_list(7, revoked, as_of, until).unwrap()
    }
}

#[test]
fn a_certificate_says_where_its_issuer_is_asked() {
    let world = World::new("Example CA (TEST)");
    assert_eq!(world.seal.ocsp, ["http://pki.example/ocsp"]);
    assert_eq!(world.seal.ca_issuers, ["http://pki.example/ca.cer"]);
}

#[test]
fn an_answer_tells_how_a_certificate_stands() {
    let world = World::new("Example CA (TEST)");
    let since = at("2026-12-31T00:00:00Z");
    for standing in [Standing::Good, Standing::Revoked { at: since }, Standing::Unknown] {
        let (question, answer) = world.answered(standing, now());
        let status = question.read_answer(&answer, &world.issuer, now()).unwrap();
        let next_update = Some(now() + SignedDuration::from_hours(1));
        assert_eq!(status, Status { standing, this_update: now(), next_update });
    }
}

#[test]
fn an_answer_is_good_for_its_time_its_question_and_its_issuer() {
    let world = World::new("Example CA (TEST)");
    let hours = SignedDuration::from_hours;
    let (question, answer) = world.answered(Standing::Good, now());
    let read = |answer: &[u8], when| question.read_answer(answer, &world.issuer, when);
    let end = now() + hours(1);
    assert_eq!(read(&answer, end), Err(StatusError::Stale(end)));
    assert!(read(&answer, end - SignedDuration::from_secs(1)).is_ok());
    assert_eq!(read(&answer, now() - SignedDuration::from_mins(6)), Err(StatusError::Early(now())));
    assert!(read(&answer, now() - SignedDuration::from_mins(4)).is_ok(), "clocks differ a little");

    // The same question with another nonce, or none: the answer is for whoever asked with a nonce.
    let other = OcspRequest::new(&world.seal, &world.issuer, Some([7; 16])).unwrap();
    assert_eq!(other.read_answer(&answer, &world.issuer, now()), Err(StatusError::Nonce));
    let without = OcspRequest::new(&world.seal, &world.issuer, None).unwrap();
    assert!(without.read_answer(&answer, &world.issuer, now()).is_ok());

    // An authority of the same name with another key: neither its responder nor it is believed.
    let impostor = World::new("Example CA (TEST)");
    let asked = impostor.responder.read(question.der()).unwrap();
    assert_eq!(asked.serials().collect::<Vec<_>>(), [None], "it is not asked about the other's certificates");
    let forged = impostor.responder.answer(asked, &[Standing::Good], (now(), end)).unwrap();
    assert_eq!(read(&forged, now()), Err(StatusError::Signer));
    assert_eq!(question.read_answer(&answer, &impostor.issuer, now()), Err(StatusError::Signer));

    // About another certificate of the same issuer.
    let mut seal = world.seal.clone();
    seal.serial = vec![5];
    let other = OcspRequest::new(&seal, &world.issuer, None).unwrap();
    assert_eq!(other.read_answer(&answer, &world.issuer, now()), Err(StatusError::OtherCertificate));
}

#[test]
fn whatever_is_changed_in_an_answer_is_noticed() {
    let world = World::new("Example CA (TEST)");
    let revoked = Standing::Revoked { at: at("2026-12-31T00:00:00Z") };
    let (question, answer) = world.answered(revoked, now());
    for length in 0..answer.len() {
        assert!(question.read_answer(&answer[..length], &world.issuer, now()).is_err());
    }
    for place in 0..answer.len() {
        let mut changed = answer.clone();
        changed[place] ^= 1;
        // What is not signed may differ, such as the key by which it can be verified too; what it says may not.
        if let Ok(status) = question.read_answer(&changed, &world.issuer, now()) {
            assert_eq!(status.standing, revoked, "{place}");
        }
    }
    for (refusal, name) in
        [(NoStatus::MalformedRequest, "malformedRequest"), (NoStatus::TryLater, "tryLater")]
    {
        let answer = refusal.der().unwrap();
        let read = question.read_answer(&answer, &world.issuer, now());
        assert_eq!(read, Err(StatusError::NoAnswer(name)));
    }
}

#[test]
fn a_responder_reads_what_can_be_answered() {
    let world = World::new("Example CA (TEST)");
    let question = OcspRequest::new(&world.seal, &world.issuer, None).unwrap();
    assert!(world.responder.read(question.der()).is_some());
    for length in 0..question.der().len() {
        assert!(world.responder.read(&question.der()[..length]).is_none(), "{length}");
    }
    assert!(world.responder.read(b"What about 7f0102?").is_none());
}

#[test]
fn a_list_tells_the_same() {
    let world = World::new("Example CA (TEST)");
    let since = at("2026-12-31T00:00:00Z");
    let read = |list: &[u8], when| by_list(list, &world.seal, &world.issuer, when);
    let good = world.list(&[(vec![5], since)], now());
    assert_eq!(read(&good, now()).unwrap().standing, Standing::Good);
    let revoked = world.list(&[(vec![5], now()), (vec![0x7f, 1, 2], since)], now());
    let status = read(&revoked, now()).unwrap();
    let next_update = Some(now() + SignedDuration::from_hours(1));
    assert_eq!(status, Status { standing: Standing::Revoked { at: since }, this_update: now(), next_update });

    let end = now() + SignedDuration::from_hours(1);
    assert_eq!(read(&good, end), Err(StatusError::Stale(end)));
    assert_eq!(read(&good, now() - SignedDuration::from_hours(1)), Err(StatusError::Early(now())));
    for list in [World::new("Example CA (TEST)"), World::new("Other CA (TEST)")].map(|w| w.list(&[], now())) {
        assert!(read(&list, now()).is_err());
    }
    for length in 0..good.len() {
        assert!(read(&good[..length], now()).is_err());
    }
    for place in 0..revoked.len() {
        let mut changed = revoked.clone();
        changed[place] ^= 1;
        assert!(read(&changed, now()).is_err(), "{place}");
    }
}

#[test]
fn a_list_tells_of_authorities_too_unless_it_is_for_others() {
    let World { authority, issuer, .. } = World::new("Example CA (TEST)");
    let points = PublicationPoints {
        ca_issuers: "http://pki.example/ca.cer".into(),
        crl: "http://pki.example/ca.crl".into(),
        ocsp: None,
        disclosure_statement: None,
    };
    let name = AuthorityName {
        country: "NL".into(),
        locality: None,
        organization_identifier: None,
        organization: "Example (TEST)".into(),
        common_name: "Below (TEST)".into(),
    };
    let below = authority.subordinate(&name, KeyType::P256, &[9], years(), &points).unwrap();
    let below = Certificate::from_der(below.der()).unwrap();
    let end = now() + SignedDuration::from_hours(1);
    let list = |revoked: &[(Vec<u8>, Timestamp)]| authority.revocation_list(1, revoked, now(), end).unwrap();
    let told = |list: &[u8]| by_list(list, &below, &issuer, now()).map(|status| status.standing);
    assert_eq!(told(&list(&[])), Ok(Standing::Good));
    assert_eq!(told(&list(&[(vec![9], now())])), Ok(Standing::Revoked { at: now() }));
    assert_eq!(told(&list(&[(vec![8], now())])), Ok(Standing::Good));
    let other = World::new("Other CA (TEST)").authority.revocation_list(1, &[], now(), end).unwrap();
    assert!(told(&other).is_err());
    // One of the same issuer at the same address, without the authorities.
    let key = rcgen::KeyPair::from_pem(authority.key_pem()).unwrap();
    let signer = rcgen::Issuer::from_ca_cert_der(&authority.der().into(), key).unwrap();
    let time = |moment: Timestamp| time::OffsetDateTime::from_unix_timestamp(moment.as_second()).unwrap();
    let scoped = |scope| {
        let uris = vec![points.crl.clone()];
        let point = rcgen::CrlDistributionPoint { uris };
        let params = rcgen::CertificateRevocationListParams {
            this_update: time(now()),
            next_update: time(end),
            crl_number: rcgen::SerialNumber::from(2_u64),
            issuing_distribution_point: Some(rcgen::CrlIssuingDistributionPoint {
                distribution_point: point,
                scope,
            }),
            revoked_certs: Vec::new(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        params.signed_by(&signer).unwrap().der().to_vec()
    };
    assert_eq!(told(&scoped(None)), Ok(Standing::Good));
    assert_eq!(told(&scoped(Some(rcgen::CrlScope::UserCertsOnly))), Err(StatusError::OtherCertificate));
}
