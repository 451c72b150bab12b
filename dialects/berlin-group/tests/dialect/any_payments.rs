//! No sequence of calls about payments, in order or out of it, gives a 5xx, leads a payment where it must not go, or makes
//! money appear or vanish.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro};
use testkit::{TestServer, TestTpp, euro_payment, parameter};

use crate::ID;

/// What each of the two customers has, in cents.
const BALANCE: i64 = 1_000;

/// What may happen. The number says with which of the payments so far; the newest is 0.
#[derive(Debug, Clone)]
enum Step {
    /// For so many days from today, or each week from then on.
    Ask {
        cents: i64,
        days: i64,
        weekly: bool,
    },
    Decide(usize, &'static str),
    Redeem(usize),
    Confirm(usize),
    /// The three before in a row, which chance seldom puts so.
    Finish(usize),
    Delete(usize),
    Begin(usize, &'static str),
    /// The other customer pays the first one at bunq's interface.
    PayBack(i64),
    Wait(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0_usize..3;
    prop_oneof![
        4 => (1_i64..700, 0_i64..4, any::<bool>())
            .prop_map(|(cents, days, weekly)| Step::Ask { cents, days, weekly }),
        4 => (which.clone(), prop::sample::select(vec!["approve", "approve", "approve", "reject", "expire"]))
            .prop_map(|(which, decision)| Step::Decide(which, decision)),
        4 => which.clone().prop_map(Step::Redeem),
        4 => which.clone().prop_map(Step::Confirm),
        8 => which.clone().prop_map(Step::Finish),
        3 => which.clone().prop_map(Step::Delete),
        2 => (which, prop::sample::select(vec!["authorisations", "cancellation-authorisations"]))
            .prop_map(|(which, kind)| Step::Begin(which, kind)),
        2 => (1_i64..700).prop_map(Step::PayBack),
        2 => prop::sample::select(vec!["PT4M", "PT11M", "PT25H", "P8D"]).prop_map(Step::Wait),
    ]
}

/// A payment as the test knows it.
struct Known {
    path: String,
    /// The answer with the links of its newest authorisation.
    begun: Value,
    code: String,
    token: String,
    status: String,
}

/// Where a payment may go from a status.
fn may_follow(before: &str, after: &str) -> bool {
    match before {
        "RCVD" => true,
        // Waits for its day, or for the next one.
        "ACTC" | "ACCP" => matches!(after, "ACTC" | "ACCP" | "ACSP" | "ACSC" | "RJCT" | "CANC"),
        "ACSP" => matches!(after, "ACSP" | "ACSC" | "RJCT"),
        ended => ended == after,
    }
}

struct World {
    server: TestServer,
    tpp: TestTpp,
    /// Numbers of the payer and of the payee.
    ibans: [String; 2],
    clients: [(BunqClient, i64); 2],
    payments: Vec<Known>,
}

impl World {
    async fn new(begin: jiff::Timestamp) -> Self {
        let server = TestServer::with(|config| config.begin = Some(begin)).await;
        let tpp = server.registered("nl", ID).await;
        let holder = async || {
            let body = json!({"tenant": "nl", "persona": "empty", "balance": "10.00"});
            let (status, made) = server.manage("POST", "/test-accounts", body).await;
            assert_eq!(status, 201, "{made}");
            let client = BunqClient::customer(&server, &made).await;
            let account = client.account().await;
            (made["iban"].as_str().unwrap().to_owned(), (client, account))
        };
        let ((payer, one), (payee, other)) = (holder().await, holder().await);
        Self { server, tpp, ibans: [payer, payee], clients: [one, other], payments: Vec::new() }
    }

    /// The day so many days from the branch's today.
    async fn day(&self, days: i64) -> String {
        let (_, clocks) = self.server.manage("GET", "/clock", Value::Null).await;
        let clocks = clocks["clocks"].as_array().unwrap().clone();
        let clock = clocks.iter().find(|clock| clock["tenant"] == "nl").unwrap();
        let now: jiff::Timestamp = clock["now"].as_str().unwrap().parse().unwrap();
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let today = now.to_zoned_datetime(zone).date();
        today.checked_add(jiff::Span::new().days(days)).unwrap().to_string()
    }

    async fn take(&mut self, step: &Step) {
        let known = |which: &usize| self.payments.len().checked_sub(1 + which);
        match step {
            Step::Ask { cents, days, weekly } => {
                let mut body = euro_payment(&format!("{}.{:02}", cents / 100, cents % 100), &self.ibans[1]);
                let day = self.day(*days).await;
                let service = if *weekly { "periodic-payments" } else { "payments" };
                if *weekly {
                    body["startDate"] = day.into();
                    body["frequency"] = "Weekly".into();
                } else {
                    body["requestedExecutionDate"] = day.into();
                }
                let product = format!("{service}/sepa-credit-transfers");
                let begun = self.tpp.payment(&self.server, &product, &body).await;
                let path = self.tpp.path_of(&begun["_links"]["self"]);
                let (code, token, status) = (String::new(), String::new(), "RCVD".to_owned());
                self.payments.push(Known { path, begun, code, token, status });
            }
            Step::Decide(which, decision) => {
                let Some(at) = known(which) else { return };
                let url = self.tpp.authorization_url(&self.payments[at].begun);
                let body = json!({"url": url, "iban": self.ibans[0], "decision": decision});
                let (status, body) = self.server.manage("POST", "/approvals", body).await;
                assert!(status < 500, "{body}");
                let location = body["location"].as_str().unwrap_or("https://none/");
                self.payments[at].code = parameter(location, "code").unwrap_or_default();
            }
            Step::Redeem(which) => {
                let Some(at) = known(which) else { return };
                let answer = self.tpp.redeem(&self.server, &self.payments[at].code).await;
                assert!(answer.status < 500, "{}", answer.body);
                if let Some(token) = answer.json()["access_token"].as_str() {
                    token.clone_into(&mut self.payments[at].token);
                }
            }
            Step::Confirm(which) => {
                let Some(at) = known(which) else { return };
                let Known { begun, token, .. } = &self.payments[at];
                let sca = self.tpp.path_of(&begun["_links"]["scaStatus"]);
                let answer = self.tpp.confirm_payment_at(&self.server, &sca, token).await;
                assert!([200, 400, 401].contains(&answer.status), "{}", answer.body);
            }
            Step::Finish(which) => {
                for step in [Step::Decide(*which, "approve"), Step::Redeem(*which), Step::Confirm(*which)] {
                    Box::pin(self.take(&step)).await;
                }
            }
            Step::Delete(which) => {
                let Some(at) = known(which) else { return };
                let delete = self.tpp.redirecting("DELETE", &self.payments[at].path);
                let answer = self.server.send(&delete).await;
                match answer.status {
                    200 => assert_eq!(answer.json()["transactionStatus"], "CANC", "{}", answer.body),
                    202 => self.payments[at].begun = answer.json(),
                    _ => assert_eq!(answer.error().0, "CANCELLATION_INVALID", "{}", answer.body),
                }
            }
            Step::Begin(which, kind) => {
                let Some(at) = known(which) else { return };
                let begin = self.tpp.redirecting("POST", &format!("{}/{kind}", self.payments[at].path));
                let answer = self.server.send(&begin).await;
                assert!([201, 400].contains(&answer.status), "{}", answer.body);
                if answer.status == 201 {
                    self.payments[at].begun = answer.json();
                }
            }
            Step::PayBack(cents) => {
                let (client, account) = &self.clients[1];
                let payee = json!({"type": "IBAN", "value": self.ibans[0], "name": "Payer"});
                let amount = euro(&format!("{}.{:02}", cents / 100, cents % 100));
                let body = json!({"amount": amount, "counterparty_alias": payee, "description": "back"});
                let answer = client.post(&client.below(*account, "/payment"), &body).await;
                assert!([200, 400].contains(&answer.status), "{}", answer.body);
            }
            Step::Wait(by) => self.server.advance("nl", by).await,
        }
    }

    async fn check(&mut self) {
        for known in &mut self.payments {
            let status = self.tpp.payment_status(&self.server, &known.path).await;
            let before = std::mem::replace(&mut known.status, status.clone());
            assert!(may_follow(&before, &status), "{before} became {status}");
        }
        // What is due is made beside the calls, and may be between the looks at the two accounts; then the next look sees both.
        let mut total = self.total().await;
        for _ in 0..5 {
            if total != 2 * BALANCE {
                total = self.total().await;
            }
        }
        assert_eq!(total, 2 * BALANCE);
    }

    /// What both customers have.
    async fn total(&mut self) -> i64 {
        let mut total = 0;
        for (client, account) in &mut self.clients {
            // Sessions of customers do not last for ever.
            let key = client.key.clone();
            *client = client.clone().session(&key).await;
            let balance = client.balance(*account).await;
            assert!(balance >= 0, "nobody pays what is not there: {balance}");
            total += balance;
        }
        total
    }
}

#[test]
fn no_sequence_fails_or_moves_money_that_is_not_there() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config { cases: 12, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    TestRunner::new(config)
        .run(&(testkit::moments(), prop::collection::vec(step(), 8..32)), |(begin, steps)| {
            runtime.block_on(async {
                let mut world = World::new(begin).await;
                for step in &steps {
                    world.take(step).await;
                    world.check().await;
                }
            });
            Ok(())
        })
        .unwrap();
}
