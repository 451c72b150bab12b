use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use super::*;

fn now() -> Timestamp {
    "2027-01-01T12:00:00Z".parse().unwrap()
}

fn after(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

const TPP: &str = "PSDNL-DNB-R123456";

fn copy(status: RegisterStatus, as_of: Timestamp) -> RegisterCopy {
    let services = BTreeMap::from([("NL".to_owned(), BTreeSet::from([Role::AccountInformation]))]);
    let entry = RegisterEntry { status, home: "NL".to_owned(), services };
    RegisterCopy::new(as_of, vec![("NL_DNB".to_owned(), "R123456".to_owned(), entry)])
}

/// A service that answers, or does not.
#[derive(Debug)]
struct Service {
    status: Mutex<RegisterStatus>,
    is_away: AtomicBool,
    /// Answers that may be given.
    gate: tokio::sync::Semaphore,
}

impl LookUp for Service {
    fn look_up<'a>(&'a self, _: &'a TppId, now: Timestamp) -> LookedUp<'a> {
        Box::pin(async move {
            self.gate.acquire().await.unwrap().forget();
            let status = *self.status.lock().unwrap();
            if self.is_away.load(Ordering::Relaxed) {
                return Err("nobody is there".to_owned());
            }
            Ok(copy(status, now))
        })
    }
}

fn service(is_strict: bool, patience: Duration) -> (Arc<Service>, Register) {
    let service = Arc::new(Service {
        status: Mutex::new(RegisterStatus::Active),
        is_away: false.into(),
        gate: tokio::sync::Semaphore::new(1000),
    });
    let source = RegisterSource::Service(service.clone(), patience);
    (service, Register::new(source, is_strict))
}

async fn judged(register: &Register, roles: &[Role], at: Timestamp) -> Result<(), Refusal> {
    let tpp = TppId::new(TPP);
    let told = register.told(&tpp, at).await;
    let question = RegisterQuestion { tpp: &tpp, roles, country: "NL" };
    register.judge(told.as_deref(), question, &[Role::AccountInformation])
}

const READS: &[Role] = &[Role::AccountInformation];
const LONG: Duration = Duration::from_secs(3600);

/// Lets what was begun beside the calls end.
async fn settle(register: &Register) {
    while !register.0.asking.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_is_asked_once_while_what_it_said_is_fresh() {
    let (service, register) = service(false, LONG);
    let all = tokio::join!(
        judged(&register, READS, now()),
        judged(&register, READS, now()),
        judged(&register, &[Role::PaymentInitiation], now())
    );
    assert!(all.0.is_ok() && all.1.is_ok());
    assert!(
        matches!(all.2, Err(Refusal::Standing(StandingRefusal::ServiceNotRegistered { .. }))),
        "{:?}",
        all.2
    );
    assert_eq!(register.counts().asked, 1);
    judged(&register, READS, after(4)).await.unwrap();
    assert_eq!((register.counts().asked, register.as_of()), (1, Some(now())));
    // In the second half of its time it is asked again, and nobody waits for that.
    *service.status.lock().unwrap() = RegisterStatus::Withdrawn;
    judged(&register, READS, after(6)).await.unwrap();
    settle(&register).await;
    assert_eq!((register.counts().asked, register.as_of()), (2, Some(after(6))));
    let refused = judged(&register, READS, after(6)).await;
    assert!(matches!(refused, Err(Refusal::Standing(StandingRefusal::Withdrawn { .. }))), "{refused:?}");
    // That is believed for a minute.
    *service.status.lock().unwrap() = RegisterStatus::Active;
    judged(&register, READS, after(7)).await.unwrap();
    assert_eq!(register.counts().listed, 5);
}

#[tokio::test(start_paused = true)]
async fn what_was_said_holds_for_seven_days_when_nobody_answers() {
    let (service, register) = service(true, LONG);
    service.is_away.store(true, Ordering::Relaxed);
    let refused = judged(&register, READS, now()).await;
    assert_eq!(refused, Err(Refusal::RegisterUnanswered { retry_after: 20 }));
    // It is not asked again at once.
    judged(&register, READS, now()).await.unwrap_err();
    assert_eq!((register.counts().asked, register.counts().unanswered), (1, 1));
    service.is_away.store(false, Ordering::Relaxed);
    judged(&register, READS, after(1)).await.unwrap();
    service.is_away.store(true, Ordering::Relaxed);
    for minutes in [12, 7 * 24 * 60] {
        judged(&register, READS, after(minutes)).await.unwrap();
    }
    assert!(judged(&register, READS, after(7 * 24 * 60 + 2)).await.is_err());
    assert_eq!(register.as_of(), Some(after(1)));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_patience() {
    let (service, register) = service(false, Duration::from_secs(2));
    service.gate.forget_permits(1000);
    // Whoever is not listed anywhere is let in, and so is whoever cannot be looked up.
    let begun = tokio::time::Instant::now();
    judged(&register, READS, now()).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    assert_eq!(register.counts().untold, 1);
    service.gate.add_permits(1);
    settle(&register).await;
    judged(&register, READS, now()).await.unwrap();
    assert_eq!((register.counts().listed, register.counts().asked), (1, 1));
}

#[tokio::test]
async fn a_copy_is_looked_into_and_old_ones_are_not() {
    let register = Register::new(RegisterSource::Copy, false);
    judged(&register, READS, now()).await.unwrap();
    register.take(copy(RegisterStatus::Withdrawn, now()));
    judged(&register, READS, now()).await.unwrap_err();
    judged(&register, READS, after(7 * 24 * 60 + 1)).await.unwrap();
    assert_eq!(register.counts().untold, 2);
    // Nobody is listed: let in, unless the bank wants it otherwise; banks are elsewhere.
    for (is_strict, held, is_let_in) in [
        (false, &[Role::AccountInformation][..], true),
        (true, &[Role::AccountInformation], false),
        (true, &[], false),
        (true, &[Role::AccountServicing], true),
    ] {
        let register = Register::new(RegisterSource::Copy, is_strict);
        let (tpp, copy) = (TppId::new("PSDNL-DNB-R2"), copy(RegisterStatus::Active, now()));
        let question = RegisterQuestion { tpp: &tpp, roles: READS, country: "NL" };
        assert_eq!(register.asks_for_roles(Some(&copy), &tpp), is_strict);
        let judged = register.judge(Some(&copy), question, held);
        assert_eq!(judged.is_ok(), is_let_in, "{is_strict} {held:?} {judged:?}");
        assert!(!register.asks_for_roles(Some(&copy), &TppId::new(TPP)), "it is listed");
        // The bank's own customers are in no register.
        let own = TppId::new("12345");
        let question = RegisterQuestion { tpp: &own, ..question };
        assert_eq!(register.judge(Some(&copy), question, &[]), Ok(()));
    }
}

#[test]
fn who_was_stopped_is_refused_without_any_register() {
    let register = Register::new(RegisterSource::None, true);
    let tpp = TppId::new(TPP);
    assert_eq!(register.check_not_stopped(&tpp, "00"), Ok(()));
    assert!(register.is_silent());
    register.stop_these(StopList::parse(TPP).unwrap());
    assert!(!register.is_silent());
    assert_eq!(register.check_not_stopped(&tpp, "00"), Err(StandingRefusal::Stopped(tpp.clone())));
    let question = RegisterQuestion { tpp: &tpp, roles: READS, country: "NL" };
    assert_eq!(register.judge(None, question, &[]), Ok(()));
    assert_eq!((register.counts().refused, register.as_of()), (1, None));
    assert_eq!(register.counts().untold, 0, "there is no register that could tell");
}
