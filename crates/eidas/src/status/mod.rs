//! Whether a certificate was revoked, as its issuer says: by a revocation list (RFC 5280, 5) or by an answer of the Online
//! Certificate Status Protocol (RFC 6960).
//!
//! What an issuer says is taken if it, or whoever it charged with saying so, signed it, if it is about this certificate, and
//! if it still holds. To fetch it is for the caller.

mod list;
mod ocsp;
mod scope;
pub(crate) mod wire;

use jiff::Timestamp;

pub use list::{by_list, times_of_list};
pub use ocsp::OcspRequest;

/// What an issuer says of one certificate.
///
/// ```
/// use eidas::Certificate;
/// use eidas::status::{OcspRequest, Standing, Status};
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
/// // It is asked about the authority's own certificate.
/// let certificate = Certificate::from_der(authority.der())?;
/// let question = OcspRequest::new(&certificate, &certificate, None)?;
/// let asked = responder.read(question.der()).expect("a question");
/// let answer = responder.answer(asked, &[Standing::Good], (now, until))?;
/// let status = question.read_answer(&answer, &certificate, now)?;
/// assert_eq!(status, Status { standing: Standing::Good, this_update: now, next_update: Some(until) });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// How it stands.
    pub standing: Standing,
    /// As of when the issuer says so.
    pub this_update: Timestamp,
    /// When the issuer says more at the latest.
    pub next_update: Option<Timestamp>,
}

/// How a certificate stands with its issuer.
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
/// // It is asked about the authority's own certificate.
/// let certificate = Certificate::from_der(authority.der())?;
/// let question = OcspRequest::new(&certificate, &certificate, None)?;
/// let asked = responder.read(question.der()).expect("a question");
/// let answer = responder.answer(asked, &[Standing::Revoked { at: now }], (now, until))?;
/// let status = question.read_answer(&answer, &certificate, now)?;
/// assert_eq!(status.standing, Standing::Revoked { at: now });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was not revoked.
    Good,
    /// It was revoked for good. Why makes no difference.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
    /// It may not be used for a while (certificateHold; RFC 5280, 5.3.1): its issuer may make it a good one again.
    Suspended {
        /// Since when.
        at: Timestamp,
    },
    /// The issuer does not know it.
    Unknown,
}

/// Why something does not tell how a certificate stands.
///
/// ```
/// use eidas::Certificate;
/// use eidas::status::{StatusError, by_list};
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
/// let certificate = Certificate::from_der(authority.der())?;
/// let list = authority.revocation_list(7, &[], now, until)?;
/// assert_eq!(by_list(&list, &certificate, &certificate, until), Err(StatusError::Stale(until)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// It cannot be read.
    #[error("it is no {0} in DER")]
    Malformed(&'static str),
    /// The responder does not answer the question.
    #[error("the responder answers {0} instead of a status")]
    NoAnswer(&'static str),
    /// It is about other certificates.
    #[error("it is not about this certificate")]
    OtherCertificate,
    /// Neither the issuer nor anyone with a certificate for it by the issuer signed it.
    #[error("it was not signed by the issuer, nor by a responder that the issuer certified for OCSP")]
    Signer,
    /// It speaks of a later time.
    #[error("it begins to hold at {0}, which is not yet")]
    Early(Timestamp),
    /// It does not hold any more.
    #[error("it is out of date: {0}")]
    Stale(Timestamp),
    /// It answers another question.
    #[error("its nonce is not the one that was sent")]
    Nonce,
    /// It has parts that are not understood here, and must be.
    #[error("it cannot be used: {0}")]
    Unusable(String),
}
