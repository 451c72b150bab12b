//! `GET` and `POST /auth/{tenant}/v1/userinfo` (OpenID Connect Core 1.0, 5.3).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use gateway::domain::Interface;
use http::{HeaderMap, header};

use crate::authorization_header::{Authorization, authorization};
use crate::error::{Error, refused_as};
use crate::router::{Call, Services, check_mtls};
use crate::wire::UserInfo;

/// Tells who the customer behind an access token is: for this client, and nothing more.
pub(crate) async fn userinfo(
    State(services): State<Services>,
    call: Call,
    headers: HeaderMap,
) -> Result<Response, Error> {
    check_mtls(&services, &call)?;
    let Some(Authorization::Bearer(token)) = authorization(&headers)? else {
        let text = "send the access token as Authorization: Bearer";
        return Err(Error::bad("invalid_token", text).with_challenge("Bearer"));
    };
    let gateway = &services.edge.gateway;
    let certificate = call.connection.peer_fingerprint();
    let sub = gateway.user_info(&call.ctx, Interface::OF_CLIENTS, &token, certificate.as_deref()).await;
    let body = Json(UserInfo { sub: sub.map_err(|error| refused_as("invalid_token", error))? });
    Ok(([(header::CACHE_CONTROL, "no-store")], body).into_response())
}
