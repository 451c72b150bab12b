//! What belongs together in the sections of the bank and of its database.

use std::collections::BTreeSet;

use super::section::Reader;
use super::{Bank, Database};

/// Notes what is wrong with branches and interfaces.
pub(super) fn check(reader: &mut Reader<'_>, bank: &Bank) {
    if bank.branches.is_empty() {
        reader.together("bank.branches", "a bank has a branch at least, such as [\"nl\"]");
    }
    let mut seen = BTreeSet::new();
    for branch in &bank.branches {
        if !seen.insert(branch.as_str()) {
            reader.together("bank.branches", format!("{branch} is named twice"));
        }
    }
    if bank.interfaces.is_empty() {
        reader.together("bank.interfaces", "a bank has an interface at least, such as [\"berlin-group\"]");
    }
    let mut seen = BTreeSet::new();
    for interface in bank.interfaces.iter().map(|interface| interface.word()) {
        if !seen.insert(interface) {
            reader.together("bank.interfaces", format!("{interface} is named twice"));
        }
    }
}

/// Notes whether there is one database, and no other.
pub(super) fn check_database(reader: &mut Reader<'_>, database: &Database) {
    match (&database.address, &database.sqlite_file) {
        (Some(_), Some(_)) => {
            reader.together(
                "database.sqlite_file",
                "there is address too; a bank has one database: leave one of them out",
            );
        }
        (None, None) => {
            reader.together(
                "database",
                "it says nothing; name PostgreSQL with address_file, or a file with sqlite_file",
            );
        }
        _ => {}
    }
}
