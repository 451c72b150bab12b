//! TLS of the staff's listener: whoever has no certificate from an authority of staff does not get through the handshake.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use edge::Connection;
use gateway::domain::Timestamp;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::configuration::Admin as Section;

/// Checks certificates of staff against authorities that can be read anew.
#[derive(Debug)]
pub(super) struct StaffVerifier(RwLock<Arc<dyn ClientCertVerifier>>);

impl StaffVerifier {
    /// # Errors
    /// [`Error`] if an authority cannot be used
    pub(super) fn new(section: &Section) -> Result<Self, Error> {
        Ok(Self(RwLock::new(verifier(section)?)))
    }

    /// Takes other authorities.
    ///
    /// # Errors
    /// As [`StaffVerifier::new`]; the ones before hold then.
    pub(super) fn replace(&self, section: &Section) -> Result<(), Error> {
        let verifier = verifier(section)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = verifier;
        Ok(())
    }

    /// Whether an authority of staff vouches for the certificate of a connection, which may be older than the authorities that are
    /// trusted now.
    pub(super) fn vouches_for(&self, connection: &Connection, now: Timestamp) -> bool {
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        connection.peer_certificate.as_deref().is_some_and(|der| {
            let leaf = CertificateDer::from(der);
            self.now().verify_client_cert(&leaf, &connection.peer_authorities, now).is_ok()
        })
    }

    fn now(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn verifier(section: &Section) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in section.trust_files.iter().flat_map(|file| &file.certificates) {
        roots.add(CertificateDer::from(certificate.der.clone()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
        .build()
        .map_err(|error| Error::General(error.to_string()))
}

/// The listener's configuration. No session is taken up again: whose authority was taken out does not come back by an old one.
///
/// # Errors
/// [`Error`]
pub(super) fn server_config(
    certificate: Arc<dyn ResolvesServerCert>,
    staff: Arc<StaffVerifier>,
) -> Result<Arc<ServerConfig>, Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_client_cert_verifier(staff);
    let mut config = builder.with_cert_resolver(certificate);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl ClientCertVerifier for StaffVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.now().verify_client_cert(leaf, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.now().supported_verify_schemes()
    }
}
