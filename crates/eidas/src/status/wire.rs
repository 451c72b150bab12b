//! The types of RFC 6960, 4, as far as they are read or written here.

use der::asn1::{Any, BitString, GeneralizedTime, Int, Null, ObjectIdentifier, OctetString};
use der::{Choice, Encode, Enumerated, Sequence, Tag, Tagged};
use x509_cert::ext::Extensions;
use x509_cert::spki::AlgorithmIdentifierOwned;

/// Response type id-pkix-ocsp-basic.
pub(crate) const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
/// Extension id-pkix-ocsp-nonce.
pub(crate) const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct Request {
    pub(crate) tbs: TbsRequest,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) signature: Option<Any>,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct TbsRequest {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "Default::default")]
    pub(crate) version: u8,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) requestor: Option<Any>,
    pub(crate) requests: Vec<SingleRequest>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) extensions: Option<Extensions>,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct SingleRequest {
    pub(crate) id: CertId,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) extensions: Option<Extensions>,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct CertId {
    pub(crate) hash: AlgorithmIdentifierOwned,
    pub(crate) issuer_name: OctetString,
    pub(crate) issuer_key: OctetString,
    pub(crate) serial: Int,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct Response {
    pub(crate) status: ResponseStatus,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) bytes: Option<ResponseBytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Enumerated)]
#[repr(u8)]
pub(crate) enum ResponseStatus {
    Successful = 0,
    MalformedRequest = 1,
    InternalError = 2,
    TryLater = 3,
    SigRequired = 5,
    Unauthorized = 6,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct ResponseBytes {
    pub(crate) kind: ObjectIdentifier,
    pub(crate) response: OctetString,
}

/// What is signed stays as it came: the signature is over those octets.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct BasicResponse {
    pub(crate) tbs: Any,
    pub(crate) algorithm: Any,
    pub(crate) signature: BitString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) certificates: Option<Vec<Any>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct ResponseData {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "Default::default")]
    pub(crate) version: u8,
    pub(crate) responder: Any,
    pub(crate) produced_at: GeneralizedTime,
    pub(crate) responses: Vec<SingleResponse>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) extensions: Option<Extensions>,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct SingleResponse {
    pub(crate) id: CertId,
    pub(crate) status: CertStatus,
    pub(crate) this_update: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) next_update: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) extensions: Option<Extensions>,
}

#[derive(Debug, Clone, PartialEq, Eq, Choice)]
pub(crate) enum CertStatus {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    Good(Null),
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true")]
    Revoked(RevokedInfo),
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT")]
    Unknown(Null),
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct RevokedInfo {
    pub(crate) at: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) reason: Option<Any>,
}

/// Reason certificateHold (RFC 5280, 5.3.1).
const CERTIFICATE_HOLD: u8 = 6;

impl RevokedInfo {
    /// Since when a certificate is revoked for good.
    pub(crate) fn for_good(at: GeneralizedTime) -> Self {
        Self { at, reason: None }
    }

    /// Since when one may not be used for a while.
    pub(crate) fn hold(at: GeneralizedTime) -> Result<Self, der::Error> {
        Ok(Self { at, reason: Some(Any::new(Tag::Enumerated, [CERTIFICATE_HOLD])?) })
    }

    /// Whether it may be a good one again.
    pub(crate) fn is_hold(&self) -> bool {
        self.reason
            .as_ref()
            .is_some_and(|reason| reason.tag() == Tag::Enumerated && reason.value() == [CERTIFICATE_HOLD])
    }
}

/// Which issuer a request or an answer is about: hashes of its name and of its key (RFC 6960, 4.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuerHashes {
    name: Vec<u8>,
    key: Vec<u8>,
}

/// Hashes that requests name issuers by. SHA-1 protects nothing here; it is what every responder knows (RFC 5019, 2.1.1).
const HASHES: [(ObjectIdentifier, &aws_lc_rs::digest::Algorithm); 4] = [
    (SHA_1, &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"), &aws_lc_rs::digest::SHA256),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"), &aws_lc_rs::digest::SHA384),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"), &aws_lc_rs::digest::SHA512),
];

pub(crate) const SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");

/// An issuer's name in DER and its key, as requests are made of them.
#[derive(Debug)]
pub(crate) struct IssuerParts {
    name: Vec<u8>,
    key: Vec<u8>,
}

impl IssuerParts {
    pub(crate) fn of(certificate: &[u8]) -> Result<Self, der::Error> {
        use der::Decode;
        let certificate = x509_cert::Certificate::from_der(certificate)?;
        let tbs = certificate.tbs_certificate();
        let key = tbs.subject_public_key_info().subject_public_key.raw_bytes().to_vec();
        Ok(Self { name: tbs.subject().to_der()?, key })
    }

    /// Its hashes; none for a hash that is not known here.
    pub(crate) fn hashed(&self, hash: ObjectIdentifier) -> Option<IssuerHashes> {
        let (_, algorithm) = HASHES.iter().find(|(known, _)| *known == hash)?;
        let hashed = |octets: &[u8]| aws_lc_rs::digest::digest(algorithm, octets).as_ref().to_vec();
        Some(IssuerHashes { name: hashed(&self.name), key: hashed(&self.key) })
    }

    /// Whether it is the issuer that a certificate is named with.
    pub(crate) fn is_of(&self, id: &CertId) -> bool {
        self.hashed(id.hash.oid)
            .is_some_and(|own| own.name == id.issuer_name.as_bytes() && own.key == id.issuer_key.as_bytes())
    }
}

impl IssuerHashes {
    /// The name of one of its certificates, by SHA-1.
    pub(crate) fn certificate(self, serial: &[u8]) -> Result<CertId, der::Error> {
        Ok(CertId {
            hash: AlgorithmIdentifierOwned { oid: SHA_1, parameters: Some(Null.into()) },
            issuer_name: OctetString::new(self.name)?,
            issuer_key: OctetString::new(self.key)?,
            serial: Int::new(serial)?,
        })
    }

    /// SHA-1 of the key, which a responder names itself by.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }
}

/// The nonce among extensions (RFC 9654, 2.1).
pub(crate) fn nonce(extensions: Option<&Extensions>) -> Option<Vec<u8>> {
    use der::Decode;
    let extension = extensions?.iter().find(|extension| extension.extn_id == NONCE)?;
    let octets = OctetString::from_der(extension.extn_value.as_bytes()).ok()?;
    Some(octets.as_bytes().to_vec())
}

/// A nonce as the one extension.
pub(crate) fn with_nonce(nonce: &[u8]) -> Result<Extensions, der::Error> {
    let value = OctetString::new(OctetString::new(nonce)?.to_der()?)?;
    Ok(vec![x509_cert::ext::Extension { extn_id: NONCE, critical: false, extn_value: value }])
}

/// A critical extension that is not understood here, if there is one: all but the nonce.
pub(crate) fn unknown_critical(extensions: Option<&Extensions>) -> Option<ObjectIdentifier> {
    let all = extensions.into_iter().flatten();
    all.filter(|extension| extension.critical && extension.extn_id != NONCE)
        .map(|extension| extension.extn_id)
        .next()
}
