//! Third parties.

use domain::{Block, ClientAuthentication, RedirectUris, SecretHash, Timestamp, Tpp, TppId};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::{Cursor, Value, list};
use crate::{Changes, Store, StoreError};

const TPP: Columns = Columns::of(
    "tpps",
    "id, name, roles, certificate, redirect_uris, sector_identifier_uri, secret_hash, authentication, \
     signing_key, registered_at, recognised_certificate, blocked_at, blocked_until, blocked_reason, version",
);

impl Store {
    /// The third party with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn tpp(&self, id: &TppId) -> Result<Option<Tpp>, StoreError> {
        self.find(select!(TPP; "FROM tpps WHERE id = $1"), &[id.as_str().into()], read).await
    }

    /// Third parties, those that registered last first, at most 1000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn tpps(&self) -> Result<Vec<Tpp>, StoreError> {
        let newest =
            select!(TPP; "FROM tpps ORDER BY registered_at DESC, id LIMIT 1000 /* the whole table */");
        self.list(newest, &[], read).await
    }

    /// Third parties whose names begin so, in lower case, in the order of their names: those after a name, in lower case, and an
    /// id, at most `limit`. Only the letters a to z have a lower case here, as in both databases.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn tpps_named(
        &self,
        beginning: &str,
        (name, id): (&str, &str),
        limit: i64,
    ) -> Result<Vec<Tpp>, StoreError> {
        let params: [Value; 4] =
            [name.max(beginning).into(), format!("{beginning}\u{10ffff}").into(), id.into(), limit.into()];
        let named = select!(TPP; "FROM tpps WHERE lower(name) >= $1 AND lower(name) < $2 \
                                  AND (lower(name) > $1 OR id > $3) ORDER BY lower(name), id LIMIT $4");
        self.list(named, &params, read).await
    }

    /// Third parties with an authorisation number, whichever authority gave it: of PSDNL-DNB-R123 that is R123; at most 100.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn tpps_numbered(&self, number: &str) -> Result<Vec<Tpp>, StoreError> {
        let numbered = select!(TPP; "FROM tpps WHERE \
                                     substr(ltrim(substr(id, 7), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'), 2) = $1 ORDER BY id LIMIT 100");
        self.list(numbered, &[number.into()], read).await
    }

    /// Third parties that the bank blocked, the last one first: those after a moment and an id, at most `limit`. Blocks that ended by
    /// themselves are among them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn blocked_tpps(
        &self,
        (at, id): (Timestamp, &str),
        limit: i64,
    ) -> Result<Vec<Tpp>, StoreError> {
        let blocked = select!(TPP; "FROM tpps WHERE blocked_at <= $1 AND (blocked_at < $1 OR id > $2) \
                                    ORDER BY blocked_at DESC, id LIMIT $3");
        self.list(blocked, &[at.into(), id.into(), limit.into()], read).await
    }
}

impl Changes {
    /// Keeps the whole batch from being written, as [`StoreError::Conflict`], if the third party is blocked at a moment, or is unknown.
    /// Whoever blocks it meanwhile comes before the batch or behind it.
    pub fn unless_blocked(self, id: &TppId, now: Timestamp) -> Self {
        self.push(
            "UPDATE tpps SET version = version WHERE id = $1 AND (blocked_at IS NULL OR blocked_until <= $2)",
            vec![id.as_str().into(), now.into()],
            Rows::One,
        )
    }

    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_tpp(self, tpp: &Tpp) -> Self {
        self.push(
            "INSERT INTO tpps (id, name, roles, certificate, redirect_uris, sector_identifier_uri, secret_hash, \
             authentication, signing_key, registered_at, recognised_certificate, blocked_at, blocked_until, \
             blocked_reason, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 + 1) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles, \
             certificate = excluded.certificate, redirect_uris = excluded.redirect_uris, \
             sector_identifier_uri = excluded.sector_identifier_uri, secret_hash = excluded.secret_hash, \
             authentication = excluded.authentication, signing_key = excluded.signing_key, \
             registered_at = excluded.registered_at, recognised_certificate = excluded.recognised_certificate, \
             blocked_at = excluded.blocked_at, blocked_until = excluded.blocked_until, \
             blocked_reason = excluded.blocked_reason, version = excluded.version \
             WHERE tpps.version = excluded.version - 1",
            vec![
                tpp.id.as_str().into(),
                tpp.name.as_str().into(),
                list(tpp.roles.iter().map(|role| role.name())),
                tpp.certificate.as_str().into(),
                list(tpp.redirect_uris.as_slice()),
                tpp.sector_identifier_uri.as_str().into(),
                tpp.secret.as_hex().into(),
                tpp.authentication.map(ClientAuthentication::name).into(),
                tpp.signing_key.as_deref().into(),
                tpp.registered_at.into(),
                tpp.recognised.as_deref().into(),
                tpp.blocked.map(|block| block.at).into(),
                tpp.blocked.and_then(|block| block.until).into(),
                tpp.blocked_reason.as_deref().into(),
                tpp.version.into(),
            ],
            Rows::One,
        )
    }
}

fn read(row: &mut Cursor<'_>) -> Result<Tpp, StoreError> {
    Ok(Tpp {
        id: TppId::new(row.text()?),
        name: row.text()?,
        roles: row.roles()?,
        certificate: row.text()?,
        redirect_uris: RedirectUris::from_stored(row.json()?),
        sector_identifier_uri: row.text()?,
        secret: SecretHash::from_hex(row.text()?),
        authentication: row.optional_parsed(ClientAuthentication::from_name)?,
        signing_key: row.optional_text()?,
        registered_at: row.time()?,
        recognised: row.optional_text()?,
        blocked: read_block(row)?,
        blocked_reason: row.optional_text()?,
        version: row.integer()?,
    })
}

/// From the columns `blocked_at` and `blocked_until`.
pub(crate) fn read_block(row: &mut Cursor<'_>) -> Result<Option<Block>, StoreError> {
    let (at, until) = (row.optional_time()?, row.optional_time()?);
    Ok(at.map(|at| Block { at, until }))
}
