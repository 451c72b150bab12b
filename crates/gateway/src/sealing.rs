//! What the gateway keeps secret in its database, sealed at rest.
//!
//! A value is sealed as `sealed-1:{id of the key}:{base64url of nonce, ciphertext and tag}`, by AES-256-GCM with a random
//! nonce of 96 bits (NIST SP 800-38D). The place where it is kept is authenticated with it, so that a sealed value that was
//! moved elsewhere does not open. Two keys can be known: one seals and opens, the other one opens alone.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use store::{Changes, PrivateState, Store};

use crate::error::retry;
use crate::{Error, secrets};

/// How every sealed value begins, of any version.
const SEALED: &str = "sealed-";

/// How those begin that are made here.
const VERSION: &str = "sealed-1:";

/// Length of a nonce, in octets.
const NONCE: usize = 12;

/// Length of a key, in octets.
const KEY: usize = 32;

/// Why something cannot be sealed or opened. None repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// The text is no key.
    #[error(
        "a key for sealing is {KEY} octets in base64, 44 letters, such as `openssl rand -base64 32` makes"
    )]
    NoKey,
    /// A key of another name sealed it.
    #[error("{place} in the database is sealed by the key {id}, and {}", named(.known))]
    OtherKey {
        /// What was to be opened.
        place: String,
        /// The id of the key.
        id: String,
        /// The ids of the keys that are known.
        known: Vec<String>,
    },
    /// It was changed, moved, or a key of the same id sealed it.
    #[error("{place} in the database does not open: it is not what the gateway sealed there")]
    Changed {
        /// What was to be opened.
        place: String,
    },
    /// A newer program sealed it.
    #[error("{place} in the database is sealed in a way that this version does not know")]
    Version {
        /// What was to be opened.
        place: String,
    },
    /// It is not sealed, and should be.
    #[error("{place} in the database is not sealed; `vestibule keys seal` seals what is there")]
    Plain {
        /// What was to be opened.
        place: String,
    },
    /// The library fails.
    #[error("{place} cannot be sealed")]
    Failed {
        /// What was to be sealed.
        place: String,
    },
}

/// The keys of a configuration, for a text.
fn named(ids: &[String]) -> String {
    match ids {
        [] => "no key is configured; name it with key_file of [sealing]".to_owned(),
        ids => {
            format!("[sealing] has {}; name the right one with key_file or other_key_file", ids.join(" and "))
        }
    }
}

impl From<SealingError> for Error {
    fn from(error: SealingError) -> Self {
        Self::internal(error)
    }
}

/// A key that seals. It is never shown; its id may be.
pub struct SealingKey {
    id: String,
    key: RandomizedNonceKey,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingKey({})", self.id)
    }
}

impl SealingKey {
    /// Reads a key from base64.
    ///
    /// # Errors
    /// [`SealingError::NoKey`]
    pub fn parse(text: &str) -> Result<Self, SealingError> {
        let octets = STANDARD.decode(text).ok().filter(|octets| octets.len() == KEY);
        let octets = octets.ok_or(SealingError::NoKey)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &octets).map_err(|_| SealingError::NoKey)?;
        // Eight digits tell keys apart, and tell nothing about them.
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &octets), b"id of a sealing key");
        Ok(Self { id: secrets::hex(&tag.as_ref()[..4]), key })
    }

    /// What it is called in sealed values.
    pub fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Debug, Default)]
struct Ring {
    seals: Option<SealingKey>,
    opens: Option<SealingKey>,
}

/// Seals and opens. Cloning is cheap and shares it, so that all who have it get new keys at once. Without keys it takes and gives values
/// as they are, and refuses sealed ones.
#[derive(Debug, Clone, Default)]
pub struct Sealing(Arc<RwLock<Arc<Ring>>>);

impl Sealing {
    /// With a key that seals and opens, and perhaps another one that opens.
    pub fn new(seals: SealingKey, opens: Option<SealingKey>) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Ring { seals: Some(seals), opens }))))
    }

    /// Takes the keys of another one from now on.
    pub fn take_keys_of(&self, other: &Self) {
        let ring = other.ring();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ring;
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A value as it is kept at a place.
    pub(crate) fn seal(&self, place: [&str; 3], value: &str) -> Result<String, SealingError> {
        let ring = self.ring();
        let Some(SealingKey { id, key }) = &ring.seals else { return Ok(value.to_owned()) };
        let mut octets = value.as_bytes().to_vec();
        let sealed = key.seal_in_place_append_tag(authenticated(place), &mut octets);
        let nonce = sealed.map_err(|_| SealingError::Failed { place: place.join("/") })?;
        Ok(format!("{VERSION}{id}:{}", URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &octets].concat())))
    }

    /// A value that was kept at a place.
    pub(crate) fn open(&self, place: [&str; 3], kept: String) -> Result<String, SealingError> {
        let ring = self.ring();
        let at = || place.join("/");
        if !kept.starts_with(SEALED) {
            let is_plain = ring.seals.is_none();
            return if is_plain { Ok(kept) } else { Err(SealingError::Plain { place: at() }) };
        }
        let sealed = kept.strip_prefix(VERSION).ok_or_else(|| SealingError::Version { place: at() })?;
        let changed = || SealingError::Changed { place: at() };
        let (id, octets) = sealed.split_once(':').ok_or_else(changed)?;
        let keys = || ring.seals.iter().chain(&ring.opens);
        let Some(SealingKey { key, .. }) = keys().find(|key| key.id == id) else {
            let (place, id) = (at(), shown(id));
            return Err(SealingError::OtherKey {
                place,
                id,
                known: keys().map(|key| key.id.clone()).collect(),
            });
        };
        let octets = URL_SAFE_NO_PAD.decode(octets).map_err(|_| changed())?;
        let (nonce, sealed) = octets.split_at_checked(NONCE).ok_or_else(changed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| changed())?;
        let mut sealed = sealed.to_vec();
        let opened = key.open_in_place(nonce, authenticated(place), &mut sealed).map_err(|_| changed())?;
        String::from_utf8(opened.to_vec()).map_err(|_| changed())
    }

    /// Whether a kept value is as this would keep it now.
    fn is_current(&self, kept: &str) -> bool {
        match &self.ring().seals {
            Some(key) => {
                kept.strip_prefix(VERSION).is_some_and(|rest| rest.starts_with(&format!("{}:", key.id)))
            }
            None => !kept.starts_with(SEALED),
        }
    }

    /// The id of the key that seals.
    pub fn key_id(&self) -> Option<String> {
        self.ring().seals.as_ref().map(|key| key.id.clone())
    }

    /// Opens every entry of some owners and kinds, and seals those anew that another key sealed, and where `also_plain`, those
    /// that are not sealed. Any number of processes may do so at once.
    ///
    /// # Errors
    /// [`Error`], with a [`SealingError`] behind it for what does not open; then what comes after it is as it was.
    pub async fn seal_anew(
        &self,
        store: &Store,
        kinds: &[(&'static str, &'static str)],
        also_plain: bool,
    ) -> Result<SealedAnew, Error> {
        let mut done = SealedAnew::default();
        for (owner, kind) in kinds {
            for PrivateState { key, .. } in store.private_states(owner, kind).await? {
                done.kept += 1;
                let anew = retry(|| self.seal_one(store, [*owner, *kind], &key, also_plain)).await?;
                done.anew += usize::from(anew);
            }
        }
        Ok(done)
    }

    async fn seal_one(
        &self,
        store: &Store,
        [owner, kind]: [&'static str; 2],
        key: &str,
        also_plain: bool,
    ) -> Result<bool, Error> {
        let Some(kept) = store.private_state(owner, kind, key).await? else { return Ok(false) };
        let place = [owner, kind, key];
        let value = match self.open(place, kept.value.clone()) {
            Err(SealingError::Plain { .. }) if also_plain => kept.value.clone(),
            opened => opened?,
        };
        if self.is_current(&kept.value) {
            return Ok(false);
        }
        let sealed = PrivateState { value: self.seal(place, &value)?, ..kept };
        store.save(Changes::new().put_private_state(&sealed)).await?;
        Ok(true)
    }
}

/// What was there to seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SealedAnew {
    /// Values that there are.
    pub kept: usize,
    /// Of those, sealed anew.
    pub anew: usize,
}

/// The place as it is authenticated; names have no U+0000.
fn authenticated(place: [&str; 3]) -> Aad<Vec<u8>> {
    Aad::from(place.join("\0").into_bytes())
}

/// An id as it may be shown, whoever wrote it.
fn shown(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: [&str; 3] = ["gateway", "key", "pairwise"];

    fn key(octet: u8) -> SealingKey {
        SealingKey::parse(&STANDARD.encode([octet; KEY])).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_at_its_place_with_its_key_alone() {
        let sealing = Sealing::new(key(1), None);
        let sealed = sealing.seal(PLACE, "the secret").unwrap();
        assert!(
            sealed.starts_with(&format!("sealed-1:{}:", key(1).id())) && !sealed.contains("secret"),
            "{sealed}"
        );
        assert_ne!(sealed, sealing.seal(PLACE, "the secret").unwrap(), "each time with another nonce");
        assert_eq!(sealing.open(PLACE, sealed.clone()).unwrap(), "the secret");
        let elsewhere = sealing.open(["gateway", "key", "sealing"], sealed.clone());
        assert!(matches!(elsewhere, Err(SealingError::Changed { .. })));
        for at in VERSION.len() + 9..sealed.len() {
            let mut spoiled = sealed.clone().into_bytes();
            spoiled[at] = if spoiled[at] == b'A' { b'B' } else { b'A' };
            let spoiled = String::from_utf8(spoiled).unwrap();
            assert!(matches!(sealing.open(PLACE, spoiled), Err(SealingError::Changed { .. })), "{at}");
        }
        for short in ["", "AAAA", "*"] {
            let short = format!("{VERSION}{}:{short}", key(1).id());
            assert!(matches!(sealing.open(PLACE, short), Err(SealingError::Changed { .. })));
        }
        let other = Sealing::new(key(2), Some(key(3))).open(PLACE, sealed.clone()).unwrap_err().to_string();
        let ids = [1, 2, 3].map(|octet| key(octet).id().to_owned());
        assert!(ids.iter().all(|id| other.contains(id)), "{other}");
        assert_eq!(Sealing::new(key(2), Some(key(1))).open(PLACE, sealed.clone()).unwrap(), "the secret");
        let none = Sealing::default().open(PLACE, sealed.clone()).unwrap_err().to_string();
        assert!(none.contains("no key is configured"), "{none}");
        let newer = sealing.open(PLACE, sealed.replace("sealed-1", "sealed-2"));
        assert!(matches!(newer, Err(SealingError::Version { .. })));
        assert!(matches!(sealing.open(PLACE, "plain".to_owned()), Err(SealingError::Plain { .. })));
        assert_eq!(Sealing::default().open(PLACE, "plain".to_owned()).unwrap(), "plain");
    }

    #[test]
    fn a_key_is_256_bits_in_base64() {
        for text in ["", "secret", &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33]), &"ab".repeat(32)] {
            assert_eq!(SealingKey::parse(text).unwrap_err(), SealingError::NoKey, "{text}");
        }
        assert!(!format!("{:?}", key(7)).contains(&STANDARD.encode([7; KEY])));
    }

    #[tokio::test]
    async fn values_are_sealed_anew_by_the_new_key_and_open_meanwhile() {
        let store = Store::in_memory().unwrap();
        let kinds = [("gateway", "key")];
        let plain = crate::Drawer::new(&store, "gateway");
        plain.put("key", "pairwise", "the secret").await.unwrap();
        let (first, second) = (Sealing::new(key(1), None), Sealing::new(key(2), Some(key(1))));
        let refused = first.seal_anew(&store, &kinds, false).await.unwrap_err();
        assert!(matches!(refused, Error::Internal(fault) if fault.to_string().contains("is not sealed")));
        let done = first.seal_anew(&store, &kinds, true).await.unwrap();
        assert_eq!(done, SealedAnew { kept: 1, anew: 1 });
        let drawer = crate::Drawer::new(&store, "gateway").sealed_by(&first);
        let read = async || drawer.get("key", "pairwise").await.unwrap();
        assert_eq!(read().await.as_deref(), Some("the secret"));
        first.take_keys_of(&second);
        assert_eq!(read().await.as_deref(), Some("the secret"), "sealed by the key before");
        for anew in [1, 0] {
            assert_eq!(second.seal_anew(&store, &kinds, false).await.unwrap(), SealedAnew { kept: 1, anew });
        }
        assert_eq!(read().await.as_deref(), Some("the secret"));
        assert!(Sealing::new(key(1), None).seal_anew(&store, &kinds, false).await.is_err());
        drawer.put("key", "other", "another secret").await.unwrap();
        let kept = plain.get("key", "other").await.unwrap().unwrap();
        assert!(second.is_current(&kept) && !kept.contains("secret"), "{kept}");
        assert_eq!(drawer.all("key").await.unwrap()[0].1, "another secret");
    }
}
