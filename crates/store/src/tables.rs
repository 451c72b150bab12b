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
    /// In order, and never changed once they are out; how many of them a database has run is its version.
    pub migrations: &'static [&'static str],
}

impl Tables {
    /// The version of a database that has run them all.
    pub(crate) fn known(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }

    /// What a database of a version still has to run.
    ///
    /// # Errors
    /// [`StoreError::Newer`]
    pub(crate) fn due(&self, version: Option<i64>) -> Result<&'static [&'static str], StoreError> {
        let version = version.unwrap_or(0);
        let done = usize::try_from(version).unwrap_or(usize::MAX);
        self.migrations.get(done..).ok_or(StoreError::Newer { found: version, known: self.known() })
    }
}
