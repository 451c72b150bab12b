//! `kill -9` in the middle of payments at both doors: what was acknowledged is there once, what was half done is completed
//! by the same calls again, and no money appears or is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro};
use testkit::{
    Answer, CALLBACK, Program, Request, Signer, TestTpp, day, euro_payment, free_folder, pain001, parameter,
};

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
        // What was opened before may have ended.
        let client = self.client.clone().session(&self.client.key).await;
        let (mut texts, mut older) = (Vec::new(), String::new());
        loop {
            let page = client.list(&self.below(&format!("/payment?count=200{older}"))).await;
            let Some(last) = page.last() else { break };
            older = format!("&older_id={}", last["id"]);
            texts.extend(page.iter().map(|one| text(&one["description"])));
        }
        texts.retain(|text| text.starts_with("signed ") || text.starts_with("own "));
        texts.sort();
        (texts, client.balance(self.account).await)
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

    /// A request for a payment of a cent at the Berlin Group interface, now or on a day.
    fn asking(&self, number: usize, day: Option<String>) -> Request {
        let mut body = euro_payment("0.01", &self.payee.iban);
        body["remittanceInformationUnstructured"] = format!("signed {number}").into();
        body["requestedExecutionDate"] = day.into();
        self.tpp.payment_request(SEPA, &body)
    }

    /// Has a payment at the Berlin Group interface made.
    async fn pay(&self, asking: Request) -> Paid {
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
                0 => paid.push(self.pay(self.asking(number, None)).await),
                _ => self.pay_at_bunq(number).await,
            }
            self.completed.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// How many entries of this test's payments the books have.
fn made(data: &std::path::Path) -> i64 {
    let file = data.join("sandbox.db");
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "SELECT count(DISTINCT entry) FROM postings WHERE remittance LIKE 'signed %'";
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// What the files say that the bank leaves behind after so many payments at the Berlin Group interface.
fn check_books(data: &std::path::Path, payments: usize) {
    let database = Connection::open(data.join("sandbox.db")).unwrap();
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let entries = "SELECT count(*) FROM (SELECT entry FROM postings GROUP BY entry HAVING sum(amount) <> 0)";
    assert_eq!(count(entries), 0, "entries with one leg, or legs that differ");
    assert_eq!(count("SELECT coalesce(sum(amount), 0) FROM postings"), 0, "money appeared or was lost");
    assert_eq!(count("SELECT coalesce(sum(reserved), 0) FROM accounts"), 0, "money is set aside for ever");
    let signed = "SELECT count(*) FROM payments WHERE interface <> 'bunq'";
    assert_eq!(count(signed), i64::try_from(payments).unwrap(), "a payment was made twice of one request");
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
        assert_eq!(town.succeed(&status).await["transactionStatus"], "ACSC");
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
    check_books(&folder.join("data"), PAYMENTS);
}

/// Payments of one day are executed, and the bank is killed again and again among them: in the end each is made once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_made_once_although_the_bank_is_killed_among_it() {
    const SINGLE: usize = 48;
    const IN_BULK: usize = 12;
    const DUE_KILLS: i64 = 5;
    let (_guard, folder) = free_folder();
    let (bank, data) = (Bank::in_folder(&folder), folder.join("data"));
    let mut program = bank.start();
    let town = Arc::new(Town::new(&program).await);
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..4 {
        let town = Arc::clone(&town);
        lanes.spawn(async move {
            let mut paid = Vec::new();
            for number in (lane..SINGLE).step_by(4) {
                paid.push(town.pay(town.asking(number, Some(day(2)))).await);
            }
            paid
        });
    }
    let texts: Vec<String> = (SINGLE..SINGLE + IN_BULK).map(|number| format!("signed {number}")).collect();
    let payee = town.payee.iban.as_str();
    let transfers: Vec<_> = texts.iter().map(|text| (1, "Payee", payee, text.as_str())).collect();
    let bulk = pain001("09", &town.payer.iban, &day(2), &transfers);
    let mut paid = vec![town.pay(town.tpp.bulk_request("application/xml", &bulk)).await];
    paid.extend(lanes.join_all().await.into_iter().flatten());
    assert_eq!(made(&data), 0, "nothing is due");

    let now = format!("{}T10:00:00Z", day(2));
    let moving = json!({"tenant": "nl", "now": now}).to_string();
    let moving = Request::new("PUT", "/clock").body("application/json", moving);
    let moved = {
        let town = Arc::clone(&town);
        tokio::spawn(async move { town.send(&town.management, &moving).await })
    };
    let all = i64::try_from(SINGLE + IN_BULK).unwrap();
    for kill in 1..=DUE_KILLS {
        while made(&data) < kill * all / (DUE_KILLS + 1) && !moved.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        program.kill();
        program = bank.start();
    }
    let (moved, _) = moved.await.unwrap();
    assert_eq!(moved.status, 200, "{}", moved.body);
    for (place, Paid { answer, .. }) in paid.iter().enumerate() {
        let status = town.tpp.get(&format!("{}/status", town.tpp.path_of(&answer["_links"]["self"])));
        // The first is the bulk payment, which ends there.
        let end = if place == 0 { "ACSP" } else { "ACSC" };
        assert_eq!(town.succeed(&status).await["transactionStatus"], end, "{answer}");
    }
    let mut expected: Vec<_> = (0..SINGLE + IN_BULK).map(|number| format!("signed {number}")).collect();
    expected.sort();
    assert_eq!(town.payer.history().await, (expected.clone(), 100_000 - all), "what the payer sees and has");
    assert_eq!(town.payee.history().await, (expected, all), "what the payee sees and has");
    program.kill();
    check_books(&data, SINGLE + 1);
}
