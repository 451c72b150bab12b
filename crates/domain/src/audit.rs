//! The audit trail: a chain of entries, each with the hash of the one before it, so that none is changed, taken out, put in or moved
//! without a trace.
//!
//! The hash of an entry is SHA-256, in lower-case hexadecimal, over the hash of the entry before it, a line feed, its number in
//! decimal digits, a line feed, and its text as it is kept, octet by octet. The first entry has number 1 and follows 64
//! zeros. Whoever keeps a hash elsewhere can tell later whether the trail up to it is still the same ([`Audited::anchored`]).
//!
//! What is old is forgotten from the beginning on. That leaves an entry behind, [`Forgotten`], with number and hash of the last entry that
//! went, so that a trail which begins elsewhere was cut.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

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
}

impl Forgotten {
    fn is_of(&self, head: &Head) -> bool {
        self.number == head.number && self.hash == head.hash
    }

    /// Whether an entry that was written then had to be kept longer.
    fn is_early_for(&self, written_at: Timestamp) -> bool {
        // Clocks of processes differ, and moments are kept in seconds.
        let kept = self.at.duration_since(written_at) + SignedDuration::from_hours(1);
        kept < SignedDuration::from_hours(24).saturating_mul(i32::try_from(self.days).unwrap_or(i32::MAX))
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
    /// The oldest entries are not there, and nothing says that they were forgotten.
    #[error("{} at the beginning: no entry says that they were forgotten", missing(*from, *to))]
    Cut {
        /// The first one.
        from: i64,
        /// The last one.
        to: i64,
    },
    /// Entries were forgotten before their time.
    #[error(
        "entries up to {number} were forgotten at {at}, before the {days} days for which entries are kept were over"
    )]
    Early {
        /// The last one.
        number: i64,
        /// When.
        at: Timestamp,
        /// For how many days entries are kept.
        days: i64,
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
    /// What the oldest entry follows.
    begin: Head,
    last: Head,
    /// Whether what stands before the next entry is known.
    follows: bool,
    count: u64,
    anchors: BTreeMap<i64, Anchor>,
    forgotten: Vec<Forgotten>,
    damages: Vec<Damage>,
}

impl From<Head> for Audited {
    /// `head` is what the oldest entry that is kept follows.
    fn from(head: Head) -> Self {
        Self {
            begin: head.clone(),
            last: head,
            follows: true,
            count: 0,
            anchors: BTreeMap::new(),
            forgotten: Vec::new(),
            damages: Vec::new(),
        }
    }
}

impl Audited {
    /// The same, which is compared with an entry whose hash was kept elsewhere.
    pub fn anchored(mut self, anchor: Anchor) -> Self {
        self.anchors.insert(anchor.head.number, anchor);
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
        if self.anchors.remove(&entry.number).is_some_and(|anchor| anchor.head.hash != entry.hash) {
            self.damages.push(Damage::Rewritten(entry.number));
        }
        // What is to come was not forgotten.
        self.forgotten.extend(entry.forgotten().filter(|forgotten| forgotten.number < entry.number));
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

    /// What is said of the entries before the oldest one, if they were forgotten.
    pub fn forgotten(&self) -> Option<&Forgotten> {
        self.forgotten.iter().find(|forgotten| forgotten.is_of(&self.begin))
    }

    /// What is wrong, once all entries were looked at: `head` is the end of the chain as it was noted when the last entry was written.
    pub fn damages(mut self, head: &Head) -> Vec<Damage> {
        // While it was read from its beginning on, what came next may have been forgotten.
        let forgotten = std::mem::take(&mut self.forgotten);
        let went = |to: &i64| forgotten.iter().any(|forgotten| forgotten.number == *to);
        self.damages.retain(|damage| !matches!(damage, Damage::Missing { to, .. } if went(to)));
        let mut damages = self.beginning(&forgotten);
        damages.append(&mut self.damages);
        if self.last.number < head.number {
            damages.push(Damage::Missing { from: self.last.number + 1, to: head.number });
        } else if self.last.number > head.number {
            damages.push(Damage::Misplaced { number: head.number + 1, behind: head.number });
        } else if self.last.hash != head.hash {
            damages.push(Damage::Replaced(self.last.number));
        }
        let beyond: Vec<i64> = self.anchors.keys().copied().filter(|number| *number > head.number).collect();
        if let (Some(first), Some(last)) = (beyond.first(), beyond.last()) {
            damages.push(Damage::Missing { from: *first.min(&(head.number + 1)), to: *last });
        }
        damages
    }

    /// What is wrong with where it begins.
    fn beginning(&self, forgotten: &[Forgotten]) -> Vec<Damage> {
        let begin = &self.begin;
        if begin.number == 0 {
            let is_first = begin.hash == BEFORE_THE_FIRST;
            return if is_first { Vec::new() } else { vec![Damage::Changed(1)] };
        }
        let Some(word) = forgotten.iter().find(|forgotten| forgotten.is_of(begin)) else {
            let before =
                forgotten.iter().map(|forgotten| forgotten.number).filter(|number| number < &begin.number);
            return vec![Damage::Cut { from: before.max().unwrap_or(0) + 1, to: begin.number }];
        };
        let mut damages = Vec::new();
        // Whatever an entry says of itself: what was the last one at a moment was written about then.
        let noted = self.anchors.range(..=begin.number).filter_map(|(_, anchor)| anchor.at);
        if noted.chain([word.written_at]).any(|written_at| word.is_early_for(written_at)) {
            damages.push(Damage::Early { number: word.number, at: word.at, days: word.days });
        }
        if self.anchors.get(&begin.number).is_some_and(|anchor| anchor.head.hash != begin.hash) {
            damages.push(Damage::Rewritten(begin.number));
        }
        damages
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
        let mut audited = Audited::from(Head::default()).anchored(kept.clone().into());
        anew.iter().for_each(|entry| audited.take(entry));
        assert_eq!(audited.damages(&end), [Damage::Rewritten(9)]);

        let (short, end) = Head::default().followed_by((1..=7).map(|n| format!("{{\"n\":{n}}}")));
        let mut audited = Audited::from(Head::default()).anchored(kept.into());
        short.iter().for_each(|entry| audited.take(entry));
        assert_eq!(audited.damages(&end), [Damage::Missing { from: 8, to: 9 }]);
    }

    /// A chain of nine entries whose first four were forgotten, which the ninth says; and what the fifth follows.
    fn forgetful(days: i64) -> (Vec<Entry>, Head, Head) {
        let (mut entries, head) = Head::default().followed_by((1..=8).map(|n| format!("{{\"n\":{n}}}")));
        let word = format!(
            "{FORGOTTEN}\"at\":\"2028-03-06T00:00:00Z\",\"number\":4,\"hash\":\"{}\",\"writtenAt\":\"2027-01-30T00:00:00Z\",\"days\":{days}}}",
            entries[3].hash
        );
        let (word, end) = head.followed_by([word]);
        entries.extend(word);
        let begin = Head { number: 4, hash: entries[3].hash.clone() };
        (entries, begin, end)
    }

    fn found_from(begin: Head, entries: &[Entry], end: &Head, anchors: &[Anchor]) -> Vec<Damage> {
        let mut audited = anchors.iter().cloned().fold(Audited::from(begin), Audited::anchored);
        entries.iter().for_each(|entry| audited.take(entry));
        audited.damages(end)
    }

    #[test]
    fn what_was_forgotten_is_told_from_what_was_taken_out() {
        let (whole, begin, end) = forgetful(400);
        let mut audited = Audited::from(begin.clone());
        whole[4..].iter().for_each(|entry| audited.take(entry));
        assert_eq!((audited.count(), audited.last()), (5, &end));
        assert_eq!(audited.forgotten().map(|forgotten| forgotten.days), Some(400));
        assert_eq!(audited.damages(&end), []);

        // Taken out before anything was forgotten, more than was forgotten, and all but the word of it.
        let (early, early_end) = chain();
        for count in 1..9 {
            let cut = Head { number: count, hash: early[count as usize - 1].hash.clone() };
            let found = found_from(cut, &early[count as usize..], &early_end, &[]);
            assert_eq!(found, [Damage::Cut { from: 1, to: count }]);
        }
        for count in 5..9 {
            let cut = Head { number: count, hash: whole[count as usize - 1].hash.clone() };
            let found = found_from(cut, &whole[count as usize..], &end, &[]);
            assert_eq!(found, [Damage::Cut { from: 5, to: count }]);
        }
        // Where the first one that is left begins was changed, and so no longer fits.
        let strange = Head { number: 4, hash: "0".repeat(64) };
        let found = found_from(strange, &whole[4..], &end, &[]);
        assert_eq!(found, [Damage::Cut { from: 1, to: 4 }, Damage::Changed(5)]);
        // It is forgotten while it is read: what was read, and then what came behind what went.
        let read: Vec<_> = [&whole[..2], &whole[4..]].concat();
        assert_eq!(found_from(Head::default(), &read, &end, &[]), []);
        let read: Vec<_> = [&whole[..2], &whole[5..]].concat();
        assert_eq!(found_from(Head::default(), &read, &end, &[]), [Damage::Missing { from: 3, to: 5 }]);
    }

    #[test]
    fn what_is_forgotten_before_its_time_is_told() {
        let (whole, begin, end) = forgetful(402);
        let at = "2028-03-06T00:00:00Z".parse().unwrap();
        let early = |days| [Damage::Early { number: 4, at, days }];
        assert_eq!(found_from(begin, &whole[4..], &end, &[]), early(402));
        // Somebody who writes such an entry by hand may say of the others what they like, but not when they were the last ones.
        let (whole, begin, end) = forgetful(400);
        for (noted, is_early) in [("2027-01-30T00:00:01Z", false), ("2027-02-01T00:00:00Z", true)] {
            let anchor: Anchor = format!("3:{}@{noted}", whole[2].hash).parse().unwrap();
            let found = found_from(begin.clone(), &whole[4..], &end, &[anchor]);
            assert_eq!(found, if is_early { early(400).to_vec() } else { Vec::new() }, "{noted}");
        }
        let anchor: Anchor = format!("4:{}", "0".repeat(64)).parse().unwrap();
        assert_eq!(found_from(begin, &whole[4..], &end, &[anchor]), [Damage::Rewritten(4)]);
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
