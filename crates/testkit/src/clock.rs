//! The time of the tests: the same on any day.

use std::sync::OnceLock;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// The time of the tests. It begins at one moment for all tests of a program, on a Wednesday in June unless
/// `VESTIBULE_TEST_NOW` (RFC 3339) chooses another, and runs on from there, so that banks and clients agree.
pub fn now() -> Timestamp {
    static BEGIN: OnceLock<(Timestamp, Instant)> = OnceLock::new();
    let (begin, at) = BEGIN.get_or_init(|| {
        let chosen = std::env::var("VESTIBULE_TEST_NOW");
        (chosen.as_deref().unwrap_or("2026-06-17T10:00:00Z").parse().unwrap(), Instant::now())
    });
    *begin + SignedDuration::try_from(at.elapsed()).unwrap()
}
