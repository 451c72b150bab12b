//! The folder with a bank's data: made if it is missing, closed to other users, used by one process at a time, and
//! known by an identity, so that a lost or foreign database is no new bank.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use gateway::{Drawer, Randomness, Store, StoreContents, StoreError};

use crate::StartError;

const DATABASE: &str = "sandbox.db";

/// The log that SQLite keeps beside a database: what was written last is there alone.
const LOG: &str = "sandbox.db-wal";

/// The bank's identity, which its database has too.
const IDENTITY: &str = "identity";

/// Is there while a bank runs: after a stop without warning the log is needed.
const RUNNING: &str = "running";

/// Every file of the folder.
const FILES: [&str; 7] = ["lock", IDENTITY, RUNNING, DATABASE, LOG, "sandbox.db-shm", "sandbox.db-journal"];

/// Where the database has the identity: owner, kind and key of an entry.
pub(crate) const OWNER: &str = "vestibule";
pub(crate) const ENTRY: (&str, &str) = ("identity", "");

/// A folder that this process holds; others are kept out until it is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    /// Whether this process said that a bank runs.
    runs: bool,
    _lock: File,
}

impl DataFolder {
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let unwritable = |error: std::io::Error| unusable(path, error);
        make(path).map_err(unwritable)?;
        let lock = create_private(&path.join("lock")).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StartError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(unwritable(error)),
        }
        close_to_others(path);
        Ok(Self { path: path.to_owned(), runs: false, _lock: lock })
    }

    /// Opens the database, after it was checked that it is this folder's.
    pub(crate) async fn store(&self) -> Result<Store, StartError> {
        let failed = |error: StoreError| match error {
            StoreError::Newer { found, known } => StartError::Newer { path: self.path.clone(), found, known },
            other => unusable(&self.path, other),
        };
        let kept = self.identity()?;
        // SQLite keeps the log for as long as somebody has the database open, and looking into it may make one.
        if self.path.join(RUNNING).exists()
            && self.path.join(DATABASE).exists()
            && !self.path.join(LOG).exists()
        {
            return Err(StartError::LogGone(self.path.clone()));
        }
        let contents = Store::contents(&self.path.join(DATABASE), OWNER, ENTRY).map_err(failed)?;
        self.check(kept.as_deref(), &contents)?;
        // Made by hand, since what SQLite makes is readable by others; its other files get the mode of this one.
        create_private(&self.path.join(DATABASE)).map_err(|error| unusable(&self.path, error))?;
        let store = Store::open(&self.path.join(DATABASE)).map_err(failed)?;
        if kept.is_none() {
            let identity = match contents {
                StoreContents::Ours(Some(identity)) => identity,
                _ => self.name(&store).await?,
            };
            self.keep_identity(&identity).map_err(|error| unusable(&self.path, error))?;
        }
        Ok(store)
    }

    /// Where the bank's snapshots are.
    pub(crate) fn snapshots(&self) -> PathBuf {
        self.path.join("snapshots")
    }

    /// From now on something is acknowledged that may be in the log alone.
    pub(crate) fn runs(&mut self) -> Result<(), StartError> {
        create_private(&self.path.join(RUNNING)).map_err(|error| unusable(&self.path, error))?;
        self.runs = true;
        Ok(())
    }

    /// The database is whole without its log.
    pub(crate) fn has_stopped(&self) {
        let _ = fs::remove_file(self.path.join(RUNNING));
    }

    fn identity(&self) -> Result<Option<String>, StartError> {
        match fs::read_to_string(self.path.join(IDENTITY)) {
            // Empty if the program ended while it was written for the first time.
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|identity| !identity.is_empty())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(&self.path, error)),
        }
    }

    fn check(&self, kept: Option<&str>, contents: &StoreContents) -> Result<(), StartError> {
        let path = self.path.clone();
        match (kept, contents) {
            (Some(_), StoreContents::Nothing) => Err(StartError::DatabaseGone(path)),
            (None, StoreContents::Nothing) if self.path.join(LOG).exists() => {
                Err(StartError::DatabaseGone(path))
            }
            (Some(kept), StoreContents::Ours(found)) if found.as_deref() != Some(kept) => {
                Err(StartError::DatabaseForeign(path))
            }
            (_, StoreContents::Foreign) => Err(StartError::DatabaseForeign(path)),
            _ => Ok(()),
        }
    }

    /// Gives the database an identity.
    async fn name(&self, store: &Store) -> Result<String, StartError> {
        let identity = Randomness::from_system().secret_uuid();
        let written = Drawer::new(store, OWNER).put(ENTRY.0, ENTRY.1, &identity).await;
        written.map_err(|error| unusable(&self.path, error))?;
        // Into the database itself: whoever finds the file with the identity finds it there too.
        store.checkpoint().map_err(|error| unusable(&self.path, error))?;
        Ok(identity)
    }

    fn keep_identity(&self, identity: &str) -> std::io::Result<()> {
        let mut file = create_private(&self.path.join(IDENTITY))?;
        file.set_len(0)?;
        writeln!(file, "{identity}")?;
        file.sync_all()
    }
}

impl Drop for DataFolder {
    /// Whoever closes the database last puts what is in the log into it.
    fn drop(&mut self) {
        if self.runs && !self.path.join(LOG).exists() {
            self.has_stopped();
        }
    }
}

fn unusable(path: &Path, reason: impl ToString) -> StartError {
    StartError::Folder { path: path.to_owned(), reason: reason.to_string() }
}

/// The folder holds private keys.
#[cfg(unix)]
fn make(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)
}

/// Opens a file to write, and makes one that its owner alone can read if there is none.
#[cfg(unix)]
pub(crate) fn create_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create(true).truncate(false).mode(0o600).open(path)
}

#[cfg(not(unix))]
pub(crate) fn create_private(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create(true).truncate(false).open(path)
}

/// Closes files that existed before to other users, and says so if others can write to the folder.
#[cfg(unix)]
fn close_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for name in FILES {
        let file = path.join(name);
        let Ok(metadata) = fs::symlink_metadata(&file) else { continue };
        if !metadata.is_file() || metadata.permissions().mode() & 0o077 == 0 {
            continue;
        }
        if let Err(error) = fs::set_permissions(&file, fs::Permissions::from_mode(0o600)) {
            let file = file.display();
            tracing::warn!("other users of this machine can read {file}, which holds private keys: {error}");
        }
    }
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o022 != 0 {
        let path = path.display();
        tracing::warn!(
            "other users of this machine can write to the data folder {path} and so replace its files; \
             close it with: chmod go-w {path}"
        );
    }
}

#[cfg(not(unix))]
fn close_to_others(_: &Path) {}
