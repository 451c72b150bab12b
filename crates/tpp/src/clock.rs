//! Time of this machine. The only place where this side reads it.

use std::sync::OnceLock;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::announcement::Announcement;

/// How far this side is ahead of the machine.
static AHEAD: OnceLock<SignedDuration> = OnceLock::new();

/// Lets the time of this process begin at a moment and run on from there. The first call decides, before anything
/// else reads the time.
pub fn begin(at: Timestamp) {
    let _ = AHEAD.set(at.duration_since(machine()));
}

/// Now, as this side believes.
pub fn now() -> Timestamp {
    let ahead = AHEAD.get().copied().unwrap_or_default();
    machine().saturating_add(ahead).unwrap_or(Timestamp::MAX)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where a client reads the clock")]
fn machine() -> Timestamp {
    Timestamp::now()
}

/// Today at a branch of a bank, `YYYY-MM-DD`: as the bank says, or else by the rules in force in the country that is the
/// first part of the branch's name.
pub fn day_at(announced: Option<&Announcement>, tenant: &str) -> String {
    if let Some(today) = announced.and_then(|announced| announced.today(tenant)) {
        return today.to_owned();
    }
    let zone = match tenant.split('_').next() {
        Some("uk" | "gb") => "GMT0BST,M3.5.0/1,M10.5.0",
        _ => "CET-1CEST,M3.5.0,M10.5.0/3",
    };
    now().to_zoned_datetime(TimeZone::posix(zone).unwrap_or(TimeZone::UTC)).date().to_string()
}

/// The end of today, in UTC.
pub(crate) fn end_of_day() -> Timestamp {
    let today = now().to_zoned_datetime(TimeZone::UTC);
    today
        .tomorrow()
        .and_then(|tomorrow| tomorrow.start_of_day())
        .map_or(Timestamp::MAX, |end| end.timestamp())
}
