//! Values as PostgreSQL takes and gives them.
//!
//! It keeps no text with U+0000. In place of that character stands U+0001 and `0`, and in place of U+0001 stands U+0001 and
//! `1`: every text has its own form, and their order is that of the texts.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::Fault;
use crate::row::Value;

const MARK: char = '\u{1}';

/// A parameter. Its debug form, which the library may log, says nothing.
pub(super) struct Parameter<'v>(pub(super) &'v Value);

impl fmt::Debug for Parameter<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

impl Parameter<'_> {
    /// The type that a statement is prepared for: that of the value, or if there is none what the statement says.
    pub(super) fn kind(&self) -> Type {
        match self.0 {
            Value::Null => Type::UNKNOWN,
            Value::Integer(_) => Type::INT8,
            Value::Text(_) => Type::TEXT,
        }
    }

    /// Whether a prepared statement takes it.
    pub(super) fn fits(&self, kind: &Type) -> bool {
        *self.0 == Value::Null || self.kind() == *kind
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(number) => number.to_sql(kind, out),
            Value::Text(text) if text.contains(['\0', MARK]) => marked(text).to_sql(kind, out),
            Value::Text(text) => text.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::INT8 || *kind == Type::TEXT
    }

    to_sql_checked!();
}

/// A text of a row.
pub(crate) fn text(row: &Row, index: usize) -> Result<Option<String>, Fault> {
    let text: Option<&str> = row.try_get(index).map_err(|error| Arc::new(error) as Fault)?;
    Ok(text.map(unmarked))
}

fn marked(text: &str) -> String {
    text.replace(MARK, "\u{1}1").replace('\0', "\u{1}0")
}

fn unmarked(text: &str) -> String {
    if !text.contains(MARK) {
        return text.to_owned();
    }
    text.replace("\u{1}0", "\0").replace("\u{1}1", "\u{1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_nul_come_back_and_keep_their_order() {
        let mut texts =
            ["", "a", "a\0", "a\0\u{1}", "a\u{1}", "a\u{1}0", "a\u{1}1", "a\u{2}", "a0", "\0", "\u{1}\0"];
        texts.sort_unstable();
        for text in texts {
            assert_eq!(unmarked(&marked(text)), text, "{text:?}");
            assert!(!marked(text).contains('\0'));
        }
        assert!(texts.map(marked).is_sorted());
    }
}
