//! Snapshots of the bank's data: the whole database as it was, kept under a name in a file of its own, or in memory where
//! the bank is.

mod place;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use gateway::domain::Timestamp;
use gateway::{Drawer, Fault, Store, StoreError};

pub(crate) use self::place::{MAX_SNAPSHOTS, Place};
use crate::authorities;
use crate::ledger::Ledger;
use crate::setup;

/// Longest name.
const MAX_NAME: usize = 64;

/// The name of a snapshot, which is that of its file too, on systems that take no other letters, or make no difference
/// between large and small ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_good = |octet: u8| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        (begins && text.len() <= MAX_NAME && text.bytes().all(is_good)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A snapshot that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) name: Name,
    /// By the system's clock.
    pub(crate) saved_at: Timestamp,
    pub(crate) octets: u64,
}

/// Why something with snapshots is not done.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is none under this name.
    #[error("there is no snapshot \"{0}\"; GET /snapshots lists those that there are")]
    Unknown(String),
    /// There are as many as there can be.
    #[error("there are {MAX_SNAPSHOTS} snapshots already; remove one, or save under a name that is taken")]
    TooMany,
    /// There is no room.
    #[error(
        "the bank has {} MiB, and snapshots may have {} MiB together, of which {} MiB are left; remove some",
        mebibytes(*.octets), mebibytes(*.limit), mebibytes(*.left)
    )]
    TooBig {
        /// What the bank has.
        octets: u64,
        /// What all may have.
        limit: u64,
        /// What is left of it.
        left: u64,
    },
    /// Other processes may have the database.
    #[error(
        "this bank is in a PostgreSQL database, which other processes may share, so that none of them can put other data into it; \
         stop them all, copy the database with PostgreSQL's own programs (createdb --template, pg_dump), and start them on \
         the copy. Snapshots and reset are for a bank in a data folder or in memory"
    )]
    Shared,
    /// A newer program saved it.
    #[error(
        "a newer version saved the snapshot (its schema is {found}, this program knows {known}); restore it with that version"
    )]
    Newer {
        /// Version of the snapshot.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// It is another bank's.
    #[error(
        "the snapshot \"{0}\" is that of another bank, with another test authority; start a bank on a copy of the file as sandbox.db \
         of a data folder of its own"
    )]
    Foreign(String),
    /// It cannot be read.
    #[error("the file of the snapshot \"{0}\" is damaged; remove the snapshot, nothing was changed")]
    Damaged(String),
    /// Somebody else does the same.
    #[error("another snapshot is restored, or the bank is reset, at this moment; try again")]
    Busy,
    /// Calls that are answered at the moment do not come to an end.
    #[error(
        "calls that came before this one are still being answered after {0} seconds, perhaps by a fault that makes them late; nothing \
         was changed, try again"
    )]
    CallsRunning(u64),
    /// The store, or the folder of the snapshots.
    #[error("the service is not available; try again later")]
    Failed(#[source] Fault),
}

fn mebibytes(octets: u64) -> u64 {
    octets.div_ceil(1024 * 1024)
}

impl SnapshotError {
    /// Something else failed on the way.
    pub fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Failed(Arc::new(error))
    }
}

impl From<std::io::Error> for SnapshotError {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error)
    }
}

impl From<gateway::Error> for SnapshotError {
    fn from(error: gateway::Error) -> Self {
        Self::failed(error)
    }
}

impl From<StoreError> for SnapshotError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Newer { found, known } => Self::Newer { found, known },
            other => Self::failed(other),
        }
    }
}

/// Data that the bank is to go on with.
#[derive(Debug)]
pub struct OtherData {
    /// Brought up to date, as what cannot be must not take the place of anything.
    store: Ledger,
    /// Whether they are those of a bank that was never used.
    is_new: bool,
    /// Its files go when it is closed.
    _files: Option<place::Files>,
}

impl OtherData {
    /// A database with these data alone.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether they are those of a bank that was never used.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Brings what goes on from the bank as it is now into these data: numbers that must not come twice, and in a new bank
    /// the authority, whose certificates others hold and trust.
    ///
    /// # Errors
    /// [`gateway::Error`]
    pub async fn carry_on(&self, from: &Store) -> Result<(), gateway::Error> {
        setup::carry_on(from, &self.store, self.is_new).await?;
        if self.is_new {
            let drawer = Drawer::new(from, setup::OWNER);
            drawer.copy_to(&self.store, authorities::KIND).await?;
        }
        Ok(())
    }
}

/// Lets the bank go on with other data, while nobody calls it.
pub type Exchange =
    Arc<dyn Fn(OtherData) -> Pin<Box<dyn Future<Output = Result<(), SnapshotError>> + Send>> + Send + Sync>;

/// Under which owner, kind and key the database of a bank in a folder has the bank's identity.
pub type Identity = (&'static str, (&'static str, &'static str));

/// The snapshots of a bank.
#[derive(Debug)]
pub struct Snapshots {
    place: Place,
    /// Held by whoever makes, reads or removes one.
    working: tokio::sync::Mutex<()>,
}

impl Snapshots {
    /// Those in a folder, which is made for the first of them, of the bank whose database has this identity.
    pub fn in_folder(folder: PathBuf, identity: Identity) -> Self {
        Self::at(Place::folder(folder, identity))
    }

    /// Those of a bank in memory.
    pub fn in_memory() -> Self {
        Self::at(Place::Memory(std::sync::Mutex::default()))
    }

    /// None: others share the bank's database.
    pub fn none() -> Self {
        Self::at(Place::Nowhere)
    }

    fn at(place: Place) -> Self {
        Self { place, working: tokio::sync::Mutex::default() }
    }

    /// Those that there are, by name.
    pub(crate) async fn list(&self) -> Result<Vec<Snapshot>, SnapshotError> {
        let _working = self.working.lock().await;
        self.place.list()
    }

    /// Saves the bank as it is; says whether another one was under this name before.
    pub(crate) async fn save(&self, store: &Store, name: Name) -> Result<(Snapshot, bool), SnapshotError> {
        let _working = self.working.lock().await;
        let others = self.place.list()?.into_iter().filter(|other| other.name != name);
        let (count, taken) = others.fold((0, 0), |(count, taken), other| (count + 1, taken + other.octets));
        if count >= MAX_SNAPSHOTS {
            return Err(SnapshotError::TooMany);
        }
        let octets = store.octets()?.unwrap_or_default();
        let limit = self.place.limit();
        let left = limit.saturating_sub(taken);
        if octets > left {
            return Err(SnapshotError::TooBig { octets, limit, left });
        }
        self.place.save(store, name).await
    }

    /// Removes one.
    pub(crate) async fn remove(&self, name: &Name) -> Result<(), SnapshotError> {
        let _working = self.working.lock().await;
        self.place.remove(name)
    }

    /// The data of a snapshot, as this version of the program has them.
    pub(crate) async fn data(&self, name: &Name, store: &Store) -> Result<OtherData, SnapshotError> {
        let _working = self.working.lock().await;
        let (store, files) = self.place.copy(name, store).await?;
        Ok(OtherData { store: Ledger::open(store).await?, is_new: false, _files: files })
    }

    /// The data of a bank that was never used.
    pub(crate) async fn no_data(&self) -> Result<OtherData, SnapshotError> {
        let _working = self.working.lock().await;
        let (store, files) = self.place.empty()?;
        Ok(OtherData { store: Ledger::open(store).await?, is_new: true, _files: files })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "0", "before-payment_2", &"x".repeat(64)] {
            assert!(Name::parse(good).is_some(), "{good}");
        }
        for bad in ["", "-a", "_a", ".a", "a.db", "A", "a b", "../a", "a/b", "ä", &"x".repeat(65)] {
            assert!(Name::parse(bad).is_none(), "{bad}");
        }
    }
}
