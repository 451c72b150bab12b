//! The connection a request came in on. The listener puts it into the request.

use std::net::IpAddr;
use std::sync::Arc;

use eidas::CertificateDer;
use gateway::Sent;

/// What the listener knows. It is trusted; nothing a client sends can set it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Scheme and authority under which callers of this listener reach the bank, without a trailing slash.
    pub origin: Arc<str>,
    /// The TLS client certificate in DER: the handshake proved that the caller holds its key, nothing else.
    pub peer_certificate: Option<Arc<[u8]>>,
    /// Whether that was proved to a proxy, which says so; to this process otherwise.
    pub is_told_by_proxy: bool,
    /// Certificates that came along with it, in DER: perhaps of authorities above it. Nobody has looked at them.
    pub peer_authorities: Arc<[CertificateDer<'static>]>,
    /// Where the caller's connection comes from; none for what the program itself calls.
    pub peer_address: Option<IpAddr>,
}

/// What of the word of a proxy nobody can read, which is refused: the listener puts it into the request beside the [`Connection`], which
/// is without a certificate then.
#[derive(Debug, Clone)]
pub struct Unreadable(pub Arc<str>);

impl Connection {
    /// The TLS client certificate with those that came along.
    pub fn sent(&self) -> Option<Sent<'_>> {
        let octets = self.peer_certificate.as_deref()?;
        Some(Sent { octets, above: &self.peer_authorities })
    }

    /// SHA-256 of the TLS client certificate, lower-case hexadecimal.
    pub fn peer_fingerprint(&self) -> Option<String> {
        self.peer_certificate.as_deref().map(gateway::fingerprint)
    }

    /// The network that the caller comes from, as limits count it.
    pub fn network(&self) -> Option<IpAddr> {
        self.peer_address.map(network)
    }
}

/// Whose limits an address counts for: its own in IPv4; in IPv6 those of its first 64 bits, because whoever has one
/// such address usually has all of them.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_subscriber_are_one_network() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
