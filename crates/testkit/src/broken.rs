//! A bank whose database breaks while it serves, and what its log says about that.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tracing_subscriber::fmt;
use vestibule::DataLocation;

use crate::{Answer, TestServer, free_folder};

/// What the servers of this process have logged since the first [`Breakable`].
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// A server with its data in a folder.
#[derive(Debug)]
pub struct Breakable {
    /// The server.
    pub server: TestServer,
    folder: PathBuf,
    _guard: tempfile::TempDir,
}

impl Breakable {
    /// Starts a server, and keeps in mind what is logged from now on.
    pub async fn start() -> Self {
        // Only the first one in a process can.
        let _ = fmt().with_max_level(tracing::Level::INFO).with_ansi(false).with_writer(|| Log).try_init();
        let (guard, folder) = free_folder();
        let data = DataLocation::Folder(folder.clone());
        let server = TestServer::with(|config| config.data = data).await;
        Self { server, folder, _guard: guard }
    }

    /// Refuses whatever is written under this kind of the interfaces' own state, until [`Breakable::mend`]. Anything else goes on.
    pub fn refuse_writes_of(&self, kind: &str) {
        let database = self.database();
        for written in ["INSERT", "UPDATE"] {
            let refuse = format!(
                "CREATE TRIGGER refuse_{written} BEFORE {written} ON private_state WHEN NEW.kind = '{kind}'
                 BEGIN SELECT abs(-9223372036854775807 - (NEW.kind IS NOT NULL)); END"
            );
            database.execute_batch(&refuse).unwrap();
        }
    }

    /// Refuses nothing any more.
    pub fn mend(&self) {
        self.database().execute_batch("DROP TRIGGER refuse_INSERT; DROP TRIGGER refuse_UPDATE").unwrap();
    }

    /// How many rows a table has that fit a condition.
    pub fn count(&self, table: &str, condition: &str) -> i64 {
        let count = format!("SELECT count(*) FROM {table} WHERE {condition}");
        self.database().query_row(&count, [], |row| row.get(0)).unwrap()
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.join("sandbox.db")).unwrap()
    }

    /// Takes all tables away but these. Whatever asks for others fails from now on.
    pub fn break_store(&self, intact: &[&str]) {
        let database = self.database();
        database.pragma_update(None, "foreign_keys", false).unwrap();
        let mut tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
        let tables = tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<Vec<String>, _>>();
        for table in tables.unwrap().iter().filter(|table| !intact.contains(&table.as_str())) {
            database.execute_batch(&format!("DROP TABLE {table}")).unwrap();
        }
    }
}

/// Checks that an answer is a failure of the store with this status, that it names its request, and that the log has one
/// line about that request: what was behind it, and none of these secrets.
pub fn assert_failed(name: &str, answer: &Answer, status: u16, secrets: &[&str]) {
    assert_eq!(answer.status, status, "{name}: {}", answer.body);
    let id = answer.header("x-request-id");
    assert!(!id.is_empty(), "{name}: no request id");
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let log = String::from_utf8(log).unwrap();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(id)).collect();
    let [line] = lines[..] else { panic!("{name}: {lines:#?}") };
    for part in [" ERROR ", &format!(" status={status} "), &format!(" request=\"{id}\" "), "no such table"] {
        assert!(line.contains(part), "{name}: {part}: {line}");
    }
    for secret in secrets {
        assert!(!secret.is_empty() && !log.contains(secret), "{name}: the log holds {secret}");
    }
    assert!(!answer.body.contains("no such table"), "{name}: {}", answer.body);
}

/// Method and path of each operation of an interface, from its description.
pub async fn operations(server: &TestServer, prefix: &str) -> Vec<(String, String)> {
    let description = server.send(&crate::Request::new("GET", &format!("{prefix}/openapi.json"))).await;
    let paths = description.json()["paths"].as_object().unwrap().clone();
    let methods = |operations: &Value| operations.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let one = |(path, operations): (&String, &Value)| {
        methods(operations)
            .into_iter()
            .map(|method| (method.to_uppercase(), path.clone()))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(one).collect()
}

struct Log;

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
