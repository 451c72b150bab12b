//! Brings a database up to date by the same migrations as SQLite's.

use tokio_postgres::{Client, Transaction};

use super::failed::Failed;
use crate::StoreError;
use crate::sqlite::migrations::{ADDED, GATEWAY, NOTE, VERSION, WITHOUT_BOOKS};
use crate::tables::Tables;

/// Of all who start at the same time, one migrates. The number is arbitrary, and nobody else's.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1447384650, hashtext(current_schema()))";

pub(super) async fn run(client: &mut Client) -> Result<(), Failed> {
    let encoding = client.query_one("SHOW server_encoding", &[]).await?;
    if encoding.try_get::<_, &str>(0)? != "UTF8" {
        return Err(StoreError::unavailable("its encoding is not UTF8").into());
    }
    let transaction = begin(client).await?;
    transaction.batch_execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)").await?;
    let found = transaction.query_opt("SELECT version FROM schema_version", &[]).await?;
    let found = found.map(|row| row.try_get(0)).transpose()?;
    migrate(&transaction, GATEWAY.due(found)?).await?;
    if found.is_none() {
        transaction.batch_execute(WITHOUT_BOOKS).await?;
    }
    let keep = match found {
        Some(_) => "UPDATE schema_version SET version = $1",
        None => "INSERT INTO schema_version (version) VALUES ($1)",
    };
    if found != Some(GATEWAY.known()) {
        transaction.execute(keep, &[&GATEWAY.known()]).await?;
    }
    Ok(transaction.commit().await?)
}

/// Those of another crate.
pub(super) async fn add(client: &mut Client, tables: Tables) -> Result<(), Failed> {
    let transaction = begin(client).await?;
    migrate(&transaction, &[ADDED]).await?;
    let found = transaction.query_opt(VERSION, &[&tables.name]).await?;
    let found = found.map(|row| row.try_get(0)).transpose()?;
    migrate(&transaction, tables.due(found)?).await?;
    if found != Some(tables.known()) {
        transaction.execute(NOTE, &[&tables.name, &tables.known()]).await?;
    }
    Ok(transaction.commit().await?)
}

async fn begin(client: &mut Client) -> Result<Transaction<'_>, Failed> {
    let transaction = client.transaction().await?;
    // Whoever migrates much takes long, and others wait for it.
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    transaction.batch_execute(LOCK).await?;
    Ok(transaction)
}

async fn migrate(transaction: &Transaction<'_>, migrations: &[&str]) -> Result<(), Failed> {
    for migration in migrations {
        // Texts are compared octet by octet, as everywhere else, whatever language the database was made for.
        transaction.batch_execute(&migration.replace(" TEXT", " TEXT COLLATE \"C\"")).await?;
    }
    Ok(())
}
