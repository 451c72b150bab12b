//! Responders and revocation lists at the addresses that certificates name: what keeps them from leading the bank to where only it
//! gets, and from holding it up (section 6.3 of the security description).

use std::collections::HashMap;
use std::net::SocketAddr;

use gateway::revocation::{Fetch, Fetched};
use http::{StatusCode, header};
use reqwest::RequestBuilder;
use url::{Host, Url};

use crate::outbound::{CONNECT_TIME, NotDelivered, OF_CERTIFICATES, client, is_public, look_up, read_url};

/// Largest answer of a responder, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Largest revocation list, in bytes.
const MAX_LIST: usize = 20 * 1024 * 1024;

/// Fetches from them. What is fetched is signed, so that http does.
#[derive(Debug, Default)]
pub struct CertificateAddresses {
    /// Hosts that are reached elsewhere than where their names lead.
    hosts: HashMap<String, SocketAddr>,
}

impl CertificateAddresses {
    /// With the hosts that whoever runs the bank reaches at other addresses than those of their names: through a relay in a
    /// network without a way out, or for tests at this machine.
    pub fn new(hosts: impl IntoIterator<Item = (String, SocketAddr)>) -> Self {
        let hosts = hosts.into_iter().map(|(host, address)| (host.to_ascii_lowercase(), address));
        Self { hosts: hosts.collect() }
    }

    async fn fetch(
        &self,
        url: &str,
        request: impl FnOnce(&reqwest::Client, Url) -> RequestBuilder,
        limit: usize,
    ) -> Result<Vec<u8>, String> {
        let text = |error: NotDelivered| error.to_string();
        let url = check_url(url).map_err(text)?;
        let addresses = self.addresses(&url).await.map_err(text)?;
        let client = client(&url, &addresses, None, false).ok_or(NotDelivered::Unreachable).map_err(text)?;
        let unreachable = |_| text(NotDelivered::Unreachable);
        let mut answer = request(&client, url).send().await.map_err(unreachable)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("it answers with status {}", answer.status().as_u16()));
        }
        let mut octets = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if octets.len() + chunk.len() > limit {
                return Err(format!("it answers with more than {limit} bytes"));
            }
            octets.extend_from_slice(&chunk);
        }
        Ok(octets)
    }

    /// Where a host is reached.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, NotDelivered> {
        if let Some(address) = url.host_str().and_then(|host| self.hosts.get(host)) {
            return Ok(vec![*address]);
        }
        let found = tokio::time::timeout(CONNECT_TIME, look_up(url, &OF_CERTIFICATES)).await;
        let found = found.ok().flatten().ok_or(NotDelivered::Unreachable)?;
        if found.is_empty() || !found.iter().all(|address| is_public(address.ip())) {
            return Err(NotDelivered::Unreachable);
        }
        Ok(found)
    }
}

impl Fetch for CertificateAddresses {
    fn ask<'a>(&'a self, url: &'a str, question: &'a [u8]) -> Fetched<'a> {
        let post = |client: &reqwest::Client, url| {
            let request = client.post(url).header(header::CONTENT_TYPE, "application/ocsp-request");
            request.body(question.to_vec())
        };
        Box::pin(self.fetch(url, post, MAX_ANSWER))
    }

    fn list<'a>(&'a self, url: &'a str) -> Fetched<'a> {
        Box::pin(self.fetch(url, |client, url| client.get(url), MAX_LIST))
    }
}

/// Checks an address that a certificate names: names of hosts alone, at the port of the scheme.
fn check_url(text: &str) -> Result<Url, NotDelivered> {
    let wrong = |what| Err(NotDelivered::Address(what));
    let url = read_url(text)?;
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(Host::Domain(_))) if url.port().is_none() => Ok(url),
        ("http" | "https", Some(Host::Domain(_))) => wrong("must be at port 80 or 443"),
        ("http" | "https", _) => wrong("must have the name of a host instead of an IP address"),
        _ => wrong("must begin with http:// or https://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_name_hosts_at_the_ports_of_the_web() {
        for (url, why) in [
            ("ldap://pki.example/x", "begin with http"),
            ("file:///etc/passwd", "begin with http"),
            ("http://pki.example:8080/x", "port 80 or 443"),
            ("http://127.0.0.1/x", "instead of an IP address"),
            ("http://[::1]/x", "instead of an IP address"),
            ("http://169.254.169.254/latest", "instead of an IP address"),
            ("http://me@pki.example/x", "user name"),
            ("pki.example", "no URL"),
        ] {
            let refused = check_url(url).unwrap_err().to_string();
            assert!(refused.contains(why), "{url}: {refused}");
        }
        for url in ["http://pki.example/ca.crl", "https://pki.example:443/ocsp"] {
            assert!(check_url(url).is_ok(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_called_unless_the_bank_says_where() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = nobody.local_addr().unwrap();
        let inside = CertificateAddresses::default();
        assert_eq!(
            inside.list("http://localhost/ca.crl").await.unwrap_err(),
            "the address could not be reached"
        );
        let url = Url::parse("http://localhost/ca.crl").unwrap();
        let named = CertificateAddresses::new([("LocalHost".to_owned(), address)]);
        assert_eq!(named.addresses(&url).await, Ok(vec![address]));
    }
}
