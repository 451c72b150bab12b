//! `/calls`: the requests that the bank received last, and why it refused them.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use edge::Recorder;
use edge::recording::{Call, Filter, FilterError, TooManyListeners, har, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::Error;

/// What HTTP archives are, and what browsers call the file.
const HAR: [(header::HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "application/json"),
    (header::CONTENT_DISPOSITION, "attachment; filename=\"vestibule.har\""),
];

type Calls = State<Arc<Recorder>>;

/// Routes about the calls that a recorder keeps, for the management listener.
pub fn calls(recorder: Arc<Recorder>) -> Router {
    Router::new()
        .route("/calls", get(list))
        .route("/calls.har", get(archive))
        .route("/calls/stream", get(listen))
        .route("/calls/{number}", get(read))
        .with_state(recorder)
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Self::bad("invalid_request", error)
    }
}

impl From<TooManyListeners> for Error {
    fn from(error: TooManyListeners) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_listeners", error)
    }
}

async fn list(State(recorder): Calls, RawQuery(query): RawQuery) -> Result<Json<Value>, Error> {
    let filter = Filter::parse(&query.unwrap_or_default())?;
    let calls: Vec<_> = recorder.list(&filter).iter().map(|call| call.summary()).collect();
    Ok(Json(json!({"calls": calls, "skipped": recorder.skipped()})))
}

async fn archive(State(recorder): Calls, RawQuery(query): RawQuery) -> Result<Response, Error> {
    let filter = Filter::parse(&query.unwrap_or_default())?;
    let calls = recorder.list(&filter);
    Ok((HAR, Json(har(calls.iter().map(Arc::as_ref)))).into_response())
}

/// One call; as an archive if its number ends in `.har`.
async fn read(State(recorder): Calls, Path(name): Path<String>) -> Result<Response, Error> {
    let number = name.strip_suffix(".har").unwrap_or(&name);
    let is_archive = number.len() < name.len();
    let number = number.parse().map_err(|_| {
        Error::bad("invalid_request", "a call is named by its number, in digits, as GET /calls lists it")
    })?;
    let call: Arc<Call> = recorder.find(number).ok_or_else(|| {
        let text = format!(
            "there is no call {number}, or not any more: the last 500 are kept, fewer if they are large"
        );
        Error::new(StatusCode::NOT_FOUND, "not_found", text)
    })?;
    Ok(if is_archive {
        (HAR, Json(har([&*call]))).into_response()
    } else {
        Json(call.details()).into_response()
    })
}

async fn listen(
    State(recorder): Calls,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let filter = Filter::parse(&query.unwrap_or_default())?;
    let seen = headers.get("last-event-id").map(HeaderValue::to_str);
    let seen = seen.map(|seen| {
        seen.ok().and_then(|seen| seen.trim().parse().ok()).ok_or_else(|| {
            Error::bad("invalid_request", "Last-Event-ID must be the number of the call that was seen last")
        })
    });
    Ok(stream(&recorder, filter, seen.transpose()?)?)
}
