//! What the pages tell about the bank that runs here.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use bytes::Bytes;
use domain::{Date, Language};
use edge::Recorder;
use http::HeaderValue;

/// What the portal is told about its bank when it starts.
pub struct Settings {
    /// Version of the program.
    pub version: String,
    /// What can be called, under which address.
    pub addresses: Vec<Address>,
    /// Origin of the management API.
    pub management: String,
    /// The secret by which the management API knows the portal's pages.
    pub token: String,
    /// The bank's own origins: its pages are reached there, and the management API answers them alone. The first one is
    /// where the bank says that it is.
    pub origins: Vec<String>,
    /// Whether the interfaces want a TLS client certificate, which scripts of a page cannot show.
    pub require_mtls: bool,
    /// What tells this bank from another one at the same address, for instance after a start with no data: what a browser
    /// keeps is kept for one bank.
    pub bank: String,
    /// The calls that the bank received, if it keeps any.
    pub calls: Option<Arc<Recorder>>,
    /// The tenants, each with its day; asked for each page, because clocks move.
    pub tenants: Arc<dyn Fn() -> Vec<TenantDay> + Send + Sync>,
    /// The command that registers a third party at a tenant.
    pub next_command: Arc<dyn Fn(&str) -> String + Send + Sync>,
    /// The command that goes from nothing to a first balance at a tenant.
    pub flow_command: Arc<dyn Fn(&str) -> String + Send + Sync>,
    /// The interfaces, in the order in which they are listed.
    pub descriptions: Vec<Description>,
}

/// The description of an interface.
#[derive(Clone)]
pub struct Description {
    /// Its name in paths.
    pub name: &'static str,
    /// The address of the interface, for a description that leaves it open.
    pub server: String,
    /// The dialect whose rules calls are signed by; empty for none.
    pub signed_as: &'static str,
    /// Gives it in JSON.
    pub json: Arc<dyn Fn() -> Bytes + Send + Sync>,
}

/// Addresses of a sandbox with no options, as guides name them.
const DEFAULT_ADDRESSES: [&str; 3] =
    ["http://127.0.0.1:8080", "https://127.0.0.1:8443", "http://127.0.0.1:8081"];

impl Settings {
    /// Where the bank says that it is.
    pub(crate) fn public(&self) -> &str {
        self.origins.first().map_or("", String::as_str)
    }

    /// A text of a guide with this bank's addresses.
    pub(crate) fn with_own_addresses(&self, text: &str) -> String {
        let [public, tls, management] = DEFAULT_ADDRESSES;
        let own_tls = self.origins.iter().find(|origin| origin.starts_with("https:"));
        text.replace(public, self.public())
            .replace(tls, own_tls.map_or(tls, String::as_str))
            .replace(management, &self.management)
    }
}

/// One address with what it is for.
#[derive(Debug, Clone)]
pub struct Address {
    /// What it is for.
    pub label: String,
    /// The URL.
    pub url: String,
}

/// A tenant and its day.
#[derive(Debug, Clone)]
pub struct TenantDay {
    /// Name of the tenant.
    pub name: String,
    /// Its day by its own clock.
    pub today: Date,
}

impl TenantDay {
    /// The day as people write it.
    pub(crate) fn written(&self) -> String {
        web::day(Language::English, self.today)
    }
}

impl Debug for Settings {
    /// Without the token.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// What every handler has: the settings, and what follows from them once.
#[derive(Clone)]
pub(crate) struct Portal {
    pub(crate) settings: Arc<Settings>,
    /// Content security policy of every page.
    pub(crate) policy: HeaderValue,
}

impl Portal {
    pub(crate) fn new(settings: Settings) -> Self {
        let policy = |connect: &str| {
            format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {connect}; \
                 form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            )
        };
        // An origin with characters that no header has is called by nobody.
        let policy = HeaderValue::from_str(&policy(&format!("'self' {}", settings.management)))
            .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; style-src 'self'"));
        Self { settings: Arc::new(settings), policy }
    }

    /// Whether a page that is asked for at this host is at one of the bank's own origins.
    pub(crate) fn is_own(&self, host: &str) -> bool {
        let is_of_host = |origin: &String| origin.split_once("://").is_some_and(|(_, own)| own == host);
        self.settings.origins.iter().any(is_of_host)
    }
}
