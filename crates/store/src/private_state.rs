//! State that only one dialect or one bank understands: text under owner, kind and key.

use domain::{Tenant, Timestamp};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::Cursor;
use crate::{Changes, Store, StoreError};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateState {
    /// Name of the dialect or bank.
    pub owner: &'static str,
    /// What it is.
    pub kind: &'static str,
    /// Which one.
    pub key: String,
    /// The state, usually JSON.
    pub value: String,
    /// When it may be forgotten, by the clock of a tenant; never if absent.
    pub life: Option<(Tenant, Timestamp)>,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

const PRIVATE_STATE: Columns = Columns::of("private_state", "key, value, version, tenant, forget_at");

impl Store {
    /// One entry.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn private_state(
        &self,
        owner: &'static str,
        kind: &'static str,
        key: &str,
    ) -> Result<Option<PrivateState>, StoreError> {
        self.find(
            select!(PRIVATE_STATE; "FROM private_state WHERE owner = $1 AND kind = $2 AND key = $3"),
            &[owner.into(), kind.into(), key.into()],
            |row| read(row, owner, kind),
        )
        .await
    }

    /// All entries of a kind.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn private_states(
        &self,
        owner: &'static str,
        kind: &'static str,
    ) -> Result<Vec<PrivateState>, StoreError> {
        self.list(
            select!(PRIVATE_STATE; "FROM private_state WHERE owner = $1 AND kind = $2 ORDER BY key"),
            &[owner.into(), kind.into()],
            |row| read(row, owner, kind),
        )
        .await
    }
}

impl Store {
    /// Entries of a kind whose keys lie between two keys, both excluded; at most `limit`, the last one first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn private_states_before(
        &self,
        (owner, kind): (&'static str, &'static str),
        (after, before): (&str, &str),
        limit: i64,
    ) -> Result<Vec<PrivateState>, StoreError> {
        self.list(
            select!(PRIVATE_STATE; "FROM private_state WHERE owner = $1 AND kind = $2 AND key > $3 \
             AND key < $4 ORDER BY key DESC LIMIT $5"),
            &[owner.into(), kind.into(), after.into(), before.into(), limit.into()],
            |row| read(row, owner, kind),
        )
        .await
    }

    /// Entries of a kind whose keys lie between two keys, both excluded; at most `limit`, the first one first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn private_states_after(
        &self,
        (owner, kind): (&'static str, &'static str),
        (after, before): (&str, &str),
        limit: i64,
    ) -> Result<Vec<PrivateState>, StoreError> {
        self.list(
            select!(PRIVATE_STATE; "FROM private_state WHERE owner = $1 AND kind = $2 AND key > $3 \
             AND key < $4 ORDER BY key LIMIT $5"),
            &[owner.into(), kind.into(), after.into(), before.into(), limit.into()],
            |row| read(row, owner, kind),
        )
        .await
    }
}

impl Changes {
    /// Deletes one entry, if it is there.
    pub fn delete_private_state(self, owner: &'static str, kind: &'static str, key: &str) -> Self {
        self.push(
            "DELETE FROM private_state WHERE owner = $1 AND kind = $2 AND key = $3",
            vec![owner.into(), kind.into(), key.into()],
            Rows::Any,
        )
    }

    /// Deletes exactly the version of an entry that was loaded; anything else is [`StoreError::Conflict`], also if it is gone.
    pub fn delete_private_state_at(
        self,
        (owner, kind, key): (&'static str, &'static str, &str),
        version: i64,
    ) -> Self {
        self.push(
            "DELETE FROM private_state WHERE owner = $1 AND kind = $2 AND key = $3 AND version = $4",
            vec![owner.into(), kind.into(), key.into(), version.into()],
            Rows::One,
        )
    }

    /// Lets an entry that is to be forgotten live at least until a time.
    pub fn keep_private_state(
        self,
        (owner, kind, key): (&'static str, &'static str, &str),
        until: Timestamp,
    ) -> Self {
        self.push(
            "UPDATE private_state SET forget_at = $1 WHERE owner = $2 AND kind = $3 AND key = $4 AND forget_at < $5",
            vec![until.into(), owner.into(), kind.into(), key.into(), until.into()],
            Rows::Any,
        )
    }

    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_private_state(self, state: &PrivateState) -> Self {
        self.push(
            "INSERT INTO private_state (owner, kind, key, value, version, tenant, forget_at) \
             VALUES ($1, $2, $3, $4, $5 + 1, $6, $7) \
             ON CONFLICT (owner, kind, key) DO UPDATE SET value = excluded.value, version = excluded.version, \
             tenant = excluded.tenant, forget_at = excluded.forget_at \
             WHERE private_state.version = excluded.version - 1",
            vec![
                state.owner.into(),
                state.kind.into(),
                state.key.as_str().into(),
                state.value.as_str().into(),
                state.version.into(),
                state.life.as_ref().map(|(tenant, _)| tenant.as_str()).into(),
                state.life.as_ref().map(|(_, at)| *at).into(),
            ],
            Rows::One,
        )
    }
}

fn read(row: &mut Cursor<'_>, owner: &'static str, kind: &'static str) -> Result<PrivateState, StoreError> {
    Ok(PrivateState {
        owner,
        kind,
        key: row.text()?,
        value: row.text()?,
        version: row.integer()?,
        life: row.optional_parsed(|name| Tenant::parse(name).ok())?.zip(row.optional_time()?),
    })
}
