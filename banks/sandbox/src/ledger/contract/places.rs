//! Places in histories and among accounts: stored, kept right by every booking, found without counting.

use gateway::domain::{
    Account, AccountId, AccountStatus, Counterparty, Currency, CustomerId, Date, Iban, Product, Tenant,
    Timestamp,
};
use gateway::{Changes, Store};

use super::in_memory;
use crate::ledger::{
    AccountChanges, BookedAccount, Customer, CustomerChanges, HistoryChanges, Ledger, Posting,
};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn posting(entry: &str, account: &AccountId, (date, sequence, place): (&str, i64, i64)) -> Posting {
    Posting {
        entry: entry.to_owned(),
        account: account.clone(),
        entered_on: day(date),
        booking_date: day(date),
        sequence,
        value_date: day(date),
        amount: 1,
        balance_after: Some(place),
        place: Some(place),
        counterparty: Counterparty::default(),
        remittance: None,
        code: None,
        end_to_end_id: None,
        entered_at: None,
    }
}

async fn entries(store: &Ledger, account: &AccountId, newest: i64, limit: i64) -> Vec<(i64, String)> {
    let found = store.history_up_to(account, Currency::EUR, (newest, limit)).await.unwrap();
    found.into_iter().map(|(place, one)| (place, one.id)).collect()
}

fn named(entries: &[(i64, &str)]) -> Vec<(i64, String)> {
    entries.iter().map(|(place, entry)| (*place, (*entry).to_owned())).collect()
}

#[tokio::test]
async fn what_is_booked_today_goes_before_what_lies_ahead() {
    let store = in_memory().await;
    let account = AccountId::new("a");
    let changes = Changes::new()
        .add_posting(&posting("old", &account, ("2026-01-01", 0, 1)))
        .add_posting(&posting("ahead", &account, ("2026-03-01", 1, 2)));
    store.save(changes).await.unwrap();
    assert_eq!(store.count_booked(&account, day("2026-02-01")).await.unwrap(), 1);
    let changes = Changes::new()
        .add_posting(&posting("now", &account, ("2026-02-01", 0, 2)))
        .add_posting(&posting("too", &account, ("2026-02-01", 1, 3)))
        .shift_history(&account, day("2026-02-01"), (2, 2));
    store.save(changes).await.unwrap();
    assert_eq!(
        entries(&store, &account, 9, 9).await,
        named(&[(4, "ahead"), (3, "too"), (2, "now"), (1, "old")])
    );
    assert_eq!(entries(&store, &account, 3, 2).await, named(&[(3, "too"), (2, "now")]));
    for (until, count) in [("2025-12-31", 0), ("2026-01-31", 1), ("2026-02-01", 3), ("2027-01-01", 4)] {
        assert_eq!(store.count_booked(&account, day(until)).await.unwrap(), count, "{until}");
    }
    assert_eq!(store.entry_number(&account, "ahead").await.unwrap(), Some(4));
    assert_eq!(store.entry_number(&account, "nothing").await.unwrap(), None);
}

#[tokio::test]
async fn a_long_history_costs_what_is_read_of_it() {
    let store = in_memory().await;
    let cost = async |account: &AccountId, count: i64| {
        let before = store.steps().unwrap();
        assert_eq!(store.count_booked(account, day("2026-01-01")).await.unwrap(), count);
        assert_eq!(entries(&store, account, count / 2, 10).await.len(), 10);
        assert_eq!(store.entry_number(account, &format!("{count}-7")).await.unwrap(), Some(8));
        store.steps().unwrap() - before
    };
    let mut costs = Vec::new();
    for count in [100, 20_000] {
        let account = AccountId::new(format!("of-{count}"));
        let add = |changes: Changes, place| {
            let entry = format!("{count}-{place}");
            changes.add_posting(&posting(&entry, &account, ("2026-01-01", place, place + 1)))
        };
        store.save((0..count).fold(Changes::new(), add)).await.unwrap();
        cost(&account, count).await;
        costs.push(cost(&account, count).await);
    }
    assert!(costs[1] <= costs[0] + 10, "{costs:?}");
}

fn booked(id: &str, iban: &str, product: Product) -> BookedAccount {
    let account = Account {
        id: AccountId::new(id),
        iban: Iban::parse(iban).unwrap(),
        currency: Currency::EUR,
        product,
        name: "N.".to_owned(),
        status: AccountStatus::Enabled,
    };
    BookedAccount { account, tenant: Tenant::parse("nl").unwrap(), credit_limit: 0, reserved: 0, version: 0 }
}

#[tokio::test]
async fn accounts_of_a_customer_come_oldest_first() {
    let store = in_memory().await;
    let customer = Customer {
        id: CustomerId::new("c"),
        tenant: Tenant::parse("nl").unwrap(),
        name: "N.".to_owned(),
        digipass_number: "1".to_owned(),
        persona: "empty".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
    };
    store.save(Changes::new().add_customer(&customer)).await.unwrap();
    let opened = [
        ("z", "NL91ABNA0417164300", Product::Savings),
        ("a", "NL18BUNQ2025104049", Product::Current),
        ("m", "NL02ABNA0123456789", Product::Savings),
    ];
    for (id, iban, product) in opened {
        let account = booked(id, iban, product);
        let changes = Changes::new().add_account(&account).add_holder(&customer.id, &account.account.id);
        store.save(changes).await.unwrap();
    }
    let ids = |accounts: Vec<&Account>| -> Vec<String> {
        accounts.into_iter().map(|account| account.id.to_string()).collect()
    };
    assert_eq!(ids(store.accounts_of(&customer.id).await.unwrap().iter().collect()), ["z", "a", "m"]);
    let held = store.held_accounts(10).await.unwrap();
    assert_eq!(ids(held.iter().map(|held| &held.account).collect()), ["z", "a", "m"]);
}

#[tokio::test]
async fn an_older_database_gets_its_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    for statements in [
        include_str!("../../../../../crates/store/migrations/0001_onboarding.sql"),
        include_str!("../../../../../crates/store/migrations/0002_consents.sql"),
        include_str!("../../../../../crates/store/migrations/0003_books.sql"),
        include_str!("../../../../../crates/store/migrations/0004_payments.sql"),
        include_str!("../../../../../crates/store/migrations/0005_authorizations.sql"),
        "CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (5)",
        "INSERT INTO accounts VALUES ('b', 'nl', 'NL91ABNA0417164300', 'EUR', 'CACC', 'N.', 'enabled', 0, 1)",
        "INSERT INTO accounts VALUES ('a', 'nl', 'NL02ABNA0123456789', 'EUR', 'SVGS', 'N.', 'enabled', 0, 1)",
        "INSERT INTO account_holders VALUES ('c', 'a'), ('c', 'b'), ('d', 'a')",
    ] {
        connection.execute_batch(statements).unwrap();
    }
    for (entry, account, date, sequence) in [
        ("3", "a", "2026-02-01", 1),
        ("1", "a", "2026-01-01", 5),
        ("2", "a", "2026-02-01", 0),
        ("1", "b", "2026-01-01", 0),
    ] {
        let insert = "INSERT INTO postings (entry, account, entered_on, booking_date, sequence, value_date, amount, \
                      balance_after) VALUES (?1, ?2, ?3, ?3, ?4, ?3, 1, 1)";
        connection.execute(insert, (entry, account, date, sequence)).unwrap();
    }
    let world = "INSERT INTO postings (entry, account, entered_on, booking_date, sequence, value_date, amount) \
                 VALUES ('1', 'world', '2026-01-01', '2026-01-01', 0, '2026-01-01', -2)";
    connection.execute(world, []).unwrap();
    drop(connection);
    let store = Ledger::open(Store::open(&path).unwrap()).await.unwrap();
    assert_eq!(entries(&store, &AccountId::new("a"), 9, 9).await, named(&[(3, "3"), (2, "2"), (1, "1")]));
    assert_eq!(entries(&store, &AccountId::new("b"), 9, 9).await, named(&[(1, "1")]));
    assert!(entries(&store, &AccountId::new("world"), 9, 9).await.is_empty());
    let accounts = store.accounts_of(&CustomerId::new("c")).await.unwrap();
    assert_eq!(accounts.iter().map(|account| account.id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    let changes = Changes::new().add_holder(&CustomerId::new("d"), &AccountId::new("b"));
    store.save(changes).await.unwrap();
    let accounts = store.accounts_of(&CustomerId::new("d")).await.unwrap();
    assert_eq!(accounts.iter().map(|account| account.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}
