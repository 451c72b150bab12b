//! Traces of a gateway, as a collector gets them.

use std::fs;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use rustix::process::Signal;
use testkit::Request;
use tokio::net::TcpListener;

use crate::serve::{Scene, consented, registered};
use crate::serve_command::{CARRIED, Program, gone_away, scene, silenced, start};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

type Taken = Arc<Mutex<Vec<ExportTraceServiceRequest>>>;

/// A collector; what it was sent.
async fn collector() -> (String, Taken) {
    let taken = Taken::default();
    let take = async |State(taken): State<Taken>, body: Bytes| {
        taken.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
    };
    let routes = axum::Router::new().route("/v1/traces", post(take)).with_state(taken.clone());
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", tcp.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(tcp, routes).await.unwrap() });
    (endpoint, taken)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// An attribute as text.
fn attribute(span: &Span, name: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == name);
    match found.and_then(|attribute| attribute.value.clone()?.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn spans(taken: &Taken) -> Vec<Span> {
    let taken = std::mem::take(&mut *taken.lock().unwrap());
    let resources = taken.into_iter().flat_map(|request| request.resource_spans);
    resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
}

fn stop(served: &mut Program) {
    served.signal(Signal::TERM);
    assert!(served.0.wait().unwrap().success());
}

/// Starts the gateway again, stopped or not, with a section [traces] that says this.
fn again(scene: &mut Scene<Program>, section: &str) {
    if scene.served.0.try_wait().unwrap().is_none() {
        stop(&mut scene.served);
    }
    let path = scene.files.path("vestibule.toml");
    let text = fs::read_to_string(&path).unwrap().replace("drain = \"3s\"", "drain = \"0s\"");
    let before = text.split("[traces]").next().unwrap();
    fs::write(&path, format!("{before}[traces]\n{section}")).unwrap();
    (scene.served, scene.listeners) = start(&scene.files);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_traced_through_to_the_core_bank() {
    let (mut scene, _bank) = scene().await;
    let (endpoint, taken) = collector().await;
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    again(&mut scene, &format!("endpoint = \"{endpoint}\"\nfrom_callers = true\n"));
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let read = tpp.read("/v1/accounts", &consent).set("traceparent", &parent);
    let read = read.exchange(&client, &scene.interface()).await;
    assert_eq!(read.status, 200, "{}", read.body);
    let account = read.json()["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let unknown =
        Request::new("BREW", "/xs2a-bg/nl/v1/accounts/secret-in-the-path").set("traceparent", "nonsense");
    assert!(unknown.exchange(&client, &scene.interface()).await.status < 500);
    stop(&mut scene.served);

    let all = spans(&taken);
    let of_caller: Vec<_> = all.iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
    let server = of_caller.iter().find(|span| span.kind() == SpanKind::Server).unwrap();
    assert_eq!(hex(&server.parent_span_id), CALLER);
    assert_eq!(server.name, "GET /xs2a-bg/{tenant}/v1/accounts");
    for (name, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/xs2a-bg/{tenant}/v1/accounts"),
        ("http.response.status_code", "200"),
        ("vestibule.third_party", "PSDNL-DNB-R654321"),
        ("vestibule.request", read.header("x-request-id")),
    ] {
        assert_eq!(attribute(server, name), value, "{name}: {server:?}");
    }
    let asked: Vec<_> = of_caller.iter().filter(|span| span.kind() == SpanKind::Client).collect();
    assert!(!asked.is_empty(), "{of_caller:?}");
    for span in asked {
        assert_eq!(span.parent_span_id, server.span_id, "{span:?}");
        assert!(span.name.ends_with(&attribute(span, "vestibule.operation")), "{span:?}");
        assert_eq!(attribute(span, "server.address"), "127.0.0.1");
        assert_eq!(attribute(span, "http.response.status_code"), "200");
        let carried = format!("00-{TRACE}-{}-01", hex(&span.span_id));
        assert!(CARRIED.lock().unwrap().contains(&carried), "the core bank did not get {carried}");
    }
    let strange = all.iter().find(|span| attribute(span, "http.request.method") == "_OTHER").unwrap();
    assert!(strange.name.starts_with("HTTP") && strange.parent_span_id.is_empty(), "{strange:?}");
    let everything = format!("{all:?}");
    let iban = customer["iban"].as_str().unwrap();
    for secret in [
        iban,
        &consent.access_token,
        &consent.id,
        &consent.refresh_token,
        &tpp.secret,
        &account,
        "secret-in",
        "BREW",
    ] {
        assert!(!everything.contains(secret), "{secret} is in the traces");
    }

    // Whose traces are not to be continued, theirs are not.
    again(&mut scene, &format!("endpoint = \"{endpoint}\"\n"));
    let read = tpp.read("/v1/accounts", &consent).set("traceparent", &parent);
    assert_eq!(read.exchange(&client, &scene.interface()).await.status, 200);
    stop(&mut scene.served);
    let all = spans(&taken);
    let server = all.iter().find(|span| span.kind() == SpanKind::Server).unwrap();
    assert!(hex(&server.trace_id) != TRACE && server.parent_span_id.is_empty(), "{server:?}");
}

/// A call whose caller goes away is traced by its route, as others are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_caller_goes_away_is_traced() {
    let (mut scene, bank) = scene().await;
    let (endpoint, taken) = collector().await;
    again(&mut scene, &format!("endpoint = \"{endpoint}\"\n"));
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let silent = silenced(&scene, bank).await;
    let (call, interface) = (tpp.read("/v1/accounts", &consent), scene.interface());
    let asked = gone_away(call.exchange(&client, &interface), &silent).await;
    stop(&mut scene.served);
    drop(asked);
    let all = spans(&taken);
    let gone = all.iter().find(|span| attribute(span, "http.response.status_code") == "499");
    let gone = gone.unwrap_or_else(|| panic!("{all:?}"));
    assert_eq!(gone.name, "GET /xs2a-bg/{tenant}/v1/accounts");
    assert_eq!(attribute(gone, "vestibule.third_party"), "PSDNL-DNB-R654321");
}
