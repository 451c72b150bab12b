//! A trail that is looked at: what was changed, taken out, put in, moved, or forgotten before its time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Anchor, BEFORE_THE_FIRST, Entry, Forgotten, Head, hash};

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
        "entries up to {number} were forgotten by {at}, before the {days} days for which entries are kept were over"
    )]
    Early {
        /// The last one.
        number: i64,
        /// When, at the latest.
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

/// What whoever looks at a trail knows, and need not believe the trail: entries about what was forgotten are judged by it.
///
/// ```
/// use domain::audit::{Audited, Head, Judge};
///
/// let judge = Judge { now: "2028-03-06T00:00:00Z".parse().unwrap(), days: 400 };
/// let audited = Audited::from(Head::default()).judged_by(judge);
/// assert_eq!(audited.damages(&Head::default()), []);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judge {
    /// The time: nothing was forgotten later.
    pub now: Timestamp,
    /// For how many days the bank kept entries, at least.
    pub days: i64,
}

impl Default for Judge {
    /// Nothing is known but that no entry is forgotten on its first day.
    fn default() -> Self {
        Self { now: Timestamp::MAX, days: 1 }
    }
}

impl Judge {
    /// For how many days entries had to be kept.
    fn days_of(&self, word: &Forgotten) -> i64 {
        word.days.max(self.days).max(1)
    }

    /// Whether an entry that was written then had to be kept longer.
    fn is_early(&self, word: &Forgotten, written_at: Timestamp) -> bool {
        // Clocks of processes differ, and moments are kept in seconds.
        let kept = word.at.min(self.now).duration_since(written_at) + SignedDuration::from_hours(1);
        let days = i32::try_from(self.days_of(word)).unwrap_or(i32::MAX);
        kept < SignedDuration::from_hours(24).saturating_mul(days)
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
    judge: Judge,
    /// By number. Notes of one entry that differ say that the trail was made anew between them.
    anchors: BTreeMap<i64, Vec<Anchor>>,
    forgotten: Vec<Forgotten>,
    /// The latest moment of which it is known that entries were written then.
    latest: Option<Timestamp>,
    /// By the number of the last entry that is missing.
    gaps: BTreeMap<i64, Gap>,
    damages: Vec<Damage>,
}

/// A place in the middle where entries are not there.
#[derive(Debug)]
struct Gap {
    /// The number of the first one.
    from: i64,
    /// What stands behind it.
    next: Entry,
    /// The latest moment that is known of entries before it: those that are missing were written later.
    latest: Option<Timestamp>,
}

impl From<Head> for Audited {
    /// `head` is what the oldest entry that is kept follows.
    fn from(head: Head) -> Self {
        Self {
            begin: head.clone(),
            last: head,
            follows: true,
            count: 0,
            judge: Judge::default(),
            anchors: BTreeMap::new(),
            forgotten: Vec::new(),
            latest: None,
            gaps: BTreeMap::new(),
            damages: Vec::new(),
        }
    }
}

impl Audited {
    /// The same, which is compared with an entry whose hash was kept elsewhere, also if another note of it is given.
    pub fn anchored(mut self, anchor: Anchor) -> Self {
        self.anchors.entry(anchor.head.number).or_default().push(anchor);
        self
    }

    /// The same, judged by what whoever looks at it knows.
    pub fn judged_by(self, judge: Judge) -> Self {
        Self { judge, ..self }
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
            let gap = Gap { from: expected, next: entry.clone(), latest: self.latest };
            self.gaps.insert(entry.number - 1, gap);
            self.follows = false;
        }
        // Behind a gap nobody can tell what the hash was made of.
        if self.follows && hash(&self.last.hash, entry.number, &entry.text) != entry.hash {
            self.damages.push(Damage::Changed(entry.number));
        }
        let anchors = self.anchors.remove(&entry.number).unwrap_or_default();
        let noted = anchors.iter().filter_map(|anchor| anchor.at).max();
        if anchors.iter().any(|anchor| anchor.head.hash != entry.hash) {
            self.damages.push(Damage::Rewritten(entry.number));
        }
        self.latest = self.latest.max(noted).max(entry.moment());
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
        let forgotten = std::mem::take(&mut self.forgotten);
        let mut damages = self.beginning(&forgotten);
        damages.extend(self.contradictions());
        let found = std::mem::take(&mut self.damages);
        damages.extend(found.into_iter().filter_map(|damage| self.unless_forgotten(damage, &forgotten)));
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

    /// What remains of a damage: while a trail is read from its beginning on, what comes next may be forgotten. An entry that says so is
    /// believed if what stands behind the gap was made of the hash in it, which nobody has who did not see what went.
    fn unless_forgotten(&self, damage: Damage, forgotten: &[Forgotten]) -> Option<Damage> {
        let Damage::Missing { to, .. } = &damage else { return Some(damage) };
        let Some(gap) = self.gaps.get(to) else { return Some(damage) };
        let fits = |word: &&Forgotten| {
            word.number == *to
                && hash(&word.hash, gap.next.number, &gap.next.text) == gap.next.hash
                && self.noted(*to).all(|anchor| anchor.head.hash == word.hash)
        };
        let Some(word) = forgotten.iter().find(fits) else { return Some(damage) };
        self.early(word, gap.from, gap.latest)
    }

    /// Whether entries from a number on were forgotten before their time, whatever the entry about that says of itself: what was the
    /// last one at a moment was written about then, and what stood behind others was written later than they.
    fn early(&self, word: &Forgotten, from: i64, latest: Option<Timestamp>) -> Option<Damage> {
        let noted = self.anchors.range(from..=word.number).flat_map(|(_, anchors)| anchors);
        let noted = noted.filter_map(|anchor| anchor.at);
        let mut moments = noted.chain(latest).chain([word.written_at]);
        moments.any(|written_at| self.judge.is_early(word, written_at)).then(|| Damage::Early {
            number: word.number,
            at: word.at.min(self.judge.now),
            days: self.judge.days_of(word),
        })
    }

    /// What was kept elsewhere of an entry that was not looked at.
    fn noted(&self, number: i64) -> impl Iterator<Item = &Anchor> {
        self.anchors.get(&number).into_iter().flatten()
    }

    /// Entries that are not there, and of which notes were kept that differ. What the oldest one follows is compared with its own.
    fn contradictions(&self) -> impl Iterator<Item = Damage> {
        let differ = |anchors: &[Anchor]| {
            anchors.windows(2).any(|pair| matches!(pair, [one, next] if one.head.hash != next.head.hash))
        };
        let others = self.anchors.iter().filter(|(number, _)| **number != self.begin.number);
        others.filter(move |(_, anchors)| differ(anchors)).map(|(number, _)| Damage::Rewritten(*number))
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
        let mut damages: Vec<_> = self.early(word, i64::MIN, None).into_iter().collect();
        if self.noted(begin.number).any(|anchor| anchor.head.hash != begin.hash) {
            damages.push(Damage::Rewritten(begin.number));
        }
        damages
    }
}

#[cfg(test)]
mod tests {
    use super::super::FORGOTTEN;
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

    #[test]
    fn notes_of_one_entry_that_differ_say_that_the_trail_was_made_anew() {
        let (whole, head) = chain();
        let anchor =
            |number: i64, hash: &str, at: &str| -> Anchor { format!("{number}:{hash}{at}").parse().unwrap() };
        let bad = "a".repeat(64);
        let (good, bad) = (whole[1].hash.as_str(), bad.as_str());
        for at in ["", "@2027-02-01T09:00:00Z"] {
            for hashes in [[good, bad], [bad, good]] {
                let notes = hashes.map(|hash| anchor(2, hash, at));
                let found = found_from(Head::default(), &whole, &head, &notes);
                assert_eq!(found, [Damage::Rewritten(2)], "{at}");
            }
        }
        let same = [anchor(2, good, ""), anchor(2, good, "@2027-02-01T09:00:00Z")];
        assert_eq!(found_from(Head::default(), &whole, &head, &same), []);
        // Of entries that were forgotten, too: the last of them, and one before it.
        let (forgetful, begin, end) = forgetful(400);
        for number in [3, 4] {
            let good = forgetful[number as usize - 1].hash.as_str();
            for hashes in [[good, bad], [bad, good]] {
                let notes = hashes.map(|hash| anchor(number, hash, ""));
                let found = found_from(begin.clone(), &forgetful[4..], &end, &notes);
                assert_eq!(found, [Damage::Rewritten(number)], "{hashes:?}");
            }
        }
        // A note with its moment counts, whichever note without one stands beside it.
        let young = anchor(3, &forgetful[2].hash, "@2027-02-01T00:00:00Z");
        let plain = anchor(3, &forgetful[2].hash, "");
        let at = "2028-03-06T00:00:00Z".parse().unwrap();
        for notes in [[young.clone(), plain.clone()], [plain, young]] {
            let found = found_from(begin.clone(), &forgetful[4..], &end, &notes);
            assert_eq!(found, [Damage::Early { number: 4, at, days: 400 }]);
        }
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

    /// The end of a chain of nine entries of the first of February at nine o'clock, behind a word of forgetting that was made by hand.
    fn worded(hash_of: i64, (number, at, days): (i64, &str, i64)) -> (Vec<Entry>, Head) {
        let texts = (1..=9).map(|n| format!("{{\"n\":{n},\"at\":\"2027-02-01T09:00:00Z\"}}"));
        let (mut entries, head) = Head::default().followed_by(texts);
        let hash = entries.iter().find(|entry| entry.number == hash_of).map(|entry| entry.hash.clone());
        let hash = hash.unwrap_or_else(|| "0".repeat(64));
        let word = format!(
            "{FORGOTTEN}\"at\":\"{at}\",\"number\":{number},\"hash\":\"{hash}\",\"writtenAt\":\"2020-01-01T00:00:00Z\",\"days\":{days}}}"
        );
        let (word, end) = head.followed_by([word]);
        entries.extend(word);
        (entries, end)
    }

    fn judged(judge: Judge, (begin, entries): (Head, &[Entry]), end: &Head, anchors: &[&str]) -> Vec<Damage> {
        let anchors = anchors.iter().map(|anchor| anchor.parse().unwrap());
        let mut audited = anchors.fold(Audited::from(begin).judged_by(judge), Audited::anchored);
        entries.iter().for_each(|entry| audited.take(entry));
        audited.damages(end)
    }

    #[test]
    fn a_gap_in_the_middle_is_not_excused_by_a_word_that_was_made_by_hand() {
        let judge = Judge { now: "2028-03-09T00:00:00Z".parse().unwrap(), days: 1 };
        let without = |entries: &[Entry]| [&entries[..4], &entries[5..]].concat();
        let missing = [Damage::Missing { from: 5, to: 5 }];
        // A number alone, and the hash of another one.
        for hash_of in [0, 4, 6] {
            let (whole, end) = worded(hash_of, (5, "2028-03-08T10:00:00Z", 400));
            let found = judged(judge, (Head::default(), &without(&whole)), &end, &[]);
            assert_eq!(found, missing, "{hash_of}");
        }
        // It fits, and what stands before was written later than it says.
        for (at, days, early) in [
            ("2028-03-08T10:00:00Z", 400, None),
            ("2027-06-01T00:00:00Z", 400, Some(400)),
            ("2027-02-01T09:30:00Z", 0, Some(1)),
        ] {
            let (whole, end) = worded(5, (5, at, days));
            let found = judged(judge, (Head::default(), &without(&whole)), &end, &[]);
            let early = early.map(|days| Damage::Early { number: 5, at: at.parse().unwrap(), days });
            assert_eq!(found, Vec::from_iter(early), "{at}");
        }
        // What was kept elsewhere of it, or of what stood before, is another one or too young.
        let (whole, end) = worded(5, (5, "2028-03-08T10:00:00Z", 400));
        let other = format!("5:{}", "0".repeat(64));
        assert_eq!(judged(judge, (Head::default(), &without(&whole)), &end, &[&other]), missing);
        for number in [2, 4, 5] {
            let anchor = format!("{number}:{}@2027-02-03T00:00:00Z", whole[number - 1].hash);
            let found = judged(judge, (Head::default(), &without(&whole)), &end, &[&anchor]);
            let expected =
                Damage::Early { number: 5, at: "2028-03-08T10:00:00Z".parse().unwrap(), days: 400 };
            assert_eq!(found, [expected], "{number}");
        }
    }

    #[test]
    fn nothing_was_forgotten_later_than_now() {
        let now = "2027-02-03T00:00:00Z".parse().unwrap();
        let (whole, end) = worded(4, (4, "2099-01-01T00:00:00Z", 400));
        let begin = || Head { number: 4, hash: whole[3].hash.clone() };
        let anchor = format!("4:{}@2027-02-01T09:00:00Z", whole[3].hash);
        let found = |judge| judged(judge, (begin(), &whole[4..]), &end, &[&anchor]);
        assert_eq!(found(Judge::default()), [], "whoever knows no time cannot tell");
        assert_eq!(found(Judge { now, days: 1 }), [Damage::Early { number: 4, at: now, days: 400 }]);
    }

    #[test]
    fn entries_are_kept_as_long_as_who_looks_at_them_knows() {
        let now = "2027-02-20T00:00:00Z".parse().unwrap();
        for (at, said, days, early) in [
            ("2027-02-01T10:00:00Z", 0, 1, Some(1)),
            ("2027-02-01T10:00:00Z", -9, 1, Some(1)),
            ("2027-02-19T00:00:00Z", 0, 1, None),
            ("2027-02-19T00:00:00Z", 0, 400, Some(400)),
            ("2027-02-19T00:00:00Z", 30, 10, Some(30)),
        ] {
            let (whole, end) = worded(4, (4, at, said));
            let begin = Head { number: 4, hash: whole[3].hash.clone() };
            let anchor = format!("4:{}@2027-02-01T09:00:00Z", whole[3].hash);
            let found = judged(Judge { now, days }, (begin, &whole[4..]), &end, &[&anchor]);
            let early = early.map(|days| Damage::Early { number: 4, at: at.parse().unwrap(), days });
            assert_eq!(found, Vec::from_iter(early), "{at} {said} {days}");
        }
    }
}
