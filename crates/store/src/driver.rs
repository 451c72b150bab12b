//! The seam between statements and the database that runs them.

use crate::changes::Statement;
use crate::columns::Select;
use crate::row::{Cursor, Source, Value};
use crate::{Store, StoreError, Work, postgres, sqlite};

/// What runs the statements.
#[derive(Debug, Clone)]
pub(crate) enum Driver {
    Sqlite(sqlite::Db),
    Postgres(postgres::Db),
}

impl Store {
    /// The first row that a statement finds. SQLite reads it in the calling thread, without waiting for anything.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn find<T>(
        &self,
        select: Select,
        params: &[Value],
        read: impl FnOnce(&mut Cursor<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let read = |source: Source<'_>| read(&mut Cursor::new(source, select.lists));
        let begun = self.begin();
        let found = match &self.0 {
            Driver::Sqlite(db) => db.fetch_optional(select.sql, params, |row| read(Source::Sqlite(row))),
            Driver::Postgres(db) => db
                .query(select.sql, params)
                .await
                .and_then(|rows| rows.first().map(|row| read(Source::Postgres(row))).transpose()),
        };
        self.tell(&begun, Work::Read, found)
    }

    /// Every row that a statement finds.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn list<T>(
        &self,
        select: Select,
        params: &[Value],
        read: impl Fn(&mut Cursor<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let read = |source: Source<'_>| read(&mut Cursor::new(source, select.lists));
        let begun = self.begin();
        let found = match &self.0 {
            Driver::Sqlite(db) => db.fetch_all(select.sql, params, |row| read(Source::Sqlite(row))),
            Driver::Postgres(db) => db
                .query(select.sql, params)
                .await
                .and_then(|rows| rows.iter().map(|row| read(Source::Postgres(row))).collect()),
        };
        self.tell(&begun, Work::Read, found)
    }

    pub(crate) async fn run(&self, batch: Vec<Statement>) -> Result<(), StoreError> {
        let begun = self.begin();
        let saved = match &self.0 {
            Driver::Sqlite(db) => db.save(batch).await,
            Driver::Postgres(db) => db.save(&batch).await,
        };
        self.tell(&begun, Work::Batch, saved)
    }
}
