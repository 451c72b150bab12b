//! Forgetting what is of no use any more, so that no table grows for ever.
//!
//! Each kind of row has a column that says when it ends, and an index on tenant and that column. What is due is read from
//! the beginning of the index and deleted by its key: no clean-up reads more rows than it deletes. How long what has
//! ended is remembered is for the caller to know. Tables that another crate adds are for that crate to clear.

use std::sync::LazyLock;

use domain::{Interface, Tenant, Timestamp};

use crate::changes::Rows;
use crate::columns::{Columns, Select};
use crate::row::{Cursor, Value};
use crate::{Changes, Store, StoreError};

/// The key of a row that is due, whatever its columns are called.
const KEY: Columns = Columns::of("what is due", "key, key, key");

/// A kind of row that is forgotten after a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perishable {
    /// Initial access tokens, from their expiry on.
    InitialAccessToken,
    /// Requests that may come again, from their expiry on.
    Request,
    /// Sessions at the bank's pages with attempts at payments that came to nothing, from the last activity on.
    Session,
    /// Sessions in the bank's own pages, from the last activity on.
    CustomerSession,
    /// Authorization codes, from their expiry on.
    AuthorizationCode,
    /// Access and refresh tokens, from their expiry on.
    Token,
    /// Pushed authorization requests, from their expiry on.
    PushedRequest,
    /// Client assertions that were taken, from their expiry on.
    ClientAssertion,
    /// Counts of wrong log-ins, from the last one on.
    LogInFailures,
    /// Consents with their authorisations, grants, counts of reads and first reads, from the time that the consent says.
    Consent,
    /// Consents for confirmation of funds that have ended with their authorisations and grants, from the time that they say.
    FundsConsent,
    /// Payments that were not executed with their authorisations and grants, from the time that the payment says.
    Payment,
    /// Private state of a dialect or bank, from the time that it says.
    PrivateState,
    /// Certificates, from the time that they say; those that a third party is known by are looked at again later. They
    /// belong to no tenant.
    Certificate,
}

/// What belongs to a session. Authorisations are for the third party to see where it confirms them.
static OF_A_SESSION: LazyLock<[&str; 1]> = LazyLock::new(|| {
    let unseen = Interface::ALL.into_iter().filter(|interface| !interface.confirms());
    let unseen: Vec<String> = unseen.map(|interface| format!("'{}'", interface.name())).collect();
    let sql = format!(
        "DELETE FROM authorisations WHERE id = (SELECT authorisation FROM sessions WHERE hash = $1) \
         AND subject_kind = 'payment' AND progress NOT IN ('approved', 'confirmed') \
         AND EXISTS (SELECT 1 FROM payments p WHERE p.id = authorisations.subject_id AND p.interface IN ({}))",
        unseen.join(", ")
    );
    [sql.leak()]
});

/// The SQL of one kind.
struct Life {
    /// Keys of rows of a tenant, if the kind belongs to tenants, that ended before a time, at most so many.
    due: &'static str,
    /// Columns of a key.
    key: usize,
    /// Deletes a row by its key, if it ended before a time.
    delete: &'static str,
    /// Postpones the end of a row that cannot be deleted yet, so that it is not read again and again.
    postpone: Option<&'static str>,
    /// Deletes what belongs to a row by its key.
    with: &'static [&'static str],
}

impl Perishable {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::InitialAccessToken,
        Self::Request,
        Self::Session,
        Self::CustomerSession,
        Self::AuthorizationCode,
        Self::Token,
        Self::PushedRequest,
        Self::ClientAssertion,
        Self::LogInFailures,
        Self::Consent,
        Self::FundsConsent,
        Self::Payment,
        Self::PrivateState,
        Self::Certificate,
    ];

    /// Whether rows of this kind belong to a tenant, whose clock says when they end.
    pub fn is_of_tenant(self) -> bool {
        !matches!(self, Self::Certificate)
    }

    /// Deletes what belongs to a row, by its key.
    pub(crate) fn belongings(self) -> &'static [&'static str] {
        match self {
            // A payment that was made stays for ever; what came to nothing at its page does not, unless it is for the
            // third party to see.
            Self::Session => &*OF_A_SESSION,
            Self::Consent => &[
                "DELETE FROM authorisations WHERE subject_id = $1 AND subject_kind = 'consent'",
                "DELETE FROM grants WHERE subject_id = $1 AND subject_kind = 'consent'",
                "DELETE FROM read_counts WHERE consent = $1",
                "DELETE FROM first_reads WHERE consent = $1",
            ],
            Self::FundsConsent => &[
                "DELETE FROM authorisations WHERE subject_id = $1 AND subject_kind = 'funds-consent'",
                "DELETE FROM grants WHERE subject_id = $1 AND subject_kind = 'funds-consent'",
            ],
            Self::Payment => &[
                "DELETE FROM authorisations WHERE subject_id = $1 AND subject_kind = 'payment'",
                "DELETE FROM grants WHERE subject_id = $1 AND subject_kind = 'payment'",
            ],
            _ => &[],
        }
    }

    fn life(self) -> Life {
        let keyed = |key, due, delete| Life { due, key, delete, postpone: None, with: self.belongings() };
        let alone = |due, delete| keyed(1, due, delete);
        match self {
            Self::InitialAccessToken => alone(
                "SELECT hash FROM initial_access_tokens WHERE tenant = $1 AND expires_at < $2 LIMIT $3",
                "DELETE FROM initial_access_tokens WHERE hash = $1 AND expires_at < $2",
            ),
            Self::Request => alone(
                "SELECT key FROM requests WHERE tenant = $1 AND expires_at < $2 LIMIT $3",
                "DELETE FROM requests WHERE key = $1 AND expires_at < $2",
            ),
            Self::Session => alone(
                "SELECT hash FROM sessions WHERE tenant = $1 AND seen_at < $2 LIMIT $3",
                "DELETE FROM sessions WHERE hash = $1 AND seen_at < $2",
            ),
            Self::CustomerSession => alone(
                "SELECT hash FROM customer_sessions WHERE tenant = $1 AND seen_at < $2 LIMIT $3",
                "DELETE FROM customer_sessions WHERE hash = $1 AND seen_at < $2",
            ),
            Self::AuthorizationCode => alone(
                "SELECT hash FROM authorization_codes WHERE tenant = $1 AND expires_at < $2 LIMIT $3",
                "DELETE FROM authorization_codes WHERE hash = $1 AND expires_at < $2",
            ),
            Self::Token => alone(
                "SELECT hash FROM tokens WHERE tenant = $1 AND expires_at < $2 LIMIT $3",
                "DELETE FROM tokens WHERE hash = $1 AND expires_at < $2",
            ),
            Self::PushedRequest => alone(
                "SELECT hash FROM pushed_requests WHERE tenant = $1 AND expires_at < $2 LIMIT $3",
                "DELETE FROM pushed_requests WHERE hash = $1 AND expires_at < $2",
            ),
            Self::ClientAssertion => alone(
                "SELECT hash FROM client_assertions WHERE tenant = $1 AND expires_at < $2 LIMIT $3",
                "DELETE FROM client_assertions WHERE hash = $1 AND expires_at < $2",
            ),
            Self::LogInFailures => keyed(
                3,
                "SELECT tenant, psu, tpp FROM log_in_failures WHERE tenant = $1 AND last_at < $2 LIMIT $3",
                "DELETE FROM log_in_failures WHERE tenant = $1 AND psu = $2 AND tpp = $3 AND last_at < $4",
            ),
            Self::Consent => alone(
                "SELECT id FROM consents WHERE tenant = $1 AND forget_at < $2 LIMIT $3",
                "DELETE FROM consents WHERE id = $1 AND forget_at < $2",
            ),
            Self::FundsConsent => alone(
                "SELECT id FROM funds_consents WHERE tenant = $1 AND forget_at < $2 LIMIT $3",
                "DELETE FROM funds_consents WHERE id = $1 AND forget_at < $2",
            ),
            Self::Payment => alone(
                "SELECT id FROM payments WHERE tenant = $1 AND forget_at < $2 LIMIT $3",
                "DELETE FROM payments WHERE id = $1 AND forget_at < $2",
            ),
            Self::PrivateState => keyed(
                3,
                "SELECT owner, kind, key FROM private_state WHERE tenant = $1 AND forget_at < $2 LIMIT $3",
                "DELETE FROM private_state WHERE owner = $1 AND kind = $2 AND key = $3 AND forget_at < $4",
            ),
            Self::Certificate => Self::life_without_tenant(),
        }
    }

    /// The SQL of a kind that belongs to no tenant.
    fn life_without_tenant() -> Life {
        let alone = |due, delete| Life { due, key: 1, delete, postpone: None, with: &[] };
        Life {
            // As long again as from the certificate's last second to its end here.
            postpone: Some(
                "UPDATE certificates SET forget_at = forget_at + 43200000 WHERE fingerprint = $1 AND forget_at < $2",
            ),
            ..alone(
                "SELECT fingerprint FROM certificates WHERE forget_at < $1 LIMIT $2",
                "DELETE FROM certificates WHERE fingerprint = $1 AND forget_at < $2 AND NOT EXISTS \
                 (SELECT 1 FROM tpps t WHERE t.id = certificates.tpp AND (t.certificate = certificates.fingerprint \
                 OR t.recognised_certificate = certificates.fingerprint))",
            )
        }
    }
}

impl Store {
    /// Deletes rows of a kind that ended before a time, at most `limit`, and returns how many there were: those of a
    /// tenant, if the kind belongs to tenants.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if one of them goes on after all; nothing is deleted then.
    pub async fn forget(
        &self,
        kind: Perishable,
        tenant: &Tenant,
        before: Timestamp,
        limit: i64,
    ) -> Result<usize, StoreError> {
        let life = kind.life();
        let tenant = kind.is_of_tenant().then(|| Value::from(tenant.as_str()));
        let params: Vec<Value> = tenant.into_iter().chain([before.into(), limit.into()]).collect();
        let due = Select { sql: life.due, lists: &[KEY] };
        let read = |row: &mut Cursor<'_>| (0..life.key).map(|_| row.text().map(Value::from)).collect();
        let due = self.list(due, &params, read).await?;
        let forgotten = due.len();
        // Nothing is written while nothing is due.
        if forgotten > 0 {
            let changes =
                due.into_iter().fold(Changes::new(), |changes, key| forget_one(changes, &life, key, before));
            self.save(changes).await?;
        }
        Ok(forgotten)
    }
}

fn forget_one(changes: Changes, life: &Life, key: Vec<Value>, before: Timestamp) -> Changes {
    let changes = life.with.iter().fold(changes, |changes, sql| changes.push(sql, key.clone(), Rows::Any));
    let guarded: Vec<Value> = key.into_iter().chain([before.into()]).collect();
    match life.postpone {
        None => changes.push(life.delete, guarded, Rows::One),
        Some(postpone) => {
            changes.push(life.delete, guarded.clone(), Rows::Any).push(postpone, guarded, Rows::Any)
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, StatementStatus};

    use super::*;

    /// What the database does for a statement, line by line.
    fn plan(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            lines.push(row.get::<_, String>(3).unwrap());
        }
        lines
    }

    fn database() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        drop(Store::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        super::super::sqlite::prepare(&connection).unwrap();
        (folder, connection)
    }

    #[test]
    fn what_is_due_is_found_by_one_index_and_deleted_by_its_key() {
        let (_folder, connection) = database();
        for kind in Perishable::ALL {
            let Life { due, delete, with, postpone, .. } = kind.life();
            let found = plan(&connection, due);
            let range = match kind {
                Perishable::Certificate => "certificates_by_end (",
                _ => "(tenant=? AND ",
            };
            let is_range = found[0].starts_with("SEARCH") && found[0].contains(range);
            assert!(found.len() == 1 && is_range && found[0].contains("<?)"), "{kind:?}: {found:?}");
            for sql in with.iter().chain([&delete]).chain(&postpone) {
                let found = plan(&connection, sql);
                let is_point = |line: &String| line.starts_with("SEARCH") && line.contains("=?");
                let is_fine = |line: &String| is_point(line) || line.contains("SCALAR SUBQUERY");
                assert!(is_point(&found[0]) && found.iter().all(is_fine), "{kind:?}: {found:?}");
            }
        }
    }

    /// However many rows are not due, of whatever kind: looking for those that are takes as many steps.
    #[test]
    fn what_is_not_due_is_not_looked_at() {
        let (_folder, connection) = database();
        let steps = |kind: Perishable| {
            let mut statement = connection.prepare(kind.life().due).unwrap();
            let mut rows = if kind.is_of_tenant() {
                statement.query(("nl", 100, 256)).unwrap()
            } else {
                statement.query((100, 256)).unwrap()
            };
            let mut found = 0;
            while rows.next().unwrap().is_some() {
                found += 1;
            }
            drop(rows);
            (found, statement.get_status(StatementStatus::VmStep))
        };
        let before: Vec<_> = Perishable::ALL.map(steps).into();
        connection
            .execute_batch(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                 INSERT INTO consents (id, tpp, tenant, access, granted, recurring, valid_until, frequency_per_day,
                 created_at, customer, decision, last_action_at, version, needs_confirmation, forget_at)
                 SELECT 'c' || i, 't', 'nl', '', '', 1, '2026-01-01', 4, 0, NULL, 'pending', 0, 1, i % 2, 100 + i
                 FROM n;
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                 INSERT INTO payments (id, tenant, transfers, created_at, expires_at, decision, last_action_at,
                 version, forget_at)
                 SELECT 'p' || i, 'nl', '', 0, 0, 'executed', 0, 1, CASE WHEN i % 2 = 0 THEN 100 + i END FROM n;
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                 INSERT INTO funds_consents (id, tpp, tenant, interface, account, card, created_at, expires_at,
                 decision, last_action_at, forget_at, version)
                 SELECT 'f' || i, 't', 'nl', '', '', '', 0, 0, 'confirmed', 0, CASE WHEN i % 2 = 0 THEN 100 + i END, 1
                 FROM n;
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                 INSERT INTO private_state (owner, kind, key, value, version, tenant, forget_at)
                 SELECT 'o', 'k', 'k' || i, '', 1, 'nl', CASE WHEN i % 2 = 0 THEN 100 + i END FROM n;
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                 INSERT INTO log_in_failures (tenant, psu, tpp, count, last_at, version)
                 SELECT 'nl', 'p' || i, 't', 1, 100 + i, 1 FROM n;
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                 INSERT INTO tokens (hash, tenant, grant_id, kind, issued_at, expires_at, version)
                 SELECT 't' || i, 'nl', 'g', 'access', 0, 100 + i, 1 FROM n;",
            )
            .unwrap();
        let after: Vec<_> = Perishable::ALL.map(steps).into();
        for (kind, (before, after)) in Perishable::ALL.iter().zip(before.into_iter().zip(after)) {
            assert_eq!((before.0, after.0), (0, 0), "{kind:?}");
            assert!(after.1 <= before.1 + 4, "{kind:?}: {} steps, {} with others", before.1, after.1);
        }
        connection.execute_batch("UPDATE consents SET forget_at = 1 WHERE id IN ('c7', 'c8', 'c9')").unwrap();
        assert_eq!(steps(Perishable::Consent).0, 3);
    }
}
