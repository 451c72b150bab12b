//! Third parties, and which of them the bank blocks.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use gateway::Clock;
use gateway::domain::{SecretHash, Timestamp, Tpp, TppId};
use serde::{Deserialize, Serialize};

use super::{Error, Management, json, only_parameter};

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
    /// The same of its clients at interfaces that keep some of their own.
    #[serde(flatten)]
    clients: BTreeMap<&'static str, Client>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Client {
    client_secret_digest: String,
}

/// Of the digest of a client secret: too little to find a secret by, enough to tell two of them apart.
const DIGEST_SHOWN: usize = 16;

fn shown(secret: &SecretHash) -> String {
    secret.as_hex().chars().take(DIGEST_SHOWN).collect()
}

impl ThirdParty {
    /// Asks each interface for the client that it has there.
    async fn of(management: &Management, tpp: Tpp) -> Result<Self, Error> {
        let mut clients = BTreeMap::new();
        for (name, secret) in &management.interfaces.client_secrets {
            if let Some(secret) = secret(tpp.id.clone()).await? {
                clients.insert(*name, Client { client_secret_digest: shown(&secret) });
            }
        }
        Ok(Self::known(tpp, clients))
    }

    fn known(tpp: Tpp, clients: BTreeMap<&'static str, Client>) -> Self {
        let redirect_uris: Vec<_> = tpp.redirect_uris.as_slice().iter().map(ToString::to_string).collect();
        let is_registered = !redirect_uris.is_empty();
        Self {
            id: tpp.id.to_string(),
            name: tpp.name,
            roles: tpp.roles.iter().map(|role| role.name()).collect(),
            status: if tpp.blocked.is_some() { "blocked" } else { "active" },
            status_since: tpp.blocked.map(|block| block.at),
            registered_at: tpp.registered_at,
            client_secret_digest: is_registered.then(|| shown(&tpp.secret)),
            redirect_uris,
            clients,
        }
    }
}

/// The third parties that came last, or the one with an id, if it is there.
pub(super) async fn list(
    State(management): State<Management>,
    RawQuery(query): RawQuery,
) -> Result<Json<serde_json::Value>, Error> {
    let sandbox = &management.sandbox;
    let found = match only_parameter(query.as_deref(), "id")? {
        Some(id) => sandbox.store.tpp(&TppId::new(id)).await?.into_iter().collect(),
        None => sandbox.gateway.third_parties().await?,
    };
    let mut known = Vec::with_capacity(found.len());
    for tpp in found {
        known.push(ThirdParty::of(&management, tpp).await?);
    }
    Ok(Json(serde_json::json!({"thirdParties": known})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    status: String,
}

/// Blocks a third party at every interface, or lets it act again.
pub(super) async fn set_status(
    State(management): State<Management>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<serde_json::Value>, Error> {
    let sandbox = &management.sandbox;
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
    Ok(Json(serde_json::json!(ThirdParty::of(&management, tpp).await?)))
}
