//! Authorization codes, grants and tokens.

use domain::{
    AuthorisationId, AuthorizationCode, CustomerId, Grant, GrantId, Interface, SecretHash, Subject, Tenant,
    Timestamp, Token, TokenKind, TppId,
};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::{Cursor, json};
use crate::{Changes, Store, StoreError};

pub(crate) const TOKEN: Columns = Columns::of(
    "tokens",
    "hash, grant_id, kind, certificate, issued_at, expires_at, used_at, fresh, version",
);

pub(crate) const GRANT: Columns = Columns::of(
    "grants",
    "id, client, tenant, subject_kind, subject_id, authorisation, customer, offline_access, authenticated_at, \
     ended_at, interface, version",
);

const AUTHORIZATION_CODE: Columns = Columns::of(
    "authorization_codes",
    "hash, tenant, authorisation, request, customer, authenticated_at, expires_at, grant_id, version",
);

impl Store {
    /// The code with this hash.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn authorization_code(
        &self,
        hash: &SecretHash,
    ) -> Result<Option<AuthorizationCode>, StoreError> {
        self.find(
            select!(AUTHORIZATION_CODE; "FROM authorization_codes WHERE hash = $1"),
            &[hash.as_hex().into()],
            read_code,
        )
        .await
    }

    /// The grant with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreError> {
        self.find(select!(GRANT; "FROM grants WHERE id = $1"), &[id.as_str().into()], read_grant).await
    }

    /// Grants of a client at an interface that nobody ended, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open_grants(
        &self,
        (client, interface): (&TppId, Interface),
        limit: i64,
    ) -> Result<Vec<Grant>, StoreError> {
        self.list(
            select!(GRANT; "FROM grants WHERE client = $1 AND interface = $2 AND ended_at IS NULL LIMIT $3"),
            &[client.as_str().into(), interface.name().into(), limit.into()],
            read_grant,
        )
        .await
    }

    /// The token with this hash and the grant that it belongs to.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn token(&self, hash: &SecretHash) -> Result<Option<(Token, Grant)>, StoreError> {
        self.find(
            select!(TOKEN as "t.", GRANT as "g."; "FROM tokens t \
             JOIN grants g ON g.id = t.grant_id WHERE t.hash = $1"),
            &[hash.as_hex().into()],
            |row| Ok((read_token(row)?, read_grant(row)?)),
        )
        .await
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_authorization_code(self, code: &AuthorizationCode) -> Self {
        self.push(
            "INSERT INTO authorization_codes (hash, tenant, authorisation, request, customer, authenticated_at, \
             expires_at, grant_id, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9 + 1) \
             ON CONFLICT (hash) DO UPDATE SET grant_id = excluded.grant_id, version = excluded.version \
             WHERE authorization_codes.version = excluded.version - 1",
            vec![
                code.hash.as_hex().into(),
                code.tenant.as_str().into(),
                code.authorisation.as_str().into(),
                json(&code.request),
                code.customer.as_str().into(),
                code.authenticated_at.into(),
                code.expires_at.into(),
                code.grant.as_ref().map(GrantId::as_str).into(),
                code.version.into(),
            ],
            Rows::One,
        )
    }

    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_grant(self, grant: &Grant) -> Self {
        self.push(
            "INSERT INTO grants (id, client, tenant, subject_kind, subject_id, authorisation, customer, offline_access, \
             authenticated_at, ended_at, interface, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 + 1) \
             ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, version = excluded.version \
             WHERE grants.version = excluded.version - 1",
            vec![
                grant.id.as_str().into(),
                grant.client.as_str().into(),
                grant.tenant.as_str().into(),
                grant.subject.kind().name().into(),
                grant.subject.id().into(),
                grant.authorisation.as_str().into(),
                grant.customer.as_str().into(),
                grant.offline_access.into(),
                grant.authenticated_at.into(),
                grant.ended_at.into(),
                grant.interface.name().into(),
                grant.version.into(),
            ],
            Rows::One,
        )
    }

    /// Ends every grant of a subject.
    pub fn end_grants(self, subject: &Subject, at: Timestamp) -> Self {
        self.push(
            "UPDATE grants SET ended_at = $1, version = version + 1 \
             WHERE subject_id = $2 AND subject_kind = $3 AND ended_at IS NULL",
            vec![at.into(), subject.id().into(), subject.kind().name().into()],
            Rows::Any,
        )
    }

    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_token(self, tenant: &Tenant, token: &Token) -> Self {
        self.push(
            "INSERT INTO tokens (hash, tenant, grant_id, kind, certificate, issued_at, expires_at, used_at, fresh, \
             version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10 + 1) \
             ON CONFLICT (hash) DO UPDATE SET used_at = excluded.used_at, fresh = excluded.fresh, \
             version = excluded.version \
             WHERE tokens.version = excluded.version - 1",
            vec![
                token.hash.as_hex().into(),
                tenant.as_str().into(),
                token.grant.as_str().into(),
                token.kind.name().into(),
                token.certificate.as_deref().into(),
                token.issued_at.into(),
                token.expires_at.into(),
                token.used_at.into(),
                token.fresh.into(),
                token.version.into(),
            ],
            Rows::One,
        )
    }
}

fn read_code(row: &mut Cursor<'_>) -> Result<AuthorizationCode, StoreError> {
    Ok(AuthorizationCode {
        hash: SecretHash::from_hex(row.text()?),
        tenant: row.tenant()?,
        authorisation: AuthorisationId::new(row.text()?),
        request: row.json()?,
        customer: CustomerId::new(row.text()?),
        authenticated_at: row.time()?,
        expires_at: row.time()?,
        grant: row.optional_text()?.map(GrantId::new),
        version: row.integer()?,
    })
}

pub(crate) fn read_grant(row: &mut Cursor<'_>) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: GrantId::new(row.text()?),
        client: TppId::new(row.text()?),
        tenant: row.tenant()?,
        subject: row.subject()?,
        authorisation: AuthorisationId::new(row.text()?),
        customer: CustomerId::new(row.text()?),
        offline_access: row.truth()?,
        authenticated_at: row.time()?,
        ended_at: row.optional_time()?,
        interface: row.parsed(Interface::from_name)?,
        version: row.integer()?,
    })
}

pub(crate) fn read_token(row: &mut Cursor<'_>) -> Result<Token, StoreError> {
    Ok(Token {
        hash: SecretHash::from_hex(row.text()?),
        grant: GrantId::new(row.text()?),
        kind: row.parsed(TokenKind::from_name)?,
        certificate: row.optional_text()?,
        issued_at: row.time()?,
        expires_at: row.time()?,
        used_at: row.optional_time()?,
        fresh: row.truth()?,
        version: row.integer()?,
    })
}
