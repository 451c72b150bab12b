//! From a certificate to an authority that the reader trusts, and revocation by CRL.
//!
//! Path building is rustls-webpki's. Anchors come from the caller (trusted lists, a PEM bundle, a sandbox's own
//! CA), never from the operating system.

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeIdIter,
    OwnedCertRevocationList, RevocationCheckDepth, RevocationOptionsBuilder, RevocationReason,
    UnknownStatusPolicy,
};

use crate::certificate::{Certificate, CertificateError};
use crate::critical::{Softened, algorithms, is_understood, unknown_critical};
use crate::policies::{check_policies, is_about_policies};

/// SHA-1 and MD5 are absent on purpose.
pub(crate) static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = webpki::ALL_VERIFICATION_ALGS;

/// The authorities whose certificates are trusted.
///
/// ```
/// use eidas::{Certificate, PathError, TrustStore};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let authority = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/authority.pem"));
/// let (seal, authority) = (Certificate::from_pem(pem)?, Certificate::from_pem(authority)?);
/// let (now, later) = ("2027-01-01T00:00:00Z".parse().unwrap(), "2029-01-01T00:00:00Z".parse().unwrap());
///
/// let mut trust = TrustStore::default();
/// assert_eq!(trust.verify(&seal, &[], now, &[]), Err(PathError::UntrustedIssuer));
/// trust.add_anchor(&authority.der)?;
/// assert_eq!(trust.verify(&seal, &[], now, &[]), Ok(()));
/// assert_eq!(trust.verify(&seal, &[], later, &[]), Err(PathError::Expired));
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Default)]
pub struct TrustStore {
    anchors: Vec<TrustAnchor<'static>>,
    /// The certificates that the anchors were made of, in the same order.
    anchor_certificates: Vec<CertificateDer<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
}

/// A certificate revocation list, parsed.
///
/// ```
/// use eidas::issue::{Authority, AuthorityName, CertificateRequest, KeyType, Profile, PublicationPoints, generate_key};
/// use eidas::{PathError, RevocationList, TrustStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let validity = ("2026-01-01T00:00:00Z".parse()?, "2028-01-01T00:00:00Z".parse()?);
/// # let name = AuthorityName {
/// #     country: "NL".to_owned(),
/// #     locality: None,
/// #     organization_identifier: None,
/// #     organization: "Example (TEST)".to_owned(),
/// #     common_name: "Example CA (TEST)".to_owned(),
/// # };
/// # let authority = Authority::root(&name, KeyType::P256, &[1], validity)?;
/// # let request = CertificateRequest {
/// #     organization_identifier: eidas::OrganizationIdentifier::parse("PSDNL-DNB-R123456")?,
/// #     organization_name: "Example TPP B.V.".to_owned(),
/// #     country: "NL".to_owned(),
/// #     locality: "Utrecht".to_owned(),
/// #     roles: vec![eidas::Role::AccountInformation],
/// #     common_name: "tpp.example".to_owned(),
/// #     serial: vec![2],
/// #     not_before: validity.0,
/// #     not_after: validity.1,
/// # };
/// # let points = PublicationPoints {
/// #     ca_issuers: "http://pki.example/ca.cer".to_owned(),
/// #     crl: "http://pki.example/ca.crl".to_owned(),
/// #     ocsp: Some("http://pki.example/ocsp".to_owned()),
/// #     disclosure_statement: Some("https://pki.example/pds.pdf".to_owned()),
/// # };
/// # let (_, public_key) = generate_key(KeyType::P256)?;
/// let seal = authority.issue(Profile::QSeal, &request, &points, &public_key)?;
/// let (now, next) = ("2027-01-01T00:00:00Z".parse()?, "2027-01-02T00:00:00Z".parse()?);
/// let list = authority.revocation_list(1, &[(seal.serial.clone(), now)], now, next)?;
/// let list = RevocationList::from_der(&list)?;
///
/// let mut trust = TrustStore::default();
/// trust.add_anchor(authority.der())?;
/// assert_eq!(trust.verify(&seal, &[], now, &[]), Ok(()));
/// assert_eq!(trust.verify(&seal, &[], now, &[list]), Err(PathError::Revoked));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RevocationList(CertRevocationList<'static>);

/// Why there is no path to a trusted authority.
///
/// ```
/// use eidas::{Certificate, PathError, TrustStore};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let error = TrustStore::default().verify(
///     &Certificate::from_pem(pem)?,
///     &[],
///     "2027-01-01T00:00:00Z".parse().unwrap(),
///     &[],
/// );
/// assert_eq!(error, Err(PathError::UntrustedIssuer));
/// assert!(error.unwrap_err().to_string().starts_with("it was issued by another sandbox or authority"));
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// No trusted authority issued it, or its signature is not the authority's.
    #[error("it was issued by another sandbox or authority, not by one that is trusted here")]
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
            .map_err(|_| CertificateError::Malformed("as a revocation list".to_owned()))
    }
}

/// When a certificate was revoked, and whether for good, if it is on a list.
fn revoked(list: &CertRevocationList<'_>, serial: &[u8]) -> Option<Revoked> {
    let revoked = list.find_serial(serial).ok()??;
    let at = Timestamp::from_second(i64::try_from(revoked.revocation_date.as_secs()).ok()?).ok()?;
    Some(Revoked { at, is_hold: revoked.reason_code == Some(RevocationReason::CertificateHold) })
}

/// What a list says of a certificate that is on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revoked {
    /// Since when.
    pub(crate) at: Timestamp,
    /// Whether it may be a good one again.
    pub(crate) is_hold: bool,
}

/// Why a list does not tell whether a certificate was revoked.
#[derive(Debug)]
pub(crate) enum ListError {
    /// Its issuer did not sign it.
    Signer,
    /// It is not about this certificate.
    OtherCertificate,
    /// The certificate is not one of the issuer's, or the list breaks a rule.
    Path(PathError),
}

impl TrustStore {
    /// Trusts every certificate that this authority issued, directly or through intermediates.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] if the bytes cannot serve as an anchor.
    pub fn add_anchor(&mut self, der: &[u8]) -> Result<(), CertificateError> {
        let der = CertificateDer::from(der.to_vec());
        let anchor = webpki::anchor_from_trusted_cert(&der)
            .map_err(|_| CertificateError::Malformed("it cannot serve as a trust anchor".to_owned()))?;
        self.anchors.push(anchor.to_owned());
        self.anchor_certificates.push(der);
        Ok(())
    }

    /// Knows an intermediate authority, so that TPPs need not send it.
    pub fn add_intermediate(&mut self, der: &[u8]) {
        self.intermediates.push(CertificateDer::from(der.to_vec()));
    }

    /// Checks that a path from `certificate` to a trusted authority is valid at `now`. `sent` are certificates
    /// that came along, helpful or not. Extended key usage is not looked at: seals have none. qcStatements may be
    /// critical, and what is about policies, also of an authority: they are understood here (RFC 3739, 3.2.6; RFC 5280,
    /// 6.1), and that profiles forbid it is for [`crate::check()`] to say.
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
        self.path(certificate, sent, now, lists).map(|_| ())
    }

    /// The same; returns the authorities on the path, from the issuer up to the one that is trusted, in DER.
    ///
    /// # Errors
    /// [`PathError`]
    pub fn path(
        &self,
        certificate: &Certificate,
        sent: &[CertificateDer<'_>],
        now: Timestamp,
        lists: &[RevocationList],
    ) -> Result<Vec<CertificateDer<'static>>, PathError> {
        let seconds = u64::try_from(now.as_second()).map_err(|_| PathError::Expired)?;
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let understood = Softened::new(&certificate.der, is_understood);
        let lists: Vec<_> = lists.iter().map(|list| &list.0).collect();
        let lists = (&lists[..], UnknownStatusPolicy::Allow);
        let verified = match self.verify_softened(&understood, sent, time, lists) {
            Err(webpki::Error::UnsupportedCriticalExtension) => {
                // Who issued it matters more than what is in it.
                match self.verify_softened(&Softened::new(&certificate.der, |_| true), sent, time, lists) {
                    Ok(_) | Err(webpki::Error::UnsupportedCriticalExtension) => {
                        let above = self.intermediates.iter().chain(sent);
                        Err(PathError::Invalid(unknown_critical(certificate, above.map(AsRef::as_ref))))
                    }
                    Err(error) => Err(path_error(error)),
                }
            }
            other => other.map_err(path_error),
        };
        match verified {
            Err(PathError::Expired) if self.is_from_elsewhere(certificate, sent) => {
                Err(PathError::UntrustedIssuer)
            }
            Ok(above) => check_policies(certificate, &above).map(|()| above),
            other => other,
        }
    }

    /// Whether no trusted authority issued it even when it began to be valid. The library looks at the time before
    /// it looks for an issuer.
    fn is_from_elsewhere(&self, certificate: &Certificate, sent: &[CertificateDer<'_>]) -> bool {
        let Ok(seconds) = u64::try_from(certificate.not_before.as_second()) else { return false };
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let none = (&[][..], UnknownStatusPolicy::Allow);
        let verified = self.verify_softened(&Softened::new(&certificate.der, |_| true), sent, time, none);
        verified.is_err_and(|error| path_error(error) == PathError::UntrustedIssuer)
    }

    /// Whether a list of a trusted authority says that it revoked a certificate of its own, be it that of an authority, and when. A list that says
    /// nothing about it, or is not the authority's, is an error. A list that was changed so that it is understood comes with what
    /// was signed in truth.
    pub(crate) fn verify_by_list(
        &self,
        certificate: &Certificate,
        now: Timestamp,
        (list, changed): (&CertRevocationList<'_>, Option<&Softened>),
    ) -> Result<Option<Revoked>, ListError> {
        let seconds = u64::try_from(now.as_second()).map_err(|_| ListError::Path(PathError::Expired))?;
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let lists = (&[list][..], UnknownStatusPolicy::Deny);
        let softened = Softened::for_list(&certificate.der);
        let verified = self.verify_changed([Some(&softened), changed], &softened, &[], time, lists);
        match verified {
            Ok(_) => Ok(None),
            Err(webpki::Error::CertRevoked) => {
                let unsaid = Revoked { at: now, is_hold: false };
                Ok(Some(revoked(list, &certificate.serial).unwrap_or(unsaid)))
            }
            Err(webpki::Error::UnknownRevocationStatus) => Err(ListError::OtherCertificate),
            Err(webpki::Error::InvalidCrlSignatureForPublicKey) => Err(ListError::Signer),
            Err(error) => Err(ListError::Path(path_error(error))),
        }
    }

    /// The authorities on a path, with those extensions of the certificate taken as not critical that are understood.
    fn verify_softened(
        &self,
        softened: &Softened,
        sent: &[CertificateDer<'_>],
        time: UnixTime,
        lists: (&[&CertRevocationList<'_>], UnknownStatusPolicy),
    ) -> Result<Vec<CertificateDer<'static>>, webpki::Error> {
        self.verify_changed([Some(softened), None], softened, sent, time, lists)
    }

    /// The same where more than the certificate may have been changed.
    fn verify_changed(
        &self,
        changed: [Option<&Softened>; 2],
        softened: &Softened,
        sent: &[CertificateDer<'_>],
        time: UnixTime,
        (lists, unknown): (&[&CertRevocationList<'_>], UnknownStatusPolicy),
    ) -> Result<Vec<CertificateDer<'static>>, webpki::Error> {
        let above: Vec<_> = self.intermediates.iter().chain(sent).collect();
        let softened_above: Vec<_> = above.iter().map(|der| Softened::new(der, is_about_policies)).collect();
        let all = changed.into_iter().flatten().chain(&softened_above);
        let signed: Vec<_> = all.filter_map(Softened::signed).collect();
        let algorithms = algorithms(&signed, ALGORITHMS);
        let algorithms: Vec<&dyn SignatureVerificationAlgorithm> =
            algorithms.iter().map(|algorithm| algorithm as _).collect();
        let der = CertificateDer::from(softened.der());
        let leaf = EndEntityCert::try_from(&der)?;
        let intermediates: Vec<_> =
            softened_above.iter().map(|softened| CertificateDer::from(softened.der())).collect();
        let revocation = RevocationOptionsBuilder::new(lists).ok().map(|options| {
            options
                .with_depth(RevocationCheckDepth::EndEntity)
                .with_status_policy(unknown)
                .with_expiration_policy(ExpirationPolicy::Enforce)
                .build()
        });
        let path = leaf.verify_for_usage(
            &algorithms,
            &self.anchors,
            &intermediates,
            time,
            AnyUsage,
            revocation,
            None,
        )?;
        let anchor =
            self.anchors.iter().zip(&self.anchor_certificates).find(|(one, _)| *one == path.anchor());
        // Each as it came.
        let as_it_came = |der: CertificateDer<'_>| {
            let came = intermediates.iter().position(|one| *one == der).and_then(|at| above.get(at));
            came.map_or_else(|| der.clone().into_owned(), |came| (*came).clone().into_owned())
        };
        let between = path.intermediate_certificates().map(|one| as_it_came(one.der()));
        Ok(between.chain(anchor.map(|(_, certificate)| certificate.clone())).collect())
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
        E::PathLenConstraintViolated => {
            PathError::Invalid("there are more authorities on it than one of them allows".to_owned())
        }
        E::EndEntityUsedAsCa => PathError::Invalid("its issuer is no authority (cA is not true)".to_owned()),
        E::NameConstraintViolation => {
            PathError::Invalid("an authority may not issue certificates for these names".to_owned())
        }
        E::UnsupportedCertVersion => PathError::Invalid("it is not an X.509 v3 certificate".to_owned()),
        // Its issuer signed with a key of another kind than the authority of that name has.
        E::UnsupportedSignatureAlgorithmForPublicKeyContext(context)
            if ALGORITHMS
                .iter()
                .any(|known| known.public_key_alg_id().as_ref() == context.public_key_algorithm_id) =>
        {
            PathError::UntrustedIssuer
        }
        E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            PathError::Invalid("a signature on it uses an algorithm that is not taken here".to_owned())
        }
        E::CrlExpired { .. } => PathError::Invalid("the revocation list is out of date".to_owned()),
        _ => PathError::Invalid("a certificate on it breaks a rule of RFC 5280".to_owned()),
    }
}
