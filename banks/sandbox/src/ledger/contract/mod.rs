//! The tables of the books from outside: one contract for every database, in memory, on a file and on PostgreSQL.

mod books;
mod events;
mod migrations;
mod orders;
mod places;

use gateway::Store;

use super::Ledger;

/// Runs a test on each kind of database.
async fn on_each(test: impl AsyncFn(Ledger)) {
    let folder = tempfile::tempdir().unwrap();
    let stores = [Store::open(&folder.path().join("db")).unwrap(), Store::in_memory().unwrap()];
    for store in stores {
        test(Ledger::open(store).await.unwrap()).await;
    }
    if let Some(store) = on_postgresql().await {
        test(Ledger::open(store).await.unwrap()).await;
    }
}

async fn in_memory() -> Ledger {
    Ledger::open(Store::in_memory().unwrap()).await.unwrap()
}

/// A part of a PostgreSQL database that nobody else uses, if there is one.
async fn on_postgresql() -> Option<Store> {
    if !testkit::database::is_there() {
        return None;
    }
    Some(Store::connect(&testkit::database::make().await).await.unwrap())
}

/// Reads the source: whoever adds a method adds it here, where it runs on every database.
#[test]
fn every_method_of_the_ledger_is_called() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ledger");
    let read = |folder: std::path::PathBuf| -> String {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).unwrap()).collect()
    };
    let (source, calls) = (read(folder.clone()), read(folder.join("contract")));
    // Methods of the ledger, and those of a batch, which are in traits.
    let reads = source.lines().filter_map(|line| line.strip_prefix("    pub async fn "));
    let writes = source.lines().filter_map(|line| line.strip_prefix("    fn "));
    let mut methods: Vec<_> = reads.chain(writes).filter_map(|line| line.split(['(', '<']).next()).collect();
    // What is of the steps of an order, of an event, and of a pointer.
    methods.retain(|name| !["name", "from_name", "deref", "of"].contains(name));
    methods.sort_unstable();
    methods.dedup();
    for name in &methods {
        let is_called = [format!(".{name}("), format!("::{name}(")].iter().any(|call| calls.contains(call));
        assert!(is_called, "{name} is not called in ledger/contract");
    }
    assert!(methods.len() > 25, "{} methods found", methods.len());
}
