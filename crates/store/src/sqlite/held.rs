//! What nobody would see from outside until the power fails, or many threads read at once.

use super::Db;
use crate::changes::{Changes, Rows};
use crate::row::Value;

fn on_disk() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&folder.path().join("db")).unwrap();
    (folder, db)
}

fn texts(db: &Db, sql: &'static str) -> Vec<String> {
    db.fetch_all(sql, &[], |row| Ok(row.get::<_, String>(0).unwrap())).unwrap()
}

/// `FULL`: in the mode of the write-ahead log, what is committed is synchronised each time. The writer's own connection says
/// so, which writes down what it is asked for.
#[tokio::test]
async fn the_writer_synchronises_each_commit() {
    let (_folder, db) = on_disk();
    let changes = Changes::new()
        .push(
            "INSERT INTO private_state (owner, kind, key, value, version) \
             SELECT 'pragma', 'synchronous', '', CAST(synchronous AS TEXT), 1 FROM pragma_synchronous",
            Vec::new(),
            Rows::One,
        )
        .push(
            "INSERT INTO private_state (owner, kind, key, value, version) \
             SELECT 'pragma', 'journal_mode', '', journal_mode, 1 FROM pragma_journal_mode",
            Vec::new(),
            Rows::One,
        );
    db.save(changes.into_statements()).await.unwrap();
    let kept = |kind: &str| {
        let sql = "SELECT value FROM private_state WHERE owner = 'pragma' AND kind = $1 AND key = ''";
        db.fetch_optional(sql, &[Value::from(kind)], |row| Ok(row.get::<_, String>(0).unwrap())).unwrap()
    };
    assert_eq!(kept("synchronous").as_deref(), Some("2"), "FULL");
    assert_eq!(kept("journal_mode").as_deref(), Some("wal"));
}

/// What `.cargo/config.toml` says, in the library that is linked.
#[test]
fn the_database_is_built_without_locks_for_all_threads() {
    let (_folder, db) = on_disk();
    let options = texts(&db, "SELECT compile_options FROM pragma_compile_options");
    let has = |option: &str| options.iter().any(|one| one == option);
    assert!(has("DEFAULT_MEMSTATUS=0"), "memory is counted: {options:?}");
    assert!(has("THREADSAFE=1"), "{options:?}");
    assert!(!has("ENABLE_MEMORY_MANAGEMENT"), "connections share a page cache: {options:?}");
}

#[test]
fn what_is_read_is_found_by_an_index() {
    let (_folder, db) = on_disk();
    texts(&db, "SELECT id FROM consents WHERE id = 'c'");
}

#[test]
#[should_panic(expected = "a statement reads a whole table")]
fn a_statement_that_reads_a_whole_table_stops_every_test() {
    let (_folder, db) = on_disk();
    texts(&db, "SELECT id FROM consents WHERE decision = 'pending'");
}
