//! Time of this machine. The only place where this side reads it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the one place where a client reads the clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The end of today, in UTC.
pub(crate) fn end_of_day() -> Timestamp {
    let today = now().to_zoned(TimeZone::UTC);
    today
        .tomorrow()
        .and_then(|tomorrow| tomorrow.start_of_day())
        .map_or(Timestamp::MAX, |end| end.timestamp())
}
