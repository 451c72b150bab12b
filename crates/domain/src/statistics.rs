//! Availability and speed of the interfaces by day: what Article 32(4) RTS and EBA/GL/2018/07, guidelines 2 and 3, have a bank
//! publish.
//!
//! Each process counts for itself, in numbers and buckets whose count does not grow with the calls. What a day was is computed of what
//! all processes counted ([`Day::of`]).

mod customer_interfaces;
mod runs;

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::customer_interfaces::{
    Column, CustomerDay, CustomerInterface, CustomerInterfaceError, DEDICATED, LONGEST_MEAN,
    MOST_CUSTOMER_INTERFACES, Measured, Misfit, misfits,
};
pub use self::runs::Run;
use self::runs::{down, remember};

/// How long an answer may take until the request counts as unanswered (guideline 2.4).
pub const UNANSWERED: SignedDuration = SignedDuration::from_secs(30);

/// Times of one day without a process that are kept apart; further ones are joined to the last.
const MOST_SPANS: usize = 200;

/// After how long without a sign a process was not there: its machine slept, or it was stopped.
const SILENCE: SignedDuration = SignedDuration::from_secs(60);

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
    /// The same before that, where it was away in between.
    #[serde(default)]
    pub earlier: Vec<Span>,
    /// Requests in a row that were not answered.
    #[serde(default)]
    pub runs: Vec<Run>,
    /// Requests by service.
    pub counts: BTreeMap<Service, Counts>,
}

impl Counted {
    fn new(from: Timestamp) -> Self {
        let up = Span { from, until: from };
        Self { up, earlier: Vec::new(), runs: Vec::new(), counts: BTreeMap::new() }
    }

    /// It is there at a moment.
    fn is_there(&mut self, now: Timestamp) {
        if now.duration_since(self.up.until) > SILENCE {
            let is_full = self.earlier.len() >= MOST_SPANS;
            match self.earlier.last_mut().filter(|_| is_full) {
                Some(last) => last.until = self.up.until,
                None => self.earlier.push(self.up),
            }
            self.up = Span { from: now, until: now };
        }
        self.up.until = self.up.until.max(now);
    }

    /// When it was there for the first time.
    pub fn first(&self) -> Timestamp {
        self.earlier.first().unwrap_or(&self.up).from
    }

    /// While it was there, all of it.
    fn all_up(&self) -> impl Iterator<Item = &Span> {
        self.earlier.iter().chain([&self.up])
    }
}

/// What a process counts. Days are given by whoever knows when they begin.
#[derive(Debug)]
pub struct Counting {
    today: Counted,
    /// Requests in a row that were not answered, if the last one was not.
    unanswered: Option<Run>,
    /// When a request was answered last.
    answered_at: Option<Timestamp>,
}

impl Counting {
    /// Begins to count.
    pub fn new(now: Timestamp) -> Self {
        Self { today: Counted::new(now), unanswered: None, answered_at: None }
    }

    /// Counts a request.
    pub fn add(&mut self, request: &Request) {
        self.today.is_there(request.at);
        self.today.counts.entry(request.service).or_default().add(request);
        let received = request.at.saturating_sub(request.took).unwrap_or(request.at);
        let is_answered = request.outcome != Outcome::Failed && request.took <= UNANSWERED;
        if is_answered {
            self.note_run(request.at);
            self.unanswered = None;
            self.answered_at = self.answered_at.max(Some(request.at));
        } else {
            // One that came before another was answered is in no row from then on.
            let received = received.max(self.answered_at.unwrap_or(received));
            let new =
                Run { after: self.answered_at, from: received, last: received, until: request.at, count: 0 };
            let run = self.unanswered.get_or_insert(new);
            run.count = run.count.saturating_add(1);
            run.from = run.from.min(received);
            run.last = run.last.max(received);
        }
    }

    /// Requests in a row that were not answered until now.
    fn note_run(&mut self, now: Timestamp) {
        if let Some(run) = &self.unanswered {
            let from = run.from.max(self.today.first());
            remember(&mut self.today.runs, Run { from, until: now.max(from), ..*run });
        }
    }

    /// What was counted until now.
    pub fn until(&mut self, now: Timestamp) -> &Counted {
        self.today.is_there(now);
        self.note_run(now);
        &self.today
    }

    /// A day is over: what was counted on it. What goes on goes on from `midnight`.
    pub fn day_is_over(&mut self, midnight: Timestamp) -> Counted {
        // Whoever was away at midnight is there again when it says so.
        if midnight.duration_since(self.today.up.until) <= SILENCE {
            self.today.is_there(midnight);
            self.note_run(midnight);
        }
        std::mem::replace(&mut self.today, Counted::new(midnight))
    }
}

/// A day as it is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// Which.
    pub day: Date,
    /// Whether it is over. What is said of one that is not holds until now.
    pub is_over: bool,
    /// How long it was: 23 to 25 hours, or until now, or since anything is known.
    pub seconds: i64,
    /// While nobody was there, or the interface down.
    pub down_seconds: i64,
    /// Requests by service.
    pub counts: BTreeMap<Service, Counts>,
    /// What the interfaces of the bank's own customers were on that day, as far as it was imported.
    pub customer_interfaces: BTreeMap<CustomerInterface, CustomerDay>,
}

impl Day {
    /// What a day was by what all processes counted on it. `span` is the part of it that is known: it ends now if the day is not over, and
    /// begins when anybody counted for the first time. Whatever of it no process was there is downtime, planned or not; so is
    /// what one of them was down, and what all of them that were there were down together.
    pub fn of(day: Date, (span, is_over): (Span, bool), counted: &[Counted]) -> Self {
        let clip = |part: &Span| {
            let (from, until) = (part.from.max(span.from), part.until.min(span.until));
            (from < until).then_some((from.as_second(), until.as_second()))
        };
        let up: Vec<_> = counted.iter().flat_map(Counted::all_up).filter_map(clip).collect();
        let down: Vec<_> = down(counted).iter().filter_map(clip).collect();
        let seconds = (span.until.as_second() - span.from.as_second()).max(0);
        // What a process was down before it went away is counted once.
        let there = covered(up.clone());
        let down_there = covered(up.clone()) + covered(down.clone()) - covered([up, down].concat());
        let down_seconds = (seconds - there + down_there).clamp(0, seconds);
        let mut counts: BTreeMap<Service, Counts> = BTreeMap::new();
        for (service, of_one) in counted.iter().flat_map(|one| &one.counts) {
            counts.entry(*service).or_default().merge(of_one);
        }
        Self { day, is_over, seconds, down_seconds, counts, customer_interfaces: BTreeMap::new() }
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

    fn spans(counted: &Counted) -> Vec<(i64, i64)> {
        let down = down(std::slice::from_ref(counted));
        down.iter().map(|span| (span.from.as_second(), span.until.as_second())).collect()
    }

    #[test]
    fn five_unanswered_requests_in_a_row_are_downtime_from_the_first_on() {
        let mut counting = Counting::new(at(0));
        for second in [10, 11, 12, 13] {
            counting.add(&request(second, 0, Outcome::Failed));
        }
        counting.add(&request(14, 0, Outcome::Refused));
        assert_eq!(spans(counting.until(at(15))), [], "a refusal is an answer");
        for second in [20, 21, 22, 23] {
            counting.add(&request(second, 0, Outcome::Failed));
        }
        // Late answers are none, and the first one came before.
        counting.add(&request(50, 31, Outcome::Answered));
        assert_eq!(spans(counting.until(at(60))), [(19, 60)], "it goes on");
        counting.add(&request(70, 1, Outcome::Answered));
        counting.add(&request(90, 0, Outcome::Failed));
        let counted = counting.until(at(100)).clone();
        assert_eq!(spans(&counted), [(19, 70)]);
        assert_eq!(counted.up, Span { from: at(0), until: at(100) });
    }

    #[test]
    fn a_request_that_hung_while_others_were_answered_begins_no_downtime_before_them() {
        let mut counting = Counting::new(at(0));
        counting.add(&request(39, 1, Outcome::Answered));
        // Received at 5.
        counting.add(&request(40, 35, Outcome::Failed));
        (41..45).for_each(|second| counting.add(&request(second, 0, Outcome::Failed)));
        assert_eq!(spans(counting.until(at(50))), [(39, 50)]);
    }

    #[test]
    fn a_day_ends_and_what_is_down_stays_down() {
        let mut counting = Counting::new(at(0));
        (0..5).for_each(|n| counting.add(&request(50 + n, 0, Outcome::Failed)));
        let yesterday = counting.day_is_over(at(100));
        assert_eq!(spans(&yesterday), [(50, 100)]);
        let today = counting.until(at(110)).clone();
        assert_eq!(spans(&today), [(100, 110)]);
        assert!(today.counts.is_empty());
    }

    #[test]
    fn a_process_whose_machine_slept_was_not_there() {
        let mut counting = Counting::new(at(0));
        for second in [10, 70, 130, 4000, 4030] {
            counting.until(at(second));
        }
        let counted = counting.until(at(4050)).clone();
        assert_eq!(counted.earlier, [Span { from: at(0), until: at(130) }]);
        assert_eq!(counted.up, Span { from: at(4000), until: at(4050) });
        let day = "2027-01-31".parse().unwrap();
        let found = Day::of(day, (Span { from: at(0), until: at(4050) }, false), &[counted]);
        assert_eq!((found.seconds, found.down_seconds), (4050, 3870));
        // It sleeps over midnight.
        let mut counting = Counting::new(at(0));
        assert_eq!(counting.day_is_over(at(500)).up.until, at(0));
        counting.until(at(9000));
        assert_eq!(counting.until(at(9001)).up.from, at(9000));
    }

    fn counted(up: (i64, i64), runs: &[(i64, i64, u32)]) -> Counted {
        let run = |(from, until, count): &(i64, i64, u32)| Run {
            after: None,
            from: at(*from),
            last: at(*until - 1),
            until: at(*until),
            count: *count,
        };
        Counted {
            runs: runs.iter().map(run).collect(),
            up: Span { from: at(up.0), until: at(up.1) },
            ..Counted::new(at(up.0))
        }
    }

    #[test]
    fn downtime_is_while_nobody_was_there_or_somebody_was_down() {
        let day: Date = "2027-01-31".parse().unwrap();
        let span = (Span { from: at(100), until: at(200) }, true);
        let all = [
            counted((50, 120), &[(110, 115, 5)]),
            counted((110, 150), &[(112, 118, 9), (140, 141, 4)]),
            counted((160, 200), &[]),
        ];
        let found = Day::of(day, span, &all);
        assert_eq!((found.seconds, found.down_seconds), (100, 10 + 8));
        assert_eq!((found.downtime(), found.uptime()), (18.0, 82.0));
        let nobody = Day::of(day, span, &[]);
        assert_eq!((nobody.uptime(), nobody.error_rate()), (0.0, None));
        let idle = Day::of(day, span, &[counted((0, 300), &[])]);
        assert_eq!((idle.uptime(), idle.error_rate()), (100.0, None), "a day without calls");
        // It was down, then away: no second is counted twice.
        let gone = Day::of(day, span, &[counted((100, 150), &[(140, 170, 5)])]);
        assert_eq!(gone.down_seconds, 60);
    }
}
