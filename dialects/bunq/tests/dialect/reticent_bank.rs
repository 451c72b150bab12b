//! A bank behind the interface that leaves out what it may: customers open no accounts by themselves, and what was paid may be
//! booked later.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::Extension;
use edge::outbound::Loopback;
use edge::{Connection, Edge, Surroundings};
use gateway::access::{AccountAccess, Details, Transactions};
use gateway::bank::{AccountKeeping, Answer, Credentials, CustomerAuthentication, EntryNumbers, Payments};
use gateway::domain::{
    Account, AccountId, Customer, CustomerId, Date, History, Iban, PaymentId, PaymentRefusal, Product,
    Tenant, Timestamp, Transaction,
};
use gateway::{
    ApprovedPayment, Bank, Changes, Declined, Drawer, Error, Gateway, Kept, Keys, Noun, Parts,
    PaymentProgress, Randomness, Sealing, Settings, Store, Submitted,
};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::bunq::{BunqClient, cents, euro, shop};
use vestibule::profiles::{RateLimits, Strictness, of_sandbox};

use crate::callbacks::{Told, subscribe};

/// In front of another bank's books.
#[derive(Debug)]
struct Reticent(Bank);

impl EntryNumbers for Reticent {
    fn is_offered(&self) -> Answer<'_, bool> {
        Box::pin(async { Ok(true) })
    }

    fn history<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        range: (Option<i64>, i64),
        day: Date,
    ) -> Answer<'a, History> {
        Box::pin(async move {
            let mut history = self.0.numbers.history(access, range, day).await?;
            let is_paid = |one: &Transaction| one.remittance.as_deref() == Some("not booked yet");
            history.transactions.retain(|(_, one)| !is_paid(one));
            Ok(history)
        })
    }

    fn entry_number<'a>(&'a self, _: &'a AccountAccess<Transactions>, _: &'a str) -> Answer<'a, Option<i64>> {
        Box::pin(async { Ok(None) })
    }
}

impl AccountKeeping for Reticent {
    fn is_offered(&self) -> Answer<'_, bool> {
        Box::pin(async { Ok(false) })
    }

    fn open_account<'a>(&'a self, _: &'a CustomerId, _: Product) -> Answer<'a, Account> {
        Box::pin(async { Err(Error::unavailable("nobody asks")) })
    }

    fn close_account<'a>(
        &'a self,
        _: &'a AccountAccess<Details>,
        _: Timestamp,
    ) -> Answer<'a, Result<(), PaymentRefusal>> {
        Box::pin(async { Err(Error::unavailable("nobody asks")) })
    }
}

/// A bank whose customers have left.
#[derive(Debug)]
struct Left;

impl CustomerAuthentication for Left {
    fn named_by<'a>(&'a self, _: &'a Tenant, _: &'a Iban) -> Answer<'a, Vec<CustomerId>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn authenticated<'a>(&'a self, _: &'a Tenant, _: &'a str) -> Answer<'a, Option<CustomerId>> {
        Box::pin(async { Ok(None) })
    }

    fn log_in<'a>(&'a self, _: &'a [CustomerId], _: Credentials<'a>) -> Answer<'a, Option<CustomerId>> {
        Box::pin(async { Ok(None) })
    }

    fn approves<'a>(&'a self, _: &'a CustomerId, _: Credentials<'a>) -> Answer<'a, bool> {
        Box::pin(async { Ok(false) })
    }

    fn customer<'a>(&'a self, _: &'a CustomerId) -> Answer<'a, Customer> {
        Box::pin(async { Err(Error::NotFound(Noun::Customer)) })
    }

    fn accounts_of<'a>(&'a self, _: &'a CustomerId) -> Answer<'a, Vec<Account>> {
        Box::pin(async { Err(Error::NotFound(Noun::Customer)) })
    }
}

/// The address of a gateway in front of a bank that leaves out what it may, and the API key of a customer there.
async fn serve(server: &TestServer, customer: &str) -> (String, String) {
    let bank = server.running.sandbox.bank.clone();
    let reticent = Arc::new(Reticent(bank.clone()));
    let (origin, door) =
        serve_bank(server, Bank { numbers: reticent.clone(), keeping: reticent, ..bank }, own_store(server))
            .await;
    let access = door(Tenant::parse("nl").unwrap(), CustomerId::new(customer)).await.unwrap();
    (origin, access["apiKey"].as_str().unwrap().to_owned())
}

/// What the gateway of a server keeps, for another one beside it, which calls nobody on this machine.
fn own_store(server: &TestServer) -> (Store, Loopback) {
    (Store::clone(&server.running.sandbox.store), Loopback::Refused)
}

/// The address of a gateway in front of a bank, on a store, and the door for its customers.
async fn serve_bank(
    server: &TestServer,
    bank: Bank,
    (store, loopback): (Store, Loopback),
) -> (String, edge::Door) {
    let (sandbox, tenant) = (&server.running.sandbox, Tenant::parse("nl").unwrap());
    let randomness = Arc::new(Randomness::from_system());
    let gateway = Gateway::new(Parts {
        settings: Settings {
            tenants: vec![tenant],
            profiles: of_sandbox(Strictness::Lenient, RateLimits::Off),
            kept: Kept::default(),
        },
        store: store.clone(),
        clock: sandbox.clock.clone(),
        keys: Keys::load_or_make(&Drawer::new(&store, "gateway"), &randomness).await.unwrap(),
        randomness,
        bank,
        trust: Default::default(),
        revocation: None,
        register: None,
        sealing: Sealing::default(),
    });
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", tcp.local_addr().unwrap());
    let edge = Edge::new(Surroundings {
        gateway,
        public_url: Arc::from(origin.as_str()),
        mtls_url: None,
        require_mtls: false,
        explain: true,
        loopback,
    });
    let mounted = (bunq::DIALECT.mount)(edge.at(bunq::DIALECT.name));
    let connection = Connection {
        origin: Arc::from(origin.as_str()),
        peer_certificate: None,
        is_told_by_proxy: false,
        peer_authorities: [].into(),
        peer_address: Some("127.0.0.1".parse().unwrap()),
    };
    let routes = axum::Router::new().nest("/bunq", mounted.router).layer(Extension(connection));
    tokio::spawn(async move { axum::serve(tcp, routes).await.unwrap() });
    (origin, mounted.door.unwrap())
}

#[tokio::test]
async fn what_a_bank_leaves_out_is_refused_and_what_is_booked_later_is_told() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "saver").await;
    let (origin, key) = serve(&server, customer["customerId"].as_str().unwrap()).await;
    let own = BunqClient::install_at(&server.http, &origin).await.open(&key).await;
    let account = own.account().await;

    let accounts = format!("/user/{}/monetary-account-bank", own.user);
    let close = json!({"status": "CANCELLED", "sub_status": "REDEMPTION_VOLUNTARY", "reason": "OTHER",
        "reason_description": "x"});
    for answer in [
        own.post(&accounts, &json!({"currency": "EUR"})).await,
        own.put(&format!("{accounts}/{account}"), &close).await,
    ] {
        let text =
            "Accounts cannot be opened or closed at this interface; the user does that at the bank itself.";
        assert_eq!((answer.status, answer.body.contains(text)), (400, true), "{}", answer.body);
    }
    let named = own.put(&format!("{accounts}/{account}"), &json!({"description": "Household"})).await;
    assert_eq!(named.status, 200, "what is this interface's own is changed: {}", named.body);

    let before = own.balance(account).await;
    let payment =
        json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "not booked yet"});
    let batch = json!({"payments": [payment, payment]});
    for (path, body, paid) in [("/payment", &payment, "1.00"), ("/payment-batch", &batch, "3.00")] {
        let answer = own.post(&own.below(account, path), body).await;
        let text = "The bank has taken the payment and has not said yet that it is booked.";
        assert_eq!((answer.status, answer.body.contains(text)), (491, true), "{path}: {}", answer.body);
        assert_eq!(own.balance(account).await, before - cents(paid), "{path}");
    }
}

/// One payer who left the bank takes nothing away from what a third party is told of its other transactions.
#[tokio::test]
async fn transactions_of_a_payer_who_left_the_bank_are_listed() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let mut provider = BunqClient::provider(&server, "Checkout PISP").await;
    let path = format!("/user/{}/payment-service-provider-issuer-transaction", provider.user);
    let body = json!({"counterparty_alias": shop(), "amount": euro("10.00"), "description": "Order 1",
        "url_redirect": "https://shop.example/done", "time_expiry": null, "status": "PENDING"});
    let paid = provider.make(&path, &body).await;
    let uuid = provider.list(&format!("{path}/{paid}")).await[0]["public_uuid"].as_str().unwrap().to_owned();
    let url = format!("{}/bunq/psp?transactionId={uuid}", server.url());
    server.decide(&url, customer["iban"].as_str().unwrap(), "approve").await;
    provider.make(&path, &body).await;
    let bank = server.running.sandbox.bank.clone();
    let left = Bank { customers: Arc::new(Left), ..bank };
    (provider.origin, _) = serve_bank(&server, left, own_store(&server)).await;
    let listed = provider.list(&path).await;
    let states: Vec<_> = listed.iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["PENDING", "ACCEPTED"]);
    let one = provider.list(&format!("{path}/{paid}")).await.remove(0);
    assert_eq!(one["status"], "ACCEPTED");
    let public = format!("/payment-service-provider-issuer-transaction-public/{uuid}");
    assert_eq!(provider.get(&public).await.status, 200);
}

/// A bank with books of its own, beside what the gateway keeps, that says nothing of entries, or of where one is.
#[derive(Debug)]
struct Silent {
    bank: Bank,
    /// What the gateway keeps.
    kept: Store,
    /// Tells no history.
    history: AtomicBool,
    /// Does not say where an entry is.
    places: AtomicBool,
    /// How often it was asked for one.
    asked: AtomicU32,
}

impl EntryNumbers for Silent {
    fn is_offered(&self) -> Answer<'_, bool> {
        Box::pin(async { Ok(true) })
    }

    fn history<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        range: (Option<i64>, i64),
        day: Date,
    ) -> Answer<'a, History> {
        Box::pin(async move {
            if self.history.load(Ordering::SeqCst) {
                return Err(Error::unavailable("nothing is told"));
            }
            self.bank.numbers.history(access, range, day).await
        })
    }

    fn entry_number<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        entry: &'a str,
    ) -> Answer<'a, Option<i64>> {
        Box::pin(async move {
            if self.places.load(Ordering::SeqCst) {
                self.asked.fetch_add(1, Ordering::SeqCst);
                return Err(Error::unavailable("no place is told"));
            }
            self.bank.numbers.entry_number(access, entry).await
        })
    }
}

impl Payments for Silent {
    fn submit<'a>(
        &'a self,
        payments: &'a [ApprovedPayment],
        with: Changes,
        now: Timestamp,
    ) -> Answer<'a, Result<Vec<Submitted>, Declined>> {
        Box::pin(async move {
            self.kept.save(with).await?;
            self.bank.payments.submit(payments, Changes::new(), now).await
        })
    }

    fn progress<'a>(&'a self, payment: &'a PaymentId, now: Timestamp) -> Answer<'a, Option<PaymentProgress>> {
        self.bank.payments.progress(payment, now)
    }

    fn stop<'a>(
        &'a self,
        payment: &'a PaymentId,
        with: Changes,
        now: Timestamp,
    ) -> Answer<'a, Result<(), PaymentRefusal>> {
        self.bank.payments.stop(payment, with, now)
    }

    fn approvals_needed<'a>(&'a self, account: &'a AccountId) -> Answer<'a, usize> {
        self.bank.payments.approvals_needed(account)
    }
}

/// What an event is, and the number of what it is about.
fn told_of(event: &Value) -> (String, i64) {
    let object = event["object"].as_object().unwrap().values().next().unwrap();
    (event["event_type"].as_str().unwrap().to_owned(), object["id"].as_i64().unwrap())
}

/// What cannot be told of one draft keeps no other one waiting, nor requests, nor other accounts; and what can be told is not told anew
/// each time.
#[tokio::test]
async fn news_are_told_once_although_some_cannot_be_told_yet() {
    let server = TestServer::start().await;
    let (customer, payer) = (server.customer("nl", "saver").await, server.customer("nl", "student").await);
    let bank = server.running.sandbox.bank.clone();
    // A store of its own, since nobody else may do the telling.
    let kept = Store::in_memory().unwrap();
    let silent = Arc::new(Silent {
        bank: bank.clone(),
        kept: kept.clone(),
        history: AtomicBool::new(false),
        places: AtomicBool::new(false),
        asked: AtomicU32::new(0),
    });
    let bank = Bank { numbers: silent.clone(), payments: silent.clone(), ..bank };
    let kept = (kept, Loopback::Allowed { except: [].into() });
    let (origin, door) = serve_bank(&server, bank, kept).await;
    let customer = CustomerId::new(customer["customerId"].as_str().unwrap());
    let access = door(Tenant::parse("nl").unwrap(), customer).await.unwrap();
    let own = BunqClient::install_at(&server.http, &origin).await;
    let own = own.open(access["apiKey"].as_str().unwrap()).await;
    let account = own.account().await;
    let opened =
        own.make(&format!("/user/{}/monetary-account-bank", own.user), &json!({"currency": "EUR"})).await;
    let gift = json!({"amount_inquired": euro("5.00"), "description": "Gift", "allow_bunqme": false,
        "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}});
    own.make(&own.below(opened, "/request-inquiry"), &gift).await;
    let mut told = Told::start(200).await;
    subscribe(&own, &[("DRAFT_PAYMENT", &told.url), ("REQUEST", &told.url)]).await;

    // All of it is news at the first look: until then nothing can be told.
    silent.history.store(true, Ordering::SeqCst);
    silent.places.store(true, Ordering::SeqCst);
    let draft = json!({"number_of_required_accepts": 1, "entries": [
        {"amount": euro("1.00"), "counterparty_alias": shop(), "description": "Draft"}]});
    let inquiry = json!({"amount_inquired": euro("1.00"), "description": "Share", "allow_bunqme": false,
        "counterparty_alias": {"type": "IBAN", "value": payer["iban"], "name": "Student"}});
    let (mut at_once, mut later) = (BTreeSet::new(), BTreeSet::new());
    for account in [account, opened] {
        let drafts = own.below(account, "/draft-payment");
        let paid = own.make(&drafts, &draft).await;
        let accepted = own.put(&format!("{drafts}/{paid}"), &json!({"status": "ACCEPTED"})).await;
        assert_eq!(accepted.status, 200, "{}", accepted.body);
        later.insert(("DRAFT_PAYMENT_ACCEPTED".to_owned(), paid));
        at_once.insert(("DRAFT_PAYMENT_CREATED".to_owned(), own.make(&drafts, &draft).await));
        let asked = own.make(&own.below(account, "/request-inquiry"), &inquiry).await;
        at_once.insert(("REQUEST_INQUIRY_CREATED".to_owned(), asked));
    }
    silent.history.store(false, Ordering::SeqCst);
    let mut next = async |count: usize| {
        let mut events = BTreeSet::new();
        for _ in 0..count {
            events.insert(told_of(&told.next().await));
        }
        events
    };
    assert_eq!(next(4).await, at_once);
    let asked = silent.asked.load(Ordering::SeqCst);
    let looks = async {
        while silent.asked.load(Ordering::SeqCst) < asked + 6 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), looks).await.unwrap();
    silent.places.store(false, Ordering::SeqCst);
    assert_eq!(next(2).await, later);
}
