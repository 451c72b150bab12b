//! Availability and speed of the interfaces by day: what Article 32(4) RTS and EBA/GL/2018/07, guidelines 2 and 3, have a bank
//! publish.
//!
//! Each process counts for itself, in numbers and buckets whose count does not grow with the calls. What a day was is computed of what
//! all processes counted ([`Day::of`]).

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Unanswered requests in a row with which the interface is down (guideline 2.4).
const DOWN_AFTER: u32 = 5;

/// How long an answer may take until the request counts as unanswered (guideline 2.4).
pub const UNANSWERED: SignedDuration = SignedDuration::from_secs(30);

/// Spans of one day that are kept apart; further ones are joined to the last.
const MOST_SPANS: usize = 200;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Account information.
    Ais,
    /// Payment initiation.
    Pis,
    /// Confirmation of funds.
    Cbpii,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ais, Self::Pis, Self::Cbpii];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ais => "ais",
            Self::Pis => "pis",
            Self::Cbpii => "cbpii",
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It got what it asked for.
    Answered,
    /// It was refused, for a reason that is its own.
    Refused,
    /// The bank failed.
    Failed,
}

/// A request that was answered.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// What it was for.
    pub service: Service,
    /// When its answer was there.
    pub at: Timestamp,
    /// How long that took.
    pub took: SignedDuration,
    /// What became of it.
    pub outcome: Outcome,
}

/// Requests of one service on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many there were.
    pub requests: u64,
    /// How many of them the bank failed.
    pub errors: u64,
    /// How many got what they asked for.
    pub answered: u64,
    /// How long those took together, in microseconds.
    pub microseconds: u64,
    /// How many of those took how long, by bucket: see [`bucket`].
    pub durations: BTreeMap<u16, u64>,
}

impl Counts {
    fn add(&mut self, request: &Request) {
        self.requests += 1;
        self.errors += u64::from(request.outcome == Outcome::Failed);
        if request.outcome == Outcome::Answered {
            let microseconds = u64::try_from(request.took.as_micros()).unwrap_or(0);
            self.answered += 1;
            self.microseconds += microseconds;
            *self.durations.entry(bucket(microseconds)).or_default() += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.answered += other.answered;
        self.microseconds += other.microseconds;
        for (bucket, count) in &other.durations {
            *self.durations.entry(*bucket).or_default() += count;
        }
    }

    /// The mean of how long answers took, in milliseconds.
    pub fn mean(&self) -> Option<f64> {
        let divided = self.microseconds as f64 / self.answered as f64 / 1000.0;
        (self.answered > 0).then_some(divided)
    }

    /// How long so many of a hundred answers took at most, in milliseconds, to three in a hundred of it.
    pub fn percentile(&self, percent: u64) -> Option<f64> {
        let place = (self.answered * percent).div_ceil(100).max(1);
        let mut count = 0;
        let found = self.durations.iter().find(|(_, in_bucket)| {
            count += **in_bucket;
            count >= place
        });
        found.map(|(bucket, _)| middle(*bucket) as f64 / 1000.0)
    }
}

/// The bucket of a number of microseconds: those below 16 each have their own, and each doubling above is divided into 16.
pub fn bucket(microseconds: u64) -> u16 {
    if microseconds < 16 {
        return u16::try_from(microseconds).unwrap_or(0);
    }
    let exponent = 63 - microseconds.leading_zeros();
    let part = (microseconds >> (exponent - 4)) & 15;
    u16::try_from(u64::from(exponent - 3) * 16 + part).unwrap_or(u16::MAX)
}

/// The first number of microseconds of a bucket.
fn lowest(bucket: u16) -> u64 {
    let (doubling, part) = (u32::from(bucket / 16), u64::from(bucket % 16));
    match doubling {
        0 => part,
        _ => (16 + part).checked_shl(doubling - 1).unwrap_or(u64::MAX),
    }
}

fn middle(bucket: u16) -> u64 {
    let (lowest, next) = (lowest(bucket), lowest(bucket.saturating_add(1)));
    lowest + (next - lowest) / 2
}

/// A time from one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// What one process counted on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// While it was there.
    pub up: Span,
    /// While it was there and the interface down.
    pub down: Vec<Span>,
    /// Requests by service.
    pub counts: BTreeMap<Service, Counts>,
}

impl Counted {
    fn new(from: Timestamp) -> Self {
        Self { up: Span { from, until: from }, down: Vec::new(), counts: BTreeMap::new() }
    }

    fn was_down(&mut self, span: Span) {
        let is_full = self.down.len() >= MOST_SPANS;
        match self.down.last_mut() {
            Some(last) if is_full || last.from == span.from => last.until = span.until,
            _ => self.down.push(span),
        }
    }
}

/// What a process counts. Days are given by whoever knows when they begin.
#[derive(Debug)]
pub struct Counting {
    today: Counted,
    /// Requests in a row that were not answered, and when the first of them came.
    unanswered: Option<(u32, Timestamp)>,
}

impl Counting {
    /// Begins to count.
    pub fn new(now: Timestamp) -> Self {
        Self { today: Counted::new(now), unanswered: None }
    }

    /// Counts a request.
    pub fn add(&mut self, request: &Request) {
        self.today.counts.entry(request.service).or_default().add(request);
        let received = request.at.saturating_sub(request.took).unwrap_or(request.at);
        let is_answered = request.outcome != Outcome::Failed && request.took <= UNANSWERED;
        if is_answered {
            self.note_down(request.at);
            self.unanswered = None;
        } else {
            let (count, first) = self.unanswered.unwrap_or((0, received));
            self.unanswered = Some((count.saturating_add(1), first.min(received)));
        }
    }

    /// If the interface is down, it has been until now.
    fn note_down(&mut self, now: Timestamp) {
        if let Some((count, first)) = self.unanswered
            && count >= DOWN_AFTER
        {
            let from = first.max(self.today.up.from);
            self.today.was_down(Span { from, until: now.max(from) });
        }
    }

    /// What was counted until now.
    pub fn until(&mut self, now: Timestamp) -> &Counted {
        self.note_down(now);
        self.today.up.until = now.max(self.today.up.from);
        &self.today
    }

    /// A day is over: what was counted on it. What goes on goes on from `midnight`.
    pub fn day_is_over(&mut self, midnight: Timestamp) -> Counted {
        self.until(midnight);
        std::mem::replace(&mut self.today, Counted::new(midnight))
    }
}

/// A day as it is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// Which.
    pub day: Date,
    /// How long it was until now, or since anything is known.
    pub seconds: i64,
    /// While nobody was there, or the interface down.
    pub down_seconds: i64,
    /// Requests by service.
    pub counts: BTreeMap<Service, Counts>,
}

impl Day {
    /// What a day was by what all processes counted on it. `span` is the part of it that is known: it ends now if the day is not over, and
    /// begins when anybody counted for the first time. Whatever of it no process was there is downtime, planned or not, and so is
    /// what one of them was down.
    pub fn of(day: Date, span: Span, counted: &[Counted]) -> Self {
        let clip = |part: &Span| {
            let (from, until) = (part.from.max(span.from), part.until.min(span.until));
            (from < until).then_some((from.as_second(), until.as_second()))
        };
        let up: Vec<_> = counted.iter().filter_map(|one| clip(&one.up)).collect();
        let down = counted.iter().flat_map(|one| &one.down).filter_map(clip).collect();
        let seconds = (span.until.as_second() - span.from.as_second()).max(0);
        let there = covered(up);
        // Who was down was there, so that nothing is counted twice.
        let down_seconds = (seconds - there + covered(down)).clamp(0, seconds);
        let mut counts: BTreeMap<Service, Counts> = BTreeMap::new();
        for (service, of_one) in counted.iter().flat_map(|one| &one.counts) {
            counts.entry(*service).or_default().merge(of_one);
        }
        Self { day, seconds, down_seconds, counts }
    }

    /// Downtime in percent.
    pub fn downtime(&self) -> f64 {
        if self.seconds == 0 { 0.0 } else { self.down_seconds as f64 * 100.0 / self.seconds as f64 }
    }

    /// Uptime in percent.
    pub fn uptime(&self) -> f64 {
        100.0 - self.downtime()
    }

    /// Requests that the bank failed, in percent of all.
    pub fn error_rate(&self) -> Option<f64> {
        let (errors, requests) = self
            .counts
            .values()
            .fold((0, 0), |(errors, requests), counts| (errors + counts.errors, requests + counts.requests));
        (requests > 0).then(|| errors as f64 * 100.0 / requests as f64)
    }

    /// Requests of a service.
    pub fn of_service(&self, service: Service) -> Counts {
        self.counts.get(&service).cloned().unwrap_or_default()
    }
}

/// How many seconds spans cover together.
fn covered(mut spans: Vec<(i64, i64)>) -> i64 {
    spans.sort_unstable();
    let (mut sum, mut end) = (0, i64::MIN);
    for (from, until) in spans {
        sum += (until - from.max(end)).max(0);
        end = end.max(until);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn request(second: i64, took: i64, outcome: Outcome) -> Request {
        Request { service: Service::Ais, at: at(second), took: SignedDuration::from_secs(took), outcome }
    }

    #[test]
    fn buckets_are_in_order_and_narrow() {
        let mut last = 0;
        for exponent in 0..60 {
            for number in [1_u64 << exponent, (1 << exponent) + (1 << exponent) / 3] {
                let found = bucket(number);
                assert!(found >= last, "{number}");
                last = found;
                assert!(lowest(found) <= number && number < lowest(found + 1), "{number}");
                assert!(middle(found).abs_diff(number) * 32 <= number + 32, "{number} {}", middle(found));
            }
        }
        assert!(bucket(120_000_000) < 400, "how many there are is bounded");
    }

    #[test]
    fn means_and_percentiles_are_of_those_that_were_answered() {
        let mut counts = Counts::default();
        for milliseconds in 1..=100 {
            let took = SignedDuration::from_millis(milliseconds);
            counts.add(&Request { took, ..request(0, 0, Outcome::Answered) });
        }
        counts.add(&request(0, 9, Outcome::Failed));
        counts.add(&request(0, 9, Outcome::Refused));
        assert_eq!((counts.requests, counts.errors, counts.answered), (102, 1, 100));
        assert_eq!(counts.mean(), Some(50.5));
        for (percent, expected) in [(50, 50.0), (90, 90.0), (99, 99.0), (100, 100.0)] {
            let found = counts.percentile(percent).unwrap();
            assert!((found - expected).abs() <= expected * 0.04, "{percent}: {found}");
        }
        assert_eq!((Counts::default().mean(), Counts::default().percentile(50)), (None, None));
    }

    #[test]
    fn five_unanswered_requests_in_a_row_are_downtime_from_the_first_on() {
        let mut counting = Counting::new(at(0));
        for second in [10, 11, 12, 13] {
            counting.add(&request(second, 0, Outcome::Failed));
        }
        counting.add(&request(14, 0, Outcome::Refused));
        assert_eq!(counting.until(at(15)).down, [], "a refusal is an answer");
        for second in [20, 21, 22, 23] {
            counting.add(&request(second, 0, Outcome::Failed));
        }
        // Late answers are none, and the first one came before.
        counting.add(&request(50, 31, Outcome::Answered));
        let down = Span { from: at(19), until: at(60) };
        assert_eq!(counting.until(at(60)).down, [down], "it goes on");
        counting.add(&request(70, 1, Outcome::Answered));
        counting.add(&request(90, 0, Outcome::Failed));
        let counted = counting.until(at(100)).clone();
        assert_eq!(counted.down, [Span { from: at(19), until: at(70) }]);
        assert_eq!(counted.up, Span { from: at(0), until: at(100) });
    }

    #[test]
    fn a_day_ends_and_what_is_down_stays_down() {
        let mut counting = Counting::new(at(0));
        (0..5).for_each(|n| counting.add(&request(80 + n, 0, Outcome::Failed)));
        let yesterday = counting.day_is_over(at(100));
        assert_eq!(yesterday.down, [Span { from: at(80), until: at(100) }]);
        let today = counting.until(at(110)).clone();
        assert_eq!(today.down, [Span { from: at(100), until: at(110) }]);
        assert!(today.counts.is_empty());
    }

    #[test]
    fn downtime_is_while_nobody_was_there_or_somebody_was_down() {
        let counted = |up: (i64, i64), down: &[(i64, i64)]| Counted {
            up: Span { from: at(up.0), until: at(up.1) },
            down: down.iter().map(|(from, until)| Span { from: at(*from), until: at(*until) }).collect(),
            counts: BTreeMap::new(),
        };
        let day: Date = "2027-01-31".parse().unwrap();
        let span = Span { from: at(100), until: at(200) };
        let all =
            [counted((50, 120), &[(110, 115)]), counted((110, 150), &[(112, 118)]), counted((160, 200), &[])];
        let found = Day::of(day, span, &all);
        assert_eq!((found.seconds, found.down_seconds), (100, 10 + 8));
        assert_eq!((found.downtime(), found.uptime()), (18.0, 82.0));
        assert_eq!(Day::of(day, span, &[]).uptime(), 0.0);
        assert_eq!(found.error_rate(), None);
    }
}
