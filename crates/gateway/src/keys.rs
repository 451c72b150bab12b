//! Keys that the gateway keeps for itself, and what it makes with them.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use uuid::Builder;

use crate::{Drawer, Entry, Error, Randomness};

const KIND: &str = "key";

/// Length of the tag that protects a text.
const TAG: usize = 16;

/// The gateway's own keys.
pub struct Keys {
    /// For ids that differ from third party to third party.
    pairwise: hmac::Key,
    /// For texts that callers carry back and forth.
    sealing: hmac::Key,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// Kind of the entries that they are kept in.
    pub const KIND: &str = KIND;

    /// Takes the keys that were kept, or makes them and keeps them. Pairwise ids can be repeated by a seed.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn load_or_make(drawer: &Drawer, randomness: &Randomness) -> Result<Self, Error> {
        let pairwise = kept(drawer, "pairwise", || randomness.derived("pairwise")).await?;
        let sealing = kept(drawer, "sealing", || randomness.secret()).await?;
        let key = |text: &str| hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes());
        Ok(Self { pairwise: key(&pairwise), sealing: key(&sealing) })
    }

    /// A UUID that stands for `parts` and tells nothing about them.
    pub(crate) fn pairwise_uuid(&self, purpose: &str, parts: &[&str]) -> String {
        let mut octets = [0; 16];
        octets.copy_from_slice(&self.pairwise_tag(purpose, parts).as_ref()[..16]);
        Builder::from_random_bytes(octets).into_uuid().to_string()
    }

    /// A text that stands for `parts` and tells nothing about them.
    pub(crate) fn pairwise_text(&self, purpose: &str, parts: &[&str]) -> String {
        URL_SAFE_NO_PAD.encode(self.pairwise_tag(purpose, parts))
    }

    /// A secret of 64 hexadecimal digits that `parts` determine and nobody else can make.
    pub(crate) fn derived_secret(&self, purpose: &str, parts: &[&str]) -> String {
        crate::secrets::hex(tag(&self.sealing, purpose, parts).as_ref())
    }

    /// A text with a tag that only this gateway can make, in base64url. `context` is not in the text but has to
    /// be the same when it comes back.
    pub(crate) fn seal(&self, context: &[&str], text: &str) -> String {
        let tag = tag(&self.sealing, "seal", &[context, &[text]].concat());
        URL_SAFE.encode([&tag.as_ref()[..TAG], text.as_bytes()].concat())
    }

    /// The text of [`Keys::seal`], if it was made here with this context.
    pub(crate) fn open(&self, context: &[&str], sealed: &str) -> Option<String> {
        use subtle::ConstantTimeEq;
        let octets = URL_SAFE_NO_PAD.decode(sealed.trim_end_matches('=')).ok()?;
        let (given, text) = octets.split_at_checked(TAG)?;
        let text = std::str::from_utf8(text).ok()?;
        let expected = tag(&self.sealing, "seal", &[context, &[text]].concat());
        bool::from(expected.as_ref()[..TAG].ct_eq(given)).then(|| text.to_owned())
    }

    fn pairwise_tag(&self, purpose: &str, parts: &[&str]) -> hmac::Tag {
        tag(&self.pairwise, purpose, parts)
    }
}

/// Lengths go in with the parts, so that no two lists of parts look the same.
fn tag(key: &hmac::Key, purpose: &str, parts: &[&str]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for part in std::iter::once(&purpose).chain(parts) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.sign()
}

async fn kept(drawer: &Drawer, name: &'static str, make: impl FnOnce() -> String) -> Result<String, Error> {
    if let Some(key) = drawer.get(KIND, name).await? {
        return Ok(key);
    }
    let key = make();
    let made = Entry { kind: KIND, key: name.to_owned(), value: key.clone(), forget_at: None, version: 0 };
    match drawer.save(&[made]).await {
        // Of processes that start together on one database, one makes the key.
        Err(Error::Conflict) => drawer.get(KIND, name).await?.ok_or(Error::Conflict),
        saved => saved.map(|()| key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        let key = |text: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, text);
        Keys { pairwise: key(b"one"), sealing: key(b"two") }
    }

    #[test]
    fn a_sealed_text_comes_back_in_its_context_alone() {
        let keys = keys();
        let sealed = keys.seal(&["consent", "account"], "both|2026-01-01");
        let unpadded = sealed.trim_end_matches('=');
        for form in [sealed.as_str(), unpadded] {
            assert_eq!(keys.open(&["consent", "account"], form).as_deref(), Some("both|2026-01-01"));
        }
        assert_eq!(keys.open(&["consent", "other"], &sealed), None);
        assert_eq!(keys.open(&["consentaccount", ""], &sealed), None);
        let mut spoiled = sealed.clone().into_bytes();
        spoiled[30] ^= 1;
        assert_eq!(keys.open(&["consent", "account"], &String::from_utf8(spoiled).unwrap()), None);
        for text in ["", "A", "*", "AAAA"] {
            assert_eq!(keys.open(&[], text), None);
        }
    }

    #[test]
    fn pairwise_ids_differ_by_party_and_purpose() {
        let keys = keys();
        let id = |purpose, tpp| keys.pairwise_uuid(purpose, &[tpp, "1"]);
        assert_eq!(id("account", "a"), id("account", "a"));
        assert_ne!(id("account", "a"), id("account", "b"));
        assert_ne!(id("account", "a"), id("subject", "a"));
    }
}
