//! Customers, accounts and postings.

use gateway::domain::{
    Account, AccountId, AccountStatus, BookingStatus, Counterparty, Currency, CustomerId, Date, Iban, Money,
    Position, Product, Tenant, Timestamp, Transaction, TransactionQuery,
};
use store::{Changes, StoreError};

use super::on_each;
use crate::ledger::books::HeldAccount;
use crate::ledger::{
    AccountChanges, BookedAccount, Customer, CustomerChanges, HistoryChanges, Ledger, Posting,
};

const IBAN: &str = "NL05TRIO0123456789";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn nl() -> Tenant {
    Tenant::parse("nl").unwrap()
}

fn iban() -> Iban {
    Iban::from_stored(IBAN.to_owned())
}

fn customer(id: &str, created_at: i64) -> Customer {
    Customer {
        id: CustomerId::new(id),
        tenant: nl(),
        name: "Zoë \u{0}\u{1} de 'Vries'".into(),
        digipass_number: "0123456789".into(),
        persona: "everyday".into(),
        created_at: at(created_at),
    }
}

pub(super) fn account(id: &str, currency: Currency) -> BookedAccount {
    BookedAccount {
        account: Account {
            id: AccountId::new(id),
            iban: iban(),
            currency,
            product: Product::Current,
            name: "Current account".into(),
            status: AccountStatus::Enabled,
        },
        tenant: nl(),
        credit_limit: 50_000,
        reserved: 0,
        version: 1,
    }
}

/// Two customers and two accounts: the first customer holds both, the dollars first.
async fn open_accounts(store: &Ledger) {
    let id = |text: &str| CustomerId::new(text);
    let changes = Changes::new()
        .add_customer(&customer("p", 2))
        .add_customer(&customer("q", 1))
        .add_account(&account("euro", Currency::EUR))
        .add_account(&account("dollar", Currency::USD))
        .add_holder(&id("p"), &AccountId::new("dollar"))
        .add_holder(&id("p"), &AccountId::new("euro"))
        .add_holder(&id("q"), &AccountId::new("euro"));
    store.save(changes).await.unwrap();
}

#[tokio::test]
async fn accounts_are_found_by_customer_and_number() {
    on_each(async |store| {
        open_accounts(&store).await;
        let (p, q) = (customer("p", 2), customer("q", 1));
        assert_eq!(store.customer(&p.id).await.unwrap(), Some(p.clone()));
        assert_eq!(store.customer(&CustomerId::new("\u{0}")).await.unwrap(), None);
        assert_eq!(store.count_customers(&nl(), "everyday").await.unwrap(), 2);
        assert_eq!(store.count_customers(&nl(), "student").await.unwrap(), 0);
        assert_eq!(store.holders(&nl(), &iban()).await.unwrap(), [q.clone(), p.clone()]);
        let dollar = account("dollar", Currency::USD);
        let euro = account("euro", Currency::EUR);
        assert_eq!(store.holders_of(&euro.account.id).await.unwrap(), [q.clone(), p.clone()]);
        assert_eq!(store.holders_of(&dollar.account.id).await.unwrap(), std::slice::from_ref(&p));
        let both = [dollar.account.clone(), euro.account.clone()];
        assert_eq!(store.accounts_of(&p.id).await.unwrap(), both);
        // As theirs, who holds it from the first on, and then by their ids.
        assert_eq!(store.accounts_by_iban(&nl(), &iban()).await.unwrap(), both);
        assert_eq!(store.account(&euro.account.id).await.unwrap(), Some(euro.clone()));
        let held = |customer: &Customer, account: &BookedAccount| HeldAccount {
            customer: customer.clone(),
            account: account.account.clone(),
        };
        let all = [held(&p, &dollar), held(&p, &euro), held(&q, &euro)];
        assert_eq!(store.held_accounts(9).await.unwrap(), all);
        assert_eq!(store.held_accounts(1).await.unwrap(), all[..1]);
        let block = Changes::new().set_account_status(&euro.account.id, AccountStatus::Blocked);
        store.save(block).await.unwrap();
        let blocked = store.account(&euro.account.id).await.unwrap().unwrap();
        assert_eq!((blocked.account.status, blocked.version), (AccountStatus::Blocked, 2));
        // The number of an account is taken in its currency.
        let again = store.save(Changes::new().add_account(&account("other", Currency::EUR))).await;
        assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
        let stale = store.save(Changes::new().touch_account(&euro.account.id, 1)).await;
        assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
        store.save(Changes::new().touch_account(&euro.account.id, 2)).await.unwrap();
        assert_eq!(store.account(&euro.account.id).await.unwrap().unwrap().version, 3);
    })
    .await;
}

/// One leg: entry, day on which it is entered, day on which it is booked, place among those of the day, amount, balance.
fn posting(
    entry: &str,
    (entered, booked, sequence): (&str, &str, i64),
    (amount, balance): (i64, i64),
) -> Posting {
    Posting {
        entry: entry.to_owned(),
        account: AccountId::new("euro"),
        entered_on: day(entered),
        booking_date: day(booked),
        sequence,
        value_date: day(booked),
        amount,
        balance_after: Some(balance),
        place: None,
        counterparty: Counterparty { name: Some("Shop".into()), iban: Some(iban()) },
        remittance: Some("50% off; \\ \"quoted\"".into()),
        code: Some("c".into()),
        end_to_end_id: None,
        entered_at: None,
    }
}

async fn book(store: &Ledger) {
    let placed = |place, posting: Posting| Posting { place: Some(place), ..posting };
    let other = Posting {
        account: AccountId::new("outside"),
        amount: -100,
        balance_after: None,
        counterparty: Counterparty::default(),
        ..posting("one", ("2026-01-01", "2026-01-01", 0), (0, 0))
    };
    let second = Posting {
        entered_at: Some(at(1_767_312_000)),
        ..placed(2, posting("two", ("2026-01-02", "2026-01-02", 0), (20, 120)))
    };
    let changes = Changes::new()
        .add_posting(&placed(1, posting("one", ("2026-01-01", "2026-01-01", 0), (100, 100))))
        .add_posting(&other)
        .add_posting(&second)
        .add_posting(&placed(3, posting("three", ("2026-01-02", "2026-01-02", 1), (3, 123))))
        .add_posting(&placed(4, posting("ahead", ("2026-01-03", "2026-01-05", 0), (4, 127))));
    store.save(changes).await.unwrap();
}

#[tokio::test]
async fn books_are_read_as_of_a_day() {
    on_each(async |store| {
        book(&store).await;
        let euro = AccountId::new("euro");
        for (on, balance, count) in
            [("2025-12-31", 0, 0), ("2026-01-01", 100, 1), ("2026-01-04", 123, 3), ("2026-01-05", 127, 4)]
        {
            assert_eq!(store.booked_balance(&euro, day(on)).await.unwrap(), balance, "{on}");
            assert_eq!(store.count_booked(&euro, day(on)).await.unwrap(), count, "{on}");
        }
        let since = store.entered_since(&euro, day("2026-01-01"), day("2026-01-03")).await.unwrap();
        assert_eq!(since, 27);
        let mut between = store.balances_between(&euro, day("2026-01-01"), day("2026-01-02")).await.unwrap();
        between.sort_unstable();
        assert_eq!(between, [120, 123]);
        let query = |limit, after| TransactionQuery {
            status: BookingStatus::Booked,
            from: day("2026-01-01"),
            to: day("2026-01-09"),
            limit,
            after,
        };
        let booked = async |query: &TransactionQuery| {
            store.booked_transactions(&euro, Currency::EUR, query, day("2026-01-03")).await.unwrap()
        };
        let ids = |found: &[Transaction]| found.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
        let all = booked(&query(9, None)).await;
        assert_eq!(ids(&all), ["three", "two", "one"]);
        assert_eq!(all[1].entered_at, Some(at(1_767_312_000)));
        assert_eq!(all[2].amount, Money { minor: 100, currency: Currency::EUR });
        assert_eq!(all[2].balance_after.map(|balance| balance.minor), Some(100));
        assert_eq!(all[2].counterparty, Counterparty { name: Some("Shop".into()), iban: Some(iban()) });
        assert_eq!(all[2].remittance.as_deref(), Some("50% off; \\ \"quoted\""));
        assert_eq!((all[2].code.as_deref(), all[2].end_to_end_id.as_deref()), (Some("c"), None));
        let after = Position { booking_date: all[0].booking_date, sequence: all[0].sequence };
        assert_eq!(ids(&booked(&query(1, Some(after))).await), ["two"]);
        let pending = store.pending_transactions(&euro, Currency::EUR, day("2026-01-03")).await.unwrap();
        assert_eq!(ids(&pending), ["ahead"]);
        assert_eq!(store.unbalanced_entries().await.unwrap().len(), 3, "one leg alone is none");
    })
    .await;
}

#[tokio::test]
async fn a_history_has_places_and_grows_at_its_end() {
    on_each(async |store| {
        book(&store).await;
        let euro = AccountId::new("euro");
        let history = async |newest, limit| {
            let found = store.history_up_to(&euro, Currency::EUR, (newest, limit)).await.unwrap();
            found.into_iter().map(|(place, one)| (place, one.id)).collect::<Vec<_>>()
        };
        let named = |place: i64, id: &str| (place, id.to_owned());
        assert_eq!(history(3, 2).await, [named(3, "three"), named(2, "two")]);
        let shift = Changes::new().shift_history(&euro, day("2026-01-02"), (1000, 1));
        store.save(shift).await.unwrap();
        assert_eq!(history(9, 2).await, [named(5, "ahead"), named(3, "three")]);
        assert_eq!(store.booked_balance(&euro, day("2026-01-05")).await.unwrap(), 1127);
        assert_eq!(store.entry_number(&euro, "ahead").await.unwrap(), Some(5));
        assert_eq!(store.entry_number(&AccountId::new("outside"), "one").await.unwrap(), None);
        assert_eq!(store.last_entered_day(&euro).await.unwrap(), Some(day("2026-01-02")));
        assert_eq!(store.last_entered_day(&AccountId::new("outside")).await.unwrap(), None);
        assert_eq!(store.last_sequence(&euro, day("2026-01-02")).await.unwrap(), 1);
        assert_eq!(store.last_sequence(&euro, day("2026-01-03")).await.unwrap(), -1);
        assert!(store.has_entry("two").await.unwrap());
        assert!(!store.has_entry("twelve").await.unwrap());
        let again = Changes::new().add_posting(&posting("two", ("2026-01-02", "2026-01-02", 9), (1, 1)));
        assert!(matches!(store.save(again).await, Err(StoreError::Conflict)), "an entry is made once");
    })
    .await;
}
