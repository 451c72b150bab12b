//! The files of a database: what is in them before it is opened, and the write-ahead log brought into the database.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use super::prepare;
use crate::{Contents, StoreError};

/// A connection to a file that exists.
pub(super) fn open_existing(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Whether every page of a database file is what it says that it is.
pub(crate) fn is_whole(path: &Path) -> Result<bool, StoreError> {
    let damage = [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase];
    let found = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(|file| file.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)));
    match found {
        Ok(found) => Ok(found == "ok"),
        Err(error) if error.sqlite_error_code().is_some_and(|code| damage.contains(&code)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Brings the write-ahead log into the database and empties it; says whether all of it is there now, which it is not
/// while somebody else reads.
pub(super) fn checkpoint(connection: &Connection) -> Result<bool, StoreError> {
    let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(!is_busy)
}

/// What is in a database file.
pub(crate) fn contents(path: &Path, owner: &str, (kind, key): (&str, &str)) -> Result<Contents, StoreError> {
    if !path.exists() {
        return Ok(Contents::Nothing);
    }
    let connection = open_existing(path)?;
    let has_table = |name: &str| {
        let found = connection
            .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1", [name], |_| Ok(()))
            .optional();
        Ok::<_, StoreError>(found?.is_some())
    };
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Contents::Nothing);
    }
    if !has_table("schema_version")? || !has_table("private_state")? {
        return Ok(Contents::Foreign);
    }
    let value = connection.query_row(
        "SELECT value FROM private_state WHERE owner = $1 AND kind = $2 AND key = $3",
        params![owner, kind, key],
        |row| row.get(0),
    );
    value.optional().map(Contents::Ours).map_err(StoreError::from)
}
