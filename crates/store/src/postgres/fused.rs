//! A batch as one statement. A batch of rows that are each put into a table of its own needs no transaction around it: all of it is
//! one statement, which is sent, run and answered once.

use std::collections::HashSet;
use std::fmt::Write;

use crate::changes::{Rows, Statement};

/// How a statement begins that puts a row into a table.
const PUT: &str = "INSERT INTO ";

/// Whether a batch can be one statement: parts of one do not see what others changed, so each has to put a row into a table of its
/// own, and to ask for nothing.
pub(super) fn is_possible(batch: &[Statement]) -> bool {
    let mut tables = HashSet::new();
    batch.len() > 1
        && batch.iter().all(|statement| {
            let table = statement.sql.strip_prefix(PUT).and_then(|rest| rest.split_whitespace().next());
            statement.expect == Rows::One
                && !statement.sql.contains("SELECT")
                && table.is_some_and(|table| tables.insert(table))
        })
}

/// The statement of a batch, whose parameters are those of its parts one after the other. If one of them does not change
/// exactly one row, it fails by a division by nothing and changes none.
pub(super) fn text(batch: &[Statement]) -> String {
    let (mut parts, mut counts, mut before) = (String::new(), String::new(), 0);
    for (number, statement) in batch.iter().enumerate() {
        let comma = if number == 0 { "WITH" } else { "," };
        let sql = renumbered(statement.sql, before);
        let and = if number == 0 { "" } else { " AND " };
        let _ = write!(parts, "{comma} changed_{number} AS ({sql} RETURNING 1)");
        let _ = write!(counts, "{and}(SELECT COUNT(*) FROM changed_{number}) = 1");
        before += statement.params.len();
    }
    format!("{parts} SELECT 1 / (CASE WHEN {counts} THEN 1 ELSE 0 END)")
}

/// A statement whose parameters come after so many others.
fn renumbered(sql: &str, before: usize) -> String {
    let mut parts = sql.split('$');
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = part[..digits].parse().unwrap_or_default();
        let _ = write!(all, "${}{}", number + before, &part[digits..]);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Value;

    fn put(sql: &'static str, params: usize) -> Statement {
        Statement { sql, params: vec![Value::Null; params], expect: Rows::One }
    }

    #[test]
    fn each_part_has_its_own_parameters_and_guard() {
        let batch =
            [put("INSERT INTO a (x, y) VALUES ($1, $2 + 1)", 2), put("INSERT INTO b (z) VALUES ($1)", 1)];
        assert!(is_possible(&batch));
        assert_eq!(
            text(&batch),
            "WITH changed_0 AS (INSERT INTO a (x, y) VALUES ($1, $2 + 1) RETURNING 1), \
             changed_1 AS (INSERT INTO b (z) VALUES ($3) RETURNING 1) \
             SELECT 1 / (CASE WHEN (SELECT COUNT(*) FROM changed_0) = 1 AND (SELECT COUNT(*) FROM changed_1) = 1 \
             THEN 1 ELSE 0 END)"
        );
    }

    #[test]
    fn what_builds_on_each_other_stays_a_transaction() {
        let one = || put("INSERT INTO a (x) VALUES ($1)", 1);
        let any = Statement { expect: Rows::Any, ..put("INSERT INTO b (x) VALUES ($1)", 1) };
        for (why, batch) in [
            ("one statement is no batch", vec![one()]),
            ("a table twice", vec![one(), one()]),
            ("however many rows", vec![one(), any]),
            ("an update", vec![one(), put("UPDATE b SET x = $1", 1)]),
            ("a question", vec![one(), put("INSERT INTO b (x) SELECT x FROM a WHERE x = $1", 1)]),
        ] {
            assert!(!is_possible(&batch), "{why}");
        }
    }
}
