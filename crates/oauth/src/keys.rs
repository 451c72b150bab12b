//! The keys that ID tokens are signed with, and their public halves for everyone (RFC 7517).
//!
//! One key signs. When another takes its place, its public half stays published for a day, so that tokens that it
//! signed, and clients that keep the key set for a while, go on; its private half is gone at once. The key of the other algorithm, if
//! there is one, is published beside it: it signed before the bank chose another one, or signs at nodes that were not started again yet.

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

    fn other(self) -> Self {
        match self {
            Self::Rs256 => Self::Es256,
            Self::Es256 => Self::Rs256,
        }
    }

    /// Whose key it is.
    fn of(key: &Jwk) -> Self {
        if key.common.key_algorithm == Some(KeyAlgorithm::ES256) { Self::Es256 } else { Self::Rs256 }
    }

    fn of_header(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Es256 => Algorithm::ES256,
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
    /// The key of the other algorithm.
    other: Option<Jwk>,
    retired: Vec<RetiredKey>,
    versions: Versions,
}

/// Versions of the entries that the key is kept in, and that of the other algorithm; zero if there is none.
type Versions = (i64, i64);

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

    /// Signs with a new key from now on, `now` by the system's clock. The key before, and that of the other algorithm, stay published for a
    /// day.
    ///
    /// # Errors
    /// [`KeyError`]; [`gateway::Error::Conflict`] if somebody else did the same at this moment.
    pub async fn rotate(&self, now: Timestamp) -> Result<(), KeyError> {
        self.change(Some(now)).await
    }

    /// Signs with a new key from now on, and believes no other one any more: somebody else may have them.
    ///
    /// # Errors
    /// As [`SigningKeys::rotate`]
    pub async fn replace_leaked(&self) -> Result<(), KeyError> {
        self.change(None).await
    }

    /// Signs with a new key. Those before are retired at a time, or gone without one.
    async fn change(&self, retired_at: Option<Timestamp>) -> Result<(), KeyError> {
        let (name, kind) = self.algorithm.kept();
        let made = tokio::task::spawn_blocking(move || generate_key(kind)).await.map_err(unusable)?;
        let (pem, _) = made.map_err(unusable)?;
        let before = self.ring();
        let entry = |kind, key, value, version| Entry { kind, key, value, forget_at: None, version };
        let mut written = vec![entry(KIND, name.to_owned(), pem, before.versions.0)];
        let mut deleted = Vec::new();
        if before.other.is_some() {
            let (name, _) = self.algorithm.other().kept();
            deleted.push(entry(KIND, name.to_owned(), String::new(), before.versions.1));
        }
        for public in std::iter::once(&before.public).chain(&before.other) {
            let key = entry_key(public);
            // There is one if it was retired before, and has signed again since.
            let known = self.drawer.entry(RETIRED, &key).await?;
            let Some(retired_at) = retired_at else {
                deleted.extend(known);
                continue;
            };
            let retired = RetiredKey { public: public.clone(), retired_at };
            let value = serde_json::to_string(&retired).map_err(unusable)?;
            written.push(entry(RETIRED, key, value, known.map_or(0, |known| known.version)));
        }
        for key in &before.retired {
            if retired_at.is_none_or(|now| !key.is_published_at(now)) {
                deleted.extend(self.drawer.entry(RETIRED, &entry_key(&key.public)).await?);
            }
        }
        self.drawer.exchange(&written, &deleted).await?;
        self.reload().await
    }

    /// Takes up the keys that are kept, if another one signs now.
    ///
    /// # Errors
    /// [`KeyError`]
    pub async fn reload(&self) -> Result<(), KeyError> {
        let versions = versions(&self.drawer, self.algorithm).await?;
        let before = self.ring().versions;
        if versions.0 < before.0 || versions == before {
            return Ok(());
        }
        let ring = load(&self.drawer, self.algorithm).await?;
        let mut current = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        // Of two that rotate one after the other, the one that ends last may have read first.
        if current.versions.0 <= ring.versions.0 {
            *current = Arc::new(ring);
        }
        Ok(())
    }

    /// The public key set at `now`, by the system's clock; the key that signs comes first.
    pub(crate) fn jwks(&self, now: Timestamp) -> JwkSet {
        let ring = self.ring();
        let retired = ring.retired.iter().filter(|key| key.is_published_at(now)).map(|key| &key.public);
        JwkSet { keys: std::iter::once(&ring.public).chain(&ring.other).chain(retired).cloned().collect() }
    }

    /// The name of the algorithm (RFC 7518, 3.1).
    pub fn algorithm_name(&self) -> &'static str {
        self.algorithm.name()
    }

    /// The id of the key that signs.
    pub fn key_id(&self) -> String {
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
        let retired = ring.retired.iter().map(|key| &key.public);
        let mut known = std::iter::once(&ring.public).chain(&ring.other).chain(retired);
        let named = known.find(|jwk| kid.is_some() && jwk.common.key_id == kid);
        let Some((jwk, key)) = named.and_then(|jwk| Some((jwk, DecodingKey::from_jwk(jwk).ok()?))) else {
            return false;
        };
        let mut validation = Validation::new(IdTokenAlgorithm::of(jwk).of_header());
        validation.validate_exp = false;
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[client]);
        jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation).is_ok()
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn versions(drawer: &Drawer, algorithm: IdTokenAlgorithm) -> Result<Versions, KeyError> {
    let version = async |of: IdTokenAlgorithm| -> Result<i64, KeyError> {
        Ok(drawer.entry(KIND, of.kept().0).await?.map_or(0, |entry| entry.version))
    };
    Ok((version(algorithm).await?, version(algorithm.other()).await?))
}

/// What is kept, where an algorithm signs.
async fn load(drawer: &Drawer, algorithm: IdTokenAlgorithm) -> Result<Ring, KeyError> {
    let kept = drawer.entry(KIND, algorithm.kept().0).await?.ok_or_else(|| unusable("it is not there"))?;
    let other = drawer.entry(KIND, algorithm.other().kept().0).await?;
    let versions = (kept.version, other.as_ref().map_or(0, |entry| entry.version));
    let other = other.map(|entry| public_half(algorithm.other(), &entry.value)).transpose()?;
    let mut retired = Vec::new();
    for (_, value) in drawer.all(RETIRED).await? {
        retired.push(serde_json::from_str::<RetiredKey>(&value).map_err(unusable)?);
    }
    retired.sort_by_key(|key| std::cmp::Reverse(key.retired_at));
    let public = public_half(algorithm, &kept.value)?;
    // One may sign again, after the bank went back to its algorithm.
    retired.retain(|key| key.public != public && other.as_ref() != Some(&key.public));
    let header = Header { kid: public.common.key_id.clone(), ..Header::new(algorithm.of_header()) };
    let key = PrivateKey::from_pem(&kept.value).map_err(unusable)?;
    let signing = match algorithm {
        IdTokenAlgorithm::Rs256 => Signing::RsaPkcs1Sha256,
        IdTokenAlgorithm::Es256 => Signing::EcdsaP256Sha256Fixed,
    };
    Ok(Ring { key, signing, header, public, other, retired, versions })
}

/// The public half of a private key in PEM.
fn public_half(algorithm: IdTokenAlgorithm, pem: &str) -> Result<Jwk, KeyError> {
    let (encoding, known_as) = match algorithm {
        IdTokenAlgorithm::Rs256 => (EncodingKey::from_rsa_pem(pem.as_bytes()), KeyAlgorithm::RS256),
        IdTokenAlgorithm::Es256 => (EncodingKey::from_ec_pem(pem.as_bytes()), KeyAlgorithm::ES256),
    };
    let encoding = encoding.map_err(unusable)?;
    let mut public = Jwk::from_encoding_key(&encoding, algorithm.of_header()).map_err(unusable)?;
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    public.common.key_algorithm = Some(known_as);
    public.common.key_id = Some(public.thumbprint(ThumbprintHash::SHA256).map_err(unusable)?);
    Ok(public)
}

/// Retired keys of each algorithm are kept apart, by their ids.
fn entry_key(public: &Jwk) -> String {
    let (name, _) = IdTokenAlgorithm::of(public).kept();
    format!("{name}/{}", public.common.key_id.as_deref().unwrap_or_default())
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
        keys.rotate(at(2000 + OVERLAP)).await.unwrap();
        assert_eq!(ids(&keys, 2000 + OVERLAP).len(), 2);
        assert!(
            !keys.has_signed(&token, "i", "a"),
            "the first one is forgotten at the next change after its day"
        );
    }

    #[tokio::test]
    async fn a_key_that_leaked_is_believed_no_more() {
        let drawer = Drawer::new(&Store::in_memory().unwrap(), "oauth");
        let other = SigningKeys::load_or_make(drawer.clone(), IdTokenAlgorithm::Es256).await.unwrap();
        let keys = SigningKeys::load_or_make(drawer.clone(), IdTokenAlgorithm::Rs256).await.unwrap();
        let claims = serde_json::json!({"iss": "i", "aud": "a", "exp": 1});
        let mut tokens = vec![other.sign(&claims).unwrap(), keys.sign(&claims).unwrap()];
        keys.rotate(at(1000)).await.unwrap();
        tokens.push(keys.sign(&claims).unwrap());
        assert!(tokens.iter().all(|token| keys.has_signed(token, "i", "a")));
        keys.replace_leaked().await.unwrap();
        assert_eq!(keys.jwks(at(1000)).keys.len(), 1);
        assert!(!tokens.iter().any(|token| keys.has_signed(token, "i", "a")));
        assert!(keys.has_signed(&keys.sign(&claims).unwrap(), "i", "a"));
        assert_eq!(drawer.all(KIND).await.unwrap().len() + drawer.all(RETIRED).await.unwrap().len(), 1);
    }

    /// The release before could retire a key and leave it in its place.
    #[tokio::test]
    async fn a_key_that_is_retired_and_signs_is_published_once_and_can_be_replaced() {
        let drawer = Drawer::new(&Store::in_memory().unwrap(), "oauth");
        let keys = SigningKeys::load_or_make(drawer.clone(), IdTokenAlgorithm::Es256).await.unwrap();
        let public = keys.ring().public.clone();
        let retired = RetiredKey { public: public.clone(), retired_at: at(0) };
        drawer.put(RETIRED, &entry_key(&public), &serde_json::to_string(&retired).unwrap()).await.unwrap();
        let keys = SigningKeys::load_or_make(drawer, IdTokenAlgorithm::Es256).await.unwrap();
        assert_eq!(keys.jwks(at(1000)).keys.len(), 1);
        let before = keys.key_id();
        keys.rotate(at(OVERLAP)).await.unwrap();
        let ids = keys.jwks(at(2 * OVERLAP - 1)).keys.into_iter().filter_map(|key| key.common.key_id);
        assert_eq!(ids.collect::<Vec<_>>(), [keys.key_id(), before]);
    }

    /// While nodes are started again with another algorithm, and after it, what the first one signed is good everywhere.
    #[tokio::test]
    async fn the_key_of_another_algorithm_is_published_until_a_day_after_the_next_change() {
        let drawer = Drawer::new(&Store::in_memory().unwrap(), "oauth");
        let before = SigningKeys::load_or_make(drawer.clone(), IdTokenAlgorithm::Es256).await.unwrap();
        let ids = |keys: &SigningKeys, now| -> Vec<_> {
            keys.jwks(at(now)).keys.into_iter().filter_map(|key| key.common.key_id).collect()
        };
        let claims = serde_json::json!({"iss": "i", "aud": "a", "exp": 1});
        let after = SigningKeys::load_or_make(drawer, IdTokenAlgorithm::Rs256).await.unwrap();
        before.reload().await.unwrap();
        let [old, new] = [before.key_id(), after.key_id()];
        assert_eq!(
            (ids(&before, 0), ids(&after, 0)),
            (vec![old.clone(), new.clone()], vec![new, old.clone()])
        );
        let tokens = [before.sign(&claims).unwrap(), after.sign(&claims).unwrap()];
        for keys in [&before, &after] {
            assert!(tokens.iter().all(|token| keys.has_signed(token, "i", "a")));
        }
        after.rotate(at(1000)).await.unwrap();
        assert_eq!(ids(&after, 1000).len(), 3);
        assert!(tokens.iter().all(|token| after.has_signed(token, "i", "a")));
        assert_eq!(ids(&after, 1000 + OVERLAP), [after.key_id()]);
        // Nodes that sign with it go on until they are started again.
        before.reload().await.unwrap();
        assert_eq!(before.key_id(), old);
        after.rotate(at(2000 + OVERLAP)).await.unwrap();
        assert!(tokens.iter().all(|token| !after.has_signed(token, "i", "a")));
    }
}
