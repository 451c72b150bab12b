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
    for standing in [
        Standing::Good,
        Standing::Revoked { at: since },
        Standing::Suspended { at: since },
        Standing::Unknown,
    ] {
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

/// What a list of an authority has beside its times.
struct Parts {
    revoked: Vec<rcgen::RevokedCertParams>,
    point: Option<rcgen::CrlIssuingDistributionPoint>,
}

fn rcgen_time(moment: Timestamp) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(moment.as_second()).unwrap()
}

/// A list for an hour, as rcgen makes it.
fn list_of(authority: &Authority, Parts { revoked, point }: Parts) -> Vec<u8> {
    let key = rcgen::KeyPair::from_pem(authority.key_pem()).unwrap();
    let signer = rcgen::Issuer::from_ca_cert_der(&authority.der().into(), key).unwrap();
    let params = rcgen::CertificateRevocationListParams {
        this_update: rcgen_time(now()),
        next_update: rcgen_time(now() + SignedDuration::from_hours(1)),
        crl_number: rcgen::SerialNumber::from(2_u64),
        issuing_distribution_point: point,
        revoked_certs: revoked,
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    params.signed_by(&signer).unwrap().der().to_vec()
}

/// A list with an issuingDistributionPoint in DER, signed by an authority. What it revokes is the serial number of the seal.
fn list_with(authority: &Authority, point: &[u8], more: &[(&str, &[u8])]) -> Vec<u8> {
    let wrap = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        let length = match content.len() {
            short @ 0..0x80 => vec![u8::try_from(short).unwrap()],
            middle @ 0x80..0x100 => vec![0x81, u8::try_from(middle).unwrap()],
            long => vec![0x82, u8::try_from(long >> 8).unwrap(), u8::try_from(long & 0xff).unwrap()],
        };
        [&[tag][..], &length, &content].concat()
    };
    let extension = |id: &[u8], critical: bool, value: &[u8]| {
        let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
        wrap(0x30, &[&wrap(6, &[id]), critical, &wrap(4, &[value])])
    };
    // Algorithm, name and identifier of the key as a list of the authority has them, with a point of its own.
    let of_rcgen = rcgen::CrlIssuingDistributionPoint {
        distribution_point: rcgen::CrlDistributionPoint { uris: vec!["http://replaced.example".into()] },
        scope: None,
    };
    let reason_code = Some(rcgen::RevocationReason::KeyCompromise);
    let revoked = rcgen::RevokedCertParams {
        serial_number: rcgen::SerialNumber::from_slice(&[0x7f, 1, 2]),
        revocation_time: rcgen_time(now()),
        reason_code,
        invalidity_date: None,
    };
    let made = list_of(authority, Parts { revoked: vec![revoked], point: Some(of_rcgen) });
    use der::{Decode as _, Encode as _, Tagged as _};
    let members = Vec::<der::asn1::AnyRef<'_>>::from_der(&made).unwrap();
    let tbs = members[0].to_der().unwrap();
    let mut parts: Vec<_> = Vec::<der::asn1::AnyRef<'_>>::from_der(&tbs)
        .unwrap()
        .iter()
        .map(|part| part.to_der().unwrap())
        .collect();
    assert!(matches!(
        der::asn1::AnyRef::from_der(parts.last().unwrap()).unwrap().tag(),
        der::Tag::ContextSpecific { .. }
    ));
    parts.pop();
    let mut extensions = vec![extension(&[0x55, 0x1d, 20], false, &[2, 1, 2])];
    if !point.is_empty() {
        extensions.push(extension(&[0x55, 0x1d, 28], true, &wrap(0x30, &[point])));
    }
    for (id, value) in more {
        let id = der::asn1::ObjectIdentifier::new(id).unwrap();
        extensions.push(extension(id.as_bytes(), true, value));
    }
    let extensions: Vec<_> = extensions.iter().map(Vec::as_slice).collect();
    parts.push(wrap(0xa0, &[&wrap(0x30, &extensions)]));
    let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
    let tbs = wrap(0x30, &parts);
    let key = rcgen::KeyPair::from_pem(authority.key_pem()).unwrap();
    let signature = rcgen::SigningKey::sign(&key, &tbs).unwrap();
    let algorithm = members[1].to_der().unwrap();
    wrap(0x30, &[&tbs, &algorithm, &wrap(3, &[&[0], &signature])])
}

/// The name of a distribution point: fullName with an address, as [0] in [0].
fn named(address: &str) -> Vec<u8> {
    let uri = [&[0x86, u8::try_from(address.len()).unwrap()], address.as_bytes()].concat();
    let full = [&[0xa0, u8::try_from(uri.len()).unwrap()][..], &uri].concat();
    [&[0xa0, u8::try_from(full.len()).unwrap()][..], &full].concat()
}

fn unusable(why: &str) -> Result<Standing, StatusError> {
    Err(StatusError::Unusable(why.to_owned()))
}

#[test]
fn a_list_is_used_for_those_that_it_says_it_is_about() {
    let World { authority, issuer, seal, .. } = World::new("Example CA (TEST)");
    let below = subordinate(&authority);
    let own = named("http://pki.example/ca.crl");
    let other = named("http://pki.example/other.crl");
    let (users, authorities): (&[u8], &[u8]) = (&[0x81, 1, 0xff], &[0x82, 1, 0xff]);
    let told =
        |list: &[u8], of: &Certificate| by_list(list, of, &issuer, now()).map(|status| status.standing);
    let revoked = Ok(Standing::Revoked { at: now() });
    let other_one = || Err(StatusError::OtherCertificate);
    let malformed = || Err(StatusError::Malformed("revocation list"));
    for (point, of_seal, of_authority) in [
        (vec![], revoked.clone(), Ok(Standing::Good)),
        (users.to_vec(), revoked.clone(), other_one()),
        (authorities.to_vec(), other_one(), Ok(Standing::Good)),
        ([&own[..], users].concat(), revoked.clone(), other_one()),
        ([&own[..], authorities].concat(), other_one(), Ok(Standing::Good)),
        (own.clone(), revoked.clone(), Ok(Standing::Good)),
        (other, other_one(), other_one()),
        ([&own[..], &[0x81, 1, 0]].concat(), revoked.clone(), Ok(Standing::Good)),
        (
            vec![0x83, 2, 6, 0x40],
            unusable("it is about some reasons of revocation alone"),
            unusable("it is about some reasons of revocation alone"),
        ),
        (
            vec![0x84, 1, 0xff],
            unusable("it is about certificates of other issuers too (an indirect list)"),
            unusable("it is about certificates of other issuers too (an indirect list)"),
        ),
        (
            vec![0x85, 1, 0xff],
            unusable("it is about attribute certificates alone"),
            unusable("it is about attribute certificates alone"),
        ),
        (
            vec![0xa0, 2, 0xa1, 0],
            unusable("the name of its distribution point is relative to its issuer"),
            unusable("the name of its distribution point is relative to its issuer"),
        ),
        (vec![0x81, 1, 7], malformed(), malformed()),
        (vec![0x86, 1, 0xff], malformed(), malformed()),
        (vec![4, 1, 0xff], malformed(), malformed()),
    ] {
        let list = list_with(&authority, &point, &[]);
        assert_eq!((told(&list, &seal), told(&list, &below)), (of_seal, of_authority), "{point:02x?}");
        // Whatever it says of itself, it is the issuer's or it is nothing.
        let forged = list_with(&World::new("Example CA (TEST)").authority, &point, &[]);
        for certificate in [&seal, &below] {
            let said = told(&forged, certificate);
            let is_refused = matches!(
                said,
                Err(StatusError::Signer | StatusError::Unusable(_) | StatusError::Malformed(_))
            );
            assert!(is_refused, "{point:02x?} {said:?}");
        }
    }
}

#[test]
fn what_a_list_says_that_it_is_about_is_signed_too_and_not_all_of_it_is_understood() {
    let World { authority, issuer, seal, .. } = World::new("Example CA (TEST)");
    let told =
        |list: &[u8], of: &Certificate| by_list(list, of, &issuer, now()).map(|status| status.standing);
    let (users, authorities): (&[u8], &[u8]) = (&[0x81, 1, 0xff], &[0x82, 1, 0xff]);
    // Whoever names no address is asked about at any.
    let mut nowhere = seal.clone();
    nowhere.crl_distribution_points.clear();
    let list = list_with(&authority, &named("http://pki.example/any.crl"), &[]);
    assert_eq!(told(&list, &nowhere), Ok(Standing::Revoked { at: now() }));
    // What is changed in the extension is noticed, although it is read here.
    let list = list_with(&authority, authorities, &[]);
    let at = list.windows(3).position(|octets| octets == authorities).unwrap();
    let mut changed = list;
    changed[at] = users[0];
    assert_eq!(told(&changed, &seal), Err(StatusError::Signer));
    for (id, value, why) in [
        ("2.5.29.27", &[2, 1, 1][..], "it lists what changed since another list alone (a delta list)"),
        ("2.5.29.60", &[5, 0], "it has a critical extension that is not understood here"),
    ] {
        assert_eq!(told(&list_with(&authority, &[], &[(id, value)]), &seal), unusable(why));
    }
}

#[test]
fn a_list_tells_who_may_be_a_good_one_again() {
    let World { authority, issuer, seal, .. } = World::new("Example CA (TEST)");
    use rcgen::RevocationReason as Reason;
    for (reason_code, standing) in [
        (Some(Reason::CertificateHold), Standing::Suspended { at: now() }),
        (Some(Reason::PrivilegeWithdrawn), Standing::Revoked { at: now() }),
        (None, Standing::Revoked { at: now() }),
    ] {
        let revoked = rcgen::RevokedCertParams {
            serial_number: rcgen::SerialNumber::from_slice(&[0x7f, 1, 2]),
            revocation_time: rcgen_time(now()),
            reason_code,
            invalidity_date: None,
        };
        let list = list_of(&authority, Parts { revoked: vec![revoked], point: None });
        assert_eq!(by_list(&list, &seal, &issuer, now()).unwrap().standing, standing);
    }
}

/// An authority below another one.
fn subordinate(authority: &Authority) -> Certificate {
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
    Certificate::from_der(below.der()).unwrap()
}

#[test]
fn a_list_tells_of_authorities_too_unless_it_is_for_others() {
    let World { authority, issuer, .. } = World::new("Example CA (TEST)");
    let below = subordinate(&authority);
    let end = now() + SignedDuration::from_hours(1);
    let list = |revoked: &[(Vec<u8>, Timestamp)]| authority.revocation_list(1, revoked, now(), end).unwrap();
    let told = |list: &[u8]| by_list(list, &below, &issuer, now()).map(|status| status.standing);
    assert_eq!(told(&list(&[])), Ok(Standing::Good));
    assert_eq!(told(&list(&[(vec![9], now())])), Ok(Standing::Revoked { at: now() }));
    assert_eq!(told(&list(&[(vec![8], now())])), Ok(Standing::Good));
    let other = World::new("Other CA (TEST)").authority.revocation_list(1, &[], now(), end).unwrap();
    assert_eq!(told(&other), Err(StatusError::Signer));
    // One of the same issuer at the same address, without the authorities.
    let scoped = |scope| {
        let uris = vec!["http://pki.example/ca.crl".to_owned()];
        let distribution_point = rcgen::CrlDistributionPoint { uris };
        let point = rcgen::CrlIssuingDistributionPoint { distribution_point, scope };
        list_of(&authority, Parts { revoked: Vec::new(), point: Some(point) })
    };
    assert_eq!(told(&scoped(None)), Ok(Standing::Good));
    assert_eq!(told(&scoped(Some(rcgen::CrlScope::UserCertsOnly))), Err(StatusError::OtherCertificate));
}
