//! A batch of writes.

use crate::row::Value;

/// Statements that are written together or not at all. Each noun's file adds its own `put_…` methods.
#[derive(Debug, Clone, Default)]
#[must_use = "changes do nothing until they are saved"]
pub struct Changes(Vec<Statement>);

/// One statement and how many rows it has to change.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: &'static str,
    pub(crate) params: Vec<Value>,
    pub(crate) expect: Rows,
}

/// The guard of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Exactly one, otherwise the batch is a conflict.
    One,
    /// However many there are.
    Any,
}

impl Changes {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a statement with its parameters and its guard.
    pub fn push(mut self, sql: &'static str, params: Vec<Value>, expect: Rows) -> Self {
        self.0.push(Statement { sql, params, expect });
        self
    }

    /// These changes, and after them others.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_statements(self) -> Vec<Statement> {
        self.0
    }
}
