//! The least that a call could cost: axum handlers with the same RSA-2048 verification, as many point reads and
//! durable inserts, and one that signs its answer with RSA-2048. No certificate, no rules, no error texts. Reads and writes use the database as the product
//! does: a connection a thread with cached statements, one writer that commits in groups.

use std::cell::RefCell;
use std::sync::{Arc, mpsc};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use thread_local::ThreadLocal;
use tokio::sync::oneshot;

use crate::scene::BULK;

struct Bare {
    key: ParsedPublicKey,
    path: String,
    readers: ThreadLocal<RefCell<Connection>>,
    writer: mpsc::Sender<(String, oneshot::Sender<()>)>,
    /// Signs answers.
    pair: RsaKeyPair,
    /// What is answered.
    answer: Bytes,
}

/// Serves until it is killed.
pub(crate) fn serve(key: &str, path: &str, answer: &str) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             CREATE TABLE certificates (fingerprint TEXT PRIMARY KEY, status TEXT NOT NULL); \
             CREATE TABLE tokens (hash TEXT PRIMARY KEY, expires_at BIGINT NOT NULL); \
             INSERT INTO certificates VALUES ('a', 'active');",
        )
        .unwrap();
    let (writer, waiting) = mpsc::channel();
    std::thread::spawn(move || write(&connection, &waiting));
    let spki = std::fs::read(key).unwrap();
    let bare = Arc::new(Bare {
        key: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &spki).unwrap(),
        path: path.to_owned(),
        readers: ThreadLocal::new(),
        writer,
        pair: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        answer: std::fs::read(answer).unwrap().into(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", serde_json::json!({"public": format!("http://{}", listener.local_addr().unwrap())}));
        let app = Router::new()
            .route("/xs2a-bg/{tenant}/onboarding/v1", get(onboarding))
            .route("/bunq/v1/user", get(user))
            .route("/xs2a-bg/{tenant}/v1/consents", post(consent))
            .route("/xs2a-bg/{tenant}/v1/payments/{product}", post(consent))
            .route("/xs2a-bg/{tenant}/v1/payments/{product}/{payment}/status", get(status))
            .route(
                "/xs2a-bg/{tenant}/v1/bulk-payments/{product}/{payment}/authorisations/{authorisation}",
                put(bulk),
            )
            .route("/xs2a-bg/{tenant}/v1/accounts/{account}/balances", get(balances))
            .with_state(bare);
        axum::serve(listener, app).await.unwrap();
    });
}

fn write(connection: &Connection, waiting: &mpsc::Receiver<(String, oneshot::Sender<()>)>) {
    while let Ok(first) = waiting.recv() {
        let group: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).collect();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for (hash, _) in &group {
            let mut insert = connection.prepare_cached("INSERT INTO tokens VALUES ($1, $2)").unwrap();
            insert.execute((hash, 1)).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        for (_, answer) in group {
            let _ = answer.send(());
        }
    }
}

impl Bare {
    fn verify(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        verify(&self.key, headers)
    }

    fn read(&self, times: usize) {
        for _ in 0..times {
            let reader = self.readers.get_or(|| RefCell::new(Connection::open(&self.path).unwrap()));
            let connection = reader.borrow();
            let mut select =
                connection.prepare_cached("SELECT status FROM certificates WHERE fingerprint = $1").unwrap();
            let status: String = select.query_row(["a"], |row| row.get(0)).unwrap();
            assert_eq!(status, "active");
        }
    }

    async fn insert(&self) -> String {
        let (hash, written) = self.begin_insert();
        written.await.unwrap();
        hash
    }

    fn begin_insert(&self) -> (String, oneshot::Receiver<()>) {
        let hash = random_hash();
        let (answer, written) = oneshot::channel();
        self.writer.send((hash.clone(), answer)).unwrap();
        (hash, written)
    }
}

/// Whether a request is signed with a key.
pub(crate) fn verify(key: &ParsedPublicKey, headers: &HeaderMap) -> Result<(), StatusCode> {
    let header = |name: &str| headers[name].to_str().unwrap();
    let signature = header("signature").rsplit_once("signature=\"").unwrap().1.trim_end_matches('"');
    let signature = STANDARD.decode(signature).unwrap();
    let text = format!("digest: {}\nx-request-id: {}", header("digest"), header("x-request-id"));
    key.verify_sig(text.as_bytes(), &signature).map_err(|_| StatusCode::UNAUTHORIZED)
}

/// A hash that nothing else has.
pub(crate) fn random_hash() -> String {
    let mut octets = [0; 16];
    #[expect(clippy::disallowed_methods, reason = "the bare handlers stand outside the product")]
    aws_lc_rs::rand::fill(&mut octets).unwrap();
    octets.iter().map(|byte| format!("{byte:02x}")).collect()
}

type Answer = Result<Json<serde_json::Value>, StatusCode>;

/// One verification, two point reads, one durable insert.
async fn onboarding(State(bare): State<Arc<Bare>>, headers: HeaderMap) -> Answer {
    bare.verify(&headers)?;
    bare.read(2);
    Ok(Json(serde_json::json!({"access_token": bare.insert().await})))
}

/// One verification, one durable insert: consents and payments.
async fn consent(State(bare): State<Arc<Bare>>, headers: HeaderMap, _: String) -> Answer {
    bare.verify(&headers)?;
    Ok(Json(serde_json::json!({"consentId": bare.insert().await})))
}

/// One verification, three point reads.
async fn status(State(bare): State<Arc<Bare>>, headers: HeaderMap) -> Answer {
    bare.verify(&headers)?;
    bare.read(3);
    Ok(Json(serde_json::json!({"transactionStatus": "RCVD"})))
}

/// One verification, as many durable inserts as the payment has transfers.
async fn bulk(State(bare): State<Arc<Bare>>, headers: HeaderMap) -> Answer {
    bare.verify(&headers)?;
    let inserts: Vec<_> = (0..BULK).map(|_| bare.begin_insert()).collect();
    for (_, written) in inserts {
        written.await.unwrap();
    }
    Ok(Json(serde_json::json!({"scaStatus": "finalised"})))
}

/// One signature.
async fn user(State(bare): State<Arc<Bare>>) -> ([(&'static str, String); 2], Bytes) {
    let mut signature = vec![0; bare.pair.public_modulus_len()];
    let random = SystemRandom::new();
    bare.pair.sign(&RSA_PKCS1_SHA256, &random, &bare.answer, &mut signature).unwrap();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-bunq-server-signature", STANDARD.encode(signature)),
    ];
    (headers, bare.answer.clone())
}

/// One verification, four point reads.
async fn balances(State(bare): State<Arc<Bare>>, headers: HeaderMap) -> Answer {
    bare.verify(&headers)?;
    bare.read(4);
    Ok(Json(serde_json::json!({"balances": []})))
}
