//! `vestibule serve` and the bank behind it, from outside, in a file and on PostgreSQL: what happens at the bank by itself, and payments
//! during which the gateway is killed. The program has the time of the system, and so has the bank.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use testkit::{Answer, Request, TestServer, TestTpp, ValidConsent, database, euro_payment};

use crate::serve::{Scene, approve, consented, error, registered};
use crate::serve_command::{Program, command, scene_with, start};

/// Longer than anything takes that is waited for here.
const LOOKS: u32 = 400;
const PAUSE: Duration = Duration::from_millis(50);

/// A gateway, a third party at it, and a customer of the bank behind it.
struct Story {
    scene: Scene<Program>,
    tpp: TestTpp,
    client: reqwest::Client,
    customer: Value,
}

impl Story {
    async fn on(database: &str) -> Self {
        let core = TestServer::in_real_time().await;
        let scene = scene_with(core, database).await.0;
        let customer = scene.core.customer("nl", "saver").await;
        let client = scene.client(Some(&scene.certificate("qwac").await));
        let tpp = registered(&scene, &client).await;
        Self { scene, tpp, client, customer }
    }

    async fn send(&self, request: &Request) -> Answer {
        request.exchange(&self.client, &self.scene.interface()).await
    }

    async fn consent(&self) -> ValidConsent {
        consented(&self.scene, &self.tpp, &self.client, &self.customer).await
    }

    async fn accounts(&self, consent: &ValidConsent) -> Answer {
        self.send(&self.tpp.read("/v1/accounts", consent)).await
    }

    /// Waits until a consent has a status.
    async fn await_consent(&self, consent: &ValidConsent, status: &str) {
        let mut last = Value::Null;
        for _ in 0..LOOKS {
            let path = format!("/v1/consents/{}/status", consent.id);
            last = self.send(&self.tpp.get(&path)).await.json();
            if last["consentStatus"] == status {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{last}");
    }

    fn iban(&self) -> &str {
        self.customer["iban"].as_str().unwrap()
    }
}

/// Databases to try: a file, and PostgreSQL where it is there.
pub(crate) async fn databases() -> Vec<String> {
    let mut all = vec![String::new()];
    if database::is_there() {
        all.push(database::make().await);
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_at_the_bank_is_known_at_the_gateway() {
    for database in databases().await {
        let story = Story::on(&database).await;
        let core = &story.scene.core;
        let (kept, withdrawn) = (story.consent().await, story.consent().await);
        let path = format!("/test-accounts/{}/withdrawal", story.iban());
        let (status, answer) = core.manage("POST", &path, json!({"consentId": withdrawn.id})).await;
        assert_eq!(status, 200, "{answer}");
        story.await_consent(&withdrawn, "revokedByPsu").await;
        let refused = story.accounts(&withdrawn).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.body);
        let accounts = story.accounts(&kept).await;
        assert_eq!(accounts.status, 200, "the other one goes on: {}", accounts.body);
        // The account of the other one is closed.
        let path = format!("/test-accounts/{}", story.iban());
        let (status, answer) = core.manage("PUT", &path, json!({"status": "deleted"})).await;
        assert_eq!(status, 200, "{answer}");
        story.await_consent(&kept, "expired").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_made_once_although_the_gateway_is_killed_as_it_is_confirmed() {
    for database in databases().await {
        let mut story = Story::on(&database).await;
        let payee = story.scene.core.customer("nl", "student").await;
        let payee = payee["iban"].as_str().unwrap();
        let own = story.scene.core.registered("nl", "PSDNL-DNB-R000000").await;
        let before = own.expected_balance(&story.scene.core, payee).await;
        let rounds = 4_u32;
        for round in 0..rounds {
            let (path, confirming) = story.approved(payee).await;
            let (client, origin) = (story.client.clone(), story.scene.interface());
            let first = {
                let confirming = confirming.clone();
                tokio::spawn(async move { confirming.exchange(&client, &origin).await.status })
            };
            tokio::time::sleep(Duration::from_millis(u64::from(round) * 15)).await;
            // It is killed by that.
            drop(story.scene.served);
            let _ = first.await;
            (story.scene.served, story.scene.listeners) = start(&story.scene.files);
            let again = story.send(&confirming).await;
            let is_known = again.status == 400 && error(&again) == "STATUS_INVALID";
            assert!(again.status == 200 || is_known, "{}", again.body);
            story.await_payment(&path).await;
        }
        let after = own.expected_balance(&story.scene.core, payee).await;
        assert_eq!(after - before, i64::from(rounds) * 100, "each once");
    }
}

impl Story {
    /// A payment of 1.00 that the customer approved: its path, and the request that confirms it.
    async fn approved(&self, payee: &str) -> (String, Request) {
        let mut body = euro_payment("1.00", payee);
        body["debtorAccount"] = json!({"iban": self.iban()});
        let asked = self.send(&self.tpp.payment_request("payments/sepa-credit-transfers", &body)).await;
        assert_eq!(asked.status, 201, "{}", asked.body);
        let asked = asked.json();
        let code = approve(&self.scene, &asked, &self.customer).await;
        let tokens = self.send(&self.tpp.token_request(&TestTpp::code_form(&code))).await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        let confirming = self
            .tpp
            .request("PUT", &self.tpp.path_of(&asked["_links"]["scaStatus"]))
            .set("content-type", "application/json")
            .set("authorization", format!("Bearer {}", tokens.json()["access_token"].as_str().unwrap()))
            .signed(&self.tpp.signer);
        (self.tpp.path_of(&asked["_links"]["self"]), confirming)
    }

    /// Waits until a payment is made.
    async fn await_payment(&self, path: &str) {
        let mut last = Value::Null;
        for _ in 0..LOOKS {
            last = self.send(&self.tpp.get(&format!("{path}/status"))).await.json();
            if last["transactionStatus"] == "ACSC" {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{last}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_for_one_process() {
    let story = Story::on("").await;
    let output = command(&story.scene.files).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("sqlite_file of [database]: another process uses it"), "{said}");
    // Whoever holds it goes on, and lets it go at the end.
    let consent = story.consent().await;
    assert_eq!(story.accounts(&consent).await.status, 200);
    drop(story.scene.served);
    let _again = start(&story.scene.files);
}
