//! Browser sessions and failed log-ins.

use domain::{
    AuthorisationId, CustomerId, Language, LogInFailures, LoggedIn, SecretHash, Session, Tenant, Timestamp,
    TppId,
};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::{Cursor, json};
use crate::{Changes, Store, StoreError};

const LOG_IN_FAILURES: Columns = Columns::of("log_in_failures", "tpp, count, last_at, version");

const SESSION: Columns = Columns::of(
    "sessions",
    "hash, tenant, authorisation, request, challenge, language, customer, authenticated_at, seen_at, \
     ended, named, version",
);

impl Store {
    /// The session with this hash.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn session(&self, hash: &SecretHash) -> Result<Option<Session>, StoreError> {
        self.find(select!(SESSION; "FROM sessions WHERE hash = $1"), &[hash.as_hex().into()], read).await
    }

    /// Sessions that go on, used since a moment, in which a challenge was last answered wrongly in the name of somebody,
    /// at most 100.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn sessions_naming(
        &self,
        named: &SecretHash,
        since: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.list(
            select!(SESSION; "FROM sessions WHERE named = $1 AND seen_at > $2 AND ended = 0 LIMIT 100"),
            &[named.as_hex().into(), since.into()],
            read,
        )
        .await
    }

    /// Failed log-ins of one customer: those at one third party, and those at others since a moment.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_in_failures(
        &self,
        (tenant, psu): (&Tenant, &SecretHash),
        tpp: &TppId,
        since: Timestamp,
    ) -> Result<Vec<LogInFailures>, StoreError> {
        self.list(
            select!(LOG_IN_FAILURES; "FROM log_in_failures WHERE tenant = $1 AND psu = $2 \
             AND (tpp = $3 OR last_at > $4)"),
            &[tenant.as_str().into(), psu.as_hex().into(), tpp.as_str().into(), since.into()],
            |row| {
                Ok(LogInFailures {
                    tenant: tenant.clone(),
                    psu: psu.clone(),
                    tpp: TppId::new(row.text()?),
                    count: row.integer()?,
                    last_at: row.time()?,
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
    pub fn put_session(self, session: &Session) -> Self {
        self.push(
            "INSERT INTO sessions (hash, tenant, authorisation, request, challenge, language, customer, \
             authenticated_at, seen_at, ended, named, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 + 1) \
             ON CONFLICT (hash) DO UPDATE SET challenge = excluded.challenge, language = excluded.language, \
             customer = excluded.customer, authenticated_at = excluded.authenticated_at, \
             seen_at = excluded.seen_at, ended = excluded.ended, named = excluded.named, \
             version = excluded.version WHERE sessions.version = excluded.version - 1",
            vec![
                session.hash.as_hex().into(),
                session.tenant.as_str().into(),
                session.authorisation.as_str().into(),
                json(&session.request),
                session.challenge.as_str().into(),
                session.language.code().into(),
                session.logged_in.as_ref().map(|logged_in| logged_in.customer.as_str()).into(),
                session.logged_in.as_ref().map(|logged_in| logged_in.at).into(),
                session.seen_at.into(),
                session.ended.into(),
                session.named.as_ref().map(SecretHash::as_hex).into(),
                session.version.into(),
            ],
            Rows::One,
        )
    }

    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_log_in_failures(self, failures: &LogInFailures) -> Self {
        self.push(
            "INSERT INTO log_in_failures (tenant, psu, tpp, count, last_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6 + 1) ON CONFLICT (tenant, psu, tpp) DO UPDATE SET count = excluded.count, last_at = excluded.last_at, \
             version = excluded.version WHERE log_in_failures.version = excluded.version - 1",
            vec![
                failures.tenant.as_str().into(),
                failures.psu.as_hex().into(),
                failures.tpp.as_str().into(),
                failures.count.into(),
                failures.last_at.into(),
                failures.version.into(),
            ],
            Rows::One,
        )
    }
}

/// Who logged in and when: two columns, of any kind of session.
pub(crate) fn read_logged_in(row: &mut Cursor<'_>) -> Result<Option<LoggedIn>, StoreError> {
    let customer = row.optional_text()?.map(CustomerId::new);
    Ok(customer.zip(row.optional_time()?).map(|(customer, at)| LoggedIn { customer, at }))
}

fn read(row: &mut Cursor<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        hash: SecretHash::from_hex(row.text()?),
        tenant: row.tenant()?,
        authorisation: AuthorisationId::new(row.text()?),
        request: row.json()?,
        challenge: row.text()?,
        language: row.parsed(Language::from_stored)?,
        logged_in: read_logged_in(row)?,
        seen_at: row.time()?,
        ended: row.truth()?,
        named: row.optional_text()?.map(SecretHash::from_hex),
        version: row.integer()?,
    })
}
