//! From a certificate to an authority that the reader trusts, and revocation by CRL.
//!
//! Path building is rustls-webpki's. Anchors come from the caller (trusted lists, a PEM bundle, a sandbox's own
//! CA), never from the operating system.

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeIdIter, OwnedCertRevocationList,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::certificate::{Certificate, CertificateError};

/// SHA-1 and MD5 are absent on purpose.
static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = webpki::ALL_VERIFICATION_ALGS;

/// The authorities whose certificates are trusted.
#[derive(Debug, Default)]
pub struct TrustStore {
    anchors: Vec<TrustAnchor<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
    direct_issuers: Vec<Vec<u8>>,
}

/// A certificate revocation list, parsed.
#[derive(Debug)]
pub struct RevocationList(webpki::CertRevocationList<'static>);

/// Why there is no path to a trusted authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// No trusted authority issued it, or its signature is not the authority's.
    #[error("it was not issued by an authority trusted here")]
    UntrustedIssuer,
    /// A certificate on the path is outside its validity.
    #[error("a certificate on its path is outside its period of validity")]
    Expired,
    /// It is on a revocation list.
    #[error("it was revoked by its issuer")]
    Revoked,
    /// Anything else that makes the path invalid.
    #[error("its path is not valid: {0}")]
    Invalid(String),
}

impl RevocationList {
    /// Reads a CRL in DER.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`]
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        OwnedCertRevocationList::from_der(der)
            .map(|list| Self(list.into()))
            .map_err(|error| CertificateError::Malformed(format!("revocation list: {error}")))
    }
}

impl TrustStore {
    /// Trusts every certificate that this authority issued, directly or through intermediates.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] if the bytes cannot serve as an anchor.
    pub fn add_anchor(&mut self, der: &[u8]) -> Result<(), CertificateError> {
        let der = CertificateDer::from(der.to_vec());
        let anchor = webpki::anchor_from_trusted_cert(&der)
            .map_err(|error| CertificateError::Malformed(format!("trust anchor: {error}")))?;
        self.anchors.push(anchor.to_owned());
        Ok(())
    }

    /// Knows an intermediate authority, so that TPPs need not send it.
    pub fn add_intermediate(&mut self, der: &[u8]) {
        self.intermediates.push(CertificateDer::from(der.to_vec()));
    }

    /// Trusts what this authority signed directly, whatever critical extensions it carries. This is for test
    /// clients that mark qcStatements critical, which path building rightly refuses (EN 319 412-5, QCS-4.1-02).
    ///
    /// # Errors
    /// [`CertificateError`] if the bytes are no certificate.
    pub fn add_direct_issuer(&mut self, der: &[u8]) -> Result<(), CertificateError> {
        Certificate::from_der(der)?;
        self.direct_issuers.push(der.to_vec());
        Ok(())
    }

    /// Checks that a path from `certificate` to a trusted authority is valid at `now`. `sent` are certificates
    /// that came along, helpful or not. Extended key usage is not looked at: seals have none.
    ///
    /// # Errors
    /// [`PathError`]
    pub fn verify(
        &self,
        certificate: &Certificate,
        sent: &[CertificateDer<'_>],
        now: Timestamp,
        lists: &[RevocationList],
    ) -> Result<(), PathError> {
        if self.is_directly_issued(certificate) {
            return Ok(());
        }
        let der = CertificateDer::from(certificate.der.as_slice());
        let leaf = EndEntityCert::try_from(&der).map_err(path_error)?;
        let seconds = u64::try_from(now.as_second()).map_err(|_| PathError::Expired)?;
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let intermediates: Vec<_> = self.intermediates.iter().chain(sent).cloned().collect();
        let lists: Vec<_> = lists.iter().map(|list| &list.0).collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            options
                .with_depth(RevocationCheckDepth::EndEntity)
                .with_status_policy(UnknownStatusPolicy::Allow)
                .with_expiration_policy(ExpirationPolicy::Enforce)
                .build()
        });
        leaf.verify_for_usage(ALGORITHMS, &self.anchors, &intermediates, time, AnyUsage, revocation, None)
            .map(|_| ())
            .map_err(path_error)
    }

    fn is_directly_issued(&self, certificate: &Certificate) -> bool {
        let Ok((_, leaf)) = X509Certificate::from_der(&certificate.der) else { return false };
        self.direct_issuers.iter().any(|issuer| {
            X509Certificate::from_der(issuer).is_ok_and(|(_, issuer)| {
                issuer.subject().as_raw() == leaf.issuer().as_raw()
                    && leaf.verify_signature(Some(issuer.public_key())).is_ok()
            })
        })
    }
}

struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

fn path_error(error: webpki::Error) -> PathError {
    use webpki::Error as E;
    match error {
        E::UnknownIssuer | E::InvalidSignatureForPublicKey => PathError::UntrustedIssuer,
        E::CertExpired { .. } | E::CertNotValidYet { .. } => PathError::Expired,
        E::CertRevoked => PathError::Revoked,
        E::CaUsedAsEndEntity => {
            PathError::Invalid("it belongs to an authority (cA is true), not to a third party".to_owned())
        }
        E::InvalidCertValidity => PathError::Invalid("its validity ends before it begins".to_owned()),
        E::UnsupportedCriticalExtension => {
            PathError::Invalid("it has a critical extension that path validation does not know".to_owned())
        }
        other => PathError::Invalid(format!("{other:?}")),
    }
}
