//! What the bank's staff looks for, and the trail of what was done.

use domain::audit::Head;
use domain::{Block, Tenant, Timestamp, Tpp, TppId};
use store::{AuditGroup, AuditKind, Changes, Perishable, Store, StoreError};

use crate::databases::on_each;
use crate::tpp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn save(store: &Store, id: &str, name: &str, blocked: Option<i64>) {
    let blocked = blocked.map(|second| Block { at: at(second), until: None });
    let tpp = Tpp { name: name.to_owned(), blocked, ..tpp(id) };
    store.save(Changes::new().put_tpp(&tpp)).await.unwrap();
}

fn ids(found: Vec<Tpp>) -> Vec<String> {
    found.into_iter().map(|tpp| tpp.id.to_string()).collect()
}

#[tokio::test]
async fn third_parties_are_found_by_name_number_and_block() {
    on_each(async |store| {
        for (id, name, blocked) in [
            ("PSDNL-DNB-R1", "Alpha B.V.", Some(5)),
            ("PSDNL-DNB-R2", "ALPINE", None),
            ("PSDDE-BAFIN-R1", "alpha gmbh", Some(7)),
            ("PSDDE-BAFIN-R-9", "Ülpha", Some(5)),
            ("bunq-user-4", "beta", None),
        ] {
            save(&store, id, name, blocked).await;
        }
        let named = async |beginning: &str, after: (&str, &str), limit| {
            ids(store.tpps_named(beginning, after, limit).await.unwrap())
        };
        assert_eq!(named("alp", ("", ""), 9).await, ["PSDNL-DNB-R1", "PSDDE-BAFIN-R1", "PSDNL-DNB-R2"]);
        assert_eq!(named("alp", ("", ""), 1).await, ["PSDNL-DNB-R1"]);
        let rest = named("alp", ("alpha b.v.", "PSDNL-DNB-R1"), 9).await;
        assert_eq!(rest, ["PSDDE-BAFIN-R1", "PSDNL-DNB-R2"]);
        assert_eq!(named("", ("beta", "bunq-user-4"), 9).await, ["PSDDE-BAFIN-R-9"]);
        assert_eq!(named("Ül", ("", ""), 9).await, ["PSDDE-BAFIN-R-9"], "as it is written");
        assert_eq!(named("x%", ("", ""), 9).await, [""; 0]);

        let numbered = async |number: &str| ids(store.tpps_numbered(number).await.unwrap());
        assert_eq!(numbered("R1").await, ["PSDDE-BAFIN-R1", "PSDNL-DNB-R1"]);
        assert_eq!(numbered("R-9").await, ["PSDDE-BAFIN-R-9"]);
        assert_eq!(numbered("R").await, [""; 0]);

        let blocked =
            async |after: (Timestamp, &str), limit| ids(store.blocked_tpps(after, limit).await.unwrap());
        let all = blocked((Timestamp::MAX, ""), 9).await;
        assert_eq!(all, ["PSDDE-BAFIN-R1", "PSDDE-BAFIN-R-9", "PSDNL-DNB-R1"]);
        assert_eq!(blocked((at(5), "PSDDE-BAFIN-R-9"), 9).await, ["PSDNL-DNB-R1"]);
    })
    .await;
}

#[tokio::test]
async fn lists_go_from_the_greatest_id_on() {
    on_each(async |store| {
        // What is in the rows is told in the tests of consents and payments.
        let nobody = TppId::new("PSDNL-DNB-R1");
        for tpp in [None, Some(&nobody)] {
            assert!(store.consents_before(tpp, "z", 9).await.unwrap().is_empty());
            assert!(store.funds_consents_before(tpp, "z", 9).await.unwrap().is_empty());
            assert!(store.payments_before(tpp, "z", 9).await.unwrap().is_empty());
        }
    })
    .await;
}

/// Adds entries behind a head.
async fn add(
    store: &Store,
    before: &Head,
    (kind, second): (AuditKind, i64),
    texts: &[&str],
) -> Result<Head, StoreError> {
    let (entries, head) = before.followed_by(texts.iter().map(|text| (*text).to_owned()));
    store.save(Changes::new().add_audit((kind, at(second)), before, (&entries, &head))).await?;
    Ok(head)
}

#[tokio::test]
async fn the_trail_is_one_chain_whoever_writes_it() {
    on_each(async |store| {
        let start = Head::default();
        assert_eq!(store.audit_head().await.unwrap(), (start.clone(), Timestamp::UNIX_EPOCH));
        let one = add(&store, &start, (AuditKind::Calls, 5), &["{\"a\":\"\\n ü\"}", "b"]).await.unwrap();
        // Somebody else who made theirs for the same head has to make it anew.
        let late = add(&store, &start, (AuditKind::Acts, 5), &["x"]).await;
        assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
        let two = add(&store, &one, (AuditKind::Acts, 5), &["c"]).await.unwrap();
        let three = add(&store, &two, (AuditKind::Calls, 7), &["d"]).await.unwrap();
        assert_eq!(store.audit_head().await.unwrap(), (three, at(7)));

        let all = store.audit_groups(0, None, 9).await.unwrap();
        let texts = |groups: &[AuditGroup]| -> Vec<(i64, String)> {
            let entries = groups.iter().flat_map(|group| group.entries.clone());
            entries.map(|entry| (entry.number, entry.text)).collect()
        };
        let expected = [(1, "{\"a\":\"\\n ü\"}"), (2, "b"), (3, "c"), (4, "d")];
        assert_eq!(texts(&all), expected.map(|(number, text)| (number, text.to_owned())));
        let befores: Vec<_> = all.iter().map(|group| group.before.clone()).collect();
        assert_eq!(befores, [start, one, two.clone()]);
        let acts = store.audit_groups(0, Some(AuditKind::Acts), 9).await.unwrap();
        assert_eq!(texts(&acts), [(3, "c".to_owned())]);
        let calls = store.audit_groups(1, Some(AuditKind::Calls), 1).await.unwrap();
        assert_eq!(texts(&calls), [(4, "d".to_owned())]);

        // What is old goes from the beginning on.
        let nl = Tenant::parse("nl").unwrap();
        assert_eq!(store.forget(Perishable::Audit, &nl, at(6), 1).await.unwrap(), 1);
        assert_eq!(store.audit_groups(0, None, 1).await.unwrap()[0].entries[0].number, 3);
        assert_eq!(store.forget(Perishable::Audit, &nl, at(6), 9).await.unwrap(), 1);
        assert_eq!(store.audit_groups(0, None, 9).await.unwrap()[0].before, two);
    })
    .await;
}
