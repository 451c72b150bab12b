//! Leases: what one process does for all that share the database.

use domain::Timestamp;

use crate::Changes;
use crate::changes::Rows;

impl Changes {
    /// Takes or renews a lease until a time; [`crate::StoreError::Conflict`] if it is somebody else's and has not ended by
    /// `now`.
    pub fn take_lease(self, name: &str, holder: &str, (now, until): (Timestamp, Timestamp)) -> Self {
        self.push(
            "INSERT INTO leases (name, holder, ends_at) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at \
             WHERE leases.holder = excluded.holder OR leases.ends_at <= $4",
            vec![name.into(), holder.into(), until.into(), now.into()],
            Rows::One,
        )
    }
}
