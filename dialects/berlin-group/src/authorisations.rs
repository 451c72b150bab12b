//! `/xs2a-bg/{tenant}/v1/consents/{consent}/authorisations`: authorisation sub-resources.

use axum::Json;
use axum::extract::State;
use edge::Edge;
use gateway::AccessCredentials;

use crate::auth::Signed;
use crate::consents::{Created, created};
use crate::error::Error;
use crate::{links, wire};

/// Begins one more authorisation.
pub(crate) async fn start(
    State(edge): State<Edge>,
    call: Signed,
) -> Result<Created<wire::Authorisation>, Error> {
    let id = call.id("consent")?;
    call.no_members()?;
    let uri = call.redirect_uri()?;
    let own = (call.tpp(), id.as_str());
    let begun = edge.gateway.start_authorisation(&call.ctx, own, &uri, &call.key(&edge)).await?;
    let consent = edge.gateway.consent(&call.ctx, call.tpp(), &id).await?;
    let links = links::authorisation(&edge.public_url, &consent, &begun);
    let link = links.sca_status.clone().unwrap_or_default();
    let body = wire::Authorisation {
        sca_status: "received".to_owned(),
        authorisation_id: Some(begun.id.to_string()),
        links,
    };
    Ok(created(&call, link, body))
}

/// Lists the authorisations of a consent.
pub(crate) async fn list(
    State(edge): State<Edge>,
    call: Signed,
) -> Result<Json<wire::AuthorisationIds>, Error> {
    let id = call.id("consent")?;
    let authorisations = edge.gateway.authorisations(&call.ctx, call.tpp(), &id).await?;
    let authorisation_ids = authorisations.iter().map(|one| one.id.to_string()).collect();
    Ok(Json(wire::AuthorisationIds { authorisation_ids }))
}

/// Reads the status of an authorisation.
pub(crate) async fn status(State(edge): State<Edge>, call: Signed) -> Result<Json<wire::ScaStatus>, Error> {
    let (consent, id) = (call.id("consent")?, call.id("authorisation")?);
    let found = edge.gateway.authorisation(&call.ctx, (call.tpp(), &consent), &id).await?;
    let status = edge.gateway.sca_status(&call.ctx, call.tpp().interface(), &found);
    Ok(Json(wire::ScaStatus { sca_status: status.name().to_owned() }))
}

/// Confirms an authorisation with the access token that came from it.
pub(crate) async fn confirm(
    State(edge): State<Edge>,
    call: Signed,
) -> Result<Json<wire::Authorisation>, Error> {
    let (consent, id) = (call.id("consent")?, call.id("authorisation")?);
    call.no_members()?;
    let certificate = call.peer_fingerprint();
    let credentials = AccessCredentials {
        tpp: call.tpp(),
        consent: &consent,
        token: call.bearer()?,
        certificate: certificate.as_deref(),
    };
    let confirmed = edge.gateway.confirm_authorisation(&call.ctx, credentials, &id).await?;
    let consent = edge.gateway.consent(&call.ctx, call.tpp(), &consent).await?;
    let status = edge.gateway.sca_status(&call.ctx, call.tpp().interface(), &confirmed);
    Ok(Json(wire::Authorisation {
        sca_status: status.name().to_owned(),
        authorisation_id: Some(confirmed.id.to_string()),
        links: links::confirmation(&consent, &confirmed),
    }))
}
