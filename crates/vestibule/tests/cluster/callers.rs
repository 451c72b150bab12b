//! A third party that asks for consents and payments, and repeats what was not answered.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Answer, CALLBACK, Request, Signer, TestServer, TestTpp, bank_offered, euro_payment};

use crate::customers::{Customer, approve};

pub(crate) const INTERFACE: &str = "https://10.77.0.1:8443";
pub(crate) const PAGES: &str = "https://10.77.0.1";
pub(crate) const MANAGEMENT: &str = "http://127.0.0.1:8082";
pub(crate) const CORE: &str = "https://10.77.0.1:8444";

/// Customers that each payer has.
const CUSTOMERS: usize = 5;

const SEPA: &str = "payments/sepa-credit-transfers";

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a call takes at most, with all its attempts: longer than any failure here lasts.
const LONGEST: Duration = Duration::from_secs(240);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// What callers were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) consents: Vec<String>,
    /// Paths of payments that were asked for.
    pub(crate) asked: Vec<String>,
    /// References and paths of payments whose confirmation was acknowledged.
    pub(crate) paid: Vec<(String, String)>,
    /// References of payments whose confirmation was sent.
    pub(crate) confirmed: Vec<String>,
    /// Payments that were given up: an answer was lost that cannot be had again, such as that of a code.
    pub(crate) given_up: usize,
    /// Answers that no failure of a machine explains.
    pub(crate) wrong: Vec<String>,
    /// When each write was acknowledged.
    acknowledged: Vec<Instant>,
    calls: Vec<Call>,
}

/// A call with all its attempts.
#[derive(Debug, Clone, Copy)]
struct Call {
    begun: Instant,
    ended: Instant,
    refused: usize,
    unanswered: usize,
}

pub(crate) struct Callers {
    pub(crate) tpp: TestTpp,
    /// Presents the third party's certificate.
    pub(crate) client: reqwest::Client,
    pub(crate) browser: reqwest::Client,
    /// Presents the gateway's certificate to the core bank.
    pub(crate) core: reqwest::Client,
    pub(crate) management: reqwest::Client,
    /// Whose simulated devices are those of the bank's customers.
    pub(crate) devices: TestServer,
    pub(crate) customers: Mutex<Vec<String>>,
    told: Mutex<Told>,
    next: AtomicUsize,
    is_over: AtomicBool,
}

impl Callers {
    /// Registers.
    pub(crate) async fn new(folder: &Path) -> Self {
        let file = |name: &str| fs::read(folder.join(name)).unwrap();
        let builder = |authority: &str| {
            let authority = reqwest::Certificate::from_pem(&file(authority)).unwrap();
            reqwest::Client::builder()
                .tls_certs_only([authority])
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(Duration::from_secs(2))
                .timeout(PATIENCE)
                // One connection with HTTP/2 would bring all calls to one node.
                .http1_only()
                .no_proxy()
        };
        let management = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let (qwac, signer) =
            (certificate(&management, "qwac").await, certificate(&management, "qseal").await);
        let identity = |pem: Vec<u8>| reqwest::Identity::from_pem(&pem).unwrap();
        let own = qwac.key_pem.clone() + &eidas::certificate::to_pem(&qwac.certificate.der);
        let client = builder("ca.pem").identity(identity(own.into_bytes())).build().unwrap();
        let gateway = [file("core/gateway.key.pem"), file("core/gateway.pem")].concat();
        let core = builder("core/ca.pem").identity(identity(gateway)).build().unwrap();
        let browser = builder("ca.pem").build().unwrap();

        let token = Request::onboarding("nl").signed(&signer).exchange(&client, INTERFACE).await;
        assert_eq!(token.status, 200, "{}", token.body);
        let token = token.json()["access_token"].as_str().unwrap().to_owned();
        let registration = Request::registration("nl", &token, &[CALLBACK]).certificate(&signer);
        let registration = registration.exchange(&client, INTERFACE).await;
        assert_eq!(registration.status, 201, "{}", registration.body);
        let secret = registration.json()["client_secret"].as_str().unwrap().to_owned();
        Self {
            tpp: TestTpp { signer, tenant: "nl".to_owned(), secret },
            client,
            browser,
            core,
            management,
            devices: TestServer::start().await,
            customers: Mutex::default(),
            told: Mutex::default(),
            next: AtomicUsize::new(1),
            is_over: AtomicBool::new(false),
        }
    }

    pub(crate) fn stop(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Reads or notes what callers were told.
    pub(crate) fn told<T>(&self, with: impl FnOnce(&mut Told) -> T) -> T {
        with(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// When writes were acknowledged, in order.
    pub(crate) fn acknowledged(&self) -> Vec<Instant> {
        self.told(|told| told.acknowledged.clone())
    }

    /// Of the calls that were under way at a time: the longest, and how many attempts were answered with 503 or not at all.
    pub(crate) fn calls_within(&self, begun: Instant, ended: Instant) -> (Duration, usize, usize) {
        self.told(|told| {
            let calls = told.calls.iter().filter(|call| call.ended > begun && call.begun < ended);
            calls.fold((Duration::ZERO, 0, 0), |(longest, refused, unanswered), call| {
                let long = call.ended.duration_since(call.begun);
                (longest.max(long), refused + call.refused, unanswered + call.unanswered)
            })
        })
    }

    fn acknowledge(&self, note: impl FnOnce(&mut Told)) {
        self.told(|told| {
            told.acknowledged.push(Instant::now());
            note(told);
        });
    }

    pub(crate) fn wrong(&self, what: &str, answer: &Answer) {
        self.told(|told| told.wrong.push(format!("{what}: {} {}", answer.status, answer.body)));
    }

    /// Sends a request until it is answered by something else than 503; also says whether it was sent more than once.
    pub(crate) async fn send(
        &self,
        client: &reqwest::Client,
        origin: &str,
        request: &Request,
    ) -> (Answer, bool) {
        let mut call = Call { begun: Instant::now(), ended: Instant::now(), refused: 0, unanswered: 0 };
        loop {
            match request.try_exchange(client, origin).await {
                Ok(answer) if answer.status == 503 => {
                    if answer.header("retry-after").is_empty() {
                        self.wrong("503 without Retry-After", &answer);
                    }
                    call.refused += 1;
                }
                Ok(answer) => {
                    call.ended = Instant::now();
                    self.told(|told| told.calls.push(call));
                    if answer.status >= 500 {
                        self.wrong(&request.target, &answer);
                    }
                    return (answer, call.refused + call.unanswered > 0);
                }
                Err(_) => call.unanswered += 1,
            }
            assert!(call.begun.elapsed() < LONGEST, "{} is not answered: {call:?}", request.target);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same at the interface.
    pub(crate) async fn call(&self, request: &Request) -> (Answer, bool) {
        self.send(&self.client, INTERFACE, request).await
    }
}

async fn certificate(management: &reqwest::Client, profile: &str) -> Signer {
    let wish = json!({"organizationIdentifier": "PSDNL-DNB-R654321", "profile": profile});
    let request = Request::new("POST", "/test-certificates").body("application/json", wish.to_string());
    let made = request.exchange(management, MANAGEMENT).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    Signer::from_pem(&text("certificate"), &text("privateKey"), Some(text("keyId")))
}

/// Asks for consents until it is over.
pub(crate) async fn consents(callers: std::sync::Arc<Callers>) {
    for number in 0.. {
        if callers.is_over() {
            return;
        }
        let request = callers.tpp.consent_request(&bank_offered("9999-12-31"));
        let (answer, _) = callers.call(&request).await;
        let id = answer.json()["consentId"].as_str().map(str::to_owned);
        let (201, Some(id)) = (answer.status, id) else {
            callers.wrong("a consent", &answer);
            continue;
        };
        callers.acknowledge(|told| told.consents.push(id.clone()));
        // The same request again is the same consent, whoever made it.
        if number % 10 == 0 {
            let (again, _) = callers.call(&request).await;
            if again.json()["consentId"] != id.as_str() {
                callers.wrong("the same request made another consent", &again);
            }
        }
    }
}

/// Pays until it is over.
pub(crate) async fn payments(callers: std::sync::Arc<Callers>) {
    let mut customers = Vec::new();
    for _ in 0..CUSTOMERS {
        customers.push(Customer::new(&callers).await);
    }
    for customer in customers.iter().cycle() {
        if callers.is_over() {
            return;
        }
        if pay(&callers, customer).await.is_none() {
            callers.told(|told| told.given_up += 1);
        }
    }
}

/// A payment from the request to its confirmation; nothing if it could not be carried on.
async fn pay(callers: &Callers, customer: &Customer) -> Option<()> {
    let reference = format!("cluster {:06}", callers.next.fetch_add(1, Ordering::Relaxed));
    let mut body = euro_payment("0.01", "NL91ABNA0417164300");
    body["debtorAccount"] = json!({"iban": customer.iban});
    body["remittanceInformationUnstructured"] = json!(reference);
    let tpp = &callers.tpp;
    let (asked, _) = callers.call(&tpp.payment_request(SEPA, &body)).await;
    if asked.status != 201 {
        callers.wrong("a payment", &asked);
        return None;
    }
    let asked: Value = asked.json();
    let path = tpp.path_of(&asked["_links"]["self"]);
    callers.acknowledge(|told| told.asked.push(path.clone()));

    let code = approve(callers, customer, &tpp.authorization_url(&asked)).await?;
    let (tokens, was_repeated) = callers.call(&tpp.token_request(&TestTpp::code_form(&code))).await;
    if tokens.status != 200 {
        // A code is good once: if the answer was lost, so is what it would have given.
        if !was_repeated {
            callers.wrong("tokens", &tokens);
        }
        return None;
    }
    let bearer = format!("Bearer {}", tokens.json()["access_token"].as_str().unwrap());
    let confirmation = tpp.request("PUT", &tpp.path_of(&asked["_links"]["scaStatus"]));
    let confirmation = confirmation.set("content-type", "application/json").set("authorization", bearer);
    let confirmation = confirmation.signed(&tpp.signer);
    callers.told(|told| told.confirmed.push(reference.clone()));
    let (confirmed, was_repeated) = callers.call(&confirmation).await;
    if confirmed.status == 200 {
        callers.acknowledge(|told| told.paid.push((reference, path)));
        return Some(());
    }
    if !was_repeated {
        callers.wrong("a confirmation", &confirmed);
        return None;
    }
    // Whether the answer that was lost was good is what its status says.
    let (status, _) = callers.call(&tpp.get(&format!("{path}/status"))).await;
    match status.json()["transactionStatus"].as_str() {
        Some("ACSC" | "ACSP" | "ACCP") => callers.acknowledge(|told| told.paid.push((reference, path))),
        _ => callers.wrong(&format!("a confirmation that was repeated: {}", confirmed.body), &status),
    }
    Some(())
}
