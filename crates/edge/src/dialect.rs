//! A dialect: one bank's way to speak, mounted under its own prefix.

use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use gateway::domain::{CustomerId, SecretHash, Tenant, TppId};
use gateway::{Fault, Gateway};
use http::{HeaderMap, StatusCode};

use crate::due::Due;
use crate::failures::Failing;
use crate::openapi::Description;
use crate::outbound::Loopback;

/// What a dialect's handlers need. Every call gets a clone of it, so cloning is cheap and shares it.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The interface that this is for, by the name under which observers know it.
    pub(crate) interface: Option<&'static str>,
    shared: Arc<Surroundings>,
}

/// What an [`Edge`] consists of.
#[derive(Debug)]
pub struct Surroundings {
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

impl Edge {
    /// Puts together what is shared.
    pub fn new(surroundings: Surroundings) -> Self {
        Self { interface: None, shared: Arc::new(surroundings) }
    }

    /// The same for an interface, by the name under which observers know it.
    pub fn at(&self, interface: &'static str) -> Self {
        Self { interface: Some(interface), ..self.clone() }
    }
}

impl Deref for Edge {
    type Target = Surroundings;

    fn deref(&self) -> &Surroundings {
        &self.shared
    }
}

/// A dialect that this build can serve.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Its name in messages and configuration.
    pub name: &'static str,
    /// What people know it by.
    pub title: &'static str,
    /// The path prefix it is mounted under, for example `/xs2a-bg`.
    pub prefix: &'static str,
    /// The path at which its API begins, with `{tenant}` where each branch has its own.
    pub base: &'static str,
    /// A path of the host at which it answers too, for clients that know no prefix. Its router gets it as it is.
    pub also: Option<&'static str>,
    /// Sets it up, once for a server.
    pub mount: fn(Edge) -> Mounted,
    /// Its description, for a bank with this public address.
    pub description: fn(&str) -> Description,
    /// How it fails where a test wants it to.
    pub failing: Failing,
}

/// A dialect that was set up. Its parts share one state.
pub struct Mounted {
    /// Its routes.
    pub router: Router,
    /// Where browsers arrive with authorization requests of its own.
    pub entrances: Vec<Entrance>,
    /// Tells what customers of a bank for tests need at this interface, if they have credentials of their own there.
    pub door: Option<Door>,
    /// Tells by which secret a third party's client is known at this interface, if it keeps clients of its own.
    pub client_secret: Option<ClientSecret>,
    /// What comes due as time goes by, if there is such a thing.
    pub due: Option<Arc<dyn Due>>,
    /// Tells which third party calls, where that does not stand in a certificate.
    pub caller: Option<Caller>,
}

impl From<Router> for Mounted {
    fn from(router: Router) -> Self {
        Self { router, entrances: Vec::new(), door: None, client_secret: None, due: None, caller: None }
    }
}

impl std::fmt::Debug for Mounted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mounted").field("entrances", &self.entrances).finish_non_exhaustive()
    }
}

/// Tells what a customer needs to come in through an interface: JSON, or null if that does not serve their branch.
pub type Door = Arc<
    dyn Fn(
            Tenant,
            CustomerId,
        ) -> Pin<Box<dyn Future<Output = Result<serde_json::Value, gateway::Error>> + Send>>
        + Send
        + Sync,
>;

/// Tells the hash of the secret of the client that a third party has at an interface now; none if it has none there.
pub type ClientSecret = Arc<
    dyn Fn(TppId) -> Pin<Box<dyn Future<Output = Result<Option<SecretHash>, gateway::Error>> + Send>>
        + Send
        + Sync,
>;

/// Tells which third party a call with these headers comes from, if it can be told. Nothing is checked by it.
pub type Caller = Arc<dyn Fn(HeaderMap) -> Pin<Box<dyn Future<Output = Option<TppId>> + Send>> + Send + Sync>;

/// What came of an authorization request: the secret of the session in which the customer logs in, or why there is none.
pub type Beginning = Pin<Box<dyn Future<Output = Result<String, NotBegun>> + Send>>;

/// Why an authorization request led to no session.
#[derive(Debug)]
pub struct NotBegun {
    /// The status of the answer.
    pub status: StatusCode,
    /// What is wrong, for whoever asked.
    pub text: String,
    /// What is behind it, if the gateway failed.
    pub fault: Option<Fault>,
}

/// Where browsers arrive with authorization requests, for tests that decide without a browser.
#[derive(Clone)]
pub struct Entrance {
    /// The path, for example `/bunq/auth`.
    pub path: &'static str,
    /// Takes a request with this query, as if a browser had brought it.
    pub begin: Arc<dyn Fn(String) -> Beginning + Send + Sync>,
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entrance").field("path", &self.path).finish_non_exhaustive()
    }
}
