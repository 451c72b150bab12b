//! Third parties.

use domain::{ClientAuthentication, RedirectUris, SecretHash, Tpp, TppId};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::{Cursor, list};
use crate::{Changes, Store, StoreError};

const TPP: Columns = Columns::of(
    "tpps",
    "id, name, roles, certificate, redirect_uris, sector_identifier_uri, secret_hash, authentication, \
     signing_key, registered_at, recognised_certificate, blocked_at, version",
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
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_tpp(self, tpp: &Tpp) -> Self {
        self.push(
            "INSERT INTO tpps (id, name, roles, certificate, redirect_uris, sector_identifier_uri, secret_hash, \
             authentication, signing_key, registered_at, recognised_certificate, blocked_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 + 1) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles, \
             certificate = excluded.certificate, redirect_uris = excluded.redirect_uris, \
             sector_identifier_uri = excluded.sector_identifier_uri, secret_hash = excluded.secret_hash, \
             authentication = excluded.authentication, signing_key = excluded.signing_key, \
             registered_at = excluded.registered_at, recognised_certificate = excluded.recognised_certificate, \
             blocked_at = excluded.blocked_at, version = excluded.version \
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
                tpp.blocked_at.into(),
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
        blocked_at: row.optional_time()?,
        version: row.integer()?,
    })
}
