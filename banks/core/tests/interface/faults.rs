//! What goes wrong on the way to the bank, and what comes of it.

use std::time::Duration;

use core_bank::{CoreBank, CoreBankSettings, Limits};
use gateway::bank::Credentials;
use gateway::bank_end::access;
use gateway::domain::{
    AccountNumber, AccountReference, BookingStatus, CustomerId, Execution, Interface, PaymentRefusal,
    PaymentStatus, Position, RejectReason, TransactionQuery, TransactionStatus,
};
use gateway::{ApprovedPayment, Bank, Changes, Error, Submitted};

use crate::scene::{Fault, Scene};

/// Answers that are lost are not waited for for long.
const SHORT: Limits = Limits {
    deadline: Duration::from_secs(3),
    connect: Duration::from_secs(2),
    at_once: 64,
    failures: 1000,
    rest: Duration::from_secs(30),
};

fn is_away<T>(answer: Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Unavailable(_)))
}

fn one([payment]: [ApprovedPayment; 1]) -> ApprovedPayment {
    payment
}

#[tokio::test]
async fn a_bank_that_does_not_answer_is_unavailable_and_nothing_is_written() {
    let scene = Scene::at("nl").await;
    let number = AccountNumber::Iban(scene.payer.1.iban.clone());
    let reference = AccountReference { number, currency: None };
    let nobody = CoreBankSettings { url: "https://127.0.0.1:1".to_owned(), ..scene.settings.clone() };
    let nobody = CoreBank::new(&nobody, &scene.store).unwrap().ports();
    let payment = scene.payment("away", 100, Execution::AtOnce);
    assert!(is_away(nobody.accounts.find_accounts(&scene.tenant, &reference).await));
    assert!(is_away(nobody.customers.accounts_of(&scene.payer.0).await));
    assert!(is_away(nobody.payments.progress(payment[0].id(), scene.now).await));
    assert!(is_away(nobody.payments.submit(&payment, scene.note("away"), scene.now).await));
    for fault in [Fault::Status(500), Fault::Status(503), Fault::Status(403), Fault::Rubbish] {
        scene.way.spoil("/find", fault);
        scene.way.spoil("/payment-checks", fault);
        let found = scene.bank.accounts.find_accounts(&scene.tenant, &reference).await;
        assert!(is_away(found), "{fault:?}");
        let submitted = scene.bank.payments.submit(&payment, scene.note("away"), scene.now).await;
        assert!(is_away(submitted), "{fault:?}");
        scene.way.mend();
    }
    assert!(!scene.is_noted("away").await);
    assert_eq!((scene.open_rows().await, scene.received().await), (0, 0));
    scene.way.spoil("/find", Fault::Slow);
    assert_eq!(scene.bank.accounts.find_accounts(&scene.tenant, &reference).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_done_although_its_answer_was_lost_is_not_done_again() {
    let scene = Scene::at("nl").await;
    let core = scene.restarted(SHORT);
    scene.way.spoil("/payments", Fault::LostAnswer);
    let payment = scene.payment("lost", 100, Execution::AtOnce);
    let submitted = core.ports().payments.submit(&payment, scene.note("lost"), scene.now).await.unwrap();
    assert_eq!(submitted, Ok(vec![Submitted::Accepted { until: None }]));
    assert!(scene.is_noted("lost").await);
    assert_eq!((scene.open_rows().await, scene.received().await), (1, 100));
    // Whoever is started anew finds out, and asks for nothing a second time.
    let restarted = scene.restarted(SHORT);
    let calls = scene.way.calls();
    restarted.find_out().await.unwrap();
    assert_eq!((scene.way.calls() - calls, scene.open_rows().await), (1, 0));
    let progress = restarted.ports().payments.progress(payment[0].id(), scene.now).await.unwrap().unwrap();
    assert_eq!(progress.status, TransactionStatus::Accc);
    assert_eq!(scene.received().await, 100);
}

/// A node of a release before knows each payment of an order as an order of its own.
#[tokio::test]
async fn what_is_left_of_an_order_is_given_to_the_bank() {
    let scene = Scene::at("nl").await;
    let order = ["first", "second"].map(|id| one(scene.payment(id, 100, Execution::AtOnce)));
    let payments = &scene.bank.payments;
    scene.way.spoil("/payments", Fault::Status(500));
    payments.submit(&order, scene.note("both"), scene.now).await.unwrap().unwrap();
    assert_eq!((scene.open_rows().await, scene.received().await), (2, 0));
    scene.way.mend();
    payments.submit(&order[..1], scene.note("one"), scene.now).await.unwrap().unwrap();
    assert_eq!((scene.open_rows().await, scene.received().await), (1, 100));
    for _ in 0..2 {
        scene.restarted(SHORT).find_out().await.unwrap();
    }
    assert_eq!((scene.open_rows().await, scene.received().await), (0, 200));
}

#[tokio::test]
async fn what_the_bank_did_not_get_is_given_to_it_once_it_is_there() {
    let scene = Scene::at("nl").await;
    for (number, fault) in [Fault::Status(500), Fault::Status(400), Fault::Rubbish].into_iter().enumerate() {
        let id = format!("later-{number}");
        scene.way.spoil("/payments", fault);
        let payment = scene.payment(&id, 100, Execution::AtOnce);
        let submitted = scene.bank.payments.submit(&payment, scene.note(&id), scene.now).await.unwrap();
        assert_eq!(submitted, Ok(vec![Submitted::Accepted { until: None }]), "{fault:?}");
        let progress = scene.bank.payments.progress(payment[0].id(), scene.now).await.unwrap().unwrap();
        assert_eq!((progress.status, progress.can_be_stopped), (TransactionStatus::Rcvd, false));
        let made_before = i64::try_from(number).unwrap() * 100;
        scene.core.find_out().await.unwrap();
        assert_eq!((scene.open_rows().await, scene.received().await), (1, made_before), "{fault:?}");
        scene.way.mend();
        for _ in 0..2 {
            scene.restarted(SHORT).find_out().await.unwrap();
        }
        assert_eq!((scene.open_rows().await, scene.received().await), (0, made_before + 100), "{fault:?}");
    }
}

#[tokio::test]
async fn a_bank_that_neither_takes_nor_declines_is_asked_less_and_less() {
    let scene = Scene::at("nl").await;
    for (number, status) in [400, 404, 409, 422].into_iter().enumerate() {
        let id = format!("refused-{number}");
        scene.way.spoil("/payments", Fault::Status(status));
        let payment = scene.payment(&id, 100, Execution::AtOnce);
        let submitted = scene.bank.payments.submit(&payment, scene.note(&id), scene.now).await.unwrap();
        assert_eq!(submitted, Ok(vec![Submitted::Accepted { until: None }]), "{status}");
        let calls = scene.way.calls();
        for _ in 0..5 {
            scene.core.find_out().await.unwrap();
        }
        assert_eq!(scene.way.calls(), calls, "{status}: it is left in peace");
        assert_eq!(scene.open_rows().await, 1, "and nothing is given up");
        scene.way.mend();
        let made_before = i64::try_from(number).unwrap() * 100;
        assert_eq!(scene.received().await, made_before);
        // The first pause is over.
        while scene.open_rows().await > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            scene.core.find_out().await.unwrap();
        }
        assert_eq!(scene.received().await, made_before + 100, "{status}: made once");
    }
}

#[tokio::test]
async fn what_is_declined_after_all_is_rejected() {
    let scene = Scene::at("nl").await;
    scene.way.spoil("/payments", Fault::Declines);
    let payment = scene.payment("declined", 100, Execution::AtOnce);
    let submitted = scene.bank.payments.submit(&payment, scene.note("declined"), scene.now).await.unwrap();
    assert_eq!(submitted, Ok(vec![Submitted::Accepted { until: None }]));
    scene.way.mend();
    scene.core.find_out().await.unwrap();
    let progress = scene.bank.payments.progress(payment[0].id(), scene.now).await.unwrap().unwrap();
    assert_eq!((progress.status, progress.reason), (TransactionStatus::Rjct, Some(RejectReason::Am04)));
    assert_eq!((scene.open_rows().await, scene.received().await), (0, 0));
}

/// Both payments of an order are in the list that was read before the first one was declined.
#[tokio::test]
async fn what_was_declined_is_not_made_after_all_though_there_is_money_by_now() {
    let scene = Scene::at("nl").await;
    let both = ["one", "two"].map(|id| one(scene.payment(id, 100, Execution::AtOnce)));
    scene.way.spoil("/payments", Fault::Status(500));
    scene.bank.payments.submit(&both, scene.note("both"), scene.now).await.unwrap().unwrap();
    assert_eq!(scene.open_rows().await, 2);
    scene.way.mend();
    scene.way.spoil("/payments", Fault::DeclinesOnce);
    for _ in 0..2 {
        scene.core.find_out().await.unwrap();
        assert_eq!((scene.open_rows().await, scene.received().await), (0, 0));
    }
    for payment in &both {
        let progress = scene.bank.payments.progress(payment.id(), scene.now).await.unwrap().unwrap();
        assert_eq!((progress.status, progress.reason), (TransactionStatus::Rjct, Some(RejectReason::Am04)));
    }
}

/// Where nothing is written that says that the bank has a payment, whoever asked for it is told that it does not make it.
#[tokio::test]
async fn what_is_declined_and_comes_with_nothing_else_is_told_at_once_and_stays_declined() {
    let scene = Scene::at("nl").await;
    let both = ["one", "two"].map(|id| one(scene.payment(id, 100, Execution::AtOnce)));
    scene.way.spoil("/payments", Fault::DeclinesOnce);
    for _ in 0..2 {
        let declined = scene.bank.payments.submit(&both, Changes::new(), scene.now).await.unwrap();
        let declined = declined.unwrap_err();
        assert_eq!(
            (&declined.payment, &declined.refusal),
            (both[0].id(), &PaymentRefusal::InsufficientFunds)
        );
        assert_eq!((scene.open_rows().await, scene.received().await), (0, 0));
    }
    let progress = scene.bank.payments.progress(both[1].id(), scene.now).await.unwrap().unwrap();
    assert_eq!(progress.status, TransactionStatus::Rjct);
    // One that was never handed over is looked at anew.
    let other = scene.payment("three", 100, Execution::AtOnce);
    scene.way.spoil("/payment-checks", Fault::DeclinesOnce);
    let submit = || scene.bank.payments.submit(&other, Changes::new(), scene.now);
    assert!(submit().await.unwrap().is_err());
    assert_eq!(submit().await.unwrap(), Ok(vec![Submitted::Executed]));
    assert_eq!(scene.received().await, 100);
}

/// bunq's interface asks nobody what became of a payment that was approved.
#[tokio::test]
async fn a_payment_of_bunqs_interface_that_is_declined_after_all_is_refused() {
    let scene = Scene::at("nl").await;
    for (id, interface, first, expected) in [
        ("at-once", Interface::Bunq, Fault::Declines, PaymentStatus::Refused),
        ("found-out", Interface::Bunq, Fault::Status(500), PaymentStatus::Refused),
        // Here the bank is asked.
        ("other", Interface::BerlinGroup, Fault::Declines, PaymentStatus::Submitted),
    ] {
        scene.way.spoil("/payments", first);
        let payment = scene.payment(id, 100, Execution::AtOnce);
        let with = Changes::new().put_payment(&scene.kept(id, interface));
        let submitted = scene.bank.payments.submit(&payment, with, scene.now).await.unwrap();
        assert_eq!(submitted, Ok(vec![Submitted::Accepted { until: None }]), "{id}");
        scene.way.mend();
        scene.way.spoil("/payments", Fault::Declines);
        scene.core.find_out().await.unwrap();
        assert_eq!((scene.open_rows().await, scene.status_of(id).await), (0, expected), "{id}");
        scene.way.mend();
        // What the bank is asked and what is kept say the same.
        let progress = scene.bank.payments.progress(payment[0].id(), scene.now).await.unwrap().unwrap();
        assert_eq!((progress.status, progress.reason), (TransactionStatus::Rjct, Some(RejectReason::Am04)));
    }
    assert_eq!(scene.received().await, 0);
}

/// A bank that keeps its books by number may tell a holder, and a customer's account, more than once.
#[tokio::test]
async fn what_a_bank_tells_twice_is_told_once() {
    let scene = Scene::at("nl").await;
    let (customer, account) = (&scene.payer.0, &scene.payer.1);
    let holder = serde_json::json!({"id": customer.as_str(), "name": "H", "kind": "person",
        "createdAt": "2020-01-01T00:00:00Z"});
    let shown = serde_json::json!({"id": account.id.as_str(), "iban": account.iban.as_str(), "currency": "EUR",
        "product": "CACC", "name": account.name, "status": "enabled"});
    let says = |text: serde_json::Value| Fault::Says(text.to_string().leak());
    scene.way.spoil("/holders", says(serde_json::json!({"customers": [holder, holder]})));
    scene.way.spoil("/accounts", says(serde_json::json!({"accounts": [shown, shown]})));
    let holders = scene.bank.accounts.holders(&access(account.id.clone())).await.unwrap();
    assert_eq!(holders.iter().map(|holder| &holder.id).collect::<Vec<_>>(), [customer]);
    assert_eq!(scene.bank.customers.accounts_of(customer).await.unwrap().len(), 1);
}

/// The bank is asked, does not have it, gets it, and then nothing is open any more.
#[tokio::test]
async fn a_payment_that_the_bank_gets_while_it_is_asked_about_it_is_known() {
    let scene = Scene::at("nl").await;
    let payment = scene.payment("meanwhile", 100, Execution::AtOnce);
    scene.bank.payments.submit(&payment, Changes::new(), scene.now).await.unwrap().unwrap();
    scene.way.spoil("/meanwhile", Fault::UnknownOnce);
    let progress = scene.bank.payments.progress(payment[0].id(), scene.now).await.unwrap();
    assert_eq!(progress.unwrap().status, TransactionStatus::Accc);
}

#[tokio::test]
async fn a_stop_whose_answer_was_lost_is_taken_up_by_whoever_asks_again() {
    let scene = Scene::at("nl").await;
    let payments = scene.restarted(SHORT).ports().payments;
    let day = scene.tenant.date_at(scene.now).tomorrow().unwrap();
    let payment = scene.payment("stop", 100, Execution::On(day));
    payments.submit(&payment, scene.note("taken"), scene.now).await.unwrap().unwrap();
    scene.way.spoil("/stop", Fault::LostAnswer);
    assert!(is_away(payments.stop(payment[0].id(), scene.note("stopped"), scene.now).await));
    assert!(!scene.is_noted("stopped").await);
    scene.way.mend();
    assert_eq!(payments.stop(payment[0].id(), scene.note("stopped"), scene.now).await.unwrap(), Ok(()));
    assert!(scene.is_noted("stopped").await);
    let again = payments.stop(payment[0].id(), scene.note("again"), scene.now).await.unwrap();
    assert!(again.is_err() && !scene.is_noted("again").await);
}

#[tokio::test]
async fn a_bank_that_does_not_answer_is_left_in_peace_for_a_while() {
    let scene = Scene::at("nl").await;
    let rest = Duration::from_secs(3);
    let customers = scene.restarted(Limits { failures: 2, rest, ..SHORT }).ports().customers;
    scene.way.spoil("/log-ins", Fault::Status(500));
    let credentials = Credentials { challenge: "1", answer: "" };
    for _ in 0..2 {
        assert!(is_away(customers.log_in(&[], credentials).await));
    }
    scene.way.mend();
    let mut calls = scene.way.calls();
    assert_eq!(calls, 2, "a log-in is asked about once, whatever comes of it");
    let mut refused = 0;
    while is_away(customers.log_in(&[], credentials).await) {
        refused += 1;
        assert_eq!(scene.way.calls(), calls, "nobody asks it meanwhile");
        calls = scene.way.calls();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(refused > 0, "it is left in peace");
    assert_eq!(scene.way.calls(), calls + 1);
}

/// A bank that leaves a part out is there.
#[tokio::test]
async fn a_bank_that_has_no_such_path_answers() {
    let scene = Scene::at("nl").await;
    let bank = scene.restarted(Limits { failures: 2, ..SHORT }).ports();
    scene.way.spoil("/events", Fault::Status(404));
    scene.way.spoil("/parts", Fault::Status(404));
    for _ in 0..5 {
        let events = bank.events.as_ref().unwrap();
        assert_eq!(events.events(None, 1, Duration::ZERO).await.unwrap(), None);
        assert!(!bank.keeping.is_offered().await.unwrap());
    }
    assert_eq!(scene.way.calls(), 6, "each is asked once");
    bank.customers.customer(&scene.payer.0).await.unwrap();
    // One that says that it is asked too often cannot answer, and is left in peace.
    scene.way.spoil("/log-ins", Fault::Status(429));
    for _ in 0..2 {
        let credentials = Credentials { challenge: "1", answer: "" };
        assert!(is_away(bank.customers.log_in(&[], credentials).await));
    }
    let calls = scene.way.calls();
    assert!(is_away(bank.customers.customer(&scene.payer.0).await));
    assert_eq!(scene.way.calls(), calls);
}

/// Whoever calls may have a shorter deadline than the bank.
#[tokio::test]
async fn a_bank_for_which_nobody_waits_to_the_end_is_left_in_peace_too() {
    let scene = Scene::at("nl").await;
    // A wait that takes longer than it should is still on its side of half the deadline.
    let deadline = Duration::from_secs(6);
    let core = scene.restarted(Limits { failures: 2, deadline, ..SHORT });
    let customers = core.ports().customers;
    scene.way.spoil(scene.payer.0.to_string().leak(), Fault::LostAnswer);
    let waits = async |time: Duration| {
        let waited = tokio::time::timeout(time, customers.customer(&scene.payer.0)).await;
        assert!(waited.is_err(), "the bank does not answer");
    };
    // It had no time to.
    for _ in 0..5 {
        waits(deadline / 20).await;
    }
    assert!(!core.way().rests);
    for _ in 0..2 {
        waits(deadline * 2 / 3).await;
    }
    assert!(core.way().rests);
}

/// What does not fit is about one account, and the bank is there.
#[tokio::test]
async fn an_answer_that_does_not_fit_is_not_asked_for_again_and_stands_in_nobodys_way() {
    let scene = Scene::at("nl").await;
    let core = scene.restarted(Limits { failures: 2, ..SHORT });
    let customers = core.ports().customers;
    let path: &'static str = format!("/customers/{}/accounts", scene.payer.0).leak();
    scene.way.spoil(path, Fault::Rubbish);
    for calls in 1..=5 {
        assert!(is_away(customers.accounts_of(&scene.payer.0).await));
        assert_eq!(scene.way.calls(), calls);
    }
    assert!(!core.way().rests);
    // A bank that says that it cannot answer now is asked once more, and then left in peace, however it says so.
    let cannot = Fault::Problem(429, "{\"code\":\"unavailable\"}");
    scene.way.mend();
    scene.way.spoil(path, cannot);
    for _ in 0..2 {
        assert!(is_away(customers.accounts_of(&scene.payer.0).await));
    }
    assert_eq!((scene.way.calls(), core.way().rests), (9, true));
}

/// Whatever stands before the bank and says with 200 that it is away.
#[tokio::test]
async fn a_page_in_place_of_an_answer_is_none_of_the_bank() {
    let scene = Scene::at("nl").await;
    for page in ["<html>", "\n<!DOCTYPE html>", ""] {
        let core = scene.restarted(Limits { failures: 2, ..SHORT });
        let customers = core.ports().customers;
        scene.way.spoil("/log-ins", Fault::Says(page));
        for _ in 0..2 {
            assert!(!core.way().rests, "{page:?}");
            let credentials = Credentials { challenge: "1", answer: "" };
            assert!(is_away(customers.log_in(&[], credentials).await));
        }
        assert!(core.way().rests, "{page:?}");
        scene.way.mend();
    }
}

/// What a bank says in its own words may be about its customers.
#[tokio::test]
async fn the_banks_own_words_are_no_part_of_a_failure() {
    let scene = Scene::at("nl").await;
    let customers = &scene.bank.customers;
    let path: &'static str = format!("/customers/{}/accounts", scene.payer.0).leak();
    let words = "NL91ABNA0417164300 is blocked";
    scene.way.spoil(
        path,
        Fault::Problem(400, "{\"code\":\"malformed\",\"detail\":\"NL91ABNA0417164300 is blocked\"}"),
    );
    let error = customers.accounts_of(&scene.payer.0).await.unwrap_err();
    let Error::Unavailable(fault) = &error else { panic!("{error:?}") };
    assert!(fault.to_string().contains("400") && !fault.to_string().contains("NL91"), "{fault}");
    assert_eq!(core_bank::words_behind(&error), Some(words));
}

#[tokio::test]
async fn nobody_else_is_let_in_and_nobody_else_is_believed() {
    let (scene, other) = (Scene::at("nl").await, Scene::at("nl").await);
    let settings = |identity: &[u8], authorities: &[u8]| CoreBankSettings {
        identity: identity.to_vec(),
        authorities: authorities.to_vec(),
        ..scene.settings.clone()
    };
    for (identity, authorities) in [
        (&other.settings.identity, &scene.settings.authorities),
        (&scene.settings.identity, &other.settings.authorities),
    ] {
        let core = CoreBank::new(&settings(identity, authorities), &scene.store).unwrap();
        assert!(is_away(core.ports().customers.customer(&scene.payer.0).await));
    }
    assert_eq!(scene.way.calls(), 0);
    for url in ["http://127.0.0.1:1", "core.bank", "https://core.bank/?x=1"] {
        let settings = CoreBankSettings { url: url.to_owned(), ..scene.settings.clone() };
        assert!(
            CoreBank::new(&settings, &scene.store).unwrap_err().to_string().contains("https URL"),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_payment_that_the_bank_cannot_tell_about_keeps_no_other_waiting() {
    let scene = Scene::at("nl").await;
    scene.way.spoil("/payments", Fault::Status(500));
    for id in ["a-stuck", "b-fine"] {
        let payment = scene.payment(id, 100, Execution::AtOnce);
        scene.bank.payments.submit(&payment, scene.note(id), scene.now).await.unwrap().unwrap();
    }
    scene.way.mend();
    scene.way.spoil("/a-stuck", Fault::Rubbish);
    assert!(is_away(scene.core.find_out().await));
    assert_eq!((scene.open_rows().await, scene.received().await), (1, 100));
    // It is in nobody's way for a while either: too many calls that fail would close the way to the bank for all.
    let calls = scene.way.calls();
    for _ in 0..5 {
        scene.core.find_out().await.unwrap();
    }
    assert_eq!(scene.way.calls(), calls);
    scene.way.mend();
    while scene.open_rows().await > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        scene.core.find_out().await.unwrap();
    }
    assert_eq!(scene.received().await, 200);
}

/// What a bank mixes up is not passed on.
#[tokio::test]
async fn what_is_told_of_somebody_else_is_no_answer() {
    let scene = Scene::at("nl").await;
    let (own, other) = (&scene.payer.1, &scene.payee);
    let shown = serde_json::json!({"id": other.id.as_str(), "iban": other.iban.as_str(), "currency": "EUR",
        "product": "CACC", "name": other.name, "status": "enabled"});
    let balances = serde_json::json!({"account": shown, "balances": []});
    let customer = serde_json::json!({"id": "other", "name": "O", "kind": "person", "createdAt": "2020-01-01T00:00:00Z"});
    let says = |text: &serde_json::Value| Fault::Says(text.to_string().leak());
    let day = scene.tenant.date_at(scene.now);
    let Bank { accounts, customers, .. } = &scene.bank;
    // Each is an answer about whom it is about.
    scene.way.spoil(other.id.to_string().leak(), says(&shown));
    assert_eq!(accounts.account(&access(other.id.clone())).await.unwrap().id, other.id);
    scene.way.spoil(own.id.to_string().leak(), says(&shown));
    scene.way.spoil("/balances", says(&balances));
    scene.way.spoil(scene.payer.0.to_string().leak(), says(&customer));
    scene.way.spoil("/other", says(&customer));
    assert!(accounts.balances(&access(other.id.clone()), day).await.is_ok());
    assert!(customers.customer(&CustomerId::new("other")).await.is_ok());
    assert!(is_away(accounts.account(&access(own.id.clone())).await));
    assert!(is_away(accounts.balances(&access(own.id.clone()), day).await));
    assert!(is_away(customers.customer(&scene.payer.0).await));
}

/// A bank that does not look at the period would show third parties what they may not see.
#[tokio::test]
async fn movements_that_were_not_asked_for_are_no_answer() {
    let scene = Scene::at("nl").await;
    let day = |text: &str| text.parse::<gateway::domain::Date>().unwrap();
    let query = |after| TransactionQuery {
        status: BookingStatus::Booked,
        from: day("2026-11-01"),
        to: day("2026-12-31"),
        after,
        limit: 10,
    };
    let movement = |day: &str, sequence: i64| {
        serde_json::json!({"id": format!("{day}-{sequence}"), "sequence": sequence, "bookingDate": day, "valueDate": day,
            "amount": {"amount": "1.00", "currency": "EUR"}})
    };
    let (today, access) = (scene.tenant.date_at(scene.now), access(scene.payer.1.id.clone()));
    let after = Position { booking_date: day("2026-11-20"), sequence: 7 };
    for (told, after, is_answer) in [
        (vec![movement("2026-11-26", 9), movement("2026-11-20", 8), movement("2026-11-20", 7)], None, true),
        (vec![movement("2026-11-20", 6)], Some(after), true),
        (vec![movement("2026-10-31", 1)], None, false),
        // It is the 26th.
        (vec![movement("2026-11-27", 9)], None, false),
        (vec![movement("2026-11-20", 7), movement("2026-11-26", 9)], None, false),
        (vec![movement("2026-11-20", 7), movement("2026-11-20", 7)], None, false),
        (vec![movement("2026-11-20", 7)], Some(after), false),
    ] {
        let says = serde_json::json!({"transactions": told, "more": false}).to_string();
        scene.way.mend();
        scene.way.spoil("/transactions/booked", Fault::Says(says.clone().leak()));
        let query = query(after);
        let booked = scene.bank.accounts.booked(&access, &query, today).await;
        assert_eq!(!is_away(booked), is_answer, "{says}");
    }
    // What is to come is not asked for: the bank may have booked it ahead.
    let calls = scene.way.calls();
    let to_come = TransactionQuery { from: day("2026-11-27"), ..query(None) };
    assert!(scene.bank.accounts.booked(&access, &to_come, today).await.unwrap().is_empty());
    assert_eq!(scene.way.calls(), calls);
    assert!(scene.way.query().contains("to=2026-11-26"), "{}", scene.way.query());
}
