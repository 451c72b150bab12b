//! A gateway of this process in front of books that fail where a test wants it, over the core bank interface: what a failure costs third
//! parties and customers.

use std::sync::{Arc, Mutex};

use axum::extract::{Request as Incoming, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use testkit::{Answer, Request, TestServer, TestTpp, ValidConsent};
use vestibule::{Behind, serve};

use crate::configuration::Files;
use crate::serve::{Scene, configuration, consented, registered};
use crate::serve_command::bank_behind_way;
use crate::serve_provider::{BANK, listeners};

/// The way to the books.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books(Arc<Mutex<Way>>);

#[derive(Debug, Default)]
struct Way {
    /// Calls whose path ends like this fail.
    spoilt: Option<&'static str>,
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

    /// The paths of the calls since this was asked last, but for those about what happened at the bank.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }
}

async fn spoil(State(books): State<Books>, request: Incoming, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let is_spoilt = {
        let mut way = books.0.lock().unwrap();
        // What happens at the bank is asked for beside all calls.
        if !path.ends_with("/events") {
            way.calls.push(path.clone());
        }
        way.spoilt.is_some_and(|spoilt| path.ends_with(spoilt))
    };
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
