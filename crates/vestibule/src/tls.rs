//! TLS: asks for a client certificate without demanding one.
//!
//! The handshake proves that the caller holds the key of the certificate it shows, and nothing else. Whether the
//! certificate is any good is checked with the other rules, so that a refusal has a text instead of an alert.

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use gateway::{Clock, SystemClock};
use jiff::{SignedDuration, Timestamp};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, UnixTime,
};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Makes a certificate that begins now: the chain, leaf first, and the key in PEM.
pub(crate) type Issue = Box<dyn Fn(Timestamp) -> Result<(Vec<Vec<u8>>, String), String> + Send + Sync>;

/// How long before its end a listener's certificate is replaced.
const RENEWAL: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Whether callers of a listener are asked for a certificate. Browsers then ask their users, so pages do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientCertificate {
    Asked,
    NotAsked,
}

/// The configuration of a listener with a certificate of its own.
pub(crate) fn server_config(
    certificate: Arc<dyn ResolvesServerCert>,
    client: ClientCertificate,
) -> Result<Arc<ServerConfig>, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match client {
        ClientCertificate::Asked => {
            builder.with_client_cert_verifier(Arc::new(PossessionOnly { algorithms }))
        }
        ClientCertificate::NotAsked => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A certificate that is made by `issue` by the system's clock, and made anew before it ends.
pub(crate) fn issued(issue: Issue) -> Result<Arc<dyn ResolvesServerCert>, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(Arc::new(ServerCertificate::new(issue, provider, SystemClock.now(None))?))
}

/// A certificate with its key, the leaf first.
///
/// # Errors
/// [`Error::InconsistentKeys`] if it is the key of another one.
pub(crate) fn certified_key(chain: &[eidas::Certificate], key_pem: &str) -> Result<CertifiedKey, Error> {
    let unusable = |error: &dyn std::fmt::Display| Error::General(format!("the private key: {error}"));
    let key = eidas::pem::private_key(key_pem.as_bytes()).map_err(|error| unusable(&error))?;
    let key = PrivateKeyDer::try_from(key.der).map_err(|error| unusable(&error))?;
    let chain = chain.iter().map(|one| CertificateDer::from(one.der.clone())).collect();
    CertifiedKey::from_der(chain, key, &rustls::crypto::aws_lc_rs::default_provider())
}

/// A certificate that another one can take the place of. Connections that are there keep theirs.
#[derive(Debug)]
pub(crate) struct Replaceable(RwLock<Arc<CertifiedKey>>);

impl Replaceable {
    pub(crate) fn new(key: CertifiedKey) -> Self {
        Self(RwLock::new(Arc::new(key)))
    }

    pub(crate) fn replace(&self, key: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }
}

impl ResolvesServerCert for Replaceable {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The certificate of a listener. Each handshake looks at the clock, so that no timer is needed.
struct ServerCertificate {
    issue: Issue,
    provider: Arc<CryptoProvider>,
    current: RwLock<Current>,
}

#[derive(Clone)]
struct Current {
    key: Arc<CertifiedKey>,
    good: Range<Timestamp>,
}

impl ServerCertificate {
    fn new(issue: Issue, provider: Arc<CryptoProvider>, now: Timestamp) -> Result<Self, Error> {
        let current = RwLock::new(make(&issue, &provider, now)?);
        Ok(Self { issue, provider, current })
    }

    /// The certificate to present now.
    fn at(&self, now: Timestamp) -> Arc<CertifiedKey> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        if current.good.contains(&now) {
            return current.key;
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if !current.good.contains(&now) {
            match make(&self.issue, &self.provider, now) {
                Ok(renewed) => *current = renewed,
                Err(error) => tracing::error!(%error, "the certificate of a listener was not renewed"),
            }
        }
        Arc::clone(&current.key)
    }
}

fn make(issue: &Issue, provider: &CryptoProvider, now: Timestamp) -> Result<Current, Error> {
    let general = |error: String| Error::General(format!("server certificate: {error}"));
    let (chain, key_pem) = issue(now).map_err(general)?;
    let leaf = chain.first().ok_or_else(|| general("no certificate was made".to_owned()))?;
    let leaf = eidas::Certificate::from_der(leaf).map_err(|error| general(error.to_string()))?;
    let key = eidas::pem::private_key(key_pem.as_bytes()).map_err(|error| general(error.to_string()))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.der));
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    let key = Arc::new(CertifiedKey::from_der(chain, key, provider)?);
    Ok(Current {
        key,
        good: leaf.not_before..leaf.not_after.saturating_sub(RENEWAL).unwrap_or(leaf.not_before),
    })
}

impl std::fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerCertificate(…)")
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.at(SystemClock.now(None)))
    }
}

/// Takes any client certificate whose key signed the handshake. Test certificates carry extensions that a path
/// check would refuse, so the key is read without one.
#[derive(Debug)]
struct PossessionOnly {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for PossessionOnly {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = public_key(certificate)?;
        let entity = webpki::RawPublicKeyEntity::try_from(&key).map_err(|_| CertificateError::BadEncoding)?;
        let candidates = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme);
        let mut algorithms = candidates.flat_map(|(_, algorithms)| algorithms.iter());
        if algorithms
            .any(|algorithm| entity.verify_signature(*algorithm, message, signed.signature()).is_ok())
        {
            return Ok(HandshakeSignatureValid::assertion());
        }
        Err(CertificateError::BadSignature.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = public_key(certificate)?;
        rustls::crypto::verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn public_key(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    Ok(SubjectPublicKeyInfoDer::from(parsed.public_key().raw.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    use eidas::issue::{Authority, AuthorityName, KeyType, PublicationPoints, generate_key};

    #[test]
    fn a_certificate_is_renewed_before_it_ends() {
        let name = AuthorityName {
            country: "NL".into(),
            locality: None,
            organization_identifier: None,
            organization: "TEST".into(),
            common_name: "TEST".into(),
        };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let years = (at("2020-01-01T00:00:00Z"), at("2099-01-01T00:00:00Z"));
        let root = Authority::root(&name, KeyType::P256, &[1], years).unwrap();
        let points = PublicationPoints {
            ca_issuers: "http://pki.example/ca.cer".into(),
            crl: "http://pki.example/ca.crl".into(),
            ocsp: None,
            disclosure_statement: None,
        };
        let issue: Issue = Box::new(move |now| {
            let (private, public) = generate_key(KeyType::P256).unwrap();
            let validity = (now, now + SignedDuration::from_hours(24 * 397));
            let names = ["localhost".to_owned()];
            let leaf = root.issue_server((&names, "TEST"), &[7], validity, &points, &public).unwrap();
            Ok((vec![leaf], private))
        });
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let certificate = ServerCertificate::new(issue, provider, at("2027-01-01T00:00:00Z")).unwrap();
        let end = |now: &str| {
            let key = certificate.at(at(now));
            eidas::Certificate::from_der(&key.cert[0]).unwrap().not_after.to_string()
        };
        assert_eq!(end("2027-01-01T00:00:00Z"), "2028-02-02T00:00:00Z");
        assert_eq!(end("2028-01-02T00:00:00Z"), "2028-02-02T00:00:00Z");
        assert_eq!(end("2028-01-04T00:00:00Z"), "2029-02-04T00:00:00Z");
        assert_eq!(end("2028-06-01T00:00:00Z"), "2029-02-04T00:00:00Z");
        assert_eq!(end("2031-01-01T00:00:00Z"), "2032-02-02T00:00:00Z", "after a long sleep");
        assert_eq!(end("2027-01-01T00:00:00Z"), "2028-02-02T00:00:00Z", "after the clock was set back");
    }
}
