//! A third party's certificate and key.

use eidas::Certificate;
use http_signatures::key::{Algorithm, KeyKind, PrivateKey};

/// Signs requests.
#[derive(Debug)]
pub struct Signer {
    /// The certificate.
    pub certificate: Certificate,
    /// The private key.
    pub key: PrivateKey,
    /// The private key in PEM.
    pub key_pem: String,
    /// The key id for signatures.
    pub key_id: String,
    /// The certificates above, in PEM, the issuer first.
    pub chain: Vec<String>,
}

impl Signer {
    /// From PEM.
    pub fn from_pem(certificate: &str, key: &str, key_id: Option<String>) -> Self {
        let certificate = Certificate::from_pem(certificate).unwrap();
        Self {
            key: PrivateKey::from_pem(key).unwrap(),
            key_pem: key.to_owned(),
            key_id: key_id.unwrap_or_else(|| certificate.key_id()),
            certificate,
            chain: Vec::new(),
        }
    }

    /// With the certificates above.
    pub fn with_chain(self, chain: Vec<String>) -> Self {
        Self { chain, ..self }
    }

    /// The certificate as a header value.
    pub fn header(&self) -> String {
        eidas::header::to_header_value(&self.certificate.der)
    }

    /// The organization identifier.
    pub fn id(&self) -> String {
        self.certificate.organization_identifier().unwrap().as_str().to_owned()
    }

    /// The usual algorithm of the key with its name in signatures.
    pub fn algorithm(&self) -> (Algorithm, &'static str) {
        match self.key.kind() {
            KeyKind::Rsa => (Algorithm::RsaPkcs1Sha256, "rsa-sha256"),
            KeyKind::P384 => (Algorithm::EcdsaP384Sha384Asn1, "hs2019"),
            KeyKind::P521 => (Algorithm::EcdsaP521Sha512Asn1, "hs2019"),
            _ => (Algorithm::EcdsaP256Sha256Asn1, "ecdsa-sha256"),
        }
    }

    /// Writes certificate (with the chain below the root) and key into files.
    pub fn write_to(&self, folder: &std::path::Path) -> (std::path::PathBuf, std::path::PathBuf) {
        let (certificate, key) = (folder.join("client.pem"), folder.join("client.key"));
        let mut pem = eidas::certificate::to_pem(&self.certificate.der);
        pem += &self.chain[..self.chain.len().saturating_sub(1)].concat();
        std::fs::write(&certificate, pem).unwrap();
        std::fs::write(&key, &self.key_pem).unwrap();
        (certificate, key)
    }
}
