//! A dialect: one bank's way to speak, mounted under its own prefix.

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use gateway::Gateway;
use http::StatusCode;

use crate::outbound::Loopback;

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
    /// Whether callbacks may go to the bank's own machine.
    pub loopback: Loopback,
}

/// A dialect that this build can serve.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Its name in messages and configuration.
    pub name: &'static str,
    /// The path prefix it is mounted under, for example `/xs2a-bg`.
    pub prefix: &'static str,
    /// A path of the host at which it answers too, for clients that know no prefix. Its router gets it as it is.
    pub also: Option<&'static str>,
    /// Makes its router.
    pub mount: fn(Edge) -> Router,
    /// Where browsers arrive with authorization requests of its own.
    pub entrances: &'static [Entrance],
}

/// What came of an authorization request: the secret of the session in which the customer logs in, or a status with a
/// text that says what is wrong.
pub type Beginning = Pin<Box<dyn Future<Output = Result<String, (StatusCode, String)>> + Send>>;

/// Where browsers arrive with authorization requests, for tests that decide without a browser.
#[derive(Debug, Clone, Copy)]
pub struct Entrance {
    /// The path, for example `/bunq/auth`.
    pub path: &'static str,
    /// Takes a request with this query, as if a browser had brought it.
    pub begin: fn(Edge, String) -> Beginning,
}
