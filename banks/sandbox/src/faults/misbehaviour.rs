//! A bank that misbehaves by itself, as far as the standards allow it: some good calls are refused in ways after which a
//! client has to try again, and some answers look other than usual. A client that cannot live with it is wrong.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use edge::note_code;
use http::{HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;

use super::Interface;
use super::answers::{Told, answer};
use super::layer::FaultLayer;

/// What a call is logged with that was refused without a reason of its own.
const CODE: &str = "misbehaviour";

/// Ways to misbehave.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// 429 with Retry-After (RFC 6585, 4).
    TooMany,
    /// 503 with Retry-After (RFC 9110, 15.6.4).
    Unavailable,
    /// The access token, or the session, is over before its time (RFC 6749, 5.1; RFC 6750, 3.1).
    TokenOver,
    /// Members in another order (RFC 8259, 4), blanks between them (2), and one that nobody knows.
    OtherJson,
}

const WAYS: [Way; 4] = [Way::TooMany, Way::Unavailable, Way::TokenOver, Way::OtherJson];

/// Answers a call, and in so many of a hundred cases not as well as it could be.
pub(super) async fn perhaps(
    layer: &FaultLayer,
    chance: u8,
    interface: Option<Interface>,
    request: Request,
    next: Next,
) -> Response {
    let is_call = match interface {
        Some(Interface::BerlinGroup | Interface::Bunq) => !request.uri().path().ends_with("/openapi.json"),
        // What a browser asks for is left alone.
        Some(Interface::Oauth) => {
            request
                .headers()
                .get(header::ACCEPT)
                .is_none_or(|accept| !accept.to_str().unwrap_or_default().contains("text/html"))
                && request.method() == http::Method::POST
                && !request.uri().path().ends_with("/authorise")
        }
        None => false,
    };
    let drawn = layer.sandbox.randomness.name_octets();
    let number = u32::from(drawn[0]) << 8 | u32::from(drawn[1]);
    if !is_call || number % 100 >= u32::from(chance) {
        return next.run(request).await;
    }
    let way = WAYS[usize::from(drawn[2]) % WAYS.len()];
    let has_token =
        request.headers().contains_key(header::AUTHORIZATION) && interface == Some(Interface::BerlinGroup);
    let told =
        |status, code, text: &str, retry_after| Told { status, code, text: text.to_owned(), retry_after };
    let told = match way {
        Way::TooMany => {
            let text = "Too many calls; try again after the time of Retry-After";
            told(StatusCode::TOO_MANY_REQUESTS, Some("ACCESS_EXCEEDED"), text, Some(1))
        }
        Way::TokenOver if has_token => {
            let text = "The access token is over; get another one with the refresh token";
            told(StatusCode::UNAUTHORIZED, Some("TOKEN_INVALID"), text, None)
        }
        // What bunq signs is over exact octets, and stays as it is.
        Way::OtherJson if interface != Some(Interface::Bunq) => {
            return other_json(next.run(request).await).await;
        }
        _ => {
            let text = "The bank is not available for a moment; try again after the time of Retry-After";
            told(StatusCode::SERVICE_UNAVAILABLE, None, text, Some(1))
        }
    };
    note_code(CODE);
    answer(interface, &told, (request.headers(), &layer.sandbox.gateway.new_request_id()))
}

/// The same answer, written in another way.
async fn other_json(response: Response) -> Response {
    let kind =
        response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") || !response.status().is_success() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let octets = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let written = match serde_json::from_slice::<Value>(&octets) {
        Ok(Value::Object(mut members)) => {
            members.insert(
                "x_nobodyKnowsThis".to_owned(),
                serde_json::json!({"because": ["a client", "ignores it"]}),
            );
            // Members come in the order of their names.
            serde_json::to_string_pretty(&members).unwrap_or_default().into_bytes()
        }
        _ => octets.to_vec(),
    };
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(written.len()));
    Response::from_parts(parts, Body::from(written))
}
