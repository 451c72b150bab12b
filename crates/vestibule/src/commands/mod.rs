//! What the commands do.

pub(crate) mod account;
pub(crate) mod certificate;
mod hints;
pub(crate) mod sandbox;
pub(crate) mod tpp;

use std::any::Any;
use std::path::{Path, PathBuf};

use ::tpp::{BankError, Error};
use etcetera::BaseStrategy;
pub(crate) use hints::{Hints, quoted};
use serde_json::{Value, json};

/// A command's failure: one line that says the next step, and for programs what is known about it.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    kind: &'static str,
    bank: Option<Box<BankError>>,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), kind: "failed", bank: None }
    }

    /// The same with the commands in its text completed.
    pub(crate) fn with(mut self, hints: &Hints) -> Self {
        self.text = hints.complete(&self.text);
        self
    }

    /// Whether a certificate is not good at the bank's time.
    fn is_about_validity(&self) -> bool {
        self.begins_with("CERTIFICATE_EXPIRED")
    }

    /// Whether a certificate was replaced by another one, or revoked.
    fn is_about_revocation(&self) -> bool {
        self.begins_with("CERTIFICATE_REVOKED")
    }

    /// Whether the bank gave a code, by itself or in front of a text.
    fn begins_with(&self, code: &str) -> bool {
        let is_code = |text: &String| text.starts_with(code);
        self.bank.as_ref().is_some_and(|bank| bank.codes.iter().chain(&bank.texts).any(is_code))
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let mut error = json!({"kind": self.kind, "message": self.text});
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
        let (kind, bank) = known.map_or(("failed", None), kind);
        Self { text: error.to_string(), kind, bank: bank.cloned().map(Box::new) }
    }
}

/// What kind of failure a client met, as programs are told, and what the bank said.
fn kind(error: &Error) -> (&'static str, Option<&BankError>) {
    match error {
        Error::Bank(bank) => ("refused", Some(bank)),
        Error::Credentials { error, .. } => ("credentials", Some(error)),
        Error::AccessExceeded { error, .. } => ("accessExceeded", Some(error)),
        Error::Budget { .. } => ("budget", None),
        Error::Unreachable { .. } => ("unreachable", None),
        Error::Answer { .. } => ("answer", None),
        Error::Untrusted { .. } => ("untrusted", None),
        Error::Authorization { .. } => ("authorization", None),
        Error::Ended { .. } => ("ended", None),
        Error::File { .. } => ("file", None),
        _ => ("failed", None),
    }
}

/// A file that cannot be used.
fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

/// A folder of ours in the user's data folder.
fn user_folder(name: &str) -> Result<PathBuf, Failure> {
    let strategy = etcetera::choose_base_strategy()
        .map_err(|_| Failure::new("no home folder is known; name a folder on the command line"))?;
    Ok(strategy.data_dir().join("vestibule").join(name))
}
