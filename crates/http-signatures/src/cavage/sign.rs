//! Writing the header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::signing_string;
use crate::key::{Algorithm, PrivateKey};
use crate::{Message, Refusal};

/// Signs these headers of a request and returns the value of its `Signature` header.
///
/// # Errors
/// [`Refusal::CoveredHeaderMissing`] for a name the request does not have, [`Refusal::CannotSign`] for an
/// algorithm that is not of the key's kind or has no name in this scheme.
pub fn sign(
    message: &Message<'_>,
    key: &PrivateKey,
    algorithm: Algorithm,
    key_id: &str,
    names: &[&str],
) -> Result<String, Refusal> {
    sign_string(&signing_string(names, message, None, None)?, key, algorithm, key_id, names)
}

/// As [`sign`], for a signing string that was made before.
///
/// # Errors
/// [`Refusal::CannotSign`]
pub fn sign_string(
    signing_string: &[u8],
    key: &PrivateKey,
    algorithm: Algorithm,
    key_id: &str,
    names: &[&str],
) -> Result<String, Refusal> {
    let label = match algorithm {
        Algorithm::RsaPkcs1Sha256 => "rsa-sha256",
        Algorithm::RsaPkcs1Sha512 => "rsa-sha512",
        Algorithm::EcdsaP256Sha256Asn1 => "ecdsa-sha256",
        other => return Err(Refusal::CannotSign(other.name())),
    };
    let value = STANDARD.encode(key.sign(algorithm, signing_string)?);
    Ok(format!(
        "keyId=\"{key_id}\",algorithm=\"{label}\",headers=\"{}\",signature=\"{value}\"",
        names.join(" ")
    ))
}
