//! What certificates point to: the authority's certificates, its revocation list, its disclosure statement.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gateway::Clock;
use http::{StatusCode, header};

use crate::Sandbox;

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
        .route("/ca/disclosure-statement", get(async || DISCLOSURE))
        .with_state(sandbox)
}

fn certificate(der: &[u8]) -> Response {
    ([(header::CONTENT_TYPE, "application/pkix-cert")], der.to_vec()).into_response()
}

async fn root_revocation_list(State(sandbox): State<Sandbox>) -> Response {
    answer(sandbox.authorities.root_revocation_list(sandbox.clock.now(None)))
}

async fn revocation_list(State(sandbox): State<Sandbox>) -> Response {
    let revoked = match sandbox.gateway.revoked_certificates().await {
        Ok(records) => records,
        Err(error) => {
            tracing::error!(%error, "revocation list");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let entries: Vec<_> = revoked
        .iter()
        .filter_map(|record| Some((serial_octets(&record.holder.serial)?, record.status.since()?)))
        .collect();
    answer(sandbox.authorities.revocation_list(&entries, sandbox.clock.now(None)))
}

fn answer(list: Result<Vec<u8>, eidas::issue::IssueError>) -> Response {
    match list {
        Ok(der) => ([(header::CONTENT_TYPE, "application/pkix-crl")], der).into_response(),
        Err(error) => {
            tracing::error!(%error, "revocation list");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn serial_octets(hex: &str) -> Option<Vec<u8>> {
    let padded = if hex.len().is_multiple_of(2) { hex.to_owned() } else { format!("0{hex}") };
    (0..padded.len()).step_by(2).map(|at| u8::from_str_radix(padded.get(at..at + 2)?, 16).ok()).collect()
}
