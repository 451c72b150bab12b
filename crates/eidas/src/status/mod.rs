//! Whether a certificate was revoked, as its issuer says: by a revocation list (RFC 5280, 5) or by an answer of the Online
//! Certificate Status Protocol (RFC 6960).
//!
//! What an issuer says is taken if it, or whoever it charged with saying so, signed it, if it is about this certificate, and
//! if it still holds. To fetch it is for the caller.

mod list;
mod ocsp;
pub(crate) mod wire;

use jiff::Timestamp;

pub use list::{by_list, times_of_list};
pub use ocsp::OcspRequest;

/// What an issuer says of one certificate.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was not revoked.
    Good,
    /// It was revoked, or may not be used for a while. Why makes no difference.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
    /// The issuer does not know it.
    Unknown,
}

/// Why something does not tell how a certificate stands.
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
