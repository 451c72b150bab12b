//! Keys and algorithms. The cryptography is aws-lc-rs's.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self as crypto, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey, RsaKeyPair,
};
use pem_text::{Kind, PemError};

use crate::Refusal;

/// A signature algorithm with the encoding of its value.
///
/// ```
/// use http_signatures::key::{Algorithm, KeyKind};
///
/// assert_eq!(Algorithm::RsaPssSha512.key_kind(), KeyKind::Rsa);
/// assert_eq!(Algorithm::EcdsaP256Sha256Fixed.name(), "ECDSA P-256 with SHA-256 (r and s, 64 octets)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaPkcs1Sha256,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaPkcs1Sha512,
    /// RSASSA-PSS with SHA-512 and a salt of 64 octets.
    RsaPssSha512,
    /// ECDSA on P-256 with SHA-256, value r‖s.
    EcdsaP256Sha256Fixed,
    /// ECDSA on P-256 with SHA-256, value in DER.
    EcdsaP256Sha256Asn1,
    /// ECDSA on P-384 with SHA-384, value r‖s.
    EcdsaP384Sha384Fixed,
    /// ECDSA on P-384 with SHA-384, value in DER.
    EcdsaP384Sha384Asn1,
    /// ECDSA on P-521 with SHA-512, value r‖s.
    EcdsaP521Sha512Fixed,
    /// ECDSA on P-521 with SHA-512, value in DER.
    EcdsaP521Sha512Asn1,
    /// Ed25519.
    Ed25519,
}

/// Kind of a key.
///
/// ```
/// assert_eq!(http_signatures::key::KeyKind::P384.name(), "EC P-384");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::P256 => "EC P-256",
            Self::P384 => "EC P-384",
            Self::P521 => "EC P-521",
            Self::Ed25519 => "Ed25519",
        }
    }
}

impl Algorithm {
    const ALL: [Self; 10] = [
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha512,
        Self::RsaPssSha512,
        Self::EcdsaP256Sha256Fixed,
        Self::EcdsaP256Sha256Asn1,
        Self::EcdsaP384Sha384Fixed,
        Self::EcdsaP384Sha384Asn1,
        Self::EcdsaP521Sha512Fixed,
        Self::EcdsaP521Sha512Asn1,
        Self::Ed25519,
    ];

    /// The kind of key it works with.
    pub fn key_kind(self) -> KeyKind {
        match self {
            Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha512 | Self::RsaPssSha512 => KeyKind::Rsa,
            Self::EcdsaP256Sha256Fixed | Self::EcdsaP256Sha256Asn1 => KeyKind::P256,
            Self::EcdsaP384Sha384Fixed | Self::EcdsaP384Sha384Asn1 => KeyKind::P384,
            Self::EcdsaP521Sha512Fixed | Self::EcdsaP521Sha512Asn1 => KeyKind::P521,
            Self::Ed25519 => KeyKind::Ed25519,
        }
    }

    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs1Sha256 => "RSASSA-PKCS1-v1_5 with SHA-256",
            Self::RsaPkcs1Sha512 => "RSASSA-PKCS1-v1_5 with SHA-512",
            Self::RsaPssSha512 => "RSASSA-PSS with SHA-512",
            Self::EcdsaP256Sha256Fixed => "ECDSA P-256 with SHA-256 (r and s, 64 octets)",
            Self::EcdsaP256Sha256Asn1 => "ECDSA P-256 with SHA-256 (DER)",
            Self::EcdsaP384Sha384Fixed => "ECDSA P-384 with SHA-384 (r and s, 96 octets)",
            Self::EcdsaP384Sha384Asn1 => "ECDSA P-384 with SHA-384 (DER)",
            Self::EcdsaP521Sha512Fixed => "ECDSA P-521 with SHA-512 (r and s, 132 octets)",
            Self::EcdsaP521Sha512Asn1 => "ECDSA P-521 with SHA-512 (DER)",
            Self::Ed25519 => "Ed25519",
        }
    }

    fn verification(self) -> &'static dyn crypto::VerificationAlgorithm {
        match self {
            Self::RsaPkcs1Sha256 => &crypto::RSA_PKCS1_2048_8192_SHA256,
            Self::RsaPkcs1Sha512 => &crypto::RSA_PKCS1_2048_8192_SHA512,
            Self::RsaPssSha512 => &crypto::RSA_PSS_2048_8192_SHA512,
            Self::EcdsaP256Sha256Fixed => &crypto::ECDSA_P256_SHA256_FIXED,
            Self::EcdsaP256Sha256Asn1 => &crypto::ECDSA_P256_SHA256_ASN1,
            Self::EcdsaP384Sha384Fixed => &crypto::ECDSA_P384_SHA384_FIXED,
            Self::EcdsaP384Sha384Asn1 => &crypto::ECDSA_P384_SHA384_ASN1,
            Self::EcdsaP521Sha512Fixed => &crypto::ECDSA_P521_SHA512_FIXED,
            Self::EcdsaP521Sha512Asn1 => &crypto::ECDSA_P521_SHA512_ASN1,
            Self::Ed25519 => &crypto::ED25519,
        }
    }
}

/// A key cannot be read. No text repeats any of it.
///
/// ```
/// use http_signatures::key::PrivateKey;
///
/// let error = PrivateKey::from_pem("secret").unwrap_err();
/// assert!(!error.to_string().contains("secret"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(String);

impl From<PemError> for KeyError {
    fn from(error: PemError) -> Self {
        Self(error.to_string())
    }
}

/// A public key that has been parsed once for each algorithm it is used with.
///
/// ```
/// use http_signatures::key::{Algorithm, KeyKind, PrivateKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (private, _) = PrivateKey::generate_p256()?;
/// let public = private.public_key()?;
/// let signature = private.sign(Algorithm::EcdsaP256Sha256Fixed, b"message")?;
/// assert_eq!(public.kind(), KeyKind::P256);
/// assert!(public.verifies(Algorithm::EcdsaP256Sha256Fixed, b"message", &signature));
/// assert!(!public.verifies(Algorithm::EcdsaP256Sha256Fixed, b"another", &signature));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PublicKey {
    spki_der: Vec<u8>,
    kind: KeyKind,
    parsed: [OnceLock<Option<ParsedPublicKey>>; Algorithm::ALL.len()],
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// [`KeyError`] for anything but RSA, P-256, P-384, P-521 and Ed25519.
    pub fn from_spki_der(spki_der: &[u8]) -> Result<Self, KeyError> {
        let candidates = [
            Algorithm::RsaPkcs1Sha256,
            Algorithm::EcdsaP256Sha256Asn1,
            Algorithm::EcdsaP384Sha384Asn1,
            Algorithm::EcdsaP521Sha512Asn1,
            Algorithm::Ed25519,
        ];
        let unknown = "the public key is not RSA, EC P-256, EC P-384, EC P-521 or Ed25519";
        let kind = candidates
            .into_iter()
            .find(|algorithm| ParsedPublicKey::new(algorithm.verification(), spki_der).is_ok())
            .map(Algorithm::key_kind)
            .ok_or_else(|| KeyError(unknown.to_owned()))?;
        Ok(Self { spki_der: spki_der.to_vec(), kind, parsed: Default::default() })
    }

    /// Kind of the key.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether `signature` is this key's over `message`. False as well for an algorithm of another kind of key.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let Some(slot) = Algorithm::ALL.iter().position(|a| *a == algorithm) else { return false };
        self.parsed[slot]
            .get_or_init(|| ParsedPublicKey::new(algorithm.verification(), &self.spki_der).ok())
            .as_ref()
            .is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

/// A private key that signs.
///
/// ```
/// use http_signatures::key::{Algorithm, KeyKind, PrivateKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (key, pkcs8) = PrivateKey::generate_p256()?;
/// assert_eq!(PrivateKey::from_pkcs8_der(&pkcs8)?.kind(), KeyKind::P256);
/// assert!(key.sign(Algorithm::RsaPkcs1Sha256, b"message").is_err(), "a key has the algorithms of its kind");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PrivateKey(Pair);

#[derive(Debug)]
enum Pair {
    Rsa(Box<RsaKeyPair>),
    /// The library ties the encoding of the value to the pair.
    Ec {
        kind: KeyKind,
        fixed: Box<EcdsaKeyPair>,
        asn1: Box<EcdsaKeyPair>,
    },
    Ed25519(Box<Ed25519KeyPair>),
}

impl PrivateKey {
    /// Reads a key in PEM: PKCS#8 (`BEGIN PRIVATE KEY`), PKCS#1 (`BEGIN RSA PRIVATE KEY`) or SEC 1
    /// (`BEGIN EC PRIVATE KEY`), in whatever layout.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let key = pem_text::private_key(pem.as_ref())?;
        match key.kind {
            Kind::RsaPrivateKey => {
                RsaKeyPair::from_der(&key.der).map(|pair| Self(Pair::Rsa(Box::new(pair)))).map_err(|_| {
                    KeyError("the private key is not RSA of 2048 to 8192 bits in PKCS#1".to_owned())
                })
            }
            _ => Self::from_pkcs8_der(&key.der),
        }
    }

    /// Reads a key in PKCS#8 DER, or an EC key in SEC 1 DER.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der) {
            return Ok(Self(Pair::Rsa(Box::new(pair))));
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
            return Ok(Self(Pair::Ed25519(Box::new(pair))));
        }
        for (kind, fixed, asn1) in [
            (
                KeyKind::P256,
                &crypto::ECDSA_P256_SHA256_FIXED_SIGNING,
                &crypto::ECDSA_P256_SHA256_ASN1_SIGNING,
            ),
            (
                KeyKind::P384,
                &crypto::ECDSA_P384_SHA384_FIXED_SIGNING,
                &crypto::ECDSA_P384_SHA384_ASN1_SIGNING,
            ),
            (
                KeyKind::P521,
                &crypto::ECDSA_P521_SHA512_FIXED_SIGNING,
                &crypto::ECDSA_P521_SHA512_ASN1_SIGNING,
            ),
        ] {
            let pairs = (
                EcdsaKeyPair::from_private_key_der(fixed, der),
                EcdsaKeyPair::from_private_key_der(asn1, der),
            );
            if let (Ok(fixed), Ok(asn1)) = pairs {
                return Ok(Self(Pair::Ec { kind, fixed: Box::new(fixed), asn1: Box::new(asn1) }));
            }
        }
        Err(KeyError(
            "the private key is not RSA (2048 to 8192 bits), EC P-256, EC P-384, EC P-521 or Ed25519 in PKCS#8"
                .to_owned(),
        ))
    }

    /// A fresh P-256 key with its PKCS#8 DER.
    ///
    /// # Errors
    /// [`KeyError`] if the generator fails.
    pub fn generate_p256() -> Result<(Self, Vec<u8>), KeyError> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&crypto::ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
                .map_err(|_| KeyError("no key could be generated".to_owned()))?;
        Ok((Self::from_pkcs8_der(document.as_ref())?, document.as_ref().to_vec()))
    }

    /// Kind of the key.
    pub fn kind(&self) -> KeyKind {
        match &self.0 {
            Pair::Rsa(_) => KeyKind::Rsa,
            Pair::Ec { kind, .. } => *kind,
            Pair::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// The public half.
    ///
    /// # Errors
    /// [`KeyError`] if the library cannot write it.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
        let error = |_| KeyError("the public key cannot be written".to_owned());
        let spki: PublicKeyX509Der<'_> = match &self.0 {
            Pair::Rsa(pair) => pair.public_key().as_der().map_err(error)?,
            Pair::Ec { asn1, .. } => asn1.public_key().as_der().map_err(error)?,
            Pair::Ed25519(pair) => pair.public_key().as_der().map_err(error)?,
        };
        PublicKey::from_spki_der(spki.as_ref())
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// [`Refusal::CannotSign`] for an algorithm of another kind of key.
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        let error = || Refusal::CannotSign(algorithm.name());
        if algorithm.key_kind() != self.kind() {
            return Err(error());
        }
        let random = SystemRandom::new();
        match &self.0 {
            Pair::Rsa(pair) => {
                let encoding: &dyn crypto::RsaEncoding = match algorithm {
                    Algorithm::RsaPkcs1Sha512 => &crypto::RSA_PKCS1_SHA512,
                    Algorithm::RsaPssSha512 => &crypto::RSA_PSS_SHA512,
                    _ => &crypto::RSA_PKCS1_SHA256,
                };
                let mut value = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut value).map_err(|_| error())?;
                Ok(value)
            }
            Pair::Ec { fixed, asn1, .. } => {
                let pair = match algorithm {
                    Algorithm::EcdsaP256Sha256Fixed
                    | Algorithm::EcdsaP384Sha384Fixed
                    | Algorithm::EcdsaP521Sha512Fixed => fixed,
                    _ => asn1,
                };
                Ok(pair.sign(&random, message).map_err(|_| error())?.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_verifies_and_nothing_else() {
        let (key, pkcs8) = PrivateKey::generate_p256().unwrap();
        let public = key.public_key().unwrap();
        for algorithm in [Algorithm::EcdsaP256Sha256Asn1, Algorithm::EcdsaP256Sha256Fixed] {
            let value = key.sign(algorithm, b"text").unwrap();
            assert!(public.verifies(algorithm, b"text", &value));
            assert!(!public.verifies(algorithm, b"texts", &value));
            assert!(!public.verifies(Algorithm::RsaPkcs1Sha256, b"text", &value));
        }
        assert!(key.sign(Algorithm::RsaPssSha512, b"text").is_err());
        assert_eq!(PrivateKey::from_pkcs8_der(&pkcs8).unwrap().kind(), KeyKind::P256);
        assert!(PublicKey::from_spki_der(&pkcs8).is_err() && PrivateKey::from_pem("nothing").is_err());
    }

    #[test]
    fn no_error_repeats_a_key() {
        let (key, pkcs8) = PrivateKey::generate_p256().unwrap();
        let pem = pem_text::to_pem(Kind::PrivateKey, &pkcs8);
        let public = key.public_key().unwrap();
        for layout in
            [pem.replace('\n', ""), pem.replace('\n', "\n  "), format!("\u{feff}Bag Attributes\r\n{pem}")]
        {
            let read = PrivateKey::from_pem(&layout).unwrap();
            let value = read.sign(Algorithm::EcdsaP256Sha256Asn1, b"text").unwrap();
            assert!(public.verifies(Algorithm::EcdsaP256Sha256Asn1, b"text", &value), "{layout}");
        }
        let line = pem.lines().nth(1).unwrap();
        for broken in [
            pem.replace("-----END", "-----END OF"),
            pem.replace('\n', "").replace("-----END", "----END"),
            pem.replacen(line, &line[..9], 1),
            line.to_owned(),
            format!("[{}]", pem.replace('\n', "")).replace("BEGIN ", ""),
        ] {
            let error = PrivateKey::from_pem(&broken).unwrap_err();
            for text in [error.to_string(), format!("{error:?}")] {
                assert!(!text.contains(&line[..8]) && !text.contains("77, 73"), "{text}");
            }
        }
    }
}
