//! No sequence of calls, with whatever bodies, gives a 5xx, and the books always balance.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro, shop};
use testkit::{TestServer, parameter};

/// What may happen. Numbers choose among callers, paths and things that were made before.
#[derive(Debug, Clone)]
enum Step {
    Call { who: usize, method: usize, path: usize, body: Value },
    Approve(&'static str),
    Connect,
    Wait(&'static str),
}

/// Templates: `U` is a user, `A` an account, `N` something that was made before.
const PATHS: [&str; 34] = [
    "/user",
    "/user/U",
    "/user/U/monetary-account",
    "/user/U/monetary-account-bank",
    "/user/U/monetary-account-savings",
    "/user/U/monetary-account-bank/A",
    "/user/U/monetary-account/A/payment",
    "/user/U/monetary-account/A/payment/N",
    "/user/U/monetary-account/A/payment?count=3&older_id=N",
    "/user/U/monetary-account/A/payment?newer_id=N",
    "/user/U/monetary-account/A/payment-batch",
    "/user/U/monetary-account/A/draft-payment",
    "/user/U/monetary-account/A/draft-payment/N",
    "/user/U/monetary-account/A/schedule-payment",
    "/user/U/monetary-account/A/schedule-payment/N",
    "/user/U/monetary-account/A/request-inquiry",
    "/user/U/monetary-account/A/request-inquiry/N",
    "/user/U/monetary-account/A/request-response",
    "/user/U/monetary-account/A/customer-statement",
    "/user/U/monetary-account/A/customer-statement/N/content",
    "/user/U/payment-service-provider-draft-payment",
    "/user/U/payment-service-provider-draft-payment/N",
    "/user/U/payment-service-provider-issuer-transaction",
    "/user/U/payment-service-provider-issuer-transaction/N",
    "/user/U/confirmation-of-funds",
    "/user/U/oauth-client",
    "/user/U/oauth-client/N/callback-url",
    "/user/U/event",
    "/user/U/credential-password-ip",
    "/user/U/legal-name",
    "/user/U/notification-filter-url",
    "/device-server",
    "/installation",
    "/user/U/schedule",
];

/// Bodies that are right somewhere, and spoiled ones.
fn body() -> impl Strategy<Value = Value> {
    let entry = json!({"amount": euro("0.10"), "counterparty_alias": shop(), "description": "x"});
    let good = vec![
        entry.clone(),
        json!({"payments": [entry, entry]}),
        json!({"number_of_required_accepts": 1, "entries": [entry]}),
        json!({"status": "CANCELLED"}),
        json!({"status": "ACCEPTED"}),
        json!({"status": "REJECTED"}),
        json!({"payment": entry, "schedule": {"time_start": "2099-01-01 00:00:00", "recurrence_unit": "YEARLY", "recurrence_size": 1000}}),
        json!({"amount_inquired": euro("1.00"), "counterparty_alias": {"type": "EMAIL", "value": "sugardaddy@bunq.com"}, "description": "x", "allow_bunqme": true}),
        json!({"currency": "EUR", "description": "x"}),
        json!({"statement_format": "PDF", "date_start": "2026-01-01", "date_end": "2026-12-31"}),
        json!({"url": "https://tpp.example/x"}),
    ];
    let spoiled = prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!("x")),
        Just(json!({"amount": {"value": "999999999999999999", "currency": "EUR"}})),
        Just(json!({"amount": [], "entries": {}, "status": 1, "count": "x"})),
        "\\PC{0,20}"
            .prop_map(|text| json!({"description": text, "status": text, "url": text, "currency": text})),
    ];
    prop_oneof![5 => prop::sample::select(good), 1 => spoiled]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..3_usize, 0..4_usize, 0..PATHS.len(), body())
            .prop_map(|(who, method, path, body)| Step::Call { who, method, path, body }),
        2 => prop::sample::select(vec!["approve", "reject", "wrong-answer"]).prop_map(Step::Approve),
        1 => Just(Step::Connect),
        1 => prop::sample::select(vec!["PT1M", "PT2H", "P8D"]).prop_map(Step::Wait),
    ]
}

struct World {
    server: TestServer,
    customer: Value,
    callers: Vec<BunqClient>,
    account: i64,
    made: Vec<i64>,
    code: String,
}

impl World {
    async fn new(begin: jiff::Timestamp) -> Self {
        let server = TestServer::with(|config| config.begin = Some(begin)).await;
        let customer = server.customer("nl", "household").await;
        let provider = BunqClient::provider(&server, "Any AISP PISP").await;
        let own = BunqClient::customer(&server, &customer).await;
        let account = own.account().await;
        let connected = provider.connect(&server, &customer).await;
        Self {
            server,
            customer,
            callers: vec![own, provider, connected],
            account,
            made: vec![1],
            code: String::new(),
        }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Call { who, method, path, body } => {
                let client = &self.callers[*who];
                let made = self.made[(path * 7 + self.made.len() / 2) % self.made.len()];
                let path = PATHS[*path]
                    .replace('U', &client.user.to_string())
                    .replace('A', &self.account.to_string())
                    .replace('N', &made.to_string());
                let method = ["GET", "POST", "PUT", "DELETE"][*method];
                let body = (method != "GET").then_some(body);
                let answer = client.send(&client.request(method, &path, body)).await;
                assert!(answer.status < 500, "{method} {path}: {} {}", answer.status, answer.body);
                if let Some(id) = answer.json()["Response"][0]["Id"]["id"].as_i64() {
                    self.made.push(id);
                }
            }
            Step::Approve(decision) => {
                let url = self.callers[1].authorization_url_if_any().await;
                let Some(url) = url else { return };
                let body = json!({"url": url, "iban": self.customer["iban"], "decision": decision});
                let (status, body) = self.server.manage("POST", "/approvals", body).await;
                assert!(status < 500, "{body}");
                let location = body["location"].as_str().unwrap_or("https://none/");
                self.code = parameter(location, "code").unwrap_or_default();
            }
            Step::Connect => {
                if self.callers[1].authorization_url_if_any().await.is_none() {
                    return;
                }
                let answer = self.callers[1].exchange(&self.code).await;
                assert!(answer.status < 500, "{}", answer.body);
                if let Some(token) = answer.json()["access_token"].as_str() {
                    self.callers[2] = self.callers[1].clone().session(token).await;
                }
            }
            Step::Wait(by) => {
                self.server.advance("nl", by).await;
                for place in 0..2 {
                    let key = self.callers[place].key.clone();
                    self.callers[place] = self.callers[place].clone().session(&key).await;
                }
            }
        }
    }
}

#[test]
fn no_sequence_of_calls_breaks_the_bank() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let sequences = prop::collection::vec(step(), 20..60);
    runner
        .run(&(testkit::moments(), sequences), |(begin, steps)| {
            runtime.block_on(async {
                let mut world = World::new(begin).await;
                for step in &steps {
                    world.take(step).await;
                }
                let unbalanced = world.server.running.sandbox.store.unbalanced_entries().await.unwrap();
                assert!(unbalanced.is_empty(), "{unbalanced:?}");
            });
            Ok(())
        })
        .unwrap();
}
