//! The parts that a bank may leave out: what it offers, and what is made of answers that do not fit.

use gateway::Error;
use gateway::bank_end::access;
use gateway::domain::{Execution, Product};

use crate::scene::{Fault, Scene};

#[tokio::test]
async fn a_bank_says_which_parts_it_offers_and_is_asked_once() {
    for (answer, expected) in [
        (None, [true, true]),
        (Some(Fault::Status(404)), [false, false]),
        (Some(Fault::Says("{\"parts\":[]}")), [false, false]),
        (Some(Fault::Says("{\"parts\":[\"entry-numbers\",\"one of later\"]}")), [true, false]),
    ] {
        let scene = Scene::at("nl").await;
        if let Some(fault) = answer {
            scene.way.spoil("/parts", fault);
        }
        for _ in 0..2 {
            let offered = [
                scene.bank.numbers.is_offered().await.unwrap(),
                scene.bank.keeping.is_offered().await.unwrap(),
            ];
            assert_eq!(offered, expected, "{answer:?}");
        }
        assert_eq!(scene.way.calls(), 1, "{answer:?}");
    }
    // Whoever does not answer has not said that there is nothing.
    let scene = Scene::at("nl").await;
    scene.way.spoil("/parts", Fault::Status(503));
    assert!(matches!(scene.bank.numbers.is_offered().await, Err(Error::Unavailable(_))));
    scene.way.mend();
    assert!(scene.bank.numbers.is_offered().await.unwrap());
}

#[tokio::test]
async fn numbers_that_do_not_fit_are_no_answer() {
    let scene = Scene::at("nl").await;
    let (day, access) = (scene.tenant.date_at(scene.now), access(scene.payer.1.id.clone()));
    let payment = scene.payment("numbered", 100, Execution::AtOnce);
    scene.bank.payments.submit(&payment, scene.note("numbered"), scene.now).await.unwrap().unwrap();
    let history = async |range| scene.bank.numbers.history(&access, range, day).await;
    let all = history((None, 5)).await.unwrap();
    assert_eq!((all.count, all.transactions.len()), (2, 2));
    assert_eq!(history((Some(1), 5)).await.unwrap().transactions, all.transactions[1..]);
    assert_eq!(history((Some(7), 1)).await.unwrap().transactions, all.transactions[..1]);
    assert_eq!(history((Some(0), 5)).await.unwrap().transactions, []);
    for wrong in [
        // Fewer than it says there are, another one than the one that was asked for, and one twice.
        "{\"count\":2,\"entries\":[]}",
        "{\"count\":3,\"entries\":[ENTRY1]}",
        "{\"count\":2,\"entries\":[ENTRY2,ENTRY2]}",
    ] {
        let entry = |number: &str| {
            format!(
                "{{\"number\":{number},\"transaction\":{{\"id\":\"x\",\"sequence\":1,\"bookingDate\":\"2026-11-26\",\
                 \"valueDate\":\"2026-11-26\",\"amount\":{{\"amount\":\"1.00\",\"currency\":\"EUR\"}}}}}}"
            )
        };
        let says = wrong.replace("ENTRY1", &entry("1")).replace("ENTRY2", &entry("2"));
        scene.way.spoil("/entries", Fault::Says(says.leak()));
        let answer = history((None, 2)).await;
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{wrong}: {answer:?}");
        scene.way.mend();
    }
    // No account has fewer than none, or so many.
    for count in ["-1", "50000001", "9223372036854775807"] {
        scene.way.spoil("/entries", Fault::Says(format!("{{\"count\":{count},\"entries\":[]}}").leak()));
        for range in [(None, 2), (Some(1), 2), (None, 0)] {
            let answer = history(range).await;
            assert!(matches!(answer, Err(Error::Unavailable(_))), "{count} {range:?}: {answer:?}");
        }
        scene.way.mend();
    }
    for (number, expected) in
        [("1", Some(1)), ("50000000", Some(50_000_000)), ("0", None), ("-1", None), ("50000001", None)]
    {
        scene.way.spoil("/entry-number", Fault::Says(format!("{{\"number\":{number}}}").leak()));
        let answer = scene.bank.numbers.entry_number(&access, "an entry").await;
        match expected {
            Some(_) => assert_eq!(answer.unwrap(), expected),
            None => assert!(matches!(answer, Err(Error::Unavailable(_))), "{number}: {answer:?}"),
        }
        scene.way.mend();
    }
}

#[tokio::test]
async fn an_account_is_opened_once_though_the_answer_is_lost() {
    let scene = Scene::at("nl").await;
    let customer = &scene.payer.0;
    let before = scene.sandbox.bank.customers.accounts_of(customer).await.unwrap().len();
    scene.way.spoil("/open", Fault::Status(500));
    let calls = scene.way.calls();
    let answer = scene.bank.keeping.open_account(customer, Product::Savings).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert_eq!(scene.way.calls(), calls + 1, "it is not asked for again");
    scene.way.mend();
    scene.bank.keeping.open_account(customer, Product::Savings).await.unwrap();
    assert_eq!(scene.sandbox.bank.customers.accounts_of(customer).await.unwrap().len(), before + 1);
}
