//! Forgetting what is of no use any more, so that no table grows for ever.

use domain::{Tenant, Timestamp};

use crate::Changes;
use crate::changes::Rows;

/// One statement a table, each deleting a bounded number of rows.
const STATEMENTS: [&str; 7] = [
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
    // What a browser began at an interface where nobody asked for a consent before, and nobody went on with.
    "DELETE FROM authorisations WHERE consent IN \
     (SELECT id FROM consents WHERE tenant = $1 AND created_at < $2 AND customer IS NULL \
     AND needs_confirmation = 0 LIMIT 1024)",
    "DELETE FROM consents WHERE id IN \
     (SELECT id FROM consents WHERE tenant = $1 AND created_at < $2 AND customer IS NULL \
     AND needs_confirmation = 0 LIMIT 1024)",
];

impl Changes {
    /// Deletes requests, sessions, codes, tokens, pushed requests and authorizations that nobody went on with, of a
    /// tenant, that ended before `limit`, up to 1024 of each.
    pub fn forget_expired(self, tenant: &Tenant, limit: Timestamp) -> Self {
        STATEMENTS.into_iter().fold(self, |changes, sql| {
            changes.push(sql, vec![tenant.as_str().into(), limit.into()], Rows::Any)
        })
    }
}
