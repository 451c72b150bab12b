//! Secrets are kept as hashes and compared in constant time.

use aws_lc_rs::digest::{SHA256, digest};
use domain::SecretHash;
use subtle::ConstantTimeEq;

/// The hash under which a secret is stored.
pub(crate) fn hash(secret: &str) -> SecretHash {
    let octets = digest(&SHA256, secret.as_bytes());
    SecretHash::from_hex(octets.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Whether `secret` is the one whose hash is stored, in time that does not depend on either.
pub(crate) fn matches(secret: &str, stored: &SecretHash) -> bool {
    hash(secret).as_hex().as_bytes().ct_eq(stored.as_hex().as_bytes()).into()
}
