//! What operators and monitoring ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use gateway::{Gateway, Register};
use http::{StatusCode, header};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::metrics::Metrics;

/// How long the database gets to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What OpenMetrics is sent as.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the answers are made of.
#[derive(Clone)]
pub(super) struct Health {
    pub(super) gateway: Gateway,
    /// False from the moment at which the process is told to stop.
    pub(super) is_ready: Arc<AtomicBool>,
    pub(super) metrics: Arc<Metrics>,
}

/// The routes of the management listener.
pub(super) fn routes(health: Health) -> Router {
    Router::new()
        .route("/health/live", get(async || Json(json!({"status": "live"}))))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .fallback(async || {
            let paths = ["/health/live", "/health/ready", "/metrics"];
            (StatusCode::NOT_FOUND, Json(json!({"error": "not_found", "paths": paths})))
        })
        .with_state(health)
}

/// Whether calls should come here. A core bank that is away is no reason against it: other nodes have no other bank, and
/// callers get an answer that says so.
async fn ready(State(health): State<Health>) -> Response {
    let no =
        |status: &str| (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": status}))).into_response();
    if !health.is_ready.load(Ordering::Relaxed) {
        return no("stopping");
    }
    match health.database().await {
        Some(_) => Json(health.said()).into_response(),
        None => no("the database does not answer"),
    }
}

async fn metrics(State(health): State<Health>) -> Response {
    health.metrics.database(health.database().await);
    match health.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Health {
    /// What a node that is ready says of itself: with the age of the register that it looks into.
    fn said(&self) -> Value {
        let now = self.gateway.system_time();
        let as_of = self.gateway.register_of_institutions().and_then(Register::as_of);
        match as_of.map(|as_of| now.duration_since(as_of).as_secs().max(0)) {
            Some(age) => json!({"status": "ready", "registerAgeSeconds": age}),
            None => json!({"status": "ready"}),
        }
    }

    /// How long the database took to answer; none if it did not.
    async fn database(&self) -> Option<Duration> {
        let begun = Instant::now();
        let drawer = self.gateway.drawer("health");
        match timeout(PATIENCE, drawer.get("health", "")).await {
            Ok(Ok(_)) => Some(begun.elapsed()),
            Ok(Err(error)) => {
                tracing::warn!(error = edge::with_causes(&error), "the database does not answer");
                None
            }
            Err(_) => {
                tracing::warn!("the database does not answer in time");
                None
            }
        }
    }
}
