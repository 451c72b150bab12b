//! The trusted lists, and what moves them.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use gateway::Clock;
use http::{HeaderMap, StatusCode, header};

use super::{Error, json};
use crate::Sandbox;
use crate::trusted_lists::{COUNTRY, Said};

/// Lists as they are sent (TS 119 612, 6.3).
const LIST: &str = "application/vnd.etsi.tsl+xml";

pub(super) async fn list_of_lists(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let national = format!("http://{host}/trusted-lists/{COUNTRY}.xml");
    let now = sandbox.clock.now(None);
    published(sandbox.trusted_lists.list_of_lists(&sandbox.authorities, national, now))
}

pub(super) async fn national(State(sandbox): State<Sandbox>) -> Result<Response, Error> {
    published(sandbox.trusted_lists.national(&sandbox.authorities, sandbox.clock.now(None)))
}

fn published(list: Result<String, String>) -> Result<Response, Error> {
    match list {
        Ok(list) => Ok(([(header::CONTENT_TYPE, LIST)], list).into_response()),
        Err(why) => Err(Error::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", why)),
    }
}

pub(super) async fn read(State(sandbox): State<Sandbox>) -> Json<Said> {
    Json(sandbox.trusted_lists.now().0)
}

pub(super) async fn set(State(sandbox): State<Sandbox>, request: Request) -> Result<Json<Said>, Error> {
    let said: Said = json(request).await?;
    if let Some(problem) = said.problem() {
        return Err(Error::bad("invalid_trusted_lists", problem));
    }
    sandbox.trusted_lists.set(said.clone(), sandbox.clock.now(None));
    Ok(Json(said))
}
