//! Ids of calls. The only place where this side draws randomness of its own.

use uuid::Uuid;

/// A fresh `X-Request-ID`: a version 4 UUID.
#[expect(clippy::disallowed_methods, reason = "this is the one place where a client draws ids")]
pub(crate) fn fresh() -> Uuid {
    Uuid::new_v4()
}
