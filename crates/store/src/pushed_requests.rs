//! Pushed authorization requests (RFC 9126).

use domain::{SecretHash, Tenant, Timestamp, TppId};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::{Changes, Store, StoreError};

/// A pushed authorization request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedRequest {
    /// Hash of the reference that was given out for it.
    pub hash: SecretHash,
    /// Where.
    pub tenant: Tenant,
    /// Who pushed it.
    pub client: TppId,
    /// Its parameters as a form.
    pub parameters: String,
    /// Until when it may be used.
    pub expires_at: Timestamp,
    /// Whether it was used.
    pub used: bool,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

const PUSHED_REQUEST: Columns =
    Columns::of("pushed_requests", "hash, tenant, client, parameters, expires_at, used, version");

impl Store {
    /// The pushed request with this hash.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pushed_request(&self, hash: &SecretHash) -> Result<Option<PushedRequest>, StoreError> {
        self.find(
            select!(PUSHED_REQUEST; "FROM pushed_requests WHERE hash = $1"),
            &[hash.as_hex().into()],
            |row| {
                Ok(PushedRequest {
                    hash: SecretHash::from_hex(row.text()?),
                    tenant: row.tenant()?,
                    client: TppId::new(row.text()?),
                    parameters: row.text()?,
                    expires_at: row.time()?,
                    used: row.truth()?,
                    version: row.integer()?,
                })
            },
        )
        .await
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_pushed_request(self, request: &PushedRequest) -> Self {
        self.push(
            "INSERT INTO pushed_requests (hash, tenant, client, parameters, expires_at, used, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7 + 1) \
             ON CONFLICT (hash) DO UPDATE SET used = excluded.used, version = excluded.version \
             WHERE pushed_requests.version = excluded.version - 1",
            vec![
                request.hash.as_hex().into(),
                request.tenant.as_str().into(),
                request.client.as_str().into(),
                request.parameters.as_str().into(),
                request.expires_at.into(),
                request.used.into(),
                request.version.into(),
            ],
            Rows::One,
        )
    }
}
