//! Each kind of database there is: in memory, on a file, and on PostgreSQL, where `scripts/postgres` says that there is one: as it is,
//! and one whose transactions are serializable and fail now and then though nobody is in their way.

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
    if let Some(schema) = Schema::make_spoiled().await {
        test(Store::connect(&schema.address).await.unwrap()).await;
    }
}

/// What makes a server fail now and then.
const SPOILED: &str = include_str!("../../../testkit/src/spoiled.sql");

/// A part of the PostgreSQL database that no other test sees.
pub(crate) struct Schema {
    pub(crate) address: String,
    /// A connection beside the store's.
    pub(crate) client: tokio_postgres::Client,
}

impl Schema {
    pub(crate) async fn make() -> Option<Self> {
        Self::make_with(false).await
    }

    /// One where each transaction is serializable and fails now and then though nobody is in its way.
    pub(crate) async fn make_spoiled() -> Option<Self> {
        Self::make_with(true).await
    }

    async fn make_with(is_spoiled: bool) -> Option<Self> {
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
        if !is_spoiled {
            client.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
            return Some(Self { address, client });
        }
        client.batch_execute(SPOILED).await.unwrap();
        client.batch_execute(&format!("CREATE SCHEMA {name} AUTHORIZATION spoiled")).await.unwrap();
        let spoiled = "-c role=spoiled -c spoiled.active=yes -c default_transaction_isolation=serializable";
        Some(Self { address: format!("{server} options='-c search_path={name} {spoiled}'"), client })
    }
}
