//! What the commands do.

pub(crate) mod account;
pub(crate) mod certificate;
pub(crate) mod sandbox;
pub(crate) mod tpp;

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// A command's failure: one line that says the next step.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
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
