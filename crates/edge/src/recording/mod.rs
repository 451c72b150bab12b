//! The calls that a bank for tests received, each with what came, what went, and why: kept in memory, the last ones alone.

mod call;
mod capture;
mod checks;
mod filter;
mod har;
mod mask;
mod mistakes;
mod stream;
mod told;

use std::collections::VecDeque;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway::domain::Timestamp;
use tokio::sync::{Semaphore, watch};

pub use call::{Call, Comparison, Difference, Findings, Part};
pub(crate) use capture::Capture;
pub(crate) use checks::passed;
pub use checks::{Check, Explanation};
pub use filter::{Filter, FilterError, PAGE, interfaces};
pub use har::har;
pub(crate) use mistakes::{of_body, of_signing_string};
pub use stream::{TooManyListeners, stream};
pub use told::{Told, ToldError};

/// Calls that are kept at most.
const CALLS: usize = 500;

/// Octets that they may take together.
const OCTETS: usize = 8 * 1024 * 1024;

/// Calls that are taken down in a second. Nobody reads more, they would drive each other out of the ring at once, and a bank
/// under load has better things to do.
const CALLS_A_SECOND: u64 = 200;

/// Who may listen to calls at the same time.
const LISTENERS: usize = 16;

/// Keeps the last calls, and tells listeners of each new one.
#[derive(Debug)]
pub struct Recorder {
    ring: Mutex<Ring>,
    news: watch::Sender<News>,
    places: Arc<Semaphore>,
    /// The second of the last call, and how many came in it: in one word, so that nobody waits.
    pace: AtomicU64,
    skipped: AtomicU64,
}

#[derive(Debug, Default)]
struct Ring {
    calls: VecDeque<Arc<Call>>,
    octets: usize,
    last: u64,
}

/// What listeners wait for.
#[derive(Debug, Clone, Copy, Default)]
struct News {
    /// The number of the last call.
    last: u64,
    /// Whether the bank stops.
    is_over: bool,
}

impl Default for Recorder {
    fn default() -> Self {
        let places = Arc::new(Semaphore::new(LISTENERS));
        Self {
            ring: Mutex::default(),
            news: watch::Sender::default(),
            places,
            pace: AtomicU64::default(),
            skipped: AtomicU64::default(),
        }
    }
}

impl Recorder {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call that comes now is taken down: as many in a second as can be kept up with.
    fn takes(&self, now: Timestamp) -> bool {
        let second = u64::from(now.as_second().unsigned_abs() as u32) << 32;
        let counted = self.pace.update(Relaxed, Relaxed, |pace| {
            if pace & !u64::from(u32::MAX) == second { pace + 1 } else { second }
        });
        let came = if counted & !u64::from(u32::MAX) == second { counted - second + 1 } else { 0 };
        let is_taken = came < CALLS_A_SECOND;
        if !is_taken {
            self.skipped.fetch_add(1, Relaxed);
        }
        is_taken
    }

    /// How many calls were not taken down, because too many came in a second.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Relaxed)
    }

    /// Keeps a call, and forgets the oldest ones where it takes their room.
    fn keep(&self, mut call: Call) {
        let weight = call.weight();
        let mut forgotten = Vec::new();
        let last = {
            let mut ring = self.ring();
            ring.last += 1;
            call.number = ring.last;
            ring.octets += weight;
            ring.calls.push_back(Arc::new(call));
            while ring.calls.len() > CALLS || (ring.octets > OCTETS && ring.calls.len() > 1) {
                let Some(oldest) = ring.calls.pop_front() else { break };
                ring.octets -= oldest.weight();
                forgotten.push(oldest);
            }
            ring.last
        };
        // Memory is given back when nobody waits for the ring.
        drop(forgotten);
        self.news.send_modify(|news| news.last = news.last.max(last));
    }

    /// The call with a number, if it is still kept.
    pub fn find(&self, number: u64) -> Option<Arc<Call>> {
        let ring = self.ring();
        let at = ring.calls.partition_point(|call| call.number < number);
        ring.calls.get(at).filter(|call| call.number == number).cloned()
    }

    /// The calls that a filter lets through, the newest first, as many as it asks for.
    pub fn list(&self, filter: &Filter) -> Vec<Arc<Call>> {
        let calls = self.ring().calls.clone();
        let found = calls.into_iter().rev().filter(|call| filter.lets_through(call));
        found.take(filter.limit).collect()
    }

    /// The calls after a number that a filter lets through, the oldest first.
    fn after(&self, number: u64, filter: &Filter) -> Vec<Arc<Call>> {
        let ring = self.ring();
        let at = ring.calls.partition_point(|call| call.number <= number);
        ring.calls.range(at..).filter(|call| filter.lets_through(call)).cloned().collect()
    }

    /// The number of the last call.
    pub fn last(&self) -> u64 {
        self.ring().last
    }

    /// Ends every listener: the bank stops.
    pub fn close(&self) {
        self.news.send_modify(|news| news.is_over = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(body: usize) -> Call {
        Call {
            number: 0,
            at: Timestamp::UNIX_EPOCH,
            took: std::time::Duration::ZERO,
            origin: Box::default(),
            has_certificate: false,
            method: http::Method::GET,
            target: "/".into(),
            version: http::Version::HTTP_11,
            request: Part::default(),
            status: http::StatusCode::OK,
            answer: Part { body: Some("x".repeat(body).into()), ..Part::default() },
            findings: Findings::default(),
        }
    }

    #[test]
    fn so_many_calls_are_taken_down_in_a_second() {
        let recorder = Recorder::default();
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let taken = |second| (0..500).filter(|_| recorder.takes(at(second))).count();
        assert_eq!((taken(0), taken(1)), (200, 200));
        assert_eq!(recorder.skipped(), 600);
        assert!(recorder.takes(at(0)), "a clock that was set back");
    }

    #[test]
    fn the_last_calls_are_kept_by_number_and_by_octets() {
        let recorder = Recorder::default();
        for _ in 0..CALLS + 20 {
            recorder.keep(call(10));
        }
        assert_eq!(recorder.ring().calls.len(), CALLS);
        assert!(recorder.find(20).is_none());
        assert_eq!(recorder.find(21).map(|call| call.number), Some(21));
        for _ in 0..20 {
            recorder.keep(call(1024 * 1024));
        }
        assert!(recorder.ring().octets <= OCTETS);
        assert!((5..9).contains(&recorder.ring().calls.len()));
        assert_eq!(recorder.last(), CALLS as u64 + 40);
        recorder.keep(call(OCTETS));
        assert_eq!(recorder.ring().calls.len(), 1, "the last one is always there");
        let weights: usize = recorder.ring().calls.iter().map(|call| call.weight()).sum();
        assert_eq!(recorder.ring().octets, weights);
    }
}
