//! What a bank took to make.

use std::collections::BTreeMap;

use gateway::domain::{
    AccountId, AccountStatus, Counterparty, Currency, Execution, Money, PaymentId, PaymentTerms, Product,
    RejectReason, Tenant, Timestamp, TransactionStatus, Transfer,
};
use store::{Changes, StoreError};

use super::on_each;
use crate::ledger::orders::Leg;
use crate::ledger::{AccountChanges, BookedAccount, Order, OrderChanges, Posting, Step};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn nl() -> Tenant {
    Tenant::parse("nl").unwrap()
}

fn order(payment: &str) -> Order {
    let transfer = Transfer {
        creditor: Counterparty { name: Some("Zoë 'Vries'".into()), iban: None },
        amount: Money { minor: 1250, currency: Currency::EUR },
        remittance: None,
        end_to_end_id: Some("E1".into()),
        routing: None,
    };
    Order {
        payment: PaymentId::new(payment),
        tenant: nl(),
        account: AccountId::new("euro"),
        terms: PaymentTerms {
            execution: Execution::On("2027-02-01".parse().unwrap()),
            ..PaymentTerms::AT_ONCE
        },
        transfers: vec![transfer; 2],
        step: Step::Execute,
        due_at: Some(at(10)),
        status: TransactionStatus::Actc,
        reason: None,
        since: at(0),
        refused: BTreeMap::new(),
        reserved: 0,
        executions: 0,
        version: 0,
    }
}

#[tokio::test]
async fn orders_wait_for_their_time() {
    on_each(async |store| {
        let (a, b) = (order("a"), Order { due_at: Some(at(5)), ..order("b") });
        let elsewhere = Order { tenant: Tenant::parse("uk").unwrap(), due_at: Some(at(1)), ..order("c") };
        let ended = Order { due_at: None, step: Step::Ended, ..order("d") };
        for order in [&a, &b, &elsewhere, &ended] {
            store.save(Changes::new().put_order(order)).await.unwrap();
        }
        assert_eq!(store.order(&a.payment).await.unwrap(), Some(Order { version: 1, ..a.clone() }));
        assert_eq!(store.order(&PaymentId::new("z")).await.unwrap(), None);
        let due = async |now, limit| {
            let due = store.due_orders(&nl(), at(now), limit).await.unwrap();
            due.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(due(4, 9).await, Vec::<String>::new());
        assert_eq!(due(10, 9).await, ["b", "a"]);
        assert_eq!(due(10, 1).await, ["b"]);
        let next = async |after| store.next_due_order(&nl(), at(after)).await.unwrap();
        assert_eq!((next(0).await, next(5).await, next(10).await), (Some(at(5)), Some(at(10)), None));
        // An order is taken once, and changed by whoever saw its last version.
        let again = store.save(Changes::new().put_order(&a)).await;
        assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
        for (place, step) in
            [Step::Execute, Step::Book, Step::Credit, Step::Made, Step::Ended].into_iter().enumerate()
        {
            let changed = Order {
                step,
                due_at: None,
                status: TransactionStatus::Part,
                reason: Some(RejectReason::Am04),
                since: at(11),
                refused: BTreeMap::from([(1, RejectReason::Ac01)]),
                reserved: 1250,
                executions: 1,
                version: 1 + i64::try_from(place).unwrap(),
                ..a.clone()
            };
            store.save(Changes::new().put_order(&changed)).await.unwrap();
            let stored = Order { version: changed.version + 1, ..changed };
            assert_eq!(store.order(&a.payment).await.unwrap().as_ref(), Some(&stored));
            assert_eq!(store.reserved_orders(&a.account).await.unwrap(), [stored]);
        }
        assert_eq!(due(10, 9).await, ["b"]);
        assert_eq!(store.reserved_orders(&AccountId::new("other")).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn money_is_set_aside_by_whoever_saw_the_account_last() {
    on_each(async |store| {
        let account = BookedAccount {
            account: gateway::domain::Account {
                id: AccountId::new("euro"),
                iban: gateway::domain::Iban::from_stored("NL05TRIO0123456789".to_owned()),
                currency: Currency::EUR,
                product: Product::Current,
                name: "Current account".into(),
                status: AccountStatus::Enabled,
            },
            tenant: nl(),
            credit_limit: 0,
            reserved: 0,
            version: 0,
        };
        store.save(Changes::new().add_account(&account)).await.unwrap();
        let id = &account.account.id;
        store.save(Changes::new().reserve(id, 700, 1)).await.unwrap();
        assert_eq!(
            store.account(id).await.unwrap().map(|known| (known.reserved, known.version)),
            Some((700, 2))
        );
        let stale = store.save(Changes::new().reserve(id, 0, 1)).await;
        assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    })
    .await;
}

#[tokio::test]
async fn an_entry_has_its_sides() {
    on_each(async |store| {
        let day = "2026-01-01".parse().unwrap();
        let side = |account: &str, amount, entered_at| Posting {
            entry: "one".into(),
            account: AccountId::new(account),
            entered_on: day,
            booking_date: day,
            sequence: 0,
            value_date: day,
            amount,
            balance_after: None,
            place: None,
            counterparty: Counterparty::default(),
            remittance: None,
            code: None,
            end_to_end_id: None,
            entered_at,
        };
        let changes =
            Changes::new().add_posting(&side("b", -5, Some(at(0)))).add_posting(&side("a", 5, None));
        store.save(changes).await.unwrap();
        let leg =
            |account: &str, amount, entered_at| Leg { account: AccountId::new(account), amount, entered_at };
        assert_eq!(store.legs("one").await.unwrap(), [leg("a", 5, None), leg("b", -5, Some(at(0)))]);
        assert_eq!(store.legs("two").await.unwrap(), []);
    })
    .await;
}
