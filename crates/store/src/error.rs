//! What can go wrong below the rules.

use std::sync::Arc;

/// What a library or the system said, or a sentence of our own. It repeats no value of a row and no parameter.
pub type Fault = Arc<dyn std::error::Error + Send + Sync>;

/// A failure of the store. Its text says all that is known, the fault below it included.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A row moved on since it was loaded, or a unique value is taken.
    #[error("a row moved on since it was loaded")]
    Conflict,
    /// A write breaks a rule of its table: a fault of the program, which comes again however often it is tried.
    #[error("a write breaks a rule of the database: {0}")]
    Violation(Fault),
    /// A row breaks the rules of its type.
    #[error("{table}.{column} of {row:?} in the database cannot be read: {fault}")]
    Corrupt {
        /// Its table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Its key: an id or a hash.
        row: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A newer version of this program wrote the database, and changed what this one would use.
    #[error("the database has schema version {found}, this program knows up to {known}; use a newer program")]
    Newer {
        /// Version in the database.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// The database cannot be reached or written.
    #[error("the database is not available: {0}")]
    Unavailable(Fault),
}

impl StoreError {
    /// Private state of a dialect or bank, which only its owner can read, and could not.
    pub fn unreadable(kind: &'static str, fault: Fault) -> Self {
        Self::Corrupt { table: "private_state", column: "value", row: kind.to_owned(), fault }
    }

    pub(crate) fn unavailable(sentence: impl Into<String>) -> Self {
        Self::Unavailable(fault(sentence))
    }
}

/// A sentence as a fault.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Sentence(String);

/// A sentence as a fault.
pub fn fault(sentence: impl Into<String>) -> Fault {
    Arc::new(Sentence(sentence.into()))
}
