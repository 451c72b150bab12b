//! When payments are made, and why they are not.

use gateway::domain::{Frequency, PayeeAccount, Routing};

use super::*;

const RENT: i64 = 10_000;

#[tokio::test]
async fn euro_payments_are_instant_on_every_day() {
    let mut scene = Scene::at("nl").await;
    let (payer, payee) = (scene.holder(50_000).await, scene.holder(0).await);
    // A Sunday night.
    scene.now = at("2026-11-29T22:30:00Z");
    let outside = scene.submit(&payer, &sepa(), &[scene.outside(1_000)]).await.unwrap();
    let inside = scene.submit(&payer, &sepa(), &[scene.to(&payee, 2_500)]).await.unwrap();
    assert_eq!(scene.status(&outside).await, "ACSC");
    assert_eq!(scene.status(&inside).await, "ACCC", "a customer has it at once");
    assert_eq!((scene.money(&payer).await, scene.money(&payee).await), ((46_500, 46_500), (2_500, 2_500)));
    let progress = scene.progress(&inside).await;
    assert_eq!((progress.since, progress.funds_available, progress.reason), (scene.now, Some(true), None));
    // Either side has the entry, at the end of its history.
    for (held, amount) in [(&payer, -2_500), (&payee, 2_500)] {
        let (account, currency) = (&held.account.id, Currency::EUR);
        let newest = scene.store().history_up_to(account, currency, (100, 1)).await.unwrap();
        assert_eq!((newest[0].1.amount.minor, newest[0].1.id.as_str()), (amount, &*format!("{inside}-0")));
    }
    // The bank takes a payment once, however often it is asked.
    scene.submit_as(&inside, &payer, &sepa(), &[scene.to(&payee, 2_500)]).await.unwrap();
    assert_eq!(scene.money(&payer).await.0, 46_500);
}

#[tokio::test]
async fn british_payments_settle_on_business_days() {
    let mut scene = Scene::at("uk").await;
    let (payer, payee) = (scene.holder(50_000).await, scene.holder(0).await);
    let british = |iban: &Iban| {
        let (sort_code, account_number) = iban.sort_code_and_account_number().unwrap();
        let (sort_code, account_number) = (sort_code.to_owned(), account_number.to_owned());
        let account = Some(PayeeAccount::British { sort_code, account_number });
        Some(Box::new(Routing { account, ..Routing::default() }))
    };
    let transfer = Transfer { routing: british(&payee.account.iban), ..scene.transfer("Payee", None, 2_500) };
    let id = scene.submit(&payer, &uk(), std::slice::from_ref(&transfer)).await.unwrap();
    assert_eq!(scene.status(&id).await, "ACSP");
    // The money is set aside, and seen as pending.
    assert_eq!((scene.money(&payer).await, scene.money(&payee).await), ((50_000, 47_500), (0, 0)));
    let order = scene.store().order(&id).await.unwrap().unwrap();
    let pending = crate::orders::pending(&order);
    assert_eq!((pending.len(), pending[0].amount.minor), (1, -2_500));
    assert_eq!(pending[0].booking_date.to_string(), "2026-11-26");
    let too_much = scene.submit(&payer, &uk(), &[scene.outside(47_501)]).await;
    assert_eq!(too_much, Err(PaymentRefusal::InsufficientFunds));
    scene.go_to("2026-11-26T15:59:59Z").await;
    assert_eq!(scene.status(&id).await, "ACSP");
    scene.go_to("2026-11-26T16:00:00Z").await;
    assert_eq!(scene.status(&id).await, "ACCC");
    assert_eq!((scene.money(&payer).await, scene.money(&payee).await), ((47_500, 47_500), (2_500, 2_500)));
    // After the cut-off of a Friday.
    scene.go_to("2026-11-27T16:00:01Z").await;
    let id = scene.submit(&payer, &uk(), &[scene.outside(500)]).await.unwrap();
    for (now, status) in
        [("2026-11-29T16:00:00Z", "ACSP"), ("2026-11-30T15:59:59Z", "ACSP"), ("2026-11-30T16:00:00Z", "ACSC")]
    {
        scene.go_to(now).await;
        assert_eq!(scene.status(&id).await, status, "{now}");
    }
    // A number of this bank that nobody has.
    let nobody = Routing {
        account: Some(PayeeAccount::British {
            sort_code: payee.account.iban.sort_code_and_account_number().unwrap().0.to_owned(),
            account_number: "00000000".to_owned(),
        }),
        ..Routing::default()
    };
    let nobody = Transfer { routing: Some(Box::new(nobody)), ..transfer };
    assert_eq!(scene.submit(&payer, &uk(), &[nobody]).await, Err(PaymentRefusal::CreditorUnknown));
    assert_eq!(scene.store().unbalanced_entries().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn payments_to_other_countries_take_two_business_days() {
    let mut scene = Scene::at("nl").await;
    let payer = scene.holder(50_000).await;
    let terms = |execution| single(PaymentProduct::CrossBorderCreditTransfers, execution);
    scene.now = at("2026-12-23T10:00:00Z");
    let id = scene.submit(&payer, &terms(Execution::AtOnce), &[scene.outside(1_000)]).await.unwrap();
    let later = terms(Execution::On("2026-12-25".parse().unwrap()));
    let later = scene.submit(&payer, &later, &[scene.outside(300)]).await.unwrap();
    assert_eq!((scene.status(&id).await, scene.status(&later).await), ("ACSP", "ACTC"));
    assert_eq!(scene.money(&payer).await, (50_000, 49_000));
    scene.go_to("2026-12-28T14:59:59Z").await;
    assert_eq!((scene.status(&id).await, scene.status(&later).await), ("ACSP", "ACSP"));
    assert_eq!(scene.money(&payer).await, (50_000, 48_700));
    scene.go_to("2026-12-28T15:00:00Z").await;
    assert_eq!((scene.status(&id).await, scene.status(&later).await), ("ACSC", "ACSP"));
    scene.go_to("2026-12-30T15:00:00Z").await;
    assert_eq!(scene.status(&later).await, "ACSC");
    assert_eq!(scene.money(&payer).await, (48_700, 48_700));
}

#[tokio::test]
async fn future_dated_payments_wait_for_their_day() {
    let mut scene = Scene::at("nl").await;
    let (payer, payee) = (scene.holder(5_000).await, scene.holder(0).await);
    let id = scene.submit(&payer, &sepa_on("2026-12-01"), &[scene.to(&payee, RENT)]).await.unwrap();
    let other = scene.submit(&payer, &sepa_on("2026-12-01"), &[scene.to(&payee, 4_000)]).await.unwrap();
    let stopped = scene.submit(&payer, &sepa_on("2026-12-01"), &[scene.to(&payee, 500)]).await.unwrap();
    // Nothing is set aside, and whether there would be enough is told.
    assert_eq!(scene.money(&payer).await, (5_000, 5_000));
    assert_eq!(scene.status(&id).await, "ACTC");
    assert_eq!(scene.progress(&id).await.funds_available, Some(false));
    assert_eq!(scene.progress(&other).await.funds_available, Some(true));
    assert_eq!(scene.stop(&stopped).await, Ok(()));
    assert_eq!(scene.status(&stopped).await, "CANC");
    let again = PaymentRefusal::Final { status: gateway::domain::PaymentStatus::Cancelled };
    assert_eq!(scene.stop(&stopped).await, Err(again));
    // Midnight of the branch, in winter.
    scene.go_to("2026-11-30T22:59:59Z").await;
    assert_eq!(scene.status(&other).await, "ACTC");
    assert!(scene.progress(&other).await.can_be_stopped, "its day has not come");
    // Its day has come, and it is as good as made.
    scene.now = at("2026-11-30T23:00:00Z");
    assert!(!scene.progress(&other).await.can_be_stopped);
    let too_late = PaymentRefusal::Final { status: gateway::domain::PaymentStatus::Submitted };
    assert_eq!(scene.stop(&other).await, Err(too_late.clone()));
    scene.do_due().await;
    let progress = scene.progress(&id).await;
    assert_eq!((progress.status.name(), progress.reason), ("RJCT", Some(RejectReason::Am04)));
    assert_eq!((scene.status(&other).await, scene.status(&stopped).await), ("ACCC", "CANC"));
    assert_eq!((scene.money(&payer).await, scene.money(&payee).await), ((1_000, 1_000), (4_000, 4_000)));
    assert_eq!(scene.stop(&other).await, Err(too_late));
    let refused = PaymentRefusal::Final { status: gateway::domain::PaymentStatus::Refused };
    assert_eq!(scene.stop(&id).await, Err(refused));
    // A day that has come is at once.
    let today = scene.submit(&payer, &sepa_on("2026-12-01"), &[scene.to(&payee, 100)]).await.unwrap();
    assert_eq!(scene.status(&today).await, "ACCC");
    // A British one waits for a business day.
    let mut scene = Scene::at("uk").await;
    let payer = scene.holder(5_000).await;
    let terms = PaymentTerms { execution: Execution::On("2026-12-26".parse().unwrap()), ..uk() };
    let id = scene.submit(&payer, &terms, &[scene.outside(100)]).await.unwrap();
    scene.go_to("2026-12-27T23:59:59Z").await;
    assert_eq!(scene.status(&id).await, "ACTC");
    scene.go_to("2026-12-28T00:00:00Z").await;
    assert_eq!(scene.status(&id).await, "ACSC");
}

#[tokio::test]
async fn periodic_payments_go_on() {
    let mut scene = Scene::at("nl").await;
    let (payer, payee) = (scene.holder(15_000).await, scene.holder(10_000).await);
    let monthly = Repetition {
        start: "2026-11-26".parse().unwrap(),
        end: Some("2027-03-31".parse().unwrap()),
        frequency: Frequency::Monthly,
        rule: Some(gateway::domain::ExecutionRule::Preceding),
        day: Some(31),
        months: Vec::new(),
    };
    let id = scene.submit(&payer, &periodic(monthly), &[scene.to(&payee, RENT)]).await.unwrap();
    assert_eq!((scene.status(&id).await, scene.money(&payer).await.0), ("ACCP", 15_000));
    scene.go_to("2026-11-29T23:00:00Z").await;
    assert_eq!((scene.status(&id).await, scene.money(&payer).await.0), ("ACCP", 5_000));
    // There is not enough: the next one is tried all the same, and its time is told by the first one's status.
    scene.go_to("2026-12-30T23:00:00Z").await;
    let progress = scene.progress(&id).await;
    assert_eq!((progress.status.name(), progress.reason), ("ACCP", Some(RejectReason::Am04)));
    assert_eq!((progress.funds_available, scene.money(&payer).await.0), (Some(false), 5_000));
    let back = scene.submit(&payee, &sepa(), &[scene.to(&payer, 20_000)]).await.unwrap();
    assert_eq!(scene.status(&back).await, "ACCC");
    // The last Friday of January, and the last Friday of February.
    for (now, left) in
        [("2027-01-28T22:59:59Z", 25_000), ("2027-01-28T23:00:00Z", 15_000), ("2027-02-25T23:00:00Z", 5_000)]
    {
        scene.go_to(now).await;
        assert_eq!(scene.money(&payer).await.0, left, "{now}");
    }
    assert_eq!(scene.progress(&id).await.reason, None);
    // Summer time has begun by the last one, which fails; nothing comes after it.
    scene.go_to("2027-03-30T21:59:59Z").await;
    assert_eq!(scene.store().order(&id).await.unwrap().unwrap().executions, 4);
    // Its moment has come and nobody has made it yet: what is left can be stopped all the same.
    scene.now = "2027-03-30T22:00:00Z".parse().unwrap();
    assert!(scene.progress(&id).await.can_be_stopped);
    scene.go_to("2027-03-30T22:00:00Z").await;
    assert!(!scene.progress(&id).await.can_be_stopped, "that was the last one");
    let order = scene.store().order(&id).await.unwrap().unwrap();
    assert_eq!((order.executions, order.due_at, order.status.name()), (5, None, "ACCP"));
    scene.go_to("2028-01-01T00:00:00Z").await;
    assert_eq!(scene.money(&payer).await.0, 5_000);
}

/// Each night once, those among them that are an hour shorter and longer than others; and nothing after it was stopped.
#[tokio::test]
async fn daily_payments_when_clocks_change() {
    for (start, days) in [
        // From Good Friday to Easter Monday, in which summer begins, nothing settles: five come to the Tuesday.
        ("2027-03-25", vec![("2027-03-24T23:00:00Z", 1), ("2027-03-29T22:00:00Z", 6)]),
        (
            "2027-10-28",
            vec![("2027-10-27T22:00:00Z", 1), ("2027-10-28T22:00:00Z", 2), ("2027-10-31T23:00:00Z", 5)],
        ),
    ] {
        let mut scene = Scene::at("nl").await;
        let payer = scene.holder(5_000).await;
        let daily = Repetition {
            start: start.parse().unwrap(),
            end: None,
            frequency: Frequency::Daily,
            rule: None,
            day: None,
            months: Vec::new(),
        };
        let id = scene.submit(&payer, &periodic(daily), &[scene.outside(100)]).await.unwrap();
        for (day, count) in days {
            let second = jiff::SignedDuration::from_secs(1);
            scene.now = at(day) - second;
            scene.do_due().await;
            let before = scene.money(&payer).await.0;
            scene.go_to(day).await;
            assert!(scene.money(&payer).await.0 < before, "{day}: not a second earlier");
            assert_eq!(scene.money(&payer).await.0, 5_000 - 100 * count, "{day}");
        }
        scene.stop(&id).await.unwrap();
        let left = scene.money(&payer).await;
        scene.now += jiff::SignedDuration::from_hours(24 * 30);
        scene.do_due().await;
        assert_eq!((scene.money(&payer).await, scene.status(&id).await), (left, "CANC"));
    }
}

#[tokio::test]
async fn of_a_bulk_payment_what_can_be_made_is_made() {
    let scene = Scene::at("nl").await;
    let (payer, payee, blocked) = (scene.holder(5_000).await, scene.holder(0).await, scene.holder(0).await);
    scene.set(&blocked, AccountStatus::Blocked).await;
    let terms = bulk(PaymentProduct::SepaCreditTransfers);
    let whole = scene.submit(&payer, &terms, &[scene.to(&payee, 100), scene.outside(200)]).await.unwrap();
    assert_eq!((scene.status(&whole).await, scene.money(&payer).await), ("ACSP", (4_700, 4_700)));
    let transfers =
        [scene.to(&payee, 100), scene.to(&blocked, 100), scene.outside(9_000), scene.outside(700)];
    let parts = scene.submit(&payer, &terms, &transfers).await.unwrap();
    let progress = scene.progress(&parts).await;
    assert_eq!((progress.status.name(), progress.reason), ("PART", Some(RejectReason::CreditorBlocked)));
    assert_eq!(scene.money(&payer).await, (3_900, 3_900));
    let order = scene.store().order(&parts).await.unwrap().unwrap();
    let refused: Vec<_> = order.refused.into_iter().collect();
    assert_eq!(refused, [(1, RejectReason::CreditorBlocked), (2, RejectReason::Am04)]);
    let none = scene.submit(&payer, &terms, &[scene.to(&blocked, 1), scene.outside(9_000)]).await;
    assert_eq!(none, Err(PaymentRefusal::Bank(RejectReason::CreditorBlocked)));
    // What was refused when its money was set aside stays refused; what cannot be made later is, too.
    let mut scene = Scene::at("uk").await;
    let (payer, payee) = (scene.holder(5_000).await, scene.holder(0).await);
    let transfers = [scene.to(&payee, 100), scene.outside(9_000), scene.outside(700)];
    let parts = scene.submit(&payer, &bulk(PaymentProduct::UkDomesticTransfers), &transfers).await.unwrap();
    assert_eq!((scene.status(&parts).await, scene.money(&payer).await), ("ACSP", (5_000, 4_200)));
    scene.set(&payee, AccountStatus::Deleted).await;
    scene.go_to("2026-11-26T16:00:00Z").await;
    assert_eq!((scene.status(&parts).await, scene.money(&payer).await), ("PART", (4_300, 4_300)));
    let order = scene.store().order(&parts).await.unwrap().unwrap();
    let refused: Vec<_> = order.refused.into_iter().collect();
    assert_eq!(refused, [(0, RejectReason::CreditorClosed), (1, RejectReason::Am04)]);
}

#[tokio::test]
async fn accounts_that_cannot_be_used_are_looked_at_when_a_payment_is_taken_and_when_it_is_made() {
    let mut scene = Scene::at("nl").await;
    let (payer, payee) = (scene.holder(5_000).await, scene.holder(0).await);
    let nobody = scene.submit(&payer, &sepa_on("2026-12-01"), &[scene.nobody(100)]).await.unwrap_err();
    assert_eq!(nobody.reason(), RejectReason::Ac01);
    let own = scene.submit(&payer, &sepa(), &[scene.to(&payer, 100)]).await;
    assert_eq!(own, Err(PaymentRefusal::SameAccount));
    let mut waiting = Vec::new();
    for (minor, held, status, reason) in [
        (1, &payee, AccountStatus::Blocked, RejectReason::CreditorBlocked),
        (2, &payee, AccountStatus::Deleted, RejectReason::CreditorClosed),
        (3, &payer, AccountStatus::Blocked, RejectReason::DebtorBlocked),
        (4, &payer, AccountStatus::Deleted, RejectReason::DebtorClosed),
    ] {
        let day = format!("2026-12-0{minor}");
        let transfers = [scene.to(&payee, minor)];
        waiting.push((scene.submit(&payer, &sepa_on(&day), &transfers).await.unwrap(), held, status, reason));
        scene.set(held, status).await;
        for terms in [sepa(), sepa_on("2027-01-01")] {
            let refused = scene.submit(&payer, &terms, &transfers).await.unwrap_err();
            assert_eq!(refused.reason(), reason);
        }
        scene.set(held, AccountStatus::Enabled).await;
    }
    for (place, (id, held, status, reason)) in waiting.into_iter().enumerate() {
        scene.set(held, status).await;
        scene.go_to(&format!("2026-12-0{}T12:00:00Z", place + 1)).await;
        let progress = scene.progress(&id).await;
        assert_eq!((progress.status.name(), progress.reason), ("RJCT", Some(reason)));
        scene.set(held, AccountStatus::Enabled).await;
    }
    assert_eq!((scene.money(&payer).await, scene.money(&payee).await), ((5_000, 5_000), (0, 0)));
}

/// What a customer pays in person is made at once wherever it is, and told by its entries.
#[tokio::test]
async fn payments_at_the_other_door_are_made_at_once() {
    let scene = Scene::at("uk").await;
    let (payer, payee) = (scene.holder(5_000).await, scene.holder(0).await);
    let (ctx, by) = (scene.ctx(), (&payer.customer, &payer.account.id));
    let id = scene.pay(&ctx, by, vec![scene.to(&payee, 120)]).await.unwrap();
    let again = (Interface::Bunq, id.clone());
    scene.bank.gateway.pay_once(&ctx, by, vec![scene.to(&payee, 120)], again).await.unwrap();
    assert_eq!((scene.status(&id).await, scene.money(&payer).await), ("ACCC", (4_880, 4_880)));
    let outside = scene.pay(&ctx, by, vec![scene.magic(120)]).await.unwrap();
    assert_eq!(scene.status(&outside).await, "ACSC", "no payee is magic there");
    assert_eq!(scene.store().order(&id).await.unwrap(), None);
    assert_eq!(scene.port().progress(&PaymentId::new("none"), scene.now).await.unwrap(), None);
    let made = PaymentRefusal::Final { status: gateway::domain::PaymentStatus::Submitted };
    assert_eq!(scene.stop(&id).await, Err(made));
}

/// The bank was not there for days: what came due meanwhile is made on its own day, the oldest first, and once.
#[tokio::test]
async fn what_came_due_while_nobody_looked_is_made_on_its_own_day() {
    let mut scene = Scene::at("nl").await;
    let (payer, payee) = (scene.holder(5_000).await, scene.holder(0).await);
    let weekly = Repetition {
        start: "2026-11-30".parse().unwrap(),
        end: None,
        frequency: Frequency::Weekly,
        rule: None,
        day: None,
        months: Vec::new(),
    };
    let repeated = scene.submit(&payer, &periodic(weekly), &[scene.to(&payee, 1_000)]).await.unwrap();
    // It finds what two executions left, and leaves nothing for the third.
    let once = scene.submit(&payer, &sepa_on("2026-12-09"), &[scene.to(&payee, 3_000)]).await.unwrap();
    let back = scene.submit(&payee, &sepa_on("2026-12-20"), &[scene.to(&payer, 4_500)]).await.unwrap();
    let slow = scene.submit(&payee, &sepa_on("2026-12-04"), &[scene.magic(120)]).await.unwrap();
    scene.go_to("2026-12-23T09:00:00Z").await;
    assert_eq!((scene.status(&once).await, scene.status(&back).await), ("ACCC", "ACCC"));
    assert_eq!(scene.status(&slow).await, "ACCC", "with every status on its way");
    assert_eq!(scene.progress(&slow).await.since, at("2026-12-03T23:04:00Z"));
    let history = async |scene: &Scene, held: &Held| {
        let (account, currency) = (&held.account.id, held.account.currency);
        let mut history = scene.store().history_up_to(account, currency, (99, 99)).await.unwrap();
        history.reverse();
        let own = history.into_iter().map(|(_, one)| (one.booking_date.to_string(), one.amount.minor));
        own.filter(|(day, _)| day.as_str() > "2026-11-26").collect::<Vec<_>>()
    };
    let day = |day: &str, minor| (format!("2026-{day}"), minor);
    let expected = [
        day("11-30", -1_000),
        day("12-07", -1_000),
        day("12-09", -3_000),
        day("12-20", 4_500),
        day("12-21", -1_000),
    ];
    assert_eq!(history(&scene, &payer).await, expected);
    let entered = scene.store().history_up_to(&payer.account.id, Currency::EUR, (99, 1)).await.unwrap();
    assert_eq!(entered[0].1.entered_at, Some(at("2026-12-20T23:00:00Z")));
    assert_eq!(scene.store().order(&repeated).await.unwrap().unwrap().executions, 4);
    assert_eq!(scene.progress(&repeated).await.reason, None);
    // What was booked since comes first: nothing is put before it.
    let today = scene.submit(&payer, &sepa_on("2026-12-27"), &[scene.outside(10)]).await.unwrap();
    scene.now = at("2026-12-30T09:00:00Z");
    scene.submit(&payer, &sepa(), &[scene.outside(20)]).await.unwrap();
    scene.do_due().await;
    assert_eq!(scene.status(&today).await, "ACSC");
    let newest = history(&scene, &payer).await;
    assert_eq!(newest[5..], [day("12-30", -20), day("12-30", -10), day("12-30", -1_000)]);
    assert_eq!(scene.store().unbalanced_entries().await.unwrap(), Vec::<String>::new());
}

/// What came due in several branches is made in the order in which it did, whichever branch comes first.
#[tokio::test]
async fn what_came_due_in_several_branches_is_made_in_its_order() {
    for days_ahead in [0, 12] {
        let mut scene = Scene::beside("nl", &["be_fr", "be_nl"]).await;
        let belgium = Tenant::parse("be_fr").unwrap();
        scene.bank.clock.advance(&belgium, jiff::Span::new().days(days_ahead)).await.unwrap();
        let (first, second) = (scene.holder_at("be_fr", 5_000).await, scene.holder(0).await);
        let third = scene.holder_at("be_nl", 0).await;
        let on = |days: i64| {
            let day = "2026-11-26".parse::<gateway::domain::Date>().unwrap();
            sepa_on(&day.checked_add(jiff::Span::new().days(days)).unwrap().to_string())
        };
        let paid = [
            scene.submit(&first, &on(days_ahead + 2), &[scene.to(&second, 5_000)]).await.unwrap(),
            scene.submit(&second, &on(3), &[scene.to(&third, 5_000)]).await.unwrap(),
            scene.submit(&third, &on(4), &[scene.to(&first, 5_000)]).await.unwrap(),
        ];
        scene.go_to("2026-12-04T09:00:00Z").await;
        for id in &paid {
            assert_eq!(scene.status(id).await, "ACCC", "{days_ahead}");
        }
        assert_eq!((scene.money(&first).await.0, scene.money(&third).await.0), (5_000, 0));
    }
}

/// A customer of another branch is paid on the day that it is there, and gives it back on that day.
#[tokio::test]
async fn customers_of_other_branches_are_paid_by_their_own_clock() {
    let scene = Scene::beside("nl", &["be_fr", "uk"]).await;
    let belgium = Tenant::parse("be_fr").unwrap();
    scene.bank.clock.advance(&belgium, jiff::Span::new().days(12)).await.unwrap();
    let (payer, payee) = (scene.holder(5_000).await, scene.holder_at("be_fr", 100).await);
    let british = scene.holder_at("uk", 0).await;
    let newest = async |held: &Held| {
        let (account, currency) = (&held.account.id, held.account.currency);
        scene.store().history_up_to(account, currency, (100, 1)).await.unwrap().remove(0).1
    };
    let id = scene.submit(&payer, &sepa(), &[scene.to(&payee, 700)]).await.unwrap();
    assert_eq!(scene.status(&id).await, "ACCC", "both are customers of this bank");
    assert_eq!((scene.money(&payer).await, scene.money(&payee).await), ((4_300, 4_300), (800, 800)));
    let (paid, got) = (newest(&payer).await, newest(&payee).await);
    assert_eq!(
        (paid.id.as_str(), paid.booking_date.to_string().as_str()),
        (&*format!("{id}-0"), "2026-11-26")
    );
    assert_eq!((got.id, got.booking_date.to_string().as_str()), (paid.id, "2026-12-08"));
    assert_eq!(got.entered_at, Some(scene.now_at(&belgium)));
    assert_eq!(got.counterparty.iban, Some(payer.account.iban.clone()));
    // The same at the other door.
    let by = (&payee.customer, &payee.account.id);
    let back = vec![scene.to(&payer, 50)];
    let paid = scene.pay(&scene.ctx_at(&belgium), by, back).await.unwrap();
    assert_eq!(scene.status(&paid).await, "ACCC");
    assert_eq!(newest(&payer).await.booking_date.to_string(), "2026-11-26");
    assert_eq!(newest(&payee).await.booking_date.to_string(), "2026-12-08");
    crate::forcing::refund(&scene.bank.books(), &id, scene.now).await.unwrap();
    assert_eq!((scene.money(&payer).await.0, scene.money(&payee).await.0), (5_050, 50));
    assert_eq!(newest(&payee).await.booking_date.to_string(), "2026-12-08");
    // What holds of accounts of this branch holds of those of any other.
    let refused = scene.submit(&payer, &sepa(), &[scene.to(&british, 100)]).await.unwrap_err();
    assert!(refused.to_string().contains("is in GBP"), "{refused}");
    for (status, reason) in [(AccountStatus::Blocked, "AC06"), (AccountStatus::Deleted, "AC04")] {
        scene.set(&payee, status).await;
        let refused = scene.submit(&payer, &sepa(), &[scene.to(&payee, 100)]).await.unwrap_err();
        assert_eq!(refused.reason().code(), reason);
    }
    let country =
        Scene { tenant: belgium, now: scene.now, interface: scene.interface, bank: scene.bank.clone() };
    let nobody = scene.submit(&payer, &sepa(), &[country.nobody(100)]).await.unwrap_err();
    assert_eq!(nobody.reason().code(), "AC01");
    assert_eq!(scene.store().unbalanced_entries().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn the_contract_of_banks_is_kept() {
    for tenant in ["nl", "uk"] {
        let scene = Scene::at(tenant).await;
        let (payer, payee) = (scene.holder(5_000).await, scene.holder(0).await);
        let parties = gateway::bank_contract::Parties {
            bank: &scene.port().ports(std::sync::Arc::clone(&scene.bank.names)),
            store: scene.store(),
            tenant: &scene.tenant,
            payer: (&payer.customer, &payer.account),
            payee: &payee.account,
            elsewhere: &foreign_iban(scene.tenant.country(), "Shop").unwrap(),
            now: scene.now,
            run: "",
        };
        parties.hold().await;
    }
}
