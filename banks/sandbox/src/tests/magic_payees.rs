//! Payees whose payments come to an end that whoever tests chooses.

use gateway::domain::Frequency;

use super::*;

#[tokio::test]
async fn every_reason_is_given_when_a_payment_is_taken_and_when_it_is_made() {
    let mut scene = Scene::at("nl").await;
    let payer = scene.holder(500_000).await;
    for (place, (reason, _)) in RejectReason::CODES.iter().enumerate() {
        let digits = i64::try_from(place).unwrap() + 1;
        for terms in [sepa(), sepa_on("2027-01-01"), bulk(PaymentProduct::SepaCreditTransfers)] {
            let declined = scene.submit(&payer, &terms, &[scene.magic(100 + digits)]).await;
            assert_eq!(declined, Err(PaymentRefusal::Bank(*reason)));
        }
        let at_once = scene.submit(&payer, &sepa(), &[scene.magic(110 + digits)]).await.unwrap();
        let later = scene.submit(&payer, &sepa_on("2026-12-01"), &[scene.magic(110 + digits)]).await.unwrap();
        assert_eq!((scene.status(&at_once).await, scene.status(&later).await), ("ACSP", "ACTC"));
        assert_eq!(scene.money(&payer).await, (500_000, 500_000 - 110 - digits));
        scene.now += jiff::SignedDuration::from_mins(1);
        scene.do_due().await;
        let progress = scene.progress(&at_once).await;
        assert_eq!((progress.status.name(), progress.reason), ("RJCT", Some(*reason)));
        assert_eq!(scene.money(&payer).await, (500_000, 500_000), "what was set aside is given back");
    }
    scene.go_to("2026-12-01T12:00:00Z").await;
    assert_eq!(scene.store().due_orders(&scene.tenant, scene.now, 9).await.unwrap(), []);
    assert_eq!(scene.money(&payer).await, (500_000, 500_000));
}

#[tokio::test]
async fn slow_payments_go_through_every_status() {
    for terms in [sepa(), sepa_on("2026-11-27")] {
        let mut scene = Scene::at("nl").await;
        let payer = scene.holder(5_000).await;
        let id = scene.submit(&payer, &terms, &[scene.magic(120)]).await.unwrap();
        if terms != sepa() {
            scene.go_to("2026-11-26T23:00:00Z").await;
        }
        let mut seen = vec![scene.status(&id).await];
        for minute in 1..6 {
            let booked = scene.money(&payer).await.0;
            assert_eq!(booked, if minute > 3 { 4_880 } else { 5_000 }, "{seen:?}");
            assert_eq!(scene.money(&payer).await.1, 4_880);
            scene.now += jiff::SignedDuration::from_mins(1);
            scene.do_due().await;
            seen.push(scene.status(&id).await);
        }
        assert_eq!(seen, ["PDNG", "ACSP", "ACWP", "ACSC", "ACCC", "ACCC"]);
    }
}

#[tokio::test]
async fn others_are_changed_or_stuck_or_a_part() {
    let mut scene = Scene::at("nl").await;
    let payer = scene.holder(5_000).await;
    let changed = scene.submit(&payer, &sepa(), &[scene.magic(121)]).await.unwrap();
    let stuck = scene.submit(&payer, &sepa(), &[scene.magic(122)]).await.unwrap();
    let terms = bulk(PaymentProduct::SepaCreditTransfers);
    let part = scene.submit(&payer, &terms, &[scene.magic(106), scene.outside(100)]).await.unwrap();
    let later = scene.submit(&payer, &terms, &[scene.magic(116), scene.outside(100)]).await.unwrap();
    assert_eq!((scene.status(&changed).await, scene.status(&stuck).await), ("ACWC", "ACSP"));
    assert_eq!((scene.status(&part).await, scene.status(&later).await), ("PART", "ACSP"));
    scene.go_to("2026-11-26T09:01:00Z").await;
    assert_eq!((scene.status(&changed).await, scene.status(&later).await), ("ACSC", "PART"));
    assert_eq!(scene.progress(&later).await.reason, Some(RejectReason::Cust));
    scene.go_to("2027-11-26T09:01:00Z").await;
    assert_eq!(scene.status(&stuck).await, "ACSP");
    assert_eq!(scene.money(&payer).await, (5_000 - 121 - 200, 5_000 - 121 - 200 - 122));
}

/// One that takes its time takes it for the whole bulk payment, also if the bank declines another transfer of it: `PART`
/// is for what was made.
#[tokio::test]
async fn a_bulk_payment_with_a_refusal_goes_the_way_of_its_slowest() {
    let minute = jiff::SignedDuration::from_mins(1);
    let expected = [
        (120, vec!["PDNG", "ACSP", "ACWP", "PART", "PART"]),
        (121, vec!["ACWC", "PART", "PART"]),
        (122, vec!["ACSP", "ACSP", "ACSP"]),
        (117, vec!["ACSP", "RJCT", "RJCT"]),
    ];
    for (minor, statuses) in expected {
        let mut scene = Scene::at("nl").await;
        let payer = scene.holder(5_000).await;
        let terms = bulk(PaymentProduct::SepaCreditTransfers);
        let id = scene.submit(&payer, &terms, &[scene.magic(101), scene.magic(minor)]).await.unwrap();
        let mut seen = Vec::new();
        for _ in &statuses {
            seen.push(scene.status(&id).await);
            scene.now += minute;
            scene.do_due().await;
        }
        assert_eq!(seen, statuses, "{minor}");
        let order = scene.store().order(&id).await.unwrap().unwrap();
        assert_eq!(order.refused.get(&0), Some(&RejectReason::Ac01));
        let left = match minor {
            117 => (5_000, 5_000),
            122 => (5_000, 4_878),
            paid => (5_000 - paid, 5_000 - paid),
        };
        assert_eq!(scene.money(&payer).await, left, "{minor}");
    }
}

#[tokio::test]
async fn a_periodic_payment_fails_again_and_again() {
    let mut scene = Scene::at("nl").await;
    let payer = scene.holder(5_000).await;
    let weekly = Repetition {
        start: "2026-11-30".parse().unwrap(),
        end: None,
        frequency: Frequency::Weekly,
        rule: None,
        day: None,
        months: Vec::new(),
    };
    let id = scene.submit(&payer, &periodic(weekly), &[scene.magic(117)]).await.unwrap();
    scene.go_to("2026-12-14T12:00:00Z").await;
    let progress = scene.progress(&id).await;
    assert_eq!((progress.status.name(), progress.reason), ("ACCP", Some(RejectReason::Ms03)));
    let order = scene.store().order(&id).await.unwrap().unwrap();
    assert_eq!((order.executions, scene.money(&payer).await), (3, (5_000, 5_000)));
}
