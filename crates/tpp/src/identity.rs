//! Who signs: a certificate with its key.

use std::path::PathBuf;

use eidas::Certificate;
use http_signatures::key::{Algorithm, KeyKind, PrivateKey};

use crate::Error;

/// A certificate and the private key to it, ready to sign messages.
#[derive(Debug)]
pub struct SigningIdentity {
    /// The certificate.
    pub certificate: Certificate,
    /// `keyId` of signatures: the certificate's own, or one that the bank handed out.
    pub key_id: String,
    pub(crate) key: PrivateKey,
    pub(crate) algorithm: Algorithm,
}

impl SigningIdentity {
    /// From a certificate and a key in PEM.
    ///
    /// # Errors
    /// [`Error::Setup`] if one cannot be read, if they do not belong together, or for a kind of key that
    /// signatures of this kind have no algorithm for.
    pub fn from_pem(certificate: &str, private_key: &str, key_id: Option<String>) -> Result<Self, Error> {
        let certificate = Certificate::from_pem(certificate)
            .map_err(|error| Error::Setup(format!("the signing certificate cannot be used: {error}")))?;
        let key = PrivateKey::from_pem(private_key)
            .map_err(|error| Error::Setup(format!("the signing key cannot be used: {error}")))?;
        let algorithm = match key.kind() {
            KeyKind::Rsa => Algorithm::RsaPkcs1Sha256,
            KeyKind::P256 => Algorithm::EcdsaP256Sha256Asn1,
            other => {
                let text =
                    format!("signatures of this kind need an RSA or EC P-256 key, not {}", other.name());
                return Err(Error::Setup(text));
            }
        };
        let identity =
            Self { key_id: key_id.unwrap_or_else(|| certificate.key_id()), certificate, key, algorithm };
        identity.check_pair()?;
        Ok(identity)
    }

    /// The organization identifier, which is also the client id at banks of this dialect.
    ///
    /// # Errors
    /// [`Error::Setup`] if the certificate has none.
    pub fn organization_identifier(&self) -> Result<String, Error> {
        self.certificate
            .organization_identifier()
            .map(|identifier| identifier.as_str().to_owned())
            .map_err(|error| Error::Setup(format!("the signing certificate identifies nobody: {error}")))
    }

    fn check_pair(&self) -> Result<(), Error> {
        const PROBE: &[u8] = b"do key and certificate belong together?";
        let fits = http_signatures::key::PublicKey::from_spki_der(&self.certificate.public_key.spki_der)
            .ok()
            .zip(self.key.sign(self.algorithm, PROBE).ok())
            .is_some_and(|(public, signature)| public.verifies(self.algorithm, PROBE, &signature));
        if fits {
            return Ok(());
        }
        Err(Error::Setup("the private key does not belong to the signing certificate".to_owned()))
    }
}

/// A certificate and key for the TLS connection, in the files where `curl` finds them too.
#[derive(Debug, Clone)]
pub struct TlsIdentity {
    /// Certificate chain in PEM, leaf first.
    pub certificate: PathBuf,
    /// Private key in PEM.
    pub private_key: PathBuf,
}
