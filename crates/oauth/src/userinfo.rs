//! `GET` and `POST /auth/{tenant}/v1/userinfo` (OpenID Connect Core 1.0, 5.3).

use axum::extract::State;
use http::HeaderMap;

use crate::authorization_header::{Authorization, authorization};
use crate::error::Error;
use crate::router::{Call, Services, check_mtls};

/// Tells who the customer behind an access token is. Access tokens come from a customer's authorisation; while
/// the bank has no consents there are none, so every token is refused.
pub(crate) async fn userinfo(State(services): State<Services>, call: Call, headers: HeaderMap) -> Error {
    match check_mtls(&services, &call).and_then(|()| authorization(&headers)) {
        Err(error) => error,
        Ok(Some(Authorization::Bearer(_))) => {
            Error::bad("invalid_token", "the access token is unknown, expired or revoked")
        }
        Ok(_) => Error::bad("invalid_token", "send the access token as Authorization: Bearer"),
    }
}
