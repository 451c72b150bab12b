//! `kill -9` in the middle of payments at both doors: what was acknowledged is there once, what was half done is completed
//! by the same calls again, and no money appears or is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro};
use testkit::{Answer, CALLBACK, Program, Request, Signer, TestTpp, euro_payment, free_folder, parameter};

use crate::crash::Bank;

const KILLS: usize = 20;
/// Payments at each door.
const PAYMENTS: usize = 500;
/// How many are made at once at each door.
const LANES: usize = 6;
/// What a payer has.
const BALANCE: &str = "1000.00";
const SEPA: &str = "payments/sepa-credit-transfers";

/// A bank that is killed now and then, and those who call it.
struct Town {
    http: reqwest::Client,
    public: String,
    management: String,
    tpp: TestTpp,
    /// Who pays at the Berlin Group interface.
    payer: Holder,
    /// Who pays at bunq's.
    own_payer: Holder,
    /// Who is paid at both.
    payee: Holder,
    /// How many payments were begun at each door.
    begun: [AtomicUsize; 2],
    completed: AtomicUsize,
    /// How many calls were cut off.
    cut_off: AtomicUsize,
}

/// A payment at the Berlin Group interface that was acknowledged.
struct Paid {
    asking: Request,
    answer: Value,
    confirming: Request,
}

/// A customer with one account, and their own client at bunq's interface.
struct Holder {
    iban: String,
    client: BunqClient,
    account: i64,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Holder {
    /// One whose account has an amount and nothing else.
    async fn new(http: &reqwest::Client, program: &Program, balance: &str) -> Self {
        let body = json!({"tenant": "nl", "persona": "empty", "balance": balance}).to_string();
        let made = Request::new("POST", "/test-accounts").body("application/json", body);
        let made = made.send(http, &program.url("management")).await.json();
        let client = BunqClient::install_at(http, &program.url("public")).await;
        let client = client.open(&text(&made["bunq"]["apiKey"])).await;
        Self { iban: text(&made["iban"]), account: client.account().await, client }
    }

    /// A path below the account.
    fn below(&self, rest: &str) -> String {
        self.client.below(self.account, rest)
    }

    /// The texts of the payments of this test that the customer sees, in their order as texts, and what the account holds
    /// in cents.
    async fn history(&self) -> (Vec<String>, i64) {
        let (mut texts, mut older) = (Vec::new(), String::new());
        loop {
            let page = self.client.list(&self.below(&format!("/payment?count=200{older}"))).await;
            let Some(last) = page.last() else { break };
            older = format!("&older_id={}", last["id"]);
            texts.extend(page.iter().map(|one| text(&one["description"])));
        }
        texts.retain(|text| text.starts_with("signed ") || text.starts_with("own "));
        texts.sort();
        (texts, self.client.balance(self.account).await)
    }
}

impl Town {
    async fn new(program: &Program) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (public, management) = (program.url("public"), program.url("management"));
        let certificate = json!({"organizationIdentifier": "PSDNL-DNB-KILL9"}).to_string();
        let certificate = Request::new("POST", "/test-certificates").body("application/json", certificate);
        let made = certificate.send(&http, &management).await.json();
        let signer = Signer::from_pem(&text(&made["certificate"]), &text(&made["privateKey"]), None);
        let token = Request::onboarding("nl").signed(&signer).send(&http, &public).await.json();
        let registration = Request::registration("nl", &text(&token["access_token"]), &[CALLBACK]);
        let registered = registration.certificate(&signer).send(&http, &public).await.json();
        let tpp = TestTpp { signer, tenant: "nl".to_owned(), secret: text(&registered["client_secret"]) };
        let payer = Holder::new(&http, program, BALANCE).await;
        let own_payer = Holder::new(&http, program, BALANCE).await;
        let payee = Holder::new(&http, program, "0.00").await;
        let (begun, completed, cut_off) = Default::default();
        Self { http, public, management, tpp, payer, own_payer, payee, begun, completed, cut_off }
    }

    /// Sends a request; nothing if the bank was killed before the whole answer was there.
    async fn try_once(&self, origin: &str, request: &Request) -> Option<Answer> {
        let url = format!("{origin}{}", request.target);
        let sent = self.http.request(request.method.clone(), url).headers(request.headers.clone());
        let answered = async {
            let answer = sent.body(request.body.clone()).send().await.ok()?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = String::from_utf8_lossy(&answer.bytes().await.ok()?).into_owned();
            Some(Answer { status, headers, body })
        };
        let answer = answered.await;
        if answer.is_none() {
            self.cut_off.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        answer
    }

    /// Sends a request until it is answered; also says whether it was sent more than once.
    async fn send(&self, origin: &str, request: &Request) -> (Answer, bool) {
        for attempt in 0..6000 {
            if let Some(answer) = self.try_once(origin, request).await {
                return (answer, attempt > 0);
            }
        }
        panic!("{} {}: the bank does not come back", request.method, request.target);
    }

    /// Sends a request until it is answered with a success.
    async fn succeed(&self, request: &Request) -> Value {
        let (answer, _) = self.send(&self.public, request).await;
        assert!((200..300).contains(&answer.status), "{}: {}", request.target, answer.body);
        answer.json()
    }

    /// The customer approves; the token that comes of it. Nothing if a code or token went down with the bank.
    async fn token(&self, begun: &Value) -> Option<String> {
        let approval = json!({
            "url": self.tpp.authorization_url(begun), "iban": self.payer.iban, "decision": "approve"
        });
        let approval = Request::new("POST", "/approvals").body("application/json", approval.to_string());
        let (approved, was_repeated) = self.send(&self.management, &approval).await;
        assert_eq!(approved.status, 200, "{}", approved.body);
        let Some(code) = parameter(approved.json()["location"].as_str().unwrap(), "code") else {
            assert!(was_repeated, "{}", approved.body);
            return None;
        };
        let redeeming = self.tpp.token_request(&TestTpp::code_form(&code));
        let (tokens, was_repeated) = self.send(&self.public, &redeeming).await;
        assert!(tokens.status == 200 || was_repeated, "{}", tokens.body);
        tokens.json()["access_token"].as_str().map(str::to_owned)
    }

    /// Pays at the Berlin Group interface.
    async fn pay(&self, number: usize) -> Paid {
        let mut body = euro_payment("0.01", &self.payee.iban);
        body["remittanceInformationUnstructured"] = format!("signed {number}").into();
        let asking = self.tpp.payment_request(SEPA, &body);
        let answer = self.succeed(&asking).await;
        let mut begun = answer.clone();
        let token = loop {
            if let Some(token) = self.token(&begun).await {
                break token;
            }
            let path = self.tpp.path_of(&answer["_links"]["self"]);
            begun = self.succeed(&self.tpp.redirecting("POST", &format!("{path}/authorisations"))).await;
        };
        let confirming = self
            .tpp
            .request("PUT", &self.tpp.path_of(&begun["_links"]["confirmation"]))
            .set("authorization", format!("Bearer {token}"))
            .signed(&self.tpp.signer);
        assert_eq!(self.succeed(&confirming).await["scaStatus"], "finalised");
        Paid { asking, answer, confirming }
    }

    /// Pays at bunq's interface, which knows no repeated call: whether a payment that was cut off was made, the payer's own
    /// history tells.
    async fn pay_at_bunq(&self, number: usize) {
        let text = format!("own {number}");
        let payee = json!({"type": "IBAN", "value": self.payee.iban, "name": "Payee"});
        let body = json!({"amount": euro("0.01"), "counterparty_alias": payee, "description": text});
        let Holder { client, .. } = &self.own_payer;
        loop {
            let request = client.request("POST", &self.own_payer.below("/payment"), Some(&body));
            if let Some(answer) = self.try_once(&self.public, &request).await {
                assert_eq!(answer.status, 200, "{}", answer.body);
                return;
            }
            let history = client.request("GET", &self.own_payer.below("/payment?count=200"), None);
            let history = self.succeed(&history).await;
            let mut made = history["Response"].as_array().unwrap().iter();
            if made.any(|one| one["Payment"]["description"] == text.as_str()) {
                return;
            }
        }
    }

    /// Pays one after the other until as many were begun as there are to be.
    async fn lane(self: Arc<Self>, door: usize) -> Vec<Paid> {
        let mut paid = Vec::new();
        loop {
            let number = self.begun[door].fetch_add(1, Ordering::SeqCst);
            if number >= PAYMENTS {
                return paid;
            }
            match door {
                0 => paid.push(self.pay(number).await),
                _ => self.pay_at_bunq(number).await,
            }
            self.completed.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// What the files say that the bank leaves behind.
fn check_books(data: &std::path::Path) {
    let database = Connection::open(data.join("sandbox.db")).unwrap();
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let entries = "SELECT count(*) FROM (SELECT entry FROM postings GROUP BY entry HAVING sum(amount) <> 0)";
    assert_eq!(count(entries), 0, "entries with one leg, or legs that differ");
    assert_eq!(count("SELECT coalesce(sum(amount), 0) FROM postings"), 0, "money appeared or was lost");
    assert_eq!(count("SELECT coalesce(sum(reserved), 0) FROM accounts"), 0, "money is set aside for ever");
    let signed = "SELECT count(*) FROM payments WHERE interface <> 'bunq'";
    assert_eq!(count(signed), i64::try_from(PAYMENTS).unwrap(), "a payment was made twice of one request");
}

/// A thousand payments, and twenty kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_payments_at_both_doors_outlive_twenty_kills() {
    let (_guard, folder) = free_folder();
    let bank = Bank::in_folder(&folder);
    let mut program = bank.start();
    let town = Arc::new(Town::new(&program).await);
    let lanes: Vec<_> = (0..2 * LANES).map(|lane| tokio::spawn(Arc::clone(&town).lane(lane % 2))).collect();
    for kill in 1..=KILLS {
        let target = kill * 2 * PAYMENTS / (KILLS + 1);
        while town.completed.load(Ordering::SeqCst) < target && !lanes.iter().any(|lane| lane.is_finished()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        program.kill();
        program = bank.start();
    }
    let mut paid = Vec::new();
    for lane in lanes {
        paid.extend(lane.await.unwrap());
    }
    assert_eq!(paid.len(), PAYMENTS);
    let cut_off = town.cut_off.load(Ordering::SeqCst);
    assert!(cut_off > KILLS * LANES, "only {cut_off} calls were cut off");

    // Each request is one payment, which is made; and to say all that once more changes nothing.
    let ids: BTreeSet<_> = paid.iter().map(|one| one.answer["paymentId"].to_string()).collect();
    assert_eq!(ids.len(), PAYMENTS, "two requests are one payment");
    for (number, Paid { asking, answer, confirming }) in paid.iter().enumerate() {
        let status = town.tpp.get(&format!("{}/status", town.tpp.path_of(&answer["_links"]["self"])));
        assert_eq!(town.succeed(&status).await["transactionStatus"], "ACCC");
        if number % 10 == 0 {
            assert_eq!(&town.succeed(asking).await, answer);
            assert_eq!(town.succeed(confirming).await["scaStatus"], "finalised");
        }
    }
    // Both sides see each of them once.
    let made = |kind: &str| (0..PAYMENTS).map(|number| format!("{kind} {number}")).collect::<Vec<_>>();
    let count = i64::try_from(PAYMENTS).unwrap();
    for (side, holder, mut expected, balance) in [
        ("payer", &town.payer, made("signed"), 100_000 - count),
        ("payer at bunq's", &town.own_payer, made("own"), 100_000 - count),
        ("payee", &town.payee, [made("signed"), made("own")].concat(), 2 * count),
    ] {
        expected.sort();
        assert_eq!(holder.history().await, (expected, balance), "what the {side} sees and has");
    }
    program.kill();
    check_books(&folder.join("data"));
}
