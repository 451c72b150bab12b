//! The keys that ID tokens are signed with, and their public halves for everyone (RFC 7517).
//!
//! One key signs. When another takes its place, its public half stays published for a day, so that tokens that it
//! signed, and clients that keep the key set for a while, go on; its private half is gone at once.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eidas::issue::{KeyType, generate_key};
use gateway::domain::Timestamp;
use gateway::{Drawer, Entry};
use http_signatures::key::{Algorithm as Signing, PrivateKey};
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::error::Error;

const KIND: &str = "signing-key";
const RETIRED: &str = "retired-signing-key";

/// How long a key that signs no more stays published, in seconds.
const OVERLAP: i64 = 24 * 60 * 60;

/// How ID tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdTokenAlgorithm {
    /// RSA, PKCS#1 v1.5, SHA-256: what registrations promise.
    #[default]
    Rs256,
    /// ECDSA on P-256, SHA-256.
    Es256,
}

impl IdTokenAlgorithm {
    /// Under which name the key is kept, and its kind.
    fn kept(self) -> (&'static str, KeyType) {
        match self {
            Self::Rs256 => ("current", KeyType::Rsa2048),
            Self::Es256 => ("es256", KeyType::P256),
        }
    }

    /// Its name (RFC 7518, 3.1).
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// The bank's keys for ID tokens, kept from start to start. Cloning is cheap and shares them.
#[derive(Clone)]
pub struct SigningKeys {
    drawer: Drawer,
    algorithm: IdTokenAlgorithm,
    ring: Arc<RwLock<Arc<Ring>>>,
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKeys(…)")
    }
}

/// The key that signs, read once, and those that are published beside it.
struct Ring {
    key: PrivateKey,
    signing: Signing,
    header: Header,
    public: Jwk,
    retired: Vec<RetiredKey>,
    /// Version of the entry that the key is kept in.
    version: i64,
}

/// A key that signs no more.
#[derive(Clone, Serialize, Deserialize)]
struct RetiredKey {
    public: Jwk,
    retired_at: Timestamp,
}

impl RetiredKey {
    fn is_published_at(&self, now: Timestamp) -> bool {
        now.as_second() < self.retired_at.as_second().saturating_add(OVERLAP)
    }
}

/// The keys cannot be made, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key itself.
    #[error("the signing key of the authorization server cannot be used: {0}")]
    Key(String),
    /// The store.
    #[error("the signing key of the authorization server cannot be kept: {}", edge::with_causes(.0))]
    Store(#[from] gateway::Error),
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Key(_) => Self::internal(Arc::new(error)),
            KeyError::Store(error) => error.into(),
        }
    }
}

fn unusable(error: impl ToString) -> KeyError {
    KeyError::Key(error.to_string())
}

impl SigningKeys {
    /// Kinds of the entries that they are kept in.
    pub const KINDS: [&str; 2] = [KIND, RETIRED];

    /// Takes the keys for an algorithm that were kept, or makes one and keeps it.
    ///
    /// # Errors
    /// [`KeyError`]
    pub async fn load_or_make(drawer: Drawer, algorithm: IdTokenAlgorithm) -> Result<Self, KeyError> {
        let (name, kind) = algorithm.kept();
        if drawer.get(KIND, name).await?.is_none() {
            let (pem, _) = generate_key(kind).map_err(unusable)?;
            let made = Entry { kind: KIND, key: name.to_owned(), value: pem, forget_at: None, version: 0 };
            match drawer.save(&[made]).await {
                // Of processes that start together on one database, one makes the key.
                Ok(()) | Err(gateway::Error::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let ring = load(&drawer, algorithm).await?;
        Ok(Self { drawer, algorithm, ring: Arc::new(RwLock::new(Arc::new(ring))) })
    }

    /// Signs with a new key from now on, `now` by the system's clock. The key before stays published for a day.
    ///
    /// # Errors
    /// [`KeyError`]; [`gateway::Error::Conflict`] if somebody else did the same at this moment.
    pub(crate) async fn rotate(&self, now: Timestamp) -> Result<(), KeyError> {
        let (name, kind) = self.algorithm.kept();
        let made = tokio::task::spawn_blocking(move || generate_key(kind)).await.map_err(unusable)?;
        let (pem, _) = made.map_err(unusable)?;
        let before = self.ring();
        let retired = RetiredKey { public: before.public.clone(), retired_at: now };
        let over = before.retired.iter().filter(|key| !key.is_published_at(now));
        let over: Vec<_> = over.map(|key| (RETIRED, entry_key(name, &key.public))).collect();
        self.drawer
            .save(&[
                Entry {
                    kind: KIND,
                    key: name.to_owned(),
                    value: pem,
                    forget_at: None,
                    version: before.version,
                },
                Entry {
                    kind: RETIRED,
                    key: entry_key(name, &retired.public),
                    value: serde_json::to_string(&retired).map_err(unusable)?,
                    forget_at: None,
                    version: 0,
                },
            ])
            .await?;
        self.drawer.delete(&over).await?;
        self.reload().await
    }

    /// Takes up the keys that are kept, if another one signs now.
    ///
    /// # Errors
    /// [`KeyError`]
    pub async fn reload(&self) -> Result<(), KeyError> {
        let (name, _) = self.algorithm.kept();
        let version = self.drawer.entry(KIND, name).await?.map_or(0, |entry| entry.version);
        if version <= self.ring().version {
            return Ok(());
        }
        let ring = load(&self.drawer, self.algorithm).await?;
        let mut current = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        // Of two that rotate one after the other, the one that ends last may have read first.
        if current.version < ring.version {
            *current = Arc::new(ring);
        }
        Ok(())
    }

    /// The public key set at `now`, by the system's clock; the key that signs comes first.
    pub(crate) fn jwks(&self, now: Timestamp) -> JwkSet {
        let ring = self.ring();
        let retired = ring.retired.iter().filter(|key| key.is_published_at(now));
        JwkSet {
            keys: std::iter::once(&ring.public).chain(retired.map(|key| &key.public)).cloned().collect(),
        }
    }

    /// The name of the algorithm (RFC 7518, 3.1).
    pub(crate) fn algorithm_name(&self) -> &'static str {
        self.algorithm.name()
    }

    /// The id of the key that signs.
    pub(crate) fn key_id(&self) -> String {
        self.ring().header.kid.clone().unwrap_or_default()
    }

    /// A signed token with these claims.
    ///
    /// # Errors
    /// [`KeyError::Key`] if the library fails.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, KeyError> {
        let ring = self.ring();
        // The JWT library reads a key anew for each signature, which takes a good part of the time; so the parts are put
        // together here (RFC 7515, 7.1).
        let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&ring.header).map_err(unusable)?);
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).map_err(unusable)?);
        let signed = format!("{header}.{claims}");
        let value = ring.key.sign(ring.signing, signed.as_bytes()).map_err(unusable)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(value)))
    }

    /// Whether an ID token was signed here, by this issuer for this client; it may have expired.
    pub(crate) fn has_signed(&self, token: &str, issuer: &str, client: &str) -> bool {
        let ring = self.ring();
        let kid = jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid);
        let mut known = std::iter::once(&ring.public).chain(ring.retired.iter().map(|key| &key.public));
        let named = known.find(|jwk| kid.is_some() && jwk.common.key_id == kid);
        let Some(key) = named.and_then(|jwk| DecodingKey::from_jwk(jwk).ok()) else { return false };
        let mut validation = Validation::new(ring.header.alg);
        validation.validate_exp = false;
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[client]);
        jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation).is_ok()
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is kept for an algorithm.
async fn load(drawer: &Drawer, algorithm: IdTokenAlgorithm) -> Result<Ring, KeyError> {
    let (name, _) = algorithm.kept();
    let kept = drawer.entry(KIND, name).await?.ok_or_else(|| unusable("it is not there"))?;
    let mut retired = Vec::new();
    for (key, value) in drawer.all(RETIRED).await? {
        if key.starts_with(&entry_prefix(name)) {
            retired.push(serde_json::from_str::<RetiredKey>(&value).map_err(unusable)?);
        }
    }
    retired.sort_by_key(|key| std::cmp::Reverse(key.retired_at));
    let (encoding, header, known_as, signing) = match algorithm {
        IdTokenAlgorithm::Rs256 => (
            EncodingKey::from_rsa_pem(kept.value.as_bytes()),
            Algorithm::RS256,
            KeyAlgorithm::RS256,
            Signing::RsaPkcs1Sha256,
        ),
        IdTokenAlgorithm::Es256 => (
            EncodingKey::from_ec_pem(kept.value.as_bytes()),
            Algorithm::ES256,
            KeyAlgorithm::ES256,
            Signing::EcdsaP256Sha256Fixed,
        ),
    };
    let mut public = Jwk::from_encoding_key(&encoding.map_err(unusable)?, header).map_err(unusable)?;
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    public.common.key_algorithm = Some(known_as);
    let id = public.thumbprint(ThumbprintHash::SHA256).map_err(unusable)?;
    public.common.key_id = Some(id.clone());
    let header = Header { kid: Some(id), ..Header::new(header) };
    let key = PrivateKey::from_pem(&kept.value).map_err(unusable)?;
    Ok(Ring { key, signing, header, public, retired, version: kept.version })
}

fn entry_prefix(name: &str) -> String {
    format!("{name}/")
}

/// Retired keys of each algorithm are kept apart, by their ids.
fn entry_key(name: &str, public: &Jwk) -> String {
    format!("{}{}", entry_prefix(name), public.common.key_id.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::Store;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn a_key_that_was_replaced_is_published_for_a_day() {
        let drawer = Drawer::new(&Store::in_memory().unwrap(), "oauth");
        let keys = SigningKeys::load_or_make(drawer.clone(), IdTokenAlgorithm::Es256).await.unwrap();
        let ids = |keys: &SigningKeys, now| -> Vec<_> {
            keys.jwks(at(now)).keys.into_iter().filter_map(|key| key.common.key_id).collect()
        };
        let first = keys.key_id();
        let claims = serde_json::json!({"iss": "i", "aud": "a", "exp": 1});
        let token = keys.sign(&claims).unwrap();
        keys.rotate(at(1000)).await.unwrap();
        let second = keys.key_id();
        assert_ne!(first, second);
        assert_eq!(ids(&keys, 1000 + OVERLAP - 1), [second.as_str(), &first]);
        assert_eq!(ids(&keys, 1000 + OVERLAP), [second.as_str()]);
        assert!(keys.has_signed(&token, "i", "a") && !keys.has_signed(&token, "i", "b"));
        let again = SigningKeys::load_or_make(drawer.clone(), IdTokenAlgorithm::Es256).await.unwrap();
        assert_eq!(ids(&again, 1000), ids(&keys, 1000), "after a start");
        let other = SigningKeys::load_or_make(drawer, IdTokenAlgorithm::Rs256).await.unwrap();
        assert_eq!(ids(&other, 1000).len(), 1, "another algorithm has keys of its own");
        keys.rotate(at(2000 + OVERLAP)).await.unwrap();
        assert_eq!(ids(&keys, 2000 + OVERLAP).len(), 2);
        assert!(
            !keys.has_signed(&token, "i", "a"),
            "the first one is forgotten at the next change after its day"
        );
    }
}
