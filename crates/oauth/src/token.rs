//! `POST /auth/{tenant}/v1/token`: the client proves itself and trades a grant for tokens (RFC 6749, 4.1.3 and 6).
//!
//! Grants come from a customer's authorisation. While the bank has no consents and payments there are none, so
//! every code and refresh token is unknown here.

use axum::body::Bytes;
use axum::extract::State;
use http::HeaderMap;

use crate::client_authentication::authenticate;
use crate::error::Error;
use crate::form::Form;
use crate::router::{Call, LimitedBody, Services};

/// Checks client and grant.
pub(crate) async fn exchange(
    State(services): State<Services>,
    call: Call,
    headers: HeaderMap,
    body: LimitedBody,
) -> Error {
    match check(&services, &call, &headers, &body.0).await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn check(
    services: &Services,
    call: &Call,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<std::convert::Infallible, Error> {
    let form = Form::from_post(headers, body)?;
    form.check_unique()?;
    authenticate(services, call, headers, &form).await?;
    let code = form.one("code")?;
    match form.required("grant_type")? {
        // A client in the field names client_credentials but sends a code and means the code grant.
        "authorization_code" | "client_credentials" if code.is_some() => {
            form.required("redirect_uri")?;
            form.required("code_verifier")?;
            Err(Error::bad("invalid_grant", "Unknown authorization code"))
        }
        "authorization_code" => Err(Error::bad("invalid_request", "parameter code is missing")),
        "refresh_token" => {
            form.required("refresh_token")?;
            // Clients know these words and ask the customer again.
            Err(Error::bad("invalid_request", "Unknown refresh token"))
        }
        other => Err(Error::bad(
            "unsupported_grant_type",
            format!("grant_type {other} is not supported; use authorization_code or refresh_token"),
        )),
    }
}
