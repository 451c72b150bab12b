//! The bank's own services, which may ask what a token is worth (RFC 7662).

use axum::Json;
use axum::extract::{Request, State};
use http::StatusCode;
use serde::Deserialize;

use super::{Error, json};
use crate::Sandbox;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceServerRequest {
    id: String,
}

/// Lets a service ask, or gives it a new secret, which is shown this one time.
pub(super) async fn put(
    State(sandbox): State<Sandbox>,
    request: Request,
) -> Result<(StatusCode, Json<serde_json::Value>), Error> {
    let ResourceServerRequest { id } = json(request).await?;
    let fits =
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !fits {
        return Err(Error::bad(
            "invalid_id",
            "id must have 1 to 64 letters, digits, dots, dashes and underscores",
        ));
    }
    let secret = sandbox.gateway.put_resource_server(&id).await?;
    Ok((StatusCode::CREATED, Json(serde_json::json!({"id": id, "secret": secret}))))
}
