//! What a failure of PostgreSQL means.

use std::sync::Arc;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::{StoreError, fault};

/// Why a read or a batch did not succeed.
#[derive(Debug)]
pub(super) enum Failed {
    Database(Error),
    Store(StoreError),
    /// It took too long.
    Late,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failed {
    pub(super) fn into_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Database(error) => unavailable(error),
            Self::Late => StoreError::unavailable("it does not answer in time"),
        }
    }

    /// Why a database cannot be brought up to date, in words for whoever chose it.
    pub(super) fn into_error_of_start(self) -> StoreError {
        let code = match &self {
            Self::Database(error) => error.code().map(SqlState::code),
            Self::Store(_) | Self::Late => None,
        };
        match code {
            Some("42P07" | "42710") => StoreError::unavailable(
                "it holds tables of another program, or its table schema_version was emptied; choose an empty database",
            ),
            Some("42501") => StoreError::unavailable(
                "its user may not make tables in the first schema of the search path; grant CREATE on it, or choose a \
                 database that the user owns",
            ),
            Some("25006") => StoreError::unavailable("it can only be read"),
            Some("55P03") => StoreError::unavailable(
                "it is to be brought up to date, and others hold its tables; end what runs long there, and start again",
            ),
            _ => self.into_error(),
        }
    }

    /// Whether the connection broke, or the server ended it.
    pub(super) fn is_lost(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let is_ended = error.code().is_some_and(|code| code.code().starts_with("57P"));
        let is_broken = std::error::Error::source(error).is_some_and(|below| below.is::<std::io::Error>());
        error.is_closed() || is_ended || is_broken
    }

    /// Whether the connections that wait are no better: the server went away, does not answer, or has become one that takes no
    /// writes, so that another one does by now.
    pub(super) fn is_of_all(&self) -> bool {
        let is_read_only = matches!(self, Self::Database(error) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
        self.is_lost() || is_read_only || matches!(self, Self::Late)
    }

    /// Whether nothing is wrong but that others did something at the same time, so that it can be tried again as it is.
    pub(super) fn is_in_the_way(&self) -> bool {
        let Self::Database(error) = self else { return false };
        matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
    }

    /// The same of bringing a database up to date: somebody else does at the same time, or is at the tables.
    pub(super) fn is_in_the_way_of_start(&self) -> bool {
        match self {
            Self::Database(_) => self.is_in_the_way() || self.is_kept_waiting(),
            Self::Store(error) => matches!(error, StoreError::Conflict),
            Self::Late => false,
        }
    }

    /// Whether somebody has a table for longer than it was waited for.
    pub(super) fn is_kept_waiting(&self) -> bool {
        matches!(self, Self::Database(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE))
    }

    /// Why nothing was read. A read builds on nothing that could have moved on.
    pub(super) fn into_error_of_read(self) -> StoreError {
        match self.into_error() {
            StoreError::Conflict => StoreError::unavailable("others were in the way of a read each time"),
            error => error,
        }
    }
}

pub(super) fn unavailable(error: Error) -> StoreError {
    let Some(said) = error.as_db_error() else {
        return StoreError::Unavailable(Arc::new(error));
    };
    match said.code().code() {
        // A unique value is taken, or the guard of a statement divided by nothing (see `connection`), or others were in the
        // way each time.
        "23505" | "22012" | "40001" | "40P01" => StoreError::Conflict,
        "25006" | "42501" => StoreError::unavailable("it cannot be written"),
        code if ["22", "23", "42", "54"].contains(&&code[..2]) => StoreError::Violation(fault(name(said))),
        _ => StoreError::unavailable(format!("{} ({})", said.message(), name(said))),
    }
}

/// What broke, without the values that the server's details repeat.
fn name(said: &DbError) -> String {
    let place = [said.table(), said.column(), said.constraint()];
    [Some(said.code().code())].into_iter().chain(place).flatten().collect::<Vec<_>>().join(" ")
}
