//! Brings a database up to date. Migrations only add; each runs once, in a transaction of its own.

use rusqlite::{Connection, OptionalExtension};

use super::unavailable;
use crate::StoreError;

/// In order; the version of a database is how many of them it has run.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_onboarding.sql"),
    include_str!("../../migrations/0002_consents.sql"),
    include_str!("../../migrations/0003_books.sql"),
    include_str!("../../migrations/0004_payments.sql"),
    include_str!("../../migrations/0005_authorizations.sql"),
    include_str!("../../migrations/0006_standing.sql"),
    include_str!("../../migrations/0007_log_in_failures.sql"),
    include_str!("../../migrations/0008_lost_answers.sql"),
    include_str!("../../migrations/0009_client_authentication.sql"),
    include_str!("../../migrations/0010_payments_at_once.sql"),
    include_str!("../../migrations/0011_lives.sql"),
    include_str!("../../migrations/0012_certificates_by_end.sql"),
    include_str!("../../migrations/0013_places.sql"),
    include_str!("../../migrations/0014_fewer_writes.sql"),
    include_str!("../../migrations/0015_subjects.sql"),
    include_str!("../../migrations/0016_leases.sql"),
    include_str!("../../migrations/0017_funds_consents.sql"),
    include_str!("../../migrations/0018_payment_terms.sql"),
    include_str!("../../migrations/0019_orders.sql"),
    include_str!("../../migrations/0020_pending_payments.sql"),
    include_str!("../../migrations/0021_customer_area.sql"),
    include_str!("../../migrations/0022_pending_amounts.sql"),
];

/// The version of a database that has run them all.
pub(crate) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// What a database of a version still has to run.
///
/// # Errors
/// [`StoreError::Newer`]
pub(crate) fn due(version: Option<i64>) -> Result<&'static [&'static str], StoreError> {
    let version = version.unwrap_or(0);
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    MIGRATIONS.get(done..).ok_or(StoreError::Newer { found: version, known: known() })
}

pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(unavailable)?;
    transaction
        .execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .map_err(unavailable)?;
    let found: Option<i64> = transaction
        .query_row("SELECT version FROM schema_version", [], |row| row.get(0))
        .optional()
        .map_err(unavailable)?;
    for migration in due(found)? {
        transaction.execute_batch(migration).map_err(unavailable)?;
    }
    if found.is_none() {
        transaction.execute("INSERT INTO schema_version (version) VALUES ($1)", [known()])
    } else {
        transaction.execute("UPDATE schema_version SET version = $1", [known()])
    }
    .map_err(unavailable)?;
    transaction.commit().map_err(unavailable)
}
