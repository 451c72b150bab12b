//! Services of the standard that this bank does not offer: whoever asks for one is told so, and what there is instead.

use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::response::IntoResponse;
use axum::routing::any;
use edge::{Edge, Rejected};
use gateway::domain::RequestId;
use http::{StatusCode, header};

use crate::error::Error;

/// Paths of a tenant, each with what there is instead (NextGenPSD2 1.3.11, and its extension for trusted beneficiaries).
const NOT_OFFERED: &[(&str, &str)] = &[
    (
        "signing-baskets",
        "signing baskets are not offered; have each payment and each consent authorised by itself",
    ),
    (
        "trusted-beneficiaries",
        "lists of trusted beneficiaries are not offered; no payment is exempt from authentication",
    ),
];

/// Adds the paths to a dialect. All methods get the same answer, and none is allowed.
pub(crate) fn route(router: Router<Edge>) -> Router<Edge> {
    NOT_OFFERED.iter().fold(router, |router, (service, text)| {
        let answer = move |State(edge), Path(path), id| refuse(edge, path, id, text);
        router
            .route(&format!("/{{tenant}}/v1/{service}"), any(answer))
            // A slash at the end is taken at every path.
            .route(&format!("/{{tenant}}/v1/{service}/"), any(answer))
            .route(&format!("/{{tenant}}/v1/{service}/{{*rest}}"), any(answer))
    })
}

async fn refuse(
    edge: Edge,
    path: Vec<(String, String)>,
    Extension(id): Extension<RequestId>,
    text: &'static str,
) -> Result<impl IntoResponse, Error> {
    let (_, tenant) = path.first().ok_or(Rejected::NotFound)?;
    edge.gateway.context(tenant, id).ok_or(Rejected::NotFound)?;
    Ok(([(header::ALLOW, "")], Error::new(StatusCode::METHOD_NOT_ALLOWED, "SERVICE_INVALID", text)))
}
