//! Forgetting what is of no use any more, so that no table grows for ever.

use domain::{Tenant, Timestamp};

use crate::Changes;
use crate::changes::Rows;

/// One statement a table, each deleting a bounded number of rows.
const STATEMENTS: [&str; 5] = [
    "DELETE FROM requests WHERE key IN \
     (SELECT key FROM requests WHERE tenant = $1 AND expires_at < $2 LIMIT 1024)",
    "DELETE FROM sessions WHERE hash IN \
     (SELECT hash FROM sessions WHERE tenant = $1 AND seen_at < $2 LIMIT 1024)",
    "DELETE FROM authorization_codes WHERE hash IN \
     (SELECT hash FROM authorization_codes WHERE tenant = $1 AND expires_at < $2 LIMIT 1024)",
    "DELETE FROM tokens WHERE hash IN \
     (SELECT hash FROM tokens WHERE tenant = $1 AND expires_at < $2 LIMIT 1024)",
    "DELETE FROM pushed_requests WHERE hash IN \
     (SELECT hash FROM pushed_requests WHERE tenant = $1 AND expires_at < $2 LIMIT 1024)",
];

impl Changes {
    /// Deletes requests, sessions, codes, tokens and pushed requests of a tenant that ended before `limit`, up to
    /// 1024 of each.
    pub fn forget_expired(self, tenant: &Tenant, limit: Timestamp) -> Self {
        STATEMENTS.into_iter().fold(self, |changes, sql| {
            changes.push(sql, vec![tenant.as_str().into(), limit.into()], Rows::Any)
        })
    }
}
