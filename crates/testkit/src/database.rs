//! PostgreSQL for tests, where `scripts/postgres` says that there is one.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::{Client, NoTls};

/// What makes a server fail now and then.
const SPOILED: &str = include_str!("spoiled.sql");

/// The environment variable that says where servers that keep nothing are to keep it.
fn wanted(store: &str) -> bool {
    std::env::var("VESTIBULE_TEST_STORE").is_ok_and(|wanted| wanted == store)
}

/// Whether servers that keep nothing are to keep it in PostgreSQL: `VESTIBULE_TEST_STORE=postgres`, or `postgres-serializable`, where
/// each transaction is serializable and fails now and then though nobody is in its way.
pub(crate) fn is_wanted() -> bool {
    wanted("postgres") || wanted("postgres-serializable")
}

/// Whether there is one. A test that cannot run without it says that it is skipped, and fails where all have to run.
pub fn is_there() -> bool {
    let is_there = std::env::var_os("VESTIBULE_TEST_POSTGRES").is_some();
    if !is_there {
        crate::missing("PostgreSQL", "run it with scripts/postgres");
    }
    is_there
}

/// The address of a part of the database that nobody else uses.
pub async fn make() -> String {
    make_with(wanted("postgres-serializable")).await
}

/// The address of one where each transaction is serializable and fails now and then though nobody is in its way.
pub async fn make_spoiled() -> String {
    make_with(true).await
}

/// How many transactions failed on purpose so far.
pub async fn failures() -> i64 {
    let row = connect().await.query_one("SELECT last_value FROM spoiled.failures", &[]).await.unwrap();
    row.get(0)
}

/// A connection that is not spoiled.
pub async fn connect() -> Client {
    connect_to(&std::env::var("VESTIBULE_TEST_POSTGRES").unwrap()).await
}

/// A connection to an address that was [made](make).
pub async fn connect_to(address: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn make_with(is_spoiled: bool) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = std::env::var("VESTIBULE_TEST_POSTGRES").unwrap();
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let client = connect().await;
    if !is_spoiled {
        client.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
        return format!("{server} options='-c search_path={name}'");
    }
    client.batch_execute(SPOILED).await.unwrap();
    client.batch_execute(&format!("CREATE SCHEMA {name} AUTHORIZATION spoiled")).await.unwrap();
    let spoiled = "-c role=spoiled -c spoiled.active=yes -c default_transaction_isolation=serializable";
    format!("{server} options='-c search_path={name} {spoiled}'")
}
