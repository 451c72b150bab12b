//! The least that a call to a gateway on PostgreSQL could cost: axum handlers with the same RSA-2048 verification, as many point
//! reads, and one durable transaction. Beside it the same with the question to the bank behind that a read of balances is, over mutual
//! TLS. No certificate, no rules, no error texts, no audit trail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio_postgres::{Client, NoTls, Statement};

use crate::bare::{random_hash, verify};

/// As many as a node has at most.
const CONNECTIONS: usize = 16;

/// Point reads of a read of balances: those that the gateway makes (consent with token and grant, standing, and so on).
const READS: usize = 4;

struct Bare {
    key: ParsedPublicKey,
    connections: Vec<Connection>,
    next: AtomicUsize,
    /// A client that the bank behind knows, and what it is asked.
    bank: Option<(reqwest::Client, String)>,
}

/// Requests share connections: each sends when it wants to, and PostgreSQL answers in order.
struct Connection {
    client: Client,
    select: Statement,
    insert: Statement,
}

impl Connection {
    async fn new(address: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
        tokio::spawn(connection);
        let select = client.prepare("SELECT status FROM bare_certificates WHERE fingerprint = $1");
        let insert = client.prepare("INSERT INTO bare_tokens VALUES ($1, $2)");
        let (select, insert) = (select.await.unwrap(), insert.await.unwrap());
        Self { client, select, insert }
    }
}

/// Serves until it is killed. `bank` has the address that is asked, and PEM files: the authority of the bank, and the client's
/// certificate with its key.
pub(crate) fn serve(key: &str, database: &str, bank: &[&str]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Connection::new(database).await);
        }
        let bank = match bank {
            [url, authority, identity] => Some((client(authority, identity), (*url).to_owned())),
            _ => None,
        };
        let spki = std::fs::read(key).unwrap();
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &spki).unwrap();
        let bare = Arc::new(Bare { key, connections, next: AtomicUsize::new(0), bank });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!(
            "{}",
            serde_json::json!({"interface": format!("http://{}", listener.local_addr().unwrap())})
        );
        let app = Router::new()
            .route("/xs2a-bg/{tenant}/v1/accounts/{account}/balances", get(balances))
            .route("/xs2a-bg/{tenant}/v1/consents", post(consent))
            .with_state(bare);
        axum::serve(listener, app).await.unwrap();
    });
}

/// Makes the tables.
pub(crate) async fn make_tables(database: &str) {
    let client = testkit::database::connect_to(database).await;
    let tables = "CREATE TABLE bare_certificates (fingerprint TEXT PRIMARY KEY, status TEXT NOT NULL);
         CREATE TABLE bare_tokens (hash TEXT PRIMARY KEY, expires_at BIGINT NOT NULL);
         INSERT INTO bare_certificates VALUES ('a', 'active');";
    client.batch_execute(tables).await.unwrap();
}

/// A client that presents a certificate and trusts one authority.
pub(crate) fn client(authority: &str, identity: &str) -> reqwest::Client {
    let read = |path: &str| std::fs::read(path).unwrap();
    reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&read(authority)).unwrap()])
        .identity(reqwest::Identity::from_pem(&read(identity)).unwrap())
        .no_proxy()
        .build()
        .unwrap()
}

impl Bare {
    fn connection(&self) -> &Connection {
        &self.connections[self.next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS]
    }

    async fn read(&self) {
        for _ in 0..READS {
            let connection = self.connection();
            let row = connection.client.query_one(&connection.select, &[&"a"]).await.unwrap();
            assert_eq!(row.get::<_, &str>(0), "active");
        }
    }
}

/// One verification, the point reads, and the bank's answer where there is a bank.
async fn balances(State(bare): State<Arc<Bare>>, headers: HeaderMap) -> Result<Bytes, StatusCode> {
    verify(&bare.key, &headers)?;
    bare.read().await;
    let Some((client, url)) = &bare.bank else { return Ok(Bytes::from_static(b"{\"balances\": []}")) };
    let answer = client.get(url).send().await.unwrap().error_for_status().unwrap();
    Ok(answer.bytes().await.unwrap())
}

/// One verification, one durable transaction.
async fn consent(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    _: String,
) -> Result<Json<serde_json::Value>, StatusCode> {
    verify(&bare.key, &headers)?;
    let (connection, hash) = (bare.connection(), random_hash());
    connection.client.execute(&connection.insert, &[&hash, &1_i64]).await.unwrap();
    Ok(Json(serde_json::json!({"consentId": hash})))
}
