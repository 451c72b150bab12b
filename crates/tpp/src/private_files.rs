//! Files that their owner alone can read.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes a file whole under another name, brings it to disk, and puts it in place by a rename: a crash leaves the old
/// file or the new one.
///
/// # Errors
/// What the system says.
pub(crate) fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut new = PathBuf::from(path);
    new.as_mut_os_string().push(".new");
    let mut file = create_private(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The rename itself is on disk only after the folder is.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Makes or empties a file that its owner alone can read.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // One that existed before keeps the mode that it had.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Makes or empties a file.
///
/// # Errors
/// What the system says.
#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<File> {
    File::create(path)
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
pub(crate) fn make_private_folder(path: &Path) -> std::io::Result<()> {
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
pub(crate) fn make_private_folder(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)
}
