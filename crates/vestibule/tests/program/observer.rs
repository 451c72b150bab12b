//! What an observer is told of calls.

use std::sync::{Arc, Mutex};

use edge::{Observer, Seen};
use gateway::domain::{Subject, SubjectKind};
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro, shop};
use testkit::{Request, TestServer, TestTpp, detailed};

const ID: &str = "PSDNL-DNB-R123456";

/// Keeps in mind what it was told.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<Recorded>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Recorded {
    request: Option<String>,
    interface: Option<&'static str>,
    call: String,
    status: u16,
    code: Option<String>,
    third_party: Option<String>,
    subject: Option<Subject>,
}

impl Observer for Recorder {
    fn seen(&self, call: &Seen<'_>) {
        assert!(call.fault.is_none() && call.took.as_secs() < 600);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.0.lock().unwrap().push(Recorded {
            request: owned(call.request),
            interface: call.interface,
            call: format!("{} {}", call.method, call.route.unwrap_or_default()),
            status: call.status.as_u16(),
            code: owned(call.code),
            third_party: call.third_party.map(ToString::to_string),
            subject: call.subject.cloned(),
        });
    }
}

/// A call that is served or refused without anything else to tell.
fn told(interface: Option<&'static str>, call: &str, status: u16) -> Recorded {
    let call = call.to_owned();
    Recorded { request: None, interface, call, status, code: None, third_party: None, subject: None }
}

/// Calls, and what is to be told of them but for the request id.
fn calls(tpp: &TestTpp, consent: &str, body: &Value) -> Vec<(Request, Recorded)> {
    const CONSENTS: &str = "/xs2a-bg/{tenant}/v1/consents";
    let (bg, bunq) = (Some("berlin-group"), Some("bunq"));
    let (known, code) = (Some(ID.to_owned()), |code: &str| Some(code.to_owned()));
    let third_party = known.clone();
    let read = tpp.request("GET", &format!("/v1/consents/{consent}")).set("x-request-id", "an id");
    vec![
        (tpp.consent_request(body), Recorded { third_party, ..told(bg, &format!("POST {CONSENTS}"), 201) }),
        (
            read.signed(&tpp.signer),
            Recorded {
                third_party: known.clone(),
                subject: Some(SubjectKind::Consent.with_id(consent)),
                ..told(bg, &format!("GET {CONSENTS}/{{consent}}"), 200)
            },
        ),
        (
            Request::new("GET", "/xs2a-bg/nl/v1/consents/secret/status"),
            Recorded {
                code: code("FORMAT_ERROR"),
                ..told(bg, &format!("GET {CONSENTS}/{{consent}}/status"), 400)
            },
        ),
        (
            tpp.token_request("grant_type=x"),
            Recorded {
                third_party: known,
                code: code("unsupported_grant_type"),
                ..told(Some("oauth"), "POST /auth/{tenant}/v1/token", 400)
            },
        ),
        (
            Request::new("GET", "/bunq/v1/user/7"),
            Recorded { code: code("403"), ..told(bunq, "GET /bunq/v1/user/{user}", 403) },
        ),
        (
            Request::new("GET", "/v1/user/7"),
            Recorded { code: code("403"), ..told(bunq, "GET /bunq/v1/user/{user}", 403) },
        ),
        (Request::new("GET", "/"), told(None, "GET /", 200)),
        (
            Request::new("GET", "/nothing/secret"),
            Recorded { code: code("not_found"), ..told(None, "GET ", 404) },
        ),
    ]
}

#[tokio::test]
async fn each_call_is_told_once_with_what_is_known_of_it() {
    let recorder = Arc::new(Recorder::default());
    let server = TestServer::with(|config| config.observer = recorder.clone()).await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let body = detailed(customer["iban"].as_str().unwrap(), true);
    let consent = tpp.consent(&server, &body).await;
    for (mut request, expected) in calls(&tpp, consent["consentId"].as_str().unwrap(), &body) {
        // The links of answers are not followed here.
        request.signed_by = None;
        recorder.0.lock().unwrap().clear();
        let answer = server.send(&request).await;
        let request = Some(answer.header("x-request-id").to_owned()).filter(|id| !id.is_empty());
        let made = answer.json()["consentId"].as_str().map(|id| SubjectKind::Consent.with_id(id));
        let expected = Recorded { request, subject: expected.subject.clone().or(made), ..expected };
        assert_eq!(*recorder.0.lock().unwrap(), [expected], "{}", answer.body);
    }
    let payer = BunqClient::customer(&server, &customer).await;
    let body = json!({"amount": euro("0.01"), "counterparty_alias": shop(), "description": "x"});
    payer.make(&payer.below(payer.account().await, "/payment"), &body).await;
    let about = recorder.0.lock().unwrap().last().and_then(|call| call.subject.clone());
    assert_eq!(about.map(|subject| subject.kind()), Some(SubjectKind::Payment));
    recorder.0.lock().unwrap().clear();
    let (_, clocks) = server.manage("GET", "/clock", Value::Null).await;
    assert!(clocks["clocks"].is_array());
    assert_eq!(*recorder.0.lock().unwrap(), [told(None, "GET /clock", 200)]);
}
