//! Where calls stand from before their answer is sent until they are in the audit trail: lines of a file that this process alone
//! writes. A process that is killed leaves its file behind, and whoever finds it writes what is in it.
//!
//! A file begins with a line that says what it is, what the trail calls its process, when it was begun, in seconds, and
//! how many calls could not be kept, in twenty digits. Each further line is the text of an entry. Up to which octet a file was
//! taken stands in the trail itself, with the entries. A file whose process is alive is locked.

mod kept;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use gateway::Gateway;
use gateway::audit::AuditedCall;
use gateway::domain::Timestamp;
use jiff::SignedDuration;

use self::kept::{GROUP, HEADER, Kept, NAME, prepare};

/// Octets of calls that are kept while the database is away; of further ones it is counted how many there were.
const MOST: u64 = 64 * 1024 * 1024;

/// Of these, octets that calls may have of which nobody proved who makes them, and which have no session: anybody can make any number, and must not take the place of
/// others.
const MOST_OF_ANYBODY: u64 = MOST / 2;

/// How many of those are kept of a second. Of further ones it is counted how many there were, too.
const OF_ANYBODY_A_SECOND: u32 = 1000;

/// Calls that are kept in memory while no file can be written.
const MOST_HELD: usize = 20_000;

/// Octets from which on another file is begun, while the database takes what is in them.
const LARGE: u64 = 1024 * 1024;

/// How old a file becomes: whoever finds one that is older than the trail goes back leaves what is in it out.
const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// What went wrong with calls for the trail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    /// With a file.
    #[error("{}", path.display())]
    File {
        /// The file, or the folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// With the database.
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
}

/// The spool of this process.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    /// What the trail calls this process.
    node: String,
    state: Mutex<State>,
    /// Files that nobody writes any more, and that are taken to their end.
    left: tokio::sync::Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct State {
    current: Kept,
    begun: Timestamp,
    /// How many octets it may have, and how many while calls are noted of which nobody proved who makes them.
    most: [u64; 2],
    /// The last second of such calls, and how many there were.
    anybody: (i64, u32),
    /// How many it has.
    length: u64,
    /// Up to which of them it was taken, as far as is known here.
    taken: u64,
    /// Calls that could not be kept in it.
    lost: u64,
    /// Entries that could not be written into it.
    held: VecDeque<String>,
    fails: bool,
    /// Whether it stands nowhere any more.
    is_gone: bool,
}

impl Spool {
    /// Begins a file in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`SpoolError::File`], also where others may write into the folder
    pub(crate) fn begin(folder: &Path, node: String, gateway: &Gateway) -> Result<Self, SpoolError> {
        prepare(folder).map_err(|source| SpoolError::File { path: folder.to_owned(), source })?;
        let begun = gateway.system_time();
        let current = Kept::begin(folder, &node, (&gateway.new_secret_uuid(), begun))?;
        let state = State::new((current, begun), [MOST, MOST_OF_ANYBODY]);
        Ok(Self {
            folder: folder.to_owned(),
            node,
            state: Mutex::new(state),
            left: tokio::sync::Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a call, before its answer is sent: it is with the system then, whatever becomes of this process.
    pub(crate) fn note(&self, call: &AuditedCall) {
        match call.written(&self.node) {
            Ok(text) => {
                let mut state = self.state();
                // What customers do at the pages is kept as what third parties do.
                let is_known = call.authenticated || call.has_session;
                if is_known || state.takes_of_anybody(call.at.as_second()) {
                    state.add(text, is_known);
                } else {
                    state.lose();
                }
            }
            Err(error) => {
                tracing::error!(
                    error = edge::with_causes(&error),
                    "a call cannot be told in the audit trail"
                );
                self.state().lose();
            }
        }
    }

    /// Whether what is answered now would be found if this process were killed.
    pub(crate) fn is_kept(&self) -> bool {
        let state = self.state();
        !state.fails && !state.is_gone
    }

    /// Looks whether the file still stands where it was made; somebody may have removed it, or its folder. Then both are made anew, and what
    /// stood in the one before is taken from there all the same, since this process has it open.
    ///
    /// # Errors
    /// [`SpoolError::File`]: nothing can be made there. Calls are only safe once they are taken, then.
    pub(crate) async fn stand(&self, gateway: &Gateway) -> Result<(), SpoolError> {
        let current = self.state().current.clone();
        if current.is_in_its_place() {
            self.state().is_gone = false;
            return Ok(());
        }
        self.state().is_gone = true;
        prepare(&self.folder).map_err(|source| SpoolError::File { path: self.folder.clone(), source })?;
        let before = self.another(gateway)?;
        tracing::error!(
            file = %current.path.display(),
            "the file in which calls stand until they are in the audit trail was taken away; another one is begun"
        );
        self.left.lock().await.extend(before);
        Ok(())
    }

    /// Writes what is kept into the trail: what this process kept, and what was found.
    ///
    /// # Errors
    /// [`SpoolError`]; what is not written stays
    pub(crate) async fn take(&self, gateway: &Gateway) -> Result<(), SpoolError> {
        let mut left = self.left.lock().await;
        self.take_held(gateway).await?;
        let (current, length, taken) = {
            let state = self.state();
            (state.current.clone(), state.length, state.taken)
        };
        if taken < length {
            let taken = current.take(gateway, &self.node, length).await?;
            self.state().taken = taken;
        }
        left.extend(self.another(gateway)?);
        // One that cannot be taken keeps no other one waiting.
        let (mut stay, mut failed) = (Vec::new(), Ok(()));
        for kept in left.drain(..) {
            if let Err(error) = kept.finish(gateway).await {
                failed = failed.and(Err(error));
                stay.push(kept);
            }
        }
        *left = stay;
        failed
    }

    /// The same for the last time: the file goes.
    ///
    /// # Errors
    /// As [`Spool::take`]; the next start finds it then
    pub(crate) async fn end(&self, gateway: &Gateway) -> Result<(), SpoolError> {
        self.take(gateway).await?;
        let current = self.state().current.clone();
        current.finish(gateway).await
    }

    /// Looks for files of processes that are no more.
    ///
    /// # Errors
    /// [`SpoolError::File`]: the first one; all others were looked at
    pub(crate) async fn look(&self, gateway: &Gateway) -> Result<(), SpoolError> {
        let own = self.state().current.name.clone();
        let mut left = self.left.lock().await;
        let unreadable = |source| SpoolError::File { path: self.folder.clone(), source };
        let mut failed = Ok(());
        for entry in fs::read_dir(&self.folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_other = name.starts_with(NAME) && name != own && left.iter().all(|kept| kept.name != name);
            if !is_other {
                continue;
            }
            match look_at(&path, name, gateway) {
                Ok(found) => left.extend(found),
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed
    }

    async fn take_held(&self, gateway: &Gateway) -> Result<(), SpoolError> {
        loop {
            let texts: Vec<String> = {
                let mut state = self.state();
                let count = state.held.len().min(GROUP);
                state.held.drain(..count).collect()
            };
            if texts.is_empty() {
                return Ok(());
            }
            if let Err(error) = gateway.write_calls(None, &texts).await {
                let mut state = self.state();
                texts.into_iter().rev().for_each(|text| state.held.push_front(text));
                return Err(error.into());
            }
        }
    }

    /// Begins another file if it is time, and returns the one before, whose end is taken next: under load there are always calls in it
    /// that were not.
    fn another(&self, gateway: &Gateway) -> Result<Option<Kept>, SpoolError> {
        let now = gateway.system_time();
        let is_due = |state: &State| {
            let is_old = now.duration_since(state.begun) >= LONGEST;
            state.length >= LARGE || state.lost > 0 || state.fails || state.is_gone || is_old
        };
        if !is_due(&self.state()) {
            return Ok(None);
        }
        let next = Kept::begin(&self.folder, &self.node, (&gateway.new_secret_uuid(), now))?;
        let mut state = self.state();
        if !is_due(&state) {
            let _ = fs::remove_file(&next.path);
            return Ok(None);
        }
        (state.begun, state.length, state.taken) = (now, HEADER, HEADER);
        (state.lost, state.fails, state.is_gone) = (0, false, false);
        Ok(Some(std::mem::replace(&mut state.current, next)))
    }
}

impl State {
    fn new((current, begun): (Kept, Timestamp), most: [u64; 2]) -> Self {
        Self {
            current,
            begun,
            most,
            anybody: (0, 0),
            length: HEADER,
            taken: HEADER,
            lost: 0,
            held: VecDeque::new(),
            fails: false,
            is_gone: false,
        }
    }

    /// Counts a call of which nobody proved who makes it, and says whether it is one of those that are kept.
    fn takes_of_anybody(&mut self, second: i64) -> bool {
        let (last, count) = self.anybody;
        self.anybody = if second == last { (last, count.saturating_add(1)) } else { (second, 1) };
        self.anybody.1 <= OF_ANYBODY_A_SECOND
    }

    fn add(&mut self, mut text: String, is_proved: bool) {
        text.push('\n');
        let length = text.len() as u64;
        let [most, most_of_anybody] = self.most;
        let most = if is_proved { most } else { most_of_anybody };
        if self.length + length > most {
            return self.lose();
        }
        match self.current.write_at(&text, self.length) {
            Ok(()) => self.length += length,
            Err(error) => {
                // Whatever of it is there is no line.
                let _ = self.current.file.set_len(self.length);
                if !self.fails {
                    let file = self.current.path.display();
                    tracing::error!(%file, %error, "calls are kept in memory alone until they are in the audit trail");
                    self.fails = true;
                }
                text.pop();
                let most = if is_proved { MOST_HELD } else { MOST_HELD / 2 };
                if self.held.len() < most { self.held.push_back(text) } else { self.lose() }
            }
        }
    }

    fn lose(&mut self) {
        self.lost += 1;
        let written = self.current.note_lost(self.lost);
        if let Err(error) = written
            && !self.fails
        {
            tracing::error!(%error, "how many calls the audit trail misses is known to this process alone");
            self.fails = true;
        }
    }
}

/// A file that another process left, if there is anything in it that is to be taken.
fn look_at(path: &Path, name: &str, gateway: &Gateway) -> Result<Option<Kept>, SpoolError> {
    let Some(kept) = Kept::found(path, name)? else { return Ok(None) };
    let Some(begun) = kept.begun()? else { return Ok(None) };
    if !is_old(begun, gateway) {
        return Ok(Some(kept));
    }
    // What is in it would have been forgotten, and with it that it was taken.
    fs::remove_file(path).map_err(|error| kept.failed(error))?;
    tracing::warn!(file = %path.display(), "calls from before the time that the audit trail goes back to were removed");
    Ok(None)
}

/// Whether what was begun then would have been forgotten by now.
fn is_old(begun: Timestamp, gateway: &Gateway) -> bool {
    gateway.system_time().duration_since(begun) >= gateway.settings().kept.audit
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs::File;
    use std::sync::Arc;

    use gateway::Store;
    use gateway::domain::Tenant;
    use sandbox::{Sandbox, SandboxSettings};

    use super::kept::{Piece, piece};
    use super::*;
    use crate::profiles::{RateLimits, Strictness, of_sandbox};

    const CALL: &str = "{\"kind\":\"call\",\"node\":\"n\"}";

    fn begun(folder: &Path) -> Kept {
        Kept::begin(folder, "node-one", ("a", Timestamp::UNIX_EPOCH)).unwrap()
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_was_lost_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let line = CALL.len() as u64 + 1;
        let mut state = State::new(
            (begun(folder.path()), Timestamp::UNIX_EPOCH),
            [3, 2].map(|lines| HEADER + lines * line),
        );
        // What nobody proved to have made leaves room for what somebody did.
        (0..4).for_each(|_| state.add(CALL.to_owned(), false));
        assert_eq!((state.length, state.lost), (HEADER + 2 * line, 2));
        (0..2).for_each(|_| state.add(CALL.to_owned(), true));
        assert_eq!((state.length, state.lost, state.held.len()), (HEADER + 3 * line, 3, 0));
        assert_eq!(state.current.header().unwrap().unwrap().2, 3);
        let read = piece(&state.current.file, HEADER, state.length).unwrap();
        assert_eq!(read, Piece { texts: vec![CALL.to_owned(); 3], broken: 0, until: state.length });
    }

    #[test]
    fn what_no_file_takes_is_kept_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let kept = begun(folder.path());
        let file = File::open(&kept.path).unwrap();
        let mut state = State::new((Kept { file: file.into(), ..kept }, Timestamp::UNIX_EPOCH), [MOST; 2]);
        (0..MOST_HELD).for_each(|_| state.add(CALL.to_owned(), false));
        assert_eq!((state.lost, state.held.len()), (MOST_HELD as u64 / 2, MOST_HELD / 2));
        (0..MOST_HELD).for_each(|_| state.add(CALL.to_owned(), true));
        assert_eq!((state.length, state.lost, state.held.len()), (HEADER, MOST_HELD as u64, MOST_HELD));
    }

    #[tokio::test]
    async fn of_calls_that_anybody_makes_so_many_a_second_are_kept() {
        let (folder, gateway) = (tempfile::tempdir().unwrap(), gateway().await);
        let spool = Spool::begin(&folder.path().join("spool"), "node-one".to_owned(), &gateway).unwrap();
        let call = |second, authenticated| AuditedCall {
            at: Timestamp::from_second(second).unwrap(),
            method: "GET".to_owned(),
            authenticated,
            ..AuditedCall::default()
        };
        let most = u64::from(OF_ANYBODY_A_SECOND);
        (0..most + 5).for_each(|_| spool.note(&call(7, false)));
        assert_eq!(spool.state().lost, 5);
        (0..2).for_each(|_| spool.note(&call(7, true)));
        spool.note(&AuditedCall { has_session: true, ..call(7, false) });
        (0..2).for_each(|_| spool.note(&call(8, false)));
        assert_eq!(spool.state().lost, 5);
        spool.end(&gateway).await.unwrap();
        let texts = written(&gateway).await;
        assert_eq!(texts.len() as u64, most + 3 + 2 + 1);
        let lost: Vec<_> = texts.iter().filter(|text| text.contains("\"kind\":\"lost\"")).collect();
        assert!(lost.len() == 1 && lost[0].contains("\"calls\":5"), "{lost:?}");
    }

    async fn gateway() -> Gateway {
        let settings = SandboxSettings {
            tenants: vec![Tenant::parse("nl").unwrap()],
            profiles: of_sandbox(Strictness::Lenient, RateLimits::On),
            seed: Some(1),
            begin: Some("2027-01-31T12:00:00Z".parse().unwrap()),
            public_url: "https://bank.example.com".to_owned(),
            trusted: Vec::new(),
            revocation: None,
            misbehaves: 0,
            provider: None,
        };
        Sandbox::start(Store::in_memory().unwrap(), settings).await.unwrap().gateway
    }

    async fn written(gateway: &Gateway) -> Vec<String> {
        let (groups, _) = gateway.read_trail(0, false, 1000).await.unwrap();
        groups.into_iter().flat_map(|group| group.entries).map(|entry| entry.text).collect()
    }

    #[tokio::test]
    async fn a_large_file_is_ended_while_calls_go_on() {
        let (folder, gateway) = (tempfile::tempdir().unwrap(), gateway().await);
        let spool = Spool::begin(&folder.path().join("spool"), "node-one".to_owned(), &gateway).unwrap();
        let spool = Arc::new(spool);
        let text = |number: i64| {
            format!("{{\"kind\":\"call\",\"number\":{number},\"more\":\"{}\"}}", "x".repeat(8000))
        };
        (0..200).for_each(|number| spool.state().add(text(number), true));
        assert!(spool.state().length > LARGE);
        // While the first ones are written, further calls are answered.
        let noting = tokio::spawn({
            let spool = Arc::clone(&spool);
            async move {
                for number in 200..260 {
                    spool.state().add(text(number), true);
                    tokio::task::yield_now().await;
                }
            }
        });
        let first = spool.state().current.path.clone();
        spool.take(&gateway).await.unwrap();
        assert!(
            spool.state().current.path != first && !first.exists(),
            "another one is begun, and this one taken"
        );
        noting.await.unwrap();
        spool.take(&gateway).await.unwrap();
        let texts = written(&gateway).await;
        let expected: BTreeSet<_> = (0..260).map(text).collect();
        assert_eq!((texts.len(), texts.into_iter().collect::<BTreeSet<_>>() == expected), (260, true));
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_keeps_no_other_one_waiting() {
        let (folder, gateway) = (tempfile::tempdir().unwrap(), gateway().await);
        let spool = Spool::begin(folder.path(), "node-one".to_owned(), &gateway).unwrap();
        // In whatever order the system tells them.
        for number in 0..8 {
            fs::create_dir(folder.path().join(format!("{NAME}odd-{number}"))).unwrap();
            let id = format!("left-{number}");
            let left = Kept::begin(folder.path(), "node-two", (&id, gateway.system_time())).unwrap();
            left.write_at(&format!("{CALL}\n"), HEADER).unwrap();
        }
        let failed = spool.look(&gateway).await.unwrap_err();
        assert!(failed.to_string().contains("calls-odd-"), "{failed}");
        spool.take(&gateway).await.unwrap();
        assert_eq!(written(&gateway).await, [CALL; 8]);
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.map(|name| name.into_string().unwrap()).all(|name| !name.contains("left")));
    }
}
