//! The store from outside, one contract for every database: each test in memory, on a file and on PostgreSQL.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may stop, and says when it skips")]

mod consents;
mod customer_area;
mod databases;
mod funds_consents;
mod hosts;
mod payments;
mod releases;
mod rules;
mod staff;
mod subjects;
mod tables;
mod together;
mod watch;

use databases::on_each;
use domain::{
    Block, CertificateHolder, CertificateKind, CertificateRecord, CertificateStatus, ClientAuthentication,
    InitialAccessToken, RedirectUris, RegisteredBy, SecretHash, Standing, Tenant, Timestamp, Tpp, TppId,
};
use store::{Changes, Perishable, PrivateState, Store, StoreError};

fn tpp(id: &str) -> Tpp {
    Tpp {
        id: TppId::new(id),
        name: "TPP with 'quotes' and ü".into(),
        roles: eidas::Role::THIRD_PARTY.to_vec(),
        certificate: "aa".into(),
        redirect_uris: RedirectUris::from_stored(vec!["https://a.example/\"x\"".into()]),
        sector_identifier_uri: String::new(),
        secret: SecretHash::from_hex("00ff"),
        authentication: Some(ClientAuthentication::PrivateKeyJwt),
        signing_key: Some("PEM".into()),
        recognised: Some("bb".into()),
        registered_at: Timestamp::from_second(1_700_000_000).unwrap(),
        blocked: Some(Block {
            at: Timestamp::from_second(1_700_000_001).unwrap(),
            until: Timestamp::from_second(1_700_000_009).ok(),
        }),
        blocked_reason: Some("No answers.".into()),
        version: 0,
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one of each row")]
async fn rows_come_back_as_they_went_in() {
    on_each(async |store| {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut tpp = tpp("PSDNL-DNB-1");
        let certificate = CertificateRecord {
            holder: CertificateHolder {
                fingerprint: "ff".into(),
                serial: "1".into(),
                tpp: tpp.id.clone(),
                name: tpp.name.clone(),
                roles: tpp.roles.clone(),
                not_before: now,
                not_after: Timestamp::from_second(1_900_000_000).unwrap(),
                signing_key: Some("PEM".into()),
            },
            kind: CertificateKind::QSeal,
            recorded_at: now,
            status: CertificateStatus::Revoked { at: now },
            version: 0,
        };
        let tenant = Tenant::parse("nl").unwrap();
        let hash = SecretHash::from_hex("ab");
        let token = InitialAccessToken::issue(
            hash.clone(),
            "ff".into(),
            tenant.clone(),
            now,
            jiff::SignedDuration::from_hours(24),
        );
        let changes =
            Changes::new().put_tpp(&tpp).put_certificate(&certificate).add_initial_access_token(&token);
        store.save(changes).await.unwrap();

        tpp.version = 1;
        let standing = store.standing(&tpp.id, "ff").await.unwrap();
        let expected = Standing {
            blocked: tpp.blocked,
            registered_by: Some(RegisteredBy { certificate: tpp.certificate.clone(), state: None }),
            certificate: Some(certificate.state()),
        };
        assert_eq!(standing, expected);
        let unknown = store.standing(&TppId::new("PSDNL-DNB-2"), "00").await.unwrap();
        assert_eq!(unknown, Standing::default());
        let other = store.standing_with(&tpp.id, ["00", "ff"]).await.unwrap();
        assert_eq!(other, (Standing { certificate: None, ..expected }, Some(certificate.state().status)));
        assert_eq!(store.tpp(&tpp.id).await.unwrap(), Some(tpp.clone()));
        let stored = CertificateRecord { version: 1, ..certificate };
        assert_eq!(store.certificate_status("ff").await.unwrap(), Some(stored.status));
        assert_eq!(store.has_signing_key("ff").await.unwrap(), Some(true));
        assert_eq!(store.certificate("ff").await.unwrap(), Some(stored.clone()));
        assert_eq!(store.has_signing_key("00").await.unwrap(), None);
        let other = CertificateHolder { signing_key: Some("other".into()), ..stored.holder.clone() };
        store.save(Changes::new().set_signing_key(&other)).await.unwrap();
        assert_eq!(store.certificate("ff").await.unwrap(), Some(stored.clone()), "it has its key");
        assert_eq!(store.certificates().await.unwrap(), std::slice::from_ref(&stored));
        assert_eq!(store.certificate_with_serial(&stored.holder.serial).await.unwrap(), Some(stored.clone()));
        assert_eq!(store.certificate_with_serial("0").await.unwrap(), None);
        assert_eq!(store.revoked_certificates().await.unwrap(), [stored]);
        assert!(store.active_certificates(&tpp.id, CertificateKind::QSeal).await.unwrap().is_empty());
        assert_eq!(store.initial_access_token(&hash).await.unwrap(), Some(token));
        for (by, is_first) in [("01", true), ("02", false)] {
            let used = store.save(Changes::new().use_initial_access_token(&hash, &SecretHash::from_hex(by)));
            assert_eq!(used.await.is_ok(), is_first);
        }
        let used_by = store.initial_access_token(&hash).await.unwrap().unwrap().used_by;
        assert_eq!(used_by, Some(SecretHash::from_hex("01")));
        for is_first in [true, false] {
            let added = store.save(Changes::new().add_client_assertion(&hash, &tenant, now));
            assert_eq!(added.await.is_ok(), is_first);
        }
        let later = now + jiff_day() * 2;
        store.forget(Perishable::InitialAccessToken, &tenant, later, 9).await.unwrap();
        assert_eq!(store.initial_access_token(&hash).await.unwrap(), None);
    })
    .await;
}

/// Whoever signs with another certificate than that of its registration is known by one read, and so is whether that is over.
#[tokio::test]
async fn what_is_read_of_whoever_signs_tells_of_the_certificate_of_its_registration() {
    on_each(async |store| {
        let (begin, end) = (1_700_000_000, 1_900_000_000);
        let [begin, end] = [begin, end].map(|second| Timestamp::from_second(second).unwrap());
        let tpp = tpp("PSDNL-DNB-1");
        let holder = CertificateHolder {
            fingerprint: tpp.certificate.clone(),
            serial: "1".into(),
            tpp: tpp.id.clone(),
            name: tpp.name.clone(),
            roles: tpp.roles.clone(),
            not_before: begin,
            not_after: end,
            signing_key: None,
        };
        let own = CertificateRecord::first_seen(holder.clone(), begin);
        let shown = CertificateHolder { fingerprint: "bb".into(), serial: "2".into(), ..holder };
        let shown = CertificateRecord {
            status: CertificateStatus::Blocked { at: end },
            ..CertificateRecord::first_seen(shown, begin)
        };
        let registered = |state| Some(RegisteredBy { certificate: "aa".into(), state });
        let read = async |fingerprints| store.standing_with(&tpp.id, fingerprints).await.unwrap();
        store.save(Changes::new().put_tpp(&tpp).put_certificate(&shown)).await.unwrap();
        let (standing, other) = read(["bb", "bb"]).await;
        assert_eq!(standing.registered_by, registered(None), "it was not recorded");
        assert_eq!((standing.certificate, other), (Some(shown.state()), Some(shown.status)));
        store.save(Changes::new().put_certificate(&own)).await.unwrap();
        for (fingerprint, state) in [("aa", Some(own.state())), ("bb", Some(shown.state())), ("cc", None)] {
            let (standing, other) = read([fingerprint, "bb"]).await;
            assert_eq!(standing.registered_by, registered(Some(own.state())), "{fingerprint}");
            assert_eq!((standing.certificate, other), (state, Some(shown.status)), "{fingerprint}");
        }
        let stranger = store.standing(&TppId::new("PSDNL-DNB-2"), "aa").await.unwrap();
        assert_eq!(stranger.registered_by, None);
    })
    .await;
}

#[tokio::test]
async fn private_state_that_has_an_end_is_forgotten() {
    on_each(async |store| {
        let (now, tenant) = (Timestamp::from_second(1_800_000_000).unwrap(), Tenant::parse("nl").unwrap());
        let state = PrivateState {
            owner: "o",
            kind: "k",
            key: "1".into(),
            value: "{}".into(),
            life: Some((tenant.clone(), now)),
            version: 0,
        };
        store.save(Changes::new().put_private_state(&state)).await.unwrap();
        assert_eq!(
            store.private_states("o", "k").await.unwrap(),
            [PrivateState { version: 1, ..state.clone() }]
        );
        assert_eq!(store.private_state("o", "k", "2").await.unwrap(), None);
        let state = PrivateState { key: "2".into(), life: None, ..state };
        store.save(Changes::new().put_private_state(&state)).await.unwrap();
        let later = now + jiff_day();
        let kept = Changes::new()
            .keep_private_state(("o", "k", "1"), later)
            .keep_private_state(("o", "k", "1"), now)
            .keep_private_state(("o", "k", "2"), now);
        store.save(kept).await.unwrap();
        assert_eq!(store.forget(Perishable::PrivateState, &tenant, later, 9).await.unwrap(), 0);
        let later = later + std::time::Duration::from_secs(1);
        assert_eq!(store.forget(Perishable::PrivateState, &tenant, later, 9).await.unwrap(), 1);
        assert_eq!(store.private_state("o", "k", "1").await.unwrap(), None);
        assert!(store.private_state("o", "k", "2").await.unwrap().is_some(), "it has no end");
    })
    .await;
}

fn jiff_day() -> std::time::Duration {
    std::time::Duration::from_secs(86_400)
}

#[tokio::test]
async fn certificates_go_when_nobody_is_known_by_them() {
    on_each(async |store| {
        let (tpp, tenant) = (tpp("PSDNL-DNB-1"), Tenant::parse("nl").unwrap());
        let end = Timestamp::from_second(1_900_000_000).unwrap();
        let certificate = |fingerprint: &str| {
            let holder = CertificateHolder {
                fingerprint: fingerprint.into(),
                serial: "1".into(),
                tpp: tpp.id.clone(),
                name: tpp.name.clone(),
                roles: tpp.roles.clone(),
                not_before: end,
                not_after: end,
                signing_key: None,
            };
            CertificateRecord::first_seen(holder, end)
        };
        // "aa" and "bb" are those that the third party registered and was recognised with.
        let all = ["aa", "bb", "cc"];
        let changes = all.iter().fold(Changes::new().put_tpp(&tpp), |changes, fingerprint| {
            changes.put_certificate(&certificate(fingerprint))
        });
        store.save(changes).await.unwrap();
        let forget_at = certificate("cc").holder.forget_at();
        let later = forget_at + std::time::Duration::from_secs(1);
        let forget = async |before| store.forget(Perishable::Certificate, &tenant, before, 9).await.unwrap();
        assert_eq!(forget(forget_at).await, 0);
        assert_eq!(forget(later).await, 3, "all are looked at");
        assert_eq!(forget(later).await, 0, "and those that stay are not looked at again soon");
        for (fingerprint, is_kept) in [("aa", true), ("bb", true), ("cc", false)] {
            assert_eq!(store.certificate(fingerprint).await.unwrap().is_some(), is_kept, "{fingerprint}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_row_that_moved_on_is_a_conflict_and_nothing_of_the_batch_stays() {
    on_each(async |store| {
        let first = tpp("PSDNL-DNB-1");
        store.save(Changes::new().put_tpp(&first)).await.unwrap();
        let batch = Changes::new().put_tpp(&tpp("PSDNL-DNB-2")).put_tpp(&first);
        assert!(matches!(store.save(batch).await, Err(StoreError::Conflict)));
        assert_eq!(store.tpp(&TppId::new("PSDNL-DNB-2")).await.unwrap(), None);
        let loaded = store.tpp(&first.id).await.unwrap().unwrap();
        store.save(Changes::new().put_tpp(&loaded)).await.unwrap();
        assert!(matches!(store.save(Changes::new().put_tpp(&loaded)).await, Err(StoreError::Conflict)));
        assert_eq!(store.tpp(&first.id).await.unwrap().unwrap().version, 2);
    })
    .await;
}

#[tokio::test]
async fn changes_of_two_makers_are_one_batch() {
    on_each(async |store| {
        let [first, second] = ["PSDNL-DNB-1", "PSDNL-DNB-2"].map(tpp);
        let both = || Changes::new().put_tpp(&first).and(Changes::new().put_tpp(&second));
        store.save(both()).await.unwrap();
        assert_eq!(store.tpps().await.unwrap().len(), 2);
        let third = Changes::new().put_tpp(&tpp("PSDNL-DNB-3"));
        assert!(matches!(store.save(third.and(both())).await, Err(StoreError::Conflict)));
        assert_eq!(store.tpps().await.unwrap().len(), 2);
    })
    .await;
}

/// What a certificate says about its holder, with the key that signs or without.
fn holder(key: Option<&str>, now: Timestamp) -> CertificateHolder {
    CertificateHolder {
        fingerprint: "ff".into(),
        serial: "1".into(),
        tpp: TppId::new("PSDNL-DNB-1"),
        name: "TPP".into(),
        roles: eidas::Role::THIRD_PARTY.to_vec(),
        not_before: now,
        not_after: now,
        signing_key: key.map(str::to_owned),
    }
}

#[tokio::test]
async fn the_key_of_a_certificate_can_be_added_later_and_is_not_replaced() {
    on_each(async |store| {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(store.has_signing_key("ff").await.unwrap(), None);
        let record = CertificateRecord::first_seen(holder(None, now), now);
        store.save(Changes::new().put_certificate(&record)).await.unwrap();
        assert_eq!(store.has_signing_key("ff").await.unwrap(), Some(false));
        for key in ["PEM", "another"] {
            store.save(Changes::new().set_signing_key(&holder(Some(key), now))).await.unwrap();
            let known = store.certificate("ff").await.unwrap().unwrap().holder.signing_key;
            assert_eq!(known.as_deref(), Some("PEM"));
        }
    })
    .await;
}

#[tokio::test]
async fn the_path_of_a_certificate_is_kept_with_it_and_replaced() {
    on_each(async |store| {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let record = CertificateRecord::first_seen(holder(None, now), now);
        store.save(Changes::new().put_certificate(&record)).await.unwrap();
        assert_eq!(store.certificate_path("ff").await.unwrap(), None, "nothing was kept of it");
        let path = ["MAA=".to_owned(), "MQA=".to_owned()];
        for path in [&path[..1], &path] {
            store.save(Changes::new().keep_path("ff", path)).await.unwrap();
            assert_eq!(store.certificate_path("ff").await.unwrap().unwrap(), path);
        }
        // Whatever becomes of the row otherwise.
        let revoked =
            CertificateRecord { status: CertificateStatus::Revoked { at: now }, version: 1, ..record };
        store.save(Changes::new().put_certificate(&revoked)).await.unwrap();
        assert_eq!(store.certificate_path("ff").await.unwrap().unwrap(), path);
        let unknown = store.save(Changes::new().keep_path("00", &path)).await;
        assert!(matches!(unknown, Err(StoreError::Conflict)), "{unknown:?}");
        assert_eq!(store.certificate_path("00").await.unwrap(), None);
    })
    .await;
}

/// Reads between two waits may share one state of the database. What the call itself wrote, and what others wrote before
/// it waited, is in the next one.
#[tokio::test]
async fn a_snapshot_hides_nothing_that_was_there_when_it_began() {
    on_each(async |store| {
        // Each thread has a connection to read on once it has read.
        assert_eq!(store.tpp(&TppId::new("PSDNL-DNB-1")).await.unwrap(), None);
        store
            .in_snapshots(async {
                for id in ["PSDNL-DNB-1", "PSDNL-DNB-2"] {
                    assert_eq!(store.tpp(&TppId::new(id)).await.unwrap(), None);
                    store.save(Changes::new().put_tpp(&tpp(id))).await.unwrap();
                    assert!(store.tpp(&TppId::new(id)).await.unwrap().is_some(), "{id}");
                }
                let other = store.clone();
                let other = async move { other.save(Changes::new().put_tpp(&tpp("PSDNL-DNB-3"))).await };
                tokio::spawn(other).await.unwrap().unwrap();
                assert!(store.tpp(&TppId::new("PSDNL-DNB-3")).await.unwrap().is_some());
            })
            .await;
        // Memory that was given back is read again.
        store.rest();
        store.rest();
        assert_eq!(store.tpps().await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_lose_nothing() {
    on_each(async |store| {
        let tasks: Vec<_> = (0..500)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    let tpp = tpp(&format!("PSDNL-DNB-{n}"));
                    store.save(Changes::new().put_tpp(&tpp)).await.unwrap();
                    assert!(store.tpp(&tpp.id).await.unwrap().is_some(), "read after write");
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_saved_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = Store::open(&path).unwrap();
    store.save(Changes::new().put_tpp(&tpp("PSDNL-DNB-1"))).await.unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert!(store.tpp(&TppId::new("PSDNL-DNB-1")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    let newer = "UPDATE schema_version SET version = 999; UPDATE schema_floors SET serves_from = 998";
    connection.execute_batch(newer).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Newer { found: 999, .. })));
    // One that says nothing of those before it is of no use to them.
    connection.execute_batch("DELETE FROM schema_floors").unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Newer { found: 999, .. })));
}

/// A newer program only added what this one need not know: this one goes on, and leaves the number as it is.
#[tokio::test]
async fn a_database_that_a_newer_program_only_added_to_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    let newer = "ALTER TABLE tpps ADD COLUMN added TEXT; UPDATE schema_version SET version = 999";
    connection.execute_batch(newer).unwrap();
    let store = Store::open(&path).unwrap();
    store.save(Changes::new().put_tpp(&tpp("PSDNL-DNB-1"))).await.unwrap();
    let versions = "SELECT version, serves_from FROM schema_version, schema_floors WHERE name = 'gateway'";
    let kept = connection.query_row(versions, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(kept, (999_i64, 21_i64));
}

#[tokio::test]
async fn an_older_database_is_brought_up_to_date_with_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    for migration in [
        include_str!("../../migrations/0001_onboarding.sql"),
        include_str!("../../migrations/0002_consents.sql"),
        include_str!("../../migrations/0003_books.sql"),
        include_str!("../../migrations/0004_payments.sql"),
        "CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (4)",
    ] {
        connection.execute_batch(migration).unwrap();
    }
    for (id, access) in [("a", r#"{"Chosen":{"balances":true,"transactions":true}}"#), ("b", "{}")] {
        let insert = "INSERT INTO consents VALUES (?1, 'tpp', 'nl', ?2, '[]', 1, '2026-01-01', 4, 0, NULL, 'pending', 0, 1)";
        connection.execute(insert, [id, access]).unwrap();
    }
    drop(connection);
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    let kept = |id: &str| -> i64 {
        let select = "SELECT needs_confirmation FROM consents WHERE id = ?1";
        connection.query_row(select, [id], |row| row.get(0)).unwrap()
    };
    assert_eq!((kept("a"), kept("b")), (0, 1));
}

#[tokio::test]
async fn a_row_that_breaks_its_type_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = Store::open(&path).unwrap();
    store.save(Changes::new().put_tpp(&tpp("PSDNL-DNB-1"))).await.unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("UPDATE tpps SET roles = '[\"PSP_XX\"]'", []).unwrap();
    let read = store.tpp(&TppId::new("PSDNL-DNB-1")).await;
    assert!(matches!(read, Err(StoreError::Corrupt { table: "tpps", column: "roles", .. })));
}
