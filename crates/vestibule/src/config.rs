//! How a sandbox is to run.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use edge::{CallLog, Observer};
use gateway::Profiles;
use gateway::domain::{Tenant, Timestamp};
use gateway::provider::IdentityProvider;
use oauth::IdTokenAlgorithm;

use crate::profiles::{self, RateLimits, Strictness};

/// Everything that the command line can say about a sandbox.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Address of the bank without TLS, for example `127.0.0.1:8080`; port 0 takes any free one.
    pub listen: String,
    /// Address of the bank with TLS; none to do without.
    pub tls_listen: Option<String>,
    /// Address of the management API.
    pub management_listen: String,
    /// Where the bank's data are.
    pub data: DataLocation,
    /// Seed of names, ids and numbers, which can be computed then; without one the system draws them.
    pub seed: Option<u64>,
    /// The moment at which the bank's time begins, its clocks run on from there; the system's time without one. TLS
    /// keeps the system's time.
    pub begin: Option<Timestamp>,
    /// Branches.
    pub tenants: Vec<Tenant>,
    /// Where browsers reach the bank; by default the address without TLS.
    pub public_url: Option<String>,
    /// How the bank runs each of its interfaces, as strict or lenient as it is.
    pub profiles: fn(Strictness, RateLimits) -> Profiles,
    /// How much the bank puts up with.
    pub strictness: Strictness,
    /// How often it may be called.
    pub rate_limits: RateLimits,
    /// Whether it makes payments to other countries and in other currencies.
    pub cross_border_payments: bool,
    /// How many of a hundred good calls are refused, as the standards allow it; 0 to 100.
    pub misbehaves: u8,
    /// Where customers authenticate instead of at the bank's page, to try out a provider that a bank would have.
    pub provider: Option<Arc<dyn IdentityProvider>>,
    /// Whether API calls must present a TLS client certificate.
    pub require_mtls: bool,
    /// PEM files with further authorities to trust.
    pub trusted_authorities: Vec<PathBuf>,
    /// Whether these are asked by OCSP and revocation list if they revoked certificates that are presented.
    pub check_revocation: bool,
    /// Where hosts are reached that certificates name, instead of at the addresses of their names.
    pub hosts: Vec<(String, SocketAddr)>,
    /// How ID tokens are signed.
    pub id_token_algorithm: IdTokenAlgorithm,
    /// Whether refusals say what was expected and what came.
    pub explain: bool,
    /// Whether the calls that came last are kept in memory, with secrets masked, for whoever looks at them.
    pub record_calls: bool,
    /// Who is told of each call.
    pub observer: Arc<dyn Observer>,
}

/// Where a bank's data are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataLocation {
    /// In memory, gone at the end.
    Memory,
    /// In this folder.
    Folder(PathBuf),
    /// In a PostgreSQL database, which other processes may share.
    Database(DatabaseAddress),
}

/// The address of a PostgreSQL database. It may hold a password, and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseAddress(String);

impl DatabaseAddress {
    /// The address itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for DatabaseAddress {
    fn from(address: String) -> Self {
        Self(address)
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DatabaseAddress(…)")
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            tls_listen: Some("127.0.0.1:8443".to_owned()),
            management_listen: "127.0.0.1:8081".to_owned(),
            data: DataLocation::Memory,
            seed: None,
            begin: None,
            tenants: ["nl", "be_fr", "be_nl", "uk"]
                .iter()
                .filter_map(|name| Tenant::parse(name).ok())
                .collect(),
            public_url: None,
            profiles: profiles::of_sandbox,
            strictness: Strictness::Lenient,
            rate_limits: RateLimits::On,
            cross_border_payments: false,
            misbehaves: 0,
            provider: None,
            require_mtls: false,
            trusted_authorities: Vec::new(),
            check_revocation: false,
            hosts: Vec::new(),
            id_token_algorithm: IdTokenAlgorithm::Rs256,
            explain: true,
            record_calls: true,
            observer: Arc::new(CallLog),
        }
    }
}
