//! One line in the log for each call: what was called, by whom, and what came of it.
//!
//! Of what a caller sent it holds the method and the request id alone: routes are patterns, and codes are ours. Values
//! are quoted and escaped, so that none looks like another field or another line.

use std::cell::RefCell;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use gateway::Fault;
use tracing::Level;

use crate::guard::X_REQUEST_ID;

/// What is found out about a call while it is answered.
#[derive(Default)]
struct Notes {
    route: Option<String>,
    code: Option<String>,
    third_party: Option<String>,
}

tokio::task_local! {
    static NOTES: RefCell<Notes>;
}

/// What a call without a route, a code or a third party has in their place.
const NONE: &str = "-";

/// Middleware for all that a listener serves: logs each call at level `info`.
pub async fn log_call(request: Request, next: Next) -> Response {
    if !tracing::enabled!(Level::INFO) {
        let mut response = next.run(request).await;
        log_fault(&mut response);
        return response;
    }
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // What is left over for a router below is no route yet.
    let route = route.filter(|route| !route.contains('*'));
    let answered = async {
        let response = next.run(request).await;
        (response, NOTES.with(RefCell::take))
    };
    let notes = RefCell::new(Notes { route, ..Notes::default() });
    let (mut response, notes) = NOTES.scope(notes, answered).await;
    log_fault(&mut response);
    let text = |note: &Option<String>| note.clone().unwrap_or_else(|| NONE.to_owned());
    let id = response.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
    tracing::info!(
        method = method.as_str(),
        route = text(&notes.route),
        status = response.status().as_u16(),
        code = text(&notes.code),
        milliseconds = begun.elapsed().as_millis(),
        third_party = text(&notes.third_party),
        request = id.unwrap_or(NONE),
        "call"
    );
    response
}

/// Leaves what is behind a failure with its answer, for the log alone.
pub fn with_fault(mut response: Response, fault: Option<Fault>) -> Response {
    if let Some(fault) = fault {
        response.extensions_mut().insert(fault);
    }
    response
}

/// The one place that logs what is behind the failure of a call: once, with nothing of the request but its id.
fn log_fault(response: &mut Response) {
    let Some(fault) = response.extensions_mut().remove::<Fault>() else { return };
    let id = response.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
    log_failure(id.unwrap_or(NONE), &*fault);
}

/// Logs a failure of the gateway itself in what it does of its own accord, with everything that is behind it.
pub fn log_failure(request: &str, failure: &dyn std::error::Error) {
    let causes = std::iter::successors(Some(failure), |error| error.source());
    let error = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    tracing::error!(request, error, "request failed");
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
pub fn note_third_party(id: &str) {
    note(|notes| notes.third_party = Some(id.to_owned()));
}

/// Outside of a call that is logged there is nothing to note.
fn note(change: impl FnOnce(&mut Notes)) {
    let _ = NOTES.try_with(|notes| change(&mut notes.borrow_mut()));
}
