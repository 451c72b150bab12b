//! The signature over a request, held against the certificate that came with it.

use eidas::key_id::KeyIdError;
use gateway::PresentedCertificate;
use gateway::profile::SignatureRules;
use http_signatures::cavage::{self, SignatureHeader};
use http_signatures::digest::{Prefix, check_digest};
use http_signatures::{Message, Refusal};
use jiff::Timestamp;

use crate::proof::note_signed;
use crate::recording::{Check, Comparison, of_body, of_signing_string};
use crate::{note_check, note_comparison, note_failed, note_passed};

/// Why a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefusal {
    /// No key id at all.
    #[error("the Signature header has no keyId; expected keyId=\"{expected}\"")]
    KeyIdMissing {
        /// The certificate's key id.
        expected: String,
    },
    /// The key id is not that of the certificate.
    #[error("{error}; expected keyId=\"{expected}\"")]
    KeyId {
        /// What does not fit.
        error: KeyIdError,
        /// The certificate's key id.
        expected: String,
    },
    /// The signature itself.
    #[error("{refusal} (certificate: serial number {serial}, SHA-256 {fingerprint})")]
    Signature {
        /// Which rule is broken.
        refusal: Refusal,
        /// Serial number of the certificate that was used.
        serial: String,
        /// Fingerprint of the certificate that was used.
        fingerprint: String,
    },
}

impl SignatureRefusal {
    /// Whether a signed date is none or too far from now, which has a code of its own.
    pub fn is_about_time(&self) -> bool {
        let Self::Signature { refusal, .. } = self else { return false };
        matches!(refusal, Refusal::DateOutOfWindow { .. } | Refusal::DateMalformed { .. })
    }
}

/// Verifies the `Signature` header of a message with the key of the certificate that came along.
///
/// # Errors
/// [`SignatureRefusal`]
pub fn check_message_signature(
    message: &Message<'_>,
    value: &str,
    presented: &PresentedCertificate,
    rules: &SignatureRules,
    now: Timestamp,
) -> Result<(), SignatureRefusal> {
    let refused = |refusal| SignatureRefusal::Signature {
        refusal,
        serial: presented.holder.serial.clone(),
        fingerprint: presented.holder.fingerprint.clone(),
    };
    let header = note_check(Check::SignatureHeader, SignatureHeader::parse(value)).map_err(refused)?;
    let expected = || presented.certificate.key_id();
    let key_id = header.key_id.as_deref().ok_or_else(|| {
        note_failed(Check::KeyId);
        SignatureRefusal::KeyIdMissing { expected: expected() }
    })?;
    let fits = note_check(Check::KeyId, presented.check_key_id(key_id, rules.key_id));
    fits.map_err(|error| {
        let (expected, got) = (expected(), Some(key_id.to_owned()));
        let remark = None;
        note_comparison(|_| Comparison { what: "keyId", expected: expected.clone(), got, remark });
        SignatureRefusal::KeyId { error, expected }
    })?;
    let verified = cavage::verify(message, &header, &presented.key, &rules.signature, now);
    note_verification(message, &header, presented, rules, &verified);
    verified.map_err(refused)?;
    note_signed();
    Ok(())
}

/// Notes which checks of a signature were passed, in their order, and what was signed.
fn note_verification(
    message: &Message<'_>,
    header: &SignatureHeader,
    presented: &PresentedCertificate,
    rules: &SignatureRules,
    verified: &Result<Vec<u8>, Refusal>,
) {
    const ORDER: [Check; 4] =
        [Check::Algorithm, Check::SignedHeaders, Check::SignatureTime, Check::Signature];
    const WHAT: &str = "signing string";
    let failed = verified.as_ref().err().map(Check::from);
    ORDER.into_iter().take_while(|check| Some(*check) != failed).for_each(note_passed);
    failed.into_iter().for_each(note_failed);
    note_comparison(|_| match verified {
        Ok(text) => {
            let text = String::from_utf8_lossy(text).into_owned();
            Comparison { what: WHAT, expected: text.clone(), got: Some(text), remark: None }
        }
        Err(Refusal::SignatureMismatch { signing_string, .. }) => {
            let algorithm = cavage::choose_algorithm(header, &presented.key, &rules.signature);
            let verifies = |text: &[u8]| {
                algorithm
                    .as_ref()
                    .is_ok_and(|algorithm| presented.key.verifies(*algorithm, text, &header.signature))
            };
            let (got, remark) = match of_signing_string(message, header, verifies) {
                Some((got, remark)) => (got, Some(remark)),
                None => (None, None),
            };
            Comparison { what: WHAT, expected: signing_string.clone(), got, remark }
        }
        Err(_) => {
            let (required, signed) = (rules.signature.required.join(" "), header.headers.join(" "));
            Comparison { what: "headers", expected: required, got: Some(signed), remark: None }
        }
    });
}

/// Holds a `Digest` header against a body.
///
/// # Errors
/// [`Refusal`]
pub fn check_body_digest(value: &str, body: &[u8], prefix: Prefix) -> Result<(), Refusal> {
    let outcome = note_check(Check::Digest, check_digest(value, body, prefix));
    if let Err(Refusal::DigestMismatch { expected, got, .. }) = &outcome {
        note_comparison(|before| {
            let mistake = of_body(body, |other| check_digest(value, other, prefix).is_ok());
            let remark = mistake.map(|(_, remark)| remark);
            // The digest is part of what is signed.
            match before {
                Some(before) if before.expected.contains(got.as_str()) => Comparison {
                    expected: before.expected.replacen(got.as_str(), expected, 1),
                    got: Some(before.expected),
                    remark,
                    ..before
                },
                _ => {
                    Comparison { what: "Digest", expected: expected.clone(), got: Some(got.clone()), remark }
                }
            }
        });
    }
    outcome
}
