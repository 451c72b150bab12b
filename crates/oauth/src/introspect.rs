//! `POST /auth/{tenant}/v1/introspect` (RFC 7662): what a token is worth, for the bank's own services. They are made at the
//! management API of a bank for tests, so that no other bank has the path.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use gateway::domain::{Interface, TokenKind};
use http::{HeaderMap, header};

use crate::authorization_header::{Authorization, authorization};
use crate::error::Error;
use crate::form::Form;
use crate::router::{Call, LimitedBody, Services, check_mtls};
use crate::wire::{Confirmation, Introspection};

/// Answers an authenticated service. Whatever is not active is `{"active": false}` and nothing else.
pub(crate) async fn introspect(
    State(services): State<Services>,
    call: Call,
    headers: HeaderMap,
    body: LimitedBody,
) -> Result<Response, Error> {
    check_mtls(&services, &call)?;
    let gateway = &services.edge.gateway;
    let refused = |text: &str| {
        Error::unauthorized("invalid_client", text).with_challenge("Basic realm=\"introspection\"")
    };
    let Ok(Some(Authorization::Basic { id, secret })) = authorization(&headers) else {
        return Err(refused("send id and secret of a resource server as Authorization: Basic"));
    };
    if !gateway.is_resource_server(&id, &secret).await? {
        return Err(refused("there is no resource server with this id and secret"));
    }
    let form = Form::from_post(&headers, &body.0)?;
    form.check_unique()?;
    let active = gateway.introspect(&call.ctx, Interface::OF_CLIENTS, form.required("token")?).await?;
    let body = active.map_or_else(Introspection::default, |active| Introspection {
        active: true,
        scope: Some(active.grant.scope().to_string()),
        client_id: Some(active.grant.client.to_string()),
        token_type: (active.token.kind == TokenKind::Access).then(|| "Bearer".to_owned()),
        exp: Some(active.token.expires_at.as_second()),
        iat: Some(active.token.issued_at.as_second()),
        sub: Some(active.subject),
        aud: Some(services.audience()),
        iss: Some(services.issuer(call.ctx.tenant.as_str())),
        cnf: active.token.certificate.as_deref().and_then(Confirmation::of_certificate),
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}
