//! What whoever tests makes of payments by force, and what the books make of that.

use gateway::domain::Frequency;

use super::*;
use crate::forcing::{Unforced, force, refund};

async fn forced(
    scene: &Scene,
    id: &PaymentId,
    status: &str,
    reason: Option<RejectReason>,
) -> Result<(), String> {
    let status = TransactionStatus::from_name(status).unwrap();
    let forced = force(&scene.bank.books(), id, (status, reason), scene.now).await;
    if let Ok(order) = &forced {
        assert_eq!(scene.store().order(id).await.unwrap().as_ref(), Some(order));
    }
    forced.map(|_| ()).map_err(|error| error.to_string())
}

async fn refunded(scene: &Scene, id: &PaymentId) -> Result<(), Unforced> {
    refund(&scene.bank.books(), id, scene.now).await.map(|_| ())
}

#[tokio::test]
async fn what_is_set_aside_is_given_back_or_moves() {
    let mut scene = Scene::at("uk").await;
    let (payer, payee) = (scene.holder(5_000).await, scene.holder(0).await);
    let rejected = scene.submit(&payer, &uk(), &[scene.to(&payee, 700)]).await.unwrap();
    for label in ["RCVD", "PDNG", "ACTC", "PATC", "ACFC", "ACCP", "ACWC", "ACSP", "ACWP"] {
        forced(&scene, &rejected, label, None).await.unwrap();
        assert_eq!((scene.status(&rejected).await, scene.money(&payer).await), (label, (5_000, 4_300)));
    }
    forced(&scene, &rejected, "RJCT", Some(RejectReason::Rr04)).await.unwrap();
    let progress = scene.progress(&rejected).await;
    assert_eq!((progress.status.name(), progress.reason), ("RJCT", Some(RejectReason::Rr04)));
    assert_eq!(scene.money(&payer).await, (5_000, 5_000));
    let ended = forced(&scene, &rejected, "ACSC", None).await.unwrap_err();
    assert!(ended.contains("has ended as RJCT"), "{ended}");
    let settled = scene.submit(&payer, &uk(), &[scene.to(&payee, 700)]).await.unwrap();
    forced(&scene, &settled, "ACSC", None).await.unwrap();
    assert_eq!((scene.money(&payer).await, scene.money(&payee).await), ((4_300, 4_300), (700, 700)));
    forced(&scene, &settled, "ACCC", None).await.unwrap();
    assert_eq!((scene.status(&settled).await, scene.money(&payee).await.0), ("ACCC", 700));
    let moved = forced(&scene, &settled, "PDNG", None).await.unwrap_err();
    assert!(moved.contains("PDNG would say that it has not"), "{moved}");
    // One that waits under another name goes on.
    let renamed = scene.submit(&payer, &uk(), &[scene.to(&payee, 300)]).await.unwrap();
    forced(&scene, &renamed, "PDNG", None).await.unwrap();
    scene.go_to("2026-11-26T16:00:00Z").await;
    assert_eq!((scene.status(&renamed).await, scene.money(&payee).await.0), ("ACCC", 1_000));
    forced(&scene, &settled, "RJCT", None).await.unwrap();
    assert_eq!((scene.money(&payer).await, scene.money(&payee).await), ((4_700, 4_700), (300, 300)));
    assert_eq!(scene.progress(&settled).await.reason, Some(RejectReason::Ms03));
    assert_eq!(scene.store().unbalanced_entries().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_has_moved_is_given_back_once() {
    let mut scene = Scene::at("nl").await;
    let (payer, payee) = (scene.holder(5_000).await, scene.holder(0).await);
    let inside = scene.submit(&payer, &sepa(), &[scene.to(&payee, 700)]).await.unwrap();
    let outside = scene.submit(&payer, &sepa(), &[scene.outside(300)]).await.unwrap();
    refunded(&scene, &inside).await.unwrap();
    assert_eq!((scene.status(&inside).await, scene.money(&payee).await), ("ACCC", (0, 0)));
    assert!(matches!(refunded(&scene, &inside).await, Err(Unforced::NothingToRefund)));
    let gone = forced(&scene, &inside, "RJCT", None).await.unwrap_err();
    assert!(gone.contains("has ended as ACCC"), "{gone}");
    forced(&scene, &outside, "CANC", None).await.unwrap();
    assert_eq!((scene.status(&outside).await, scene.money(&payer).await), ("CANC", (5_000, 5_000)));
    let newest = scene.store().history_up_to(&payer.account.id, Currency::EUR, (9, 1)).await.unwrap();
    assert_eq!(newest[0].1.remittance.as_deref(), Some("Refund"));
    // The payee has spent it, or is gone.
    let spent = scene.submit(&payer, &sepa(), &[scene.to(&payee, 700)]).await.unwrap();
    scene.submit(&payee, &sepa(), &[scene.outside(1)]).await.unwrap();
    let refused = refunded(&scene, &spent).await.unwrap_err();
    assert!(matches!(refused, Unforced::Refused(PaymentRefusal::InsufficientFunds)), "{refused}");
    scene.set(&payee, AccountStatus::Deleted).await;
    let refused = refunded(&scene, &spent).await.unwrap_err();
    assert!(matches!(refused, Unforced::Refused(PaymentRefusal::CreditorUnavailable { .. })), "{refused}");
    assert_eq!(scene.money(&payer).await, (4_300, 4_300));
    // One that was made at the other door has nothing but its entries, and becomes an order by force.
    scene.interface = Interface::Bunq;
    scene.set(&payee, AccountStatus::Enabled).await;
    let at_once = scene.submit(&payer, &PaymentTerms::AT_ONCE, &[scene.to(&payee, 50)]).await.unwrap();
    forced(&scene, &at_once, "RJCT", None).await.unwrap();
    assert_eq!((scene.status(&at_once).await, scene.money(&payer).await), ("RJCT", (4_300, 4_300)));
}

#[tokio::test]
async fn bulk_and_periodic_payments_by_force() {
    let mut scene = Scene::at("nl").await;
    let (payer, payee) = (scene.holder(5_000).await, scene.holder(0).await);
    let transfers = [scene.to(&payee, 100), scene.outside(200), scene.to(&payee, 400)];
    let terms = bulk(PaymentProduct::SepaCreditTransfers);
    let made = scene.submit(&payer, &terms, &transfers).await.unwrap();
    forced(&scene, &made, "PART", Some(RejectReason::Ac06)).await.unwrap();
    assert_eq!((scene.status(&made).await, scene.money(&payer).await), ("PART", (4_700, 4_700)));
    assert_eq!(scene.money(&payee).await.0, 100);
    forced(&scene, &made, "ACSP", None).await.unwrap();
    forced(&scene, &made, "PART", None).await.unwrap();
    let last = forced(&scene, &made, "PART", None).await.unwrap_err();
    assert!(last.contains("two transfers or more"), "{last}");
    assert_eq!(scene.money(&payer).await, (4_900, 4_900));
    let british = PaymentTerms { product: PaymentProduct::UkDomesticTransfers, ..terms };
    let waiting = scene.submit(&payer, &british, &transfers).await.unwrap();
    forced(&scene, &waiting, "PART", None).await.unwrap();
    assert_eq!(scene.money(&payer).await, (4_900, 4_600));
    scene.go_to("2026-11-26T15:00:00Z").await;
    assert_eq!((scene.status(&waiting).await, scene.money(&payer).await), ("PART", (4_600, 4_600)));
    let weekly = Repetition {
        start: "2026-11-26".parse().unwrap(),
        end: None,
        frequency: Frequency::Weekly,
        rule: None,
        day: None,
        months: Vec::new(),
    };
    let id = scene.submit(&payer, &periodic(weekly), &[scene.to(&payee, 10)]).await.unwrap();
    scene.do_due().await;
    let never = forced(&scene, &id, "ACSC", None).await.unwrap_err();
    assert!(never.contains("stays ACCP"), "{never}");
    forced(&scene, &id, "PDNG", None).await.unwrap();
    scene.go_to("2026-12-03T12:00:00Z").await;
    assert_eq!((scene.status(&id).await, scene.money(&payer).await.0), ("PDNG", 4_580));
    refunded(&scene, &id).await.unwrap();
    assert_eq!(scene.money(&payer).await.0, 4_590);
    assert!(matches!(refunded(&scene, &id).await, Err(Unforced::NothingToRefund)));
    scene.go_to("2026-12-10T12:00:00Z").await;
    assert_eq!(scene.money(&payer).await.0, 4_580);
    forced(&scene, &id, "RJCT", None).await.unwrap();
    scene.go_to("2027-12-10T12:00:00Z").await;
    assert_eq!(scene.money(&payer).await.0, 4_580);
    assert_eq!(scene.store().unbalanced_entries().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_cannot_be_forced() {
    let scene = Scene::at("nl").await;
    let payer = scene.holder(100).await;
    let none =
        force(&scene.bank.books(), &PaymentId::new("none"), (TransactionStatus::Acsc, None), scene.now).await;
    assert!(matches!(none, Err(Unforced::Failed(Error::NotFound(_)))), "{none:?}");
    let id = PaymentId::new("declined");
    scene.submit_as(&id, &payer, &sepa(), &[scene.outside(101)]).await.unwrap_err();
    assert!(forced(&scene, &id, "RJCT", None).await.unwrap_err().contains("does not have this payment yet"));
    let id = scene.submit(&payer, &sepa_on("2026-12-01"), &[scene.outside(101)]).await.unwrap();
    let reason = forced(&scene, &id, "ACSC", Some(RejectReason::Ac01)).await.unwrap_err();
    assert!(reason.contains("goes with RJCT and PART"), "{reason}");
    assert!(forced(&scene, &id, "ACSC", None).await.unwrap_err().contains("insufficient funds"));
    assert!(forced(&scene, &id, "PART", None).await.unwrap_err().contains("bulk payments"));
    assert!(matches!(refunded(&scene, &id).await, Err(Unforced::NothingToRefund)));
    assert_eq!((scene.status(&id).await, scene.money(&payer).await), ("ACTC", (100, 100)));
}
