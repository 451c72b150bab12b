//! Client assertions that were taken (RFC 7523, 3), so that none is taken twice.

use domain::{SecretHash, Tenant, Timestamp};

use crate::Changes;
use crate::changes::Rows;

impl Changes {
    /// Remembers an assertion until it expires; one that is known is [`crate::StoreError::Conflict`].
    pub fn add_client_assertion(self, hash: &SecretHash, tenant: &Tenant, expires_at: Timestamp) -> Self {
        self.push(
            "INSERT INTO client_assertions (hash, tenant, expires_at) VALUES ($1, $2, $3) \
             ON CONFLICT (hash) DO NOTHING",
            vec![hash.as_hex().into(), tenant.as_str().into(), expires_at.into()],
            Rows::One,
        )
    }
}
