//! What a crate needs that keeps tables of its own in the database: a list of migrations ([`Tables`]), and statements on
//! the same seam as the gateway's.
//!
//! [`Store::find`](crate::Store::find) and [`Store::list`](crate::Store::list) read by a list of columns ([`Columns`],
//! [`select!`], [`Cursor`]); [`Changes::push`](crate::Changes::push) adds a write with its guard to a batch, which is one transaction with whatever else is in it. What
//! holds of the gateway's statements holds of these: one text for both databases, an index for whatever is read (or
//! `/* the whole table */` at the end of one that reads all of it on purpose), and a row of a version for whatever two may
//! change at once.

use crate::StoreError;
pub use crate::changes::Rows;
pub use crate::columns::{Columns, Select};
#[doc(hidden)]
pub use crate::columns::{length, write};
pub use crate::row::{Cursor, Value, json};
pub use crate::select;

/// Tables, and the migrations that made them.
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    /// What they are called where it is noted how far they are.
    pub name: &'static str,
    /// In order, and never changed once they are out; how many of them a database has run is its version. PostgreSQL runs those that are due
    /// in one transaction while others serve: whoever builds an index keeps writes of its table waiting for as long as its rows take, and
    /// whoever adds a column or drops an index keeps reads waiting, too, until the end. So indexes are made first, what takes a moment
    /// comes after them, and what the last release uses is dropped a release later.
    pub migrations: &'static [&'static str],
    /// Programs that know so many of them, or more, may serve a database that has run them all. A migration that only adds what they
    /// need not know leaves the number as it is (expand); one that takes away or changes what they use raises it to the number of
    /// the first that does without (contract), which comes in a later release than that.
    pub serves_from: i64,
}

impl Tables {
    /// The version of a database that has run them all.
    pub(crate) fn known(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }

    /// What a database of a version still has to run: nothing, if newer programs ran what this one does not know and left word that
    /// those who know so many migrations as this one may serve it (`serves_from`).
    ///
    /// # Errors
    /// [`StoreError::Newer`]
    pub(crate) fn due(
        &self,
        version: Option<i64>,
        serves_from: Option<i64>,
    ) -> Result<&'static [&'static str], StoreError> {
        let version = version.unwrap_or(0);
        let done = usize::try_from(version).unwrap_or(usize::MAX);
        match self.migrations.get(done..) {
            Some(due) => Ok(due),
            None if serves_from.is_some_and(|from| from <= self.known()) => Ok(&[]),
            None => Err(StoreError::Newer { found: version, known: self.known() }),
        }
    }

    /// Whether a database of a version is to be noted as one that has run what this program knows; never one of a newer program.
    pub(crate) fn is_behind(&self, version: Option<i64>) -> bool {
        version.is_none_or(|version| version < self.known())
    }
}
