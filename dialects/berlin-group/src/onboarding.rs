//! `GET /xs2a-bg/{tenant}/onboarding/v1` and `GET /xs2a-bg/{tenant}/v1/onboarding`: the initial access token.

use axum::Json;
use axum::extract::State;
use edge::Edge;
use http::header::{CACHE_CONTROL, HeaderName};

use crate::auth::{Onboarding, Signed};
use crate::error::Error;
use crate::wire;

/// Gives out an initial access token to whoever signed the call.
pub(crate) async fn initial_access_token(
    State(edge): State<Edge>,
    Onboarding(Signed { ctx, connection, party, .. }): Onboarding,
) -> Result<([(HeaderName, &'static str); 1], Json<wire::InitialAccessToken>), Error> {
    let issued = edge.gateway.issue_initial_access_token(&ctx, &party).await?;
    let token = wire::InitialAccessToken {
        scope: "client-reg".to_owned(),
        access_token: issued.token,
        expires_in: issued.expires_in,
        token_type: "Bearer".to_owned(),
        links: wire::OnboardingLinks {
            registration: format!("{}/auth/{}/v1/registration", connection.origin, ctx.tenant),
        },
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(token)))
}
