//! The folder with a bank's data: made if it is missing, closed to other users, used by one process at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use gateway::{Store, StoreError};

use crate::StartError;

/// A folder that this process holds; others are kept out until it is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let unwritable =
            |error: std::io::Error| StartError::Folder { path: path.to_owned(), reason: error.to_string() };
        make(path).map_err(unwritable)?;
        let lock = File::create(path.join("lock")).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StartError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(unwritable(error)),
        }
    }

    pub(crate) fn store(&self) -> Result<Store, StartError> {
        Store::open(&self.path.join("sandbox.db")).map_err(|error| match error {
            StoreError::Newer { found, known } => StartError::Newer { path: self.path.clone(), found, known },
            other => StartError::Folder { path: self.path.clone(), reason: other.to_string() },
        })
    }
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
