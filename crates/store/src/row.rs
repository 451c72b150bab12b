//! Values that go into statements and come out of rows: numbers and text, nothing else.

use crate::{StoreError, fault};

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
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

/// A row, read by position. A column that does not hold what its type needs is [`StoreError::Corrupt`].
pub(crate) struct Row<'r>(pub(crate) &'r rusqlite::Row<'r>);

impl Row<'_> {
    pub(crate) fn text(&self, index: usize, column: &'static str) -> Result<String, StoreError> {
        self.0.get(index).map_err(|_| corrupt(column))
    }

    pub(crate) fn integer(&self, index: usize, column: &'static str) -> Result<i64, StoreError> {
        self.0.get(index).map_err(|_| corrupt(column))
    }

    pub(crate) fn time(&self, index: usize, column: &'static str) -> Result<domain::Timestamp, StoreError> {
        domain::Timestamp::from_second(self.integer(index, column)?).map_err(|_| corrupt(column))
    }

    pub(crate) fn optional_time(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<Option<domain::Timestamp>, StoreError> {
        let seconds: Option<i64> = self.0.get(index).map_err(|_| corrupt(column))?;
        seconds
            .map(|seconds| domain::Timestamp::from_second(seconds).map_err(|_| corrupt(column)))
            .transpose()
    }

    pub(crate) fn optional_text(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<Option<String>, StoreError> {
        self.0.get(index).map_err(|_| corrupt(column))
    }

    pub(crate) fn optional_integer(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<Option<i64>, StoreError> {
        self.0.get(index).map_err(|_| corrupt(column))
    }

    pub(crate) fn truth(&self, index: usize, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.integer(index, column)? != 0)
    }

    pub(crate) fn date(&self, index: usize, column: &'static str) -> Result<domain::Date, StoreError> {
        self.text(index, column)?.parse().map_err(|_| corrupt(column))
    }

    pub(crate) fn tenant(&self, index: usize, column: &'static str) -> Result<domain::Tenant, StoreError> {
        domain::Tenant::parse(&self.text(index, column)?).map_err(|_| corrupt(column))
    }

    /// A kind and, in the column after it, an id.
    pub(crate) fn subject(&self, index: usize, column: &'static str) -> Result<domain::Subject, StoreError> {
        let kind = domain::SubjectKind::from_name(&self.text(index, column)?);
        Ok(kind.ok_or(corrupt(column))?.with_id(self.text(index + 1, column)?))
    }

    /// A value that is stored as JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(index, column)?).map_err(|_| corrupt(column))
    }

    pub(crate) fn list(&self, index: usize, column: &'static str) -> Result<Vec<String>, StoreError> {
        self.json(index, column)
    }

    pub(crate) fn roles(&self, index: usize, column: &'static str) -> Result<Vec<eidas::Role>, StoreError> {
        let names = self.list(index, column)?;
        names.iter().map(|name| eidas::Role::from_name(name).ok_or(corrupt(column))).collect()
    }
}

/// A list as it is stored.
pub(crate) fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    let items: Vec<String> = items.into_iter().map(|item| item.as_ref().to_owned()).collect();
    Value::Text(serde_json::Value::from(items).to_string())
}

/// A value as it is stored: JSON. The types are our own and made of text, numbers and lists, which always can be
/// written.
pub(crate) fn json(value: &impl serde::Serialize) -> Value {
    Value::Text(serde_json::to_string(value).unwrap_or_default())
}

/// A column that cannot be read: `table.column`.
pub(crate) fn corrupt(name: &'static str) -> StoreError {
    let (table, column) = name.split_once('.').unwrap_or((name, name));
    StoreError::Corrupt {
        table,
        column,
        row: String::new(),
        fault: fault("it does not hold what its type needs"),
    }
}
