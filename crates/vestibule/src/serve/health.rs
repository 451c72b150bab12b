//! What operators and monitoring ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::core_bank::CoreBank;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use gateway::domain::OLDEST_REGISTER;
use gateway::{Gateway, Register};
use http::{StatusCode, header};
use serde_json::json;
use tokio::time::timeout;

use super::metrics::Metrics;
use super::spool::Spool;
use crate::tasks::Telling;

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
    /// The way to the core bank.
    pub(super) core_bank: Option<CoreBank>,
    /// Where calls stand until they are in the audit trail.
    pub(super) spool: Arc<Spool>,
    /// Tells the log whether the database answers: load balancers ask many times a second.
    pub(super) telling: Arc<Telling>,
}

/// What the log is told of the database.
pub(super) fn telling() -> Arc<Telling> {
    Arc::new(Telling::of(["the database does not answer", "the database answers again"]))
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

/// Whether calls should come here, and which part is not as it should be. A core bank that is away is told, and is no reason
/// against it: other nodes have no other bank, and callers get an answer that says so. The same holds of a register that is too old, of
/// calls that no file takes, which are in the trail within a second, and of a clock, since nobody knows whose is wrong.
async fn ready(State(health): State<Health>) -> Response {
    if !health.is_ready.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "stopping"}))).into_response();
    }
    let mut parts = serde_json::Map::new();
    if health.core_bank.as_ref().is_some_and(|bank| bank.way().rests) {
        parts.insert("core_bank".to_owned(), json!("it did not answer the last calls; callers get 503"));
    }
    if health.has_old_register() {
        let text = "it is older than seven days, and nobody is looked up in it; callers get 503 where unlisted is \"refuse\"";
        parts.insert("register".to_owned(), json!(text));
    }
    if !health.spool.is_kept() {
        let text = "no file takes calls, so that those that are not in the trail yet are lost if the process is killed; the log says why";
        parts.insert("audit".to_owned(), json!(text));
    }
    if health.gateway.has_wrong_clock() {
        let text = "it is not that of the database: nothing is forgotten here, and nothing is done for other nodes; the log says by how much";
        parts.insert("clock".to_owned(), json!(text));
    }
    let (status, word) = match health.database().await {
        Ok(_) => (StatusCode::OK, "ready"),
        Err(why) => {
            parts.insert("database".to_owned(), json!(why));
            (StatusCode::SERVICE_UNAVAILABLE, "not ready")
        }
    };
    let mut body = json!({"status": word});
    if !parts.is_empty() {
        body["parts"] = parts.into();
    }
    if let Some(age) = health.register_age() {
        body["registerAgeSeconds"] = json!(age);
    }
    (status, Json(body)).into_response()
}

async fn metrics(State(health): State<Health>) -> Response {
    health.metrics.database(health.database().await.ok());
    health.metrics.spool(health.spool.is_kept());
    match health.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Health {
    /// How old the register is that this node looks into, in seconds.
    fn register_age(&self) -> Option<i64> {
        let as_of = self.gateway.register_of_institutions()?.as_of()?;
        Some(self.gateway.system_time().duration_since(as_of).as_secs().max(0))
    }

    /// Whether the register that this node looks into is too old to be used.
    fn has_old_register(&self) -> bool {
        let as_of = self.gateway.register_of_institutions().and_then(Register::as_of);
        as_of.is_some_and(|as_of| self.gateway.system_time().duration_since(as_of) > OLDEST_REGISTER)
    }

    /// How long the database took to answer, or why it did not.
    async fn database(&self) -> Result<Duration, &'static str> {
        let begun = Instant::now();
        let drawer = self.gateway.drawer("health");
        let (answer, told) = match timeout(PATIENCE, drawer.get("health", "")).await {
            Ok(Ok(_)) => (Ok(begun.elapsed()), Ok(())),
            Ok(Err(error)) => (Err("it does not answer; the log says why"), Err(edge::with_causes(&error))),
            Err(_) => {
                let text = "it does not answer in time";
                (Err(text), Err(text.to_owned()))
            }
        };
        self.telling.tell(told);
        answer
    }
}
