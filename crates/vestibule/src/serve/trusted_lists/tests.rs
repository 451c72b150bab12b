//! What is taken of lists that somebody publishes, and of those that were kept.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use eidas::issue::{
    Authority, AuthorityName, CertificateRequest, KeyType, Profile, PublicationPoints, generate_key,
};
use eidas::{Certificate, CertificateDer, OrganizationIdentifier, Purpose, Role};
use gateway::domain::{Tenant, Timestamp};
use gateway::{Clock, Qualify, Unqualified};
use http::{StatusCode, Uri};
use jiff::SignedDuration;
use tokio::sync::Notify;
use trusted_lists::issue::{NewList, NewPeriod, NewPointer, NewService, signed};
use trusted_lists::{ListKind, TrustedList};

use super::kept::Kept;
use super::set::ListedServices;
use super::{TELL_EVERY, WITHOUT_ANY, pause, rest};

fn now() -> Timestamp {
    "2027-06-01T00:00:00Z".parse().unwrap()
}

/// A clock that stands, and can be moved.
#[derive(Debug)]
struct Standing(Mutex<Timestamp>);

impl Clock for Standing {
    fn now(&self, _: Option<&Tenant>) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Somebody who signs lists.
struct Operator {
    authority: Authority,
    certificate: Certificate,
}

impl Operator {
    fn new(name: &str) -> Self {
        let name = AuthorityName {
            country: "NL".to_owned(),
            locality: None,
            organization_identifier: None,
            organization: "Operator (TEST)".to_owned(),
            common_name: format!("{name} (TEST)"),
        };
        let years = ("2020-01-01T00:00:00Z".parse().unwrap(), "2090-01-01T00:00:00Z".parse().unwrap());
        let authority = Authority::root(&name, KeyType::P256, &[1], years).unwrap();
        let certificate = Certificate::from_der(authority.der()).unwrap();
        Self { authority, certificate }
    }

    fn sign(&self, list: &NewList) -> String {
        signed(list, &self.certificate, self.authority.key_pem()).unwrap()
    }
}

/// Lists at addresses, each of which may keep whoever asks waiting.
struct Publisher {
    address: String,
    lists: Arc<Mutex<HashMap<String, String>>>,
    asked: Arc<AtomicU64>,
}

/// What never comes until it is told so.
const LATER: &str = "later";

impl Publisher {
    async fn new() -> (Self, Arc<Notify>) {
        type Lists = (Arc<Mutex<HashMap<String, String>>>, Arc<AtomicU64>, Arc<Notify>);
        async fn answer(State((lists, asked, gate)): State<Lists>, uri: Uri) -> axum::response::Response {
            asked.fetch_add(1, Ordering::SeqCst);
            let list = lists.lock().unwrap().get(uri.path()).cloned();
            match list {
                Some(list) if list == LATER => {
                    gate.notified().await;
                    StatusCode::SERVICE_UNAVAILABLE.into_response()
                }
                Some(list) => list.into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (lists, gate) = (Arc::new(Mutex::new(HashMap::new())), Arc::new(Notify::new()));
        let asked = Arc::new(AtomicU64::default());
        let routes = Router::new().fallback(answer);
        let routes = routes.with_state((Arc::clone(&lists), Arc::clone(&asked), Arc::clone(&gate)));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        (Self { address, lists, asked }, gate)
    }

    fn publish(&self, path: &str, list: String) {
        self.lists.lock().unwrap().insert(path.to_owned(), list);
    }

    fn remove(&self, path: &str) {
        self.lists.lock().unwrap().remove(path);
    }

    fn pointer(&self, kind: ListKind, territory: &str, signer: &Operator) -> NewPointer {
        NewPointer {
            kind,
            territory: territory.to_owned(),
            location: format!("{}/{territory}.xml", self.address),
            signer: signer.authority.der().to_vec(),
        }
    }

    /// Publishes a list of lists with a number, signed by somebody, pointing to lists of countries and their signers.
    fn of_lists(&self, number: u64, signer: &Operator, countries: &[(&str, &Operator)]) {
        let pointers = countries.iter().map(|(name, by)| self.pointer(ListKind::National, name, by));
        let pointers = pointers.collect();
        self.publish(
            "/lotl.xml",
            signer.sign(&NewList { pointers, ..list(ListKind::ListOfLists, "EU", number) }),
        );
    }

    /// One who reads the lists, with a folder.
    fn reader(&self, folder: &Path, signer: &Operator) -> (Arc<Kept>, Arc<Standing>) {
        self.reader_of(folder, &[signer])
    }

    /// The same with several who may sign the list of lists.
    fn reader_of(&self, folder: &Path, signers: &[&Operator]) -> (Arc<Kept>, Arc<Standing>) {
        let clock = Arc::new(Standing(Mutex::new(now())));
        let url = format!("{}/lotl.xml", self.address).parse().unwrap();
        let signers = signers.iter().map(|signer| signer.certificate.clone());
        let whom = (signers.collect(), Vec::new());
        let kept = Kept::of(folder.to_owned(), url, whom, Arc::<Standing>::clone(&clock)).unwrap();
        (Arc::new(kept), clock)
    }
}

fn list(kind: ListKind, territory: &str, sequence: u64) -> NewList {
    let issued = now() - SignedDuration::from_hours(24);
    NewList {
        kind,
        territory: territory.to_owned(),
        sequence,
        issued,
        next_update: issued + SignedDuration::from_hours(100 * 24),
        pointers: Vec::new(),
        services: Vec::new(),
        pivots: Vec::new(),
    }
}

fn national(territory: &str, sequence: u64) -> NewList {
    list(ListKind::National, territory, sequence)
}

/// The numbers of the list of lists and of those of the countries that are there.
fn there(kept: &Kept) -> (Option<u64>, Vec<(String, u64)>) {
    let lists = kept.lists();
    let national = lists.national.iter().map(|(name, list)| (name.clone(), list.sequence())).collect();
    (lists.of_lists.as_ref().map(TrustedList::sequence), national)
}

fn of(name: &str, number: u64) -> Vec<(String, u64)> {
    vec![(name.to_owned(), number)]
}

#[tokio::test]
async fn a_list_that_does_not_come_keeps_no_other_from_being_taken() {
    let (publisher, gate) = Publisher::new().await;
    let (signer, folder) = (Operator::new("Signer"), tempfile::tempdir().unwrap());
    let (kept, _) = publisher.reader(folder.path(), &signer);
    assert_eq!(pause(&kept, WITHOUT_ANY * 100), WITHOUT_ANY, "soon again, since there is nothing");
    // Belgium's stands first.
    publisher.of_lists(1, &signer, &[("BE", &signer), ("NL", &signer)]);
    publisher.publish("/BE.xml", LATER.to_owned());
    publisher.publish("/NL.xml", signer.sign(&national("NL", 7)));
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let reading = Arc::clone(&kept);
    let reading = tokio::spawn(async move {
        reading.refresh(&|kept: &Kept| told.send(there(kept)).unwrap()).await;
    });
    assert_eq!(heard.recv().await.unwrap(), (Some(1), of("NL", 7)));
    assert!(!reading.is_finished());
    gate.notify_one();
    reading.await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), (Some(1), of("NL", 7)));
    assert_eq!(kept.lists().refused, 1);
    assert_eq!(pause(&kept, WITHOUT_ANY * 100), WITHOUT_ANY * 100);
}

#[tokio::test]
async fn an_older_list_is_never_taken_after_a_newer_one_also_after_a_start() {
    let (publisher, _) = Publisher::new().await;
    let (signer, folder) = (Operator::new("Signer"), tempfile::tempdir().unwrap());
    let (kept, clock) = publisher.reader(folder.path(), &signer);
    let quiet = |_: &Kept| {};
    publisher.of_lists(5, &signer, &[("NL", &signer)]);
    publisher.publish("/NL.xml", signer.sign(&national("NL", 7)));
    kept.refresh(&quiet).await;
    assert_eq!(there(&kept), (Some(5), of("NL", 7)));
    // A smaller number; the same number of an earlier time; a time that is not yet.
    let earlier = now() - SignedDuration::from_hours(48);
    let later = now() + SignedDuration::from_hours(25);
    for replayed in [
        national("NL", 6),
        NewList { issued: earlier, ..national("NL", 7) },
        NewList { issued: later, ..national("NL", 8) },
    ] {
        let refused = kept.lists().refused;
        publisher.publish("/NL.xml", signer.sign(&replayed));
        kept.refresh(&quiet).await;
        assert_eq!(there(&kept), (Some(5), of("NL", 7)));
        assert_eq!(kept.lists().refused, refused + 1);
    }
    // The list of lists that was kept holds no more at a start: what was kept of a country is a bound all the same.
    *clock.0.lock().unwrap() = now() + SignedDuration::from_hours(150 * 24);
    publisher.publish("/NL.xml", signer.sign(&national("NL", 6)));
    let (again, clock) = publisher.reader(folder.path(), &signer);
    *clock.0.lock().unwrap() = now() + SignedDuration::from_hours(150 * 24);
    again.read_folder().await;
    assert_eq!(there(&again), (Some(5), Vec::new()));
    let pointers = vec![publisher.pointer(ListKind::National, "NL", &signer)];
    let fresh =
        NewList { issued: *clock.0.lock().unwrap(), pointers, ..list(ListKind::ListOfLists, "EU", 6) };
    let fresh = NewList { next_update: fresh.issued + SignedDuration::from_hours(24), ..fresh };
    publisher.publish("/lotl.xml", signer.sign(&fresh));
    again.refresh(&quiet).await;
    assert_eq!(there(&again), (Some(6), of("NL", 7)));
}

#[tokio::test]
async fn a_list_whose_signer_is_not_named_any_more_is_used_no_more() {
    let (publisher, _) = Publisher::new().await;
    let (signer, lost, next) = (Operator::new("Signer"), Operator::new("Lost"), Operator::new("Next"));
    let folder = tempfile::tempdir().unwrap();
    let (kept, _) = publisher.reader(folder.path(), &signer);
    let quiet = |_: &Kept| {};
    publisher.of_lists(1, &signer, &[("NL", &lost)]);
    publisher.publish("/NL.xml", lost.sign(&national("NL", 7)));
    kept.refresh(&quiet).await;
    assert_eq!(there(&kept), (Some(1), of("NL", 7)));
    // The list cannot be fetched: it stays. Its key was lost, and another one signs: it does not.
    publisher.remove("/NL.xml");
    kept.refresh(&quiet).await;
    assert_eq!(there(&kept), (Some(1), of("NL", 7)));
    publisher.of_lists(2, &signer, &[("NL", &next)]);
    kept.refresh(&quiet).await;
    assert_eq!(there(&kept), (Some(2), Vec::new()));
    publisher.publish("/NL.xml", next.sign(&national("NL", 8)));
    kept.refresh(&quiet).await;
    assert_eq!(there(&kept), (Some(2), of("NL", 8)));
    // Nobody points to it any more.
    publisher.of_lists(3, &signer, &[]);
    kept.refresh(&quiet).await;
    assert_eq!(there(&kept), (Some(3), Vec::new()));
}

/// A list of lists that names pivots, and points to itself with the certificate of somebody.
fn pivot(publisher: &Publisher, number: u64, pivots: &[u64], next: &Operator) -> NewList {
    let named = |number: &u64| format!("{}/pivot-{number}.xml", publisher.address);
    NewList {
        pointers: vec![publisher.pointer(ListKind::ListOfLists, "EU", next)],
        pivots: pivots.iter().map(named).collect(),
        ..list(ListKind::ListOfLists, "EU", number)
    }
}

#[tokio::test]
async fn the_signers_of_the_list_of_lists_change_by_lists_that_those_before_signed() {
    let (publisher, _) = Publisher::new().await;
    let [first, second, third] = ["First", "Second", "Third"].map(Operator::new);
    let folder = tempfile::tempdir().unwrap();
    let (kept, _) = publisher.reader(folder.path(), &first);
    let quiet = |_: &Kept| {};
    // Two changes since the configuration was written.
    publisher.publish("/pivot-10.xml", first.sign(&pivot(&publisher, 10, &[], &second)));
    publisher.publish("/pivot-20.xml", second.sign(&pivot(&publisher, 20, &[10], &third)));
    publisher.publish("/lotl.xml", third.sign(&pivot(&publisher, 21, &[10, 20], &third)));
    kept.refresh(&quiet).await;
    assert_eq!((there(&kept).0, kept.lists().refused), (Some(21), 0));
    // What the signers before them sign is not taken any more, and pivots are not asked for again.
    let asked = publisher.asked.load(Ordering::SeqCst);
    publisher.publish("/lotl.xml", third.sign(&pivot(&publisher, 22, &[10, 20], &third)));
    kept.refresh(&quiet).await;
    assert_eq!((there(&kept).0, publisher.asked.load(Ordering::SeqCst)), (Some(22), asked + 1));
    for before in [&first, &second] {
        publisher.publish("/lotl.xml", before.sign(&pivot(&publisher, 30, &[], before)));
        kept.refresh(&quiet).await;
        assert_eq!(there(&kept).0, Some(22));
    }
    // Nor after a start without a network, since the changes were kept; they are forged for nobody.
    let (again, _) = publisher.reader(folder.path(), &first);
    again.read_folder().await;
    assert_eq!(there(&again).0, Some(22));
    again.refresh(&quiet).await;
    assert_eq!(there(&again).0, Some(22));
    // Whoever begins with later signers needs the later changes alone.
    let other = tempfile::tempdir().unwrap();
    let (later, _) = publisher.reader(other.path(), &second);
    publisher.publish("/lotl.xml", third.sign(&pivot(&publisher, 22, &[10, 20], &third)));
    later.refresh(&quiet).await;
    assert_eq!(there(&later).0, Some(22));
}

#[tokio::test]
async fn a_change_of_signers_that_those_before_did_not_sign_is_none() {
    let [first, second, stranger] = ["First", "Second", "Stranger"].map(Operator::new);
    let right = |publisher: &Publisher| first.sign(&pivot(publisher, 10, &[], &second));
    type Forged<'a> = Box<dyn Fn(&Publisher) + 'a>;
    let wrong: [(&str, Forged<'_>); 7] = [
        ("none there", Box::new(|_| {})),
        (
            "signed by those after",
            Box::new(|to| {
                to.publish("/pivot-10.xml", second.sign(&pivot(to, 10, &[], &second)));
            }),
        ),
        (
            "signed by a stranger",
            Box::new(|to| {
                to.publish("/pivot-10.xml", stranger.sign(&pivot(to, 10, &[], &second)));
            }),
        ),
        (
            "about somebody else",
            Box::new(|to| {
                to.publish("/pivot-10.xml", first.sign(&pivot(to, 10, &[], &stranger)));
            }),
        ),
        (
            "about nobody",
            Box::new(|to| {
                let list = list(ListKind::ListOfLists, "EU", 10);
                to.publish("/pivot-10.xml", first.sign(&list));
            }),
        ),
        (
            "about another list",
            Box::new(|to| {
                let mut list = pivot(to, 10, &[], &second);
                list.pointers[0].territory = "UK".to_owned();
                to.publish("/pivot-10.xml", first.sign(&list));
            }),
        ),
        (
            "changed",
            Box::new(|to| {
                let changed = right(to).replace("<TSLSequenceNumber>10<", "<TSLSequenceNumber>11<");
                to.publish("/pivot-10.xml", changed);
            }),
        ),
    ];
    let quiet = |_: &Kept| {};
    for (why, forge) in wrong {
        let (publisher, _) = Publisher::new().await;
        let folder = tempfile::tempdir().unwrap();
        let (kept, _) = publisher.reader(folder.path(), &first);
        publisher.publish("/lotl.xml", second.sign(&pivot(&publisher, 21, &[10], &second)));
        forge(&publisher);
        kept.refresh(&quiet).await;
        assert_eq!((there(&kept).0, kept.lists().refused), (None, 1), "{why}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{why}");
        // With the right one it is taken.
        publisher.publish("/pivot-10.xml", right(&publisher));
        kept.refresh(&quiet).await;
        assert_eq!(there(&kept).0, Some(21), "{why}");
    }
    // A list of before its own change is none of after it.
    let (publisher, _) = Publisher::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (kept, _) = publisher.reader(folder.path(), &first);
    publisher.publish("/pivot-10.xml", right(&publisher));
    publisher.publish("/lotl.xml", second.sign(&pivot(&publisher, 9, &[10], &second)));
    kept.refresh(&quiet).await;
    assert_eq!((there(&kept).0, kept.lists().refused), (None, 1));
}

/// A list of lists that points to itself with the certificates of several, and names pivots.
fn naming(publisher: &Publisher, number: u64, signers: &[&Operator], pivots: &[u64]) -> NewList {
    let [first, ..] = signers else { panic!("nobody") };
    let pointers = signers.iter().map(|one| publisher.pointer(ListKind::ListOfLists, "EU", one)).collect();
    NewList { pointers, ..pivot(publisher, number, pivots, first) }
}

#[tokio::test]
async fn whoever_a_list_of_lists_does_not_name_any_more_signs_none_also_after_a_start() {
    let (publisher, _) = Publisher::new().await;
    let [stays, goes] = ["Stays", "Goes"].map(Operator::new);
    let folder = tempfile::tempdir().unwrap();
    let (kept, _) = publisher.reader_of(folder.path(), &[&stays, &goes]);
    let quiet = |_: &Kept| {};
    let publish = |signer: &Operator, list: &NewList| publisher.publish("/lotl.xml", signer.sign(list));
    publisher.publish("/pivot-10.xml", stays.sign(&naming(&publisher, 10, &[&stays, &goes], &[])));
    for (number, signer) in [(20, &stays), (21, &goes)] {
        publish(signer, &naming(&publisher, number, &[&stays, &goes], &[10]));
        kept.refresh(&quiet).await;
        assert_eq!((there(&kept).0, kept.lists().refused), (Some(number), 0));
    }
    publish(&stays, &naming(&publisher, 22, &[&stays], &[10]));
    kept.refresh(&quiet).await;
    assert_eq!((there(&kept).0, kept.lists().refused), (Some(22), 0));
    // Neither by itself nor by a change of before.
    for pivots in [&[][..], &[10]] {
        publish(&goes, &naming(&publisher, 30, &[&goes], pivots));
        kept.refresh(&quiet).await;
        assert_eq!(there(&kept).0, Some(22));
        let (again, _) = publisher.reader_of(folder.path(), &[&stays, &goes]);
        again.read_folder().await;
        assert_eq!((there(&again).0, again.lists().refused), (Some(22), 0));
        again.refresh(&quiet).await;
        assert_eq!((there(&again).0, again.lists().refused), (Some(22), 1), "{pivots:?}");
    }
    publish(&stays, &naming(&publisher, 23, &[&stays], &[10]));
    kept.refresh(&quiet).await;
    assert_eq!(there(&kept).0, Some(23));
}

#[tokio::test]
async fn signers_that_staff_writes_anew_are_not_overruled_by_what_was_kept() {
    let (publisher, _) = Publisher::new().await;
    let [first, lost, new] = ["First", "Lost", "New"].map(Operator::new);
    let folder = tempfile::tempdir().unwrap();
    let quiet = |_: &Kept| {};
    let change = first.sign(&naming(&publisher, 10, &[&first, &lost], &[]));
    publisher.publish("/lotl.xml", change.clone());
    publisher.publish("/pivot-10.xml", change);
    let (kept, _) = publisher.reader(folder.path(), &first);
    kept.refresh(&quiet).await;
    publisher.publish("/lotl.xml", lost.sign(&naming(&publisher, 11, &[&first, &lost], &[10])));
    kept.refresh(&quiet).await;
    assert_eq!((there(&kept).0, kept.lists().refused), (Some(11), 0));
    // The list that was kept is one of whoever lost the key: it is none any more.
    let (again, _) = publisher.reader_of(folder.path(), &[&first, &new]);
    again.read_folder().await;
    assert_eq!((there(&again).0, again.lists().refused), (None, 1));
    // One that is good still leaves the signers as staff wrote them.
    let other = tempfile::tempdir().unwrap();
    let (kept, _) = publisher.reader(other.path(), &first);
    publisher.publish("/lotl.xml", first.sign(&naming(&publisher, 10, &[&first, &lost], &[])));
    kept.refresh(&quiet).await;
    let (again, _) = publisher.reader_of(other.path(), &[&first, &new]);
    again.read_folder().await;
    again.refresh(&quiet).await;
    assert_eq!((there(&again).0, again.lists().refused), (Some(10), 0));
    for pivots in [&[][..], &[10]] {
        publisher.publish("/lotl.xml", lost.sign(&naming(&publisher, 30, &[&lost], pivots)));
        again.refresh(&quiet).await;
        assert_eq!(there(&again).0, Some(10), "{pivots:?}");
    }
    publisher.publish("/lotl.xml", new.sign(&naming(&publisher, 31, &[&first, &new], &[])));
    again.refresh(&quiet).await;
    assert_eq!(there(&again).0, Some(31));
}

#[tokio::test]
async fn a_list_by_which_its_own_signers_change_is_taken_as_often_as_it_comes() {
    let (publisher, _) = Publisher::new().await;
    let [first, second] = ["First", "Second"].map(Operator::new);
    let folder = tempfile::tempdir().unwrap();
    let (kept, _) = publisher.reader(folder.path(), &first);
    let quiet = |_: &Kept| {};
    // It may name itself.
    let change = first.sign(&naming(&publisher, 22, &[&second], &[22]));
    publisher.publish("/lotl.xml", change.clone());
    publisher.publish("/pivot-22.xml", change);
    for _ in 0..2 {
        kept.refresh(&quiet).await;
        assert_eq!((there(&kept).0, kept.lists().refused), (Some(22), 0));
    }
    let (again, _) = publisher.reader(folder.path(), &first);
    again.read_folder().await;
    assert_eq!((there(&again).0, again.lists().refused), (Some(22), 0));
    again.refresh(&quiet).await;
    assert_eq!((there(&again).0, again.lists().refused), (Some(22), 0));
    for (number, signer, taken) in [(23, &first, 22), (24, &second, 24)] {
        publisher.publish("/lotl.xml", signer.sign(&naming(&publisher, number, &[&second], &[22])));
        for kept in [&kept, &again] {
            kept.refresh(&quiet).await;
            assert_eq!(there(kept).0, Some(taken));
        }
    }
    // Whoever knows those before alone is led to it by a later list.
    let other = tempfile::tempdir().unwrap();
    let (new, _) = publisher.reader(other.path(), &first);
    new.refresh(&quiet).await;
    assert_eq!((there(&new).0, new.lists().refused), (Some(24), 0));
}

#[tokio::test]
async fn the_list_of_lists_is_looked_for_where_it_says_that_it_lies() {
    let (publisher, _) = Publisher::new().await;
    let (signer, folder) = (Operator::new("Signer"), tempfile::tempdir().unwrap());
    let (kept, _) = publisher.reader(folder.path(), &signer);
    let quiet = |_: &Kept| {};
    let list = |number| signer.sign(&naming(&publisher, number, &[&signer], &[]));
    publisher.publish("/lotl.xml", list(1));
    kept.refresh(&quiet).await;
    assert_eq!(
        (there(&kept).0, kept.other_location()),
        (Some(1), Some(format!("{}/EU.xml", publisher.address)))
    );
    // It moved; then somebody else has the place.
    publisher.remove("/lotl.xml");
    publisher.publish("/EU.xml", list(2));
    kept.refresh(&quiet).await;
    assert_eq!((there(&kept).0, kept.lists().refused), (Some(2), 0));
    publisher.publish("/lotl.xml", Operator::new("Other").sign(&naming(&publisher, 9, &[&signer], &[])));
    publisher.publish("/EU.xml", list(3));
    kept.refresh(&quiet).await;
    assert_eq!((there(&kept).0, kept.lists().refused), (Some(3), 0));
    publisher.remove("/EU.xml");
    kept.refresh(&quiet).await;
    assert_eq!((there(&kept).0, kept.lists().refused), (Some(3), 1));
}

#[tokio::test(start_paused = true)]
async fn the_gateway_is_told_of_the_lists_every_ten_minutes_while_they_stay_the_same() {
    let (look, told) = (Notify::new(), std::cell::Cell::new(0));
    let tell = || told.set(told.get() + 1);
    let begun = tokio::time::Instant::now();
    rest(TELL_EVERY * 6, &look, tell).await;
    assert_eq!((told.get(), begun.elapsed()), (5, TELL_EVERY * 6), "and at the end with what is fetched");
    rest(WITHOUT_ANY, &look, tell).await;
    assert_eq!((told.get(), begun.elapsed()), (5, TELL_EVERY * 6 + WITHOUT_ANY));
    look.notify_one();
    rest(TELL_EVERY * 6, &look, tell).await;
    assert_eq!(
        (told.get(), begun.elapsed()),
        (5, TELL_EVERY * 6 + WITHOUT_ANY),
        "at once when it is asked for"
    );
}

fn points() -> PublicationPoints {
    PublicationPoints {
        ca_issuers: "http://pki.example/ca.cer".to_owned(),
        crl: "http://pki.example/ca.crl".to_owned(),
        ocsp: None,
        disclosure_statement: None,
    }
}

#[test]
fn a_certificate_below_an_authority_that_came_along_is_qualified_by_the_listed_one_above() {
    let (listed, operator) = (Operator::new("Listed"), Operator::new("Operator"));
    let points = points();
    let years = ("2020-01-01T00:00:00Z".parse().unwrap(), "2090-01-01T00:00:00Z".parse().unwrap());
    let name = AuthorityName {
        country: "NL".to_owned(),
        locality: None,
        organization_identifier: None,
        organization: "Operator (TEST)".to_owned(),
        common_name: "Between (TEST)".to_owned(),
    };
    let below = |years| listed.authority.subordinate(&name, KeyType::P256, &[7], years, &points).unwrap();
    let between = below(years);
    let request = CertificateRequest {
        organization_identifier: OrganizationIdentifier::parse("PSDNL-DNB-R123456").unwrap(),
        organization_name: "Example TPP B.V.".to_owned(),
        country: "NL".to_owned(),
        locality: "Utrecht".to_owned(),
        roles: vec![Role::AccountInformation],
        common_name: "tpp.example".to_owned(),
        serial: vec![2],
        not_before: now() - SignedDuration::from_hours(24),
        not_after: now() + SignedDuration::from_hours(24),
    };
    let (_, key) = generate_key(KeyType::P256).unwrap();
    let seal = between.issue(Profile::QSeal, &request, &points, &key).unwrap();
    let period = NewPeriod {
        kind: "CA/QC".to_owned(),
        status: "granted".to_owned(),
        since: years.0,
        purposes: vec!["ForeSeals".to_owned()],
        qualifier: None,
    };
    let service = NewService {
        provider: "Provider (TEST)".to_owned(),
        name: "Service (TEST)".to_owned(),
        certificate: listed.authority.der().to_vec(),
        periods: vec![period],
    };
    let xml = operator.sign(&NewList { services: vec![service], ..national("NL", 1) });
    let list = Arc::new(TrustedList::read(xml.as_bytes(), &[operator.certificate]).unwrap());
    let set = |intermediates: &[Vec<u8>]| {
        ListedServices::new(vec![("NL".to_owned(), Arc::clone(&list))], intermediates, true)
    };
    let above = [between.der(), listed.authority.der()].map(|der| CertificateDer::from(der.to_vec()));
    let other = CertificateDer::from(Operator::new("Other").authority.der().to_vec());
    for sent in [&[][..], std::slice::from_ref(&other), &above[1..]] {
        assert_eq!(set(&[]).qualified(&seal, sent, now()).unwrap_err(), Unqualified::Unlisted);
    }
    for (configured, sent) in [(&[][..], &[other, above[0].clone()][..]), (&[between.der().to_vec()], &[])] {
        let found = set(configured).qualified(&seal, sent, now()).unwrap();
        assert_eq!((found.purpose, &found.above[..]), (Purpose::QSeal, &above[..]));
    }
    // Authorities for tests vouch for nobody where something is real, whoever lists them.
    let real = ListedServices::new(vec![("NL".to_owned(), Arc::clone(&list))], &[], false);
    assert_eq!(real.qualified(&seal, &above[..1], now()).unwrap_err(), Unqualified::Unlisted);
    // Its time has to be now, and not when it issued the certificate.
    let hour = SignedDuration::from_hours(1);
    for (years, expected) in [
        ((years.0, now() - hour), Err("outside its period of validity")),
        ((now() - hour, years.1), Ok(Purpose::QSeal)),
    ] {
        let between = below(years);
        let seal = between.issue(Profile::QSeal, &request, &points, &key).unwrap();
        let sent = [CertificateDer::from(between.der().to_vec())];
        let found = set(&[]).qualified(&seal, &sent, now());
        match (found, expected) {
            (Ok(found), Ok(purpose)) => assert_eq!((found.purpose, found.above.len()), (purpose, 2)),
            (Err(Unqualified::Listed(why)), Err(expected)) => assert!(why.contains(expected), "{why}"),
            (found, _) => panic!("{years:?} {found:?}"),
        }
    }
}
