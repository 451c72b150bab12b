//! `POST /auth/{tenant}/v1/token`: the client proves itself and trades a grant for tokens (RFC 6749, 4.1.3 and 6).

use axum::Json;
use axum::extract::State;
use gateway::domain::{GrantRefusal, Refusal};
use gateway::{CodeExchange, IssuedTokens};
use http::HeaderMap;
use http::header::{CACHE_CONTROL, HeaderName, PRAGMA};

use crate::client_authentication::{Client, authenticate};
use crate::error::Error;
use crate::form::Form;
use crate::id_token::Claims;
use crate::router::{Call, LimitedBody, Services};
use crate::wire::{Confirmation, TokenResponse};

type Tokens = ([(HeaderName, &'static str); 2], Json<TokenResponse>);

/// Trades a code or a refresh token for tokens.
pub(crate) async fn exchange(
    State(services): State<Services>,
    call: Call,
    headers: HeaderMap,
    body: LimitedBody,
) -> Result<Tokens, Error> {
    let form = Form::from_post(&headers, &body.0)?;
    form.check_unique()?;
    let client = authenticate(&services, &call, &headers, &form).await?;
    let issued = match form.required("grant_type")? {
        // A client in the field names client_credentials but sends a code and means the code grant.
        "authorization_code" | "client_credentials" if form.one("code")?.is_some() => {
            redeem(&services, &call, &client, &form).await?
        }
        "authorization_code" => return Err(Error::bad("invalid_request", "parameter code is missing")),
        "refresh_token" => refresh(&services, &call, &client, &form).await?,
        other => {
            let text =
                format!("grant_type {other} is not supported; use authorization_code or refresh_token");
            return Err(Error::bad("unsupported_grant_type", text));
        }
    };
    let headers = [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")];
    Ok((headers, Json(render(&services, &call, issued)?)))
}

async fn redeem(
    services: &Services,
    call: &Call,
    client: &Client,
    form: &Form,
) -> Result<IssuedTokens, Error> {
    let redirect_uri = form.required("redirect_uri")?;
    let code_verifier = form.one("code_verifier")?;
    let exchange = CodeExchange { code: form.required("code")?, redirect_uri, code_verifier };
    let gateway = &services.edge.gateway;
    let issued =
        gateway.redeem_code(&call.ctx, &client.acting, exchange, client.certificate.as_deref()).await;
    issued.map_err(|error| match error {
        // What was given for the challenge is part of the grant, so its absence is the grant's fault (RFC 7636, 4.6).
        gateway::Error::Refused(Refusal::Grant(GrantRefusal::Verifier)) if code_verifier.is_none() => {
            edge::note_failed(edge::Check::Pkce);
            let text = "parameter code_verifier is missing; the code was asked for with PKCE";
            Error::bad("invalid_grant", text)
        }
        error => refused(services, error),
    })
}

async fn refresh(
    services: &Services,
    call: &Call,
    client: &Client,
    form: &Form,
) -> Result<IssuedTokens, Error> {
    let wanted = (form.required("refresh_token")?, form.one("scope")?);
    let gateway = &services.edge.gateway;
    let issued = gateway.refresh(&call.ctx, &client.acting, wanted, client.certificate.as_deref()).await;
    issued.map_err(|error| refused(services, error))
}

/// The compatible bank has codes of its own for two refusals, which its clients know; a strict bank has the standard's
/// (RFC 6749, 5.2).
fn refused(services: &Services, error: gateway::Error) -> Error {
    use GrantRefusal::{CodeOfAnotherClient, RefreshTokenUnknown};
    let is_recorded = matches!(
        &error,
        gateway::Error::Refused(Refusal::Grant(CodeOfAnotherClient(_) | RefreshTokenUnknown))
    );
    let mut error = Error::from(error);
    if is_recorded && !services.profile().clients.own_error_codes {
        error.error = "invalid_grant";
    }
    error
}

fn render(services: &Services, call: &Call, issued: IssuedTokens) -> Result<TokenResponse, Error> {
    let grant = &issued.grant;
    edge::note_subject(grant.subject.clone());
    edge::note_passed(edge::Check::Code);
    let now = call.ctx.now.as_second();
    let claims = Claims {
        iss: services.issuer(call.ctx.tenant.as_str()),
        sub: issued.subject,
        aud: grant.client.to_string(),
        auth_time: grant.authenticated_at.as_second(),
        iat: now,
        exp: now + issued.expires_in,
        nonce: issued.nonce,
        cnf: issued.certificate.as_deref().and_then(Confirmation::of_certificate),
    };
    Ok(TokenResponse {
        id_token: Some(services.keys.sign(&claims)?),
        scope: grant.scope().to_string(),
        access_token: issued.access_token,
        refresh_token: issued.refresh_token,
        token_type: "Bearer".to_owned(),
        expires_in: issued.expires_in,
    })
}
