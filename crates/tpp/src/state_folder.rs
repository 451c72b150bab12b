//! Where a third party keeps what it knows: one folder a bank and dialect, with keys and credentials that only their
//! owner can read. Several commands may use one folder at once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::private_files::{make_private_folder, open_private, remove_unfinished, replace};
use crate::state::{Dialect, State};
use crate::{Error, Hint};

const STATE: &str = "state.json";

/// Where locks are, beside the folders: a folder that is forgotten takes none with it that somebody waits for.
const LOCKS: &str = ".locks";

/// The folder of one bank.
#[derive(Debug, Clone)]
pub struct StateFolder {
    path: PathBuf,
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "the open file is what holds the lock")]
pub struct Lock(File);

impl StateFolder {
    /// The folder of the bank at `bank` under `root`; it is made when something is saved.
    ///
    /// # Errors
    /// [`Error::Setup`] if `bank` is no URL with a host.
    pub fn new(root: &Path, bank: &str) -> Result<Self, Error> {
        let wrong = || {
            // Most often the scheme is all that lacks.
            let shown = format!("http://{bank}");
            let is_host = url::Url::parse(&shown).is_ok_and(|url| url.host_str().is_some());
            let example = if is_host && !bank.contains("://") { &shown } else { "http://127.0.0.1:8080" };
            let expected = format!("expected http:// or https:// and a host, for example {example}");
            Error::Setup(format!("{bank} is no address of a bank; {expected}"))
        };
        let url = url::Url::parse(bank).map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?;
        let port = url.port_or_known_default().unwrap_or(0);
        let name: String = format!("{host}_{port}")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' })
            .collect();
        Ok(Self { path: root.join(name) })
    }

    /// The folder of the bank at `bank` under `root` in a dialect: a bank may speak several at one address.
    ///
    /// # Errors
    /// As [`StateFolder::new`].
    pub fn for_dialect(root: &Path, bank: &str, dialect: Dialect) -> Result<Self, Error> {
        let mut folder = Self::new(root, bank)?;
        if dialect == Dialect::Bunq {
            folder.path.as_mut_os_string().push("_bunq");
        }
        Ok(folder)
    }

    /// The dialect of what is kept about the bank at `bank`: NextGenPSD2 unless only the other one is there.
    ///
    /// # Errors
    /// As [`StateFolder::new`].
    pub fn dialect_of(root: &Path, bank: &str) -> Result<Dialect, Error> {
        let is_kept = |dialect| Self::for_dialect(root, bank, dialect).map(|folder| folder.is_in_use());
        let is_bunq = !is_kept(Dialect::BerlinGroup)? && is_kept(Dialect::Bunq)?;
        Ok(if is_bunq { Dialect::Bunq } else { Dialect::BerlinGroup })
    }

    fn is_in_use(&self) -> bool {
        self.file(STATE).is_file()
    }

    /// The folders under `root` that hold a state.
    pub fn all(root: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
        let mut folders: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .map(|path| Self { path })
            .filter(Self::is_in_use)
            .collect();
        folders.sort_by(|one, other| one.path.cmp(&other.path));
        folders
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Forgets everything about the bank, the keys too.
    ///
    /// # Errors
    /// [`Error::File`]
    pub fn forget(&self) -> Result<(), Error> {
        if !self.path.exists() {
            return Ok(());
        }
        let _lock = self.lock("state")?;
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(&self.path, &error)),
            _ => Ok(()),
        }
    }

    /// Reads the state; empty if there is none yet.
    ///
    /// # Errors
    /// [`Error::File`]
    pub fn load(&self) -> Result<State, Error> {
        let path = self.file(STATE);
        match fs::read(&path) {
            // The text of the parser's error could repeat a secret.
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                let (line, column) = (error.line(), error.column());
                let path = path.display();
                let text = format!(
                    "{path}: it is not what this program writes (line {line}, column {column}); put a copy of it back, or \
                     begin anew"
                );
                Error::missing(text, Hint::Forget)
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
            Err(error) => Err(file_error(&path, &error)),
        }
    }

    /// Reads the state again, for a side that goes on from what it knew.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Setup`] if what is on disk is about another sandbox by now.
    pub fn reload(&self, known: &State) -> Result<State, Error> {
        let mut state = self.load()?;
        state.go_on_from(known)?;
        Ok(state)
    }

    /// Changes the state as it is on disk at this moment, which other commands may have changed since it was loaded, and
    /// returns it with what came of the change. `known` is what this side goes on from. Nothing is written if the change
    /// fails.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Setup`] if what is on disk is about another sandbox by now; what the change fails with.
    pub fn update<T>(
        &self,
        known: &State,
        change: impl FnOnce(&mut State) -> Result<T, Error>,
    ) -> Result<(State, T), Error> {
        let _lock = self.lock("state")?;
        let mut state = self.reload(known)?;
        let done = change(&mut state)?;
        self.save(&state)?;
        Ok((state, done))
    }

    /// Writes the state, for whoever holds its lock.
    fn save(&self, state: &State) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(state).map_err(|error| Error::Setup(error.to_string()))?;
        // Nobody else writes it now: what a process left that was killed while it wrote is of no use to anybody.
        remove_unfinished(&self.file(STATE));
        self.write(STATE, &text)
    }

    /// Holds a lock of this folder until what is returned is dropped; a process that ends holds none, however it ends.
    fn lock(&self, name: &str) -> Result<Lock, Error> {
        let (file, path) = self.lock_file(name)?;
        hold(&file).map_err(|error| file_error(&path, &error))?;
        Ok(Lock(file))
    }

    /// The same where somebody else may hold it for as long as a bank takes to answer.
    ///
    /// # Errors
    /// [`Error::File`]
    pub async fn turn(&self, name: &str) -> Result<Lock, Error> {
        let (file, path) = self.lock_file(name)?;
        let held = tokio::task::spawn_blocking(move || hold(&file).map(|()| file)).await;
        let held = held.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        held.map(Lock).map_err(|error| file_error(&path, &error))
    }

    fn lock_file(&self, name: &str) -> Result<(File, PathBuf), Error> {
        let locks = self.path.parent().unwrap_or(&self.path).join(LOCKS);
        make_private_folder(&locks).map_err(|error| file_error(&locks, &error))?;
        let folder = self.path.file_name().unwrap_or_default().to_string_lossy();
        let path = locks.join(format!("{folder}.{name}"));
        let file = open_private(&path).map_err(|error| file_error(&path, &error))?;
        Ok((file, path))
    }

    /// Writes a file of the folder that only its owner can read.
    ///
    /// # Errors
    /// [`Error::File`]
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        make_private_folder(&self.path).map_err(|error| file_error(&self.path, &error))?;
        let path = self.file(name);
        replace(&path, content).map_err(|error| file_error(&path, &error))
    }

    /// Reads a file of the folder.
    pub(crate) fn read(&self, name: &str) -> Result<String, Error> {
        let path = self.file(name);
        fs::read_to_string(&path).map_err(|error| file_error(&path, &error))
    }
}

/// Waits for the lock of a file. Where the file system has none, commands are not kept apart.
fn hold(file: &File) -> std::io::Result<()> {
    match file.lock() {
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => Ok(()),
        other => other,
    }
}

pub(crate) fn file_error(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::File { path: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bunq::BunqState;
    use crate::kept_payments::KeptPayment;
    use crate::state::KeptSandbox;

    fn payment(number: usize) -> KeptPayment {
        KeptPayment { id: number.to_string(), ..KeptPayment::default() }
    }

    /// Each change is made to what the others left, whatever was loaded before.
    #[test]
    fn changes_of_many_at_once_are_all_kept() {
        let root = tempfile::tempdir().unwrap();
        let folder = StateFolder::new(root.path(), "http://127.0.0.1:1").unwrap();
        let known = State { bank: "http://127.0.0.1:1".into(), ..State::default() };
        std::thread::scope(|scope| {
            for number in 0..20 {
                let (folder, known) = (&folder, &known);
                scope.spawn(move || {
                    let push = |state: &mut State| {
                        state.payments.push(payment(number));
                        Ok(())
                    };
                    folder.update(known, push).unwrap();
                });
            }
        });
        let state = folder.load().unwrap();
        assert_eq!((state.payments.len(), state.bank.as_str()), (20, "http://127.0.0.1:1"));
        let refused = |_: &mut State| -> Result<(), Error> { Err(Error::Setup("no".to_owned())) };
        assert!(folder.update(&known, refused).is_err());
        // What a killed process left half written goes with the next change; nothing else does.
        fs::write(folder.file("state.json.0.new"), "{").unwrap();
        fs::write(folder.file("signing.key.pem"), "x").unwrap();
        folder.update(&known, |_| Ok(())).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(&folder.path).unwrap().map(|it| it.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["signing.key.pem", "state.json"]);
    }

    #[test]
    fn what_is_about_another_sandbox_by_now_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = StateFolder::new(root.path(), "http://127.0.0.1:1").unwrap();
        let of = |fingerprint: &str| State {
            sandbox: Some(KeptSandbox { fingerprint: fingerprint.into(), ephemeral: true }),
            ..State::default()
        };
        folder.update(&of("a"), |_| Ok(())).unwrap();
        let error = folder.update(&of("b"), |_| Ok(())).unwrap_err().to_string();
        assert!(error.contains("give the command again"), "{error}");
        assert_eq!(folder.load().unwrap(), of("a"));
    }

    #[test]
    fn each_bank_has_a_folder_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let path = |bank: &str| StateFolder::new(root.path(), bank).unwrap().path;
        assert_eq!(path("http://127.0.0.1:8080"), root.path().join("127.0.0.1_8080"));
        assert_eq!(path("https://bank.example/x"), root.path().join("bank.example_443"));
        assert_eq!(path("http://[::1]:9"), root.path().join("___1__9"));
        for (wrong, right) in [
            ("127.0.0.1:8080", "for example http://127.0.0.1:8080"),
            ("localhost:9", "for example http://localhost:9"),
            ("", "for example http://127.0.0.1:8080"),
        ] {
            let error = StateFolder::new(root.path(), wrong).unwrap_err().to_string();
            assert!(error.ends_with(right), "{error}");
        }
    }

    #[test]
    fn each_dialect_has_a_folder_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let bank = "http://127.0.0.1:8080";
        let folder = |dialect| StateFolder::for_dialect(root.path(), bank, dialect).unwrap();
        let known = || StateFolder::dialect_of(root.path(), bank).unwrap();
        let (berlin_group, bunq) = (folder(Dialect::BerlinGroup), folder(Dialect::Bunq));
        assert_eq!(berlin_group.path, StateFolder::new(root.path(), bank).unwrap().path);
        assert_eq!(bunq.path, root.path().join("127.0.0.1_8080_bunq"));
        assert_eq!(known(), Dialect::BerlinGroup);
        bunq.save(&State { bunq: Some(BunqState::default()), ..State::default() }).unwrap();
        assert_eq!(known(), Dialect::Bunq);
        berlin_group.save(&State::default()).unwrap();
        assert_eq!(known(), Dialect::BerlinGroup);
        assert_eq!(StateFolder::all(root.path()).len(), 2);
        assert_eq!(bunq.load().unwrap().bunq, Some(BunqState::default()));
    }

    #[cfg(unix)]
    #[test]
    fn files_are_closed_to_others_and_come_back() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let folder = StateFolder::new(root.path(), "http://127.0.0.1:1").unwrap();
        assert_eq!(folder.load().unwrap(), State::default());
        let state = State { bank: "http://127.0.0.1:1".into(), ..State::default() };
        folder.save(&state).unwrap();
        assert_eq!(folder.load().unwrap(), state);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder.file(STATE)), mode(folder.path())), (0o600, 0o700));
        assert_eq!(StateFolder::all(root.path()).len(), 1);
    }
}
