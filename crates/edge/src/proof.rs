//! How a call proves who it is, for whoever watches the bank: which certificates it came with, and what was verified of them.

use std::sync::Arc;

use gateway::PresentedCertificate;

use crate::connection::Connection;
use crate::observer::note;

/// How a call proved who it is, as far as it did.
///
/// ```
/// let proof = edge::Proof::default();
/// assert!(!proof.is_authenticated && proof.tls_certificate.is_none(), "nobody proved anything");
/// ```
#[derive(Debug, Default)]
pub struct Proof {
    /// Whether it is known who calls: by a signature, by the token of a session, or as a client.
    pub is_authenticated: bool,
    /// Whether the browser that calls has a session of a page that not anybody gets: a third party sent it, or a customer logged in.
    pub has_session: bool,
    /// Whether a signature over the call was verified.
    pub is_signed: bool,
    /// The certificate that came to verify it with, or that the API key of the session was given for.
    pub signing_certificate: Option<ShownCertificate>,
    /// The certificate of the connection.
    pub tls_certificate: Option<ShownCertificate>,
    /// Whether a proxy ended TLS: that the caller holds the key of that certificate was proved to the proxy.
    pub is_told_by_proxy: bool,
}

/// A certificate that a call came with.
///
/// ```
/// let other = edge::ShownCertificate::Fingerprint("ab".repeat(32));
/// assert_eq!(other.fingerprint().len(), 64);
/// ```
#[derive(Debug, Clone)]
pub enum ShownCertificate {
    /// One that was read. Nothing of it is copied.
    Read(Arc<PresentedCertificate>),
    /// SHA-256 of any other, in lower-case hexadecimal.
    Fingerprint(String),
}

impl ShownCertificate {
    /// SHA-256 of it, in lower-case hexadecimal.
    pub fn fingerprint(&self) -> &str {
        match self {
            Self::Read(presented) => &presented.holder.fingerprint,
            Self::Fingerprint(fingerprint) => fingerprint,
        }
    }
}

/// Notes that it is known who calls.
pub fn note_authenticated() {
    note(|notes| notes.proof.is_authenticated = true);
}

/// Notes that the browser that calls has a session that not anybody gets.
pub fn note_session() {
    note(|notes| notes.proof.has_session = true);
}

/// Notes that a signature over this call was verified.
pub fn note_signed() {
    note(|notes| notes.proof.is_signed = true);
}

/// Notes the certificate that came to verify a signature with, or that the API key of the session was given for.
pub fn note_signing_certificate(certificate: ShownCertificate) {
    note(|notes| notes.proof.signing_certificate = Some(certificate));
}

/// Notes the certificate of the connection, and hands on what became of reading it.
///
/// # Errors
/// That of reading it.
pub fn note_tls_certificate<E>(
    connection: &Connection,
    read: Result<Arc<PresentedCertificate>, E>,
) -> Result<Arc<PresentedCertificate>, E> {
    match &read {
        Ok(presented) => note_tls(connection, Some(ShownCertificate::Read(Arc::clone(presented)))),
        Err(_) => note_unread_tls_certificate(connection),
    }
    read
}

/// Notes the certificate of a connection where the call is refused before that is read.
pub fn note_unread_tls_certificate(connection: &Connection) {
    note_tls(connection, connection.peer_fingerprint().map(ShownCertificate::Fingerprint));
}

fn note_tls(connection: &Connection, certificate: Option<ShownCertificate>) {
    note(|notes| {
        notes.proof.is_told_by_proxy = connection.is_told_by_proxy;
        notes.proof.tls_certificate = certificate;
    });
}
