//! Brings a database up to date by the same migrations as SQLite's.
//!
//! Of all who start at the same time, one migrates: whoever makes the row of `schema_version`, or locks it first. The others wait for the
//! row and then see what was done. No lock is one that PostgreSQL alone has.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, IsolationLevel, Transaction};

use super::failed::Failed;
use crate::StoreError;
use crate::sqlite::migrations::{ADDED, FLOOR, FLOORS, GATEWAY, LOWER, NOTE, VERSION, WITHOUT_BOOKS};
use crate::tables::Tables;

/// Whoever serves meanwhile waits behind a migration that waits for a table, so that waits for no longer than this and is tried again, a
/// good while later.
const NO_LONGER: &str = "SET LOCAL lock_timeout = '500ms'";

pub(super) async fn run(client: &mut Client) -> Result<(), Failed> {
    let encoding = client.query_one("SHOW server_encoding", &[]).await?;
    if encoding.try_get::<_, &str>(0)? != "UTF8" {
        return Err(StoreError::unavailable("its encoding is not UTF8").into());
    }
    let (transaction, found) = begin(client).await?;
    let floor = floor(&transaction, GATEWAY).await?;
    migrate(&transaction, GATEWAY.due(found, floor)?).await?;
    if found.is_none() {
        transaction.batch_execute(WITHOUT_BOOKS).await?;
        transaction.execute("INSERT INTO schema_version (version) VALUES ($1)", &[&GATEWAY.known()]).await?;
    } else if GATEWAY.is_behind(found) {
        transaction.execute("UPDATE schema_version SET version = $1", &[&GATEWAY.known()]).await?;
    }
    note_floor(&transaction, GATEWAY, (found, floor)).await?;
    Ok(transaction.commit().await?)
}

/// Those of another crate.
pub(super) async fn add(client: &mut Client, tables: Tables) -> Result<(), Failed> {
    let (transaction, _) = begin(client).await?;
    migrate(&transaction, &[ADDED]).await?;
    let found = transaction.query_opt(VERSION, &[&tables.name]).await?;
    let found = found.map(|row| row.try_get(0)).transpose()?;
    let floor = floor(&transaction, tables).await?;
    migrate(&transaction, tables.due(found, floor)?).await?;
    if tables.is_behind(found) {
        transaction.execute(NOTE, &[&tables.name, &tables.known()]).await?;
    }
    note_floor(&transaction, tables, (found, floor)).await?;
    Ok(transaction.commit().await?)
}

/// Waits for whoever migrates, and returns how far the database is then. What is read after the wait has to be what others wrote
/// before it, so that the isolation level is this one whatever the database's own is.
async fn begin(client: &mut Client) -> Result<(Transaction<'_>, Option<i64>), Failed> {
    let transaction =
        client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
    // Whoever migrates much takes long, and others wait for it.
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    let made = transaction
        .batch_execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .await;
    if made.as_ref().is_err_and(|error| {
        matches!(error.code(), Some(&SqlState::UNIQUE_VIOLATION | &SqlState::DUPLICATE_TABLE))
    }) {
        // Somebody else made it at the same time.
        return Err(StoreError::Conflict.into());
    }
    made?;
    let found = transaction.query_opt("SELECT version FROM schema_version FOR UPDATE", &[]).await?;
    let found = found.map(|row| row.try_get(0)).transpose()?;
    transaction.batch_execute(NO_LONGER).await?;
    Ok((transaction, found))
}

async fn floor(transaction: &Transaction<'_>, tables: Tables) -> Result<Option<i64>, Failed> {
    migrate(transaction, &[FLOORS]).await?;
    let floor = transaction.query_opt(FLOOR, &[&tables.name]).await?;
    Ok(floor.map(|row| row.try_get(0)).transpose()?)
}

async fn note_floor(
    transaction: &Transaction<'_>,
    tables: Tables,
    (found, floor): (Option<i64>, Option<i64>),
) -> Result<(), Failed> {
    if tables.is_behind(found) || floor.is_none() {
        transaction.execute(LOWER, &[&tables.name, &tables.serves_from]).await?;
    }
    Ok(())
}

async fn migrate(transaction: &Transaction<'_>, migrations: &[&str]) -> Result<(), Failed> {
    for migration in migrations {
        // Texts are compared octet by octet, as everywhere else, whatever language the database was made for.
        transaction.batch_execute(&migration.replace(" TEXT", " TEXT COLLATE \"C\"")).await?;
    }
    Ok(())
}
