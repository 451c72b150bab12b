//! Wrong answers: for whom they are counted, and whom they block.

use serde_json::Value;
use testkit::{Answer, CALLBACK, TestServer, TestTpp, detailed};

use crate::ID;
use crate::pages::Browser;

const OTHER: &str = "PSDNL-DNB-R000001";
const BLOCKED: &str = "geblokkeerd";
const WRONG: &str = "is niet juist";

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    other: TestTpp,
    customer: Value,
}

impl Scene {
    async fn new(persona: &str) -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let other = server.registered("nl", OTHER).await;
        let customer = server.customer("nl", persona).await;
        Self { server, tpp, other, customer }
    }

    fn iban(&self) -> &str {
        self.customer["iban"].as_str().unwrap()
    }

    /// A browser at the log-in page, for a third party that asks about the customer's account.
    async fn browser(&self, tpp: &TestTpp) -> Browser<'_> {
        let asked = tpp.consent(&self.server, &detailed(self.iban(), true)).await;
        Browser::open(&self.server, &tpp.authorization_url(&asked)).await
    }

    /// Answers wrongly so many times in the name of whoever has a number, in as many browsers as it takes.
    async fn answer_wrongly(&self, tpp: &TestTpp, iban: &str, times: usize) -> Answer {
        let mut last = None;
        let mut left = times;
        while left > 0 {
            let mut browser = self.browser(tpp).await;
            // Three end an authorisation.
            for _ in 0..left.min(3) {
                let fields = [("action", "log-in"), ("iban", iban), ("answer", "000000")];
                last = Some(browser.submit(&fields).await);
            }
            left = left.saturating_sub(3);
        }
        last.unwrap()
    }

    /// The right answer, in a browser of its own.
    async fn log_in(&self, tpp: &TestTpp) -> Answer {
        self.browser(tpp).await.log_in(&self.customer).await
    }
}

#[tokio::test]
async fn a_third_party_locks_nobody_out_at_others() {
    let scene = Scene::new("student").await;
    let fifth = scene.answer_wrongly(&scene.tpp, scene.iban(), 5).await;
    assert!(fifth.body.contains(BLOCKED), "{}", fifth.body);
    let here = scene.log_in(&scene.tpp).await;
    assert!(here.status == 200 && here.body.contains(BLOCKED), "the right answer does not help here");
    assert_eq!(scene.log_in(&scene.other).await.status, 303, "and is taken elsewhere");
    // A log-in elsewhere does not give the first one more attempts.
    assert!(scene.log_in(&scene.tpp).await.body.contains(BLOCKED));
    scene.server.advance("nl", "PT15M").await;
    assert_eq!(scene.log_in(&scene.tpp).await.status, 303);
}

#[tokio::test]
async fn all_third_parties_together_have_a_limit() {
    let scene = Scene::new("student").await;
    let third = scene.server.registered("nl", "PSDNL-DNB-R000002").await;
    scene.answer_wrongly(&scene.tpp, scene.iban(), 5).await;
    scene.answer_wrongly(&scene.other, scene.iban(), 4).await;
    assert_eq!(scene.log_in(&third).await.status, 303);
    scene.answer_wrongly(&scene.other, scene.iban(), 1).await;
    let everywhere = scene.log_in(&third).await;
    assert!(everywhere.body.contains(BLOCKED), "{}", everywhere.body);
    scene.server.advance("nl", "PT15M").await;
    assert_eq!(scene.log_in(&third).await.status, 303);
}

#[tokio::test]
async fn a_customer_has_one_budget_whatever_the_account_number() {
    let scene = Scene::new("saver").await;
    let accounts = scene.customer["accounts"].as_array().unwrap();
    let numbers: Vec<&str> = accounts.iter().map(|one| one["iban"].as_str().unwrap()).collect();
    let second = *numbers.iter().find(|number| **number != scene.iban()).unwrap();
    scene.answer_wrongly(&scene.tpp, scene.iban(), 3).await;
    let fifth = scene.answer_wrongly(&scene.tpp, second, 2).await;
    assert!(fifth.body.contains(BLOCKED), "{}", fifth.body);
    assert!(scene.log_in(&scene.tpp).await.body.contains(BLOCKED));
}

#[tokio::test]
async fn text_that_is_no_account_number_counts_for_nobody() {
    let scene = Scene::new("student").await;
    for text in ["nonsense", "", "NL00VSTB0000000000"] {
        for _ in 0..2 {
            scene.answer_wrongly(&scene.tpp, text, 3).await;
        }
        let innocent = scene.answer_wrongly(&scene.tpp, text, 1).await;
        assert!(
            innocent.body.contains(WRONG) && !innocent.body.contains(BLOCKED),
            "{text}: {}",
            innocent.body
        );
    }
    assert_eq!(scene.log_in(&scene.tpp).await.status, 303);
    // A number that nobody has is blocked like one that somebody has, so nobody learns which it is.
    let unknown = scene.answer_wrongly(&scene.tpp, "NL91ABNA0417164300", 5).await;
    assert!(unknown.body.contains(BLOCKED), "{}", unknown.body);
}

#[tokio::test]
async fn three_challenges_of_a_third_party_are_open_at_most() {
    let scene = Scene::new("student").await;
    let wrong = [("action", "log-in"), ("iban", scene.iban()), ("answer", "000000")];
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut browser = scene.browser(&scene.tpp).await;
        assert!(browser.submit(&wrong).await.body.contains(WRONG));
        open.push(browser);
    }
    let mut fourth = scene.browser(&scene.tpp).await;
    let refused = fourth.log_in(&scene.customer).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "300"), "{}", refused.body);
    assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
    // Others are not concerned, and what is open can be ended.
    assert_eq!(scene.log_in(&scene.other).await.status, 303);
    let cancelled = open[0].submit(&[("action", "cancel")]).await;
    assert!(cancelled.header("location").starts_with(CALLBACK));
    assert_eq!(fourth.log_in(&scene.customer).await.status, 303);
    // Those that were left alone do not count either.
    let mut fifth = scene.browser(&scene.tpp).await;
    assert!(fifth.submit(&wrong).await.body.contains(WRONG));
    assert_eq!(scene.log_in(&scene.tpp).await.status, 429);
    scene.server.advance("nl", "PT5M").await;
    assert_eq!(scene.log_in(&scene.tpp).await.status, 303);
}
