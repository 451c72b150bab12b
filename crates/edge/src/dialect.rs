//! A dialect: one bank's way to speak, mounted under its own prefix.

use std::sync::Arc;

use axum::Router;
use gateway::Gateway;

/// What a dialect's handlers need.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The use cases.
    pub gateway: Gateway,
    /// Where browsers reach the bank: scheme and authority without a trailing slash.
    pub public_url: Arc<str>,
    /// Where callers with a TLS client certificate reach the bank, if there is such a listener.
    pub mtls_url: Option<Arc<str>>,
    /// Whether calls to an API must present a TLS client certificate.
    pub require_mtls: bool,
    /// Whether refusals say what was expected and what came (sandbox) or only the code.
    pub explain: bool,
}

/// A dialect that this build can serve.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Its name in messages and configuration.
    pub name: &'static str,
    /// The path prefix it is mounted under, for example `/xs2a-bg`.
    pub prefix: &'static str,
    /// Makes its router.
    pub mount: fn(Edge) -> Router,
}
