//! Almost every operation of bunq's interface, called with success: each call with its answer, to hold the description against.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro, pseudo_certificate, shop};
use testkit::{CALLBACK, Request, TestServer, parameter};

/// A client whose calls are kept, with bodies in JSON and answers in JSON.
struct Recorder {
    client: BunqClient,
    exchanges: Vec<Value>,
}

/// Every call that succeeds.
pub(crate) async fn at_bunq(server: &TestServer) -> Vec<Value> {
    server.at_ten("nl").await;
    let customer = server.customer("nl", "household").await;
    let other = server.customer("nl", "student").await;
    let client = BunqClient::install(server).await;
    let mut recorder = Recorder { client, exchanges: Vec::new() };
    recorder.without_token(server).await;
    recorder.registration().await;
    recorder.own_keys().await;
    recorder.clients().await;
    recorder.provider(&customer).await;
    recorder.pictures().await;
    let provider = recorder.client.clone();
    recorder.customer_of_client(server, &customer).await;
    recorder.client = BunqClient::customer(server, &customer).await;
    recorder.reads().await;
    recorder.payments().await;
    recorder.schedules().await;
    recorder.new_accounts().await;
    recorder.requests(server, &other).await;
    let joint = server.customer("nl", "joint").await;
    recorder.client = BunqClient::customer(server, &joint).await;
    let accounts = recorder.own("/monetary-account-joint");
    recorder.read_first(&accounts).await;
    let business = server.customer("nl", "business").await;
    recorder.client = BunqClient::customer(server, &business).await;
    let company = format!("/user-company/{}", recorder.client.user);
    recorder.call("GET", &company, None).await;
    recorder.call("PUT", &company, Some(json!({"session_timeout": 600}))).await;
    recorder.client = provider;
    recorder.ends().await;
    recorder.exchanges
}

impl Recorder {
    /// A path below the user's own.
    fn own(&self, rest: &str) -> String {
        format!("/user/{}{rest}", self.client.user)
    }

    async fn send(&mut self, request: Request) -> Value {
        let answer = self.client.send(&request).await;
        assert_eq!(answer.status, 200, "{} {}: {}", request.method, request.target, answer.body);
        self.keep(&request, answer.status, answer.json());
        answer.json()
    }

    fn keep(&mut self, request: &Request, status: u16, answer: Value) {
        let path = request.target.strip_prefix("/bunq").unwrap().split('?').next().unwrap();
        self.exchanges.push(json!({
            "method": request.method.as_str(), "path": path, "status": status, "body": answer,
            "request": String::from_utf8_lossy(&request.body),
        }));
    }

    async fn call(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.send(self.client.request(method, path, body.as_ref())).await
    }

    /// Makes something and returns its number.
    async fn make(&mut self, path: &str, body: Value) -> i64 {
        self.call("POST", path, Some(body)).await["Response"][0]["Id"]["id"].as_i64().unwrap()
    }

    /// A list, and one of its elements.
    async fn read(&mut self, list: &str, id: i64) {
        self.call("GET", list, None).await;
        self.call("GET", &format!("{list}/{id}"), None).await;
    }

    /// A list, and its first element. Returns its number.
    async fn read_first(&mut self, list: &str) -> i64 {
        let all = self.call("GET", list, None).await;
        let first = all["Response"][0].as_object().unwrap().values().next().unwrap();
        let id = first["id"].as_i64().unwrap();
        let path = list.split('?').next().unwrap();
        self.call("GET", &format!("{path}/{id}"), None).await;
        id
    }

    async fn change(&mut self, path: &str, id: i64, body: Value) {
        self.call("PUT", &format!("{path}/{id}"), Some(body)).await;
    }

    /// What anybody may call.
    async fn without_token(&mut self, server: &TestServer) {
        for path in ["/sandbox-user-person", "/sandbox-user", "/sandbox-user-company"] {
            self.call("POST", path, Some(json!({}))).await;
        }
        let health = server.send(&Request::new("GET", "/bunq/v1/health-check")).await;
        assert_eq!(health.status, 200, "{}", health.body);
    }

    /// Everything up to the session.
    async fn registration(&mut self) {
        let key = json!({"client_public_key": testkit::bunq::client_keys().1});
        let made = self.call("POST", "/installation", Some(key)).await["Response"].clone();
        self.client.installation = made[1]["Token"]["token"].as_str().unwrap().to_owned();
        let (certificate, key) = pseudo_certificate("Examples PISP AISP", |_| {});
        let traded = self.send(self.client.credential_request(&certificate, &certificate, &key)).await;
        let credential = traded["Response"][0]["CredentialPasswordIp"].clone();
        let secret = credential["token_value"].as_str().unwrap().to_owned();
        let device = json!({"description": "my server", "secret": secret, "permitted_ips": ["*"]});
        self.make("/device-server", device).await;
        self.call("POST", "/session-server", Some(json!({"secret": secret}))).await;
        self.client = self.client.clone().session(&secret).await;
        let traded = format!("/payment-service-provider-credential/{}", credential["id"]);
        self.call("GET", &traded, None).await;
        let installation = self.read_first("/installation").await;
        self.call("GET", &format!("/installation/{installation}/server-public-key"), None).await;
    }

    /// Devices, keys and the addresses from which keys are used.
    async fn own_keys(&mut self) {
        self.read_first("/device-server").await;
        self.read_first("/device").await;
        let credentials = self.own("/credential-password-ip");
        let credential = self.read_first(&credentials).await;
        let addresses = format!("{credentials}/{credential}/ip");
        let address = self.make(&addresses, json!({"ip": "192.0.2.7"})).await;
        self.read(&addresses, address).await;
        self.change(&addresses, address, json!({"status": "INACTIVE"})).await;
    }

    /// OAuth client and redirect URIs.
    async fn clients(&mut self) {
        let clients = self.own("/oauth-client");
        let client = self.make(&clients, json!({"status": "ACTIVE"})).await;
        let callbacks = format!("{clients}/{client}/callback-url");
        self.make(&callbacks, json!({"url": CALLBACK})).await;
        let more = self.make(&callbacks, json!({"url": "https://tpp.example/other"})).await;
        self.read(&callbacks, more).await;
        self.change(&callbacks, more, json!({"url": "https://tpp.example/another"})).await;
        self.call("DELETE", &format!("{callbacks}/{more}"), None).await;
        self.read(&clients, client).await;
    }

    /// What a service provider does for nobody yet.
    async fn provider(&mut self, customer: &Value) {
        let iban = customer["iban"].as_str().unwrap();
        let user = self.client.user;
        self.call("GET", &format!("/user-payment-service-provider/{user}"), None).await;
        let drafts = self.own("/payment-service-provider-draft-payment");
        let draft = json!({"sender_iban": iban, "counterparty_iban": "NL91ABNA0417164300", "counterparty_name": "Shop",
            "description": "Order 7", "amount": euro("12.50")});
        let draft = self.make(&drafts, draft).await;
        self.read(&drafts, draft).await;
        self.change(&drafts, draft, json!({"status": "CANCELLED"})).await;
        let transactions = self.own("/payment-service-provider-issuer-transaction");
        let order = json!({"counterparty_alias": shop(), "amount": euro("12.50"), "description": "Order 7",
            "url_redirect": "https://shop.example/done"});
        let transaction = self.make(&transactions, order).await;
        self.read(&transactions, transaction).await;
        let made = self.client.list(&format!("{transactions}/{transaction}")).await.remove(0);
        let public = "/payment-service-provider-issuer-transaction-public";
        for prefix in [public.to_owned(), self.own(public)] {
            let path = format!("{prefix}/{}", made["public_uuid"].as_str().unwrap());
            self.call("GET", &path, None).await;
        }
        self.change(&transactions, transaction, json!({"status": "CANCELLED"})).await;
        let funds = json!({"amount": euro("10.00"), "pointer_iban": {"type": "IBAN", "value": iban, "name": "J. Jansen"}});
        self.call("POST", &self.own("/confirmation-of-funds"), Some(funds)).await;
        let filters = self.own("/notification-filter-url");
        let told = json!({"notification_filters": [{"category": "OAUTH", "notification_target": "https://tpp.example/told"}]});
        self.call("POST", &filters, Some(told)).await;
        self.call("GET", &filters, None).await;
        self.call("GET", &self.own("/notification-filter-failure"), None).await;
        let (certificate, _) = pseudo_certificate("Pinned", |_| {});
        let pins = self.own("/certificate-pinned");
        let pin = self.make(&pins, json!({"certificate_chain": [{"certificate": certificate}]})).await;
        self.read(&pins, pin).await;
        self.call("DELETE", &format!("{pins}/{pin}"), None).await;
    }

    /// A picture, which is the one body that is not JSON, and what is made of it.
    async fn pictures(&mut self) {
        let request = self.client.request("POST", "/attachment-public", None);
        let mut request = request
            .without("x-bunq-client-signature")
            .set("content-type", "image/png")
            .set("x-bunq-attachment-description", "Logo");
        request.body = vec![0x89, b'P', b'N', b'G'];
        let uuid = self.send(request).await["Response"][0]["Uuid"]["uuid"].as_str().unwrap().to_owned();
        self.call("GET", &format!("/attachment-public/{uuid}"), None).await;
        let made = self.call("POST", "/avatar", Some(json!({"attachment_public_uuid": uuid}))).await;
        let avatar = made["Response"][0]["Uuid"]["uuid"].as_str().unwrap();
        self.call("GET", &format!("/avatar/{avatar}"), None).await;
    }

    /// A customer approves, and the service provider reads for them.
    async fn customer_of_client(&mut self, server: &TestServer, customer: &Value) {
        let provider = self.client.clone();
        let url = provider.authorization_url().await;
        let location = server.decide(&url, customer["iban"].as_str().unwrap(), "approve").await;
        let answer = provider.exchange(&parameter(&location, "code").unwrap()).await;
        self.keep(&Request::new("POST", "/bunq/v1/token"), answer.status, answer.json());
        self.client = provider.session(answer.json()["access_token"].as_str().unwrap()).await;
        let user = self.client.user;
        self.read("/user", user).await;
        self.read_first(&self.own("/monetary-account")).await;
        let account = self.client.account().await;
        self.read_first(&self.client.below(account, "/payment?count=2")).await;
        let drafts = self.client.below(account, "/draft-payment");
        let draft = self.make(&drafts, json!({"entries": [order()], "number_of_required_accepts": 1})).await;
        self.read(&drafts, draft).await;
    }

    /// What a customer reads about themselves and their accounts.
    async fn reads(&mut self) {
        let person = format!("/user-person/{}", self.client.user);
        self.call("GET", &person, None).await;
        self.call("PUT", &person, Some(json!({"session_timeout": 600}))).await;
        for path in ["/legal-name", "/limit", "/card"] {
            self.call("GET", &self.own(path), None).await;
        }
        for kind in ["bank", "savings", "joint", "external", "external-savings", "card"] {
            self.call("GET", &self.own(&format!("/monetary-account-{kind}")), None).await;
        }
        self.read_first(&self.own("/event?count=1")).await;
        let account = self.client.account().await;
        self.call("GET", &self.client.below(account, "/mastercard-action"), None).await;
        let payment = self.read_first(&self.client.below(account, "/payment?count=1")).await;
        let statements = self.client.below(account, "/customer-statement");
        let month =
            json!({"statement_format": "MT940", "date_start": "2026-01-01", "date_end": "2026-01-31"});
        let statement = self.make(&statements, month).await;
        self.read(&statements, statement).await;
        self.call("DELETE", &format!("{statements}/{statement}"), None).await;
        let statements = self.client.below(account, &format!("/event/{payment}/statement"));
        let statement = self.make(&statements, json!({})).await;
        self.call("GET", &format!("{statements}/{statement}"), None).await;
        let filters = self.client.below(account, "/notification-filter-url");
        let told = json!({"notification_filters": [{"category": "PAYMENT", "notification_target": "https://tpp.example/told"}]});
        self.call("POST", &filters, Some(told)).await;
        self.call("GET", &filters, None).await;
    }

    /// Payments, one by one and together, now and after another word.
    async fn payments(&mut self) {
        let account = self.client.account().await;
        self.make(&self.client.below(account, "/payment"), order()).await;
        let batches = self.client.below(account, "/payment-batch");
        let batch = self.make(&batches, json!({"payments": [order(), order()]})).await;
        self.read(&batches, batch).await;
        self.change(&batches, batch, json!({})).await;
        let drafts = self.client.below(account, "/draft-payment");
        let draft = self.make(&drafts, json!({"entries": [order()], "number_of_required_accepts": 1})).await;
        self.change(&drafts, draft, json!({"status": "ACCEPTED"})).await;
    }

    async fn schedules(&mut self) {
        let account = self.client.account().await;
        let plans = self.client.below(account, "/schedule-payment");
        let monthly =
            json!({"time_start": "2089-01-01 00:00:00", "recurrence_unit": "MONTHLY", "recurrence_size": 1});
        let plan = self.make(&plans, json!({"payment": order(), "schedule": monthly})).await;
        self.read(&plans, plan).await;
        let schedules = self.client.below(account, "/schedule");
        self.read(&schedules, plan).await;
        self.call("GET", &self.own("/schedule"), None).await;
        self.call("GET", &format!("{schedules}/{plan}/schedule-instance"), None).await;
        self.change(&plans, plan, json!({"payment": order()})).await;
        self.call("DELETE", &format!("{plans}/{plan}"), None).await;
    }

    /// Accounts that a customer opens.
    async fn new_accounts(&mut self) {
        let accounts = self.own("/monetary-account-bank");
        let holidays = json!({"currency": "EUR", "description": "Holidays", "daily_limit": euro("50.00")});
        let account = self.make(&accounts, holidays).await;
        self.call("GET", &format!("{accounts}/{account}"), None).await;
        self.change(&accounts, account, json!({"description": "Journeys"})).await;
        let accounts = self.own("/monetary-account-savings");
        let later = json!({"currency": "EUR", "description": "Later", "savings_goal": euro("30.00")});
        let account = self.make(&accounts, later).await;
        self.read(&accounts, account).await;
        self.change(&accounts, account, json!({"description": "Much later"})).await;
    }

    /// One customer asks another for money, who answers.
    async fn requests(&mut self, server: &TestServer, other: &Value) {
        let asking = self.client.clone();
        let inquiries = asking.below(asking.account().await, "/request-inquiry");
        let whom = json!({"type": "IBAN", "value": other["iban"], "name": "S. de Boer"});
        let wanted = json!({"amount_inquired": euro("12.50"), "counterparty_alias": whom, "description": "Dinner",
            "allow_bunqme": false});
        let inquiry = self.make(&inquiries, wanted.clone()).await;
        self.read(&inquiries, inquiry).await;
        self.change(&inquiries, inquiry, json!({"status": "REVOKED"})).await;
        self.make(&inquiries, wanted).await;
        self.client = BunqClient::customer(server, other).await;
        let responses = self.client.below(self.client.account().await, "/request-response");
        let response = self.read_first(&responses).await;
        self.change(&responses, response, json!({"status": "REJECTED"})).await;
        self.client = asking;
    }

    /// What ends what a service provider has.
    async fn ends(&mut self) {
        let clients = self.own("/oauth-client");
        let client = self.client.oauth_client().await["id"].as_i64().unwrap();
        self.change(&clients, client, json!({"status": "CANCELLED"})).await;
        self.call("DELETE", "/session/0", None).await;
    }
}

/// What is paid.
fn order() -> Value {
    json!({"amount": euro("12.50"), "counterparty_alias": shop(), "description": "Order 7"})
}
