//! Files and folders that are not read with the file that names them, but when the gateway starts: `config check` looks at them as the
//! start does. A register is large, and is not read twice at a start, nor at each SIGHUP.

use std::path::Path;

use gateway::domain::Timestamp;

use super::section::Reader;
use super::{Audit, Database, Register, TrustedLists};
use crate::on_disk::{closed_folder, folder_to_be, register, sqlite_file};

/// Notes what is wrong with them.
pub(super) fn check(
    reader: &mut Reader<'_>,
    (database, audit): (Option<&Database>, Option<&Audit>),
    (section, lists): (Option<&Register>, Option<&TrustedLists>),
    now: Timestamp,
) {
    let mut note = |key: &str, path: &Path, result: std::io::Result<()>| {
        if let Err(error) = result {
            reader.together(key, format!("{}: {error}", path.display()));
        }
    };
    if let Some(path) = database.and_then(|section| section.sqlite_file.as_ref()) {
        note("database.sqlite_file", path, sqlite_file(path));
    }
    if let Some(Audit { spool_folder: path }) = audit {
        let usable = if path.exists() { closed_folder(path) } else { folder_to_be(path) };
        note("audit.spool_folder", path, usable);
    }
    if let Some(TrustedLists { folder: path, .. }) = lists {
        note("trusted_lists.folder", path, folder_to_be(path));
    }
    // That it is not there, or a folder, is told already.
    if let Some(path) = section.and_then(|section| section.file.as_ref()).filter(|path| path.is_file())
        && let Err(text) = register(path, now)
    {
        reader.together("register.file", text);
    }
}
