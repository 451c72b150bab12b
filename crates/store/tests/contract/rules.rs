//! What holds whatever database runs: order, atomicity, refusals, and that nothing is left out of the contract.

use domain::TppId;
use store::{Changes, PrivateState, Store, StoreError};

use crate::databases::{Schema, on_each};
use crate::tpp;

fn entry(key: &str) -> PrivateState {
    PrivateState { owner: "o", kind: "k", key: key.into(), value: "v".into(), life: None, version: 0 }
}

#[tokio::test]
async fn keys_are_compared_octet_by_octet() {
    on_each(async |store| {
        // In an order that languages would not give them.
        let keys =
            ["", "\0", "\u{1}", "!", "/", "0", "0/1", "00", "A", "B", "_", "a", "aB", "ab", "b", "é", "😀"];
        let all = keys.iter().fold(Changes::new(), |changes, key| changes.put_private_state(&entry(key)));
        store.save(all).await.unwrap();
        let names = |found: Vec<PrivateState>| found.into_iter().map(|one| one.key).collect::<Vec<_>>();
        assert_eq!(names(store.private_states("o", "k").await.unwrap()), keys);
        let after = store.private_states_after(("o", "k"), ("0", "b"), 3).await.unwrap();
        assert_eq!(names(after), ["0/1", "00", "A"]);
        let before = store.private_states_before(("o", "k"), ("0", "b"), 3).await.unwrap();
        assert_eq!(names(before), ["ab", "aB", "a"]);
        assert!(store.private_state("o", "k", "\0").await.unwrap().is_some());
        store.save(Changes::new().delete_private_state("o", "k", "\0")).await.unwrap();
        assert!(store.private_state("o", "k", "\0").await.unwrap().is_none());
        // Deleting what is not there is no conflict.
        store.save(Changes::new().delete_private_state("o", "k", "\0")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_deleted_as_it_was_loaded_or_not_at_all() {
    on_each(async |store| {
        store.save(Changes::new().put_private_state(&entry("a"))).await.unwrap();
        let delete = |version| Changes::new().delete_private_state_at(("o", "k", "a"), version);
        assert!(Changes::new().is_empty() && !delete(1).is_empty());
        for wrong in [0, 2] {
            let refused = store.save(delete(wrong).put_private_state(&entry("b"))).await;
            assert!(matches!(refused, Err(StoreError::Conflict)), "{wrong}: {refused:?}");
        }
        assert!(store.private_state("o", "k", "b").await.unwrap().is_none(), "all of a batch or nothing");
        // In one batch it is there again, of a later version.
        let loaded = store.private_state("o", "k", "a").await.unwrap().unwrap();
        store.save(delete(1).put_private_state(&loaded)).await.unwrap();
        assert_eq!(store.private_state("o", "k", "a").await.unwrap().unwrap().version, 2);
        store.save(delete(2)).await.unwrap();
        assert!(store.private_state("o", "k", "a").await.unwrap().is_none());
        assert!(matches!(store.save(delete(2)).await, Err(StoreError::Conflict)), "it is gone");
    })
    .await;
}

#[tokio::test]
async fn large_batches_are_written_whole_or_not_at_all() {
    on_each(async |store| {
        let many = |from: usize| {
            let keys = from..from + 700;
            keys.fold(Changes::new(), |changes, n| changes.put_private_state(&entry(&format!("{n:05}"))))
        };
        store.save(many(0)).await.unwrap();
        assert_eq!(store.private_states("o", "k").await.unwrap().len(), 700);
        // The last of them is there already.
        let clash = many(1000).put_private_state(&entry("00699"));
        assert!(matches!(store.save(clash).await, Err(StoreError::Conflict)));
        assert_eq!(store.private_states("o", "k").await.unwrap().len(), 700);
        let large = PrivateState { value: "x".repeat(3_000_000), ..entry("large") };
        store.save(Changes::new().put_private_state(&large)).await.unwrap();
        assert_eq!(store.private_state("o", "k", "large").await.unwrap().unwrap().value, large.value);
        store.save(Changes::new()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_breaks_a_rule_of_a_table_is_a_fault_and_no_conflict() {
    on_each(async |store| {
        let unversioned = PrivateState { version: -5, ..entry("a") };
        let broken = store.save(Changes::new().put_private_state(&unversioned)).await;
        assert!(matches!(broken, Err(StoreError::Violation(_))), "{broken:?}");
        store.save(Changes::new().put_private_state(&entry("a"))).await.unwrap();
    })
    .await;
}

/// Everybody adds one to the same row, and tries again when others were faster.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_given_once_however_many_want_it() {
    on_each(async |store| {
        store.save(Changes::new().put_private_state(&entry("count"))).await.unwrap();
        let add = |store: Store| async move {
            loop {
                let loaded = store.private_state("o", "k", "count").await.unwrap().unwrap();
                // Two rows in an order that is another one for every second: batches that stand in each other's way.
                let beside = PrivateState { value: loaded.version.to_string(), ..entry("beside") };
                let beside = match store.private_state("o", "k", "beside").await.unwrap() {
                    Some(found) => PrivateState { version: found.version, ..beside },
                    None => beside,
                };
                let changes = if loaded.version % 2 == 0 {
                    Changes::new().put_private_state(&loaded).put_private_state(&beside)
                } else {
                    Changes::new().put_private_state(&beside).put_private_state(&loaded)
                };
                match store.save(changes).await {
                    Ok(()) => return,
                    Err(StoreError::Conflict) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let tasks: Vec<_> = (0..20).map(|_| tokio::spawn(add(store.clone()))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(store.private_state("o", "k", "count").await.unwrap().unwrap().version, 21);
    })
    .await;
}

#[tokio::test]
async fn lists_of_third_parties_begin_with_the_newest() {
    on_each(async |store| {
        let later = tpp("PSDNL-DNB-2");
        let later =
            domain::Tpp { registered_at: later.registered_at + std::time::Duration::from_secs(1), ..later };
        store.save(Changes::new().put_tpp(&tpp("PSDNL-DNB-1")).put_tpp(&later)).await.unwrap();
        let ids: Vec<_> = store.tpps().await.unwrap().into_iter().map(|tpp| tpp.id).collect();
        assert_eq!(ids, [TppId::new("PSDNL-DNB-2"), TppId::new("PSDNL-DNB-1")]);
        store.checkpoint().unwrap();
        store.rest();
    })
    .await;
}

#[tokio::test]
async fn what_was_written_is_seen_by_the_reads_after_it() {
    on_each(async |store| {
        let seen = store.in_snapshots(async {
            let before = store.private_state("o", "k", "a").await.unwrap();
            store.save(Changes::new().put_private_state(&entry("a"))).await.unwrap();
            (before, store.private_state("o", "k", "a").await.unwrap().is_some())
        });
        assert_eq!(seen.await, (None, true));
    })
    .await;
}

#[tokio::test]
async fn another_database_takes_the_place_of_one() {
    on_each(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let file = Store::open(&folder.path().join("other")).unwrap();
        let mut store = store;
        for other in [file, Store::in_memory().unwrap()] {
            let has =
                async |store: &Store, key: &str| store.private_state("o", "k", key).await.unwrap().is_some();
            let kept = |key: &str| PrivateState { value: "x".repeat(200_000), ..entry(key) };
            other.save(Changes::new().put_private_state(&entry("theirs"))).await.unwrap();
            if store.is_shared() {
                assert!(store.replaced_by(&other).await.is_err() && store.octets().unwrap().is_none());
                continue;
            }
            store.save(Changes::new().put_private_state(&kept("ours"))).await.unwrap();
            // A new database has room for less.
            assert!(store.octets().unwrap() >= other.octets().unwrap().map(|small| small + 40_000));
            let next = store.replaced_by(&other).await.unwrap();
            assert!(has(&next, "theirs").await && !has(&next, "ours").await && has(&store, "theirs").await);
            next.save(Changes::new().put_private_state(&entry("new"))).await.unwrap();
            // Whoever decided on what was there before is late.
            let late = store.save(Changes::new().put_private_state(&entry("late"))).await;
            assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
            assert!(has(&next, "new").await && !has(&next, "late").await && !has(&other, "new").await);
            assert_eq!(next.octets().unwrap(), other.octets().unwrap());
            store = next;
        }
    })
    .await;
}

#[test]
fn a_damaged_file_is_told_from_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    drop(Store::open(&path).unwrap());
    assert!(Store::is_whole(&path).unwrap());
    let octets = std::fs::read(&path).unwrap();
    let (begin, end) = (octets.len() / 3, octets.len() * 2 / 3);
    let mut wrong = octets.clone();
    wrong[begin..end].fill(0xAA);
    for damaged in [wrong, octets[..end].to_vec(), b"no database, but text".repeat(1000)] {
        std::fs::write(&path, damaged).unwrap();
        assert!(!Store::is_whole(&path).unwrap());
    }
    assert!(Store::is_whole(&folder.path().join("nothing")).is_err());
}

#[tokio::test]
async fn a_lease_is_one_holders_until_it_ends() {
    on_each(async |store| {
        let at = |second: i64| domain::Timestamp::from_second(1_800_000_000 + second).unwrap();
        let take = async |holder: &str, now: i64, until: i64| {
            store.save(Changes::new().take_lease("work", holder, (at(now), at(until)))).await.is_ok()
        };
        assert!(take("a", 0, 10).await);
        assert!(!take("b", 9, 20).await, "it is another one's");
        assert!(take("a", 9, 20).await, "its holder renews it");
        assert!(!take("b", 19, 30).await);
        assert!(take("b", 20, 30).await, "it has ended");
        assert!(!take("a", 21, 31).await);
        let later = 400 * 24 * 60 * 60;
        assert!(take("b", later, later + 15).await);
        assert!(take("a", 40, 55).await, "it was taken by a clock that was wrong");
        assert!(take("a", 41, 55 + 5 * 60).await);
        assert!(!take("b", 41, 56).await, "clocks may differ by minutes");
        assert_eq!(store.time_of_server().await.unwrap().is_some(), store.is_shared());
    })
    .await;
}

#[tokio::test]
async fn two_stores_share_a_database_that_both_bring_up_to_date() {
    let Some(schema) = Schema::make().await else { return };
    let (one, other) = tokio::join!(Store::connect(&schema.address), Store::connect(&schema.address));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(one.is_shared() && !Store::in_memory().unwrap().is_shared());
    one.save(Changes::new().put_private_state(&entry("a"))).await.unwrap();
    let loaded = other.private_state("o", "k", "a").await.unwrap().unwrap();
    other.save(Changes::new().put_private_state(&loaded)).await.unwrap();
    assert!(matches!(one.save(Changes::new().put_private_state(&loaded)).await, Err(StoreError::Conflict)));
}

#[tokio::test]
async fn on_postgresql_too_faults_name_table_column_and_row_and_newer_programs_are_left_alone() {
    let Some(schema) = Schema::make().await else { return };
    let store = Store::connect(&schema.address).await.unwrap();
    store.save(Changes::new().put_tpp(&tpp("PSDNL-DNB-1"))).await.unwrap();
    schema.client.batch_execute("UPDATE tpps SET roles = '[\"PSP_XX\"]'").await.unwrap();
    match store.tpp(&TppId::new("PSDNL-DNB-1")).await {
        Err(StoreError::Corrupt { table: "tpps", column: "roles", row, .. }) => {
            assert_eq!(row, "PSDNL-DNB-1");
        }
        other => panic!("{other:?}"),
    }
    schema.client.batch_execute("UPDATE schema_version SET version = 999").await.unwrap();
    let served = Store::connect(&schema.address).await.unwrap();
    assert!(served.private_state("o", "k", "none").await.unwrap().is_none(), "only added to");
    schema.client.batch_execute("UPDATE schema_floors SET serves_from = 998").await.unwrap();
    let newer = Store::connect(&schema.address).await;
    assert!(matches!(newer, Err(StoreError::Newer { found: 999, .. })), "{newer:?}");
}

/// Connections that the server ended are made anew; what is asked meanwhile is not available, and nothing hangs.
#[tokio::test]
async fn a_server_that_ends_connections_is_reached_again() {
    let Some(schema) = Schema::make().await else { return };
    let store = Store::connect(&format!("{} application_name=ended", schema.address)).await.unwrap();
    store.save(Changes::new().put_private_state(&entry("a"))).await.unwrap();
    for _ in 0..3 {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE application_name = 'ended'";
        schema.client.query(end, &[]).await.unwrap();
        assert!(store.private_state("o", "k", "a").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_said_without_its_secret() {
    for address in [
        "postgres://vestibule:s3cret@127.0.0.1:1/none",
        "postgres://vestibule:s3cret@bank.invalid/none?sslmode=verify-none",
        "s3cret",
        "host=/nowhere password=s3cret dbname=none",
    ] {
        // What is no address is known before anybody is asked.
        let is_address = address.contains("127.0.0.1") || address.contains("host=");
        assert_eq!(Store::check_address(address).is_ok(), is_address, "{address}");
        match Store::connect(address).await {
            Err(error @ StoreError::Unavailable(_)) => {
                let text = format!("{error} {error:?}");
                assert!(!text.contains("s3cret"), "{text}");
            }
            other => panic!("{address}: {other:?}"),
        }
    }
}

/// A server that has no TLS, where TLS is asked for, learns neither name nor password.
#[tokio::test]
async fn where_tls_is_asked_for_nothing_is_said_without_it() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 8];
        stream.read_exact(&mut request).unwrap();
        stream.write_all(b"N").unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        rest
    });
    let address = format!("postgres://vestibule:s3cret@127.0.0.1:{port}/bank?sslmode=require");
    let refused = Store::connect(&address).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(server.join().unwrap(), b"");
}

/// Nothing is changed in a database that cannot be ours, and the text says why it cannot.
#[tokio::test]
async fn a_database_that_cannot_be_used_says_why() {
    for (made, why) in [
        ("CREATE TABLE customers (id TEXT)", "holds tables of another program"),
        (
            "CREATE TABLE schema_version (version BIGINT NOT NULL); CREATE TABLE tpps (id TEXT)",
            "of another program",
        ),
    ] {
        let Some(schema) = Schema::make().await else { return };
        schema.client.batch_execute(made).await.unwrap();
        let refused = Store::connect(&schema.address).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
        let left =
            schema.client.query("SELECT 1 FROM pg_tables WHERE schemaname = current_schema()", &[]).await;
        assert!(left.is_ok());
    }
    let Some(schema) = Schema::make().await else { return };
    let address = format!("{} -c default_transaction_read_only=on'", schema.address.trim_end_matches('\''));
    let refused = Store::connect(&address).await.unwrap_err().to_string();
    assert!(refused.contains("it can only be read"), "{refused}");
}

/// Reads the source: whoever adds a method adds it here, where it runs on every database.
#[test]
fn every_method_of_the_store_is_called() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |folder: std::path::PathBuf| -> String {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        // What reads the columns of a row is called by every method.
        let is_below = |path: &std::path::Path| path.ends_with("row.rs") || path.ends_with("columns.rs");
        files
            .filter(|path| path.is_file() && !is_below(path))
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect()
    };
    let calls = read(folder.join("tests/contract"));
    let mut methods = 0;
    for line in read(folder.join("src")).lines() {
        let Some(rest) = line.strip_prefix("    pub async fn ").or(line.strip_prefix("    pub fn ")) else {
            continue;
        };
        let name = rest.split(['(', '<']).next().unwrap();
        // What is no method of a store or a batch, and what is of SQLite alone: its files, and what its reads cost.
        if ["is_of_tenant", "unreadable", "contents", "steps"].contains(&name) {
            continue;
        }
        methods += 1;
        let is_called =
            [format!(".{name}("), format!("::{name}(")].iter().any(|call| calls.contains(call.as_str()));
        assert!(is_called, "{name} is not called in tests/contract");
    }
    assert!(methods > 60, "{methods} methods found");
}
