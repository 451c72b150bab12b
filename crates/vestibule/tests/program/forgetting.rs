//! How long rows of each kind are remembered after their end, by the clock of their branch: they are put into the database
//! of a bank that runs, and its clock is moved.

use std::time::{Duration, Instant};

use rusqlite::{Connection, ToSql};
use serde_json::json;
use testkit::{TestServer, free_folder};
use vestibule::DataLocation;

/// Each kind of row: its table, the column that says when it ended, and for how many days it is remembered then.
const KINDS: [(&str, &str, i64); 13] = [
    ("initial_access_tokens", "expires_at", 30),
    ("requests", "expires_at", 30),
    ("sessions", "seen_at", 30),
    ("customer_sessions", "seen_at", 30),
    ("authorization_codes", "expires_at", 30),
    ("tokens", "expires_at", 30),
    ("pushed_requests", "expires_at", 30),
    ("log_in_failures", "last_at", 30),
    // Once it has expired it is refused, whether it was used or not.
    ("client_assertions", "expires_at", 0),
    // The rest say themselves when it is time.
    ("consents", "forget_at", 0),
    ("payments", "forget_at", 0),
    ("private_state", "forget_at", 0),
    ("certificates", "forget_at", 0),
];

/// What goes with a consent.
const WITH_CONSENT: [&str; 4] = ["authorisations", "grants", "read_counts", "first_reads"];

/// What is in every column that the test says nothing about.
const MARK: &str = "forgotten in time";

/// Puts a row into a table: these columns, and the mark or one wherever something has to be.
fn insert(database: &Connection, table: &str, values: &[(&str, &dyn ToSql)]) {
    let mut statement = database.prepare(&format!("PRAGMA table_info({table})")).unwrap();
    let columns = statement.query_map([], |row| {
        Ok((
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, bool>(3)?,
            row.get::<_, i64>(5)?,
        ))
    });
    let (mut names, mut given): (Vec<String>, Vec<&dyn ToSql>) = (Vec::new(), Vec::new());
    for (name, kind, is_demanded, key) in columns.unwrap().map(Result::unwrap) {
        let value: &dyn ToSql = match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => *value,
            None if !is_demanded && key == 0 => continue,
            None if kind == "TEXT" => &MARK,
            None => &1_i64,
        };
        names.push(name);
        given.push(value);
    }
    let places: Vec<String> = (1..=names.len()).map(|number| format!("${number}")).collect();
    let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "));
    assert_eq!(database.execute(&sql, given.as_slice()).unwrap(), 1, "{table}");
}

/// How many marked rows a table has.
fn count(database: &Connection, table: &str) -> i64 {
    let key = match table {
        "client_assertions"
        | "initial_access_tokens"
        | "sessions"
        | "customer_sessions"
        | "authorization_codes"
        | "tokens"
        | "pushed_requests" => "hash",
        "requests" | "private_state" => "key",
        "log_in_failures" => "psu",
        "certificates" => "fingerprint",
        "authorisations" | "grants" => "subject_id",
        "read_counts" | "first_reads" => "consent",
        _ => "id",
    };
    let sql = format!("SELECT COUNT(*) FROM {table} WHERE {key} = $1");
    database.query_row(&sql, [MARK], |row| row.get(0)).unwrap()
}

/// Moves every clock. Whatever ended by that is gone with the answer.
async fn advance(server: &TestServer, by: &str) {
    let (status, moved) = server.manage("PUT", "/clock", json!({"advance": by})).await;
    assert_eq!(status, 200, "{moved}");
}

/// A kind that cannot be forgotten keeps no other one, before it or after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_forgotten_keeps_nothing_else() {
    let (_guard, folder) = free_folder();
    let server = TestServer::with(|config| config.data = DataLocation::Folder(folder.clone())).await;
    let database = Connection::open(folder.join("sandbox.db")).unwrap();
    database.busy_timeout(Duration::from_secs(30)).unwrap();
    database.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
    let trigger =
        "CREATE TRIGGER kept BEFORE DELETE ON consents BEGIN SELECT RAISE(ABORT, 'it is to be kept'); END";
    database.execute_batch(trigger).unwrap();
    let gateway = &server.running.sandbox.gateway;
    let tenant = &gateway.settings().tenants[0];
    let end = gateway.now(tenant).as_second() + 3600;
    for (table, column, _) in KINDS {
        insert(&database, table, &[("tenant", &tenant.as_str()), (column, &end)]);
    }
    // More than are forgotten in a batch of the clock's, one beside the calls, and one more.
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    for number in 0..1500 {
        let key = format!("one of many {number}");
        insert(
            &database,
            "private_state",
            &[("tenant", &tenant.as_str()), ("key", &key), ("forget_at", &end)],
        );
    }
    database.execute_batch("COMMIT").unwrap();
    let (status, answer) = server.manage("PUT", "/clock", json!({"advance": "P31D"})).await;
    assert!(status == 200 || status >= 500, "{answer}");
    let failed = gateway.forget(tenant, gateway.now(tenant)).await.1.unwrap_err();
    assert!(matches!(failed, gateway::Error::Internal(_)), "{failed:?}");
    let many = || {
        let sql = "SELECT COUNT(*) FROM private_state WHERE key LIKE 'one of many %'";
        database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let left = || many() + count(&database, "private_state");
    let begun = Instant::now();
    while left() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(45), "{} are kept by a kind that fails", left());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (table, ..) in KINDS {
        assert_eq!(count(&database, table), i64::from(table == "consents"), "{table}");
    }
    database.execute_batch("DROP TRIGGER kept").unwrap();
    gateway.forget(tenant, gateway.now(tenant)).await.1.unwrap();
    assert_eq!(count(&database, "consents"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_row_is_forgotten_in_its_time() {
    let (_guard, folder) = free_folder();
    let server = TestServer::with(|config| config.data = DataLocation::Folder(folder.clone())).await;
    let database = Connection::open(folder.join("sandbox.db")).unwrap();
    database.busy_timeout(Duration::from_secs(30)).unwrap();
    database.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
    let gateway = &server.running.sandbox.gateway;
    let tenant = &gateway.settings().tenants[0];
    let end = gateway.now(tenant).as_second() + 3600;
    for (table, column, _) in KINDS {
        insert(&database, table, &[("tenant", &tenant.as_str()), (column, &end)]);
    }
    // More than are forgotten in one batch.
    for number in 0..600 {
        let key = format!("one of many {number}");
        insert(
            &database,
            "private_state",
            &[("tenant", &tenant.as_str()), ("key", &key), ("forget_at", &end)],
        );
    }
    let many = || {
        let sql = "SELECT COUNT(*) FROM private_state WHERE key LIKE 'one of many %'";
        database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    for table in WITH_CONSENT {
        // Those that are about something else than a consent say so.
        insert(&database, table, &[("tenant", &tenant.as_str()), ("subject_kind", &"consent")]);
    }
    let left = |days: i64| {
        for (table, _, remembered) in KINDS {
            assert_eq!(count(&database, table), i64::from(remembered >= days), "{table} {days} days later");
        }
        for table in WITH_CONSENT {
            assert_eq!(count(&database, table), i64::from(days == 0), "{table} {days} days later");
        }
    };
    advance(&server, "PT30M").await;
    left(0);
    assert_eq!(many(), 600);
    advance(&server, "PT2H").await;
    left(1);
    assert_eq!(many(), 0);
    advance(&server, "P29D").await;
    left(30);
    advance(&server, "P1D").await;
    left(31);
}
