//! The audit trail: a chain of entries, each with the hash of the one before it, so that none is changed, taken out, put in or moved
//! without a trace.
//!
//! The hash of an entry is SHA-256, in lower-case hexadecimal, over the hash of the entry before it, a line feed, its number in
//! decimal digits, a line feed, and its text as it is kept, octet by octet. The first entry has number 1 and follows 64
//! zeros. Whoever keeps a hash elsewhere can tell later whether the trail up to it is still the same ([`Audited::anchored`]).
//!
//! What is old is forgotten from the beginning on. That leaves an entry behind, [`Forgotten`], with number and hash of the last entry that
//! went, so that a trail which begins elsewhere was cut.

mod audited;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::audited::{Audited, Damage, Judge};

/// What the first entry follows.
pub const BEFORE_THE_FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of the last entry; 0 if there is none.
    pub number: i64,
    /// Its hash.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { number: 0, hash: BEFORE_THE_FIRST.to_owned() }
    }
}

/// An entry of a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub number: i64,
    /// Its hash.
    pub hash: String,
    /// What it says.
    pub text: String,
}

/// What an entry says of those that were forgotten, in the batch that did so.
///
/// ```
/// use domain::audit::{Entry, Forgotten};
///
/// let text = r#"{"kind":"forgotten","at":"2028-03-06T00:00:00Z","number":7,"hash":"ab","writtenAt":"2027-01-30T00:00:00Z","days":400}"#;
/// let entry = Entry { number: 9, hash: String::new(), text: text.to_owned() };
/// assert_eq!(entry.forgotten().map(|forgotten| forgotten.number), Some(7));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Forgotten {
    /// When.
    pub at: Timestamp,
    /// The number of the last one.
    pub number: i64,
    /// Its hash.
    pub hash: String,
    /// When it was written.
    pub written_at: Timestamp,
    /// For how many days entries are kept.
    pub days: i64,
}

/// How the text of such an entry begins.
const FORGOTTEN: &str = "{\"kind\":\"forgotten\",";

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Said {
    Forgotten(Forgotten),
}

impl Entry {
    /// What it says of those that were forgotten, if it is about them.
    pub fn forgotten(&self) -> Option<Forgotten> {
        if !self.text.starts_with(FORGOTTEN) {
            return None;
        }
        let Said::Forgotten(forgotten) = serde_json::from_str(&self.text).ok()?;
        Some(forgotten)
    }

    /// When it says that what it tells of happened.
    pub fn moment(&self) -> Option<Timestamp> {
        #[derive(Deserialize)]
        struct Made {
            at: Timestamp,
        }
        serde_json::from_str::<Made>(&self.text).ok().map(|made| made.at)
    }
}

impl Forgotten {
    fn is_of(&self, head: &Head) -> bool {
        self.number == head.number && self.hash == head.hash
    }
}

/// An entry whose hash was kept elsewhere.
///
/// ```
/// use domain::audit::Anchor;
///
/// let hash = "0123456789abcdef".repeat(4);
/// let anchor: Anchor = format!("7:{hash}@2027-01-31T12:00:00Z").parse()?;
/// assert_eq!(anchor.head.number, 7);
/// # Ok::<(), domain::audit::NoAnchor>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Number and hash.
    pub head: Head,
    /// When it was the last entry, if that was noted.
    pub at: Option<Timestamp>,
}

impl From<Head> for Anchor {
    fn from(head: Head) -> Self {
        Self { head, at: None }
    }
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.head.number, self.head.hash)?;
        self.at.map_or(Ok(()), |at| write!(f, "@{at}"))
    }
}

/// What is no anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a number, a colon and 64 hexadecimal digits are expected, and behind an @ the moment at which they were noted, such as \
     2027-01-31T12:00:00Z, if it is known"
)]
pub struct NoAnchor;

impl std::str::FromStr for Anchor {
    type Err = NoAnchor;

    fn from_str(text: &str) -> Result<Self, NoAnchor> {
        let (head, at) = match text.split_once('@') {
            Some((head, at)) => (head, Some(at.parse().map_err(|_| NoAnchor)?)),
            None => (text, None),
        };
        let (number, hash) = head.split_once(':').ok_or(NoAnchor)?;
        let number = number.parse().ok().filter(|number| *number > 0).ok_or(NoAnchor)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|octet| octet.is_ascii_hexdigit());
        let hash = is_hash.then(|| hash.to_ascii_lowercase()).ok_or(NoAnchor)?;
        Ok(Self { head: Head { number, hash }, at })
    }
}

/// The hash of an entry.
///
/// ```
/// use domain::audit::{BEFORE_THE_FIRST, hash};
///
/// let first = hash(BEFORE_THE_FIRST, 1, "{}");
/// assert_eq!(first.len(), 64);
/// assert_ne!(first, hash(BEFORE_THE_FIRST, 2, "{}"), "its place is part of it");
/// ```
pub fn hash(before: &str, number: i64, text: &str) -> String {
    let mut context = Context::new(&SHA256);
    for part in [before, "\n", &number.to_string(), "\n", text] {
        context.update(part.as_bytes());
    }
    HEXLOWER.encode(context.finish().as_ref())
}

impl Head {
    /// The entries that texts become at the end of a chain, and its end then.
    pub fn followed_by(&self, texts: impl IntoIterator<Item = String>) -> (Vec<Entry>, Self) {
        let mut head = self.clone();
        let follow = |text: String| {
            let number = head.number + 1;
            let hash = hash(&head.hash, number, &text);
            head = Self { number, hash: hash.clone() };
            Entry { number, hash, text }
        };
        let entries = texts.into_iter().map(follow).collect();
        (entries, head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_what_is_documented() {
        // printf '%064d\n1\n{}' 0 | sha256sum
        let expected = "857ee6299d26533d1f5f46c02209ae8bc34dc4898a8a9545493946b4ea59d6f3";
        assert_eq!(hash(BEFORE_THE_FIRST, 1, "{}"), expected);
    }

    #[test]
    fn anchors_are_read_as_they_are_written() {
        let hash = "0123456789abcdef".repeat(4);
        for text in [format!("7:{hash}"), format!("7:{hash}@2027-01-31T12:00:00Z")] {
            assert_eq!(text.parse::<Anchor>().unwrap().to_string(), text);
        }
        let short = &hash[1..];
        for text in
            ["", "7", ":", "0:{hash}", "-1:{hash}", "7:{short}", "7:{hash}@", "7:{hash}@soon", "7:{hash}0"]
        {
            let text = text.replace("{hash}", &hash).replace("{short}", short);
            assert_eq!(text.parse::<Anchor>(), Err(NoAnchor), "{text}");
        }
    }
}
