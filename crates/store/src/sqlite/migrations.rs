//! Brings a database up to date. Each migration runs once, in a transaction with those that are due with it; whoever ran the last one
//! leaves word how much the programs have to know that serve the database from then on.

use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::StoreError;
use crate::tables::Tables;

/// The gateway's.
pub(crate) const GATEWAY: Tables = Tables { name: "gateway", migrations: MIGRATIONS, serves_from: 21 };

/// What a new database runs after them. Books were among the first tables; now the bank that keeps some brings them along.
pub(crate) const WITHOUT_BOOKS: &str = include_str!("../../migrations/without_books.sql");

/// Where it is noted how far the tables of other crates are.
pub(crate) const ADDED: &str =
    "CREATE TABLE IF NOT EXISTS added_tables (name TEXT PRIMARY KEY, version BIGINT NOT NULL)";
pub(crate) const VERSION: &str = "SELECT version FROM added_tables WHERE name = $1";
pub(crate) const NOTE: &str = "INSERT INTO added_tables (name, version) VALUES ($1, $2) \
                               ON CONFLICT (name) DO UPDATE SET version = excluded.version";

/// How many migrations a program has to know at least to serve the database: see [`Tables::serves_from`]. Programs that do not know
/// this table serve none that is newer than they are.
pub(crate) const FLOORS: &str =
    "CREATE TABLE IF NOT EXISTS schema_floors (name TEXT PRIMARY KEY, serves_from BIGINT NOT NULL)";
pub(crate) const FLOOR: &str = "SELECT serves_from FROM schema_floors WHERE name = $1";
pub(crate) const LOWER: &str = "INSERT INTO schema_floors (name, serves_from) VALUES ($1, $2) \
                                ON CONFLICT (name) DO UPDATE SET serves_from = excluded.serves_from";

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
    include_str!("../../migrations/0025_certificate_serials.sql"),
    include_str!("../../migrations/0029_staff.sql"),
    include_str!("../../migrations/0030_audit.sql"),
    include_str!("../../migrations/0032_audit_spools.sql"),
    include_str!("../../migrations/0033_certificate_paths.sql"),
    include_str!("../../migrations/0034_approvals.sql"),
];

pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")?;
    let found: Option<i64> =
        transaction.query_row("SELECT version FROM schema_version", [], |row| row.get(0)).optional()?;
    let floor = floor(&transaction, GATEWAY)?;
    for migration in GATEWAY.due(found, floor)? {
        transaction.execute_batch(migration)?;
    }
    if found.is_none() {
        transaction.execute_batch(WITHOUT_BOOKS)?;
        transaction.execute("INSERT INTO schema_version (version) VALUES ($1)", [GATEWAY.known()])?;
    } else if GATEWAY.is_behind(found) {
        transaction.execute("UPDATE schema_version SET version = $1", [GATEWAY.known()])?;
    }
    note_floor(&transaction, GATEWAY, (found, floor))?;
    transaction.commit().map_err(StoreError::from)
}

/// Those of another crate.
pub(super) fn add(connection: &mut Connection, tables: Tables) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute_batch(ADDED)?;
    let found = transaction.query_row(VERSION, [tables.name], |row| row.get(0)).optional();
    let found: Option<i64> = found?;
    let floor = floor(&transaction, tables)?;
    for migration in tables.due(found, floor)? {
        transaction.execute_batch(migration)?;
    }
    if tables.is_behind(found) {
        transaction.execute(NOTE, (tables.name, tables.known()))?;
    }
    note_floor(&transaction, tables, (found, floor))?;
    transaction.commit().map_err(StoreError::from)
}

fn floor(transaction: &Transaction<'_>, tables: Tables) -> Result<Option<i64>, StoreError> {
    transaction.execute_batch(FLOORS)?;
    let floor = transaction.query_row(FLOOR, [tables.name], |row| row.get(0)).optional();
    floor.map_err(StoreError::from)
}

fn note_floor(
    transaction: &Transaction<'_>,
    tables: Tables,
    (found, floor): (Option<i64>, Option<i64>),
) -> Result<(), StoreError> {
    if tables.is_behind(found) || floor.is_none() {
        transaction.execute(LOWER, (tables.name, tables.serves_from))?;
    }
    Ok(())
}
