//! The key that ID tokens are signed with, and its public half for everyone (RFC 7517).

use gateway::Drawer;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};

const KIND: &str = "signing-key";
const CURRENT: &str = "current";

/// An RSA key of the bank, made at its first start and kept.
#[derive(Clone)]
pub struct SigningKey {
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
    /// Takes the key that was kept, or makes one and keeps it.
    ///
    /// # Errors
    /// [`KeyError`]
    pub async fn load_or_make(drawer: &Drawer) -> Result<Self, KeyError> {
        if let Some(pem) = drawer.get(KIND, CURRENT).await? {
            return Self::from_pem(&pem);
        }
        let (pem, _) = eidas::issue::generate_key(eidas::issue::KeyType::Rsa2048)
            .map_err(|error| KeyError::Key(error.to_string()))?;
        drawer.put(KIND, CURRENT, &pem).await?;
        Self::from_pem(&pem)
    }

    /// The public key set.
    pub(crate) fn jwks(&self) -> &JwkSet {
        &self.jwks
    }

    fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let error = |error: jsonwebtoken::errors::Error| KeyError::Key(error.to_string());
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(error)?;
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).map_err(error)?;
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_algorithm = Some(KeyAlgorithm::RS256);
        jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256).map_err(error)?);
        Ok(Self { jwks: JwkSet { keys: vec![jwk] } })
    }
}
