//! What a sandbox says about itself at its public addresses, so that a client needs no other address, and knows one
//! sandbox from another.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::call::Call;
use crate::transport::body_of;
use crate::{Error, Transport};

/// Where a sandbox announces itself.
pub const PATH: &str = "/.well-known/vestibule";

/// A sandbox answers at once; whatever does not is asked no further.
const TIME: Duration = Duration::from_secs(3);

/// Most octets of what a sandbox says about itself.
const MAX_ANSWER: usize = 1024 * 1024;

/// A sandbox about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Announcement {
    /// The certificate of its authority, in PEM.
    pub authority: String,
    /// Its management API; absent where this side cannot use it.
    pub management: Option<String>,
    /// The bank with TLS.
    pub tls: Option<String>,
    /// Whether it follows the standards to the letter.
    pub strict: bool,
    /// Whether API calls must present a TLS client certificate.
    pub require_mtls: bool,
    /// Whether everything that it knows is gone once it stops.
    pub ephemeral: bool,
    /// Its branches.
    pub tenants: Vec<AnnouncedTenant>,
}

/// A branch of a sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AnnouncedTenant {
    /// Its name in paths.
    pub name: String,
    /// The day it is there, `YYYY-MM-DD`: its clock can be moved.
    pub today: String,
    /// The country of its accounts (ISO 3166-1); absent from banks that do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Announcement {
    /// What the bank at `bank` announces; absent for whatever is no sandbox.
    ///
    /// The certificate of a listener on this machine is not checked: what it announces is what there is to check it
    /// with. Nothing secret is sent.
    pub async fn of(bank: &str) -> Option<Self> {
        let bank = Url::parse(bank).ok()?;
        let client = reqwest::Client::builder()
            .timeout(TIME)
            .redirect(reqwest::redirect::Policy::none())
            .tls_danger_accept_invalid_certs(is_of_this_machine(&bank))
            .build()
            .ok()?;
        let mut answer = client.get(bank.join(PATH).ok()?).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        let body = body_of(&mut answer, MAX_ANSWER).await.ok()??;
        let mut announced: Self = serde_json::from_slice(&body).ok()?;
        announced.management = announced.management.filter(|url| is_beside(url, &bank));
        Some(announced)
    }

    /// Asks whether anybody answers at `bank`, whatever the answer is.
    ///
    /// # Errors
    /// [`Error::Unreachable`]
    pub async fn ask(transport: &Transport, bank: &str) -> Result<(), Error> {
        let url = format!("{}{PATH}", bank.trim_end_matches('/'));
        match transport.receive(Call::get(url), false).await {
            Err(error @ (Error::Unreachable { .. } | Error::Unresolved { .. })) => Err(error),
            _ => Ok(()),
        }
    }

    /// What tells this sandbox from another: SHA-256 of its authority's certificate, in hexadecimal.
    pub fn fingerprint(&self) -> Option<String> {
        Some(eidas::Certificate::from_pem(&self.authority).ok()?.fingerprint_hex())
    }

    /// The branch to take where nobody names one: that of the Netherlands, or else the first. It is also the one that
    /// speaks the dialect of bunq.
    pub fn usual_tenant(&self) -> Option<&str> {
        let names = || self.tenants.iter().map(|tenant| tenant.name.as_str());
        let dutch = names().find(|name| name.split('_').next() == Some("nl"));
        dutch.or_else(|| names().next())
    }

    /// Whether there is a branch of this name.
    pub fn has_tenant(&self, name: &str) -> bool {
        self.tenants.iter().any(|known| known.name == name)
    }

    /// The country of a branch (ISO 3166-1).
    pub fn country(&self, tenant: &str) -> Option<&str> {
        self.tenants.iter().find(|known| known.name == tenant)?.country.as_deref()
    }

    /// Today at a branch.
    pub fn today(&self, tenant: &str) -> Option<&str> {
        let mut tenants = self.tenants.iter();
        tenants.find(|known| known.name == tenant).map(|known| known.today.as_str())
    }
}

/// Whether an address is of the bank's own host: a bank elsewhere must not choose whom this side asks for certificates
/// and approvals, and another machine's loopback address leads nowhere.
fn is_beside(url: &str, bank: &Url) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    url.host() == bank.host() || (is_of_this_machine(&url) && is_of_this_machine(bank))
}

/// Whether an address leads to this machine.
fn is_of_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bank_names_addresses_of_its_own_host_alone() {
        for (management, bank, is_taken) in [
            ("http://127.0.0.1:8081", "http://127.0.0.1:8080", true),
            ("http://127.0.0.1:8081", "https://localhost:8443", true),
            ("http://[::1]:8081", "http://127.0.0.1:8080", true),
            ("http://bank.test:8081", "https://bank.test", true),
            ("http://127.0.0.1:8081", "https://bank.test", false),
            ("http://evil.test:8081", "http://127.0.0.1:8080", false),
            ("evil", "http://127.0.0.1:8080", false),
        ] {
            assert_eq!(is_beside(management, &Url::parse(bank).unwrap()), is_taken, "{management} {bank}");
        }
    }
}
