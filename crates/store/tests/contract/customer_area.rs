//! What customers see in the bank's own pages: their sessions, payments, and when something was last used.

use std::time::Duration;

use domain::{
    Access, AccountId, AccountNumber, AccountReference, Card, Consent, ConsentId, CustomerId,
    CustomerSession, Decision, FundsConsent, FundsConsentId, Iban, Interface, Language, ListPlace, LoggedIn,
    Payment, PaymentDecision, PaymentId, PaymentTerms, SecretHash, Tenant, Timestamp, TppId,
};
use store::Changes;

use crate::databases::on_each;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn nl() -> Tenant {
    Tenant::parse("nl").unwrap()
}

pub(crate) fn session(seen_at: Timestamp) -> CustomerSession {
    CustomerSession {
        hash: SecretHash::from_hex("c0"),
        tenant: nl(),
        challenge: "12345678".to_owned(),
        named: Some(SecretHash::from_hex("aa")),
        wrong_answers: 2,
        language: Language::French,
        logged_in: Some(LoggedIn { customer: CustomerId::new("p"), at: now() }),
        seen_at,
        ended: false,
        version: 0,
    }
}

#[tokio::test]
async fn sessions_of_customers_come_back_and_are_found_by_whom_they_name() {
    on_each(async |store| {
        store.save(Changes::new().put_customer_session(&session(now()))).await.unwrap();
        let (hash, earlier) = (SecretHash::from_hex("c0"), now() - Duration::from_secs(1));
        let kept = CustomerSession { version: 1, ..session(now()) };
        assert_eq!(store.customer_session(&hash).await.unwrap(), Some(kept.clone()));
        assert_eq!(store.customer_session(&SecretHash::from_hex("c1")).await.unwrap(), None);
        let naming = async |named: &str, since| {
            store.customer_sessions_naming(&SecretHash::from_hex(named), since).await.unwrap()
        };
        assert_eq!(naming("aa", earlier).await, std::slice::from_ref(&kept));
        assert_eq!((naming("aa", now()).await, naming("ab", earlier).await), (vec![], vec![]));
        let out = CustomerSession { named: None, logged_in: None, ended: true, ..kept };
        store.save(Changes::new().put_customer_session(&out)).await.unwrap();
        let stored = CustomerSession { version: 2, ..out.clone() };
        assert_eq!(store.customer_session(&hash).await.unwrap(), Some(stored));
        assert!(store.save(Changes::new().put_customer_session(&out)).await.is_err(), "it went on");
        assert_eq!(naming("aa", earlier).await, []);
    })
    .await;
}

fn payment(id: &str, debtor: Option<&str>, decision: PaymentDecision, second: u64) -> Payment {
    let at = now() + Duration::from_secs(second);
    Payment {
        id: PaymentId::new(id),
        tpp: Some(TppId::new("PSDNL-DNB-1")),
        tenant: nl(),
        interface: Interface::BerlinGroup,
        terms: PaymentTerms::AT_ONCE,
        debtor: debtor.map(|number| Iban::from_stored(number.to_owned())),
        transfers: vec![],
        created_at: at,
        expires_at: at + Duration::from_secs(3600),
        decision,
        last_action_at: at,
        version: 0,
    }
}

#[tokio::test]
async fn payments_are_found_by_the_account_that_pays_and_by_the_number_that_was_named() {
    const NUMBER: &str = "NL91ABNA0417164300";
    on_each(async |store| {
        let (by, account) = (vec![CustomerId::new("p")], AccountId::new("x"));
        let submitted = PaymentDecision::Submitted { by: by.clone(), account: account.clone() };
        let approved = PaymentDecision::Approved { by, account: account.clone() };
        let all = [
            payment("waits", Some(NUMBER), PaymentDecision::Pending, 1),
            payment("newer", Some(NUMBER), PaymentDecision::Pending, 2),
            payment("refused", Some(NUMBER), PaymentDecision::Rejected, 3),
            payment("made", None, submitted, 4),
            payment("stopped", None, approved, 5),
        ];
        store.save(all.iter().fold(Changes::new(), Changes::put_payment)).await.unwrap();
        // Nothing says any more who was to pay; the account is known all the same.
        let stopped = payment("stopped", None, PaymentDecision::Cancelled, 6);
        store.save(Changes::new().put_payment(&Payment { version: 1, ..stopped })).await.unwrap();
        let ids = |found: Vec<Payment>| found.into_iter().map(|one| one.id.to_string()).collect::<Vec<_>>();
        let start = &ListPlace::start();
        let place =
            |id: &str, second: u64| ListPlace { at: now() + Duration::from_secs(second), id: id.to_owned() };
        assert_eq!(ids(store.payments_from(&account, (start, 9)).await.unwrap()), ["stopped", "made"]);
        assert_eq!(ids(store.payments_from(&account, (start, 1)).await.unwrap()), ["stopped"]);
        let after = &place("stopped", 6);
        assert_eq!(ids(store.payments_from(&account, (after, 9)).await.unwrap()), ["made"]);
        assert_eq!(store.account_of_payment(&PaymentId::new("stopped")).await.unwrap(), Some(account));
        assert_eq!(store.account_of_payment(&PaymentId::new("waits")).await.unwrap(), None);
        assert_eq!(store.account_of_payment(&PaymentId::new("nobody's")).await.unwrap(), None);
        let (number, uk) = (Iban::from_stored(NUMBER.to_owned()), Tenant::parse("uk").unwrap());
        let which = (&nl(), &number);
        let undecided =
            async |which, since, page| ids(store.undecided_payments(which, since, page).await.unwrap());
        assert_eq!(undecided(which, now(), (start, 9)).await, ["newer", "waits"]);
        assert_eq!(undecided(which, now(), (start, 1)).await, ["newer"]);
        let late = now() + Duration::from_secs(3601);
        assert_eq!(undecided(which, late, (start, 9)).await, ["newer"]);
        let newer = &place("newer", 3602);
        assert_eq!(undecided(which, now(), (newer, 9)).await, ["waits"]);
        assert_eq!(ids(store.decided_payments(which, (start, 9)).await.unwrap()), ["refused"]);
        let after = &place("refused", 3);
        assert!(store.decided_payments(which, (after, 9)).await.unwrap().is_empty());
        // Of one second, in the order of ids.
        let before = &place("refuse", 3);
        assert_eq!(ids(store.decided_payments(which, (before, 9)).await.unwrap()), ["refused"]);
        assert!(undecided((&uk, &number), now(), (start, 9)).await.is_empty());
        assert!(store.decided_payments((&uk, &number), (start, 9)).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "each member of two kinds of consent")]
async fn it_is_known_when_a_consent_was_last_used() {
    on_each(async |store| {
        let customer = CustomerId::new("p");
        let consent = Consent {
            id: ConsentId::new("c"),
            tpp: TppId::new("PSDNL-DNB-1"),
            tenant: nl(),
            interface: Interface::BerlinGroup,
            access: Access::Chosen { balances: true, transactions: true },
            granted: vec![],
            recurring: true,
            valid_until: "2030-01-01".parse().unwrap(),
            frequency_per_day: 4,
            created_at: now(),
            customer: Some(customer.clone()),
            approved_at: Some(now()),
            decision: Decision::Confirmed,
            last_action_at: now(),
            version: 0,
        };
        let funds = FundsConsent {
            id: FundsConsentId::new("f"),
            tpp: TppId::new("PSDNL-DNB-1"),
            tenant: nl(),
            interface: Interface::BerlinGroup,
            account: AccountReference {
                number: AccountNumber::Iban(Iban::from_stored("NL91ABNA0417164300".to_owned())),
                currency: None,
            },
            card: Card::default(),
            created_at: now(),
            expires_at: now(),
            customer: Some(customer.clone()),
            approved_at: Some(now()),
            decision: Decision::Confirmed,
            last_action_at: now(),
            version: 0,
        };
        store.save(Changes::new().put_consent(&consent).put_funds_consent(&funds)).await.unwrap();
        let start = &ListPlace::start();
        let uses = async |after: &ListPlace| {
            let given = store.given_consents(&customer, (after, 9)).await.unwrap();
            let funds = store.given_funds_consents(&customer, (after, 9)).await.unwrap();
            let given = given.into_iter().map(|(consent, used)| (consent.id.to_string(), used));
            given
                .chain(funds.into_iter().map(|(consent, used)| (consent.id.to_string(), used)))
                .collect::<Vec<_>>()
        };
        assert_eq!(uses(start).await, [("c".to_owned(), None), ("f".to_owned(), None)]);
        assert!(uses(&ListPlace { at: now(), id: "g".to_owned() }).await.is_empty());
        assert_eq!(uses(&ListPlace { at: now(), id: "e".to_owned() }).await, [("f".to_owned(), None)]);
        let used = now() + Duration::from_secs(5);
        let changes = Changes::new()
            .note_use_of_consent(&consent.id, used)
            .note_use_of_funds_consent(&funds.id, used)
            .note_use_of_consent(&ConsentId::new("gone"), used);
        store.save(changes).await.unwrap();
        assert_eq!(uses(start).await, [("c".to_owned(), Some(used)), ("f".to_owned(), Some(used))]);
        // Another process that writes down what it knew before this one.
        let earlier = Changes::new().note_use_of_consent(&consent.id, now());
        store.save(earlier.note_use_of_funds_consent(&funds.id, now())).await.unwrap();
        assert_eq!(uses(start).await, [("c".to_owned(), Some(used)), ("f".to_owned(), Some(used))]);
        let (given, last) = store.given_consent(&consent.id).await.unwrap().unwrap();
        assert_eq!((given.id, given.approved_at, last), (consent.id.clone(), Some(now()), Some(used)));
        let (given, last) = store.given_funds_consent(&funds.id).await.unwrap().unwrap();
        assert_eq!((given.id, given.approved_at, last), (funds.id, Some(now()), Some(used)));
        assert!(store.given_consent(&ConsentId::new("gone")).await.unwrap().is_none());
        assert!(store.given_funds_consent(&FundsConsentId::new("gone")).await.unwrap().is_none());
        // Nobody who loaded it before has to load it again.
        let next = Changes::new().put_consent(&Consent { version: 1, recurring: true, ..consent });
        store.save(next).await.unwrap();
        assert_eq!(uses(start).await.len(), 2);
    })
    .await;
}
