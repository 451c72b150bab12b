//! In debug builds, and so in tests, the plan of every statement is looked at when it is first used: whatever it reads, it
//! finds by an index.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

/// What a statement says that reads a whole table on purpose.
const ON_PURPOSE: &str = "/* the whole table */";

/// Stops the program if a statement reads a whole table.
pub(super) fn check(connection: &Connection, sql: &'static str) {
    static SEEN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let is_plan = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].iter().any(|verb| sql.starts_with(verb));
    let is_on_purpose = sql.contains(ON_PURPOSE);
    if !is_plan || is_on_purpose || !SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(sql) {
        return;
    }
    let lines = plan(connection, sql).unwrap_or_default();
    // Neither a row of constants nor a function is a table.
    let is_constant = |name: &str| {
        let is_named = |line: &String| line.strip_prefix("CO-ROUTINE ") == Some(name);
        name == "CONSTANT ROW" || name.contains("VIRTUAL TABLE") || lines.iter().any(is_named)
    };
    let scan = lines.iter().find(|line| line.strip_prefix("SCAN ").is_some_and(|name| !is_constant(name)));
    assert!(scan.is_none(), "a statement reads a whole table: {sql}: {lines:?}");
}

/// What the database does for a statement, line by line.
fn plan(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    statement.raw_query().mapped(|row| row.get(3)).collect()
}
