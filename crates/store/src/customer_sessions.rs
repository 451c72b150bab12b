//! Browsers of customers in the bank's own pages.

use domain::{CustomerSession, Language, SecretHash, Timestamp};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::Cursor;
use crate::sessions::read_logged_in;
use crate::{Changes, Store, StoreError};

const CUSTOMER_SESSION: Columns = Columns::of(
    "customer_sessions",
    "hash, tenant, challenge, named, wrong_answers, language, customer, authenticated_at, seen_at, ended, version",
);

impl Store {
    /// The session with this hash.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn customer_session(&self, hash: &SecretHash) -> Result<Option<CustomerSession>, StoreError> {
        self.find(
            select!(CUSTOMER_SESSION; "FROM customer_sessions WHERE hash = $1"),
            &[hash.as_hex().into()],
            read,
        )
        .await
    }

    /// Sessions that go on, used since a moment, in which a challenge was last answered wrongly in the name of somebody,
    /// at most 100.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn customer_sessions_naming(
        &self,
        named: &SecretHash,
        since: Timestamp,
    ) -> Result<Vec<CustomerSession>, StoreError> {
        self.list(
            select!(CUSTOMER_SESSION; "FROM customer_sessions WHERE named = $1 AND seen_at > $2 AND ended = 0 \
             LIMIT 100"),
            &[named.as_hex().into(), since.into()],
            read,
        )
        .await
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_customer_session(self, session: &CustomerSession) -> Self {
        self.push(
            "INSERT INTO customer_sessions (hash, tenant, challenge, named, wrong_answers, language, customer, \
             authenticated_at, seen_at, ended, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 + 1) \
             ON CONFLICT (hash) DO UPDATE SET challenge = excluded.challenge, named = excluded.named, \
             wrong_answers = excluded.wrong_answers, language = excluded.language, customer = excluded.customer, \
             authenticated_at = excluded.authenticated_at, seen_at = excluded.seen_at, ended = excluded.ended, \
             version = excluded.version WHERE customer_sessions.version = excluded.version - 1",
            vec![
                session.hash.as_hex().into(),
                session.tenant.as_str().into(),
                session.challenge.as_str().into(),
                session.named.as_ref().map(SecretHash::as_hex).into(),
                session.wrong_answers.into(),
                session.language.code().into(),
                session.logged_in.as_ref().map(|logged_in| logged_in.customer.as_str()).into(),
                session.logged_in.as_ref().map(|logged_in| logged_in.at).into(),
                session.seen_at.into(),
                session.ended.into(),
                session.version.into(),
            ],
            Rows::One,
        )
    }
}

fn read(row: &mut Cursor<'_>) -> Result<CustomerSession, StoreError> {
    Ok(CustomerSession {
        hash: SecretHash::from_hex(row.text()?),
        tenant: row.tenant()?,
        challenge: row.text()?,
        named: row.optional_text()?.map(SecretHash::from_hex),
        wrong_answers: row.integer()?,
        language: row.parsed(Language::from_stored)?,
        logged_in: read_logged_in(row)?,
        seen_at: row.time()?,
        ended: row.truth()?,
        version: row.integer()?,
    })
}
