//! Files and folders that a configuration names, as `serve` uses them: `config check` looks at them in the same way.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

use edge::registers::read_register;
use gateway::domain::{RegisterCopy, Timestamp};

/// How the file of an SQLite database begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// When a file was changed.
///
/// # Errors
/// A text with the path.
pub(crate) fn modified(path: &Path) -> Result<SystemTime, String> {
    let metadata = fs::metadata(path).and_then(|metadata| metadata.modified());
    metadata.map_err(|error| format!("{}: {error}", path.display()))
}

/// Reads a register of payment institutions, and when its file was changed. One of a time that is not yet would never be too old: it is
/// as if it were of now.
///
/// # Errors
/// A text with the path.
pub(crate) fn register(path: &Path, now: Timestamp) -> Result<(SystemTime, RegisterCopy), String> {
    let modified = modified(path)?;
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let said = Timestamp::try_from(modified).map_err(|error| wrong(&error))?;
    let file = File::open(path).map_err(|error| wrong(&error))?;
    let copy = read_register(BufReader::new(file), said.min(now)).map_err(|error| wrong(&error))?;
    if copy.is_empty() {
        return Err(wrong(&"there is no institution in it that is authorised by itself"));
    }
    Ok((modified, copy))
}

/// Sees that a folder that is there is one, and that nobody else can put a file into it.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn closed_folder(folder: &Path) -> io::Result<()> {
    let metadata = fs::metadata(folder)?;
    if !metadata.is_dir() {
        return Err(io::Error::other("this is no folder"));
    }
    if metadata.permissions().mode() & 0o022 != 0 {
        let text = "other users of this machine can write into it, and so into the audit trail; close it with chmod go-w";
        return Err(io::Error::other(text));
    }
    Ok(())
}

/// Sees that a folder is there, or can be made below one that is.
///
/// # Errors
/// What is in its place.
pub(crate) fn folder_to_be(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().find(|path| path.symlink_metadata().is_ok());
    match there {
        Some(path) if !path.is_dir() => Err(io::Error::other(format!("{} is no folder", path.display()))),
        _ => Ok(()),
    }
}

/// Sees that a path is that of an SQLite database, or of one that can be made.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn sqlite_file(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(io::Error::other(format!("there is no folder {}; make it first", folder.display())));
    }
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(file) if file.metadata()?.is_dir() => {
            return Err(io::Error::other("this is a folder; a file is expected"));
        }
        Ok(file) => {
            let mut begin = Vec::new();
            file.take(SQLITE.len() as u64).read_to_end(&mut begin)?;
            if !begin.is_empty() && begin != SQLITE {
                return Err(io::Error::other("this is no SQLite database"));
            }
        }
    }
    Ok(())
}
