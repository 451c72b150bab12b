//! Secrets are kept as hashes and compared in constant time.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::HEXLOWER;
use domain::SecretHash;
use subtle::ConstantTimeEq;

/// The hash under which a secret is stored.
pub fn hash(secret: &str) -> SecretHash {
    SecretHash::from_hex(hex(digest(&SHA256, secret.as_bytes()).as_ref()))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(octets: &[u8]) -> String {
    HEXLOWER.encode(octets)
}

/// The challenge that a code verifier is made for (RFC 7636, 4.2, S256).
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// Whether `secret` is the one whose hash is stored, in time that does not depend on either.
pub fn matches(secret: &str, stored: &SecretHash) -> bool {
    hash(secret).as_hex().as_bytes().ct_eq(stored.as_hex().as_bytes()).into()
}

/// SHA-256 of a certificate's DER, lower-case hexadecimal.
pub fn fingerprint(der: &[u8]) -> String {
    hex(digest(&SHA256, der).as_ref())
}
