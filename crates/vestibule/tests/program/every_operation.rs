//! Every operation of the compatible bank's own two descriptions is called, with valid input and with invalid, and each answer is
//! held against what the description says of it. Where this bank answers otherwise on purpose, `deviations.json` says why.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{
    CALLBACK, FUNDS_CONSENTS, Request, TestServer, TestTpp, VERIFIER, challenge, day, detailed, euro_payment,
    in_euro, monthly_payment, pain001, parameter,
};

use crate::interface_description::{description, validate};
use crate::python;

const ID: &str = "PSDNL-DNB-R000000";
const UNKNOWN: &str = "6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11";

/// Calls of a third party, each with its answer.
struct Caller<'a> {
    server: &'a TestServer,
    tpp: TestTpp,
    exchanges: Vec<Value>,
}

impl<'a> Caller<'a> {
    async fn new(server: &'a TestServer, tenant: &str) -> Self {
        Self { server, tpp: server.registered(tenant, ID).await, exchanges: Vec::new() }
    }

    /// Sends a request below a prefix, whose answer has the status.
    async fn send_below(&mut self, prefix: &str, request: &Request, status: u16) -> Value {
        let answer = self.server.send(request).await;
        assert_eq!(answer.status, status, "{} {}: {}", request.method, request.target, answer.body);
        let body = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        if status == 201 && prefix == "/xs2a-bg" {
            assert!(!answer.header("location").is_empty(), "{}", request.target);
            assert_eq!(answer.header("aspsp-sca-approach"), "REDIRECT");
        }
        let path = request.target.strip_prefix(prefix).unwrap().split('?').next().unwrap();
        self.exchanges.push(json!({
            "method": request.method.as_str(), "path": path, "status": answer.status, "body": body,
            "request": String::from_utf8_lossy(&request.body),
        }));
        body
    }

    async fn send(&mut self, request: Request, status: u16) -> Value {
        self.send_below("/xs2a-bg", &request, status).await
    }

    async fn call(&mut self, method: &str, path: &str, status: u16) -> Value {
        let request = self.tpp.redirecting(method, path);
        self.send(request, status).await
    }

    async fn confirm(&mut self, path: &str, token: &str, status: u16) -> Value {
        let request = self
            .tpp
            .request("PUT", path)
            .set("content-type", "application/json")
            .set("authorization", format!("Bearer {token}"))
            .signed(&self.tpp.signer);
        self.send(request, status).await
    }

    async fn account(&self, persona: &str) -> Value {
        self.server.customer(&self.tpp.tenant, persona).await
    }

    /// Authorisations below a path: one more of them, all, one, and its confirmation.
    async fn authorisations(&mut self, below: &str, iban: &str) {
        let begun = self.call("POST", below, 201).await;
        self.call("POST", &below.replace(id_of(below), "x"), 400).await;
        self.call("GET", below, 200).await;
        self.call("GET", &below.replace(id_of(below), UNKNOWN), 403).await;
        let one = format!("{below}/{}", begun["authorisationId"].as_str().unwrap());
        self.call("GET", &one, 200).await;
        self.call("GET", &format!("{below}/{UNKNOWN}"), 403).await;
        let token = self.tpp.token_of(self.server, &begun, iban).await;
        self.confirm(&format!("{below}/x"), &token, 400).await;
        self.confirm(&one, &token, 200).await;
    }

    /// Consents of either kind, of which one is asked for by a body.
    async fn consents(&mut self, path: &str, body: &Value, iban: &str) {
        let ask = |caller: &Self, body: String| {
            let request = caller.tpp.request("POST", path).set("psu-ip-address", "192.0.2.1");
            let request = request.set("tpp-redirect-uri", CALLBACK).body("application/json", body);
            request.signed(&caller.tpp.signer)
        };
        self.send(ask(self, "{}".to_owned()), 400).await;
        let asked = self.send(ask(self, body.to_string()), 201).await;
        let own = format!("{path}/{}", asked["consentId"].as_str().unwrap());
        self.authorisations(&format!("{own}/authorisations"), iban).await;
        for (method, below, status) in [("GET", "", 200), ("GET", "/status", 200), ("DELETE", "", 204)] {
            self.call(method, &format!("{path}/{UNKNOWN}{below}"), 403).await;
            self.call(method, &format!("{own}{below}"), status).await;
        }
    }

    /// Accounts of a kind: the list, one, its balances and transactions.
    async fn accounts(&mut self, list: &str, consent: &testkit::ValidConsent) {
        let found = self.send(self.tpp.attended(list, consent), 200).await;
        self.send(self.tpp.request("GET", list).signed(&self.tpp.signer), 400).await;
        let account = found["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
        for below in ["", "/balances", "/transactions"] {
            let answer =
                self.send(self.tpp.attended(&format!("{list}/{account}{below}"), consent), 200).await;
            self.send(self.tpp.attended(&format!("{list}/{UNKNOWN}{below}"), consent), 404).await;
            if let Some(next) = answer["transactions"]["_links"]["next"].as_str()
                && list == "/v1/accounts"
            {
                let next = next.strip_prefix(&format!("/{}", self.tpp.tenant)).unwrap();
                let page = next.replace("?edge", "/page?edge");
                self.send(self.tpp.attended(&page, consent), 200).await;
                self.send(self.tpp.attended(&page.replace("edgeToken=", "edgeToken=x"), consent), 400).await;
            }
        }
    }

    /// A payment product, of which one payment is asked for by each request that `ask` makes.
    async fn payments(&mut self, ask: impl Fn(&TestTpp) -> Request, iban: &str) {
        let with_session = ask(&self.tpp).set("consent-id", UNKNOWN).signed(&self.tpp.signer);
        self.send(with_session, 400).await;
        let asked = self.send(ask(&self.tpp), 201).await;
        let own = self.tpp.path_of(&asked["_links"]["self"]);
        let (product, id) = own.rsplit_once('/').unwrap();
        self.call("GET", &format!("{own}/status"), 200).await;
        self.call("GET", &format!("{product}/{UNKNOWN}/status"), 403).await;
        self.authorisations(&format!("{own}/authorisations"), iban).await;
        // It is with the bank and not made yet.
        self.call("DELETE", &format!("{product}/{UNKNOWN}"), 403).await;
        self.call("DELETE", &own, 202).await;
        self.authorisations(&format!("{own}/cancellation-authorisations"), iban).await;
        assert_eq!(self.tpp.payment_status(self.server, &own).await, "CANC", "{id}");
        let other = self.send(ask(&self.tpp), 201).await;
        let other = self.tpp.path_of(&other["_links"]["self"]);
        self.call("DELETE", &other, 200).await;
    }

    /// A payment that is made at once.
    async fn made(&mut self, body: &Value, iban: &str) {
        let product = "payments/sepa-credit-transfers";
        let path = self.tpp.submitted_payment(self.server, (product, body), iban).await.path;
        self.call("GET", &format!("{path}/status"), 200).await;
        self.call("DELETE", &path, 400).await;
    }
}

/// The id in a path of authorisations.
fn id_of(below: &str) -> &str {
    below.rsplit('/').nth(1).unwrap()
}

/// What a description says of its operations, and what was answered.
struct Answered {
    declared: BTreeMap<String, Vec<String>>,
    answered: BTreeMap<String, Vec<u16>>,
}

impl Answered {
    fn new(description: &str, exchanges: &[Value]) -> Self {
        let document: Value = serde_json::from_str(&std::fs::read_to_string(description).unwrap()).unwrap();
        let mut declared = BTreeMap::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let Some(responses) = operation["responses"].as_object() else { continue };
                let name = format!("{} {path}", method.to_uppercase());
                declared.insert(name, responses.keys().cloned().collect());
            }
        }
        let mut answered: BTreeMap<String, Vec<u16>> = BTreeMap::new();
        for exchange in exchanges {
            let (method, path) = (exchange["method"].as_str().unwrap(), exchange["path"].as_str().unwrap());
            let found = declared.keys().filter(|name| fits(name, method, path));
            // Literal segments go before templates.
            let name = found.min_by_key(|name| name.matches('{').count());
            let name = name.unwrap_or_else(|| panic!("{method} {path} is not described"));
            let status = exchange["status"].as_u64().unwrap().try_into().unwrap();
            answered.entry(name.clone()).or_default().push(status);
        }
        Self { declared, answered }
    }

    /// Operations that were not called both with success and without.
    fn without_pair(&self) -> Vec<&String> {
        let lacks = |name: &&String| {
            let statuses = self.answered.get(*name).map(Vec::as_slice).unwrap_or_default();
            !statuses.iter().any(|status| *status < 400) || !statuses.iter().any(|status| *status >= 400)
        };
        self.declared.keys().filter(lacks).collect()
    }

    /// Answers with a status that the operation does not declare.
    fn undeclared(&self) -> Vec<(String, u16)> {
        let mut found = Vec::new();
        for (name, statuses) in &self.answered {
            for status in statuses {
                if !self.declared[name].contains(&status.to_string()) {
                    found.push((name.clone(), *status));
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

fn fits(operation: &str, method: &str, path: &str) -> bool {
    let Some(template) = operation.strip_prefix(method).and_then(|rest| rest.strip_prefix(' ')) else {
        return false;
    };
    let (known, asked): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    known.len() == asked.len() && known.iter().zip(&asked).all(|(k, a)| k.starts_with('{') || k == a)
}

/// Deviations of a description: operations (a star at the end stands for any rest) and statuses, each with its reason.
fn deviations(description: &str) -> Vec<(String, u16)> {
    let all: Value = serde_json::from_str(include_str!("deviations.json")).unwrap();
    let of = all[description].as_array().unwrap();
    assert!(of.iter().all(|one| one["reason"].as_str().is_some_and(|reason| reason.len() > 20)));
    of.iter()
        .map(|one| (one["operation"].as_str().unwrap().to_owned(), one["status"].as_u64().unwrap() as u16))
        .collect()
}

/// Every undeclared answer is a deviation, and every deviation was met.
fn hold(description: &str, answered: &Answered) {
    assert_eq!(answered.without_pair(), Vec::<&String>::new(), "operations without a pair");
    let (known, found) = (deviations(description), answered.undeclared());
    let covers = |(operation, status): &(String, u16), (name, answered): &(String, u16)| {
        let is_named = match operation.strip_suffix('*') {
            Some(begin) => name.starts_with(begin),
            None => name == operation,
        };
        is_named && status == answered
    };
    let unknown: Vec<_> =
        found.iter().filter(|one| !known.iter().any(|deviation| covers(deviation, one))).collect();
    assert_eq!(unknown, Vec::<&(String, u16)>::new(), "answers that are not declared");
    let unmet: Vec<_> =
        known.iter().filter(|deviation| !found.iter().any(|one| covers(deviation, one))).collect();
    assert_eq!(unmet, Vec::<&(String, u16)>::new(), "deviations that nothing shows");
}

fn with(mut body: Value, changes: Value) -> Value {
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

/// Everything at one branch.
pub(crate) async fn at(server: &TestServer, tenant: &str) -> Vec<Value> {
    let mut caller = Caller::new(server, tenant).await;
    let (payer, payee) = (caller.account("saver").await, caller.account("household").await);
    let (iban, payee) = (payer["iban"].as_str().unwrap(), payee["iban"].as_str().unwrap());
    caller.send(Request::onboarding(tenant).signed(&caller.tpp.signer), 200).await;
    caller.send(Request::onboarding(tenant), 401).await;
    caller.consents("/v1/consents", &detailed(iban, true), iban).await;
    let body = json!({"account": {"iban": iban}});
    caller.consents(FUNDS_CONSENTS, &body, iban).await;
    let consent = caller.tpp.valid(server, &detailed(iban, true), iban).await;
    caller.accounts("/v1/accounts", &consent).await;
    let mut savings = testkit::bank_offered("9999-12-31");
    savings["access"]["restrictedTo"] = json!(["SVGS"]);
    let consent = caller.tpp.valid(server, &savings, iban).await;
    caller.accounts("/v2/savings", &consent).await;
    let consent = caller.tpp.valid_funds(server, iban).await;
    let currency = if tenant == "uk" { "GBP" } else { "EUR" };
    let mut question = in_euro(iban, "1.00");
    question["instructedAmount"]["currency"] = json!(currency);
    caller.send(caller.tpp.ask(&consent, &question), 200).await;
    question["instructedAmount"]["amount"] = json!("x");
    caller.send(caller.tpp.ask(&consent, &question), 400).await;

    let later = json!({"requestedExecutionDate": day(5), "debtorAccount": {"iban": iban}});
    let debtor = json!({"debtorAccount": {"iban": iban}});
    if tenant == "uk" {
        let pounds = json!({
            "instructedAmount": {"currency": "GBP", "amount": "1.00"}, "creditorName": "A. Payee",
            "creditorAccount": {"ukSortCode": "123456", "ukAccountNumber": "12345678"},
        });
        let single = with(pounds.clone(), later);
        caller.payments(|tpp| tpp.payment_request("payments/uk-domestic-transfers", &single), iban).await;
        let periodic = with(with(pounds, debtor), json!({"startDate": day(5), "frequency": "Monthly"}));
        caller
            .payments(|tpp| tpp.payment_request("periodic-payments/uk-domestic-transfers", &periodic), iban)
            .await;
    } else {
        let single = with(euro_payment("1.00", payee), later.clone());
        caller.payments(|tpp| tpp.payment_request("payments/sepa-credit-transfers", &single), iban).await;
        let periodic = with(monthly_payment("1.00", payee), debtor);
        caller
            .payments(|tpp| tpp.payment_request("periodic-payments/sepa-credit-transfers", &periodic), iban)
            .await;
        let wish = json!({"tenant": tenant, "persona": "empty", "balance": "100.00"});
        let (_, rich) = server.manage("POST", "/test-accounts", wish).await;
        // To a customer of the same bank, who has the money at once.
        caller.made(&euro_payment("1.00", payee), rich["iban"].as_str().unwrap()).await;
        let bulk = pain001("03", iban, &day(5), &[(100, "A. Payee", payee, "Invoice 7")]);
        caller.payments(|tpp| tpp.bulk_request("application/xml", &bulk), iban).await;
        let dollars = json!({
            "instructedAmount": {"currency": "USD", "amount": "1.00"},
            "creditorAccount": {"foreignAccountNumber": "12345678"},
            "creditorName": "A. Payee", "creditorAgent": "BOFAUS3N", "chargeBearer": "SHAR",
            "creditorAddress": {"streetName": "Main Street", "townName": "Springfield", "country": "US"},
        });
        let wish = json!({"tenant": tenant, "persona": "empty", "currency": "USD", "balance": "100.00"});
        let (_, foreign) = server.manage("POST", "/test-accounts", wish).await;
        let foreign = foreign["iban"].as_str().unwrap();
        let abroad =
            with(dollars, json!({"requestedExecutionDate": day(5), "debtorAccount": {"iban": foreign}}));
        let product = "payments/cross-border-credit-transfers";
        caller.payments(|tpp| tpp.payment_request(product, &abroad), foreign).await;
    }
    caller.exchanges
}

/// The one product that the bank of today refuses.
async fn across_borders_today() -> Vec<Value> {
    let server = TestServer::start().await;
    let mut caller = Caller::new(&server, "nl").await;
    let request = caller.tpp.payment_request("payments/cross-border-credit-transfers", &json!({}));
    caller.send(request, 501).await;
    caller.exchanges
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_access_to_accounts() {
    let name = "triodos-bank-uk-xs2a-openapi.json";
    let Some(description) = description(name) else { return };
    let Some(interpreter) = python::program("python") else { return };
    let server = TestServer::with(|config| config.cross_border_payments = true).await;
    let mut exchanges = at(&server, "nl").await;
    exchanges.extend(at(&server, "uk").await);
    exchanges.extend(across_borders_today().await);
    hold(name, &Answered::new(&description, &exchanges));
    let validated = validate(interpreter, description, exchanges).await;
    let problems = validated["problems"].as_array().unwrap().iter();
    // Statuses are held against the deviations above.
    let problems: Vec<_> = problems.filter(|problem| problem["kind"] != "undeclared status").collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The schemas of its answers describe classes of the bank's own program, so that statuses alone are held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_authorization_server() {
    let name = "triodos-bank-uk-auth-openapi.json";
    let Some(description) = description(name) else { return };
    let server = TestServer::start().await;
    hold(name, &Answered::new(&description, &at_the_authorization_server(&server).await));
}

/// Everything at the authorization server of one branch.
pub(crate) async fn at_the_authorization_server(server: &TestServer) -> Vec<Value> {
    // Not registered yet.
    let tpp = TestTpp { signer: server.tpp(ID).await, tenant: "nl".to_owned(), secret: String::new() };
    let mut caller = Caller { server, tpp, exchanges: Vec::new() };
    let iban = caller.account("household").await["iban"].as_str().unwrap().to_owned();
    let auth = async |caller: &mut Caller<'_>, request: Request, status: u16| {
        caller.send_below("/auth", &request, status).await
    };
    for (tenant, status) in [("nl", 200), ("xx", 404)] {
        let request = Request::new("GET", &format!("/auth/{tenant}/.well-known/openid-configuration"));
        auth(&mut caller, request, status).await;
    }
    let token = server.initial_access_token("nl", &caller.tpp.signer).await;
    for (token, status) in [(token.as_str(), 201), ("unknown", 401)] {
        let request = Request::registration("nl", token, &[CALLBACK]).certificate(&caller.tpp.signer);
        let registered = auth(&mut caller, request, status).await;
        if status == 201 {
            caller.tpp.secret = registered["client_secret"].as_str().unwrap().to_owned();
        }
    }
    let asked = caller.tpp.consent(server, &detailed(&iban, true)).await;
    let url = caller.tpp.authorization_url(&asked);
    let (_, query) = url.split_once('?').unwrap();
    for (query, status) in [(query, 302), ("response_type=code", 400)] {
        auth(&mut caller, Request::new("GET", &format!("/auth/nl/v1/auth?{query}")), status).await;
    }
    let again = caller.tpp.consent(server, &detailed(&iban, true)).await;
    let form = caller.tpp.authorization_url(&again);
    let (_, form) = form.split_once('?').unwrap();
    for (form, status) in [(form, 302), ("response_type=code", 400)] {
        auth(&mut caller, Request::new("POST", "/auth/nl/v1/auth").form(form), status).await;
    }
    assert!(form.contains(&challenge(VERIFIER)));
    let third = caller.tpp.consent(server, &detailed(&iban, true)).await;
    let location = server.decide(&caller.tpp.authorization_url(&third), &iban, "approve").await;
    let code = TestTpp::code_form(&parameter(&location, "code").unwrap());
    let request = caller.tpp.token_request(&code);
    let tokens = auth(&mut caller, request, 200).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    for method in ["GET", "POST"] {
        for (token, status) in [(token.as_str(), 200), ("unknown", 400)] {
            let request = Request::new(method, "/auth/nl/v1/userinfo");
            auth(&mut caller, request.set("authorization", format!("Bearer {token}")), status).await;
        }
    }
    // A code that comes again ends what came of it.
    let request = caller.tpp.token_request(&code);
    auth(&mut caller, request, 400).await;
    let revoke = |caller: &Caller<'_>, form: &str| {
        let request = Request::new("POST", "/auth/nl/v1/token/revoke");
        request.set("authorization", caller.tpp.basic()).form(form)
    };
    let request = revoke(&caller, &format!("token={token}"));
    auth(&mut caller, request, 200).await;
    let request = revoke(&caller, "");
    auth(&mut caller, request, 400).await;
    caller.exchanges
}
