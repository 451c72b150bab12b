//! Leases: what one process does for all that share the database.

use domain::Timestamp;
use jiff::SignedDuration;

use crate::Changes;
use crate::changes::Rows;

/// No lease is taken for as long. One that ends later was taken by a clock that was wrong, and nobody would have its work for years.
const TOO_LONG: SignedDuration = SignedDuration::from_mins(15);

impl Changes {
    /// Takes or renews a lease until a time; [`crate::StoreError::Conflict`] if it is somebody else's and has not ended by
    /// `now`. One that ends more than a quarter of an hour after that is nobody's.
    pub fn take_lease(self, name: &str, holder: &str, (now, until): (Timestamp, Timestamp)) -> Self {
        let too_late = now.saturating_add(TOO_LONG).unwrap_or(Timestamp::MAX);
        self.push(
            "INSERT INTO leases (name, holder, ends_at) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at \
             WHERE leases.holder = excluded.holder OR leases.ends_at <= $4 OR leases.ends_at > $5",
            vec![name.into(), holder.into(), until.into(), now.into(), too_late.into()],
            Rows::One,
        )
    }
}
