//! The signature over a request, held against the certificate that came with it.

use eidas::key_id::KeyIdError;
use gateway::PresentedCertificate;
use gateway::profile::SignatureRules;
use http_signatures::cavage::{self, SignatureHeader};
use http_signatures::{Message, Refusal};
use jiff::Timestamp;

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
    let header = SignatureHeader::parse(value).map_err(refused)?;
    let expected = || presented.certificate.key_id();
    let key_id =
        header.key_id.as_deref().ok_or_else(|| SignatureRefusal::KeyIdMissing { expected: expected() })?;
    presented
        .check_key_id(key_id, rules.key_id)
        .map_err(|error| SignatureRefusal::KeyId { error, expected: expected() })?;
    cavage::verify(message, &header, &presented.key, &rules.signature, now).map_err(refused)?;
    Ok(())
}
