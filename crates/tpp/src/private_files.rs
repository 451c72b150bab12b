//! Files that their owner alone can read.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::random;

/// How the names of files end that are not whole yet.
const UNFINISHED: &str = ".new";

/// Writes a file whole under a name of its own, brings it to disk, and puts it in place by a rename: a crash leaves the
/// old file or the new one.
///
/// # Errors
/// What the system says.
pub fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut new = PathBuf::from(path);
    new.as_mut_os_string().push(format!(".{}{UNFINISHED}", random::secret()));
    let written = write_new(&new, content).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // There may be no place for it, so nothing of it stays.
        let _ = fs::remove_file(&new);
    }
    written?;
    // The rename itself is on disk only after the folder is.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn write_new(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = create_new_private(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Removes what is left of attempts at writing a file that did not come to their end.
pub(crate) fn remove_unfinished(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let begin = format!("{}.", name.to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&begin) && name.ends_with(UNFINISHED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Opens a file that its owner alone can read, and makes it if it is not there.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub(crate) fn open_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Opens a file, and makes it if it is not there.
///
/// # Errors
/// What the system says.
#[cfg(not(unix))]
pub(crate) fn open_private(path: &Path) -> std::io::Result<File> {
    fs::OpenOptions::new().write(true).create(true).truncate(false).open(path)
}

/// Makes a file that its owner alone can read, and that was not there before.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub fn create_new_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes a file that was not there before.
///
/// # Errors
/// What the system says.
#[cfg(not(unix))]
pub fn create_new_private(path: &Path) -> std::io::Result<File> {
    File::create_new(path)
}

/// Makes a folder that its owner alone can enter.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub fn make_private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a folder.
///
/// # Errors
/// What the system says.
#[cfg(not(unix))]
pub fn make_private_folder(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)
}
