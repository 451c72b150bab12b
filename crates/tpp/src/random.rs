//! Ids and secrets of calls. The only place where this side draws randomness of its own.

use uuid::Uuid;

/// A fresh `X-Request-ID`: a version 4 UUID.
#[expect(clippy::disallowed_methods, reason = "this is the one place where a client draws ids")]
pub(crate) fn request_id() -> Uuid {
    Uuid::new_v4()
}

/// A fresh secret of 122 random bits, 32 letters and digits.
pub(crate) fn secret() -> String {
    request_id().simple().to_string()
}
