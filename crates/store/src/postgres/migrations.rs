//! Brings a database up to date by the same migrations as SQLite's.

use tokio_postgres::Client;

use super::failed::Failed;
use crate::StoreError;
use crate::sqlite::migrations::{due, known};

/// Of all who start at the same time, one migrates. The number is arbitrary, and nobody else's.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1447384650, hashtext(current_schema()))";

pub(super) async fn run(client: &mut Client) -> Result<(), Failed> {
    let encoding = client.query_one("SHOW server_encoding", &[]).await?;
    if encoding.try_get::<_, &str>(0)? != "UTF8" {
        return Err(StoreError::unavailable("its encoding is not UTF8").into());
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    transaction.batch_execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)").await?;
    let found = transaction.query_opt("SELECT version FROM schema_version", &[]).await?;
    let found = found.map(|row| row.try_get(0)).transpose()?;
    for migration in due(found)? {
        // Texts are compared octet by octet, as everywhere else, whatever language the database was made for.
        transaction.batch_execute(&migration.replace(" TEXT", " TEXT COLLATE \"C\"")).await?;
    }
    let keep = match found {
        Some(_) => "UPDATE schema_version SET version = $1",
        None => "INSERT INTO schema_version (version) VALUES ($1)",
    };
    if found != Some(known()) {
        transaction.execute(keep, &[&known()]).await?;
    }
    Ok(transaction.commit().await?)
}
