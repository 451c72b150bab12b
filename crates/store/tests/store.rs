//! The store from outside: each test on a file and in memory.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use domain::{
    CertificateHolder, CertificateKind, CertificateRecord, CertificateStatus, InitialAccessToken,
    RedirectUris, SecretHash, Tenant, Timestamp, Tpp, TppId,
};
use store::{Changes, PrivateState, Store, StoreError};

fn tpp(id: &str) -> Tpp {
    Tpp {
        id: TppId::new(id),
        name: "TPP with 'quotes' and ü".into(),
        roles: eidas::Role::THIRD_PARTY.to_vec(),
        certificate: "aa".into(),
        redirect_uris: RedirectUris::from_stored(vec!["https://a.example/\"x\"".into()]),
        sector_identifier_uri: String::new(),
        secret: SecretHash::from_hex("00ff"),
        registered_at: Timestamp::from_second(1_700_000_000).unwrap(),
        version: 0,
    }
}

/// Runs a test on both kinds of database.
async fn on_both(test: impl AsyncFn(Store)) {
    let folder = tempfile::tempdir().unwrap();
    test(Store::open(&folder.path().join("db")).unwrap()).await;
    test(Store::in_memory().unwrap()).await;
}

#[tokio::test]
async fn rows_come_back_as_they_went_in() {
    on_both(async |store| {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut tpp = tpp("PSDNL-DNB-1");
        let certificate = CertificateRecord {
            holder: CertificateHolder {
                fingerprint: "ff".into(),
                serial: "1".into(),
                tpp: tpp.id.clone(),
                name: tpp.name.clone(),
                roles: tpp.roles.clone(),
            },
            kind: CertificateKind::QSeal,
            recorded_at: now,
            status: CertificateStatus::Revoked { at: now },
            version: 0,
        };
        let tenant = Tenant::parse("nl").unwrap();
        let hash = SecretHash::from_hex("ab");
        let token = InitialAccessToken::issue(hash.clone(), "ff".into(), tenant.clone(), now);
        let state = PrivateState { owner: "o", kind: "k", key: "1".into(), value: "{}".into(), version: 0 };
        let changes = Changes::new()
            .put_tpp(&tpp)
            .put_certificate(&certificate)
            .add_initial_access_token(&token)
            .put_private_state(&state);
        store.save(changes).await.unwrap();

        tpp.version = 1;
        assert_eq!(store.tpp(&tpp.id).await.unwrap(), Some(tpp.clone()));
        let stored = CertificateRecord { version: 1, ..certificate };
        assert_eq!(store.certificate_status("ff").await.unwrap(), Some(stored.status));
        assert_eq!(store.certificate("ff").await.unwrap(), Some(stored.clone()));
        assert_eq!(store.certificates().await.unwrap(), std::slice::from_ref(&stored));
        assert_eq!(store.revoked_certificates().await.unwrap(), [stored]);
        assert!(store.active_certificates(&tpp.id, CertificateKind::QSeal).await.unwrap().is_empty());
        assert_eq!(store.initial_access_token(&hash).await.unwrap(), Some(token));
        assert_eq!(store.private_states("o", "k").await.unwrap(), [PrivateState { version: 1, ..state }]);
        assert_eq!(store.private_state("o", "k", "2").await.unwrap(), None);

        let later = now + jiff_day() * 2;
        store.save(Changes::new().forget_initial_access_tokens(&tenant, later)).await.unwrap();
        assert_eq!(store.initial_access_token(&hash).await.unwrap(), None);
    })
    .await;
}

fn jiff_day() -> std::time::Duration {
    std::time::Duration::from_secs(86_400)
}

#[tokio::test]
async fn a_row_that_moved_on_is_a_conflict_and_nothing_of_the_batch_stays() {
    on_both(async |store| {
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

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_lose_nothing() {
    on_both(async |store| {
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
    connection.execute("UPDATE schema_version SET version = 999", []).unwrap();
    drop(connection);
    assert!(matches!(Store::open(&path), Err(StoreError::Newer { found: 999, known: 3 })));
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
    assert!(matches!(read, Err(StoreError::Corrupt("tpps.roles"))));
}
