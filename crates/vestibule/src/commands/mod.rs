//! What the commands do.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod audit;
pub(crate) mod bank;
pub(crate) mod certificate;
pub(crate) mod clock;
pub(crate) mod config;
pub(crate) mod core_bank;
pub(crate) mod data;
pub(crate) mod fault;
mod hints;
pub(crate) mod keys;
pub(crate) mod logs;
mod management;
pub(crate) mod register;
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod snapshot;
pub(crate) mod statistics;
pub(crate) mod tpp;
pub(crate) mod trusted_list;

use std::any::Any;
use std::path::{Path, PathBuf};

use ::tpp::{BankError, Error};
use etcetera::BaseStrategy;
use gateway::domain::Tenant;
pub(crate) use hints::{EXAMPLE_PAYEE, EXAMPLE_URI, Hints, Next};
use serde_json::{Value, json};

/// A command's failure: one line that says the next step, and for programs what is known about it.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    kind: &'static str,
    bank: Option<Box<BankError>>,
    /// The name that this machine cannot resolve, if that is why.
    unresolved: Option<String>,
    /// Commands that lead on, which end the text once it is known what options they need.
    next: Vec<Next>,
    /// The same as they are pasted, once that is known.
    commands: Vec<String>,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let (next, commands) = (Vec::new(), Vec::new());
        Self { text: text.into(), kind: "failed", bank: None, unresolved: None, next, commands }
    }

    /// The same with a command that leads on, which ends the text.
    pub(crate) fn next(mut self, next: Next) -> Self {
        self.next.push(next);
        self
    }

    /// The same with these commands in words.
    pub(crate) fn with(mut self, hints: &Hints) -> Self {
        for next in self.next.drain(..) {
            self.text += &hints.tail(&next);
            self.commands.push(hints.command(&next));
        }
        self
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let mut error = json!({"kind": self.kind, "message": self.text});
        if !self.commands.is_empty() {
            error["next"] = self.commands.clone().into();
        }
        if let Some(bank) = &self.bank {
            error["status"] = bank.status.into();
            error["codes"] = bank.codes.clone().into();
            error["texts"] = bank.texts.clone().into();
            error["requestId"] = bank.request_id.clone().into();
        }
        json!({ "error": error })
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let known = (&error as &dyn Any).downcast_ref::<Error>();
        let next = known.and_then(Error::hint).map(Next::from).into_iter().collect();
        let known = known.map(Error::cause);
        let (kind, bank) = known.map_or(("failed", None), kind);
        let unresolved = match known {
            Some(Error::Unresolved { name, .. }) => Some(name.clone()),
            _ => None,
        };
        let bank = bank.cloned().map(Box::new);
        Self { text: error.to_string(), kind, bank, unresolved, next, commands: Vec::new() }
    }
}

/// What kind of failure a client met, as programs are told, and what the bank said.
fn kind(error: &Error) -> (&'static str, Option<&BankError>) {
    match error {
        Error::Bank(bank) => ("refused", Some(bank)),
        Error::Credentials { error, .. } => ("credentials", Some(&**error)),
        Error::AccessExceeded { error, .. } => ("accessExceeded", Some(error)),
        Error::Budget { .. } => ("budget", None),
        Error::Unreachable { .. } | Error::Unresolved { .. } => ("unreachable", None),
        Error::Answer { .. } => ("answer", None),
        Error::Untrusted { .. } => ("untrusted", None),
        Error::Authorization { .. } => ("authorization", None),
        Error::Ended { .. } => ("ended", None),
        Error::File { .. } => ("file", None),
        Error::Unclear { .. } => ("unclear", None),
        _ => ("failed", None),
    }
}

/// A file that cannot be used.
fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

/// Refuses an option that names something twice: one of them was meant to be something else.
fn distinct<T: PartialEq + std::fmt::Display>(option: &str, values: &[T]) -> Result<(), Failure> {
    for (place, value) in values.iter().enumerate() {
        if values[..place].contains(value) {
            return Err(Failure::new(format!("{option} names {value} twice; name it once")));
        }
    }
    Ok(())
}

/// Branches as an option names them.
fn branches(option: &str, names: &[String]) -> Result<Vec<Tenant>, Failure> {
    distinct(option, names)?;
    let parsed = names.iter().map(|name| Tenant::parse(name)).collect::<Result<_, _>>();
    parsed.map_err(|error| Failure::new(format!("{option}: {error}")))
}

/// A folder of ours in the user's data folder.
fn user_folder(name: &str) -> Result<PathBuf, Failure> {
    let strategy = etcetera::choose_base_strategy()
        .map_err(|_| Failure::new("no home folder is known; name a folder on the command line"))?;
    Ok(strategy.data_dir().join("vestibule").join(name))
}
