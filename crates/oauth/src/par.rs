//! `POST /auth/{tenant}/v1/par`: pushed authorization requests (RFC 9126).

use axum::Json;
use axum::extract::State;
use http::header::{CACHE_CONTROL, HeaderName};
use http::{HeaderMap, StatusCode};

use crate::authorize::check_request;
use crate::client_authentication::authenticate;
use crate::error::Error;
use crate::form::Form;
use crate::router::{Call, LimitedBody, Services};
use crate::wire::PushedAuthorizationResponse;

type Pushed = (StatusCode, [(HeaderName, &'static str); 1], Json<PushedAuthorizationResponse>);

/// Checks an authorization request and keeps it until its browser comes.
pub(crate) async fn push(
    State(services): State<Services>,
    call: Call,
    headers: HeaderMap,
    body: LimitedBody,
) -> Result<Pushed, Error> {
    let form = Form::from_post(&headers, &body.0)?;
    form.check_unique()?;
    let client = authenticate(&services, &call, &headers, &form).await?.acting;
    if form.all("request_uri").next().is_some() {
        return Err(Error::bad("invalid_request", "request_uri cannot stand in a pushed request"));
    }
    let secrets = ["client_secret", "client_assertion", "client_assertion_type"];
    let form = secrets.into_iter().fold(form, Form::without).with("client_id", client.id().as_str());
    check_request(&services, &call, &form).await?;
    let pushed = services.edge.gateway.push_request(&call.ctx, &client, form.to_text()).await?;
    let body = PushedAuthorizationResponse { request_uri: pushed.request_uri, expires_in: pushed.expires_in };
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(body)))
}
