//! The key that ID tokens are signed with, and its public half for everyone (RFC 7517).

use eidas::issue::{KeyType, generate_key};
use gateway::Drawer;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;

const KIND: &str = "signing-key";

/// How ID tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdTokenAlgorithm {
    /// RSA, PKCS#1 v1.5, SHA-256: what registrations promise.
    #[default]
    Rs256,
    /// ECDSA on P-256, SHA-256.
    Es256,
}

/// A key of the bank, made at its first start and kept.
#[derive(Clone)]
pub struct SigningKey {
    key: EncodingKey,
    header: Header,
    jwks: JwkSet,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// The key cannot be made, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key itself.
    #[error("the signing key of the authorization server cannot be used: {0}")]
    Key(String),
    /// The store.
    #[error("the signing key of the authorization server cannot be kept: {0}")]
    Store(#[from] gateway::Error),
}

impl SigningKey {
    /// Takes the key for an algorithm that was kept, or makes one and keeps it.
    ///
    /// # Errors
    /// [`KeyError`]
    pub async fn load_or_make(drawer: &Drawer, algorithm: IdTokenAlgorithm) -> Result<Self, KeyError> {
        let (name, kind) = match algorithm {
            IdTokenAlgorithm::Rs256 => ("current", KeyType::Rsa2048),
            IdTokenAlgorithm::Es256 => ("es256", KeyType::P256),
        };
        if let Some(pem) = drawer.get(KIND, name).await? {
            return Self::from_pem(&pem, algorithm);
        }
        let (pem, _) = generate_key(kind).map_err(|error| KeyError::Key(error.to_string()))?;
        drawer.put(KIND, name, &pem).await?;
        Self::from_pem(&pem, algorithm)
    }

    /// The public key set.
    pub(crate) fn jwks(&self) -> &JwkSet {
        &self.jwks
    }

    /// The name of the algorithm (RFC 7518, 3.1).
    pub(crate) fn algorithm_name(&self) -> &'static str {
        if self.header.alg == Algorithm::ES256 { "ES256" } else { "RS256" }
    }

    /// A signed token with these claims.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        jsonwebtoken::encode(&self.header, claims, &self.key)
    }

    /// Whether an ID token was signed here, by this issuer for this client; it may have expired.
    pub(crate) fn has_signed(&self, token: &str, issuer: &str, client: &str) -> bool {
        let Some(key) = self.jwks.keys.first().and_then(|jwk| DecodingKey::from_jwk(jwk).ok()) else {
            return false;
        };
        let mut validation = Validation::new(self.header.alg);
        validation.validate_exp = false;
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[client]);
        jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation).is_ok()
    }

    fn from_pem(pem: &str, algorithm: IdTokenAlgorithm) -> Result<Self, KeyError> {
        let error = |error: jsonwebtoken::errors::Error| KeyError::Key(error.to_string());
        let (key, algorithm, known_as) = match algorithm {
            IdTokenAlgorithm::Rs256 => {
                (EncodingKey::from_rsa_pem(pem.as_bytes()), Algorithm::RS256, KeyAlgorithm::RS256)
            }
            IdTokenAlgorithm::Es256 => {
                (EncodingKey::from_ec_pem(pem.as_bytes()), Algorithm::ES256, KeyAlgorithm::ES256)
            }
        };
        let key = key.map_err(error)?;
        let mut jwk = Jwk::from_encoding_key(&key, algorithm).map_err(error)?;
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_algorithm = Some(known_as);
        let id = jwk.thumbprint(ThumbprintHash::SHA256).map_err(error)?;
        jwk.common.key_id = Some(id.clone());
        let header = Header { kid: Some(id), ..Header::new(algorithm) };
        Ok(Self { key, header, jwks: JwkSet { keys: vec![jwk] } })
    }
}
