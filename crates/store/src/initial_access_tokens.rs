//! Initial access tokens.

use domain::{InitialAccessToken, SecretHash};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::Cursor;
use crate::{Changes, Store, StoreError};

const INITIAL_ACCESS_TOKEN: Columns =
    Columns::of("initial_access_tokens", "hash, certificate, tenant, expires_at, used_by");

impl Store {
    /// The token with this hash.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn initial_access_token(
        &self,
        hash: &SecretHash,
    ) -> Result<Option<InitialAccessToken>, StoreError> {
        self.find(
            select!(INITIAL_ACCESS_TOKEN; "FROM initial_access_tokens WHERE hash = $1"),
            &[hash.as_hex().into()],
            read,
        )
        .await
    }
}

impl Changes {
    /// Inserts a token.
    pub fn add_initial_access_token(self, token: &InitialAccessToken) -> Self {
        self.push(
            "INSERT INTO initial_access_tokens (hash, certificate, tenant, expires_at) VALUES ($1, $2, $3, $4)",
            vec![
                token.hash.as_hex().into(),
                token.certificate.as_str().into(),
                token.tenant.as_str().into(),
                token.expires_at.into(),
            ],
            Rows::One,
        )
    }

    /// Marks a token as used by a request; one that was used before is [`StoreError::Conflict`].
    pub fn use_initial_access_token(self, hash: &SecretHash, used_by: &SecretHash) -> Self {
        self.push(
            "UPDATE initial_access_tokens SET used_by = $1 WHERE hash = $2 AND used_by IS NULL",
            vec![used_by.as_hex().into(), hash.as_hex().into()],
            Rows::One,
        )
    }
}

fn read(row: &mut Cursor<'_>) -> Result<InitialAccessToken, StoreError> {
    Ok(InitialAccessToken {
        hash: SecretHash::from_hex(row.text()?),
        certificate: row.text()?,
        tenant: row.tenant()?,
        expires_at: row.time()?,
        used_by: row.optional_text()?.map(SecretHash::from_hex),
    })
}
