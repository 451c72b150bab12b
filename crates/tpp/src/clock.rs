//! Time of this machine. The only place where this side reads it.

use jiff::Timestamp;

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the one place where a client reads the clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
