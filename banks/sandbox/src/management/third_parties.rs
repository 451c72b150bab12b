//! Third parties, and which of them the bank blocks.

use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use gateway::Clock;
use gateway::domain::{Timestamp, Tpp, TppId};
use serde::{Deserialize, Serialize};

use super::{Error, json, only_parameter};
use crate::Sandbox;

/// A third party as the bank knows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThirdParty {
    id: String,
    name: String,
    roles: Vec<&'static str>,
    status: &'static str,
    status_since: Option<Timestamp>,
    registered_at: Timestamp,
    /// What is registered at the authorization server; nothing for one that has yet to register there.
    redirect_uris: Vec<String>,
    /// By which who holds the client secret knows whether it is that one.
    client_secret_digest: Option<String>,
}

/// Of the digest of a client secret: too little to find a secret by, enough to tell two of them apart.
const DIGEST_SHOWN: usize = 16;

impl From<Tpp> for ThirdParty {
    fn from(tpp: Tpp) -> Self {
        let redirect_uris: Vec<_> = tpp.redirect_uris.as_slice().iter().map(ToString::to_string).collect();
        let is_registered = !redirect_uris.is_empty();
        Self {
            id: tpp.id.to_string(),
            name: tpp.name,
            roles: tpp.roles.iter().map(|role| role.name()).collect(),
            status: if tpp.blocked.is_some() { "blocked" } else { "active" },
            status_since: tpp.blocked.map(|block| block.at),
            registered_at: tpp.registered_at,
            client_secret_digest: is_registered
                .then(|| tpp.secret.as_hex().chars().take(DIGEST_SHOWN).collect()),
            redirect_uris,
        }
    }
}

/// The third parties that came last, or the one with an id, if it is there.
pub(super) async fn list(
    State(sandbox): State<Sandbox>,
    RawQuery(query): RawQuery,
) -> Result<Json<serde_json::Value>, Error> {
    let found = match only_parameter(query.as_deref(), "id")? {
        Some(id) => sandbox.store.tpp(&TppId::new(id)).await?.into_iter().collect(),
        None => sandbox.gateway.third_parties().await?,
    };
    let known: Vec<_> = found.into_iter().map(ThirdParty::from).collect();
    Ok(Json(serde_json::json!({"thirdParties": known})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    status: String,
}

/// Blocks a third party at every interface, or lets it act again.
pub(super) async fn set_status(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<serde_json::Value>, Error> {
    let NewStatus { status } = json(request).await?;
    let blocked_at = match status.as_str() {
        "active" => None,
        "blocked" => Some(sandbox.clock.now(None)),
        _ => {
            let text = format!("status \"{status}\" is not one of active, blocked");
            return Err(Error::bad("invalid_status", text));
        }
    };
    let tpp = sandbox.gateway.set_blocked(&TppId::new(id), blocked_at).await?;
    Ok(Json(serde_json::json!(ThirdParty::from(tpp))))
}
