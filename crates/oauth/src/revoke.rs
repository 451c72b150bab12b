//! `POST /auth/{tenant}/v1/token/revoke` (RFC 7009): whoever holds a token can end it.

use axum::extract::State;
use http::{HeaderMap, StatusCode};

use crate::client_authentication::authenticate;
use crate::error::Error;
use crate::form::Form;
use crate::router::{Call, LimitedBody, Services};

/// Ends a token. A token that is unknown, or another client's, is answered as if it had been ended (2.2).
pub(crate) async fn revoke(
    State(services): State<Services>,
    call: Call,
    headers: HeaderMap,
    body: LimitedBody,
) -> Result<StatusCode, Error> {
    let form = Form::from_post(&headers, &body.0)?;
    form.check_unique()?;
    let client = authenticate(&services, &call, &headers, &form).await?;
    services.edge.gateway.revoke_token(&call.ctx, &client.acting, form.required("token")?).await?;
    Ok(StatusCode::OK)
}
