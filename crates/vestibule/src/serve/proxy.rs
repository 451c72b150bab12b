//! A proxy that ends TLS: what it says about the connection to it is believed, and nobody else's word.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use edge::{Connection, Unreadable};
use eidas::CertificateDer;
use eidas::header::{HeaderError, HeaderForm, MAX_CHAIN_BYTES, certificate_der, chain_der};
use http::{HeaderMap, HeaderValue};

use crate::configuration::{Proxy, ProxyHeader};
use crate::listener::AUTHORITIES;
use crate::tls::ClientCertificate;

/// The certificates between the client's and the authority that the proxy trusts.
const CHAIN: &str = "client-cert-chain";

/// Every header in which proxies hand certificates on. None of them reaches anything behind.
const CERTIFICATE_HEADERS: [&str; 8] = [
    "client-cert",
    CHAIN,
    "x-forwarded-client-cert",
    "ssl-client-cert",
    "x-ssl-cert",
    "x-amzn-mtls-clientcert",
    "x-amzn-mtls-clientcert-leaf",
    "ssl-certificate",
];

/// Where proxies say whom they were called by: the last element is the proxy's own word.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies that are believed in front of a listener.
#[derive(Debug)]
pub(crate) struct TrustedProxy {
    addresses: Vec<IpAddr>,
    header: &'static str,
    form: Form,
    client: ClientCertificate,
    said_unreadable: Once,
    said_no_address: Once,
}

/// What the header holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The client's certificate.
    One(HeaderForm),
    /// The same, and behind it those that came along.
    Chain,
}

/// Certificates as a client sent them: its own, and those that came along.
type Sent = (Option<Arc<[u8]>>, Arc<[CertificateDer<'static>]>);

/// Tells the log something once: whoever calls could say it again as often as he likes.
#[derive(Debug, Default)]
struct Once(AtomicBool);

impl Once {
    fn warn(&self, text: &str, what: &str) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(text, "{what}; this is not said again");
        }
    }
}

impl TrustedProxy {
    /// Before a listener that asks for certificates, or for none: there the proxy asks for none either, and what would be one of the
    /// headers is something that a client wrote.
    pub(crate) fn new(proxy: &Proxy, client: ClientCertificate) -> Self {
        let form = match proxy.header {
            ProxyHeader::ClientCert => Form::One(HeaderForm::Rfc9440),
            ProxyHeader::Envoy => Form::One(HeaderForm::Envoy),
            ProxyHeader::SslClientCert | ProxyHeader::XSslCert | ProxyHeader::AmazonLeaf => {
                Form::One(HeaderForm::Any)
            }
            ProxyHeader::Amazon => Form::Chain,
        };
        let addresses = proxy.addresses.iter().map(IpAddr::to_canonical).collect();
        let header = proxy.header.word();
        let (said_unreadable, said_no_address) = (Once::default(), Once::default());
        Self { addresses, header, form, client, said_unreadable, said_no_address }
    }

    /// Whether a connection comes from a proxy.
    pub(crate) fn is_at(&self, address: Option<IpAddr>) -> bool {
        address.is_some_and(|address| self.addresses.contains(&address.to_canonical()))
    }

    /// What the proxy says of the connection to it. Its headers are taken out. With that, what of them nobody can read: the proxy is set
    /// up wrongly, or lets through what a client sent.
    pub(crate) fn connection(
        &self,
        headers: &mut HeaderMap,
        connection: &Connection,
    ) -> (Connection, Option<Unreadable>) {
        let sent = match self.client {
            ClientCertificate::Asked => self.sent(headers),
            ClientCertificate::NotAsked => Ok((None, [].into())),
        };
        let peer_address = self.caller(headers).or(connection.peer_address);
        for name in CERTIFICATE_HEADERS.into_iter().chain([FORWARDED_FOR]) {
            headers.remove(name);
        }
        let (sent, unreadable) = match sent {
            Ok(sent) => (sent, None),
            Err(text) => {
                self.said_unreadable.warn(&text, "what the proxy says cannot be read");
                ((None, [].into()), Some(Unreadable(text.into())))
            }
        };
        let (peer_certificate, peer_authorities) = sent;
        let origin = Arc::clone(&connection.origin);
        let told =
            Connection { origin, peer_certificate, is_told_by_proxy: true, peer_authorities, peer_address };
        (told, unreadable)
    }

    /// Whom the proxy was called by; none if it does not say. What is there and no address is an address that is on no list: whoever
    /// comes by it has no other's.
    fn caller(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let value = headers.get_all(FORWARDED_FOR).iter().next_back()?;
        let last = value.to_str().ok().and_then(|value| value.rsplit(',').next()).unwrap_or_default().trim();
        let address = address(last).map(|address| address.to_canonical());
        Some(address.unwrap_or_else(|| {
            let right = "the last element has to be an address, with a port or without";
            self.said_no_address.warn(right, "x-forwarded-for says of nobody where they come from");
            Ipv4Addr::UNSPECIFIED.into()
        }))
    }

    fn sent(&self, headers: &HeaderMap) -> Result<Sent, String> {
        let mut values = headers.get_all(self.header).iter();
        let Some(value) = values.next() else { return Ok((None, [].into())) };
        if values.next().is_some() {
            return Err(format!("the header {} is there more than once", self.header));
        }
        let found = match self.form {
            Form::One(form) => certificate_der(value.as_bytes(), form).map(|der| vec![der]),
            Form::Chain => chain_der(value.as_bytes()),
        };
        let mut found = match found {
            Ok(found) => found.into_iter(),
            Err(HeaderError::Missing) => return Ok((None, [].into())),
            Err(HeaderError::SeveralCertificates) => {
                let right = "it holds more than one certificate; hand on the client's alone";
                return Err(format!("{}: {right}", self.header));
            }
            Err(error) => return Err(format!("{}: {error}", self.header)),
        };
        let leaf = found.next().map(Arc::from);
        let authorities = match self.form {
            Form::One(HeaderForm::Rfc9440) => authorities(headers)?,
            _ => found.take(AUTHORITIES).map(CertificateDer::from).collect(),
        };
        Ok((leaf, authorities))
    }
}

/// An address as proxies write it: with a port or without, in IPv6 with brackets or without.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    text.parse::<IpAddr>().ok().or_else(with_port).or_else(bracketed)
}

/// The certificates that came along with the client's, where the proxy hands them on as RFC 9440 says.
fn authorities(headers: &HeaderMap) -> Result<Arc<[CertificateDer<'static>]>, String> {
    let values: Vec<_> = headers.get_all(CHAIN).iter().map(HeaderValue::as_bytes).collect();
    // A list in several lines is one list (RFC 9651, 4.2).
    let list = values.join(&b","[..]);
    if list.len() > MAX_CHAIN_BYTES {
        return Err(format!("{CHAIN}: it is larger than {} KiB", MAX_CHAIN_BYTES / 1024));
    }
    let members = list.split(|octet| *octet == b',').filter(|member| !member.trim_ascii().is_empty());
    let read = |member: &[u8]| match certificate_der(member, HeaderForm::Rfc9440) {
        Ok(der) => Ok(CertificateDer::from(der)),
        Err(error) => Err(format!("{CHAIN}: {error}")),
    };
    members.take(AUTHORITIES).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DER: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x07];

    fn proxy(header: ProxyHeader) -> TrustedProxy {
        before(header, ClientCertificate::Asked)
    }

    fn before(header: ProxyHeader, client: ClientCertificate) -> TrustedProxy {
        TrustedProxy::new(&Proxy { addresses: vec!["192.0.2.10".parse().unwrap()], header }, client)
    }

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        all.iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn direct() -> Connection {
        let peer_address = Some("192.0.2.10".parse().unwrap());
        let origin = Arc::from("https://bank");
        Connection {
            origin,
            peer_certificate: None,
            is_told_by_proxy: false,
            peer_authorities: [].into(),
            peer_address,
        }
    }

    #[test]
    fn the_one_header_is_believed_and_all_are_taken_out() {
        let hash = gateway::fingerprint(DER);
        let envoy = format!("By=x;Hash=y;Cert=\"MAMCAQg%3D\",By=x;Hash={hash};Cert=\"MAMCAQc%3D\"");
        for (header, name, value) in [
            (ProxyHeader::ClientCert, "client-cert", ":MAMCAQc=:"),
            (ProxyHeader::Envoy, "x-forwarded-client-cert", &envoy),
            (ProxyHeader::SslClientCert, "ssl-client-cert", "MAMCAQc="),
            (ProxyHeader::XSslCert, "x-ssl-cert", "MAMCAQc%3D"),
            (ProxyHeader::Amazon, "x-amzn-mtls-clientcert", "MAMCAQc="),
            (ProxyHeader::AmazonLeaf, "x-amzn-mtls-clientcert-leaf", "MAMCAQc="),
        ] {
            let mut all = headers(&[(name, value), ("ssl-certificate", "MAMCAQg="), ("accept", "*/*")]);
            let (seen, unreadable) = proxy(header).connection(&mut all, &direct());
            assert_eq!(seen.peer_certificate.as_deref(), Some(DER), "{name}: {unreadable:?}");
            assert_eq!(all.len(), 1, "{all:?}");
            // The same value in another header is nothing.
            let other = if name == "client-cert" { "x-ssl-cert" } else { "client-cert" };
            let mut all = headers(&[(other, value)]);
            let (seen, _) = proxy(header).connection(&mut all, &direct());
            assert!(seen.peer_certificate.is_none() && all.is_empty(), "{name}");
            // Where nobody is asked for a certificate, nobody's is handed on.
            let mut all = headers(&[(name, value), ("client-cert", "?"), ("x-forwarded-for", "203.0.113.9")]);
            let pages = before(header, ClientCertificate::NotAsked);
            let (seen, unreadable) = pages.connection(&mut all, &direct());
            assert!(seen.peer_certificate.is_none() && unreadable.is_none() && all.is_empty(), "{name}");
            assert_eq!(seen.peer_address, Some("203.0.113.9".parse().unwrap()));
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let said = |header, all: &[(&'static str, &str)]| {
            let (seen, unreadable) = proxy(header).connection(&mut headers(all), &direct());
            assert!(unreadable.is_none() || seen.peer_certificate.is_none(), "{all:?}");
            unreadable.map(|Unreadable(text)| text.to_string())
        };
        let several = "-----BEGIN CERTIFICATE----- MAMCAQc= -----END CERTIFICATE----- ".repeat(2);
        for (header, all, words) in [
            (
                ProxyHeader::ClientCert,
                &[("client-cert", "MAMCAQc=")][..],
                "client-cert: the header is neither",
            ),
            (ProxyHeader::ClientCert, &[("client-cert", ":!:")][..], "client-cert: the header is neither"),
            (
                ProxyHeader::ClientCert,
                &[("client-cert", ":MAMCAQc=:"), ("client-cert", ":MAMCAQc=:")][..],
                "more than once",
            ),
            (
                ProxyHeader::SslClientCert,
                &[("ssl-client-cert", several.as_str())][..],
                "ssl-client-cert: it holds more than one certificate; hand on the client's alone",
            ),
            (
                ProxyHeader::Envoy,
                &[("x-forwarded-client-cert", "Hash=00;Cert=\"MAMCAQc\"")][..],
                "is not the SHA-256",
            ),
        ] {
            let refused = said(header, all);
            assert!(refused.as_ref().is_some_and(|text| text.contains(words)), "{all:?}: {refused:?}");
        }
        for nothing in ["", "-", "(null)"] {
            assert_eq!(said(ProxyHeader::ClientCert, &[("client-cert", nothing)]), None, "{nothing}");
        }
    }

    #[test]
    fn authorities_come_along_in_a_chain() {
        let own = ("client-cert", ":MAMCAQc=:");
        let seen = |proxy: TrustedProxy, all: &[(&'static str, &str)]| {
            let mut all = headers(all);
            let (seen, unreadable) = proxy.connection(&mut all, &direct());
            assert!(all.is_empty(), "{all:?}");
            let authorities = seen.peer_authorities.iter().map(|der| der.to_vec()).collect::<Vec<_>>();
            unreadable.map_or(Ok(authorities), |Unreadable(text)| Err(text))
        };
        let rfc9440 = || proxy(ProxyHeader::ClientCert);
        let one = DER.to_vec();
        assert_eq!(seen(rfc9440(), &[own]), Ok(Vec::new()));
        let two = ("client-cert-chain", ":MAMCAQc=:, :MAMCAQc=:");
        assert_eq!(seen(rfc9440(), &[own, two]), Ok(vec![one.clone(), one.clone()]));
        let many = ":MAMCAQc=:,".repeat(9);
        assert_eq!(seen(rfc9440(), &[own, ("client-cert-chain", &many)]), Ok(vec![one; 4]));
        assert_eq!(seen(proxy(ProxyHeader::XSslCert), &[two]), Ok(Vec::new()));
        for wrong in ["MAMCAQc=", ":!:", ":MAMCAQc=:, x"] {
            let refused = seen(rfc9440(), &[own, ("client-cert-chain", wrong)]);
            assert!(refused.is_err(), "{wrong}: {refused:?}");
        }
        let large = format!(":{}:", "A".repeat(40_000));
        assert!(seen(rfc9440(), &[own, ("client-cert-chain", &large)]).is_err());
        // Amazon's load balancers write the whole chain into the one header, the client's certificate first.
        let pem = |base64: &str| {
            format!("-----BEGIN%20CERTIFICATE-----%0A{base64}%0A-----END%20CERTIFICATE-----%0A")
        };
        let above = vec![0x30, 0x03, 0x02, 0x01, 0x08];
        for (count, taken) in [(0, 0), (1, 1), (9, AUTHORITIES)] {
            let chain = pem("MAMCAQc=") + &pem("MAMCAQg=").repeat(count);
            let mut all = headers(&[("x-amzn-mtls-clientcert", &chain)]);
            let (found, unreadable) = proxy(ProxyHeader::Amazon).connection(&mut all, &direct());
            assert_eq!(found.peer_certificate.as_deref(), Some(DER), "{unreadable:?}");
            let chain = seen(proxy(ProxyHeader::Amazon), &[("x-amzn-mtls-clientcert", &chain)]);
            assert_eq!(chain, Ok(vec![above.clone(); taken]));
        }
    }

    #[test]
    fn the_last_address_is_the_callers() {
        let proxy = proxy(ProxyHeader::ClientCert);
        let seen = |value: &str| {
            let mut all = headers(&[(FORWARDED_FOR, value)]);
            proxy.connection(&mut all, &direct()).0.peer_address.unwrap().to_string()
        };
        for (value, address) in [
            ("198.51.100.7, 203.0.113.9", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("2001:db8::1", "2001:db8::1"),
            // With the port, as Azure's gateways and Amazon's load balancers can write it.
            ("198.51.100.7:1, 203.0.113.9:51234", "203.0.113.9"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            // Nobody's, and least of all that of the proxy, which all have.
            ("unknown", "0.0.0.0"),
            ("203.0.113.9,", "0.0.0.0"),
            ("203.0.113.9:x", "0.0.0.0"),
            ("", "0.0.0.0"),
        ] {
            assert_eq!(seen(value), address, "{value}");
        }
        let silent = proxy.connection(&mut HeaderMap::new(), &direct()).0;
        assert_eq!(silent.peer_address, direct().peer_address);
        assert!(proxy.is_at(Some("::ffff:192.0.2.10".parse().unwrap())));
        assert!(!proxy.is_at(Some("192.0.2.11".parse().unwrap())) && !proxy.is_at(None));
    }
}
