//! How the tables come to be: with the bank that keeps them, and in databases that have them from earlier versions.

use std::collections::BTreeMap;
use std::path::Path;

use gateway::{Changes, Store, StoreError};
use rusqlite::Connection;
use store::PrivateState;

use super::{in_memory, on_postgresql};
use crate::ledger::{AccountChanges, HistoryChanges, Ledger};

/// The gateway's migrations up to the last one of the time when they made these tables, too.
const EARLIER: usize = 21;

/// A database of an earlier version, with a customer in it.
fn make_earlier(path: &Path) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/store/migrations");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.file_name().unwrap().as_encoded_bytes().starts_with(b"00"));
    files.sort_unstable();
    let connection = Connection::open(path).unwrap();
    for file in &files[..EARLIER] {
        connection.execute_batch(&std::fs::read_to_string(file).unwrap()).unwrap();
    }
    connection
        .execute_batch(&format!(
            "CREATE TABLE schema_version (version BIGINT NOT NULL);
             INSERT INTO schema_version VALUES ({EARLIER});
             INSERT INTO customers VALUES ('c', 'nl', 'N.', '1', 'empty', 0, 1)"
        ))
        .unwrap();
}

/// The tables of a database: the columns of each, with type, default and key, and its indexes, with their text.
fn tables(path: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = Connection::open(path).unwrap();
    let texts = |sql: &str, name: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([name], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let columns = "SELECT name || ' ' || type || ' ' || \"notnull\" || ' ' || COALESCE(dflt_value, '') || ' ' || pk \
                   FROM pragma_table_info($1) ORDER BY name";
    let indexes = "SELECT REPLACE(COALESCE(sql, name), ' IF NOT EXISTS', '') FROM sqlite_schema \
                   WHERE type = 'index' AND tbl_name = $1 ORDER BY name";
    let tables = texts("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> $1", "");
    tables
        .into_iter()
        .map(|name| (name.clone(), [texts(columns, &name), texts(indexes, &name)].concat()))
        .collect()
}

#[tokio::test]
async fn a_store_alone_has_no_tables_of_books() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = Store::open(&path).unwrap();
    let alone = tables(&path);
    let books = ["account_holders", "accounts", "bank_events", "customers", "orders", "postings"];
    assert!(books.iter().all(|name| !alone.contains_key(*name)), "{:?}", alone.keys());
    assert!(alone.contains_key("consents") && !alone.contains_key("added_tables"), "{:?}", alone.keys());
    let ledger = Ledger::open(store).await.unwrap();
    let added: Vec<_> = tables(&path).into_keys().filter(|name| !alone.contains_key(name)).collect();
    assert_eq!(
        added,
        ["account_holders", "accounts", "added_tables", "bank_events", "customers", "orders", "postings"]
    );
    assert_eq!(ledger.unbalanced_entries().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_database_of_an_earlier_version_goes_on_with_what_is_in_it_and_is_as_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (earlier, new) = (folder.path().join("earlier"), folder.path().join("new"));
    make_earlier(&earlier);
    for path in [&earlier, &new, &earlier] {
        let ledger = Ledger::open(Store::open(path).unwrap()).await.unwrap();
        let kept = ledger.customer(&gateway::domain::CustomerId::new("c")).await.unwrap();
        assert_eq!(kept.is_some(), path == &earlier);
    }
    assert_eq!(tables(&earlier), tables(&new));
}

#[tokio::test]
async fn books_of_a_newer_program_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    drop(Ledger::open(Store::open(&path).unwrap()).await.unwrap());
    let connection = Connection::open(&path).unwrap();
    let newer = "UPDATE added_tables SET version = 999 WHERE name = 'books';
                 UPDATE schema_floors SET serves_from = 998 WHERE name = 'books'";
    connection.execute_batch(newer).unwrap();
    let newer = Ledger::open(Store::open(&path).unwrap()).await;
    assert!(matches!(newer, Err(StoreError::Newer { found: 999, .. })), "{newer:?}");
}

/// Money and what the gateway writes about it are one batch: both, or neither.
#[tokio::test]
async fn what_the_gateway_writes_is_in_the_same_transaction() {
    let mut ledgers = vec![in_memory().await];
    if let Some(store) = on_postgresql().await {
        // Somebody else has made the tables already.
        Ledger::open(store.clone()).await.unwrap();
        ledgers.push(Ledger::open(store).await.unwrap());
    }
    for ledger in ledgers {
        let account = gateway::domain::AccountId::new("a");
        let state = |key: &str| PrivateState {
            owner: "o",
            kind: "k",
            key: key.to_owned(),
            value: "v".to_owned(),
            life: None,
            version: 0,
        };
        let booked = super::books::account("a", gateway::domain::Currency::EUR);
        let both = Changes::new().put_private_state(&state("one")).add_account(&booked);
        ledger.save(both).await.unwrap();
        // The account moved on meanwhile.
        let stale = Changes::new().put_private_state(&state("two")).touch_account(&account, 7);
        assert!(matches!(ledger.save(stale).await, Err(StoreError::Conflict)));
        assert_eq!(ledger.private_states("o", "k").await.unwrap().len(), 1);
        assert_eq!(ledger.account(&account).await.unwrap().unwrap().version, 1);
    }
}
