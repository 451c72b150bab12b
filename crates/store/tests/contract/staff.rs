//! What the bank's staff looks for, and the trail of what was done.

use domain::audit::Head;
use domain::{
    Access, Block, Consent, ConsentId, ConsentRequest, ConsentRules, CustomerId, Date, Interface, Tenant,
    Timestamp, Tpp, TppId,
};
use store::{AuditGroup, AuditKind, AuditPlace, Changes, OldGroup, Store, StoreError};

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
async fn nothing_is_written_for_a_third_party_that_is_blocked() {
    on_each(async |store| {
        let written = async |id: &str, second| {
            let changes = Changes::new().unless_blocked(&TppId::new(id), at(second));
            store.save(changes.delete_private_state("o", "k", "a")).await
        };
        save(&store, "PSDNL-DNB-R1", "Alpha", None).await;
        save(&store, "PSDNL-DNB-R2", "Beta", Some(5)).await;
        let until = Some(Block { at: at(5), until: Some(at(8)) });
        let gamma = Tpp { blocked: until, ..tpp("PSDNL-DNB-R3") };
        store.save(Changes::new().put_tpp(&gamma)).await.unwrap();
        for (id, second) in [("PSDNL-DNB-R1", 6), ("PSDNL-DNB-R3", 8), ("PSDNL-DNB-R3", 9)] {
            written(id, second).await.unwrap();
        }
        for (id, second) in [("PSDNL-DNB-R2", 6), ("PSDNL-DNB-R3", 7), ("PSDNL-DNB-R4", 6)] {
            let refused = written(id, second).await;
            assert!(matches!(refused, Err(StoreError::Conflict)), "{id} {second}: {refused:?}");
        }
        // It stays as it is: nobody who changes it meanwhile is in the way.
        assert_eq!(store.tpp(&TppId::new("PSDNL-DNB-R1")).await.unwrap().unwrap().version, 1);
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
        let (whose, span) = ((&Tenant::parse("nl").unwrap(), &nobody), (Timestamp::MIN, Timestamp::MAX));
        assert!(store.undecided_consents(whose, span, 9).await.unwrap().is_empty());
        assert!(store.undecided_funds_consents(whose, span, 9).await.unwrap().is_empty());
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
    store.save(Changes::new().add_audit((kind, at(second), None), before, (&entries, &head))).await?;
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

        // What is old goes from the beginning on, once.
        let firsts = |old: &[OldGroup]| old.iter().map(|group| group.first).collect::<Vec<_>>();
        assert_eq!(firsts(&store.audit_before(at(5), 9).await.unwrap()), [0; 0]);
        assert_eq!(firsts(&store.audit_before(at(8), 2).await.unwrap()), [1, 3]);
        let old = store.audit_before(at(6), 9).await.unwrap();
        assert_eq!(firsts(&old), [1, 3]);
        assert_eq!(old[1].written_at, at(5));
        let forget = || old.iter().fold(Changes::new(), |changes, group| changes.forget_audit(group));
        store.save(forget()).await.unwrap();
        assert_eq!(store.audit_groups(0, None, 9).await.unwrap()[0].before, two);
        let again = store.save(forget()).await;
        assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn what_stood_in_a_spool_is_written_once() {
    on_each(async |store| {
        let place = |spool: &str, from, until| AuditPlace { spool: spool.to_owned(), from, until };
        let add = async |place: &AuditPlace| {
            let (before, _) = store.audit_head().await.unwrap();
            let (entries, head) = before.followed_by(["x".to_owned()]);
            let added = (AuditKind::Calls, at(5), Some(place));
            store.save(Changes::new().add_audit(added, &before, (&entries, &head))).await
        };
        assert_eq!(store.audit_taken("a").await.unwrap(), 0);
        add(&place("a", 70, 100)).await.unwrap();
        add(&place("b", 70, 900)).await.unwrap();
        add(&place("a", 100, 2000)).await.unwrap();
        assert_eq!(store.audit_taken("a").await.unwrap(), 2000);
        assert_eq!(store.audit_taken("b").await.unwrap(), 900);
        // Whoever took it without knowing that somebody did.
        for (from, until) in [(70, 100), (100, 2500)] {
            let again = add(&place("a", from, until)).await;
            assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
        }
        assert_eq!(store.audit_head().await.unwrap().0.number, 3);
    })
    .await;
}

#[tokio::test]
async fn a_consent_is_erased_as_it_was_loaded() {
    on_each(async |store| {
        let nl = Tenant::parse("nl").unwrap();
        let access = Access::Chosen { balances: true, transactions: true };
        let request = ConsentRequest {
            access,
            recurring: true,
            valid_until: Date::MAX,
            frequency_per_day: 4,
            combined_service: false,
            redirect_uri: String::new(),
        };
        let rules = ConsentRules {
            max_days: 180,
            max_frequency: 4,
            max_references: 100,
            waits: jiff::SignedDuration::from_hours(24),
            history_days: 90,
            unasked_days: 90,
        };
        let who = (TppId::new("PSDNL-DNB-R1"), nl.clone(), Interface::BerlinGroup);
        let asked = Consent::request(ConsentId::new("c"), who, request, at(9), &rules).unwrap();
        store.save(Changes::new().put_consent(&asked)).await.unwrap();
        let stale = store.save(Changes::new().erase_consent(&asked)).await;
        assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
        let stored = store.consent(&asked.id).await.unwrap().unwrap();
        let customer = CustomerId::new("p");
        let erased = Changes::new().erase_sessions(&nl, &customer).erase_consent(&stored);
        store.save(erased).await.unwrap();
        assert_eq!(store.consent(&asked.id).await.unwrap(), None);
    })
    .await;
}
