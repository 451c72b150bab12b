//! All SQL, and the driver that runs it.
//!
//! The database is SQLite in the process, or PostgreSQL, which several processes may share ([`Store::open`],
//! [`Store::connect`]). Writes are batches of guarded statements ([`Changes`]): when [`Store::save`] returns `Ok`, the batch is
//! on disk.
//!
//! One file per noun holds its SQL, both ways. The SQL text is portable: `$1` parameters in the order of their
//! numbers, `ON CONFLICT`, text ids, `BIGINT` times, no functions of one database. No rules live here, and
//! nothing above this crate knows which database runs.
//!
//! A bank that keeps its own books has its SQL with it, on the same seam ([`tables`]).

mod audit;
mod authorisations;
mod certificates;
mod changes;
mod client_assertions;
mod columns;
mod consents;
mod customer_sessions;
mod driver;
mod erasure;
mod error;
mod funds_consents;
mod grants;
mod initial_access_tokens;
mod leases;
mod lives;
mod payments;
mod postgres;
mod private_state;
mod pushed_requests;
mod reads;
mod requests;
mod row;
mod sessions;
mod sqlite;
pub mod tables;
mod tpps;
mod watch;

use std::path::Path;
use std::sync::Arc;

pub use audit::{AuditGroup, AuditKind, AuditPlace, OldGroup};
pub use changes::Changes;
use domain::Timestamp;
use driver::Driver;
pub use error::{Fault, StoreError, fault};
pub use lives::Perishable;
pub use private_state::PrivateState;
pub use pushed_requests::PushedRequest;
pub use requests::StoredRequest;
use tables::Tables;
pub use watch::{Load, Outcome, Watch, Work};

/// What is in a database file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// There is no file, or nothing in it.
    Nothing,
    /// A database of another program.
    Foreign,
    /// A database of this program, with the value that was asked for, if it has it.
    Ours(Option<String>),
}

/// The database. Cloning is cheap and shares it.
#[derive(Debug, Clone)]
pub struct Store(Driver, Option<Arc<dyn Watch>>);

impl Store {
    /// Opens the database file, makes it if there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a newer program wrote it, [`StoreError::Unavailable`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        sqlite::Db::open(path).map(Driver::Sqlite).map(Self::unwatched)
    }

    /// Opens a PostgreSQL database by its address, as PostgreSQL's own programs take it (`postgres://user:password@host/name`
    /// or `host=… dbname=…`), and brings its schema up to date. Hosts that are not this machine are reached over TLS, unless the
    /// address says `sslmode=disable`; their certificate is checked against the authorities that the system trusts.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a newer program wrote it, [`StoreError::Unavailable`] if it cannot be reached.
    pub async fn connect(address: &str) -> Result<Self, StoreError> {
        postgres::Db::connect(address).await.map(Driver::Postgres).map(Self::unwatched)
    }

    /// Whether a text is an address that [`Store::connect`] takes. Nobody is asked.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], whose text does not repeat the address: it may hold a password.
    ///
    /// ```
    /// assert!(store::Store::check_address("postgres://user:password@db.example.com/bank?sslmode=disable").is_ok());
    /// assert!(store::Store::check_address("mysql://user:password@db.example.com/bank").is_err());
    /// ```
    pub fn check_address(address: &str) -> Result<(), StoreError> {
        postgres::Db::check_address(address)
    }

    /// What is in a database file, which is not changed: whether there is a database of this program, and what it has
    /// under an owner, kind and key of its private state.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be read, or is no database.
    pub fn contents(path: &Path, owner: &str, entry: (&str, &str)) -> Result<Contents, StoreError> {
        sqlite::contents(path, owner, entry)
    }

    /// Whether a database file is whole: all of it is read, and nothing is changed. Bits that were turned over in what a row says are
    /// not noticed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be read.
    pub fn is_whole(path: &Path) -> Result<bool, StoreError> {
        sqlite::is_whole(path)
    }

    /// Brings whatever is on disk beside the database file into it, so that the file alone is the whole database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        match &self.0 {
            Driver::Sqlite(db) => db.checkpoint(),
            Driver::Postgres(_) => Ok(()),
        }
    }

    /// Writes the database file anew, so that nothing of what was replaced or deleted is left in it. A server does so by itself
    /// in the course of time (`VACUUM FULL` at once), and is not asked.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub fn compact(&self) -> Result<(), StoreError> {
        match &self.0 {
            Driver::Sqlite(db) => db.compact(),
            Driver::Postgres(_) => Ok(()),
        }
    }

    /// A database that lives in memory and ends with its last clone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub fn in_memory() -> Result<Self, StoreError> {
        sqlite::Db::in_memory().map(Driver::Sqlite).map(Self::unwatched)
    }

    /// Brings the tables of another crate up to date, which it has beside those of the gateway.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a newer program made them, [`StoreError::Unavailable`] if they cannot be made.
    pub async fn add_tables(&self, tables: Tables) -> Result<(), StoreError> {
        match &self.0 {
            Driver::Sqlite(db) => db.add_tables(tables),
            Driver::Postgres(db) => db.add_tables(tables).await,
        }
    }

    /// Whether other processes may have it, too.
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Driver::Postgres(_))
    }

    /// Now, by the clock of the machine that the database runs on. None where that is this process.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn time_of_server(&self) -> Result<Option<Timestamp>, StoreError> {
        match &self.0 {
            Driver::Sqlite(_) => Ok(None),
            Driver::Postgres(db) => db.time().await.map(Some),
        }
    }

    /// Takes over all that another database holds, in one step: whoever looks finds the one or the other, after a crash too.
    /// Pages are copied as they are, so a file that nobody guarded is asked first whether it is whole ([`Self::is_whole`]).
    /// Returns the store that goes on. This one and its clones can be read, and what they save from now on is refused, because it
    /// builds on what is gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also if other processes may have the database
    pub async fn replaced_by(&self, other: &Self) -> Result<Self, StoreError> {
        match (&self.0, &other.0) {
            (Driver::Sqlite(db), Driver::Sqlite(other)) => {
                let db = db.replaced_by(other).await?;
                Ok(Self(Driver::Sqlite(db), self.1.clone()))
            }
            _ => Err(StoreError::unavailable("a database that others share is not replaced")),
        }
    }

    /// How large it is, in octets; that of a server is not known.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub fn octets(&self) -> Result<Option<u64>, StoreError> {
        match &self.0 {
            Driver::Sqlite(db) => db.octets().map(Some),
            Driver::Postgres(_) => Ok(None),
        }
    }

    fn unwatched(driver: Driver) -> Self {
        Self(driver, None)
    }

    /// The same, and somebody is told of what it does.
    pub fn watched_by(self, watch: Arc<dyn Watch>) -> Self {
        Self(self.0, Some(watch))
    }

    /// How much it has to do now.
    pub fn load(&self) -> Load {
        match &self.0 {
            Driver::Sqlite(db) => db.load(),
            Driver::Postgres(db) => db.load(),
        }
    }

    /// Writes a batch: all of it, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a row moved on since it was loaded; load again and decide anew.
    pub async fn save(&self, changes: Changes) -> Result<(), StoreError> {
        self.run(changes.into_statements()).await
    }

    /// Gives memory back, if nothing was written since this was called last.
    pub fn rest(&self) {
        if let Driver::Sqlite(db) = &self.0 {
            db.rest();
        }
    }

    /// Runs a future whose reads, from one wait to the next, see one state of the database where that is cheaper than each
    /// for itself. What the future itself has written is seen by all of its later reads.
    pub async fn in_snapshots<F: Future>(&self, future: F) -> F::Output {
        match &self.0 {
            Driver::Sqlite(db) => db.in_snapshots(future).await,
            Driver::Postgres(_) => future.await,
        }
    }

    /// Steps of SQLite's machine that reads took so far: what they cost, on any machine. None are counted elsewhere.
    pub fn steps(&self) -> Option<u64> {
        match &self.0 {
            Driver::Sqlite(db) => Some(db.steps()),
            Driver::Postgres(_) => None,
        }
    }
}
