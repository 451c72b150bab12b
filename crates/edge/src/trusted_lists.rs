//! Trusted lists at the addresses where they are published. The address of the list of lists is staff's own; those in it came from
//! outside, and are fetched as those in certificates are, unless they lead to the same place.

use std::time::Duration;

use gateway::revocation::Fetch;
use http::StatusCode;
use url::Url;

use crate::certificate_addresses::CertificateAddresses;
use crate::outbound::{CONNECT_TIME, cautious};

/// Longest time for a list of staff's own place.
const TOTAL_TIME: Duration = Duration::from_secs(30);

/// Largest list, in bytes.
const MAX_LIST: usize = 20 * 1024 * 1024;

/// Fetches lists.
#[derive(Debug)]
pub struct ListAddresses {
    own: Url,
    client: reqwest::Client,
    others: CertificateAddresses,
}

impl ListAddresses {
    /// With the address of the list of lists.
    ///
    /// # Errors
    /// What the system says when nothing can be fetched.
    pub fn new(own: Url) -> Result<Self, String> {
        let client = cautious(CONNECT_TIME, TOTAL_TIME).build().map_err(|error| error.to_string())?;
        Ok(Self { own, client, others: CertificateAddresses::default() })
    }

    /// Fetches the list of lists.
    ///
    /// # Errors
    /// Why there is nothing, for the log.
    pub async fn list_of_lists(&self) -> Result<Vec<u8>, String> {
        self.fetch_own(self.own.clone()).await
    }

    /// Whether this is the address of the list of lists that staff gave.
    pub fn is_own(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|url| url == self.own)
    }

    /// Fetches a list that the list of lists points to.
    ///
    /// # Errors
    /// Why there is nothing, for the log.
    pub async fn list(&self, address: &str) -> Result<Vec<u8>, String> {
        match Url::parse(address) {
            Ok(url) if url.origin() == self.own.origin() => self.fetch_own(url).await,
            _ => self.others.list(address).await,
        }
    }

    async fn fetch_own(&self, url: Url) -> Result<Vec<u8>, String> {
        let unreachable = |_| "it cannot be reached".to_owned();
        let mut answer = self.client.get(url).send().await.map_err(unreachable)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("it answers with status {}", answer.status().as_u16()));
        }
        let mut octets = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if octets.len() + chunk.len() > MAX_LIST {
                return Err(format!("it answers with more than {MAX_LIST} bytes"));
            }
            octets.extend_from_slice(&chunk);
        }
        Ok(octets)
    }
}
