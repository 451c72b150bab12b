//! What requests made, by their ids.

use domain::{Tenant, Timestamp};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::{Changes, Store, StoreError};

/// A request that made something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRequest {
    /// Hash of caller, method, path and request id.
    pub key: String,
    /// Where.
    pub tenant: Tenant,
    /// Hash of what came with it.
    pub body_digest: String,
    /// Ids of what it made.
    pub made: Vec<String>,
    /// Until when the same request makes nothing new.
    pub expires_at: Timestamp,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

const REQUEST: Columns = Columns::of("requests", "key, tenant, body_digest, made, expires_at, version");

impl Store {
    /// The request with this key.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn request(&self, key: &str) -> Result<Option<StoredRequest>, StoreError> {
        self.find(select!(REQUEST; "FROM requests WHERE key = $1"), &[key.into()], |row| {
            Ok(StoredRequest {
                key: row.text()?,
                tenant: row.tenant()?,
                body_digest: row.text()?,
                made: row.json()?,
                expires_at: row.time()?,
                version: row.integer()?,
            })
        })
        .await
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_request(self, request: &StoredRequest) -> Self {
        self.push(
            "INSERT INTO requests (key, tenant, body_digest, made, expires_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6 + 1) \
             ON CONFLICT (key) DO UPDATE SET body_digest = excluded.body_digest, made = excluded.made, \
             expires_at = excluded.expires_at, version = excluded.version \
             WHERE requests.version = excluded.version - 1",
            vec![
                request.key.as_str().into(),
                request.tenant.as_str().into(),
                request.body_digest.as_str().into(),
                crate::row::list(&request.made),
                request.expires_at.into(),
                request.version.into(),
            ],
            Rows::One,
        )
    }
}
