//! Questions to a responder of an issuer, and what its answers are worth (RFC 6960).

use der::asn1::GeneralizedTime;
use der::{Decode, Encode};
use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, RawPublicKeyEntity};

use super::wire::{
    BASIC, BasicResponse, CertId, CertStatus, IssuerParts, Request, Response, ResponseData, ResponseStatus,
    SHA_1, SingleRequest, TbsRequest, nonce, unknown_critical, with_nonce,
};
use super::{Standing, Status, StatusError};
use crate::certificate::{Certificate, CertificateError};
use crate::critical::{Softened, algorithms};
use crate::path::ALGORITHMS;
use crate::policies::is_about_policies;
use crate::public_key::PublicKey;

/// Extended key usage id-kp-OCSPSigning, 1.3.6.1.5.5.7.3.9, as the library takes it.
const OCSP_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];

/// How far a responder's clock may be ahead.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How long an answer holds that does not say until when.
const WITHOUT_END: SignedDuration = SignedDuration::from_hours(24);

/// Certificates of responders that are looked at in one answer.
const RESPONDERS: usize = 4;

/// One question: how does this certificate stand?
///
/// ```
/// use eidas::Certificate;
/// use eidas::status::{OcspRequest, StatusError};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let authority = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/authority.pem"));
/// let (seal, authority) = (Certificate::from_pem(pem)?, Certificate::from_pem(authority)?);
/// let question = OcspRequest::new(&seal, &authority, None)?;
/// // To be sent as application/ocsp-request; this is what a responder says that has too much to do.
/// let answer = [0x30, 3, 0x0a, 1, 3];
/// let now = "2027-01-01T00:00:00Z".parse().unwrap();
/// assert_eq!(question.read_answer(&answer, &authority, now), Err(StatusError::NoAnswer("tryLater")));
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug)]
pub struct OcspRequest {
    der: Vec<u8>,
    id: CertId,
    nonce: Option<[u8; 16]>,
}

impl OcspRequest {
    /// Asks about a certificate of an issuer, with a nonce where one is given.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] if the issuer's certificate cannot be read.
    pub fn new(
        certificate: &Certificate,
        issuer: &Certificate,
        nonce: Option<[u8; 16]>,
    ) -> Result<Self, CertificateError> {
        Self::encoded(certificate, issuer, nonce)
            .map_err(|error| CertificateError::Malformed(format!("of an issuer: {error}")))
    }

    fn encoded(
        certificate: &Certificate,
        issuer: &Certificate,
        nonce: Option<[u8; 16]>,
    ) -> Result<Self, der::Error> {
        let hashes = IssuerParts::of(&issuer.der)?.hashed(SHA_1);
        let hashes = hashes.ok_or_else(|| der::Error::from(der::ErrorKind::Failed))?;
        let id = hashes.certificate(&certificate.serial)?;
        let extensions = nonce.map(|nonce| with_nonce(&nonce)).transpose()?;
        let single = SingleRequest { id: id.clone(), extensions: None };
        let tbs = TbsRequest { version: 0, requestor: None, requests: vec![single], extensions };
        Ok(Self { der: Request { tbs, signature: None }.to_der()?, id, nonce })
    }

    /// The request in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Reads what a responder answered.
    ///
    /// # Errors
    /// [`StatusError`] if it does not tell how the certificate stands at `now`.
    pub fn read_answer(
        &self,
        der: &[u8],
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<Status, StatusError> {
        let malformed = |_| StatusError::Malformed("OCSP response");
        let response = Response::from_der(der).map_err(malformed)?;
        let bytes = match (response.status, response.bytes) {
            (ResponseStatus::Successful, Some(bytes)) if bytes.kind == BASIC => bytes,
            (ResponseStatus::Successful, _) => return Err(StatusError::NoAnswer("another type of response")),
            (status, _) => return Err(StatusError::NoAnswer(name(status))),
        };
        let basic = BasicResponse::from_der(bytes.response.as_bytes()).map_err(malformed)?;
        let signed = basic.tbs.to_der().map_err(malformed)?;
        check_signature(&basic, &signed, issuer, now)?;
        let data = ResponseData::from_der(&signed).map_err(malformed)?;
        // Most responders leave it out.
        if let (Some(sent), Some(answered)) = (&self.nonce, nonce(data.extensions.as_ref()))
            && answered != sent
        {
            return Err(StatusError::Nonce);
        }
        let about = |id: &CertId| {
            (id.hash.oid, &id.issuer_name, &id.issuer_key, &id.serial)
                == (self.id.hash.oid, &self.id.issuer_name, &self.id.issuer_key, &self.id.serial)
        };
        let single = data.responses.iter().find(|single| about(&single.id));
        let single = single.ok_or(StatusError::OtherCertificate)?;
        let unknown = [&data.extensions, &single.extensions];
        if let Some(oid) = unknown.into_iter().find_map(|all| unknown_critical(all.as_ref())) {
            return Err(StatusError::Unusable(format!("its extension {oid} is critical")));
        }
        let standing = match &single.status {
            CertStatus::Good(_) => Standing::Good,
            CertStatus::Revoked(info) if info.is_hold() => Standing::Suspended { at: moment(info.at)? },
            CertStatus::Revoked(info) => Standing::Revoked { at: moment(info.at)? },
            CertStatus::Unknown(_) => Standing::Unknown,
        };
        let this_update = moment(single.this_update)?;
        let next_update = single.next_update.map(moment).transpose()?;
        check_time(this_update, next_update, now)?;
        Ok(Status { standing, this_update, next_update })
    }
}

fn name(status: ResponseStatus) -> &'static str {
    match status {
        ResponseStatus::Successful => "nothing",
        ResponseStatus::MalformedRequest => "malformedRequest",
        ResponseStatus::InternalError => "internalError",
        ResponseStatus::TryLater => "tryLater",
        ResponseStatus::SigRequired => "sigRequired",
        ResponseStatus::Unauthorized => "unauthorized",
    }
}

/// Checks that the issuer signed it, or a responder with a certificate of the issuer for that (RFC 6960, 4.2.2.2).
fn check_signature(
    basic: &BasicResponse,
    signed: &[u8],
    issuer: &Certificate,
    now: Timestamp,
) -> Result<(), StatusError> {
    let signature = basic.signature.as_bytes().ok_or(StatusError::Signer)?;
    let signature = (basic.algorithm.value(), signature);
    if is_signed_by(&issuer.public_key, signature, signed) {
        return Ok(());
    }
    let certificates = basic.certificates.iter().flatten().take(RESPONDERS);
    let responders = certificates.filter_map(|certificate| certificate.to_der().ok());
    let mut charged = responders.filter(|responder| is_charged(responder, issuer, now));
    let signed = charged.any(|responder| {
        Certificate::from_der(&responder)
            .is_ok_and(|responder| is_signed_by(&responder.public_key, signature, signed))
    });
    if signed { Ok(()) } else { Err(StatusError::Signer) }
}

/// Whether a certificate is one of the issuer for answers of this kind, and valid now.
fn is_charged(responder: &[u8], issuer: &Certificate, now: Timestamp) -> bool {
    let Ok(seconds) = u64::try_from(now.as_second()) else { return false };
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let responder = Softened::new(responder, is_about_policies);
    let signed: Vec<_> = responder.signed().into_iter().collect();
    let algorithms = algorithms(&signed, ALGORITHMS);
    let algorithms: Vec<&dyn SignatureVerificationAlgorithm> =
        algorithms.iter().map(|algorithm| algorithm as _).collect();
    let (responder, issuer) = (CertificateDer::from(responder.der()), CertificateDer::from(&issuer.der[..]));
    let Ok(anchor) = webpki::anchor_from_trusted_cert(&issuer) else { return false };
    let Ok(responder) = EndEntityCert::try_from(&responder) else { return false };
    let usage = KeyUsage::required(OCSP_SIGNING);
    responder.verify_for_usage(&algorithms, &[anchor], &[], time, usage, None, None).is_ok()
}

/// Whether a key made a signature, in a way that is taken. What else is in its certificate makes no difference.
pub(super) fn is_signed_by(key: &PublicKey, (algorithm, signature): (&[u8], &[u8]), signed: &[u8]) -> bool {
    let key = SubjectPublicKeyInfoDer::from(&key.spki_der[..]);
    let Ok(key) = RawPublicKeyEntity::try_from(&key) else { return false };
    let of_kind = ALGORITHMS.iter().filter(|known| *known.signature_alg_id() == *algorithm);
    of_kind.into_iter().any(|known| key.verify_signature(*known, signed, signature).is_ok())
}

/// Checks that what an issuer said at a time, until another, holds now.
pub(super) fn check_time(
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StatusError> {
    if this_update > now.saturating_add(SKEW).unwrap_or(now) {
        return Err(StatusError::Early(this_update));
    }
    let end = next_update.unwrap_or_else(|| this_update.saturating_add(WITHOUT_END).unwrap_or(this_update));
    if end <= now { Err(StatusError::Stale(end)) } else { Ok(()) }
}

fn moment(time: GeneralizedTime) -> Result<Timestamp, StatusError> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs());
    seconds
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or(StatusError::Malformed("OCSP response"))
}
