//! What came of each call, for whoever watches the bank. The log is the first to do so.
//!
//! Of what a caller sent, an observer learns the method and the request id alone: routes are patterns, and codes are
//! ours.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use gateway::domain::{RequestId, Subject, TppId};
use gateway::{Fault, Gateway};
use http::{Method, StatusCode};
use tracing::Level;

use crate::guard::{X_REQUEST_ID, fresh_id};

/// A call that was answered.
#[derive(Debug)]
pub struct Seen<'a> {
    /// `X-Request-ID` of the answer, if it has one. An answer that is a failure of the bank itself always has.
    pub request: Option<&'a str>,
    /// The interface that was called; none for pages and lists that belong to no interface.
    pub interface: Option<&'static str>,
    /// The method.
    pub method: &'a Method,
    /// The pattern of the path, if the path is one that is served.
    pub route: Option<&'a str>,
    /// The status of the answer.
    pub status: StatusCode,
    /// The code with which the call was refused.
    pub code: Option<&'a str>,
    /// How long it took until the answer was there.
    pub took: Duration,
    /// The third party that called, or said that it did.
    pub third_party: Option<&'a TppId>,
    /// What the call was about, as far as the interface knows it. It is the caller's secret as much
    /// as the bank's, and not for the log.
    pub subject: Option<&'a Subject>,
    /// What is behind a failure of the bank itself.
    pub fault: Option<&'a Fault>,
}

/// Is told of each call once, when its answer is there. The caller waits meanwhile.
pub trait Observer: std::fmt::Debug + Send + Sync {
    /// A call was answered.
    fn seen(&self, call: &Seen<'_>);
}

/// Writes one line for each call: at level `error`, with everything that is behind it, for a failure of the bank itself,
/// at level `info` for everything else. Values are quoted and escaped, so that none looks like another field or another
/// line.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallLog;

/// What a call without a route, a code, a third party or an id has in their place.
const NONE: &str = "-";

macro_rules! line {
    ($level:ident, $call:expr $(, $name:ident = $value:expr)?) => {
        tracing::event!(
            Level::$level,
            method = $call.method.as_str(),
            route = $call.route.unwrap_or(NONE),
            status = $call.status.as_u16(),
            code = $call.code.unwrap_or(NONE),
            milliseconds = $call.took.as_millis(),
            third_party = $call.third_party.map_or(NONE, TppId::as_str),
            request = $call.request.unwrap_or(NONE),
            $($name = $value,)?
            "call"
        )
    };
}

impl Observer for CallLog {
    fn seen(&self, call: &Seen<'_>) {
        match call.fault {
            None => line!(INFO, call),
            Some(fault) => line!(ERROR, call, error = with_causes(fault)),
        }
    }
}

/// Logs a failure in what the bank does of its own accord, with everything that is behind it.
pub fn log_failure(request: &RequestId, failure: &dyn std::error::Error) {
    tracing::error!(
        request = request.as_str(),
        error = with_causes(failure),
        "work of the bank itself failed"
    );
}

/// A failure with everything that is behind it, for the log.
pub fn with_causes(failure: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(failure), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What is found out about a call while it is answered.
#[derive(Default)]
struct Notes {
    interface: Option<&'static str>,
    route: Option<String>,
    code: Option<String>,
    third_party: Option<TppId>,
    subject: Option<Subject>,
}

tokio::task_local! {
    static NOTES: RefCell<Notes>;
}

/// Middleware for all that a listener serves: tells the observer of each call. Nobody else logs what is behind a failure,
/// which the answer carries here with [`with_fault`].
pub async fn observe(
    State((gateway, observer)): State<(Gateway, Arc<dyn Observer>)>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    // What is left over for a router below is no route yet.
    let matched = matched.filter(|route| !route.as_str().contains('*'));
    let answered = async {
        let response = next.run(request).await;
        (response, NOTES.with(RefCell::take))
    };
    let (mut response, notes) = NOTES.scope(RefCell::default(), answered).await;
    let fault = response.extensions_mut().remove::<Fault>();
    if fault.is_some() {
        // Whoever asks about a failure can say which one.
        response.headers_mut().entry(X_REQUEST_ID).or_insert_with(|| fresh_id(&gateway));
    }
    observer.seen(&Seen {
        request: response.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok()),
        interface: notes.interface,
        method: &method,
        route: notes.route.as_deref().or(matched.as_ref().map(MatchedPath::as_str)),
        status: response.status(),
        code: notes.code.as_deref(),
        took: begun.elapsed(),
        third_party: notes.third_party.as_ref(),
        subject: notes.subject.as_ref(),
        fault: fault.as_ref(),
    });
    response
}

/// Leaves what is behind a failure with its answer.
pub fn with_fault(mut response: Response, fault: Option<Fault>) -> Response {
    if let Some(fault) = fault {
        response.extensions_mut().insert(fault);
    }
    response
}

/// Notes which interface is called.
pub(crate) fn note_interface(name: Option<&'static str>) {
    note(|notes| notes.interface = name);
}

/// Notes the route of this call, as a pattern, where the framework does not know it.
pub fn note_route(pattern: &str) {
    note(|notes| notes.route = Some(pattern.to_owned()));
}

/// Notes the code with which this call is refused.
pub fn note_code(code: &str) {
    note(|notes| notes.code = Some(code.to_owned()));
}

/// Notes which third party this call comes from, or says that it comes from.
pub fn note_third_party(id: &TppId) {
    note(|notes| notes.third_party = Some(id.clone()));
}

/// Notes what this call is about.
pub fn note_subject(subject: Subject) {
    note(|notes| notes.subject = Some(subject));
}

/// Outside of a call that is observed there is nothing to note.
fn note(change: impl FnOnce(&mut Notes)) {
    let _ = NOTES.try_with(|notes| change(&mut notes.borrow_mut()));
}
