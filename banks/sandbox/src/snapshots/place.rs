//! Where snapshots are: files of a folder, each a database that is whole in itself, or databases in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use gateway::domain::Timestamp;
use gateway::{Clock, Store, StoreContents, SystemClock};

use super::{Identity, Name, Snapshot, SnapshotError};

/// How many there can be.
pub(crate) const MAX_SNAPSHOTS: usize = 50;

/// What they may have together, in octets: in memory, and on a disk.
const MAX_IN_MEMORY: u64 = 256 * 1024 * 1024;
const MAX_ON_DISK: u64 = 4 * 1024 * 1024 * 1024;

const SUFFIX: &str = ".db";

/// How files begin that are worked on, as no name of a snapshot does. What a process that was killed left goes at the next start.
const WORK: &str = ".work-";

#[derive(Debug)]
pub(crate) enum Place {
    Folder(PathBuf, Identity),
    Memory(Mutex<BTreeMap<Name, Held>>),
    /// Others share the database.
    Nowhere,
}

/// A snapshot in memory.
#[derive(Debug)]
pub(crate) struct Held {
    store: Store,
    saved_at: Timestamp,
    octets: u64,
}

impl Place {
    pub(super) fn folder(path: PathBuf, identity: Identity) -> Self {
        let is_left = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(WORK);
        for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
            if is_left(&entry.file_name()) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Self::Folder(path, identity)
    }

    pub(super) fn limit(&self) -> u64 {
        match self {
            Self::Folder(..) => MAX_ON_DISK,
            Self::Memory(_) | Self::Nowhere => MAX_IN_MEMORY,
        }
    }

    pub(super) fn list(&self) -> Result<Vec<Snapshot>, SnapshotError> {
        match self {
            Self::Folder(folder, _) => in_folder(folder),
            Self::Memory(held) => {
                let held = held.lock().unwrap_or_else(PoisonError::into_inner);
                let one = |(name, one): (&Name, &Held)| Snapshot {
                    name: name.clone(),
                    saved_at: one.saved_at,
                    octets: one.octets,
                };
                Ok(held.iter().map(one).collect())
            }
            Self::Nowhere => Err(SnapshotError::Shared),
        }
    }

    pub(super) async fn save(&self, store: &Store, name: Name) -> Result<(Snapshot, bool), SnapshotError> {
        match self {
            Self::Folder(folder, _) => save_file(folder, store, name).await,
            Self::Memory(held) => {
                let copy = Store::in_memory()?.replaced_by(store).await?;
                let (saved_at, octets) = (SystemClock.now(None), copy.octets()?.unwrap_or_default());
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                let before = held.insert(name.clone(), Held { store: copy, saved_at, octets });
                Ok((Snapshot { name, saved_at, octets }, before.is_some()))
            }
            Self::Nowhere => Err(SnapshotError::Shared),
        }
    }

    pub(super) fn remove(&self, name: &Name) -> Result<(), SnapshotError> {
        let unknown = || SnapshotError::Unknown(name.as_str().to_owned());
        match self {
            Self::Folder(folder, _) => match fs::remove_file(file_of(folder, name)) {
                Err(error) if error.kind() == ErrorKind::NotFound => Err(unknown()),
                other => Ok(other?),
            },
            Self::Memory(held) => {
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                held.remove(name).map(drop).ok_or_else(unknown)
            }
            Self::Nowhere => Err(SnapshotError::Shared),
        }
    }

    /// A copy of a snapshot of the bank with this store, brought up to date: what is restored may be changed before.
    pub(super) async fn copy(
        &self,
        name: &Name,
        bank: &Store,
    ) -> Result<(Store, Option<Files>), SnapshotError> {
        let unknown = || SnapshotError::Unknown(name.as_str().to_owned());
        match self {
            Self::Folder(folder, identity) => {
                let from = file_of(folder, name);
                if !from.exists() {
                    return Err(unknown());
                }
                let files = Files::make(folder)?;
                fs::copy(&from, &files.0)?;
                let &(owner, (kind, key)) = identity;
                let own = bank.private_state(owner, kind, key).await?.map(|own| own.value);
                let damaged = || SnapshotError::Damaged(name.as_str().to_owned());
                match Store::contents(&files.0, owner, (kind, key)) {
                    Ok(StoreContents::Ours(theirs)) if theirs == own => {}
                    Ok(StoreContents::Ours(_)) => {
                        return Err(SnapshotError::Foreign(name.as_str().to_owned()));
                    }
                    Ok(StoreContents::Nothing | StoreContents::Foreign) | Err(_) => return Err(damaged()),
                }
                if !is_whole(&files).await? {
                    return Err(damaged());
                }
                Ok((Store::open(&files.0)?, Some(files)))
            }
            Self::Memory(held) => {
                let kept = {
                    let held = held.lock().unwrap_or_else(PoisonError::into_inner);
                    held.get(name).map(|one| one.store.clone()).ok_or_else(unknown)?
                };
                Ok((Store::in_memory()?.replaced_by(&kept).await?, None))
            }
            Self::Nowhere => Err(SnapshotError::Shared),
        }
    }

    /// A database with nothing in it.
    pub(super) fn empty(&self) -> Result<(Store, Option<Files>), SnapshotError> {
        match self {
            Self::Folder(folder, _) => {
                let files = Files::make(folder)?;
                Ok((Store::open(&files.0)?, Some(files)))
            }
            Self::Memory(_) => Ok((Store::in_memory()?, None)),
            Self::Nowhere => Err(SnapshotError::Shared),
        }
    }
}

fn file_of(folder: &Path, name: &Name) -> PathBuf {
    folder.join(format!("{}{SUFFIX}", name.as_str()))
}

fn in_folder(folder: &Path) -> Result<Vec<Snapshot>, SnapshotError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).and_then(Name::parse);
        let Some(name) = name else { continue };
        let metadata = entry.metadata()?;
        let saved_at = Timestamp::try_from(metadata.modified()?).map_err(SnapshotError::failed)?;
        all.push(Snapshot { name, saved_at, octets: metadata.len() });
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// Pages of the bank's own database were changed by something else than the bank.
#[derive(Debug, thiserror::Error)]
#[error("the bank's database is damaged")]
struct BankDamaged;

/// All of a large file is read, and calls do not wait for that.
async fn is_whole(files: &Files) -> Result<bool, SnapshotError> {
    let path = files.0.clone();
    let looked = tokio::task::spawn_blocking(move || Store::is_whole(&path)).await;
    Ok(looked.map_err(SnapshotError::failed)??)
}

/// Writes a file beside the one that may be there, and puts it in its place when it is whole.
async fn save_file(folder: &Path, store: &Store, name: Name) -> Result<(Snapshot, bool), SnapshotError> {
    let files = Files::make(folder)?;
    let copy = Store::open(&files.0)?.replaced_by(store).await?;
    copy.checkpoint()?;
    drop(copy);
    if !is_whole(&files).await? {
        return Err(SnapshotError::failed(BankDamaged));
    }
    fs::File::open(&files.0)?.sync_all()?;
    let file = file_of(folder, &name);
    let was_there = file.exists();
    fs::rename(&files.0, &file)?;
    sync_folder(folder)?;
    let metadata = fs::metadata(&file)?;
    let saved_at = Timestamp::try_from(metadata.modified()?).map_err(SnapshotError::failed)?;
    Ok((Snapshot { name, saved_at, octets: metadata.len() }, was_there))
}

/// The files of a database that is worked on. They go when this is dropped, after the database was closed.
#[derive(Debug)]
pub(crate) struct Files(PathBuf);

impl Files {
    /// An empty file that its owner alone can read; what SQLite keeps beside it gets the same mode.
    fn make(folder: &Path) -> Result<Self, SnapshotError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        make_folder(folder)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let files = Self(folder.join(format!("{WORK}{}-{number}", std::process::id())));
        create_private(&files.0)?;
        Ok(files)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            // Most of them are not there.
            let _ = fs::remove_file(path);
        }
    }
}

/// Snapshots hold private keys, as the bank's own database does.
#[cfg(unix)]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::File::options().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<()> {
    fs::File::options().write(true).create_new(true).open(path).map(drop)
}

/// A name that was changed is on disk once its folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
