//! Values that go into statements and come out of rows: numbers and text, nothing else.

use crate::StoreError;

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

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row, read by position. A column that does not hold what its type needs is [`StoreError::Corrupt`].
pub(crate) struct Row<'r>(pub(crate) &'r rusqlite::Row<'r>);

impl Row<'_> {
    pub(crate) fn text(&self, index: usize, column: &'static str) -> Result<String, StoreError> {
        self.0.get(index).map_err(|_| StoreError::Corrupt(column))
    }

    pub(crate) fn integer(&self, index: usize, column: &'static str) -> Result<i64, StoreError> {
        self.0.get(index).map_err(|_| StoreError::Corrupt(column))
    }

    pub(crate) fn time(&self, index: usize, column: &'static str) -> Result<domain::Timestamp, StoreError> {
        domain::Timestamp::from_second(self.integer(index, column)?).map_err(|_| StoreError::Corrupt(column))
    }

    pub(crate) fn optional_time(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<Option<domain::Timestamp>, StoreError> {
        let seconds: Option<i64> = self.0.get(index).map_err(|_| StoreError::Corrupt(column))?;
        seconds
            .map(|seconds| domain::Timestamp::from_second(seconds).map_err(|_| StoreError::Corrupt(column)))
            .transpose()
    }

    pub(crate) fn list(&self, index: usize, column: &'static str) -> Result<Vec<String>, StoreError> {
        serde_json::from_str(&self.text(index, column)?).map_err(|_| StoreError::Corrupt(column))
    }

    pub(crate) fn roles(&self, index: usize, column: &'static str) -> Result<Vec<eidas::Role>, StoreError> {
        let names = self.list(index, column)?;
        names.iter().map(|name| eidas::Role::from_name(name).ok_or(StoreError::Corrupt(column))).collect()
    }
}

/// A list as it is stored.
pub(crate) fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    let items: Vec<String> = items.into_iter().map(|item| item.as_ref().to_owned()).collect();
    Value::Text(serde_json::Value::from(items).to_string())
}
