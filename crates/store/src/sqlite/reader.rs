//! The connection on which a thread reads.
//!
//! A read by itself takes and gives back the locks of the database, which costs more than finding a row. In a snapshot
//! many reads share one read transaction. It is begun by the first of them, and must not outlive one turn of a task: it
//! would keep the log from being emptied, and what is written meanwhile from being seen.

use std::cell::Cell;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{execute, prepare};
use crate::StoreError;

/// The reading connection of one thread.
#[derive(Debug)]
pub(super) struct Reader {
    connection: Connection,
    /// Whether reads share one transaction now.
    in_snapshot: Cell<bool>,
}

/// Reads share one transaction until this is dropped.
pub(super) struct Snapshot<'r>(&'r Reader);

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        prepare(&connection)?;
        Ok(Self { connection, in_snapshot: Cell::new(false) })
    }

    /// The connection, in a transaction if a snapshot has begun.
    pub(super) fn connection(&self) -> Result<&Connection, StoreError> {
        if self.in_snapshot.get() && self.connection.is_autocommit() {
            execute(&self.connection, "BEGIN")?;
        }
        Ok(&self.connection)
    }

    /// From here on reads share one transaction.
    pub(super) fn begin_snapshot(&self) -> Snapshot<'_> {
        self.in_snapshot.set(true);
        Snapshot(self)
    }

    /// The next read sees what was written until then.
    pub(super) fn end_snapshot(&self) {
        if !self.connection.is_autocommit() {
            // Nothing was written, so there is nothing that could be lost; a failure shows with the next read.
            let _ = execute(&self.connection, "COMMIT");
        }
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        self.0.in_snapshot.set(false);
        self.0.end_snapshot();
    }
}
