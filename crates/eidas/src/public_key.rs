//! Public keys of certificates: which kind, how strong, and whether banks may take them
//! (ETSI TS 119 312; RFC 5280, 4.1.2.7).

use der::asn1::ObjectIdentifier;
use x509_parser::public_key::PublicKey as Parsed;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::certificate::read_oid;

/// A certificate's public key.
///
/// ```
/// use eidas::{Certificate, KeyKind};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let key = Certificate::from_pem(pem)?.public_key;
/// assert!(matches!(key.kind, KeyKind::Rsa { bits: 2048, .. }));
/// assert_eq!(key.check(), Ok(()));
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicKey {
    /// SubjectPublicKeyInfo in DER.
    pub spki_der: Vec<u8>,
    /// Kind and strength.
    pub kind: KeyKind,
}

/// Kind and strength of a key.
///
/// ```
/// use eidas::{Certificate, KeyKind};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let kind = Certificate::from_pem(pem)?.public_key.kind;
/// assert_eq!(kind, KeyKind::Rsa { bits: 2048, exponent_is_fit: true });
/// assert_eq!(kind.to_string(), "RSA 2048");
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// rsaEncryption with a modulus of so many bits.
    Rsa {
        /// Bits of the modulus.
        bits: usize,
        /// The exponent is odd and above 2^16, as TS 119 312 asks.
        exponent_is_fit: bool,
    },
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// Anything else, by the algorithm's (or curve's) identifier.
    Other(ObjectIdentifier),
}

/// Why a key is not acceptable.
///
/// ```
/// use eidas::{Certificate, KeyError, KeyKind};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let mut key = Certificate::from_pem(pem)?.public_key;
/// key.kind = KeyKind::Rsa { bits: 1024, exponent_is_fit: true };
/// assert_eq!(key.check(), Err(KeyError::RsaSize(1024)));
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A modulus outside 2048 to 8192 bits.
    #[error("its RSA key has {0} bits; expected 2048 to 8192 (ETSI TS 119 312)")]
    RsaSize(usize),
    /// An even or small exponent.
    #[error("its RSA exponent must be odd and greater than 65536 (ETSI TS 119 312)")]
    RsaExponent,
    /// A kind of key that cannot be used here.
    #[error("its key is of type {0}; expected RSA, NIST P-256, P-384, P-521 or Ed25519")]
    Kind(ObjectIdentifier),
}

impl PublicKey {
    pub(crate) fn read(spki: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        let algorithm = read_oid(&spki.algorithm.algorithm)?;
        let curve = || {
            let parameters = spki.algorithm.parameters.as_ref()?;
            read_oid(&parameters.as_oid().ok()?)
        };
        let kind = match algorithm.to_string().as_str() {
            "1.2.840.113549.1.1.1" => match spki.parsed() {
                Ok(Parsed::RSA(key)) => KeyKind::Rsa {
                    bits: significant_bits(key.modulus),
                    exponent_is_fit: key.try_exponent().is_ok_and(|e| e % 2 == 1 && e > 1 << 16),
                },
                _ => return None,
            },
            "1.2.840.10045.2.1" => match curve()?.to_string().as_str() {
                "1.2.840.10045.3.1.7" => KeyKind::P256,
                "1.3.132.0.34" => KeyKind::P384,
                "1.3.132.0.35" => KeyKind::P521,
                _ => KeyKind::Other(curve()?),
            },
            "1.3.101.112" => KeyKind::Ed25519,
            _ => KeyKind::Other(algorithm),
        };
        Some(Self { spki_der: spki.raw.to_vec(), kind })
    }

    /// Checks kind and strength.
    ///
    /// # Errors
    /// [`KeyError`] saying what would be right.
    pub fn check(&self) -> Result<(), KeyError> {
        match self.kind {
            KeyKind::Rsa { bits, .. } if !(2048..=8192).contains(&bits) => Err(KeyError::RsaSize(bits)),
            KeyKind::Rsa { exponent_is_fit: false, .. } => Err(KeyError::RsaExponent),
            KeyKind::Other(oid) => Err(KeyError::Kind(oid)),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Display for KeyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rsa { bits, .. } => write!(f, "RSA {bits}"),
            Self::P256 => f.write_str("EC P-256"),
            Self::P384 => f.write_str("EC P-384"),
            Self::P521 => f.write_str("EC P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(oid) => write!(f, "{oid}"),
        }
    }
}

fn significant_bits(modulus: &[u8]) -> usize {
    let digits = match modulus.iter().position(|byte| *byte != 0) {
        Some(first) => &modulus[first..],
        None => return 0,
    };
    digits.len() * 8 - digits[0].leading_zeros() as usize
}
