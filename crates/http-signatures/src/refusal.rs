//! Why a message is refused.

use jiff::Timestamp;

/// The rule that a message breaks. `Display` says what was expected and what came; the texts hold parts of the
/// message and belong in answers to its sender only, not in logs.
///
/// ```
/// use http_signatures::digest::{Prefix, check_digest};
///
/// let refusal = check_digest("MD5=AAAA", b"", Prefix::Required).unwrap_err();
/// assert_eq!(refusal.to_string(), "digest algorithm \"MD5\" is not allowed; use SHA-256 or SHA-512");
/// assert_eq!(refusal.reason(), "digest_algorithm_not_allowed");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The digest header is not there.
    #[error("the {0} header is missing")]
    DigestHeaderMissing(&'static str),
    /// The digest header cannot be read.
    #[error("the {header} header must be {form}; got \"{got}\"")]
    DigestMalformed {
        /// The header's name.
        header: &'static str,
        /// What it has to look like.
        form: &'static str,
        /// What came.
        got: String,
    },
    /// The digest uses another algorithm than SHA-256 and SHA-512.
    #[error("digest algorithm \"{0}\" is not allowed; use SHA-256 or SHA-512")]
    DigestAlgorithmNotAllowed(String),
    /// The digest is not that of the body.
    #[error(
        "the digest does not match the body of {octets} octets: expected {expected}, got {got}; \
         hash the exact octets that are sent"
    )]
    DigestMismatch {
        /// Length of the body.
        octets: usize,
        /// The header value that would be right.
        expected: String,
        /// The header value that came.
        got: String,
    },
    /// The signature header cannot be read.
    #[error("the Signature header cannot be read: {0}")]
    SignatureHeaderMalformed(String),
    /// The algorithm is unknown or forbidden.
    #[error("algorithm \"{got}\" is not allowed; use {allowed}")]
    AlgorithmNotAllowed {
        /// What came.
        got: String,
        /// What would be right.
        allowed: &'static str,
    },
    /// The algorithm is for another kind of key.
    #[error("algorithm \"{algorithm}\" does not fit the certificate's key, which is {key}")]
    AlgorithmKeyMismatch {
        /// What came.
        algorithm: String,
        /// The kind of the key.
        key: &'static str,
    },
    /// A header that has to be signed is not in the list.
    #[error(
        "header \"{missing}\" must be signed: name it in headers=\"…\"; got headers=\"{}\"",
        covered.join(" ")
    )]
    RequiredHeaderNotCovered {
        /// The header's name.
        missing: String,
        /// The names that are signed.
        covered: Vec<String>,
    },
    /// A component that has to be signed is not in the list (RFC 9421).
    #[error("component \"{0}\" must be signed: name it in Signature-Input")]
    RequiredComponentNotCovered(String),
    /// A header named in the list is not in the request.
    #[error("header \"{0}\" is named as signed but is not in the request")]
    CoveredHeaderMissing(String),
    /// A name occurs twice in the list.
    #[error("header \"{0}\" is named as signed more than once")]
    DuplicateCoveredHeader(String),
    /// `(created)` or `(expires)` with an algorithm for which the draft forbids them.
    #[error("(created) and (expires) may not be signed with algorithm \"{0}\" (draft-cavage-12, 2.3)")]
    CreatedNotAllowedWithAlgorithm(String),
    /// The signature is too old.
    #[error("the signature expired at {0}; check the clock of the sender")]
    Expired(Timestamp),
    /// The signature was made in the future.
    #[error("the signature is valid from {0} only; check the clock of the sender")]
    NotYetValid(Timestamp),
    /// The signed date is too far from now.
    #[error("the signed Date header is \"{got}\"; it must be within {window} seconds of {now}")]
    DateOutOfWindow {
        /// What came.
        got: String,
        /// Now, by the reader's clock.
        now: Timestamp,
        /// Seconds allowed.
        window: i64,
    },
    /// The signed date cannot be read.
    #[error(
        "the signed Date header is \"{got}\", which is no HTTP date; send one such as Tue, 20 Apr 2021 02:07:55 GMT \
         (RFC 9110, 5.6.7)"
    )]
    DateMalformed {
        /// What came.
        got: String,
    },
    /// The value does not verify.
    #[error(
        "the signature does not verify with the certificate's key and {algorithm} over the signing string, its line \
         feeds shown as \\n: \"{}\"",
        signing_string.replace('\n', "\\n")
    )]
    SignatureMismatch {
        /// The algorithm used.
        algorithm: &'static str,
        /// The octets that should have been signed, as text.
        signing_string: String,
    },
    /// No signature with the tag of the profile (RFC 9421).
    #[error("no signature with tag=\"{0}\" in Signature-Input")]
    NoSignatureWithTag(&'static str),
    /// Several signatures with the tag of the profile (RFC 9421).
    #[error("more than one signature with tag=\"{0}\" in Signature-Input")]
    SeveralSignaturesWithTag(&'static str),
    /// The key id is not that of the certificate (RFC 9421).
    #[error("keyid must be {expected}, the base64url SHA-256 of the certificate; got \"{got}\"")]
    KeyIdMismatch {
        /// The key id of the certificate.
        expected: String,
        /// What came.
        got: String,
    },
    /// The key cannot be used to sign.
    #[error("the key cannot sign with {0}")]
    CannotSign(&'static str),
}

impl Refusal {
    /// A short stable name for programs, for example `digest_mismatch`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::DigestHeaderMissing(_) => "digest_header_missing",
            Self::DigestMalformed { .. } => "digest_malformed",
            Self::DigestAlgorithmNotAllowed(_) => "digest_algorithm_not_allowed",
            Self::DigestMismatch { .. } => "digest_mismatch",
            Self::SignatureHeaderMalformed(_) => "signature_header_malformed",
            Self::AlgorithmNotAllowed { .. } => "algorithm_not_allowed",
            Self::AlgorithmKeyMismatch { .. } => "algorithm_key_mismatch",
            Self::RequiredHeaderNotCovered { .. } => "required_header_not_covered",
            Self::RequiredComponentNotCovered(_) => "required_component_not_covered",
            Self::CoveredHeaderMissing(_) => "covered_header_missing",
            Self::DuplicateCoveredHeader(_) => "duplicate_covered_header",
            Self::CreatedNotAllowedWithAlgorithm(_) => "created_not_allowed_with_algorithm",
            Self::Expired(_) => "signature_expired",
            Self::NotYetValid(_) => "signature_not_yet_valid",
            Self::DateMalformed { .. } => "date_malformed",
            Self::DateOutOfWindow { .. } => "date_out_of_window",
            Self::SignatureMismatch { .. } => "signature_mismatch",
            Self::NoSignatureWithTag(_) => "no_signature_with_expected_tag",
            Self::SeveralSignaturesWithTag(_) => "several_signatures_with_expected_tag",
            Self::KeyIdMismatch { .. } => "keyid_mismatch",
            Self::CannotSign(_) => "cannot_sign",
        }
    }
}
