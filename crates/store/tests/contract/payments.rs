//! Payments that third parties asked for.

use domain::{
    AccountId, CustomerId, Iban, Interface, Payment, PaymentDecision, PaymentId, PaymentTerms, Tenant,
    Timestamp, TppId,
};
use store::Changes;

use crate::databases::on_each;

const IBAN: &str = "NL05TRIO0123456789";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn nl() -> Tenant {
    Tenant::parse("nl").unwrap()
}

fn iban() -> Iban {
    Iban::from_stored(IBAN.to_owned())
}

fn payment(id: &str) -> Payment {
    Payment {
        id: PaymentId::new(id),
        tpp: Some(TppId::new("PSDNL-DNB-1")),
        tenant: nl(),
        interface: Interface::Bunq,
        terms: PaymentTerms::AT_ONCE,
        debtor: Some(iban()),
        transfers: Vec::new(),
        created_at: at(1_800_000_000),
        expires_at: at(1_800_000_100),
        decision: PaymentDecision::Pending,
        last_action_at: at(1_800_000_000),
        version: 0,
    }
}

#[tokio::test]
async fn payments_wait_until_they_are_decided() {
    on_each(async |store| {
        let elsewhere = Payment { interface: Interface::BerlinGroup, ..payment("elsewhere") };
        let changes = Changes::new().put_payment(&payment("b")).put_payment(&payment("a"));
        let changes = changes.put_payment(&elsewhere);
        store.save(changes).await.unwrap();
        let stored = |id| Payment { version: 1, ..payment(id) };
        assert_eq!(store.payment(&PaymentId::new("a")).await.unwrap(), Some(stored("a")));
        let waiting = async |now| {
            let from = (&nl(), &iban());
            let who = (&TppId::new("PSDNL-DNB-1"), Interface::Bunq);
            store.pending_payments(who, from, at(now)).await.unwrap()
        };
        assert_eq!(waiting(1_800_000_099).await, [stored("a"), stored("b")]);
        assert_eq!(waiting(1_800_000_100).await, []);
        let executed = Payment {
            decision: PaymentDecision::Submitted {
                by: vec![CustomerId::new("p")],
                account: AccountId::new("euro"),
            },
            ..stored("a")
        };
        store.save(Changes::new().put_payment(&executed)).await.unwrap();
        assert_eq!(waiting(1_800_000_000).await, [stored("b")]);
        let read = store.payment(&executed.id).await.unwrap();
        assert_eq!(read, Some(Payment { version: 2, ..executed }));
    })
    .await;
}
