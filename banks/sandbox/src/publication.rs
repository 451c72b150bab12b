//! What certificates point to: the authority's certificates, its revocation lists and responder, its disclosure statement.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use data_encoding::HEXLOWER;
use edge::with_fault;
use eidas::issue::IssueError;
use gateway::{Clock, Fault};
use http::{StatusCode, header};

use crate::{Sandbox, ocsp};

const DISCLOSURE: &str = "These certificates are for tests. They are issued by a sandbox to anyone who asks, \
prove nothing about their holder, and no bank trusts them.\n";

/// Routes under `/ca`, to be mounted at the root of the bank's public listener.
pub fn publication(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/ca/root.cer", get(async |State(s): State<Sandbox>| certificate(s.authorities.root_der())))
        .route(
            "/ca/issuing.cer",
            get(async |State(s): State<Sandbox>| certificate(s.authorities.issuing_der())),
        )
        .route("/ca/issuing.crl", get(revocation_list))
        .route("/ca/root.crl", get(root_revocation_list))
        .route("/ca/ocsp", post(ocsp::post))
        .route("/ca/ocsp/{*question}", get(ocsp::get))
        .route("/ca/disclosure-statement", get(async || DISCLOSURE))
        .with_state(sandbox)
}

fn certificate(der: &[u8]) -> Response {
    ([(header::CONTENT_TYPE, "application/pkix-cert")], der.to_vec()).into_response()
}

/// A list that cannot be given now. Programs fetch lists, and read no texts.
pub(crate) struct Failed(StatusCode, Fault);

impl From<gateway::Error> for Failed {
    fn from(error: gateway::Error) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, Arc::new(error))
    }
}

impl From<IssueError> for Failed {
    fn from(error: IssueError) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, Arc::new(error))
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        with_fault(self.0.into_response(), Some(self.1))
    }
}

async fn root_revocation_list(State(sandbox): State<Sandbox>) -> Result<Response, Failed> {
    if !sandbox.status_services.has_lists() {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    let times = sandbox.status_services.times(sandbox.clock.now(None));
    let revoked = sandbox.status_services.issuing_revoked();
    Ok(published(sandbox.authorities.root_revocation_list(revoked, times)?))
}

async fn revocation_list(State(sandbox): State<Sandbox>) -> Result<Response, Failed> {
    if !sandbox.status_services.has_lists() {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    let revoked = sandbox.gateway.revoked_certificates().await?;
    let entries: Vec<_> = revoked
        .iter()
        .filter_map(|record| Some((serial_octets(&record.holder.serial)?, record.status.since()?)))
        .collect();
    let times = sandbox.status_services.times(sandbox.clock.now(None));
    Ok(published(sandbox.authorities.revocation_list(&entries, times)?))
}

fn published(list: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/pkix-crl")], list).into_response()
}

fn serial_octets(hex: &str) -> Option<Vec<u8>> {
    let padded = if hex.len().is_multiple_of(2) { hex.to_owned() } else { format!("0{hex}") };
    HEXLOWER.decode(padded.as_bytes()).ok()
}
