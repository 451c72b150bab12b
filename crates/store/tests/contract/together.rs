//! Several processes on one PostgreSQL, of one version or of two, and others that get in their way.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use store::{Changes, PrivateState, Store};
use tokio::sync::Semaphore;
use tokio_postgres::{Client, NoTls};

use crate::databases::Schema;

/// How many migrations the last release knew. With a release it becomes the number of those that there are, and `last_release.sql` what
/// that release says to a database: each of its statements once, with parameters, as this contract makes it say them
/// (`log_statement = 'all'`).
const RELEASED: usize = 21;
pub(crate) const STATEMENTS: &str = include_str!("last_release.sql");

fn entry(key: &str) -> PrivateState {
    PrivateState { owner: "o", kind: "k", key: key.into(), value: "v".into(), life: None, version: 0 }
}

/// A server that is made to fail does so, and nobody who reads or writes notices; neither do those who start at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_got_in_the_way_of_is_tried_again_unnoticed() {
    let Some(schema) = Schema::make_spoiled().await else { return };
    let starts = (0..6).map(|_| {
        tokio::spawn({
            let address = schema.address.clone();
            async move { Store::connect(&address).await.unwrap() }
        })
    });
    let mut stores = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        stores.push(start.await.unwrap());
    }
    let failures = async || -> i64 {
        schema.client.query_one("SELECT last_value FROM spoiled.failures", &[]).await.unwrap().get(0)
    };
    let before = failures().await;
    for number in 0..400 {
        let store = &stores[number % stores.len()];
        let key = format!("{number:03}");
        store
            .save(
                Changes::new()
                    .put_private_state(&entry(&key))
                    .put_private_state(&entry(&(key.clone() + "b"))),
            )
            .await
            .unwrap();
        store.save(Changes::new().put_private_state(&entry(&(key.clone() + "c")))).await.unwrap();
        assert_eq!(store.private_states("o", "k").await.unwrap().len(), (number + 1) * 3);
    }
    assert!(failures().await >= before + 20, "{} failures", failures().await - before);
}

/// However many read at once when there is no connection yet, as many are made as reads share, and no more.
#[tokio::test]
async fn reads_that_come_at_once_make_no_more_connections_than_they_share() {
    let Some(schema) = Schema::make().await else { return };
    let server = std::env::var("VESTIBULE_TEST_POSTGRES").unwrap();
    let part = |name: &str| server.split(' ').find_map(|part| part.strip_prefix(name)).unwrap().to_owned();
    let socket = format!(".s.PGSQL.{}", part("port="));
    let (server, folder) = (Path::new(&part("host=")).join(&socket), tempfile::tempdir().unwrap());
    let listener = tokio::net::UnixListener::bind(folder.path().join(&socket)).unwrap();
    let (taken, door) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(1)));
    tokio::spawn({
        let (taken, door) = (taken.clone(), door.clone());
        async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                taken.fetch_add(1, Ordering::Relaxed);
                let (server, door) = (server.clone(), door.clone());
                tokio::spawn(async move {
                    door.acquire().await.unwrap().forget();
                    let mut server = tokio::net::UnixStream::connect(&server).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        }
    });
    let here = format!("host={}", folder.path().to_str().unwrap());
    let address = schema.address.replace(&format!("host={}", part("host=")), &here);
    let store = Store::connect(&address).await.unwrap();
    assert_eq!(taken.load(Ordering::Relaxed), 1);
    // Nobody is let in before all have begun.
    let reads: Vec<_> = (0..48)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.private_states("o", "k").await.unwrap().len() })
        })
        .collect();
    tokio::task::yield_now().await;
    door.add_permits(100);
    for read in reads {
        assert_eq!(read.await.unwrap(), 0);
    }
    assert_eq!(taken.load(Ordering::Relaxed), 1 + 6);
}

/// Connections of before a server became a standby take no writes any more. Only the first write on one of them fails: for the
/// others there are new ones, which lead to whoever takes writes now.
#[tokio::test(flavor = "multi_thread")]
async fn one_write_notices_that_the_server_takes_none_any_more() {
    let Some(schema) = Schema::make().await else { return };
    let store = Store::connect(&schema.address).await.unwrap();
    let writes = async |round: usize| {
        let mut all = Vec::new();
        for number in 0..8 {
            let (store, key) = (store.clone(), format!("{round} {number}"));
            all.push(tokio::spawn(async move {
                store.save(Changes::new().put_private_state(&entry(&key))).await.is_ok()
            }));
        }
        let mut successes = 0;
        for one in all {
            successes += usize::from(one.await.unwrap());
        }
        successes
    };
    assert_eq!(writes(0).await, 8, "so many connections wait");
    let older = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()) < (SELECT at FROM standby) THEN
                RAISE 'read-only' USING ERRCODE = 'read_only_sql_transaction';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TABLE standby AS SELECT clock_timestamp() AS at;
        CREATE TRIGGER refuse BEFORE INSERT ON private_state FOR EACH ROW EXECUTE FUNCTION refuse()";
    schema.client.batch_execute(older).await.unwrap();
    assert!(store.save(Changes::new().put_private_state(&entry("first"))).await.is_err());
    assert_eq!(writes(1).await, 8, "the others notice nothing");
}

/// A database as the last release left it.
pub(crate) async fn released() -> Option<Schema> {
    let schema = Schema::make().await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    // The last one of the folder is what a new database runs after the others, and has a name in place of a number.
    for file in files[..RELEASED].iter().chain(files.last()) {
        let migration = fs::read_to_string(file).unwrap().replace(" TEXT", " TEXT COLLATE \"C\"");
        schema.client.batch_execute(&migration).await.unwrap();
    }
    let version = format!(
        "CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES ({RELEASED})"
    );
    schema.client.batch_execute(&version).await.unwrap();
    Some(schema)
}

/// What comes of each statement of the last release: how many rows, or the code of what is wrong.
async fn outcomes(client: &Client) -> Vec<(&'static str, Result<usize, String>)> {
    let mut outcomes = Vec::new();
    for statement in STATEMENTS.lines() {
        let done = client.simple_query(statement).await;
        let done = done.map(|rows| rows.len()).map_err(|error| error.code().unwrap().code().to_owned());
        outcomes.push((statement, done));
    }
    outcomes
}

/// Migrations expand first: whatever a process of the last release says means the same once a newer process has brought the database
/// up to date.
#[tokio::test]
async fn processes_of_the_last_release_go_on_with_a_database_that_is_brought_up_to_date() {
    let Some(before) = released().await else { return };
    let after = released().await.unwrap();
    drop(Store::connect(&after.address).await.unwrap());
    let (old, new) = (outcomes(&before.client).await, outcomes(&after.client).await);
    assert!(old.iter().filter(|(_, outcome)| outcome.is_ok()).count() > 100, "{old:?}");
    for (old, new) in old.into_iter().zip(new) {
        assert_eq!(old, new);
    }
    let floor = "SELECT serves_from FROM schema_floors WHERE name = 'gateway'";
    let floor: i64 = after.client.query_one(floor, &[]).await.unwrap().get(0);
    assert!(floor <= RELEASED as i64, "the last release cannot be started any more");
}

/// While one process of several brings the database up to date, others of the last release read and write without a failure.
#[tokio::test(flavor = "multi_thread")]
async fn processes_of_the_last_release_go_on_while_a_database_is_brought_up_to_date() {
    let Some(schema) = released().await else { return };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut serving = Vec::new();
    for number in 0..3 {
        let (client, connection) = tokio_postgres::connect(&schema.address, NoTls).await.unwrap();
        tokio::spawn(connection);
        let stopped = stopped.clone();
        serving.push(tokio::spawn(async move {
            let mut rounds = 0;
            while !*stopped.borrow() {
                for read in STATEMENTS.lines().filter(|line| line.starts_with("SELECT")) {
                    client.simple_query(read).await.unwrap();
                }
                let write = format!("INSERT INTO private_state (owner, kind, key, value, version) VALUES ('o', 'k', '{number}.{rounds}', '', 1)");
                client.simple_query(&write).await.unwrap();
                rounds += 1;
            }
            rounds
        }));
    }
    let starts: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn({
                let address = schema.address.clone();
                async move { Store::connect(&address).await.unwrap() }
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(true).unwrap();
    let mut written = 0;
    for one in serving {
        written += one.await.unwrap();
    }
    let store = Store::connect(&schema.address).await.unwrap();
    assert_eq!(store.private_states("o", "k").await.unwrap().len(), written);
}

/// Whoever has a table for long keeps a migration waiting, and that keeps the others waiting only now and then.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_is_kept_waiting_leaves_the_others_alone() {
    let Some(mut schema) = released().await else { return };
    let (beside, connection) = tokio_postgres::connect(&schema.address, NoTls).await.unwrap();
    tokio::spawn(connection);
    let copying = schema.client.transaction().await.unwrap();
    copying.batch_execute("LOCK TABLE tpps IN ACCESS SHARE MODE").await.unwrap();
    let start = tokio::spawn({
        let address = schema.address.clone();
        async move { Store::connect(&address).await }
    });
    let waits = "SELECT 1 FROM pg_locks WHERE relation = 'tpps'::regclass AND NOT granted";
    let (mut looks, mut waited, mut begun) = (0_u32, 0_u32, None);
    // From when it waits for the first time.
    while begun.is_none_or(|begun: Instant| begun.elapsed() < Duration::from_secs(8)) {
        let is_waiting = !beside.query(waits, &[]).await.unwrap().is_empty();
        if is_waiting && begun.is_none() {
            begun = Some(Instant::now());
        }
        looks += u32::from(begun.is_some());
        waited += u32::from(is_waiting);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(waited * 3 < looks, "somebody waits {waited} of {looks} times");
    copying.commit().await.unwrap();
    start.await.unwrap().unwrap();
}

/// Whoever starts while somebody else migrates waits until that is over, however it ends.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_starts_waits_for_whoever_migrates() {
    let Some(mut schema) = released().await else { return };
    let holding = schema.client.transaction().await.unwrap();
    holding.batch_execute("SELECT version FROM schema_version FOR UPDATE").await.unwrap();
    let start = tokio::spawn({
        let address = schema.address.clone();
        async move { Store::connect(&address).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!start.is_finished());
    holding.commit().await.unwrap();
    start.await.unwrap().unwrap();
}
