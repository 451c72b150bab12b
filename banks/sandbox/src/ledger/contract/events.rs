//! What a gateway in front of the bank is told.

use std::collections::BTreeSet;

use gateway::domain::Timestamp;
use store::{Changes, StoreError};

use super::on_each;
use crate::ledger::Told;
use crate::ledger::events::EventChanges;

fn closed(account: &str) -> Told {
    Told::Closed { account: account.to_owned() }
}

#[tokio::test]
async fn events_are_numbered_in_the_order_in_which_they_were_written() {
    on_each(async |store| {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let nothing = store.telling(Changes::new(), at, || closed("untold"));
        store.save(nothing).await.unwrap();
        assert_eq!(store.events_behind(0, 10).await.unwrap(), [], "nobody is told");
        store.tell("mark");
        store.save(store.telling(Changes::new(), at, || closed("a"))).await.unwrap();
        store.save(Changes::new().add_event(at, &closed("b")).add_event(at, &closed("c"))).await.unwrap();
        let writes = (0..8).map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..5 {
                    let told = closed(&format!("{writer}.{number}"));
                    // Another one was faster.
                    while let Err(error) = store.save(Changes::new().add_event(at, &told)).await {
                        assert!(matches!(error, StoreError::Conflict), "{error:?}");
                    }
                }
            })
        });
        for write in writes.collect::<Vec<_>>() {
            write.await.unwrap();
        }
        let all = store.events_behind(0, 100).await.unwrap();
        assert_eq!(all.iter().map(|event| event.number).collect::<Vec<_>>(), (1..=43).collect::<Vec<_>>());
        let told: BTreeSet<_> = all.iter().map(|event| format!("{:?}", event.told)).collect();
        assert_eq!(told.len(), 43, "each once");
        assert_eq!(store.events_behind(41, 1).await.unwrap(), all[41..42]);
        assert_eq!(store.event(2).await.unwrap().as_ref(), Some(&all[1]));
        assert_eq!((all[1].at, &all[1].told), (at, &closed("b")));
        assert_eq!(store.event(44).await.unwrap(), None);
    })
    .await;
}
