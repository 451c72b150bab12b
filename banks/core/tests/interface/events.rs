//! What happens at the bank reaches the gateway: in order and once, whatever ends meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gateway::bank::{Answer, Events};
use gateway::bank_end::access;
use gateway::domain::{
    Access, Account, AccountNumber, AccountReference, Card, Consent, ConsentId, ConsentStatus, CustomerId,
    Decision, Execution, FundsConsent, FundsConsentId, FundsConsentRequest, GrantedAccount, Interface,
    PaymentId, PaymentStatus, RejectReason, Timestamp, TppId, TransactionStatus,
};
use gateway::{
    Bank, BankEvent, Changes, Drawer, Entry, Error, Gateway, Kept, Keys, Parts, PaymentProgress, Randomness,
    Settings, ToldEvent,
};
use vestibule::profiles::{RateLimits, Strictness, of_sandbox};

use crate::scene::{Fault, Scene};

const AT_ONCE: Duration = Duration::ZERO;

/// A gateway in front of the bank, as after each start on the same store.
async fn gateway(scene: &Scene, bank: &Bank) -> Gateway {
    let randomness = Arc::new(Randomness::from_system());
    Gateway::new(Parts {
        settings: Settings {
            tenants: vec![scene.tenant.clone()],
            profiles: of_sandbox(Strictness::Lenient, RateLimits::Off),
            kept: Kept::default(),
        },
        store: scene.store.clone(),
        clock: scene.sandbox.clock.clone(),
        keys: Keys::load_or_make(&Drawer::new(&scene.store, "gateway"), &randomness).await.unwrap(),
        randomness,
        bank: bank.clone(),
        trust: Default::default(),
        revocation: None,
        register: None,
        sealing: gateway::Sealing::default(),
    })
}

/// A valid consent for an account.
async fn consent(scene: &Scene, own: (&CustomerId, &Account), (id, tpp): (&str, &str)) -> ConsentId {
    let consent = valid(scene, own, (id, tpp));
    scene.store.save(Changes::new().put_consent(&consent)).await.unwrap();
    consent.id
}

fn valid(scene: &Scene, (customer, account): (&CustomerId, &Account), (id, tpp): (&str, &str)) -> Consent {
    let number = AccountNumber::Iban(account.iban.clone());
    let granted = GrantedAccount {
        account: account.id.clone(),
        reference: AccountReference { number, currency: None },
        product: account.product,
        balances: true,
        transactions: true,
    };
    Consent {
        id: ConsentId::new(id),
        tpp: TppId::new(tpp),
        tenant: scene.tenant.clone(),
        interface: Interface::BerlinGroup,
        access: Access::BankOffered {
            accounts: true,
            balances: true,
            transactions: true,
            restricted_to: Vec::new(),
        },
        granted: vec![granted],
        recurring: true,
        valid_until: scene.tenant.date_at(scene.now).saturating_add(jiff::Span::new().days(30)),
        frequency_per_day: 4,
        created_at: scene.now,
        customer: Some(customer.clone()),
        approved_at: Some(scene.now),
        decision: Decision::Confirmed,
        last_action_at: scene.now,
        version: 0,
    }
}

async fn status(scene: &Scene, gateway: &Gateway, id: &ConsentId) -> ConsentStatus {
    gateway.consent_status(&scene.store.consent(id).await.unwrap().unwrap(), scene.now)
}

/// Tells what a test wants, and does not know events that it did not tell.
#[derive(Debug)]
struct Telling(Vec<ToldEvent>);

impl Events for Telling {
    fn events<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
        _: Duration,
    ) -> Answer<'a, Option<Vec<ToldEvent>>> {
        let behind = match after {
            None => Some(0),
            Some(id) => self.0.iter().position(|told| told.id == id).map(|place| place + 1),
        };
        let told = behind.map(|behind| self.0[behind..].iter().take(limit).cloned().collect());
        Box::pin(async move { Ok(told) })
    }

    fn noted<'a>(&'a self, _: &'a ToldEvent) -> Answer<'a, Changes> {
        Box::pin(async { Ok(Changes::new()) })
    }
}

/// A payment that the gateway keeps, so that what the bank tells of it is kept too.
async fn keep(scene: &Scene, id: &str) {
    let payment = scene.kept(id, Interface::BerlinGroup);
    scene.store.save(Changes::new().put_payment(&payment)).await.unwrap();
}

/// Says at once that there is nothing, however long it may wait, and counts who asks.
#[derive(Debug, Default)]
struct Hasty {
    asked: AtomicU32,
    /// Knows no event that is named.
    forgets: bool,
}

impl Events for Hasty {
    fn events<'a>(
        &'a self,
        after: Option<&'a str>,
        _: usize,
        _: Duration,
    ) -> Answer<'a, Option<Vec<ToldEvent>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { Ok(Some(Vec::new()).filter(|_| !self.forgets || after.is_none())) })
    }

    fn noted<'a>(&'a self, _: &'a ToldEvent) -> Answer<'a, Changes> {
        Box::pin(async { Ok(Changes::new()) })
    }
}

#[tokio::test]
async fn a_bank_that_does_not_wait_until_there_is_an_event_is_asked_once_in_a_second() {
    for forgets in [false, true] {
        let scene = Scene::at("nl").await;
        if forgets {
            let last = Entry {
                kind: "taken",
                key: "last".to_owned(),
                value: "an event".to_owned(),
                forget_at: None,
                version: 0,
            };
            Drawer::new(&scene.store, "bank-events").save(&[last]).await.unwrap();
        }
        let hasty = Arc::new(Hasty { forgets, ..Hasty::default() });
        let bank = Bank { events: Some(hasty.clone()), ..scene.bank.clone() };
        let gateway = gateway(&scene, &bank).await;
        let begun = tokio::time::Instant::now();
        let following = tokio::spawn(async move { gateway.follow_bank().await });
        while hasty.asked.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let asked = hasty.asked.load(Ordering::Relaxed);
        assert!(u64::from(asked) <= 1 + begun.elapsed().as_secs(), "{asked} times, {forgets}");
        following.abort();
    }
}

#[tokio::test]
async fn what_became_of_a_payment_is_known_while_the_bank_is_away() {
    let scene = Scene::at("nl").await;
    let gateway = gateway(&scene, &scene.bank).await;
    let day = scene.tenant.date_at(scene.now).tomorrow().unwrap();
    keep(&scene, "told").await;
    let payment = scene.payment("told", 100, Execution::On(day));
    let payments = &scene.bank.payments;
    payments.submit(&payment, scene.note("told"), scene.now).await.unwrap().unwrap();
    assert_eq!(gateway.take_bank_events(AT_ONCE).await.unwrap(), 1);
    let progress = async || payments.progress(payment[0].id(), scene.now).await;
    assert!(
        progress().await.unwrap().unwrap().can_be_stopped,
        "nothing has ended, so that the bank is asked"
    );
    payments.stop(payment[0].id(), scene.note("stopped"), scene.now).await.unwrap().unwrap();
    // It comes as soon as it happens, and once.
    assert_eq!(gateway.take_bank_events(Duration::from_secs(2)).await.unwrap(), 1);
    assert_eq!(gateway.take_bank_events(AT_ONCE).await.unwrap(), 0);
    scene.way.spoil("/told", Fault::Status(503));
    let PaymentProgress { status, can_be_stopped, .. } = progress().await.unwrap().unwrap();
    assert_eq!((status, can_be_stopped), (TransactionStatus::Canc, false));
    scene.way.spoil("/events", Fault::Status(500));
    assert!(matches!(gateway.take_bank_events(AT_ONCE).await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_made_good_by_what_the_bank_tells() {
    let scene = Scene::at("nl").await;
    let gateway = gateway(&scene, &scene.bank).await;
    let day = scene.tenant.date_at(scene.now).tomorrow().unwrap();
    keep(&scene, "lost").await;
    scene.way.spoil("/payments", Fault::LostAnswer);
    let payment = scene.payment("lost", 100, Execution::On(day));
    let submitted = scene.bank.payments.submit(&payment, scene.note("lost"), scene.now).await.unwrap();
    assert!(submitted.is_ok() && scene.open_rows().await == 1);
    assert_eq!(gateway.take_bank_events(AT_ONCE).await.unwrap(), 1);
    assert_eq!(scene.open_rows().await, 0, "nobody has to find out any more");
}

#[tokio::test]
async fn consents_for_a_closed_account_end_and_those_for_others_go_on() {
    let scene = Scene::at("nl").await;
    let of_payee = scene.bank.customers.named_by(&scene.tenant, &scene.payee.iban).await.unwrap();
    let closed = consent(&scene, (&of_payee[0], &scene.payee), ("closed", "a")).await;
    let open = consent(&scene, (&scene.payer.0, &scene.payer.1), ("open", "a")).await;
    let gateway = gateway(&scene, &scene.bank).await;
    let keeping = &scene.sandbox.bank.keeping;
    keeping.close_account(&access(scene.payee.id.clone()), scene.now).await.unwrap().unwrap();
    assert_eq!(status(&scene, &gateway, &closed).await, ConsentStatus::Valid, "not taken yet");
    assert_eq!(gateway.take_bank_events(AT_ONCE).await.unwrap(), 1);
    assert_eq!(status(&scene, &gateway, &closed).await, ConsentStatus::Expired);
    assert_eq!(status(&scene, &gateway, &open).await, ConsentStatus::Valid);
    let account = scene.bank.accounts.account(&access(scene.payee.id.clone())).await.unwrap();
    assert_eq!(account.status, gateway::domain::AccountStatus::Deleted);
}

fn withdrawal(
    scene: &Scene,
    (id, at): (&str, Timestamp),
    (consent, tpp): (Option<&str>, Option<&str>),
) -> ToldEvent {
    let event = BankEvent::Withdrawn {
        customer: scene.payer.0.clone(),
        consent: consent.map(str::to_owned),
        third_party: tpp.map(TppId::new),
    };
    ToldEvent { id: id.to_owned(), at, event: Some(event) }
}

#[tokio::test]
async fn what_a_customer_withdraws_at_the_bank_ends_at_once_and_nothing_else_does() {
    let scene = Scene::at("nl").await;
    let own = (&scene.payer.0, &scene.payer.1);
    let of_payee = scene.bank.customers.named_by(&scene.tenant, &scene.payee.iban).await.unwrap();
    let one = consent(&scene, own, ("one", "a")).await;
    let same = consent(&scene, own, ("same", "a")).await;
    let other = consent(&scene, own, ("other", "b")).await;
    let strangers = consent(&scene, (&of_payee[0], &scene.payee), ("strangers", "a")).await;
    let before = scene.now.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap();
    let mut told = vec![
        // Of somebody else; and of before the consents were given.
        withdrawal(&scene, ("1", scene.now), (Some("strangers"), None)),
        withdrawal(&scene, ("2", before), (None, None)),
        ToldEvent { id: "3".to_owned(), at: scene.now, event: None },
        withdrawal(&scene, ("4", scene.now), (Some("one"), None)),
    ];
    let taken = async |told: &[ToldEvent]| {
        let events: Arc<dyn Events> = Arc::new(Telling(told.to_vec()));
        let gateway = gateway(&scene, &Bank { events: Some(events), ..scene.bank.clone() }).await;
        let taken = gateway.take_bank_events(AT_ONCE).await.unwrap();
        let mut valid = Vec::new();
        for id in [&one, &same, &other, &strangers] {
            if status(&scene, &gateway, id).await == ConsentStatus::Valid {
                valid.push(id.to_string());
            }
        }
        (taken, valid.join(" "))
    };
    assert_eq!(taken(&told).await, (4, "same other strangers".to_owned()));
    told.push(withdrawal(&scene, ("5", scene.now), (None, Some("a"))));
    assert_eq!(taken(&told).await, (1, "other strangers".to_owned()));
    // The bank goes back to an older state: its events are read from the first one, and mean nothing new.
    assert_eq!(taken(&told[..2]).await, (0, "other strangers".to_owned()));
    assert_eq!(taken(&told[..2]).await, (2, "other strangers".to_owned()));
    let mut anew = told[..2].to_vec();
    anew.push(withdrawal(&scene, ("6", scene.now), (None, None)));
    assert_eq!(taken(&anew).await, (1, "strangers".to_owned()));
}

/// The payee's account was closed, which these held.
fn closing(scene: &Scene, customers: &[CustomerId]) -> ToldEvent {
    let event = BankEvent::AccountClosed { account: scene.payee.clone(), customers: customers.to_vec() };
    ToldEvent { id: "1".to_owned(), at: scene.now, event: Some(event) }
}

/// What the bank says of a customer's accounts cannot be read.
fn spoil_accounts_of(scene: &Scene, customer: &CustomerId) {
    let path: &'static str = format!("/customers/{customer}/accounts").leak();
    let unread = "{\"accounts\": [{\"id\": \"1\", \"iban\": \"NL91ABNA0417164300\", \"currency\": \"EUR\", \
                  \"product\": \"LOAN\", \"name\": \"x\", \"status\": \"enabled\"}]}";
    scene.way.spoil(path, Fault::Says(unread));
}

#[tokio::test]
async fn of_several_holders_of_a_closed_account_one_whose_others_cannot_be_read_keeps_no_other_waiting() {
    let scene = Scene::at("nl").await;
    let of_payee = scene.bank.customers.named_by(&scene.tenant, &scene.payee.iban).await.unwrap();
    let unread = consent(&scene, (&of_payee[0], &scene.payee), ("unread", "a")).await;
    let read = consent(&scene, (&scene.payer.0, &scene.payee), ("read", "a")).await;
    let told = vec![closing(&scene, &[of_payee[0].clone(), scene.payer.0.clone()])];
    let bank = Bank { events: Some(Arc::new(Telling(told))), ..scene.bank.clone() };
    let gateway = gateway(&scene, &bank).await;
    spoil_accounts_of(&scene, &of_payee[0]);
    assert_eq!(gateway.take_bank_events(AT_ONCE).await.unwrap(), 1);
    assert_eq!(status(&scene, &gateway, &read).await, ConsentStatus::Expired);
    assert_eq!(status(&scene, &gateway, &unread).await, ConsentStatus::Valid);
    scene.way.mend();
    assert_eq!(gateway.take_up_bank_events().await.unwrap(), 1);
    assert_eq!(status(&scene, &gateway, &unread).await, ConsentStatus::Expired);
}

#[tokio::test]
async fn an_account_of_which_the_holders_others_cannot_be_read_keeps_no_withdrawal_away() {
    let scene = Scene::at("nl").await;
    let of_payee = scene.bank.customers.named_by(&scene.tenant, &scene.payee.iban).await.unwrap();
    let closed = consent(&scene, (&of_payee[0], &scene.payee), ("closed", "a")).await;
    let withdrawn = consent(&scene, (&scene.payer.0, &scene.payer.1), ("withdrawn", "a")).await;
    let closing = closing(&scene, &of_payee);
    let told = vec![closing.clone(), withdrawal(&scene, ("2", scene.now), (None, None))];
    let bank = Bank { events: Some(Arc::new(Telling(told))), ..scene.bank.clone() };
    let gateway = gateway(&scene, &bank).await;
    spoil_accounts_of(&scene, &of_payee[0]);
    assert_eq!(gateway.take_bank_events(AT_ONCE).await.unwrap(), 2);
    assert_eq!(status(&scene, &gateway, &withdrawn).await, ConsentStatus::RevokedByPsu);
    // Whether the other one ends is not known yet.
    assert_eq!(gateway.take_up_bank_events().await.unwrap(), 0);
    assert_eq!(status(&scene, &gateway, &closed).await, ConsentStatus::Valid);
    // The bank goes back to an older state and tells it again.
    let given_since = consent(&scene, (&scene.payer.0, &scene.payer.1), ("given since", "a")).await;
    let told = vec![closing, withdrawal(&scene, ("3", scene.now), (None, None))];
    let bank = Bank { events: Some(Arc::new(Telling(told))), ..scene.bank.clone() };
    let again = self::gateway(&scene, &bank).await;
    assert_eq!(again.take_bank_events(AT_ONCE).await.unwrap(), 0, "it does not know the last one");
    assert_eq!(again.take_bank_events(AT_ONCE).await.unwrap(), 2);
    assert_eq!(status(&scene, &again, &given_since).await, ConsentStatus::RevokedByPsu);
    scene.way.mend();
    assert_eq!(gateway.take_up_bank_events().await.unwrap(), 1);
    assert_eq!(status(&scene, &gateway, &closed).await, ConsentStatus::Expired);
    assert_eq!(gateway.take_up_bank_events().await.unwrap(), 0, "once");
}

/// A bank that keeps its books by number may name a holder once for each account.
#[tokio::test]
async fn what_a_holder_gave_who_is_named_twice_ends_and_no_event_waits() {
    let scene = Scene::at("nl").await;
    let of_payee = scene.bank.customers.named_by(&scene.tenant, &scene.payee.iban).await.unwrap();
    let closed = consent(&scene, (&of_payee[0], &scene.payee), ("closed", "a")).await;
    let withdrawn = consent(&scene, (&scene.payer.0, &scene.payer.1), ("withdrawn", "a")).await;
    let twice = [of_payee[0].clone(), of_payee[0].clone()];
    let told = vec![closing(&scene, &twice), withdrawal(&scene, ("2", scene.now), (None, None))];
    let bank = Bank { events: Some(Arc::new(Telling(told))), ..scene.bank.clone() };
    let gateway = gateway(&scene, &bank).await;
    assert_eq!(gateway.take_bank_events(AT_ONCE).await.unwrap(), 2);
    assert_eq!(status(&scene, &gateway, &closed).await, ConsentStatus::Expired);
    assert_eq!(status(&scene, &gateway, &withdrawn).await, ConsentStatus::RevokedByPsu);
}

/// A third party confirms whenever it likes, and an event may come late.
#[tokio::test]
async fn what_was_given_before_a_withdrawal_ends_although_it_was_confirmed_after_it() {
    let scene = Scene::at("nl").await;
    let after = |seconds: i64| scene.now + jiff::SignedDuration::from_secs(seconds);
    let own = (&scene.payer.0, &scene.payer.1);
    let rules = of_sandbox(Strictness::Lenient, RateLimits::Off).at(Interface::BerlinGroup).consents;
    let approved = |id: &str, seconds: i64| {
        let valid = valid(&scene, own, (id, "a"));
        let granted = valid.granted.clone();
        valid.as_requested().approve(own.0.clone(), granted, after(seconds), &rules).unwrap()
    };
    let valid_since = |id: &str, seconds: i64| approved(id, seconds).confirm(after(30), &rules).unwrap();
    let (before, unconfirmed) = (valid_since("before", 10), approved("unconfirmed", 10));
    let since = valid_since("since", 25);
    // As it was stored before anybody wrote down when a customer approved.
    let unknown = Consent { approved_at: None, ..valid_since("unknown", 25) };
    let who = (TppId::new("a"), scene.tenant.clone(), Interface::BerlinGroup);
    let request = FundsConsentRequest {
        account: AccountReference { number: AccountNumber::Iban(own.1.iban.clone()), currency: None },
        card: Card::default(),
        redirect_uri: String::new(),
    };
    let funds = FundsConsent::request(FundsConsentId::new("funds"), who, request, scene.now, rules.waits);
    let funds = funds.approve(own.0.clone(), after(10)).unwrap().confirm(after(30)).unwrap();
    let all = [&before, &unconfirmed, &since, &unknown];
    let kept = all.iter().fold(Changes::new(), |changes, consent| changes.put_consent(consent));
    scene.store.save(kept.put_funds_consent(&funds)).await.unwrap();

    let told = vec![withdrawal(&scene, ("1", after(20)), (None, Some("a")))];
    let bank = Bank { events: Some(Arc::new(Telling(told))), ..scene.bank.clone() };
    assert_eq!(gateway(&scene, &bank).await.take_bank_events(AT_ONCE).await.unwrap(), 1);
    let mut ended = Vec::new();
    for consent in all {
        ended.push(scene.store.consent(&consent.id).await.unwrap().unwrap().decision);
    }
    let funds = scene.store.funds_consent(&funds.id).await.unwrap().unwrap();
    ended.push(funds.decision);
    let [revoked, confirmed] = [Decision::RevokedByPsu, Decision::Confirmed];
    assert_eq!(ended, [revoked, revoked, confirmed, revoked, revoked]);
}

/// bunq's interface asks nobody what became of a payment that was approved.
#[tokio::test]
async fn what_the_bank_takes_back_is_no_accepted_payment_of_bunqs_interface() {
    let scene = Scene::at("nl").await;
    for (id, interface, (status, is_final), expected) in [
        ("made", Interface::Bunq, (TransactionStatus::Accc, true), PaymentStatus::Submitted),
        ("on-its-way", Interface::Bunq, (TransactionStatus::Rjct, false), PaymentStatus::Submitted),
        ("rejected", Interface::Bunq, (TransactionStatus::Rjct, true), PaymentStatus::Refused),
        ("cancelled", Interface::Bunq, (TransactionStatus::Canc, true), PaymentStatus::Cancelled),
        // Here the bank is asked.
        ("other", Interface::BerlinGroup, (TransactionStatus::Rjct, true), PaymentStatus::Submitted),
    ] {
        scene.store.save(Changes::new().put_payment(&scene.kept(id, interface))).await.unwrap();
        let reason = (status == TransactionStatus::Rjct).then_some(RejectReason::Ac04);
        let progress = PaymentProgress {
            status,
            reason,
            funds_available: None,
            since: scene.now,
            can_be_stopped: false,
        };
        let event = Some(BankEvent::Payment { payment: PaymentId::new(id), progress, is_final });
        let told = ToldEvent { id: id.to_owned(), at: scene.now, event };
        // An event may come again.
        for _ in 0..2 {
            let noted = scene.bank.events.as_ref().unwrap().noted(&told).await.unwrap();
            scene.store.save(noted).await.unwrap();
            assert_eq!(scene.status_of(id).await, expected, "{id}");
        }
        if expected == PaymentStatus::Refused {
            let kept = scene.store.payment(&PaymentId::new(id)).await.unwrap().unwrap();
            assert_eq!(kept.reject_reason_at(scene.now), reason);
        }
    }
}

/// Several nodes ask at the same time, whatever their leases say.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_taken_by_one_of_several_nodes() {
    let scene = Scene::at("nl").await;
    let told: Vec<_> =
        (0..40).map(|n| withdrawal(&scene, (&n.to_string(), scene.now), (None, None))).collect();
    let events: Arc<dyn Events> = Arc::new(Telling(told));
    let bank = Bank { events: Some(events), ..scene.bank.clone() };
    let mut nodes = Vec::new();
    for _ in 0..4 {
        let node = gateway(&scene, &bank).await;
        nodes.push(tokio::spawn(async move {
            loop {
                match node.take_bank_events(AT_ONCE).await {
                    Ok(0) => return,
                    Ok(_) | Err(Error::Conflict) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }));
    }
    for node in nodes {
        node.await.unwrap();
    }
    let last = Drawer::new(&scene.store, "bank-events").entry("taken", "last").await.unwrap().unwrap();
    assert_eq!((last.value.as_str(), last.version), ("39", 40), "each was noted once");
}
