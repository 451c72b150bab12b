//! Answers that are faults, in the format of the interface that is called.

use axum::Json;
use axum::response::{IntoResponse, Response};
use edge::{FailingInterface, Failure, ToldFailure};
use gateway::domain::RequestId;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::json;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What an answer says.
pub(super) struct Told {
    pub(super) failure: Failure,
    pub(super) text: &'static str,
    /// For Retry-After, in seconds.
    pub(super) retry_after: Option<u64>,
}

/// The answer to a call with these headers, which gets a fresh id if it has none.
pub(super) fn answer(
    interface: Option<&FailingInterface>,
    told: &Told,
    (asked, fresh): (&HeaderMap, &RequestId),
) -> Response {
    let Told { failure, text, retry_after } = *told;
    let sent = asked.get(X_REQUEST_ID).filter(|id| !id.is_empty());
    let id = sent.cloned().or_else(|| HeaderValue::from_str(fresh.as_str()).ok());
    let id = id.unwrap_or(HeaderValue::from_static("-"));
    let mut response = match interface {
        Some(interface) => (interface.failing.tell)(&ToldFailure { failure, text, asked, id: &id }),
        None => {
            let status = failure.status();
            (status, Json(json!({"error": status.as_u16().to_string(), "message": text}))).into_response()
        }
    };
    let headers = response.headers_mut();
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_REQUEST_ID, id);
    response
}
