//! A gateway of this process in front of books that fail where a test wants it, or do not know an account any more, over the core bank
//! interface: what that costs third parties and customers.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::{Request as Incoming, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use testkit::{Answer, Request, TestServer, TestTpp, ValidConsent, day, euro_payment};
use vestibule::{Behind, serve};

use crate::configuration::Files;
use crate::serve::{Scene, approve, configuration, confirmation, consented, error, registered};
use crate::serve_command::bank_behind_way;
use crate::serve_provider::{BANK, listeners};

/// The way to the books.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books(Arc<Mutex<Way>>);

#[derive(Debug, Default)]
struct Way {
    /// Calls whose path ends like this fail.
    spoilt: Option<&'static str>,
    /// Accounts that are not known any more.
    forgotten: Vec<String>,
    calls: Vec<String>,
}

impl Books {
    /// From now on calls whose path ends like this fail.
    pub(crate) fn spoil(&self, path: &'static str) {
        self.0.lock().unwrap().spoilt = Some(path);
    }

    pub(crate) fn mend(&self) {
        self.0.lock().unwrap().spoilt = None;
    }

    /// From now on the bank does not know an account.
    pub(crate) fn forget(&self, account: &str) {
        self.0.lock().unwrap().forgotten.push(account.to_owned());
    }

    /// The paths of the calls since this was asked last, but for those about what happened at the bank.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    /// The accounts whose details were asked for since calls were asked for last, in this order.
    pub(crate) fn accounts_read(&self) -> Vec<String> {
        let calls = self.calls();
        let ids = calls.iter().filter_map(|path| Some(path.rsplit_once("/accounts/")?.1));
        ids.filter(|id| !id.contains('/')).map(str::to_owned).collect()
    }
}

async fn spoil(State(books): State<Books>, request: Incoming, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let (is_spoilt, is_forgotten) = {
        let mut way = books.0.lock().unwrap();
        // What happens at the bank is asked for beside all calls.
        if !path.ends_with("/events") {
            way.calls.push(path.clone());
        }
        let is_forgotten = way.forgotten.iter().any(|id| path.split('/').any(|step| step == id));
        (way.spoilt.is_some_and(|spoilt| path.ends_with(spoilt)), is_forgotten)
    };
    if is_forgotten {
        let problem = json!({"code": "not-found", "detail": "no such account"});
        return (StatusCode::NOT_FOUND, Json(problem)).into_response();
    }
    if is_spoilt { StatusCode::SERVICE_UNAVAILABLE.into_response() } else { next.run(request).await }
}

/// A gateway in front of a sandbox's books, and the way to them.
pub(crate) async fn before(core: TestServer, more: &str) -> (Scene, Books) {
    let (files, books) = (Files::new(), Books::default());
    let way = books.clone();
    let (core_bank, _) =
        bank_behind_way(&core, &files, |routes| routes.layer(from_fn_with_state(way, spoil))).await;
    let clock: Arc<dyn gateway::Clock> = core.running.sandbox.clock.clone();
    let served = serve(configuration(&files, &core_bank, more), clock, Behind::core_bank).await.unwrap();
    let listeners = listeners(&served);
    (Scene { listeners, core, served, files, bank: BANK, clock: None }, books)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_the_bank_did_not_answer_is_no_read() {
    let (scene, books) = before(TestServer::start().await, "").await;
    let customer = scene.core.customer("nl", "busy").await;
    let client = scene.client(Some(&scene.certificate("qwac").await));
    let tpp: TestTpp = registered(&scene, &client).await;
    let consent: ValidConsent = consented(&scene, &tpp, &client, &customer).await;
    let send = async |request: Request| -> Answer { request.exchange(&client, &scene.interface()).await };
    let accounts = send(tpp.read("/v1/accounts", &consent)).await.json();
    let id = accounts["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let path = format!("/v1/accounts/{id}/transactions?dateFrom=2000-01-01");
    let read = async || send(tpp.read(&path, &consent)).await;
    // Not the booked ones; and then not what is pending, when the others were told already.
    for spoilt in ["/booked", "/pending"] {
        books.spoil(spoilt);
        for _ in 0..3 {
            assert_eq!(read().await.status, 503, "{spoilt}");
        }
    }
    books.mend();
    let since = |answer: &Answer| {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let first = answer.json()["transactions"]["_links"]["first"].as_str().unwrap().to_owned();
        first.split_once("dateFrom=").unwrap().1[..10].to_owned()
    };
    assert_eq!(since(&read().await), "2000-01-01", "the first read sees everything");
    for _ in 0..3 {
        assert_ne!(since(&read().await), "2000-01-01", "and later ones do not");
    }
    assert_eq!(read().await.status, 429, "four a day");
}

/// How long a bank tells of an account that was closed is its own matter: the other ones of a consent are listed all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_the_bank_put_away_takes_no_other_one_away() {
    let (scene, books) = before(TestServer::start().await, "").await;
    let customer = scene.core.customer("nl", "multi-currency").await;
    let client = scene.client(Some(&scene.certificate("qwac").await));
    let tpp: TestTpp = registered(&scene, &client).await;
    let consent: ValidConsent = consented(&scene, &tpp, &client, &customer).await;
    let send = async |request: Request| -> Answer { request.exchange(&client, &scene.interface()).await };
    let accounts = async || -> Vec<Value> {
        let answer = send(tpp.read("/v1/accounts", &consent)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["accounts"].as_array().unwrap().clone()
    };
    books.calls();
    let all = accounts().await;
    let ids = books.accounts_read();
    assert_eq!((all.len(), ids.len()), (3, 3), "{ids:?}");
    books.forget(&ids[1]);
    assert_eq!(accounts().await, [all[0].clone(), all[2].clone()]);
    let path = format!("/v1/accounts/{}", all[1]["resourceId"].as_str().unwrap());
    let gone = send(tpp.read(&path, &consent)).await;
    assert_eq!((gone.status, error(&gone).as_str()), (404, "RESOURCE_UNKNOWN"), "{}", gone.body);
    books.forget(&ids[0]);
    books.forget(&ids[2]);
    assert_eq!(accounts().await, [] as [Value; 0], "all of them");
}

/// What became of a payment is told, and what was done is not told as undone, whoever paid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_from_an_account_that_the_bank_put_away_is_told_and_cancelled() {
    let (scene, books) = before(TestServer::start().await, "").await;
    let empty = json!({"tenant": "nl", "persona": "empty", "balance": "100.00"});
    let (status, payer) = scene.core.manage("POST", "/test-accounts", empty).await;
    assert_eq!(status, 201, "{payer}");
    let client = scene.client(Some(&scene.certificate("qwac").await));
    let tpp: TestTpp = registered(&scene, &client).await;
    let send = async |request: Request| -> Answer { request.exchange(&client, &scene.interface()).await };
    let mut later = euro_payment("1.00", "DE89370400440532013000");
    later["debtorAccount"] = json!({"iban": payer["iban"]});
    later["requestedExecutionDate"] = day(5).into();
    let asked = send(tpp.payment_request("payments/sepa-credit-transfers", &later)).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let asked = asked.json();
    let code = approve(&scene, &asked, &payer).await;
    let tokens = send(tpp.token_request(&TestTpp::code_form(&code))).await.json();
    let sca = tpp.path_of(&asked["_links"]["scaStatus"]);
    let confirmed = send(confirmation(&tpp, &sca, tokens["access_token"].as_str().unwrap())).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);

    let path = tpp.path_of(&asked["_links"]["self"]);
    books.calls();
    let before = send(tpp.get(&path)).await.json();
    assert_eq!((&before["transactionStatus"], &before["debtorName"]), (&json!("ACTC"), &payer["name"]));
    for id in books.accounts_read() {
        books.forget(&id);
    }
    let stops = format!("{path}/cancellation-authorisations");
    for (request, status) in [(tpp.get(&path), 200), (tpp.redirecting("DELETE", &path), 202)] {
        let answer = send(request).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let told = answer.json();
        assert_eq!((&told["transactionStatus"], &told["debtorName"]), (&json!("ACTC"), &Value::Null));
        assert_eq!(told["debtorAccount"]["iban"], payer["iban"], "as it was asked for");
        let begun = send(tpp.get(&stops)).await.json()["authorisationIds"].clone();
        assert_eq!(begun.as_array().unwrap().contains(&told["authorisationId"]), status == 202, "{told}");
    }
}
