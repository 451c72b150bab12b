//! A database takes over all that another one holds. Its pages are copied in one transaction, so that whoever looks finds the
//! one or the other, after a crash too.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::files::open_existing;
use crate::StoreError;

/// How often it is tried while somebody else has the database, and how long between.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// The database that is taken over.
#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Memory(Arc<Mutex<Connection>>),
}

/// Replaces everything in a database.
pub(super) fn replace(connection: &mut Connection, source: &Source) -> Result<(), StoreError> {
    match source {
        Source::File(path) => copy(&open_existing(path)?, connection),
        Source::Memory(shared) => copy(&shared.lock().unwrap_or_else(PoisonError::into_inner), connection),
    }
}

fn copy(from: &Connection, to: &mut Connection) -> Result<(), StoreError> {
    let backup = Backup::new(from, to)?;
    for _ in 0..ATTEMPTS {
        // All pages in one step, which is one transaction.
        match backup.step(-1)? {
            StepResult::Done => return Ok(()),
            _ => std::thread::sleep(PAUSE),
        }
    }
    Err(StoreError::unavailable("somebody else is using it"))
}
