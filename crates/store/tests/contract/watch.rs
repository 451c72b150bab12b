//! What whoever watches a store is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use store::{Changes, Load, Outcome, PrivateState, Store, StoreError, Watch, Work};

use crate::databases::on_each;

/// What a store told.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<(Work, Outcome)>>);

impl Watch for Told {
    fn did(&self, work: Work, outcome: Outcome, took: Duration) {
        assert!(took < Duration::from_secs(60));
        self.0.lock().unwrap().push((work, outcome));
    }
}

#[tokio::test]
async fn whoever_watches_is_told_of_each_read_and_each_batch() {
    on_each(async |store| {
        let told = Arc::new(Told::default());
        let store = store.watched_by(told.clone());
        let (key, value) = ("1".into(), "{}".into());
        let state = PrivateState { owner: "o", kind: "k", key, value, life: None, version: 0 };
        let save = || store.save(Changes::new().put_private_state(&state));
        save().await.unwrap();
        assert!(matches!(save().await, Err(StoreError::Conflict)));
        assert!(store.clone().private_state("o", "k", "1").await.unwrap().is_some());
        assert_eq!(store.private_states("o", "k").await.unwrap().len(), 1);
        let told = std::mem::take(&mut *told.0.lock().unwrap());
        let expected = [
            (Work::Batch, Outcome::Done),
            (Work::Batch, Outcome::Conflict),
            (Work::Read, Outcome::Done),
            (Work::Read, Outcome::Done),
        ];
        assert_eq!(told, expected);
        assert_eq!(Outcome::ALL.map(Outcome::name), ["done", "conflict", "failed"]);
        match store.load() {
            Load::Queue { waiting, most } => assert!(waiting == 0 && most > 1000),
            Load::Connections { busy, idle, most } => assert!(busy == 0 && idle >= 1 && idle <= most),
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_that_was_replaced_is_left_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db")).unwrap();
    let state = |value: &str, version| PrivateState {
        owner: "o",
        kind: "k",
        key: "1".into(),
        value: value.into(),
        life: None,
        version,
    };
    for (version, value) in ["swordfish".repeat(2000), "{}".to_owned()].iter().enumerate() {
        let version = i64::try_from(version).unwrap();
        store.save(Changes::new().put_private_state(&state(value, version))).await.unwrap();
    }
    let is_there = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().any(|path| {
            let octets = std::fs::read(path).unwrap();
            octets.windows(9).any(|window| window == b"swordfish")
        })
    };
    assert!(is_there(), "it is in the log, or in pages that are free");
    store.compact().unwrap();
    assert!(!is_there());
    assert_eq!(store.private_state("o", "k", "1").await.unwrap().unwrap().value, "{}");
}
