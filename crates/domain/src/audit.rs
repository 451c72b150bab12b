//! The audit trail: a chain of entries, each with the hash of the one before it, so that none is changed, taken out, put in or moved
//! without a trace.
//!
//! The hash of an entry is SHA-256, in lower-case hexadecimal, over the hash of the entry before it, a line feed, its number in
//! decimal digits, a line feed, and its text as it is kept, octet by octet. The first entry has number 1 and follows 64
//! zeros. Whoever keeps a hash elsewhere can tell later whether the trail up to it is still the same ([`Audited::anchored`]).

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

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

/// What is wrong with a trail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// An entry, or the one before it, is not what its hash was made of.
    #[error("entry {0} was changed, or the one before it: its hash does not fit both")]
    Changed(i64),
    /// The last entry has a hash that fits it, and is not the one that was written.
    #[error("the last entry, {0}, was changed: it is not the one that was noted when it was written")]
    Replaced(i64),
    /// Entries are not there.
    #[error("{}", missing(*from, *to))]
    Missing {
        /// The first one.
        from: i64,
        /// The last one.
        to: i64,
    },
    /// An entry stands where another one belongs.
    #[error("entry {number} stands behind entry {behind}: it was put in, or moved")]
    Misplaced {
        /// Which.
        number: i64,
        /// Behind which.
        behind: i64,
    },
    /// A hash that was kept elsewhere is another one than that of the entry.
    #[error("entry {0} is not the one whose hash was kept elsewhere: the trail was made anew")]
    Rewritten(i64),
}

fn missing(from: i64, to: i64) -> String {
    if from == to {
        format!("entry {from} was taken out")
    } else {
        format!("entries {from} to {to} were taken out")
    }
}

/// A trail that is looked at, entry by entry, from the oldest that is kept.
///
/// ```
/// use domain::audit::{Audited, Damage, Head};
///
/// let head = Head::default();
/// let (mut entries, end) = head.followed_by(["one", "two", "three"].map(str::to_owned));
/// entries[1].text = "too".to_owned();
/// let mut audited = Audited::from(head);
/// entries.iter().for_each(|entry| audited.take(entry));
/// assert_eq!(audited.damages(&end), [Damage::Changed(2)]);
/// ```
#[derive(Debug)]
pub struct Audited {
    last: Head,
    /// Whether what stands before the next entry is known.
    follows: bool,
    count: u64,
    anchors: BTreeMap<i64, String>,
    damages: Vec<Damage>,
}

impl From<Head> for Audited {
    /// `head` is what the oldest entry that is kept follows.
    fn from(head: Head) -> Self {
        Self { last: head, follows: true, count: 0, anchors: BTreeMap::new(), damages: Vec::new() }
    }
}

impl Audited {
    /// The same, which is compared with an entry whose hash was kept elsewhere.
    pub fn anchored(mut self, anchor: Head) -> Self {
        self.anchors.insert(anchor.number, anchor.hash);
        self
    }

    /// Looks at the next entry.
    pub fn take(&mut self, entry: &Entry) {
        self.count += 1;
        let expected = self.last.number + 1;
        if entry.number < expected {
            let damage = Damage::Misplaced { number: entry.number, behind: self.last.number };
            self.damages.push(damage);
            return;
        }
        if entry.number > expected {
            self.damages.push(Damage::Missing { from: expected, to: entry.number - 1 });
            self.follows = false;
        }
        // Behind a gap nobody can tell what the hash was made of.
        if self.follows && hash(&self.last.hash, entry.number, &entry.text) != entry.hash {
            self.damages.push(Damage::Changed(entry.number));
        }
        if self.anchors.remove(&entry.number).is_some_and(|anchor| anchor != entry.hash) {
            self.damages.push(Damage::Rewritten(entry.number));
        }
        self.last = Head { number: entry.number, hash: entry.hash.clone() };
        self.follows = true;
    }

    /// How many entries were looked at.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The last one.
    pub fn last(&self) -> &Head {
        &self.last
    }

    /// What is wrong, once all entries were looked at: `head` is the end of the chain as it was noted when the last entry was written.
    pub fn damages(mut self, head: &Head) -> Vec<Damage> {
        if self.last.number < head.number {
            self.damages.push(Damage::Missing { from: self.last.number + 1, to: head.number });
        } else if self.last.number > head.number {
            self.damages.push(Damage::Misplaced { number: head.number + 1, behind: head.number });
        } else if self.last.hash != head.hash {
            self.damages.push(Damage::Replaced(self.last.number));
        }
        // What is older than the oldest entry was forgotten in its time.
        let beyond: Vec<i64> = self.anchors.keys().copied().filter(|number| *number > head.number).collect();
        if let (Some(first), Some(last)) = (beyond.first(), beyond.last()) {
            self.damages.push(Damage::Missing { from: *first.min(&(head.number + 1)), to: *last });
        }
        self.damages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> (Vec<Entry>, Head) {
        Head::default().followed_by((1..=9).map(|n| format!("{{\"n\":{n}}}")))
    }

    fn found(entries: &[Entry], head: &Head) -> Vec<Damage> {
        let mut audited = Audited::from(Head::default());
        entries.iter().for_each(|entry| audited.take(entry));
        audited.damages(head)
    }

    #[test]
    fn the_hash_is_what_is_documented() {
        // printf '%064d\n1\n{}' 0 | sha256sum
        let expected = "857ee6299d26533d1f5f46c02209ae8bc34dc4898a8a9545493946b4ea59d6f3";
        assert_eq!(hash(BEFORE_THE_FIRST, 1, "{}"), expected);
    }

    #[test]
    fn each_kind_of_damage_is_told_with_its_place() {
        let (whole, head) = chain();
        assert_eq!(found(&whole, &head), []);
        for at in 0..whole.len() {
            let number = whole[at].number;
            let mut changed = whole.clone();
            changed[at].text.push(' ');
            assert_eq!(found(&changed, &head), [Damage::Changed(number)]);

            let mut removed = whole.clone();
            removed.remove(at);
            assert_eq!(found(&removed, &head), [Damage::Missing { from: number, to: number }]);

            let mut doubled = whole.clone();
            doubled.insert(at + 1, whole[at].clone());
            assert_eq!(found(&doubled, &head), [Damage::Misplaced { number, behind: number }]);
        }
        let mut swapped = whole.clone();
        swapped.swap(3, 4);
        let expected = [Damage::Missing { from: 4, to: 4 }, Damage::Misplaced { number: 4, behind: 5 }];
        assert_eq!(found(&swapped, &head), expected);

        let (_, older) = Head::default().followed_by((1..=8).map(|n| format!("{{\"n\":{n}}}")));
        assert_eq!(found(&whole, &older), [Damage::Misplaced { number: 9, behind: 8 }]);

        // Somebody who changes an entry and its hash gives themselves away by the next one, or by the end.
        for at in 0..whole.len() {
            let mut forged = whole.clone();
            let before = at.checked_sub(1).map_or(BEFORE_THE_FIRST, |at| &whole[at].hash).to_owned();
            forged[at].text = "{}".to_owned();
            forged[at].hash = hash(&before, forged[at].number, "{}");
            let expected = match whole.get(at + 1) {
                Some(next) => Damage::Changed(next.number),
                None => Damage::Replaced(whole[at].number),
            };
            assert_eq!(found(&forged, &head), [expected]);
        }
    }

    #[test]
    fn a_trail_that_was_made_anew_does_not_fit_what_was_kept_elsewhere() {
        let (_, kept) = chain();
        let (anew, end) = Head::default().followed_by((1..=9).map(|n| format!("{n}")));
        let mut audited = Audited::from(Head::default()).anchored(kept.clone());
        anew.iter().for_each(|entry| audited.take(entry));
        assert_eq!(audited.damages(&end), [Damage::Rewritten(9)]);

        let (short, end) = Head::default().followed_by((1..=7).map(|n| format!("{{\"n\":{n}}}")));
        let mut audited = Audited::from(Head::default()).anchored(kept);
        short.iter().for_each(|entry| audited.take(entry));
        assert_eq!(audited.damages(&end), [Damage::Missing { from: 8, to: 9 }]);
    }

    #[test]
    fn what_was_forgotten_is_not_missed() {
        let (whole, head) = chain();
        let (old, kept) = whole.split_at(4);
        let oldest = Head { number: 4, hash: old[3].hash.clone() };
        let mut audited = Audited::from(oldest).anchored(Head { number: 2, hash: "gone".to_owned() });
        kept.iter().for_each(|entry| audited.take(entry));
        assert_eq!((audited.count(), audited.last()), (5, &head));
        assert_eq!(audited.damages(&head), []);
    }
}
