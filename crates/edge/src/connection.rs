//! The connection a request came in on. The listener puts it into the request.

use std::net::IpAddr;
use std::sync::Arc;

/// What the listener knows. It is trusted; nothing a client sends can set it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Scheme and authority under which callers of this listener reach the bank, without a trailing slash.
    pub origin: Arc<str>,
    /// The TLS client certificate in DER: the handshake proved that the caller holds its key, nothing else.
    pub peer_certificate: Option<Arc<[u8]>>,
    /// Where the caller's connection comes from; none for what the program itself calls.
    pub peer_address: Option<IpAddr>,
}

impl Connection {
    /// SHA-256 of the TLS client certificate, lower-case hexadecimal.
    pub fn peer_fingerprint(&self) -> Option<String> {
        self.peer_certificate.as_deref().map(gateway::fingerprint)
    }
}
