//! The answers of customers' devices at a bank that takes each once and counts wrong ones: it is asked about each once, and about no more
//! wrong ones than there may be, whatever comes at the same time.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gateway::bank::{Answer as Said, Credentials, CustomerAuthentication};
use gateway::domain::{Account, Customer, CustomerId, Iban, Tenant};
use gateway::{Bank, Error};
use serde_json::{Value, json};
use testkit::{Answer, Request, TestServer, TestTpp, detailed, euro_payment};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::configuration::Files;
use crate::serve::{PAGE, Scene, registered, value};
use crate::serve_provider::Browser;

const OWN: &str = "/auth/nl/customer";

/// How long is waited for what has to come.
const LONG: Duration = Duration::from_secs(60);

/// The devices of a sandbox's customers, at a bank with a mind of its own.
#[derive(Debug)]
struct Devices {
    bank: Arc<dyn CustomerAuthentication>,
    /// About how many answers it was asked.
    asked: AtomicUsize,
    /// About how many it said something.
    answered: AtomicUsize,
    /// The challenges to which it took an answer.
    taken: Mutex<HashSet<String>>,
    /// Up to how many answers it keeps waiting; none once there are more.
    held: watch::Sender<usize>,
    is_away: AtomicBool,
    /// Names each holder once for each of two accounts.
    names_twice: AtomicBool,
}

impl Devices {
    /// Waits until the answer may be looked at, and says whether it is the first one to its challenge.
    async fn is_first(&self, challenge: &str) -> Result<bool, Error> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.held.send_if_modified(|held| asked > *held && std::mem::take(held) > 0);
        self.held.subscribe().wait_for(|held| *held == 0).await.unwrap();
        if self.is_away.load(Ordering::SeqCst) {
            return Err(Error::unavailable("nobody looks at answers"));
        }
        self.answered.fetch_add(1, Ordering::SeqCst);
        Ok(self.taken.lock().unwrap().insert(challenge.to_owned()))
    }

    /// Keeps so many answers waiting from now on, and counts anew.
    fn hold(&self, most: usize) {
        self.asked.store(0, Ordering::SeqCst);
        self.held.send_replace(most);
    }

    fn let_go(&self) {
        self.held.send_replace(0);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl CustomerAuthentication for Devices {
    fn named_by<'a>(&'a self, tenant: &'a Tenant, number: &'a Iban) -> Said<'a, Vec<CustomerId>> {
        Box::pin(async move {
            let mut named = self.bank.named_by(tenant, number).await?;
            if self.names_twice.load(Ordering::SeqCst) {
                named.extend(named.clone());
            }
            Ok(named)
        })
    }

    fn authenticated<'a>(&'a self, tenant: &'a Tenant, subject: &'a str) -> Said<'a, Option<CustomerId>> {
        self.bank.authenticated(tenant, subject)
    }

    fn log_in<'a>(
        &'a self,
        customers: &'a [CustomerId],
        credentials: Credentials<'a>,
    ) -> Said<'a, Option<CustomerId>> {
        Box::pin(async move {
            match self.is_first(credentials.challenge).await? {
                true => self.bank.log_in(customers, credentials).await,
                false => Ok(None),
            }
        })
    }

    fn approves<'a>(&'a self, customer: &'a CustomerId, credentials: Credentials<'a>) -> Said<'a, bool> {
        Box::pin(async move {
            match self.is_first(credentials.challenge).await? {
                true => self.bank.approves(customer, credentials).await,
                false => Ok(false),
            }
        })
    }

    fn customer<'a>(&'a self, customer: &'a CustomerId) -> Said<'a, Customer> {
        self.bank.customer(customer)
    }

    fn accounts_of<'a>(&'a self, customer: &'a CustomerId) -> Said<'a, Vec<Account>> {
        self.bank.accounts_of(customer)
    }
}

/// A gateway in front of such a bank, a third party at it, and a customer.
struct Story {
    scene: Scene,
    devices: Arc<Devices>,
    tpp: TestTpp,
    client: reqwest::Client,
    customer: Value,
}

impl Story {
    async fn new() -> Self {
        let core = TestServer::start().await;
        let devices = Arc::new(Devices {
            bank: core.running.sandbox.bank.customers.clone(),
            asked: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            taken: Mutex::default(),
            held: watch::Sender::new(0),
            is_away: AtomicBool::new(false),
            names_twice: AtomicBool::new(false),
        });
        let customers = devices.clone();
        let scene = Scene::behind_ports(core, Files::new(), "", |ports| Bank { customers, ..ports }).await;
        let client = scene.client(Some(&scene.certificate("qwac").await));
        let tpp = registered(&scene, &client).await;
        let customer = scene.core.customer("nl", "saver").await;
        Self { scene, devices, tpp, client, customer }
    }

    fn iban(&self) -> &str {
        self.customer["iban"].as_str().unwrap()
    }

    async fn asked(&self, request: &Request) -> Value {
        let asked = request.exchange(&self.client, &self.scene.interface()).await;
        assert_eq!(asked.status, 201, "{}", asked.body);
        asked.json()
    }

    /// A browser at a log-in, of a third party that asks for a consent or at the bank's own pages.
    async fn browser(&self, path: &str) -> Browser<'_, vestibule::Served> {
        if path == OWN {
            return Browser::new(&self.scene);
        }
        let asked = self.asked(&self.tpp.consent_request(&detailed(self.iban(), true))).await;
        Browser::open(&self.scene, &asked).await
    }

    fn right_answer(&self, challenge: &str) -> String {
        let number = self.customer["digipassNumber"].as_str().unwrap();
        self.scene.core.running.sandbox.gateway.simulated_answer(number, challenge).unwrap()
    }

    /// The log-in of a page with an answer.
    fn log_in(
        &self,
        browser: &Browser<'_, vestibule::Served>,
        (path, page): (&str, &Answer),
        answer: &str,
    ) -> Request {
        let challenge = value(&page.body, "challenge");
        let fields =
            [("action", "log-in"), ("iban", self.iban()), ("answer", answer), ("challenge", &challenge)];
        browser.filled_in(path, page, &fields)
    }

    /// Sends requests side by side, each on a connection of its own.
    fn send(&self, requests: impl IntoIterator<Item = Request>) -> JoinSet<Answer> {
        let mut sent = JoinSet::new();
        for request in requests {
            let (client, origin) = (self.scene.client(None), self.scene.pages());
            sent.spawn(async move { request.exchange(&client, &origin).await });
        }
        sent
    }
}

async fn next(sent: &mut JoinSet<Answer>) -> Answer {
    sent.join_next().await.unwrap().unwrap()
}

async fn until(what: &str, mut has_come: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !has_come().await {
        assert!(Instant::now() < end, "{what}: not yet");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_sent_many_times_is_asked_about_once() {
    let story = Story::new().await;
    for path in [PAGE, OWN] {
        for is_right in [false, true] {
            let mut browser = story.browser(path).await;
            let page = browser.get(path).await;
            let shown = value(&page.body, "challenge");
            let answer = if is_right { story.right_answer(&shown) } else { "999999".to_owned() };
            story.devices.hold(1);
            let request = story.log_in(&browser, (path, &page), &answer);
            let mut sent = story.send(std::iter::repeat_n(request, 10));
            // Whoever comes while the bank looks at the first one answers a challenge that is shown no more.
            for _ in 0..9 {
                let late = next(&mut sent).await;
                assert_eq!(late.status, 200, "{}", late.body);
                assert_ne!(value(&late.body, "challenge"), shown, "{path}");
            }
            // The page is looked at meanwhile.
            assert_eq!(browser.get(path).await.status, 200);
            story.devices.let_go();
            let first = next(&mut sent).await;
            assert_eq!(story.devices.asked(), 1, "{path}");
            assert_eq!(first.status, if is_right { 303 } else { 200 }, "{path}: {}", first.body);
            assert_eq!(first.body.contains("role=\"alert\""), !is_right, "{path}: {}", first.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_wrong_answers_are_asked_about_at_once_than_one_after_the_other() {
    let story = Story::new().await;
    let mut requests = Vec::new();
    for _ in 0..12 {
        let mut browser = story.browser(OWN).await;
        let page = browser.get(OWN).await;
        requests.push(story.log_in(&browser, (OWN, &page), "999999"));
    }
    story.devices.hold(5);
    let mut sent = story.send(requests);
    for _ in 0..7 {
        let blocked = next(&mut sent).await;
        assert!(blocked.body.contains("geblokkeerd"), "{}", blocked.body);
    }
    story.devices.let_go();
    while let Some(answer) = sent.join_next().await {
        assert_eq!(answer.unwrap().status, 200);
    }
    assert_eq!(story.devices.asked(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_about_which_the_bank_says_nothing_is_no_failure_and_is_not_asked_about_again() {
    let story = Story::new().await;
    for path in [PAGE, OWN] {
        let mut browser = story.browser(path).await;
        story.devices.is_away.store(true, Ordering::SeqCst);
        // More often than there may be failures.
        for _ in 0..6 {
            let page = browser.get(path).await;
            let request =
                story.log_in(&browser, (path, &page), &story.right_answer(&value(&page.body, "challenge")));
            let mut sent = story.send([request.clone()]);
            let away = next(&mut sent).await;
            assert_eq!(away.status, 503, "{path}: {}", away.body);
            let asked = story.devices.asked();
            let again = next(&mut story.send([request])).await;
            assert_eq!((again.status, story.devices.asked()), (200, asked), "{path}: {}", again.body);
        }
        story.devices.is_away.store(false, Ordering::SeqCst);
        let page = browser.get(path).await;
        let answer = story.right_answer(&value(&page.body, "challenge"));
        let logged_in = next(&mut story.send([story.log_in(&browser, (path, &page), &answer)])).await;
        assert_eq!(logged_in.status, 303, "{path}: {}", logged_in.body);
    }
}

/// A bank that keeps its books by number may name a holder once for each account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_is_named_twice_logs_in_and_fails_once() {
    let story = Story::new().await;
    story.devices.names_twice.store(true, Ordering::SeqCst);
    for path in [PAGE, OWN] {
        // Five failures block, and three of one browser end what it is asked for: if each counted twice, these would.
        for answers in [[false, false], [false, true]] {
            let mut browser = story.browser(path).await;
            for is_right in answers {
                let page = browser.get(path).await;
                let shown = value(&page.body, "challenge");
                let answer = if is_right { story.right_answer(&shown) } else { "999999".to_owned() };
                let answered = next(&mut story.send([story.log_in(&browser, (path, &page), &answer)])).await;
                assert_eq!(answered.status, if is_right { 303 } else { 200 }, "{path}: {}", answered.body);
            }
        }
    }
}

/// Who clicks twice, or does not wait for a slow bank, answered right all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn right_answers_whose_senders_go_away_block_nobody() {
    let story = Story::new().await;
    for path in [PAGE, OWN] {
        let mut requests = Vec::new();
        for _ in 0..6 {
            let mut browser = story.browser(path).await;
            let page = browser.get(path).await;
            let answer = story.right_answer(&value(&page.body, "challenge"));
            requests.push(story.log_in(&browser, (path, &page), &answer));
        }
        let last = requests.pop().unwrap();
        story.devices.hold(5);
        let mut sent = story.send(requests);
        until("the bank is asked", async || story.devices.asked() == 5).await;
        sent.shutdown().await;
        // As many as there may be failures wait for the bank.
        let blocked = next(&mut story.send([last.clone()])).await;
        assert!(blocked.body.contains("geblokkeerd"), "{path}: {}", blocked.body);
        story.devices.let_go();
        until("the customer logs in", async || next(&mut story.send([last.clone()])).await.status == 303)
            .await;
    }
}

/// An authorisation bears three of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_answers_whose_senders_go_away_count() {
    let story = Story::new().await;
    let mut browser = story.browser(PAGE).await;
    for answered in 1..=3 {
        let page = browser.get(PAGE).await;
        story.devices.hold(1);
        let mut sent = story.send([story.log_in(&browser, (PAGE, &page), "999999")]);
        until("the bank is asked", async || story.devices.asked() == 1).await;
        sent.shutdown().await;
        // The server has the time to see that nobody waits any more.
        for _ in 0..10 {
            assert_eq!(browser.get(PAGE).await.status, 200);
        }
        story.devices.let_go();
        until("the bank answers", async || story.devices.answered.load(Ordering::SeqCst) == answered).await;
    }
    let ended_by = Instant::now() + LONG;
    while browser.get(PAGE).await.body.contains("name=\"challenge\"") {
        assert!(Instant::now() < ended_by, "the authorisation goes on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_is_approved_twice_at_once_is_asked_about_once_and_approved() {
    let story = Story::new().await;
    let payee = story.scene.core.customer("nl", "student").await;
    let mut body = euro_payment("1.00", payee["iban"].as_str().unwrap());
    body["debtorAccount"] = json!({"iban": story.iban()});
    let asked = story.asked(&story.tpp.payment_request("payments/sepa-credit-transfers", &body)).await;
    let mut browser = Browser::open(&story.scene, &asked).await;
    let page = browser.get(PAGE).await;
    let challenge = value(&page.body, "challenge");
    let (iban, answer) = (story.iban().to_owned(), story.right_answer(&challenge));
    let fields =
        [("action", "log-in"), ("iban", iban.as_str()), ("answer", &answer), ("challenge", &challenge)];
    assert_eq!(browser.submit(PAGE, &page, &fields).await.status, 303);
    let page = browser.get(PAGE).await;
    let challenge = value(&page.body, "challenge");
    let approval =
        [("action", "approve"), ("challenge", &*challenge), ("answer", &*story.right_answer(&challenge))]
            .map(|(name, value)| (name, value.to_owned()));
    let approval: Vec<_> = approval.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let request = browser.filled_in(PAGE, &page, &approval);
    story.devices.hold(1);
    let mut sent = story.send([request.clone(), request]);
    let late = next(&mut sent).await;
    assert_eq!(late.status, 200, "{}", late.body);
    assert_ne!(value(&late.body, "challenge"), challenge);
    story.devices.let_go();
    let approved = next(&mut sent).await;
    assert_eq!((approved.status, story.devices.asked()), (303, 1), "{}", approved.body);
    let code = testkit::parameter(approved.header("location"), "code");
    assert!(code.is_some(), "{}", approved.header("location"));
}
