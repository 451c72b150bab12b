//! No sequence of calls, in order or out of it, gives a 5xx or leads a consent where it must not go.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use testkit::{
    CALLBACK, FUNDS_CONSENTS, TestServer, TestTpp, ValidConsent, bank_offered, detailed, in_euro, parameter,
};

use crate::ID;

/// Where consents to access are.
const CONSENTS: &str = "/v1/consents";

/// What may happen. The number says to which of the consents so far.
#[derive(Debug, Clone)]
enum Step {
    Ask { recurring: bool, offered: bool },
    AskAboutFunds,
    Decide(usize, &'static str),
    Redeem(usize),
    Confirm(usize),
    Refresh(usize),
    Read(usize, &'static str),
    Delete(usize),
    Withdraw(usize),
    StartAgain(usize),
    RevokeToken(usize),
    Wait(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0_usize..3;
    prop_oneof![
        3 => (any::<bool>(), any::<bool>()).prop_map(|(recurring, offered)| Step::Ask { recurring, offered }),
        2 => Just(Step::AskAboutFunds),
        6 => (which.clone(), prop::sample::select(vec!["approve", "approve", "reject", "wrong-answer", "expire"]))
            .prop_map(|(which, decision)| Step::Decide(which, decision)),
        5 => which.clone().prop_map(Step::Redeem),
        5 => which.clone().prop_map(Step::Confirm),
        2 => which.clone().prop_map(Step::Refresh),
        6 => (which.clone(), prop::sample::select(vec!["", "balances", "transactions"]))
            .prop_map(|(which, kind)| Step::Read(which, kind)),
        1 => which.clone().prop_map(Step::Delete),
        1 => which.clone().prop_map(Step::Withdraw),
        1 => which.clone().prop_map(Step::StartAgain),
        1 => which.prop_map(Step::RevokeToken),
        2 => prop::sample::select(vec!["PT4M", "PT11M", "PT25H", "P91D", "P181D"]).prop_map(Step::Wait),
    ]
}

/// A consent as the test knows it.
#[derive(Default)]
struct Known {
    asked: Value,
    /// Where consents of its kind are.
    path: &'static str,
    code: String,
    tokens: ValidConsentOrNone,
    status: String,
}

type ValidConsentOrNone = Option<ValidConsent>;

struct World {
    server: TestServer,
    tpp: TestTpp,
    iban: String,
    consents: Vec<Known>,
    /// Days that the clock was moved, rounded up.
    waited: i32,
}

/// What a consent is after the bank has forgotten it.
const FORGOTTEN: &str = "forgotten";

/// Where a consent may go from a status. What was never valid is forgotten when it has ended for a month.
fn may_follow(before: &str, after: &str) -> bool {
    match before {
        "" | "received" => matches!(
            after,
            "received" | "valid" | "rejected" | "terminatedByTpp" | "revokedByPsu" | FORGOTTEN
        ),
        "valid" => matches!(after, "valid" | "expired" | "terminatedByTpp" | "revokedByPsu"),
        ended => ended == after || after == FORGOTTEN,
    }
}

impl World {
    async fn new(begin: jiff::Timestamp) -> Self {
        let server = TestServer::with(|config| config.begin = Some(begin)).await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "student").await;
        let iban = customer["iban"].as_str().unwrap().to_owned();
        Self { server, tpp, iban, consents: Vec::new(), waited: 0 }
    }

    async fn take(&mut self, step: &Step) {
        let Self { server, tpp, iban, consents, waited } = self;
        let known = |which: &usize| {
            consents.len().checked_sub(1 + which).filter(|at| consents[*at].status != FORGOTTEN)
        };
        // What ended a month ago may be forgotten at any moment.
        let may_be_forgotten = *waited > 30;
        let is_forgotten = |status: u16| may_be_forgotten && [403, 404].contains(&status);
        match step {
            Step::Ask { recurring, offered } => {
                let body = if *offered { bank_offered("9999-12-31") } else { detailed(iban, *recurring) };
                let asked = tpp.consent(server, &body).await;
                consents.push(Known { asked, path: CONSENTS, ..Known::default() });
            }
            Step::AskAboutFunds => {
                let asked = tpp.funds_consent(server, iban).await;
                consents.push(Known { asked, path: FUNDS_CONSENTS, ..Known::default() });
            }
            Step::Decide(which, decision) => {
                let Some(at) = known(which) else { return };
                let body = serde_json::json!({
                    "url": tpp.authorization_url(&consents[at].asked), "iban": iban, "decision": decision,
                });
                let (status, body) = server.manage("POST", "/approvals", body).await;
                assert!(status < 500, "{body}");
                let location = body["location"].as_str().unwrap_or("https://none/");
                consents[at].code = parameter(location, "code").unwrap_or_default();
            }
            Step::Redeem(which) => {
                let Some(at) = known(which) else { return };
                let answer = tpp.redeem(server, &consents[at].code).await;
                assert!(answer.status < 500, "{}", answer.body);
                if answer.status == 200 {
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    let (asked, tokens) = (&consents[at].asked, answer.json());
                    let tokens = ValidConsent {
                        id: text(&asked["consentId"]),
                        authorisation: text(&asked["authorisationId"]),
                        access_token: text(&tokens["access_token"]),
                        refresh_token: text(&tokens["refresh_token"]),
                    };
                    consents[at].tokens = Some(tokens);
                }
            }
            Step::Confirm(which) => {
                let Some(at) = known(which) else { return };
                if let Some(tokens) = &consents[at].tokens {
                    let path = format!("{}/{}", consents[at].path, tokens.id);
                    assert!(tpp.confirm_at(server, &path, tokens).await.status < 500);
                }
            }
            Step::Refresh(which) => {
                let Some(at) = known(which) else { return };
                let Some(tokens) = &mut consents[at].tokens else { return };
                let answer = tpp.refresh(server, &tokens.refresh_token).await;
                assert!(answer.status < 500, "{}", answer.body);
                if answer.status == 200 {
                    let text = |name: &str| answer.json()[name].as_str().unwrap_or_default().to_owned();
                    (tokens.access_token, tokens.refresh_token) =
                        (text("access_token"), text("refresh_token"));
                }
            }
            Step::Read(which, kind) => {
                let Some(at) = known(which) else { return };
                match &consents[at].tokens {
                    Some(tokens) if consents[at].path == CONSENTS => read(server, tpp, tokens, kind).await,
                    Some(tokens) => ask(server, tpp, tokens, iban).await,
                    None => {}
                }
            }
            Step::Delete(which) => {
                let Some(at) = known(which) else { return };
                let id = consents[at].asked["consentId"].as_str().unwrap();
                let path = format!("{}/{id}", consents[at].path);
                let answer = server.send(&tpp.request("DELETE", &path).signed(&tpp.signer)).await;
                assert!(answer.status == 204 || is_forgotten(answer.status), "{}", answer.body);
            }
            Step::Withdraw(which) => {
                let Some(at) = known(which) else { return };
                let id = consents[at].asked["consentId"].as_str().unwrap();
                let (status, _) =
                    server.manage("POST", &format!("/consents/{id}/revocation"), Value::Null).await;
                assert!(status == 200 || is_forgotten(status), "{status}");
            }
            Step::StartAgain(which) => {
                let Some(at) = known(which) else { return };
                let id = consents[at].asked["consentId"].as_str().unwrap();
                let path = format!("{}/{id}/authorisations", consents[at].path);
                let request =
                    tpp.request("POST", &path).set("tpp-redirect-uri", CALLBACK).signed(&tpp.signer);
                let status = server.send(&request).await.status;
                assert!([201, 400].contains(&status) || is_forgotten(status), "{status}");
            }
            Step::RevokeToken(which) => {
                let Some(at) = known(which) else { return };
                let Some(tokens) = &consents[at].tokens else { return };
                let request = testkit::Request::new("POST", "/auth/nl/v1/token/revoke")
                    .set("authorization", tpp.basic())
                    .form(&format!("token={}", tokens.access_token));
                assert_eq!(server.send(&request).await.status, 200);
            }
            Step::Wait(by) => {
                let days = by
                    .strip_prefix('P')
                    .and_then(|by| by.strip_suffix('D'))
                    .map_or(2, |by| by.parse().unwrap());
                // The third party's certificate is good for two years; what comes after is another test's matter.
                if *waited + days < 700 {
                    *waited += days;
                    server.advance("nl", by).await;
                }
            }
        }
    }

    async fn check(&mut self) {
        for at in 0..self.consents.len() {
            let id = self.consents[at].asked["consentId"].as_str().unwrap().to_owned();
            let path = format!("{}/{id}", self.consents[at].path);
            let status = status(&self.server, &self.tpp, &path).await;
            let before = std::mem::replace(&mut self.consents[at].status, status.clone());
            assert!(may_follow(&before, &status), "{before} became {status}");
        }
    }
}

/// Data come only from a consent that is valid.
async fn read(server: &TestServer, tpp: &TestTpp, consent: &ValidConsent, kind: &str) {
    let list = server.send(&tpp.read("/v1/accounts", consent)).await;
    assert!([200, 401].contains(&list.status), "{}", list.body);
    let status = status(server, tpp, &format!("{CONSENTS}/{}", consent.id)).await;
    assert!(list.status == 401 || status == "valid", "{status}: {}", list.body);
    let accounts = list.json();
    if let (Some(id), false) = (accounts["accounts"][0]["resourceId"].as_str(), kind.is_empty()) {
        let answer = server.send(&tpp.read(&format!("/v1/accounts/{id}/{kind}"), consent)).await;
        assert!([200, 401, 429].contains(&answer.status), "{}", answer.body);
    }
}

/// Answers come only to whoever has a consent that is valid.
async fn ask(server: &TestServer, tpp: &TestTpp, consent: &ValidConsent, iban: &str) {
    let answer = server.send(&tpp.ask(consent, &in_euro(iban, "0.01"))).await;
    assert!([200, 401].contains(&answer.status), "{}", answer.body);
    let status = status(server, tpp, &format!("{FUNDS_CONSENTS}/{}", consent.id)).await;
    assert!(answer.status == 401 || status == "valid", "{status}: {}", answer.body);
}

async fn status(server: &TestServer, tpp: &TestTpp, path: &str) -> String {
    let answer = server.send(&tpp.get(&format!("{path}/status"))).await;
    if answer.error().0 == "CONSENT_UNKNOWN" {
        return FORGOTTEN.to_owned();
    }
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["consentStatus"].as_str().unwrap().to_owned()
}

#[test]
fn no_sequence_breaks_the_bank() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config { cases: 24, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let sequences = prop::collection::vec(step(), 5..40);
    TestRunner::new(config)
        .run(&(testkit::moments(), sequences), |(begin, steps)| {
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
