//! Tables and statements of another crate, on the same seam as those of the gateway.

use domain::Timestamp;
use store::tables::{Columns, Cursor, Rows, Tables, select};
use store::{Changes, PrivateState, Store, StoreError};

use crate::databases::on_each;

const FIRST: &str = "CREATE TABLE birds (id TEXT PRIMARY KEY, seen_at BIGINT NOT NULL)";
const SECOND: &str = "ALTER TABLE birds ADD COLUMN name TEXT";

const THIRD: &str = "ALTER TABLE birds ADD COLUMN song TEXT";

const BIRD: Columns = Columns::of("birds", "id, seen_at, name");

type Bird = (String, Timestamp, Option<String>);

fn read(row: &mut Cursor<'_>) -> Result<Bird, StoreError> {
    Ok((row.text()?, row.time()?, row.optional_text()?))
}

async fn bird(store: &Store, id: &str) -> Result<Option<Bird>, StoreError> {
    store.find(select!(BIRD; "FROM birds WHERE id = $1"), &[id.into()], read).await
}

fn add(id: &str, name: Option<&str>) -> Changes {
    let insert = "INSERT INTO birds (id, seen_at, name) VALUES ($1, $2, $3)";
    Changes::new().push(insert, vec![id.into(), 1.into(), name.into()], Rows::One)
}

#[tokio::test]
async fn another_crate_has_tables_of_its_own_in_the_same_transactions() {
    on_each(async |store| {
        assert!(matches!(
            bird(&store, "a").await,
            Err(StoreError::Unavailable(_) | StoreError::Violation(_))
        ));
        store.add_tables(Tables { name: "birds", migrations: &[FIRST], serves_from: 1 }).await.unwrap();
        let both = Tables { name: "birds", migrations: &[FIRST, SECOND], serves_from: 2 };
        // What was run is not run again.
        store.add_tables(both).await.unwrap();
        store.add_tables(both).await.unwrap();
        let newer = store.add_tables(Tables { migrations: &[FIRST], ..both }).await;
        assert!(matches!(newer, Err(StoreError::Newer { found: 2, known: 1 })), "{newer:?}");
        // One more that only adds: programs before it go on.
        let more = Tables { migrations: &[FIRST, SECOND, THIRD], ..both };
        store.add_tables(more).await.unwrap();
        store.add_tables(both).await.unwrap();
        store.add_tables(more).await.unwrap();

        let entry = PrivateState {
            owner: "o",
            kind: "k",
            key: "1".into(),
            value: "v".into(),
            life: None,
            version: 0,
        };
        store.save(add("a", Some("owl")).and(Changes::new().put_private_state(&entry))).await.unwrap();
        let seen = Timestamp::from_second(1).unwrap();
        let owl = ("a".to_owned(), seen, Some("owl".to_owned()));
        assert_eq!(bird(&store, "a").await.unwrap(), Some(owl.clone()));
        // The entry is there already, so that there is no bird.
        let clash = add("b", None).and(Changes::new().put_private_state(&entry));
        assert!(matches!(store.save(clash).await, Err(StoreError::Conflict)));
        let rename = |id: &str| {
            let update = "UPDATE birds SET name = $1 WHERE id = $2";
            Changes::new().push(update, vec!["kite".into(), id.into()], Rows::One)
        };
        assert!(matches!(store.save(rename("b")).await, Err(StoreError::Conflict)), "one row has to change");
        let all = select!(BIRD; "FROM birds ORDER BY id /* the whole table */");
        assert_eq!(store.list(all, &[], read).await.unwrap(), [owl]);
        // What cannot be read is named by table, column and row.
        let untold = "INSERT INTO birds (id, seen_at) VALUES ($1, $2)";
        store.save(Changes::new().push(untold, vec!["c".into(), i64::MAX.into()], Rows::One)).await.unwrap();
        match bird(&store, "c").await {
            Err(StoreError::Corrupt { table: "birds", column: "seen_at", row, .. }) => assert_eq!(row, "c"),
            other => panic!("{other:?}"),
        }
    })
    .await;
}

/// A migration that cannot be run leaves nothing of those that were to run with it.
#[tokio::test]
async fn tables_are_added_whole_or_not_at_all() {
    on_each(async |store| {
        let broken =
            Tables { name: "birds", migrations: &[FIRST, "CREATE TABLE birds (id TEXT)"], serves_from: 1 };
        assert!(store.add_tables(broken).await.is_err());
        store
            .add_tables(Tables { name: "birds", migrations: &[FIRST, SECOND], serves_from: 2 })
            .await
            .unwrap();
        assert_eq!(bird(&store, "a").await.unwrap(), None);
    })
    .await;
}
