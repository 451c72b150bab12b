//! Keys that are made or read.

use rcgen::{KeyPair, RsaKeySize, SubjectPublicKeyInfo};

use super::IssueError;

/// The keys of authorities and third parties that this module makes.
///
/// ```
/// use eidas::issue::{KeyType, generate_key};
///
/// let (private_key, public_key) = generate_key(KeyType::P256)?;
/// assert!(private_key.starts_with("-----BEGIN PRIVATE KEY-----"));
/// assert!(public_key.starts_with("-----BEGIN PUBLIC KEY-----"));
/// # Ok::<(), eidas::issue::IssueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// RSA with 2048 bits.
    Rsa2048,
    /// NIST P-256.
    P256,
}

/// Makes a private key and returns it as PKCS#8 PEM with the public key as PEM. The key comes from the
/// cryptographic library's own generator.
///
/// # Errors
/// [`IssueError::Field`] if the generator fails.
pub fn generate_key(key_type: KeyType) -> Result<(String, String), IssueError> {
    let key = key_pair(key_type)?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

/// Where tests draw RSA keys from, in place of the generator.
#[cfg(feature = "drawn-keys")]
static DRAWN: std::sync::OnceLock<fn() -> String> = std::sync::OnceLock::new();

/// For tests alone: takes each RSA key of this process from `source` from now on, as PKCS#8 PEM. Making them is most of
/// the time of tests that start many banks. Only the first source counts.
#[cfg(feature = "drawn-keys")]
pub fn draw_rsa_keys_from(source: fn() -> String) {
    let _ = DRAWN.set(source);
}

pub(super) fn key_pair(key_type: KeyType) -> Result<KeyPair, IssueError> {
    #[cfg(feature = "drawn-keys")]
    if let (KeyType::Rsa2048, Some(source)) = (key_type, DRAWN.get()) {
        return read_key_pair(source());
    }
    Ok(match key_type {
        KeyType::Rsa2048 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048)?,
        KeyType::P256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?,
    })
}

/// Reads a private key. The library's errors are dropped: they could repeat it.
pub(super) fn read_key_pair(pem: impl AsRef<[u8]>) -> Result<KeyPair, IssueError> {
    let key = crate::pem::private_key(pem.as_ref()).map_err(|error| IssueError::Key(error.to_string()))?;
    KeyPair::try_from(&key.der[..])
        .map_err(|_| IssueError::Key("it is not RSA, EC P-256, EC P-384, EC P-521 or Ed25519".to_owned()))
}

pub(super) fn read_public_key(pem: &str) -> Result<SubjectPublicKeyInfo, IssueError> {
    let der =
        crate::pem::public_key(pem.as_bytes()).map_err(|error| IssueError::PublicKey(error.to_string()))?;
    SubjectPublicKeyInfo::from_der(&der).map_err(|_| {
        IssueError::PublicKey("it is not RSA, EC P-256, EC P-384, EC P-521 or Ed25519".to_owned())
    })
}
