//! The embedded driver: SQLite.
//!
//! Reads run in the calling thread on a connection of that thread's own, with cached statements. One writer
//! thread commits whatever waits as one group with one fsync. In memory there is one connection for both.

mod files;
#[cfg(test)]
mod held;
pub(crate) mod migrations;
#[cfg(debug_assertions)]
mod plans;
mod reader;
mod replacing;
mod writer;

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, StatementStatus};
use thread_local::ThreadLocal;

use crate::changes::Statement;
use crate::row::Value;
use crate::tables::Tables;
use crate::{Load, StoreError};
pub(crate) use files::{contents, is_whole};
use reader::Reader;
use replacing::Source;
use writer::Writer;

/// Statements kept ready on each connection.
const CACHED_STATEMENTS: usize = 64;

/// How the writer's connection is set up. Ids are random, so that writes go everywhere: what they touch has to be at hand
/// (32 MiB at most, until nothing is written for a while), and a page that is written again and again goes from the log into the database seldom (each 40 MB).
const WRITING: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                       PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 10000;";

/// The database, as it is in one era: when another one takes its place, the next one begins.
#[derive(Debug, Clone)]
pub(crate) struct Db {
    inner: Arc<Inner>,
    era: u64,
}

#[derive(Debug)]
struct Inner {
    // Declared first, so that it is dropped first: the writer ends before its connection does.
    writer: Writer,
    readers: Readers,
    /// Steps that reads took so far.
    steps: AtomicU64,
}

#[derive(Debug)]
enum Readers {
    PerThread { path: PathBuf, readers: Box<ThreadLocal<Reader>> },
    Shared(Arc<Mutex<Connection>>),
}

impl Db {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        connection.execute_batch(WRITING)?;
        prepare(&connection)?;
        migrations::run(&mut connection)?;
        files::checkpoint(&connection)?;
        let readers = Readers::PerThread { path: path.to_owned(), readers: Box::default() };
        let writer = Writer::start(Arc::new(Mutex::new(connection)))?;
        Ok(Self::new(writer, readers))
    }

    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        prepare(&connection)?;
        migrations::run(&mut connection)?;
        let shared = Arc::new(Mutex::new(connection));
        let writer = Writer::start(Arc::clone(&shared))?;
        let readers = Readers::Shared(shared);
        Ok(Self::new(writer, readers))
    }

    fn new(writer: Writer, readers: Readers) -> Self {
        Self { inner: Arc::new(Inner { writer, readers, steps: AtomicU64::new(0) }), era: 0 }
    }

    /// Takes over all that another one holds.
    pub(crate) async fn replaced_by(&self, other: &Self) -> Result<Self, StoreError> {
        let source = match &other.inner.readers {
            Readers::PerThread { path, .. } => Source::File(path.clone()),
            Readers::Shared(connection) => Source::Memory(Arc::clone(connection)),
        };
        let era = self.inner.writer.replace(source).await?;
        Ok(Self { inner: Arc::clone(&self.inner), era })
    }

    /// How large it is, in octets.
    pub(crate) fn octets(&self) -> Result<u64, StoreError> {
        let sql = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
        let octets: i64 = self.with_reader(|connection| {
            connection.query_row(sql, [], |row| row.get(0)).map_err(StoreError::from)
        })?;
        Ok(u64::try_from(octets).unwrap_or_default())
    }

    pub(crate) fn add_tables(&self, tables: Tables) -> Result<(), StoreError> {
        match &self.inner.readers {
            Readers::PerThread { path, .. } => migrations::add(&mut files::open_existing(path)?, tables),
            Readers::Shared(connection) => {
                migrations::add(&mut connection.lock().unwrap_or_else(PoisonError::into_inner), tables)
            }
        }
    }

    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        match &self.inner.readers {
            Readers::PerThread { path, .. } if !files::checkpoint(&files::open_existing(path)?)? => {
                Err(StoreError::unavailable("somebody else is reading it"))
            }
            Readers::PerThread { .. } | Readers::Shared(_) => Ok(()),
        }
    }

    /// Writes the file anew without what was replaced.
    pub(crate) fn compact(&self) -> Result<(), StoreError> {
        if let Readers::PerThread { path, .. } = &self.inner.readers {
            files::open_existing(path)?.execute_batch("VACUUM")?;
        }
        self.checkpoint()
    }

    pub(crate) async fn save(&self, batch: Vec<Statement>) -> Result<(), StoreError> {
        let saved = self.inner.writer.save(batch, self.era).await;
        // What is read after this has to see what was written.
        if let Some(reader) = self.reader_of_this_thread() {
            reader.end_snapshot();
        }
        saved
    }

    /// How much it has to do now.
    pub(crate) fn load(&self) -> Load {
        self.inner.writer.load()
    }

    pub(crate) fn rest(&self) {
        self.inner.writer.rest();
    }

    pub(crate) async fn in_snapshots<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            let _snapshot = self.reader_of_this_thread().map(Reader::begin_snapshot);
            future.as_mut().poll(context)
        })
        .await
    }

    pub(crate) fn fetch_optional<T>(
        &self,
        sql: &'static str,
        params: &[Value],
        read: impl FnOnce(&rusqlite::Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.with_reader(|connection| {
            let mut statement = bound(connection, sql, params)?;
            let mut rows = statement.raw_query();
            let found = match rows.next()? {
                Some(row) => read(row).map(Some),
                None => Ok(None),
            };
            drop(rows);
            self.count(&statement);
            found
        })
    }

    pub(crate) fn fetch_all<T>(
        &self,
        sql: &'static str,
        params: &[Value],
        read: impl Fn(&rusqlite::Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.with_reader(|connection| {
            let mut statement = bound(connection, sql, params)?;
            let mut rows = statement.raw_query();
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
            drop(rows);
            self.count(&statement);
            Ok(found)
        })
    }

    /// Steps of the database's machine that reads took so far: what a read costs, on any machine.
    pub(crate) fn steps(&self) -> u64 {
        self.inner.steps.load(Ordering::Relaxed)
    }

    fn count(&self, statement: &rusqlite::Statement<'_>) {
        let steps = statement.reset_status(StatementStatus::VmStep);
        self.inner.steps.fetch_add(u64::try_from(steps).unwrap_or(0), Ordering::Relaxed);
    }

    fn with_reader<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &self.inner.readers {
            Readers::PerThread { path, readers } => {
                read(readers.get_or_try(|| Reader::open(path))?.connection()?)
            }
            Readers::Shared(connection) => read(&connection.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// The reader of this thread, if it has read before.
    fn reader_of_this_thread(&self) -> Option<&Reader> {
        match &self.inner.readers {
            Readers::PerThread { readers, .. } => readers.get(),
            Readers::Shared(_) => None,
        }
    }
}

pub(crate) fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // Without this, some statements are planned anew whenever another value is bound to them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // Journals of statements and savepoints are small and end with them: they need no file.
    connection
        .execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;")
        .map_err(StoreError::from)
}

fn execute(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    bound(connection, sql, &[])?.raw_execute().map(|_| ()).map_err(StoreError::from)
}

/// A cached statement with its parameters.
fn bound<'c>(
    connection: &'c Connection,
    sql: &'static str,
    params: &[Value],
) -> Result<CachedStatement<'c>, StoreError> {
    #[cfg(debug_assertions)]
    plans::check(connection, sql);
    let mut statement = connection.prepare_cached(sql)?;
    for (position, value) in params.iter().enumerate() {
        let index = position + 1;
        // SQLite numbers `$n` by first appearance, PostgreSQL by n; every statement keeps both the same.
        debug_assert_eq!(statement.parameter_name(index), Some(format!("${index}").as_str()), "{sql}");
        match value {
            Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null),
            Value::Integer(number) => statement.raw_bind_parameter(index, number),
            Value::Text(text) => statement.raw_bind_parameter(index, text.as_str()),
        }?;
    }
    Ok(statement)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{ConstraintViolation, PermissionDenied, ReadOnly};
        use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
        let is_taken = || {
            let code = error.sqlite_error().map(|error| error.extended_code);
            matches!(code, Some(SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE))
        };
        // The library's text names the failure, never the values that were bound.
        match error.sqlite_error_code() {
            Some(ConstraintViolation) if is_taken() => Self::Conflict,
            Some(ConstraintViolation) => Self::Violation(Arc::new(error)),
            Some(ReadOnly | PermissionDenied) => Self::unavailable("it cannot be written"),
            _ => Self::Unavailable(Arc::new(error)),
        }
    }
}
