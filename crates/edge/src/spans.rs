//! The span of each call, for whoever collects traces: names and attributes are those of OpenTelemetry's semantic conventions for
//! HTTP. Of what a caller sent there are the method and the request id alone; the path is left out, since it holds ids of customers'
//! accounts and consents. Where nobody collects, a span costs one look at whether anybody does.

use http::Method;
use tracing::Span;
use tracing::field::Empty;

use crate::Seen;

/// Target of the spans that are for traces, and not for the log.
pub const TRACES: &str = "vestibule::traces";

/// Methods that are told by name; a caller may send any word.
const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH];

/// The span of a call that begins.
pub(crate) fn of_call() -> Span {
    tracing::trace_span!(
        target: TRACES,
        "call",
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = Empty,
        http.route = Empty,
        http.response.status_code = Empty,
        "error.type" = Empty,
        vestibule.dialect = Empty,
        vestibule.code = Empty,
        vestibule.third_party = Empty,
        vestibule.request = Empty,
    )
}

/// Says what came of it. Returns what it is called, which is known at its end alone: method and route.
pub(crate) fn end(span: &Span, call: &Seen<'_>) -> String {
    let known = METHODS.iter().find(|method| *method == call.method);
    let method = known.map_or("_OTHER", Method::as_str);
    span.record("http.request.method", method);
    let name = known.map_or("HTTP", Method::as_str);
    if let Some(route) = call.route {
        span.record("http.route", route);
    }
    span.record("http.response.status_code", call.status.as_u16());
    if call.status.is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", call.status.as_str());
    }
    let told = [
        ("vestibule.dialect", call.interface),
        ("vestibule.code", call.code),
        ("vestibule.third_party", call.third_party.map(gateway::domain::TppId::as_str)),
        ("vestibule.request", call.request),
    ];
    for (name, value) in told.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        span.record(name, value);
    }
    call.route.map_or_else(|| name.to_owned(), |route| format!("{name} {route}"))
}
