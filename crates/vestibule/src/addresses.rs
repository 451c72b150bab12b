//! Where a bank can be reached, and the first commands there.

use std::path::PathBuf;

use serde::Serialize;

/// Where a running sandbox can be reached.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Addresses {
    /// The bank for browsers and callers without TLS.
    pub public: String,
    /// The bank with TLS.
    pub tls: Option<String>,
    /// The management API.
    pub management: String,
    /// Names of the tenants.
    pub tenants: Vec<String>,
    /// The seed of names, ids and numbers, if there is one.
    pub seed: Option<u64>,
    /// The data folder; none if everything is in memory or in a database elsewhere.
    pub data: Option<PathBuf>,
    /// Whether everything is in memory and gone at the end.
    #[serde(skip)]
    pub ephemeral: bool,
    /// Whether the bank follows the standards to the letter.
    pub strict: bool,
    /// Whether API calls must present a TLS client certificate.
    pub require_mtls: bool,
}

impl Addresses {
    /// The command that registers a third party at a tenant, for a program under this name.
    pub fn next_command(&self, program: &str, tenant: &str) -> String {
        format!("{program} tpp register {} --redirect-uri https://tpp.example/callback", self.options(tenant))
    }

    /// The command that reads a first balance at a tenant, for a program under this name.
    pub fn flow_command(&self, program: &str, tenant: &str) -> String {
        format!("{program} tpp flow ais --headless approve {}", self.options(tenant))
    }

    /// The tenant that comes first.
    pub fn first_tenant(&self) -> &str {
        self.tenants.first().map_or("nl", String::as_str)
    }

    /// The options that lead a command here. Everything else is announced.
    fn options(&self, tenant: &str) -> String {
        let bank = self.tls.as_ref().filter(|_| self.require_mtls).unwrap_or(&self.public);
        format!("--bank {bank} --tenant {tenant}")
    }
}
