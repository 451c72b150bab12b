//! Values that go into statements and come out of rows: numbers and text, nothing else.

use std::sync::Arc;

use crate::columns::Columns;
use crate::{Fault, StoreError, fault};

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number, a moment in seconds, or truth as 0 and 1.
    Integer(i64),
    /// A text.
    Text(String),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<domain::Timestamp> for Value {
    fn from(time: domain::Timestamp) -> Self {
        Self::Integer(time.as_second())
    }
}

impl From<domain::Date> for Value {
    fn from(date: domain::Date) -> Self {
        Self::Text(date.to_string())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Integer(truth.into())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row as a driver has it.
pub(crate) enum Source<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl Source<'_> {
    fn text(&self, index: usize) -> Result<Option<String>, Fault> {
        match self {
            Self::Sqlite(row) => row.get(index).map_err(|error| Arc::new(error) as Fault),
            Self::Postgres(row) => crate::postgres::text(row, index),
        }
    }

    fn integer(&self, index: usize) -> Result<Option<i64>, Fault> {
        match self {
            Self::Sqlite(row) => row.get(index).map_err(|error| Arc::new(error) as Fault),
            Self::Postgres(row) => row.try_get(index).map_err(|error| Arc::new(error) as Fault),
        }
    }
}

/// A row that is read from its first column to its last, in the order of the lists that selected it. A column that does
/// not hold what its type needs is [`StoreError::Corrupt`].
pub struct Cursor<'r> {
    source: Source<'r>,
    lists: &'static [Columns],
    at: usize,
}

impl<'r> Cursor<'r> {
    pub(crate) fn new(source: Source<'r>, lists: &'static [Columns]) -> Self {
        Self { source, lists, at: 0 }
    }

    /// A text.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn text(&mut self) -> Result<String, StoreError> {
        self.next(|row, at| row.text(at)?.ok_or_else(nothing))
    }

    /// A text, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_text(&mut self) -> Result<Option<String>, StoreError> {
        self.next(|row, at| row.text(at))
    }

    /// A number.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn integer(&mut self) -> Result<i64, StoreError> {
        self.next(|row, at| row.integer(at)?.ok_or_else(nothing))
    }

    /// A number, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_integer(&mut self) -> Result<Option<i64>, StoreError> {
        self.next(|row, at| row.integer(at))
    }

    /// Whether it is true.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn truth(&mut self) -> Result<bool, StoreError> {
        Ok(self.integer()? != 0)
    }

    /// A moment.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn time(&mut self) -> Result<domain::Timestamp, StoreError> {
        self.next(|row, at| moment(row.integer(at)?.ok_or_else(nothing)?))
    }

    /// A moment, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_time(&mut self) -> Result<Option<domain::Timestamp>, StoreError> {
        self.next(|row, at| row.integer(at)?.map(moment).transpose())
    }

    /// A day.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn date(&mut self) -> Result<domain::Date, StoreError> {
        self.parsed(|text| text.parse().ok())
    }

    /// A branch.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn tenant(&mut self) -> Result<domain::Tenant, StoreError> {
        self.parsed(|text| domain::Tenant::parse(text).ok())
    }

    /// What a text stands for.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn parsed<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        self.next(|row, at| parse(&row.text(at)?.ok_or_else(nothing)?).ok_or_else(unknown))
    }

    /// What a text stands for, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_parsed<T>(
        &mut self,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.next(|row, at| row.text(at)?.map(|text| parse(&text).ok_or_else(unknown)).transpose())
    }

    /// A kind and, in the column after it, an id.
    pub(crate) fn subject(&mut self) -> Result<domain::Subject, StoreError> {
        let kind = self.parsed(domain::SubjectKind::from_name)?;
        Ok(kind.with_id(self.text()?))
    }

    /// A value that is stored as JSON.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        self.next(|row, at| {
            let text = row.text(at)?.ok_or_else(nothing)?;
            // The library's own text quotes the value.
            serde_json::from_str(&text)
                .map_err(|error| fault(format!("JSON: {:?} at column {}", error.classify(), error.column())))
        })
    }

    pub(crate) fn roles(&mut self) -> Result<Vec<eidas::Role>, StoreError> {
        self.parsed(|text| {
            let names: Vec<String> = serde_json::from_str(text).ok()?;
            names.iter().map(|name| eidas::Role::from_name(name)).collect()
        })
    }

    /// What was joined, if it was there: its first column is never empty. The cursor has to be at the beginning of its
    /// list.
    pub(crate) fn joined<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let key = self.source.text(self.at).map_err(|fault| self.corrupt(self.at, fault))?;
        if key.is_some() {
            return read(self).map(Some);
        }
        self.at += self.place(self.at).map_or(0, |(list, _)| list.count());
        Ok(None)
    }

    /// Leaves a column out.
    pub fn skip(&mut self) {
        self.at += 1;
    }

    fn next<T>(
        &mut self,
        read: impl FnOnce(&Source<'_>, usize) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let at = self.at;
        self.at += 1;
        read(&self.source, at).map_err(|fault| self.corrupt(at, fault))
    }

    /// The list that a column is in, and its place there.
    fn place(&self, mut at: usize) -> Option<(&'static Columns, usize)> {
        for list in self.lists {
            if at < list.count() {
                return Some((list, at));
            }
            at -= list.count();
        }
        None
    }

    fn corrupt(&self, at: usize, fault: Fault) -> StoreError {
        let Some((list, place)) = self.place(at) else {
            return StoreError::Corrupt { table: "", column: "beyond the last", row: String::new(), fault };
        };
        // The first column of the table says which row it is, unless that is what cannot be read.
        let before = self.lists.iter().take_while(|other| other.table != list.table);
        let key = before.map(|list| list.count()).sum();
        let row = self.source.text(key).ok().flatten().filter(|_| key != at).unwrap_or_default();
        StoreError::Corrupt { table: list.table, column: list.name(place), row, fault }
    }
}

fn moment(second: i64) -> Result<domain::Timestamp, Fault> {
    domain::Timestamp::from_second(second).map_err(|_| fault("no moment of the years that there are"))
}

fn nothing() -> Fault {
    fault("nothing is there")
}

fn unknown() -> Fault {
    fault("it stands for nothing that is known")
}

/// A list as it is stored.
pub(crate) fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    let items: Vec<String> = items.into_iter().map(|item| item.as_ref().to_owned()).collect();
    Value::Text(serde_json::Value::from(items).to_string())
}

/// A value as it is stored: JSON. The types are our own and made of text, numbers and lists, which always can be
/// written.
pub fn json(value: &impl serde::Serialize) -> Value {
    Value::Text(serde_json::to_string(value).unwrap_or_default())
}
