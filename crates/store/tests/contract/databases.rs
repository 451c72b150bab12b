//! Each kind of database there is: in memory, on a file, and on PostgreSQL, where `scripts/postgres` says that there is one.

use std::sync::atomic::{AtomicU32, Ordering};

use store::Store;
use tokio_postgres::NoTls;

/// Runs a test on each kind of database.
pub(crate) async fn on_each(test: impl AsyncFn(Store)) {
    let folder = tempfile::tempdir().unwrap();
    test(Store::open(&folder.path().join("db")).unwrap()).await;
    test(Store::in_memory().unwrap()).await;
    if let Some(schema) = Schema::make().await {
        test(Store::connect(&schema.address).await.unwrap()).await;
    }
}

/// A part of the PostgreSQL database that no other test sees.
pub(crate) struct Schema {
    pub(crate) address: String,
    /// A connection beside the store's.
    pub(crate) client: tokio_postgres::Client,
}

impl Schema {
    pub(crate) async fn make() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("VESTIBULE_TEST_POSTGRES") else {
            let required = std::env::var("VESTIBULE_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(!required, "there is no PostgreSQL; run this with scripts/postgres");
            println!("skipped on PostgreSQL; run this with scripts/postgres");
            return None;
        };
        let name = format!("contract_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let address = format!("{server} options='-c search_path={name}'");
        let (client, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
        Some(Self { address, client })
    }
}
