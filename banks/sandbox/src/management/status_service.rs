//! What the authority does for whoever asks how its certificates stand.

use axum::Json;
use axum::extract::{Request, State};
use gateway::Clock;

use super::{Error, json};
use crate::Sandbox;
use crate::status_services::StatusService;

pub(super) async fn read(State(sandbox): State<Sandbox>) -> Json<StatusService> {
    Json(sandbox.status_services.now())
}

pub(super) async fn set(
    State(sandbox): State<Sandbox>,
    request: Request,
) -> Result<Json<StatusService>, Error> {
    let service: StatusService = json(request).await?;
    if let Some(problem) = service.problem() {
        return Err(Error::bad("invalid_status_service", problem));
    }
    sandbox.status_services.set(service, sandbox.clock.now(None));
    Ok(Json(service))
}
