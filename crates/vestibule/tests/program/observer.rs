//! What an observer is told of calls.

use std::sync::{Arc, Mutex};

use edge::{Observer, Seen};
use testkit::{Request, TestServer, detailed};

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
    subject: Option<String>,
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
            subject: owned(call.subject),
        });
    }
}

#[tokio::test]
async fn each_call_is_told_once_with_what_is_known_of_it() {
    let recorder = Arc::new(Recorder::default());
    let server = TestServer::with(|config| config.observer = recorder.clone()).await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let consent = tpp.consent(&server, &detailed(customer["iban"].as_str().unwrap(), true)).await;
    let id = consent["consentId"].as_str().unwrap();
    let read = Request::new("GET", &format!("/xs2a-bg/nl/v1/consents/{id}"));
    let status = Request::new("GET", "/xs2a-bg/nl/v1/consents/secret/status");
    let calls = [
        (
            tpp.consent_request(&detailed(customer["iban"].as_str().unwrap(), true)),
            "berlin-group",
            "POST /xs2a-bg/{tenant}/v1/consents",
            201,
            None,
            Some(ID),
            None,
        ),
        (
            read.set("x-request-id", "an id").signed(&tpp.signer),
            "berlin-group",
            "GET /xs2a-bg/{tenant}/v1/consents/{consent}",
            200,
            None,
            Some(ID),
            Some(id),
        ),
        (
            status,
            "berlin-group",
            "GET /xs2a-bg/{tenant}/v1/consents/{consent}/status",
            400,
            Some("FORMAT_ERROR"),
            None,
            None,
        ),
        (
            tpp.token_request("grant_type=x"),
            "oauth",
            "POST /auth/{tenant}/v1/token",
            400,
            Some("unsupported_grant_type"),
            Some(ID),
            None,
        ),
        (
            Request::new("GET", "/bunq/v1/user/7"),
            "bunq",
            "GET /bunq/v1/user/{user}",
            403,
            Some("403"),
            None,
            None,
        ),
        (Request::new("GET", "/v1/user/7"), "bunq", "GET /bunq/v1/user/{user}", 403, Some("403"), None, None),
        (Request::new("GET", "/"), "", "GET /", 200, None, None, None),
        (Request::new("GET", "/nothing/secret"), "", "GET ", 404, Some("not_found"), None, None),
    ];
    for (request, interface, call, status, code, third_party, subject) in calls {
        recorder.0.lock().unwrap().clear();
        let answer = request.send(&server.http, server.url()).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let told = recorder.0.lock().unwrap().clone();
        // The answer to the first one is followed link by link.
        let told = told.first().unwrap();
        let made = answer.json()["consentId"].as_str().map(str::to_owned);
        assert_eq!(
            *told,
            Recorded {
                request: Some(answer.header("x-request-id").to_owned()).filter(|id| !id.is_empty()),
                interface: Some(interface).filter(|name| !name.is_empty()),
                call: call.to_owned(),
                status,
                code: code.map(str::to_owned),
                third_party: third_party.map(str::to_owned),
                subject: subject.map(str::to_owned).or(made),
            }
        );
        if answer.status >= 400 {
            assert_eq!(recorder.0.lock().unwrap().len(), 1);
        }
    }
    recorder.0.lock().unwrap().clear();
    let (_, clocks) = server.manage("GET", "/clock", serde_json::Value::Null).await;
    assert!(clocks["clocks"].is_array());
    let told = recorder.0.lock().unwrap().clone();
    let [told] = &told[..] else { panic!("{told:?}") };
    assert_eq!((told.call.as_str(), told.interface, told.request.as_ref()), ("GET /clock", None, None));
}
