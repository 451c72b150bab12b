//! One file with calls: how it begins, how it is found again, what is read of it.

use std::fs::{self, DirBuilder, File, Metadata, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway::Gateway;
use gateway::audit::{AuditPlace, lost_calls};
use gateway::domain::Timestamp;

use super::SpoolError;
use crate::on_disk::closed_folder;

/// What a file is, at its begin.
const MARK: &str = "vestibule-audit-spool-1";

/// Octets of the first line: the mark, eight octets of a name, two numbers, blanks and the end of the line.
pub(super) const HEADER: u64 = 23 + 1 + 8 + 1 + 20 + 1 + 20 + 1;

/// Where the number of calls that could not be kept stands in it.
const LOST_AT: u64 = HEADER - 21;

/// Most entries of one group, which is one row, and how much of a file is read for it.
pub(super) const GROUP: usize = 500;
const READ: u64 = 1024 * 1024;

/// What the names of files begin with.
pub(super) const NAME: &str = "calls-";

/// A file that this process holds.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
}

/// Lines of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) texts: Vec<String>,
    /// Lines that are no entries.
    pub(super) broken: u64,
    /// The octet behind the last one.
    pub(super) until: u64,
}

impl Kept {
    /// Makes a file. It is locked before anything stands in it, so that nobody takes it for one that was left.
    pub(super) fn begin(folder: &Path, node: &str, (id, now): (&str, Timestamp)) -> Result<Self, SpoolError> {
        let name = format!("{NAME}{id}");
        let path = folder.join(&name);
        let begun = now.as_second();
        let header = format!("{MARK} {node:8} {begun:020} {:020}\n", 0);
        let made = || -> io::Result<File> {
            let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
            file.lock().and_then(|()| file.write_all_at(header.as_bytes(), 0)).inspect_err(|_| {
                let _ = fs::remove_file(&path);
            })?;
            Ok(file)
        };
        match made() {
            Ok(file) => Ok(Self { name, path, file: file.into() }),
            Err(source) => Err(SpoolError::File { path, source }),
        }
    }

    /// A file that was left: none if its process is there, or begins it just now, or somebody else was faster.
    pub(super) fn found(path: &Path, name: &str) -> Result<Option<Self>, SpoolError> {
        let open = || -> io::Result<Option<File>> {
            let file = File::options().read(true).write(true).open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let (own, there) = (file.metadata()?, fs::metadata(path)?);
            let is_it = own.is_file() && is_same(&own, &there);
            Ok((is_it && own.len() >= HEADER).then_some(file))
        };
        match open() {
            Ok(file) => {
                Ok(file.map(|file| Self { name: name.to_owned(), path: path.to_owned(), file: file.into() }))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SpoolError::File { path: path.to_owned(), source }),
        }
    }

    /// Whether it still stands where it was made: nobody finds what is in a file that was removed, or moved away.
    pub(super) fn is_in_its_place(&self) -> bool {
        let both = || -> io::Result<_> { Ok((self.file.metadata()?, fs::metadata(&self.path)?)) };
        both().is_ok_and(|(own, there)| is_same(&own, &there))
    }

    pub(super) fn failed(&self, source: io::Error) -> SpoolError {
        SpoolError::File { path: self.path.clone(), source }
    }

    /// Writes a line at an octet.
    pub(super) fn write_at(&self, line: &str, octet: u64) -> io::Result<()> {
        self.file.write_all_at(line.as_bytes(), octet)
    }

    /// Notes how many calls could not be kept.
    pub(super) fn note_lost(&self, lost: u64) -> io::Result<()> {
        self.file.write_all_at(format!("{lost:020}").as_bytes(), LOST_AT)
    }

    /// What stands in its first line: the process, when it was begun, how many calls could not be kept. None if it is not ours.
    pub(super) fn header(&self) -> Result<Option<(String, i64, u64)>, SpoolError> {
        let mut octets = [0; HEADER as usize];
        self.file.read_exact_at(&mut octets, 0).map_err(|error| self.failed(error))?;
        let read = || {
            let mut words = std::str::from_utf8(&octets).ok()?.strip_suffix('\n')?.split(' ');
            let is_ours = words.next()? == MARK;
            let header = (words.next()?.to_owned(), words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            is_ours.then_some(header)
        };
        Ok(read())
    }

    pub(super) fn begun(&self) -> Result<Option<Timestamp>, SpoolError> {
        let header = self.header()?;
        Ok(header.and_then(|(_, begun, _)| Timestamp::from_second(begun).ok()))
    }

    /// Writes what stands in it up to an octet into the trail. Returns up to which it is taken.
    pub(super) async fn take(&self, gateway: &Gateway, node: &str, end: u64) -> Result<u64, SpoolError> {
        let mut taken = unsigned(gateway.taken_of_spool(&self.name).await?).max(HEADER);
        while taken < end {
            let piece = piece(&self.file, taken, end).map_err(|error| self.failed(error))?;
            if piece.until == taken {
                break;
            }
            taken = self.write(gateway, (taken, piece.until), (piece.texts, node, piece.broken)).await?;
        }
        Ok(taken)
    }

    async fn write(
        &self,
        gateway: &Gateway,
        (from, until): (u64, u64),
        (mut texts, node, lost): (Vec<String>, &str, u64),
    ) -> Result<u64, SpoolError> {
        if lost > 0 {
            texts.push(lost_calls(node, gateway.system_time(), lost)?);
        }
        let place = AuditPlace { spool: self.name.clone(), from: signed(from), until: signed(until) };
        Ok(unsigned(gateway.write_calls(Some(&place), &texts).await?))
    }

    /// Writes what stands in a file to which nothing is added any more, and removes it.
    pub(super) async fn finish(&self, gateway: &Gateway) -> Result<(), SpoolError> {
        let end = self.file.metadata().map_err(|error| self.failed(error))?.len();
        let (node, _, lost) = self.header()?.unwrap_or_default();
        let taken = self.take(gateway, &node, end).await?;
        // A line without an end is of a call that nobody got an answer to.
        let lost = lost + u64::from(taken < end);
        if lost > 0 && taken <= end {
            self.write(gateway, (end, end + 1), (Vec::new(), &node, lost)).await?;
        }
        // What stands there in its place is none of ours.
        if !self.is_in_its_place() {
            return Ok(());
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(()),
        }
    }
}

/// Whether two are one file.
fn is_same(own: &Metadata, there: &Metadata) -> bool {
    (own.dev(), own.ino()) == (there.dev(), there.ino())
}

/// Lines from an octet on, at most as many as make a group.
pub(super) fn piece(file: &File, from: u64, end: u64) -> io::Result<Piece> {
    let length = (end - from).min(READ);
    let mut octets = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact_at(&mut octets, from)?;
    let mut piece = Piece { until: from, ..Piece::default() };
    for line in octets.split_inclusive(|octet| *octet == b'\n').take(GROUP) {
        let Some(text) = line.strip_suffix(b"\n") else { break };
        piece.until += line.len() as u64;
        match std::str::from_utf8(text).ok().filter(|text| is_call(text)) {
            Some(text) => piece.texts.push(text.to_owned()),
            None => piece.broken += 1,
        }
    }
    // No entry is as long as that.
    if piece.until == from && length == READ {
        (piece.until, piece.broken) = (from + READ, 1);
    }
    Ok(piece)
}

fn is_call(text: &str) -> bool {
    text.starts_with("{\"kind\":\"call\",") && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Makes the folder, or sees that nobody else can put a file into it.
pub(super) fn prepare(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().recursive(true).mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    closed_folder(folder)
}

/// Octets as the database counts them.
fn signed(octets: u64) -> i64 {
    i64::try_from(octets).unwrap_or(i64::MAX)
}

fn unsigned(octets: i64) -> u64 {
    u64::try_from(octets).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const CALL: &str = "{\"kind\":\"call\",\"node\":\"n\"}";

    fn begun(folder: &Path, id: &str) -> Kept {
        Kept::begin(folder, "node-one", (id, Timestamp::UNIX_EPOCH)).unwrap()
    }

    #[test]
    fn a_file_begins_with_what_it_is_and_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("spool");
        prepare(&place).unwrap();
        prepare(&place).unwrap();
        let kept = begun(&place, "a");
        assert_eq!(kept.header().unwrap(), Some(("node-one".to_owned(), 0, 0)));
        assert_eq!(kept.file.metadata().unwrap().len(), HEADER);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&place), mode(&kept.path)), (0o700, 0o600));
        assert!(Kept::begin(&place, "n", ("a", Timestamp::UNIX_EPOCH)).is_err(), "no file is written over");
        fs::set_permissions(&place, fs::Permissions::from_mode(0o770)).unwrap();
        let refused = prepare(&place).unwrap_err();
        assert!(refused.to_string().contains("chmod go-w"), "{refused}");
        let refused = prepare(&kept.path).unwrap_err();
        assert_eq!(refused.to_string(), "this is no folder");
    }

    #[test]
    fn a_file_is_found_once_its_process_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let kept = begun(folder.path(), "a");
        let path = kept.path.clone();
        assert!(Kept::found(&path, "calls-a").unwrap().is_none(), "its process is there");
        drop(kept);
        let found = Kept::found(&path, "calls-a").unwrap().unwrap();
        assert!(Kept::found(&path, "calls-a").unwrap().is_none(), "one takes it");
        fs::remove_file(&path).unwrap();
        drop(found);
        assert!(Kept::found(&path, "calls-a").unwrap().is_none());
        // Somebody begins one.
        File::create(&path).unwrap();
        assert!(Kept::found(&path, "calls-a").unwrap().is_none());
        fs::write(&path, "x".repeat(500)).unwrap();
        let strange = Kept::found(&path, "calls-a").unwrap().unwrap();
        assert_eq!(strange.begun().unwrap(), None, "that is none of ours");
    }

    #[test]
    fn lines_are_read_in_groups_and_what_is_none_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            piece(&File::open(&path).unwrap(), 0, text.len() as u64).unwrap()
        };
        let whole = format!("{CALL}\n");
        let length = whole.len() as u64;
        let many = read(&whole.repeat(GROUP + 7));
        assert_eq!((many.texts.len(), many.until), (GROUP, GROUP as u64 * length));
        // A process was killed while it wrote the last one.
        let cut = read(&format!("{whole}{}", &CALL[..9]));
        assert_eq!((cut.texts.len(), cut.broken, cut.until), (1, 0, length));
        let odd =
            read(&format!("{whole}\0\0\n{{\"kind\":\"act\",\"node\":\"n\"}}\n{{\"kind\":\"call\",\n{whole}"));
        assert_eq!((odd.texts.len(), odd.broken), (2, 3));
        let endless = read(&"\0".repeat(READ as usize + 5));
        assert_eq!((endless.texts.len(), endless.broken, endless.until), (0, 1, READ));
    }
}
