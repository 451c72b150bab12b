//! What is measured against: servers as processes of their own, a registered third party with a valid consent, and
//! requests that are signed ahead.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gateway::domain::Tenant;
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, pseudo_certificate};
use testkit::{
    CALLBACK, Request, Signer, VERIFIER, bank_offered, challenge, detailed, euro_payment, pain001, parameter,
};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");

/// Transfers in a bulk payment.
pub(crate) const BULK: usize = 100;

/// Who is paid.
const PAYEE: &str = "DE89370400440532013000";

/// The third party.
const CLIENT: &str = "PSDNL-DNB-BENCH";

/// A running server; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) ready: Value,
}

impl Server {
    /// Starts a sandbox of this build on a data folder.
    pub(crate) fn sandbox(data: &Path) -> Self {
        Self::sandbox_of(BINARY, data)
    }

    /// Starts a sandbox of any build.
    pub(crate) fn sandbox_of(binary: &str, data: &Path) -> Self {
        let mut arguments = vec!["sandbox", "--json", "--data", data.to_str().unwrap()];
        for option in ["--listen", "--tls-listen", "--management-listen"] {
            arguments.extend([option, "127.0.0.1:0"]);
        }
        Self::start(binary, &arguments)
    }

    /// Starts a program that prints a line of JSON when it is ready.
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap().to_owned()
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a user does.
    pub(crate) fn stop(mut self) {
        testkit::run("kill", &["-s", "TERM", &self.child.id().to_string()]);
        self.child.wait().unwrap();
    }

    /// Resident memory in MiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A third party with everything it needs to read.
pub(crate) struct Tpp {
    bank: Bank,
    pub(crate) signer: Signer,
    secret: String,
    pub(crate) iban: String,
    consent: String,
    token: String,
    account: String,
}

/// A bank that is called while the scene is set.
struct Bank {
    http: reqwest::Client,
    public: String,
    management: String,
}

impl Bank {
    fn new(server: &Server) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, public: server.url("public"), management: server.url("management") }
    }

    async fn send(&self, request: Request) -> Value {
        request.exchange(&self.http, &self.public).await.json()
    }

    async fn manage(&self, path: &str, body: Value) -> Value {
        let request = Request::new("POST", path).body("application/json", body.to_string());
        request.exchange(&self.http, &self.management).await.json()
    }
}

impl Tpp {
    /// Registers and gets a valid consent.
    pub(crate) async fn new(server: &Server) -> Self {
        let bank = Bank::new(server);
        let made = bank.manage("/test-certificates", json!({"organizationIdentifier": CLIENT})).await;
        let pem = |name: &str| made[name].as_str().unwrap().to_owned();
        let signer = Signer::from_pem(&pem("certificate"), &pem("privateKey"), None);
        let token = bank.send(Request::onboarding("nl").signed(&signer)).await;
        let token = token["access_token"].as_str().unwrap().to_owned();
        let registered = Request::registration("nl", &token, &[CALLBACK]).certificate(&signer);
        let secret = bank.send(registered).await["client_secret"].as_str().unwrap().to_owned();
        let customer = bank.manage("/test-accounts", json!({"tenant": "nl", "persona": "busy"})).await;
        let iban = customer["iban"].as_str().unwrap().to_owned();
        let unknown = String::new;
        let mut tpp =
            Self { bank, signer, secret, iban, consent: unknown(), token: unknown(), account: unknown() };
        let (asked, tokens) = tpp.authorised(0).await;
        tpp.consent = asked["consentId"].as_str().unwrap().to_owned();
        tpp.token = tokens["access_token"].as_str().unwrap().to_owned();
        let confirmation = format!("/xs2a-bg{}", asked["_links"]["confirmation"].as_str().unwrap());
        let bearer = format!("Bearer {}", tpp.token);
        let confirm = Request::new("PUT", &confirmation).set("x-request-id", "confirm");
        tpp.bank.send(confirm.set("authorization", &bearer).signed(&tpp.signer)).await;
        let accounts = Request::new("GET", "/xs2a-bg/nl/v1/accounts").set("x-request-id", "accounts");
        let accounts = accounts.set("authorization", &bearer).set("consent-id", &tpp.consent);
        let accounts = tpp.bank.send(accounts.signed(&tpp.signer)).await;
        tpp.account = accounts["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
        tpp
    }

    /// The bank was started again, at another address.
    pub(crate) fn follow(&mut self, server: &Server) {
        self.bank = Bank::new(server);
    }

    /// A consent that the customer approved, and its tokens.
    async fn authorised(&self, number: usize) -> (Value, Value) {
        self.approved(consent_request(&self.signer, &detailed(&self.iban, true), number)).await
    }

    /// What a request asks for, approved by the customer, and its tokens.
    async fn approved(&self, request: Request) -> (Value, Value) {
        let asked = self.bank.send(request).await;
        let link = asked["_links"]["scaRedirect"].as_str().unwrap();
        let url = format!("{link}&code_challenge={}&code_challenge_method=S256", challenge(VERIFIER));
        let approval = json!({"url": url, "iban": self.iban, "decision": "approve"});
        let decided = self.bank.manage("/approvals", approval).await;
        let code = parameter(decided["location"].as_str().unwrap(), "code").unwrap();
        let grant = format!(
            "grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&redirect_uri={CALLBACK}"
        );
        let tokens = self.bank.send(self.token_request(&grant)).await;
        (asked, tokens)
    }

    fn token_request(&self, grant: &str) -> Request {
        let form = format!("{grant}&client_id={CLIENT}&client_secret={}", self.secret);
        Request::new("POST", "/auth/nl/v1/token").form(&form)
    }

    /// The first requests of so many chains of refreshes, each of a consent of its own.
    pub(crate) async fn refreshes(&self, chains: usize) -> Vec<Vec<u8>> {
        let mut first = Vec::new();
        for number in 0..chains {
            let (_, tokens) = self.authorised(900_000_000 + number).await;
            first.push(self.refresh(tokens["refresh_token"].as_str().unwrap()));
        }
        first
    }

    /// A refresh with a token.
    pub(crate) fn refresh(&self, token: &str) -> Vec<u8> {
        octets(&self.token_request(&format!("grant_type=refresh_token&refresh_token={token}")))
    }

    /// A read of balances with the customer taking part.
    pub(crate) fn balances(&self, number: usize) -> Request {
        Request::new("GET", &format!("/xs2a-bg/nl/v1/accounts/{}/balances", self.account))
            .set("x-request-id", format!("balances-{number:08}"))
            .set("psu-ip-address", "192.0.2.1")
            .set("consent-id", &self.consent)
            .set("authorization", format!("Bearer {}", self.token))
            .signed(&self.signer)
    }

    /// A request for a consent that no other request is like.
    pub(crate) fn consent(&self, number: usize) -> Request {
        consent_request(&self.signer, &bank_offered("9999-12-31"), number + 1)
    }

    /// A request for a payment that no other request is like.
    pub(crate) fn payment(&self, number: usize) -> Request {
        let body = euro_payment("1.00", PAYEE).to_string();
        self.payment_request("payments", number).body("application/json", body).signed(&self.signer)
    }

    fn payment_request(&self, service: &str, number: usize) -> Request {
        Request::new("POST", &format!("/xs2a-bg/nl/v1/{service}/sepa-credit-transfers"))
            .set("x-request-id", format!("{service}-{number:08}"))
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
    }

    /// A payment, and reads of its status.
    pub(crate) async fn statuses(&self, count: usize) -> Vec<Vec<u8>> {
        let asked = self.bank.send(self.payment(usize::MAX)).await;
        let path = format!("/xs2a-bg{}", asked["_links"]["status"].as_str().unwrap());
        let read = |number| {
            let read = Request::new("GET", &path).set("x-request-id", format!("status-{number:08}"));
            read.signed(&self.signer)
        };
        prepared(count, read)
    }

    /// Confirmations of bulk payments of [`BULK`] transfers each, which the bank then makes.
    pub(crate) async fn bulk_confirmations(&self, count: usize) -> Vec<Vec<u8>> {
        let clocks = self.bank.http.get(format!("{}/clock", self.bank.management));
        let clocks = clocks.send().await.unwrap().text().await.unwrap();
        let clocks: Value = serde_json::from_str(&clocks).unwrap();
        let clocks = clocks["clocks"].as_array().unwrap();
        let now = clocks.iter().find(|clock| clock["tenant"] == "nl").unwrap()["now"].as_str().unwrap();
        let today = Tenant::parse("nl").unwrap().date_at(now.parse().unwrap()).to_string();
        let transfers = vec![(1, "A. Payee", PAYEE, "Invoice 7"); BULK];
        let document = pain001("09", &self.iban, &today, &transfers);
        let mut confirmations = Vec::new();
        for number in 0..count {
            let request = self.payment_request("bulk-payments", number);
            let request = request.body("application/xml", document.clone()).signed(&self.signer);
            let (asked, tokens) = self.approved(request).await;
            let path = format!("/xs2a-bg{}", asked["_links"]["confirmation"].as_str().unwrap());
            let confirm = Request::new("PUT", &path).set("x-request-id", format!("bulk-confirm-{number:08}"));
            let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
            confirmations.push(octets(&confirm.set("authorization", bearer).signed(&self.signer)));
        }
        confirmations
    }

    /// An onboarding call.
    pub(crate) fn onboarding(&self, number: usize) -> Request {
        Request::onboarding("nl").set("x-request-id", format!("bench-{number:08}")).signed(&self.signer)
    }
}

fn consent_request(signer: &Signer, body: &Value, number: usize) -> Request {
    Request::new("POST", "/xs2a-bg/nl/v1/consents")
        .set("x-request-id", format!("consent-{number:08}"))
        .set("psu-ip-address", "192.0.2.1")
        .set("tpp-redirect-uri", CALLBACK)
        .body("application/json", body.to_string())
        .signed(signer)
}

/// A request of a service provider for its own user at the bunq interface, and the body of the answer.
pub(crate) async fn user_request(server: &Server) -> (Vec<u8>, String) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let client = BunqClient::install_at(&http, &server.url("public")).await;
    let (certificate, key) = pseudo_certificate("Benchmark AISP", |_| {});
    let api_key = client.trade(&certificate, &certificate, &key).await;
    let client = client.open(&api_key).await;
    let request = client.request("GET", "/user", None).without("x-bunq-client-signature");
    (octets(&request), client.send(&request).await.body)
}

/// Signs requests on every processor and writes them as octets.
pub(crate) fn prepared(count: usize, make: impl Fn(usize) -> Request + Sync) -> Vec<Vec<u8>> {
    let threads = processors();
    let mut all: Vec<Vec<Vec<u8>>> = std::thread::scope(|scope| {
        let make = &make;
        let part =
            |first: usize| (first..count).step_by(threads).map(|number| octets(&make(number))).collect();
        let parts: Vec<_> = (0..threads).map(|first| scope.spawn(move || part(first))).collect();
        parts.into_iter().map(|part| part.join().unwrap()).collect()
    });
    all.drain(..).flatten().collect()
}

fn octets(request: &Request) -> Vec<u8> {
    let mut octets = format!("{} {} HTTP/1.1\r\nhost: bank\r\n", request.method, request.target).into_bytes();
    for (name, value) in &request.headers {
        octets.extend(format!("{name}: {}\r\n", value.to_str().unwrap()).as_bytes());
    }
    octets.extend(format!("content-length: {}\r\n\r\n", request.body.len()).as_bytes());
    octets.extend(&request.body);
    octets
}

pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Other consents that a full database holds.
const CONSENTS: i64 = 200_000;

/// Fills a database with what a bank of five years has: a million transactions of other accounts, and other consents of
/// every kind: valid, expired, rejected, and asked for and never decided, by a third party and by a browser. Half of each
/// kind are new; of the other half the time to be forgotten has come.
pub(crate) fn fill(database: &Path, iban: &str) {
    let connection = rusqlite::Connection::open(database).unwrap();
    let copies = "WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ?2)";
    let account: String =
        connection.query_row("SELECT id FROM accounts WHERE iban = ?1", [iban], |row| row.get(0)).unwrap();
    let own: i64 = connection
        .query_row("SELECT COUNT(*) FROM postings WHERE account = ?1", [&account], |row| row.get(0))
        .unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
    let columns = "entered_on, booking_date, sequence, value_date, amount, balance_after, counterparty_name, \
                   counterparty_iban, remittance, code, end_to_end_id, place";
    let postings = format!(
        "{copies} INSERT INTO postings (entry, account, {columns}) \
         SELECT p.entry || '-' || n, CASE WHEN p.account = ?1 THEN p.account || '-' || n ELSE p.account END, \
         {columns} FROM copies, postings p WHERE p.entry IN (SELECT entry FROM postings WHERE account = ?1)"
    );
    connection.execute(&postings, (&account, 1_000_000 / own + 1)).unwrap();
    let day = 86_400;
    let consents = format!(
        "{copies} INSERT INTO consents (id, tpp, tenant, access, granted, recurring, valid_until, \
         frequency_per_day, created_at, customer, decision, last_action_at, version, needs_confirmation, interface, \
         forget_at) \
         SELECT c.id || '-' || n, tpp, tenant, access, granted, recurring, \
         CASE WHEN n % 5 = 1 THEN '2021-01-01' ELSE valid_until END, frequency_per_day, \
         c.created_at - {day} * CASE WHEN n % 2 = 0 THEN n % 30 ELSE 600 + n % 1200 END, \
         CASE WHEN n % 5 < 2 THEN customer END, \
         CASE n % 5 WHEN 2 THEN 'pending' WHEN 3 THEN 'pending' WHEN 4 THEN 'rejected' ELSE decision END, \
         last_action_at, version, CASE WHEN n % 5 = 3 THEN 0 ELSE needs_confirmation END, interface, \
         c.created_at + {day} * CASE WHEN n % 2 = 0 THEN 1 + n % 30 ELSE -1 - n % 1200 END \
         FROM copies, consents c WHERE c.id = ?1"
    );
    let consent: String = connection
        .query_row("SELECT id FROM consents WHERE decision = 'confirmed' LIMIT 1", [], |row| row.get(0))
        .unwrap();
    connection.execute(&consents, (&consent, CONSENTS)).unwrap();
    connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}
