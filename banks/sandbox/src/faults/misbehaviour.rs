//! A bank that misbehaves by itself, as far as the standards allow it: some good calls are refused in ways after which a
//! client has to try again, and some answers look other than usual. A client that cannot live with it is wrong.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use edge::{Failing, FailingInterface, Failure, note_code};
use http::{HeaderValue, header};
use http_body_util::BodyExt;
use serde_json::Value;

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
    interface: Option<&FailingInterface>,
    request: Request,
    next: Next,
) -> Response {
    let is_call = interface.filter(|interface| {
        (interface.failing.is_of_program)(request.method(), request.uri().path(), request.headers())
    });
    let drawn = layer.sandbox.randomness.name_octets();
    let number = u32::from(drawn[0]) << 8 | u32::from(drawn[1]);
    let Some(interface) = is_call.filter(|_| number % 100 < u32::from(chance)) else {
        return next.run(request).await;
    };
    let Failing { knows, signature, .. } = &interface.failing;
    let way = WAYS[usize::from(drawn[2]) % WAYS.len()];
    let has_token =
        request.headers().contains_key(header::AUTHORIZATION) && knows.contains(&Failure::TokenOver);
    let told = match way {
        Way::TooMany => Told {
            failure: Failure::TooMany,
            text: "Too many calls; try again after the time of Retry-After",
            retry_after: Some(1),
        },
        Way::TokenOver if has_token => Told {
            failure: Failure::TokenOver,
            text: "The access token is over; get another one with the refresh token",
            retry_after: None,
        },
        // What is signed over exact octets stays as it is.
        Way::OtherJson if signature.is_none() => return other_json(next.run(request).await).await,
        _ => Told {
            failure: Failure::Unavailable,
            text: "The bank is not available for a moment; try again after the time of Retry-After",
            retry_after: Some(1),
        },
    };
    let id = layer.sandbox.gateway.new_request_id();
    let answer = answer(Some(interface), &told, (request.headers(), &id));
    note_code(CODE);
    answer
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
