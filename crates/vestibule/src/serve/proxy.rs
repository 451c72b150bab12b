//! A proxy that ends TLS: what it says about the connection to it is believed, and nobody else's word.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use edge::Connection;
use eidas::CertificateDer;
use eidas::header::{HeaderError, HeaderForm, MAX_BYTES, certificate_der};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::configuration::{Proxy, ProxyHeader};
use crate::listener::AUTHORITIES;

/// The certificates between the client's and the authority that the proxy trusts.
const CHAIN: &str = "client-cert-chain";

/// Every header in which proxies hand certificates on. None of them reaches anything behind.
const CERTIFICATE_HEADERS: [&str; 7] = [
    "client-cert",
    CHAIN,
    "x-forwarded-client-cert",
    "ssl-client-cert",
    "x-ssl-cert",
    "x-amzn-mtls-clientcert",
    "ssl-certificate",
];

/// Where proxies say whom they were called by: the last element is the proxy's own word.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies that are believed.
#[derive(Debug)]
pub(crate) struct TrustedProxy {
    addresses: Vec<IpAddr>,
    header: &'static str,
    form: HeaderForm,
}

impl TrustedProxy {
    pub(crate) fn new(proxy: &Proxy) -> Self {
        let form = match proxy.header {
            ProxyHeader::ClientCert => HeaderForm::Rfc9440,
            ProxyHeader::Envoy => HeaderForm::Envoy,
            ProxyHeader::SslClientCert | ProxyHeader::XSslCert | ProxyHeader::Amazon => HeaderForm::Any,
        };
        let addresses = proxy.addresses.iter().map(IpAddr::to_canonical).collect();
        Self { addresses, header: proxy.header.word(), form }
    }

    /// Whether a connection comes from a proxy.
    pub(crate) fn is_at(&self, address: Option<IpAddr>) -> bool {
        address.is_some_and(|address| self.addresses.contains(&address.to_canonical()))
    }

    /// What the proxy says of the connection to it. Its headers are taken out.
    ///
    /// # Errors
    /// The answer to a header that nobody can read: the proxy is set up wrongly, or lets through what a client sent.
    pub(crate) fn connection(
        &self,
        headers: &mut HeaderMap,
        connection: &Connection,
    ) -> Result<Connection, Box<Response>> {
        let certificate = self.certificate(headers).and_then(|found| Ok((found, self.authorities(headers)?)));
        let caller = headers.get_all(FORWARDED_FOR).iter().next_back();
        let caller = caller.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        for name in CERTIFICATE_HEADERS.into_iter().chain([FORWARDED_FOR]) {
            headers.remove(name);
        }
        let (peer_certificate, peer_authorities) = certificate.map_err(|text| {
            tracing::warn!(text, "what the proxy says cannot be read");
            let body = json!({"error": "invalid_request", "message": text});
            Box::new((StatusCode::BAD_REQUEST, Json(body)).into_response())
        })?;
        let peer_address = caller.map(|address: IpAddr| address.to_canonical()).or(connection.peer_address);
        let origin = Arc::clone(&connection.origin);
        Ok(Connection { origin, peer_certificate, is_told_by_proxy: true, peer_authorities, peer_address })
    }

    fn certificate(&self, headers: &HeaderMap) -> Result<Option<Arc<[u8]>>, String> {
        let mut values = headers.get_all(self.header).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(format!("the header {} is there more than once", self.header));
        }
        match certificate_der(value.as_bytes(), self.form) {
            Ok(der) => Ok(Some(Arc::from(der))),
            Err(HeaderError::Missing) => Ok(None),
            Err(error) => Err(format!("{}: {error}", self.header)),
        }
    }

    /// The certificates that came along with the client's, where the proxy hands them on as RFC 9440 says.
    fn authorities(&self, headers: &HeaderMap) -> Result<Arc<[CertificateDer<'static>]>, String> {
        if self.form != HeaderForm::Rfc9440 {
            return Ok([].into());
        }
        let values: Vec<_> = headers.get_all(CHAIN).iter().map(HeaderValue::as_bytes).collect();
        // A list in several lines is one list (RFC 9651, 4.2).
        let list = values.join(&b","[..]);
        if list.len() > MAX_BYTES * 2 {
            return Err(format!("{CHAIN}: it is larger than {} KiB", MAX_BYTES * 2 / 1024));
        }
        let members = list.split(|octet| *octet == b',').filter(|member| !member.trim_ascii().is_empty());
        let read = |member: &[u8]| match certificate_der(member, HeaderForm::Rfc9440) {
            Ok(der) => Ok(CertificateDer::from(der)),
            Err(error) => Err(format!("{CHAIN}: {error}")),
        };
        members.take(AUTHORITIES).map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DER: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x07];

    fn proxy(header: ProxyHeader) -> TrustedProxy {
        TrustedProxy::new(&Proxy { addresses: vec!["192.0.2.10".parse().unwrap()], header })
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
        let envoy = "By=x;Hash=y;Cert=\"MAMCAQg%3D\",By=x;Hash=y;Cert=\"MAMCAQc%3D\"";
        for (header, name, value) in [
            (ProxyHeader::ClientCert, "client-cert", ":MAMCAQc=:"),
            (ProxyHeader::Envoy, "x-forwarded-client-cert", envoy),
            (ProxyHeader::SslClientCert, "ssl-client-cert", "MAMCAQc="),
            (ProxyHeader::XSslCert, "x-ssl-cert", "MAMCAQc%3D"),
            (ProxyHeader::Amazon, "x-amzn-mtls-clientcert", "MAMCAQc="),
        ] {
            let mut all = headers(&[(name, value), ("ssl-certificate", "MAMCAQg="), ("accept", "*/*")]);
            let seen = proxy(header).connection(&mut all, &direct()).unwrap();
            assert_eq!(seen.peer_certificate.as_deref(), Some(DER), "{name}");
            assert_eq!(all.len(), 1, "{all:?}");
            // The same value in another header is nothing.
            let other = if name == "client-cert" { "x-ssl-cert" } else { "client-cert" };
            let mut all = headers(&[(other, value)]);
            let seen = proxy(header).connection(&mut all, &direct()).unwrap();
            assert!(seen.peer_certificate.is_none() && all.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let proxy = proxy(ProxyHeader::ClientCert);
        for all in [
            &[("client-cert", "MAMCAQc=")][..],
            &[("client-cert", ":!:")],
            &[("client-cert", ":MAMCAQc=:"), ("client-cert", ":MAMCAQc=:")],
        ] {
            let refused = proxy.connection(&mut headers(all), &direct()).unwrap_err();
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{all:?}");
        }
        for nothing in ["", "-", "(null)"] {
            let seen = proxy.connection(&mut headers(&[("client-cert", nothing)]), &direct()).unwrap();
            assert!(seen.peer_certificate.is_none(), "{nothing}");
        }
    }

    #[test]
    fn authorities_come_along_by_the_header_of_rfc_9440_alone() {
        let own = ("client-cert", ":MAMCAQc=:");
        let seen = |proxy: TrustedProxy, all: &[(&'static str, &str)]| {
            let mut all = headers(all);
            let seen = proxy.connection(&mut all, &direct());
            assert!(all.is_empty(), "{all:?}");
            seen.map(|seen| seen.peer_authorities.iter().map(|der| der.to_vec()).collect::<Vec<_>>())
                .map_err(|refused| refused.status())
        };
        let rfc9440 = || proxy(ProxyHeader::ClientCert);
        let one = [0x30, 0x03, 0x02, 0x01, 0x07].to_vec();
        assert_eq!(seen(rfc9440(), &[own]), Ok(Vec::new()));
        let two = ("client-cert-chain", ":MAMCAQc=:, :MAMCAQc=:");
        assert_eq!(seen(rfc9440(), &[own, two]), Ok(vec![one.clone(), one.clone()]));
        let many = ":MAMCAQc=:,".repeat(9);
        assert_eq!(seen(rfc9440(), &[own, ("client-cert-chain", &many)]), Ok(vec![one; 4]));
        assert_eq!(seen(proxy(ProxyHeader::XSslCert), &[two]), Ok(Vec::new()));
        for wrong in ["MAMCAQc=", ":!:", ":MAMCAQc=:, x"] {
            let refused = seen(rfc9440(), &[own, ("client-cert-chain", wrong)]);
            assert_eq!(refused, Err(StatusCode::BAD_REQUEST), "{wrong}");
        }
        let large = format!(":{}:", "A".repeat(40_000));
        let refused = seen(rfc9440(), &[own, ("client-cert-chain", &large)]);
        assert_eq!(refused, Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn the_last_address_is_the_callers() {
        let proxy = proxy(ProxyHeader::ClientCert);
        let seen = |value: &str| {
            let mut all = headers(&[(FORWARDED_FOR, value)]);
            proxy.connection(&mut all, &direct()).unwrap().peer_address.unwrap().to_string()
        };
        assert_eq!(seen("198.51.100.7, 203.0.113.9"), "203.0.113.9");
        assert_eq!(seen("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(seen("unknown"), "192.0.2.10");
        assert!(proxy.is_at(Some("::ffff:192.0.2.10".parse().unwrap())));
        assert!(!proxy.is_at(Some("192.0.2.11".parse().unwrap())) && !proxy.is_at(None));
    }
}
