//! Answers have the fields' types of the provider's own description of its interface.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, element, euro, shop};
use testkit::{Answer, TestServer};

use crate::schema::Schemas;

/// Calls and holds every success against the description.
struct Checked<'a> {
    schemas: &'a Schemas,
    client: BunqClient,
    findings: Vec<String>,
    known: usize,
}

impl Checked<'_> {
    async fn call(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.client.send(&self.client.request(method, path, body.as_ref())).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
        self.hold(method, path, &answer)
    }

    fn hold(&mut self, method: &str, path: &str, answer: &Answer) -> Value {
        let json = answer.json();
        let bare = path.split('?').next().unwrap();
        self.known += usize::from(self.schemas.knows(method, bare));
        self.findings.extend(self.schemas.check(method, bare, &json));
        json
    }

    async fn make(&mut self, path: &str, body: Value) -> i64 {
        self.call("POST", path, Some(body)).await["Response"][0]["Id"]["id"].as_i64().unwrap()
    }

    /// A list, and one of its elements if there is one.
    async fn read(&mut self, list: &str, id: Option<i64>) {
        self.call("GET", list, None).await;
        if let Some(id) = id {
            self.call("GET", &format!("{list}/{id}"), None).await;
        }
    }
}

/// Everything up to the session, and users on demand.
async fn registration(checked: &mut Checked<'_>) {
    let key = json!({"client_public_key": testkit::bunq::client_keys().1});
    let made = checked.call("POST", "/installation", Some(key)).await["Response"].clone();
    checked.client.installation = made[1]["Token"]["token"].as_str().unwrap().to_owned();
    let (certificate, key) = testkit::bunq::pseudo_certificate("Schema AISP PISP", |_| {});
    let trade = checked.client.credential_request(&certificate, &certificate, &key);
    let answer = checked.client.send(&trade).await;
    let traded = checked.hold("POST", "/payment-service-provider-credential", &answer)["Response"].clone();
    let credential = &traded[0]["CredentialPasswordIp"];
    let secret = &credential["token_value"];
    let device = json!({"description": "test", "secret": secret, "permitted_ips": ["*"]});
    checked.make("/device-server", device).await;
    let opened = checked.call("POST", "/session-server", Some(json!({"secret": secret}))).await;
    checked.client.session = opened["Response"][1]["Token"]["token"].as_str().map(str::to_owned);
    checked.client.user = opened["Response"][2]["UserPaymentServiceProvider"]["id"].as_i64().unwrap();
    checked.client.key = secret.as_str().unwrap().to_owned();
    checked.call("GET", &format!("/payment-service-provider-credential/{}", credential["id"]), None).await;
    checked.call("GET", &format!("/installation/{}/server-public-key", made[0]["Id"]["id"]), None).await;
    for kind in ["person", "company"] {
        checked.call("POST", &format!("/sandbox-user-{kind}"), Some(json!({}))).await;
    }
}

async fn provider(checked: &mut Checked<'_>, customer: &Value) {
    let user = checked.client.user;
    let iban = customer["iban"].as_str().unwrap();
    checked.read("/user", Some(user)).await;
    checked.call("GET", &format!("/user-payment-service-provider/{user}"), None).await;
    checked.read("/installation", None).await;
    let devices = checked.call("GET", "/device-server", None).await;
    checked.read("/device", devices["Response"][0]["DeviceServer"]["id"].as_i64()).await;
    let credentials = format!("/user/{user}/credential-password-ip");
    let id =
        checked.call("GET", &credentials, None).await["Response"][0]["CredentialPasswordIp"]["id"].as_i64();
    let addresses = format!("{credentials}/{}/ip", id.unwrap());
    let address = checked.make(&addresses, json!({"ip": "192.0.2.7"})).await;
    checked.read(&addresses, Some(address)).await;
    let clients = format!("/user/{user}/oauth-client");
    let client = checked.make(&clients, json!({"status": "ACTIVE"})).await;
    let callbacks = format!("{clients}/{client}/callback-url");
    let callback = checked.make(&callbacks, json!({"url": testkit::CALLBACK})).await;
    checked.read(&callbacks, Some(callback)).await;
    checked.read(&clients, Some(client)).await;
    let drafts = format!("/user/{user}/payment-service-provider-draft-payment");
    let draft = checked
        .make(
            &drafts,
            json!({"sender_iban": iban, "counterparty_iban": "NL91ABNA0417164300",
            "counterparty_name": "Shop", "description": "x", "amount": euro("1.00")}),
        )
        .await;
    checked.read(&drafts, Some(draft)).await;
    checked.call("PUT", &format!("{drafts}/{draft}"), Some(json!({"status": "CANCELLED"}))).await;
    let transactions = format!("/user/{user}/payment-service-provider-issuer-transaction");
    let transaction = checked
        .make(
            &transactions,
            json!({"counterparty_alias": shop(), "amount": euro("1.00"),
            "description": "x", "url_redirect": "https://shop.example/"}),
        )
        .await;
    checked.read(&transactions, Some(transaction)).await;
    let funds = json!({"pointer_iban": {"type": "IBAN", "value": iban, "name": "x"}, "amount": euro("1.00")});
    checked.call("POST", &format!("/user/{user}/confirmation-of-funds"), Some(funds)).await;
    let filters = json!({"notification_filters": [{"category": "OAUTH", "notification_target": "https://tpp.example/"}]});
    checked.call("POST", &format!("/user/{user}/notification-filter-url"), Some(filters)).await;
    checked.read(&format!("/user/{user}/notification-filter-url"), None).await;
    let (certificate, _) = testkit::bunq::pseudo_certificate("Pinned", |_| {});
    let pins = format!("/user/{user}/certificate-pinned");
    let pin = checked.make(&pins, json!({"certificate_chain": [{"certificate": certificate}]})).await;
    checked.read(&pins, Some(pin)).await;
}

async fn reads(checked: &mut Checked<'_>) {
    let user = checked.client.user;
    checked.read("/user", Some(user)).await;
    let accounts = checked.call("GET", &format!("/user/{user}/monetary-account"), None).await;
    for one in accounts["Response"].as_array().unwrap() {
        let id = one.as_object().unwrap().values().next().unwrap()["id"].as_i64();
        checked.read(&format!("/user/{user}/monetary-account"), id).await;
    }
    for kind in ["bank", "joint", "savings", "external", "external-savings"] {
        checked.read(&format!("/user/{user}/monetary-account-{kind}"), None).await;
    }
    let account = checked.client.account().await;
    let payments = checked.client.below(account, "/payment");
    let newest = checked.call("GET", &format!("{payments}?count=50"), None).await;
    checked.read(&payments, newest["Response"][0]["Payment"]["id"].as_i64()).await;
    let events = checked.call("GET", &format!("/user/{user}/event"), None).await;
    checked.read(&format!("/user/{user}/event"), events["Response"][0]["Event"]["id"].as_i64()).await;
    checked.read(&format!("/user/{user}/card"), None).await;
    checked.read(&format!("/user/{user}/legal-name"), None).await;
    checked.read(&format!("/user/{user}/limit"), None).await;
    let statements = checked.client.below(account, "/customer-statement");
    let statement =
        json!({"statement_format": "MT940", "date_start": "2026-01-01", "date_end": "2026-01-31"});
    let id = checked.make(&statements, statement).await;
    checked.read(&statements, Some(id)).await;
    let event = checked
        .client
        .below(account, &format!("/event/{}/statement", newest["Response"][0]["Payment"]["id"]));
    let id = checked.make(&event, json!({})).await;
    checked.call("GET", &format!("{event}/{id}"), None).await;
}

async fn writes(checked: &mut Checked<'_>, other: &Value) {
    let account = checked.client.account().await;
    let below = |rest: &str| checked.client.below(account, rest);
    let (payments, batches, drafts) = (below("/payment"), below("/payment-batch"), below("/draft-payment"));
    let (inquiries, responses) = (below("/request-inquiry"), below("/request-response"));
    let (schedules, plans) = (below("/schedule"), below("/schedule-payment"));
    let payment = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "x"});
    let id = checked.make(&payments, payment.clone()).await;
    checked.read(&payments, Some(id)).await;
    let id = checked.make(&batches, json!({"payments": [payment, payment]})).await;
    checked.read(&batches, Some(id)).await;
    for entries in [json!([payment]), json!([payment, payment])] {
        let id = checked.make(&drafts, json!({"number_of_required_accepts": 1, "entries": entries})).await;
        checked.read(&drafts, Some(id)).await;
        checked.call("PUT", &format!("{drafts}/{id}"), Some(json!({"status": "ACCEPTED"}))).await;
        checked.read(&drafts, Some(id)).await;
    }
    let whom = json!({"type": "EMAIL", "value": format!("user-{}@customers.sandbox.example", other["bunq"]["userId"])});
    let body = json!({"amount_inquired": euro("1.00"), "counterparty_alias": whom, "description": "x", "allow_bunqme": false});
    let id = checked.make(&inquiries, body).await;
    checked.read(&inquiries, Some(id)).await;
    checked.read(&responses, None).await;
    checked.call("PUT", &format!("{inquiries}/{id}"), Some(json!({"status": "REVOKED"}))).await;
    let schedule =
        json!({"time_start": "2089-01-01 00:00:00", "recurrence_unit": "MONTHLY", "recurrence_size": 1});
    let id = checked.make(&plans, json!({"payment": payment, "schedule": schedule})).await;
    checked.read(&plans, Some(id)).await;
    checked.read(&schedules, Some(id)).await;
    checked.read(&format!("/user/{}/schedule", checked.client.user), None).await;
    checked.read(&format!("{schedules}/{id}/schedule-instance"), None).await;
    checked.call("PUT", &format!("{plans}/{id}"), Some(json!({"payment": payment}))).await;
    let savings = format!("/user/{}/monetary-account-savings", checked.client.user);
    let later = json!({"currency": "EUR", "description": "Later", "savings_goal": euro("30.00")});
    let id = checked.make(&savings, later).await;
    checked.read(&savings, Some(id)).await;
    let filters = json!({"notification_filters": [{"category": "PAYMENT", "notification_target": "https://tpp.example/"}]});
    let filter = checked.client.below(account, "/notification-filter-url");
    checked.call("POST", &filter, Some(filters)).await;
    checked.read(&filter, None).await;
    let mut picture = checked
        .client
        .request("POST", "/attachment-public", None)
        .without("x-bunq-client-signature")
        .set("content-type", "image/png")
        .set("x-bunq-attachment-description", "x");
    picture.body = vec![1, 2, 3];
    let answer = checked.client.send(&picture).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    checked.hold("POST", "/attachment-public", &answer);
    let unsigned = checked.client.request("POST", &payments, Some(&payment));
    let unsigned = checked.client.send(&unsigned.without("x-bunq-client-signature")).await;
    assert_eq!(unsigned.status, 466);
    checked.hold("POST", &payments, &unsigned);
}

/// One customer asks another by account number, who answers.
async fn answers(checked: &mut Checked<'_>, asking: &BunqClient, iban: &str) {
    let whom = json!({"type": "IBAN", "value": iban, "name": "x"});
    let body = json!({"amount_inquired": euro("1.00"), "counterparty_alias": whom, "description": "x", "allow_bunqme": false});
    let inquiries = asking.below(asking.account().await, "/request-inquiry");
    // What there is after a student's month is another matter.
    let gift = json!({"amount_inquired": euro("10.00"), "description": "x", "allow_bunqme": false,
        "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}});
    let client = &checked.client;
    client.make(&client.below(client.account().await, "/request-inquiry"), &gift).await;
    for status in ["REJECTED", "ACCEPTED"] {
        asking.make(&inquiries, &body).await;
        let responses = checked.client.below(checked.client.account().await, "/request-response");
        let seen = checked.call("GET", &responses, None).await;
        let id = seen["Response"][0]["RequestResponse"]["id"].clone();
        checked.call("PUT", &format!("{responses}/{id}"), Some(json!({"status": status}))).await;
    }
}

#[tokio::test]
async fn answers_have_the_types_that_the_description_gives_them() {
    let Some(schemas) = Schemas::load() else { return };
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let other = server.customer("nl", "student").await;
    let client = BunqClient::install(&server).await;
    let mut checked = Checked { schemas: &schemas, client, findings: Vec::new(), known: 0 };
    registration(&mut checked).await;
    provider(&mut checked, &customer).await;
    let provider = checked.client.clone();
    checked.client = provider.connect(&server, &customer).await;
    reads(&mut checked).await;
    for persona in ["household", "joint", "business"] {
        let customer = server.customer("nl", persona).await;
        checked.client = BunqClient::customer(&server, &customer).await;
        let user = checked.client.user;
        let company = persona == "business";
        checked
            .call("GET", &format!("/user-{}/{user}", if company { "company" } else { "person" }), None)
            .await;
        if persona != "joint" {
            reads(&mut checked).await;
            writes(&mut checked, &other).await;
        }
    }
    let asking = checked.client.clone();
    checked.client = BunqClient::customer(&server, &other).await;
    answers(&mut checked, &asking, other["iban"].as_str().unwrap()).await;
    assert!(element(&provider.get("/user").await, "UserPaymentServiceProvider").is_object());
    checked.findings.sort();
    checked.findings.dedup();
    assert!(checked.findings.is_empty(), "{}", checked.findings.join("\n"));
    assert_eq!(schemas.unused_deviations(), [""; 0], "deviations that no answer has");
    assert!(checked.known > 80, "only {} answers were held against the description", checked.known);
}
