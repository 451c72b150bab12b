//! PostgreSQL for tests, where `scripts/postgres` says that there is one.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::NoTls;

/// Whether servers that keep nothing are to keep it in PostgreSQL: `VESTIBULE_TEST_STORE=postgres`.
pub(crate) fn is_wanted() -> bool {
    std::env::var("VESTIBULE_TEST_STORE").is_ok_and(|store| store == "postgres")
}

/// Whether there is one. A test that cannot run without it says that it is skipped, and fails where all have to run.
pub fn is_there() -> bool {
    let is_there = std::env::var_os("VESTIBULE_TEST_POSTGRES").is_some();
    if !is_there {
        let is_required = std::env::var("VESTIBULE_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(!is_required, "there is no PostgreSQL; run this with scripts/postgres");
        println!("skipped, because there is no PostgreSQL; run this with scripts/postgres");
    }
    is_there
}

/// The address of a part of the database that nobody else uses.
pub async fn make() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = std::env::var("VESTIBULE_TEST_POSTGRES").unwrap();
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let (client, connection) = tokio_postgres::connect(&server, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
    format!("{server} options='-c search_path={name}'")
}
