//! A responder that tells by OCSP how certificates of a test authority stand (RFC 6960).

use der::asn1::{Any, BitString, GeneralizedTime, Null, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Tag, TagNumber};
use jiff::Timestamp;
use rcgen::{
    CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    SerialNumber, SigningKey,
};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::fields::{date, rcgen_name};
use super::keys::key_pair;
use super::{Authority, IssueError, KeyType};
use crate::certificate::{Certificate, serial_hex};
use crate::oid;
use crate::status::Standing;
use crate::status::wire::{
    BASIC, BasicResponse, CertId, CertStatus, IssuerParts, Request, Response, ResponseBytes, ResponseData,
    ResponseStatus, RevokedInfo, SHA_1, SingleResponse, nonce, with_nonce,
};

/// Extension id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1): nobody asks how the responder's own certificate stands.
const NO_CHECK: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");
/// ecdsa-with-SHA256 (RFC 5758, 3.2).
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");

/// Most certificates that one request may be about.
const MAX_REQUESTS: usize = 16;

/// Longest nonce, in octets (RFC 9654, 2.1).
const MAX_NONCE: usize = 128;

/// Answers for one authority, with a certificate and key of its own.
///
/// ```
/// use eidas::Certificate;
/// use eidas::status::{OcspRequest, Standing};
/// # use eidas::issue::{Authority, AuthorityName, KeyType};
/// # let name = AuthorityName {
/// #     country: "NL".into(),
/// #     locality: None,
/// #     organization_identifier: None,
/// #     organization: "Example (TEST)".into(),
/// #     common_name: "Example CA (TEST)".into(),
/// # };
/// # let years = ("2020-01-01T00:00:00Z".parse()?, "2090-01-01T00:00:00Z".parse()?);
/// # let (now, until) = ("2027-01-01T12:00:00Z".parse()?, "2027-01-01T13:00:00Z".parse()?);
/// let authority = Authority::root(&name, KeyType::P256, &[1], years)?;
/// let responder = authority.responder(&[9], years)?;
/// // It is asked about the authority's own certificate, of serial number 1.
/// let certificate = Certificate::from_der(authority.der())?;
/// let question = OcspRequest::new(&certificate, &certificate, None)?;
/// let asked = responder.read(question.der()).expect("a question");
/// let answer = responder.answer(asked, &[Standing::Good], (now, until))?;
/// assert_eq!(question.read_answer(&answer, &certificate, now)?.standing, Standing::Good);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Responder {
    issuer: IssuerParts,
    /// SHA-1 of its key, which it names itself by.
    key_hash: Vec<u8>,
    der: Vec<u8>,
    key: KeyPair,
}

/// What somebody asked a responder.
///
/// ```
/// use eidas::Certificate;
/// use eidas::status::OcspRequest;
/// # use eidas::issue::{Authority, AuthorityName, KeyType};
/// # let name = AuthorityName {
/// #     country: "NL".into(),
/// #     locality: None,
/// #     organization_identifier: None,
/// #     organization: "Example (TEST)".into(),
/// #     common_name: "Example CA (TEST)".into(),
/// # };
/// # let years = ("2020-01-01T00:00:00Z".parse()?, "2090-01-01T00:00:00Z".parse()?);
/// let authority = Authority::root(&name, KeyType::P256, &[1], years)?;
/// let responder = authority.responder(&[9], years)?;
/// // It is asked about the authority's own certificate, of serial number 1.
/// let certificate = Certificate::from_der(authority.der())?;
/// let question = OcspRequest::new(&certificate, &certificate, None)?;
/// let asked = responder.read(question.der()).expect("a question");
/// assert_eq!(asked.serials().collect::<Vec<_>>(), [Some("1".to_owned())]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Asked {
    ids: Vec<(CertId, bool)>,
    nonce: Option<Vec<u8>>,
}

impl Asked {
    /// The serial numbers that were asked about, as [`Certificate::serial_hex`] writes them; none for certificates of
    /// another authority.
    pub fn serials(&self) -> impl Iterator<Item = Option<String>> {
        self.ids.iter().map(|(id, own)| own.then(|| serial_hex(id.serial.as_bytes())))
    }
}

/// Answers without a status (RFC 6960, 4.2.1). Nobody signs them.
///
/// ```
/// use eidas::issue::NoStatus;
///
/// assert_eq!(NoStatus::TryLater.der()?, [0x30, 3, 0x0a, 1, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoStatus {
    /// What was asked cannot be read.
    MalformedRequest,
    /// The responder failed.
    InternalError,
    /// It cannot answer now.
    TryLater,
}

impl NoStatus {
    /// The answer in DER.
    ///
    /// # Errors
    /// [`IssueError::Field`]
    pub fn der(self) -> Result<Vec<u8>, IssueError> {
        let status = match self {
            Self::MalformedRequest => ResponseStatus::MalformedRequest,
            Self::InternalError => ResponseStatus::InternalError,
            Self::TryLater => ResponseStatus::TryLater,
        };
        Ok(Response { status, bytes: None }.to_der()?)
    }
}

impl Authority {
    /// Makes a responder with a certificate of this authority.
    ///
    /// # Errors
    /// [`IssueError`]
    pub fn responder(
        &self,
        serial: &[u8],
        validity: (Timestamp, Timestamp),
    ) -> Result<Responder, IssueError> {
        let own = Certificate::from_der(self.der())?;
        let text = |oid| own.subject.first(oid).unwrap_or_default();
        let common_name = format!("{} OCSP", text(oid::COMMON_NAME));
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen_name(&[
            (DnType::CountryName, text(oid::COUNTRY_NAME)),
            (DnType::OrganizationName, text(oid::ORGANIZATION_NAME)),
            (DnType::CommonName, &common_name),
        ])?;
        params.serial_number = Some(SerialNumber::from_slice(serial));
        (params.not_before, params.not_after) = (date(validity.0)?, date(validity.1)?);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
        let no_check = CustomExtension::from_oid_content(&oid::arcs(NO_CHECK), Null.to_der()?);
        params.custom_extensions.push(no_check);
        let key = key_pair(KeyType::P256)?;
        let der = params.signed_by(&key, &self.issuer)?.der().to_vec();
        let hashes = IssuerParts::of(&der)?.hashed(SHA_1);
        let key_hash = hashes.map(|hashes| hashes.key().to_vec()).unwrap_or_default();
        Ok(Responder { issuer: IssuerParts::of(self.der())?, key_hash, der, key })
    }
}

impl Responder {
    /// Reads what somebody asks: none if it cannot be read, asks about nothing or too much.
    pub fn read(&self, der: &[u8]) -> Option<Asked> {
        let tbs = Request::from_der(der).ok()?.tbs;
        let nonce = nonce(tbs.extensions.as_ref());
        let is_fit = (1..=MAX_REQUESTS).contains(&tbs.requests.len())
            && nonce.as_ref().is_none_or(|nonce| (1..=MAX_NONCE).contains(&nonce.len()));
        let ids = tbs.requests.into_iter().map(|request| (self.issuer.is_of(&request.id), request.id));
        is_fit.then(|| Asked { ids: ids.map(|(own, id)| (id, own)).collect(), nonce })
    }

    /// Answers for each certificate that was asked about, in their order, as of `now` and until `next_update`. Those beyond
    /// the end of `standings` are unknown.
    ///
    /// # Errors
    /// [`IssueError`]
    pub fn answer(
        &self,
        asked: Asked,
        standings: &[Standing],
        (now, next_update): (Timestamp, Timestamp),
    ) -> Result<Vec<u8>, IssueError> {
        let extensions = asked.nonce.map(|nonce| with_nonce(&nonce)).transpose()?;
        let standings = standings.iter().copied().chain(std::iter::repeat(Standing::Unknown));
        let responses = asked.ids.into_iter().zip(standings).map(|((id, _), standing)| {
            let status = match standing {
                Standing::Good => CertStatus::Good(Null),
                Standing::Revoked { at } => CertStatus::Revoked(RevokedInfo::for_good(moment(at)?)),
                Standing::Suspended { at } => CertStatus::Revoked(RevokedInfo::hold(moment(at)?)?),
                Standing::Unknown => CertStatus::Unknown(Null),
            };
            let (this_update, next_update) = (moment(now)?, Some(moment(next_update)?));
            Ok::<_, IssueError>(SingleResponse { id, status, this_update, next_update, extensions: None })
        });
        let by_key = Tag::ContextSpecific { constructed: true, number: TagNumber(2) };
        let data = ResponseData {
            version: 0,
            responder: Any::new(by_key, OctetString::new(&self.key_hash[..])?.to_der()?)?,
            produced_at: moment(now)?,
            responses: responses.collect::<Result<_, _>>()?,
            extensions,
        };
        let signed = data.to_der()?;
        let algorithm = AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None };
        let basic = BasicResponse {
            signature: BitString::from_bytes(&self.key.sign(&signed)?)?,
            tbs: Any::from_der(&signed)?,
            algorithm: Any::from_der(&algorithm.to_der()?)?,
            certificates: Some(vec![Any::from_der(&self.der)?]),
        };
        let bytes = ResponseBytes { kind: BASIC, response: OctetString::new(basic.to_der()?)? };
        Ok(Response { status: ResponseStatus::Successful, bytes: Some(bytes) }.to_der()?)
    }
}

fn moment(time: Timestamp) -> Result<GeneralizedTime, IssueError> {
    let seconds = u64::try_from(time.as_second()).unwrap_or_default();
    Ok(GeneralizedTime::from_unix_duration(std::time::Duration::from_secs(seconds))?)
}
