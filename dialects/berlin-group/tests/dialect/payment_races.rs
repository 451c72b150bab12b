//! Calls about payments that come at once: one of them decides, and every later look says the same.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro};
use testkit::{Answer, ApprovedPayment, Request, TestServer, TestTpp, day, euro_payment, parameter};
use tokio::task::JoinSet;

use crate::ID;

const SEPA: &str = "payments/sepa-credit-transfers";

/// A bank with a third party, somebody who pays with an amount, and somebody with nothing who is paid.
struct Scene {
    server: Arc<TestServer>,
    tpp: TestTpp,
    payer: Value,
    payee: String,
}

impl Scene {
    async fn new(balance: &str) -> Self {
        let server = Arc::new(TestServer::start().await);
        server.at_ten("nl").await;
        let tpp = server.registered("nl", ID).await;
        let holder = async |balance: &str| {
            let body = json!({"tenant": "nl", "persona": "empty", "balance": balance});
            let (status, made) = server.manage("POST", "/test-accounts", body).await;
            assert_eq!(status, 201, "{made}");
            made
        };
        let (payer, payee) = (holder(balance).await, holder("0.00").await);
        Self { payee: payee["iban"].as_str().unwrap().to_owned(), server: Arc::clone(&server), tpp, payer }
    }

    fn iban(&self) -> &str {
        self.payer["iban"].as_str().unwrap()
    }

    async fn approved(&self, amount: &str) -> ApprovedPayment {
        let body = euro_payment(amount, &self.payee);
        self.tpp.approved_payment(&self.server, (SEPA, &body), self.iban()).await
    }

    fn confirming(&self, path: &str, token: &str) -> Request {
        let request = self.tpp.request("PUT", path).set("authorization", format!("Bearer {token}"));
        request.signed(&self.tpp.signer)
    }

    /// The answers to requests that are sent at once, in the requests' order.
    async fn at_once(&self, requests: Vec<Request>) -> Vec<Answer> {
        let mut tasks = JoinSet::new();
        for (place, request) in requests.into_iter().enumerate() {
            let server = Arc::clone(&self.server);
            tasks.spawn(async move { (place, server.send(&request).await) });
        }
        let mut answers = tasks.join_all().await;
        answers.sort_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    async fn holds(&self, iban: &str) -> i64 {
        self.tpp.expected_balance(&self.server, iban).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_confirmed_or_taken_back_and_never_both() {
    let scene = Scene::new("100.00").await;
    let mut paid = 0;
    for round in 0..12 {
        let ApprovedPayment { path, authorisation, access_token } = scene.approved("1.00").await;
        let confirm = scene.confirming(&authorisation, &access_token);
        let delete = scene.tpp.redirecting("DELETE", &path);
        let answers = match round % 2 {
            0 => scene.at_once(vec![confirm, delete]).await,
            _ => scene.at_once(vec![delete, confirm]).await.into_iter().rev().collect(),
        };
        let said = (answers[0].status, answers[1].status);
        let status = scene.tpp.payment_status(&scene.server, &path).await;
        match status.as_str() {
            "ACSC" => {
                paid += 100;
                assert_eq!(said, (200, 400), "{}", answers[1].body);
                assert_eq!(answers[1].error().0, "CANCELLATION_INVALID");
            }
            "CANC" => {
                assert_eq!(said, (400, 200), "{}", answers[0].body);
                assert_eq!(answers[0].error().0, "STATUS_INVALID");
            }
            other => panic!("{other} after {said:?}"),
        }
    }
    assert_eq!((scene.holds(scene.iban()).await, scene.holds(&scene.payee).await), (10_000 - paid, paid));
}

/// What is there is spent once, whoever comes first at whichever door.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_there_is_cannot_be_spent_at_both_doors_together() {
    let scene = Scene::new("5.00").await;
    let mut requests = Vec::new();
    for _ in 0..8 {
        let payment = scene.approved("1.00").await;
        requests.push(scene.confirming(&payment.authorisation, &payment.access_token));
    }
    let own = BunqClient::customer(&scene.server, &scene.payer).await;
    let account = own.account().await;
    for number in 0..8 {
        let payee = json!({"type": "IBAN", "value": scene.payee, "name": "Payee"});
        let body =
            json!({"amount": euro("1.00"), "counterparty_alias": payee, "description": number.to_string()});
        requests.push(own.request("POST", &own.below(account, "/payment"), Some(&body)));
    }
    let answers = scene.at_once(requests).await;
    let made = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(
        made,
        5,
        "{:?}",
        answers.iter().map(|answer| (answer.status, &answer.body)).collect::<Vec<_>>()
    );
    for refused in answers[..8].iter().filter(|answer| answer.status != 200) {
        assert_eq!((refused.status, refused.error().0.as_str()), (400, "PAYMENT_FAILED"), "{}", refused.body);
    }
    for refused in answers[8..].iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
    assert_eq!((scene.holds(scene.iban()).await, scene.holds(&scene.payee).await), (0, 500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_is_stopped_as_its_day_begins_is_made_or_stopped() {
    let scene = Scene::new("100.00").await;
    let Scene { server, tpp, payee, .. } = &scene;
    let mut body = euro_payment("1.00", payee);
    let mut made = 0;
    for round in 0..6_i64 {
        body["requestedExecutionDate"] = day(4 * round + 4).into();
        let path = tpp.submitted_payment(server, (SEPA, &body), scene.iban()).await.path;
        let begun = server.send(&tpp.redirecting("DELETE", &path)).await;
        assert_eq!(begun.status, 202, "{}", begun.body);
        // Tokens last ten minutes: the customer approves shortly before the day begins.
        let (_, seen) = server
            .manage("GET", &format!("/payments/{}", path.rsplit('/').next().unwrap()), Value::Null)
            .await;
        let due: jiff::Timestamp = seen["dueAt"].as_str().unwrap().parse().unwrap();
        let shortly_before =
            json!({"tenant": "nl", "now": (due - jiff::SignedDuration::from_mins(1)).to_string()});
        let (status, moved) = server.manage("PUT", "/clock", shortly_before).await;
        assert_eq!(status, 200, "{moved}");
        let begun = server
            .send(&tpp.redirecting("POST", &format!("{path}/cancellation-authorisations")))
            .await
            .json();
        let token = tpp.token_of(server, &begun, scene.iban()).await;
        let sca = tpp.path_of(&begun["_links"]["scaStatus"]);
        let confirm = scene.confirming(&sca, &token);
        let (stopped, ()) = tokio::join!(server.send(&confirm), server.advance("nl", "PT1M"));
        let status = tpp.payment_status(server, &path).await;
        match status.as_str() {
            "CANC" => assert_eq!(stopped.status, 200, "{}", stopped.body),
            "ACSC" => {
                made += 100;
                assert_eq!(stopped.error().0, "CANCELLATION_INVALID", "{}", stopped.body);
            }
            other => panic!("{other} after {}: {}", stopped.status, stopped.body),
        }
    }
    assert_eq!((scene.holds(scene.iban()).await, scene.holds(payee).await), (10_000 - made, made));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_holders_who_confirm_at_once_make_one_payment() {
    let mut scene = Scene::new("0.00").await;
    for round in 1..=6 {
        scene.payer = scene.server.customer("nl", "joint").await;
        let Scene { server, tpp, payee, .. } = &scene;
        let second = &scene.payer["coHolders"][0]["digipassNumber"];
        let first = scene.approved("1.00").await;
        let begun = server.send(&tpp.redirecting("POST", &format!("{}/authorisations", first.path))).await;
        let begun = begun.json();
        let approval = json!({
            "url": tpp.authorization_url(&begun), "iban": scene.iban(), "decision": "approve",
            "digipassNumber": second,
        });
        let (status, decided) = server.manage("POST", "/approvals", approval).await;
        assert_eq!(status, 200, "{decided}");
        let code = parameter(decided["location"].as_str().unwrap(), "code").unwrap();
        let token = tpp.redeem(server, &code).await.json()["access_token"].as_str().unwrap().to_owned();
        let sca = tpp.path_of(&begun["_links"]["scaStatus"]);
        let both =
            vec![scene.confirming(&first.authorisation, &first.access_token), scene.confirming(&sca, &token)];
        for answer in scene.at_once([both.clone(), both].concat()).await {
            assert_eq!(
                (answer.status, &answer.json()["scaStatus"]),
                (200, &json!("finalised")),
                "{}",
                answer.body
            );
        }
        assert_eq!(tpp.payment_status(server, &first.path).await, "ACSC");
        assert_eq!(scene.holds(payee).await, 100 * round);
    }
}
