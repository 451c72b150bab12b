use std::sync::atomic::{AtomicBool, AtomicI64};

use eidas::issue::{
    Authority, AuthorityName, CertificateRequest, KeyType, Profile, PublicationPoints, Responder,
    generate_key,
};
use eidas::status::Status;
use eidas::{OrganizationIdentifier, Role};
use tokio::sync::Semaphore;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2027-01-01T12:00:00Z")
}

fn in_minutes(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

/// Who asks one issuer.
#[derive(Clone)]
struct Watched {
    revocation: Revocation,
    issuer: Arc<Certificate>,
}

impl Watched {
    async fn verdict(&self, certificate: &Certificate, now: Timestamp) -> Verdict {
        self.revocation.verdict(certificate, &self.issuer, now).await
    }

    fn counts(&self) -> Counts {
        self.revocation.counts()
    }
}

/// An authority that answers, or does not, and counts.
#[derive(Debug)]
struct World {
    authority: Authority,
    responder: Responder,
    standing: Mutex<Standing>,
    /// As of when it speaks; it holds for an hour.
    time: Mutex<Timestamp>,
    /// For how many hours its list holds.
    hours: AtomicI64,
    is_away: AtomicBool,
    has_list: AtomicBool,
    /// What is at the address of the list in its place.
    instead: Mutex<Option<Vec<u8>>>,
    asked: AtomicU64,
    listed: AtomicU64,
    /// Answers that may be given.
    gate: Semaphore,
}

impl World {
    fn new() -> Arc<Self> {
        let name = AuthorityName {
            country: "NL".into(),
            locality: None,
            organization_identifier: None,
            organization: "Example (TEST)".into(),
            common_name: "Example CA (TEST)".into(),
        };
        let years = (at("2020-01-01T00:00:00Z"), at("2090-01-01T00:00:00Z"));
        let authority = Authority::root(&name, KeyType::P256, &[1], years).unwrap();
        let responder = authority.responder(&[2], years).unwrap();
        Arc::new(Self {
            authority,
            responder,
            standing: Mutex::new(Standing::Good),
            time: Mutex::new(now()),
            hours: 1.into(),
            is_away: false.into(),
            has_list: true.into(),
            instead: Mutex::default(),
            asked: 0.into(),
            listed: 0.into(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    fn certificate(&self, serial: u8) -> Certificate {
        self.certificate_at(serial, "pki.example")
    }

    /// One that names a host.
    fn certificate_at(&self, serial: u8, host: &str) -> Certificate {
        let request = CertificateRequest {
            organization_identifier: OrganizationIdentifier::parse("PSDNL-DNB-R123456").unwrap(),
            organization_name: "Example TPP B.V.".into(),
            country: "NL".into(),
            locality: "Utrecht".into(),
            roles: vec![Role::AccountInformation],
            common_name: "tpp.example".into(),
            serial: vec![serial],
            not_before: at("2026-01-01T00:00:00Z"),
            not_after: at("2028-01-01T00:00:00Z"),
        };
        let points = PublicationPoints {
            ca_issuers: format!("http://{host}/ca.cer"),
            crl: format!("http://{host}/ca.crl"),
            ocsp: Some(format!("http://{host}/ocsp")),
            disclosure_statement: None,
        };
        let (_, public) = generate_key(KeyType::P256).unwrap();
        self.authority.issue(Profile::QSeal, &request, &points, &public).unwrap()
    }

    fn watched(self: &Arc<Self>) -> Watched {
        let issuer = Certificate::from_der(self.authority.der()).unwrap();
        let revocation = Revocation::new(&[], Arc::<Self>::clone(self), Rules::default());
        Watched { revocation, issuer: Arc::new(issuer) }
    }

    fn says(&self, standing: Standing, from: Timestamp) {
        *self.standing.lock().unwrap() = standing;
        *self.time.lock().unwrap() = from;
    }

    fn goes_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
        self.has_list.store(!is_away, Ordering::SeqCst);
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Fetch for World {
    fn ask<'a>(&'a self, url: &'a str, question: &'a [u8]) -> Fetched<'a> {
        assert!(url.ends_with(".example/ocsp"), "{url}");
        Box::pin(async {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            if self.is_away.load(Ordering::SeqCst) {
                return Err("it is away".to_owned());
            }
            let (standing, from) = (*self.standing.lock().unwrap(), *self.time.lock().unwrap());
            let asked = self.responder.read(question).unwrap();
            let times = (from, from + SignedDuration::from_hours(1));
            Ok(self.responder.answer(asked, &[standing], times).unwrap())
        })
    }

    fn list<'a>(&'a self, url: &'a str) -> Fetched<'a> {
        assert!(url.ends_with(".example/ca.crl"), "{url}");
        Box::pin(async {
            self.listed.fetch_add(1, Ordering::SeqCst);
            if !self.has_list.load(Ordering::SeqCst) {
                return Err("there is none".to_owned());
            }
            if let Some(instead) = self.instead.lock().unwrap().clone() {
                return Ok(instead);
            }
            let from = *self.time.lock().unwrap();
            let revoked = match *self.standing.lock().unwrap() {
                Standing::Revoked { at } => vec![(vec![7], at)],
                _ => Vec::new(),
            };
            let until = from + SignedDuration::from_hours(self.hours.load(Ordering::SeqCst));
            Ok(self.authority.revocation_list(1, &revoked, from, until).unwrap())
        })
    }
}

/// A list of an authority as of a time for two hours, in which nobody is revoked.
fn list_of(authority: &Authority, from: Timestamp) -> Vec<u8> {
    authority.revocation_list(1, &[], from, from + SignedDuration::from_hours(2)).unwrap()
}

/// Lets what was begun beside the calls come to its end.
async fn settle(watched: &Watched) {
    while !watched.revocation.0.asking.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_issuer_is_asked_once_for_all_who_wait_and_not_again_while_its_answer_holds() {
    let world = World::new();
    let (revocation, certificate) = (world.watched(), world.certificate(7));
    world.gate.forget_permits(Semaphore::MAX_PERMITS);
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (revocation, certificate) = (revocation.clone(), certificate.clone());
            tokio::spawn(async move { revocation.verdict(&certificate, now()).await })
        })
        .collect();
    while world.asked() == 0 {
        tokio::task::yield_now().await;
    }
    world.gate.add_permits(1);
    for call in calls {
        assert_eq!(call.await.unwrap(), Verdict::Good);
    }
    assert_eq!(revocation.verdict(&certificate, in_minutes(29)).await, Verdict::Good);
    assert_eq!(world.asked(), 1);
    // In the second half of its time the next answer is fetched while the old one is taken.
    let since = in_minutes(20);
    world.says(Standing::Revoked { at: since }, in_minutes(31));
    world.gate.add_permits(10);
    assert_eq!(revocation.verdict(&certificate, in_minutes(31)).await, Verdict::Good);
    settle(&revocation).await;
    assert_eq!(world.asked(), 2);
    assert_eq!(revocation.verdict(&certificate, in_minutes(31)).await, Verdict::Revoked { at: since });
    assert_eq!(world.listed.load(Ordering::SeqCst), 0);
    let expected =
        Counts { asked: 2, bad: 1, remembered: 3, last_answer: Some(in_minutes(31)), ..Counts::default() };
    assert_eq!(revocation.counts(), expected);
}

#[tokio::test]
async fn without_its_responder_the_list_tells_and_is_fetched_once_for_all_certificates() {
    let world = World::new();
    let revocation = world.watched();
    world.is_away.store(true, Ordering::SeqCst);
    world.says(Standing::Revoked { at: in_minutes(-60) }, now());
    let [revoked, other, third] = [7, 8, 9].map(|serial| world.certificate(serial));
    let verdicts = tokio::join!(
        revocation.verdict(&revoked, now()),
        revocation.verdict(&other, now()),
        revocation.verdict(&third, in_minutes(5)),
    );
    assert_eq!(verdicts, (Verdict::Revoked { at: in_minutes(-60) }, Verdict::Good, Verdict::Good));
    assert_eq!(world.listed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_was_revoked_stays_so_when_nobody_answers_and_what_was_good_does_not() {
    let world = World::new();
    let revocation = world.watched();
    let (good, revoked, new) = (world.certificate(8), world.certificate(7), world.certificate(9));
    assert_eq!(revocation.verdict(&good, now()).await, Verdict::Good);
    world.says(Standing::Revoked { at: now() }, now());
    assert_eq!(revocation.verdict(&revoked, now()).await, Verdict::Revoked { at: now() });
    world.goes_away(true);
    // In its time the answer holds, though the next one does not come.
    assert_eq!(revocation.verdict(&good, in_minutes(45)).await, Verdict::Good);
    settle(&revocation).await;
    assert_eq!(revocation.verdict(&good, in_minutes(46)).await, Verdict::Good);
    settle(&revocation).await;
    let unanswered = Verdict::Unanswered { good_at: Some(now()) };
    assert_eq!(revocation.verdict(&good, in_minutes(60)).await, unanswered);
    assert_eq!(revocation.verdict(&revoked, in_minutes(60)).await, Verdict::Revoked { at: now() });
    assert_eq!(revocation.verdict(&new, in_minutes(60)).await, Verdict::Unanswered { good_at: None });
    // It is not asked with each call.
    let asked = world.asked();
    for _ in 0..5 {
        revocation.verdict(&good, in_minutes(60)).await;
        revocation.verdict(&new, in_minutes(60)).await;
    }
    assert_eq!(world.asked(), asked);
    world.goes_away(false);
    world.says(Standing::Good, in_minutes(61));
    for certificate in [&good, &revoked, &new] {
        assert_eq!(revocation.verdict(certificate, in_minutes(62)).await, Verdict::Good);
    }
}

#[tokio::test]
async fn what_its_issuer_does_not_know_is_asked_about_again_in_a_minute() {
    let world = World::new();
    let (revocation, certificate) = (world.watched(), world.certificate(7));
    world.says(Standing::Unknown, now());
    assert_eq!(revocation.verdict(&certificate, now()).await, Verdict::Unknown);
    world.says(Standing::Good, now());
    assert_eq!(revocation.verdict(&certificate, now()).await, Verdict::Unknown);
    assert_eq!(revocation.verdict(&certificate, in_minutes(1)).await, Verdict::Good);
}

#[tokio::test(start_paused = true)]
async fn no_call_waits_longer_than_its_patience_and_what_was_begun_goes_on() {
    let world = World::new();
    let (revocation, certificate) = (world.watched(), world.certificate(7));
    world.gate.forget_permits(Semaphore::MAX_PERMITS);
    let began = Instant::now();
    assert_eq!(revocation.verdict(&certificate, now()).await, Verdict::Unanswered { good_at: None });
    assert_eq!(began.elapsed().as_secs(), Rules::default().patience.as_secs());
    world.gate.add_permits(1);
    settle(&revocation).await;
    assert_eq!(revocation.verdict(&certificate, now()).await, Verdict::Good);
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn of_the_banks_own_authority_nobody_is_asked() {
    let (world, other) = (World::new(), World::new());
    let (certificate, watched) = (other.certificate(7), other.watched());
    let kept = [Certificate::clone(&watched.issuer)];
    let revocation = Revocation::new(&kept, Arc::<World>::clone(&world), Rules::default());
    assert_eq!(revocation.verdict(&certificate, &watched.issuer, now()).await, Verdict::Good);
    assert_eq!(revocation.counts(), Counts::default());
    assert_eq!((world.asked(), other.asked()), (0, 0));
}

#[tokio::test]
async fn an_answer_of_before_does_not_bring_back_what_was_revoked() {
    let world = World::new();
    let (revocation, certificate) = (world.watched(), world.certificate(7));
    let revoked = Verdict::Revoked { at: now() };
    world.says(Standing::Revoked { at: now() }, now());
    assert_eq!(revocation.verdict(&certificate, now()).await, revoked);
    // Somebody on the way kept a good one of half an hour before, which still holds.
    world.says(Standing::Good, in_minutes(-30));
    assert_eq!(revocation.verdict(&certificate, in_minutes(2)).await, revoked);
    // The responder is away, and the list is of before.
    world.is_away.store(true, Ordering::SeqCst);
    assert_eq!(revocation.verdict(&certificate, in_minutes(4)).await, revoked);
    assert_eq!(world.listed.load(Ordering::SeqCst), 1);
    // One of after does: it was suspended.
    world.is_away.store(false, Ordering::SeqCst);
    world.says(Standing::Good, in_minutes(5));
    assert_eq!(revocation.verdict(&certificate, in_minutes(6)).await, Verdict::Good);
}

#[tokio::test]
async fn a_list_that_holds_for_long_is_fetched_again_after_half_a_day() {
    let world = World::new();
    let revocation = world.watched();
    world.is_away.store(true, Ordering::SeqCst);
    world.hours.store(180 * 24, Ordering::SeqCst);
    assert_eq!(revocation.verdict(&world.certificate(8), now()).await, Verdict::Good);
    world.says(Standing::Revoked { at: in_minutes(60) }, in_minutes(60));
    let certificate = world.certificate(7);
    assert_eq!(revocation.verdict(&certificate, in_minutes(11 * 60)).await, Verdict::Good);
    let other = revocation.verdict(&world.certificate(9), in_minutes(13 * 60)).await;
    assert_eq!((other, world.listed.load(Ordering::SeqCst)), (Verdict::Good, 2));
    // Whoever was good by the older one is asked about again in the second half of a day.
    revocation.verdict(&certificate, in_minutes(24 * 60)).await;
    settle(&revocation).await;
    let verdict = revocation.verdict(&certificate, in_minutes(24 * 60)).await;
    assert_eq!(verdict, Verdict::Revoked { at: in_minutes(60) });
}

#[tokio::test]
async fn a_list_that_is_not_there_or_of_no_use_is_not_fetched_for_each_certificate() {
    let world = World::new();
    let revocation = world.watched();
    let listed = || world.listed.load(Ordering::SeqCst);
    world.goes_away(true);
    for serial in 1..20 {
        let verdict = revocation.verdict(&world.certificate(serial), now()).await;
        assert_eq!(verdict, Verdict::Unanswered { good_at: None });
    }
    assert_eq!(listed(), 1);
    // It is there, and out of its time.
    world.has_list.store(true, Ordering::SeqCst);
    world.says(Standing::Good, in_minutes(-120));
    for serial in 21..40 {
        let verdict = revocation.verdict(&world.certificate(serial), in_minutes(1)).await;
        assert_eq!(verdict, Verdict::Unanswered { good_at: None });
    }
    assert_eq!(listed(), 2);
    world.says(Standing::Good, in_minutes(2));
    assert_eq!(revocation.verdict(&world.certificate(1), in_minutes(2)).await, Verdict::Good);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_does_not_answer_holds_up_its_own_certificates_alone() {
    let (silent, other) = (World::new(), World::new());
    let (watched, issuer) = (silent.watched(), other.watched().issuer);
    // Both are asked by one and the same; the second one issues under other addresses, which answer.
    let both = Both { silent: Arc::clone(&silent), other: Arc::clone(&other) };
    let revocation = Revocation::new(&[], Arc::new(both), Rules::default());
    silent.gate.forget_permits(Semaphore::MAX_PERMITS);
    let calls: Vec<_> = (0..100)
        .map(|serial| {
            let (revocation, certificate) = (revocation.clone(), silent.certificate(serial));
            let issuer = Arc::clone(&watched.issuer);
            tokio::spawn(async move { revocation.verdict(&certificate, &issuer, now()).await })
        })
        .collect();
    while silent.asked() < 16 {
        tokio::task::yield_now().await;
    }
    let good = revocation.verdict(&other.certificate_at(7, "other.example"), &issuer, now()).await;
    assert_eq!(good, Verdict::Good);
    for call in calls {
        assert_eq!(call.await.unwrap(), Verdict::Unanswered { good_at: None });
    }
    assert_eq!(silent.asked(), 16);
    // A question ends, whatever is at the address.
    tokio::time::sleep(QUESTION).await;
    assert!(revocation.0.asking.lock().unwrap().is_empty());
    assert_eq!(revocation.counts().unanswered, 16);
}

/// Two authorities at addresses of their own.
#[derive(Debug)]
struct Both {
    silent: Arc<World>,
    other: Arc<World>,
}

impl Fetch for Both {
    fn ask<'a>(&'a self, url: &'a str, question: &'a [u8]) -> Fetched<'a> {
        let of = if url.contains("other.example") { &self.other } else { &self.silent };
        of.ask(url, question)
    }

    fn list<'a>(&'a self, _: &'a str) -> Fetched<'a> {
        Box::pin(async { Err("there is none".to_owned()) })
    }
}

#[tokio::test]
async fn what_is_no_better_list_does_not_take_the_place_of_a_good_one() {
    let (world, other) = (World::new(), World::new());
    let revocation = world.watched();
    let listed = || world.listed.load(Ordering::SeqCst);
    world.is_away.store(true, Ordering::SeqCst);
    world.hours.store(2, Ordering::SeqCst);
    world.says(Standing::Revoked { at: in_minutes(-60) }, now());
    assert_eq!(revocation.verdict(&world.certificate(8), now()).await, Verdict::Good);
    assert_eq!(listed(), 1);
    // Rubbish, one of before, one without an end to its time, and one that another authority of the name signed.
    let mut endless = list_of(&world.authority, in_minutes(60));
    let end = endless.windows(13).position(|octets| octets == b"270101150000Z").map(|at| at - 2).unwrap();
    endless[end] = 4;
    for (number, instead) in (0_u8..).zip([
        b"<html>Not now</html>".to_vec(),
        list_of(&world.authority, in_minutes(-60)),
        endless,
        list_of(&other.authority, in_minutes(60)),
    ]) {
        *world.instead.lock().unwrap() = Some(instead);
        let before = listed();
        // In the second half of its time it is fetched again, and once for all of these.
        let at = in_minutes(61 + i64::from(number));
        for serial in 20..25 {
            let serial = serial + number * 10;
            let verdict = revocation.verdict(&world.certificate(serial), at).await;
            assert_eq!(verdict, Verdict::Good, "{number} {serial}");
        }
        assert_eq!(listed(), before + 1, "{number}");
        // What was revoked by the good one is revoked still.
        let revoked = world.certificate(7);
        assert_eq!(revocation.verdict(&revoked, at).await, Verdict::Revoked { at: in_minutes(-60) });
    }
    // Of what is kept nothing holds longer than it says.
    let verdict = revocation.verdict(&world.certificate(90), in_minutes(121)).await;
    assert_eq!(verdict, Verdict::Unanswered { good_at: None });
    *world.instead.lock().unwrap() = None;
    world.says(Standing::Good, in_minutes(122));
    assert_eq!(revocation.verdict(&world.certificate(91), in_minutes(122)).await, Verdict::Good);
}

#[tokio::test]
async fn whoever_is_suspended_becomes_a_good_one_when_the_issuer_says_so_and_not_before() {
    let world = World::new();
    let (revocation, certificate) = (world.watched(), world.certificate(7));
    let suspended = Verdict::Suspended { at: now() };
    world.says(Standing::Suspended { at: now() }, now());
    assert_eq!(revocation.verdict(&certificate, now()).await, suspended);
    // Neither silence lifts it nor a good answer of before.
    world.goes_away(true);
    assert_eq!(revocation.verdict(&certificate, in_minutes(2)).await, suspended);
    world.goes_away(false);
    world.says(Standing::Good, in_minutes(-30));
    assert_eq!(revocation.verdict(&certificate, in_minutes(4)).await, suspended);
    world.says(Standing::Good, in_minutes(5));
    assert_eq!(revocation.verdict(&certificate, in_minutes(6)).await, Verdict::Good);
    assert_eq!(revocation.counts().bad, 1);
}

#[test]
fn an_answer_without_an_end_holds_for_a_day_from_when_it_was_made() {
    let status = |hours: i64, next_update| Status {
        standing: Standing::Good,
        this_update: in_minutes(-60 * hours),
        next_update,
    };
    let until = |status| match Known::said(status, now()) {
        Known::Asked { end, .. } => end.duration_since(now()).as_hours(),
        Known::Kept => panic!("it was asked"),
    };
    assert_eq!(until(status(23, None)), 1);
    assert_eq!(until(status(0, None)), 24);
    assert_eq!(until(status(23, Some(in_minutes(120)))), 2);
    assert_eq!(until(status(23, Some(in_minutes(60 * 100)))), 24);
}

#[test]
fn an_authority_is_asked_about_whatever_its_time_and_nothing_for_a_certificate_that_is_out_of_its_own() {
    let (world, other) = (World::new(), World::new());
    let read = |certificate: Certificate| {
        let identifier = certificate.organization_identifier().unwrap();
        let holder = crate::certificates::holder(&certificate, &identifier);
        let key = http_signatures::key::PublicKey::from_spki_der(&certificate.public_key.spki_der).unwrap();
        // The issuer, and another one above it, as if it were a root's.
        let above = [&world, &other].map(|one| Arc::new(Certificate::from_der(one.authority.der()).unwrap()));
        let fitting_key_id = std::sync::OnceLock::new();
        let above = Vec::from(above);
        crate::PresentedCertificate { certificate, holder, key, above, qualified: None, fitting_key_id }
    };
    let leaf = read(world.certificate(7));
    let between = &leaf.above[0];
    let asked = |now| {
        let pairs = calls::asked_about(&[(&leaf, crate::Place::SEAL)], now);
        pairs.iter().map(|(certificate, ..)| certificate.fingerprint).collect::<Vec<_>>()
    };
    let both = vec![leaf.certificate.fingerprint, between.fingerprint];
    assert_eq!(asked(now()), both);
    assert!(asked(at("2029-01-01T00:00:00Z")).is_empty(), "the check of its time refuses it");
    // The authority's time ends in the middle of the certificate's.
    let mut ended = Certificate::clone(between);
    ended.not_after = in_minutes(-60);
    let mut leaf = read(world.certificate(7));
    leaf.above[0] = Arc::new(ended);
    let pairs = calls::asked_about(&[(&leaf, crate::Place::SEAL)], now());
    assert_eq!(pairs.len(), 2);
}
