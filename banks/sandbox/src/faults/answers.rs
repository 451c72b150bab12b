//! Answers that are faults, in the format of the interface that is called.

use axum::Json;
use axum::response::{IntoResponse, Response};
use gateway::domain::RequestId;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use super::Interface;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-bunq-client-request-id");

/// What browsers' scripts may read of an answer of bunq's interface.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Bunq-Server-Signature, X-Bunq-Client-Response-Id, X-Bunq-Client-Request-Id, X-Bunq-Warning",
);

/// What an answer says.
pub(super) struct Told {
    pub(super) status: StatusCode,
    /// The code, where the interface has one for it.
    pub(super) code: Option<&'static str>,
    pub(super) text: String,
    /// For Retry-After, in seconds.
    pub(super) retry_after: Option<u64>,
}

/// The answer to a call with these headers, which gets a fresh id if it has none.
pub(super) fn answer(
    interface: Option<Interface>,
    told: &Told,
    (asked, fresh): (&HeaderMap, &RequestId),
) -> Response {
    let Told { status, code, text, retry_after } = told;
    let body = match interface {
        Some(Interface::BerlinGroup) => {
            let mut message = json!({"category": "ERROR", "text": text});
            if let Some(code) = code {
                message["code"] = (*code).into();
            }
            json!({"tppMessages": [message]})
        }
        Some(Interface::Bunq) => {
            json!({"Error": [{"error_description": text, "error_description_translated": text}]})
        }
        Some(Interface::Oauth) => {
            let error = match *status {
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "temporarily_unavailable",
                StatusCode::UNAUTHORIZED => "invalid_token",
                _ => "server_error",
            };
            json!({"error": error, "error_description": text})
        }
        None => json!({"error": status.as_u16().to_string(), "message": text}),
    };
    let mut response = (*status, Json(body)).into_response();
    let headers = response.headers_mut();
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    if *status == StatusCode::UNAUTHORIZED {
        let challenge = match code {
            Some("TOKEN_INVALID") => "Bearer error=\"invalid_token\"",
            _ => "Signature realm=\"xs2a\",headers=\"digest x-request-id\"",
        };
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let sent = asked.get(X_REQUEST_ID).filter(|id| !id.is_empty());
    let id = sent.cloned().or_else(|| HeaderValue::from_str(fresh.as_str()).ok());
    let id = id.unwrap_or(HeaderValue::from_static("-"));
    if interface == Some(Interface::Bunq) {
        headers.insert("x-bunq-client-response-id", id.clone());
        if let Some(echoed) = asked.get(CLIENT_REQUEST_ID) {
            headers.insert(CLIENT_REQUEST_ID, echoed.clone());
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    }
    headers.insert(X_REQUEST_ID, id);
    response
}
