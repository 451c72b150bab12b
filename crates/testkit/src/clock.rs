//! The time of the tests: the same on any day.

use std::sync::OnceLock;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

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

/// The moment so many days from [`now`], or before it.
pub fn in_days(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

/// The day that is so many days from [`now`] in UTC, `YYYY-MM-DD`.
pub fn day(days: i64) -> String {
    in_days(days).to_zoned_datetime(jiff::tz::TimeZone::UTC).date().to_string()
}

/// Moments from 2020 to 2085 for property tests, often shortly before or after midnight in one of the bank's zones, on
/// the days on which clocks change, and at the ends of months.
pub fn moments() -> impl Strategy<Value = Timestamp> {
    let first = 1_577_923_200_i64;
    let days = prop_oneof![
        0_i64..23_700,
        // 29 February 2024 and 2028; in 2026, the nights in which clocks change and ends of months.
        prop::sample::select(vec![1519, 2980, 2277, 2278, 2487, 2488, 2221, 2249, 2310, 2554, 2555]),
    ];
    let seconds = prop_oneof![0_i64..86_400, prop::sample::select(vec![0, 79_140, 82_740, 86_340, 3_570])];
    (days, seconds)
        .prop_map(move |(day, second)| Timestamp::from_second(first + day * 86_400 + second).unwrap())
}
