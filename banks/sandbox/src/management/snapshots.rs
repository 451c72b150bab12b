//! Snapshots of the bank under a name, restored and removed, and a bank that is as at its first start.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use gateway::domain::Timestamp;
use http::StatusCode;
use serde::Serialize;

use super::{Error, Management};
use crate::snapshots::{Exchange, Name, Snapshot, SnapshotError, Snapshots};

/// The bank's snapshots, and how it goes on with other data.
#[derive(Clone)]
pub struct GoingBack {
    /// The snapshots.
    pub snapshots: Arc<Snapshots>,
    /// Lets the bank go on with other data.
    pub exchange: Exchange,
}

/// A snapshot.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    name: String,
    saved_at: Timestamp,
    octets: u64,
}

impl From<Snapshot> for Shown {
    fn from(snapshot: Snapshot) -> Self {
        Self { name: snapshot.name.as_str().to_owned(), saved_at: snapshot.saved_at, octets: snapshot.octets }
    }
}

impl From<SnapshotError> for Error {
    fn from(error: SnapshotError) -> Self {
        use SnapshotError as E;
        let (status, code) = match &error {
            E::Unknown(_) => (StatusCode::NOT_FOUND, "not_found"),
            E::TooMany => (StatusCode::CONFLICT, "too_many_snapshots"),
            E::TooBig { .. } => (StatusCode::CONFLICT, "no_room_for_snapshots"),
            E::Shared => (StatusCode::CONFLICT, "database_is_shared"),
            E::Newer { .. } => (StatusCode::CONFLICT, "newer_snapshot"),
            E::Foreign(_) => (StatusCode::CONFLICT, "foreign_snapshot"),
            E::Damaged(_) => (StatusCode::CONFLICT, "damaged_snapshot"),
            E::Busy | E::CallsRunning(_) => (StatusCode::CONFLICT, "conflict"),
            E::Failed(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        };
        let answer = Self::new(status, code, &error);
        match error {
            E::Failed(fault) => Self { fault: Some(fault), ..answer },
            _ => answer,
        }
    }
}

fn name(text: &str) -> Result<Name, Error> {
    Name::parse(text).ok_or_else(|| {
        let text = "the name of a snapshot is 1 to 64 lower-case letters, digits, hyphens and underscores, a letter or digit first, \
                    for example before-payment";
        Error::bad("invalid_snapshot", text)
    })
}

pub(super) async fn list(
    State(Management { back, .. }): State<Management>,
) -> Result<Json<serde_json::Value>, Error> {
    let all: Vec<_> = back.snapshots.list().await?.into_iter().map(Shown::from).collect();
    Ok(Json(serde_json::json!({"snapshots": all})))
}

pub(super) async fn save(
    State(Management { sandbox, back, .. }): State<Management>,
    Path(text): Path<String>,
) -> Result<(StatusCode, Json<Shown>), Error> {
    let name = name(&text)?;
    // Written every few seconds otherwise.
    sandbox.gateway.write_last_uses().await?;
    let (saved, is_replaced) = back.snapshots.save(&sandbox.store, name).await?;
    let status = if is_replaced { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(saved.into())))
}

pub(super) async fn remove(
    State(Management { back, .. }): State<Management>,
    Path(text): Path<String>,
) -> Result<Json<serde_json::Value>, Error> {
    back.snapshots.remove(&name(&text)?).await?;
    Ok(Json(serde_json::json!({"removed": 1})))
}

pub(super) async fn restore(
    State(Management { sandbox, back, .. }): State<Management>,
    Path(text): Path<String>,
) -> Result<Json<serde_json::Value>, Error> {
    let name = name(&text)?;
    (back.exchange)(back.snapshots.data(&name, &sandbox.store).await?).await?;
    Ok(Json(serde_json::json!({"restored": name.as_str()})))
}

pub(super) async fn reset(
    State(Management { back, .. }): State<Management>,
) -> Result<Json<serde_json::Value>, Error> {
    (back.exchange)(back.snapshots.no_data().await?).await?;
    Ok(Json(serde_json::json!({"reset": true})))
}
