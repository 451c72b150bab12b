//! The calls of a flow as an archive. Its page knows what it sent and got; secrets are masked here, as the recorder of calls
//! does it, so that there is one place that knows them.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use edge::recording::{Told, har};
use edge::{Connection, MAX_BODY, Rejected, read_body, read_json, require_json};
use http::{StatusCode, header};
use serde::Deserialize;

use crate::settings::Portal;

/// What a page says.
#[derive(Deserialize)]
struct Flow {
    /// Its calls, in their order.
    calls: Vec<Told>,
}

/// Routes of the archive.
pub(crate) fn routes() -> Router<Portal> {
    Router::new().route("/portal/flow.har", post(archive))
}

async fn archive(State(portal): State<Portal>, request: Request) -> Response {
    match read(&portal, request).await {
        Ok(response) => response,
        Err((status, text)) => (status, [(header::CACHE_CONTROL, "no-store")], text).into_response(),
    }
}

async fn read(portal: &Portal, request: Request) -> Result<Response, (StatusCode, String)> {
    let refused = |rejected: Rejected| (rejected.status(), rejected.to_string());
    let (parts, body) = request.into_parts();
    require_json(&parts.headers).map_err(refused)?;
    let connection = parts.extensions.get::<Connection>();
    let body = read_body(body, MAX_BODY, connection).await.map_err(refused)?;
    let wrong = |text: String| (StatusCode::BAD_REQUEST, text);
    let flow: Flow = read_json(&body).map_err(|error| wrong(format!("the body: {error}")))?;
    let origin = connection.map_or(portal.settings.public(), |connection| &*connection.origin);
    let calls = flow.calls.into_iter().enumerate().map(|(place, told)| {
        let call = told.as_call(place as u64, origin, parts.version);
        call.map_err(|error| wrong(format!("calls[{place}].{error}")))
    });
    let calls = calls.collect::<Result<Vec<_>, _>>()?;
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers, axum::Json(har(&calls))).into_response())
}
