//! What can go wrong below the rules.

/// A failure of the store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A row moved on since it was loaded, or a unique value is taken.
    #[error("a row moved on since it was loaded")]
    Conflict,
    /// A write breaks a rule of its table: a fault of the program, which comes again however often it is tried.
    #[error("a write breaks a rule of the database: {0}")]
    Violation(String),
    /// A row breaks the rules of its type; the text names table and column, never the value.
    #[error("{0} in the database cannot be read")]
    Corrupt(&'static str),
    /// A newer version of this program wrote the database.
    #[error("the database has schema version {found}, this program knows up to {known}; use a newer program")]
    Newer {
        /// Version in the database.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// The database cannot be reached or written.
    #[error("the database is not available: {0}")]
    Unavailable(String),
}
