//! Whom a bank trusts, and the way from a certificate to them.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use domain::{Refusal, Timestamp};
use eidas::{Certificate, CertificateDer, CertificateError, PathError, Purpose, TrustStore};
use http_signatures::key::PublicKey;
use quick_cache::sync::Cache;

use crate::certificates::{holder, invalid};
use crate::{Gateway, Place, PresentedCertificate};

/// Certificates kept parsed. Each takes about ten kilobytes; only those that were traced are kept.
const CACHED: usize = 1024;

/// Authorities kept parsed.
const AUTHORITIES: usize = 256;

/// A certificate as somebody sent it.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'s> {
    /// In DER, or as the value of a header.
    pub octets: &'s [u8],
    /// Certificates of authorities that came along, in DER: perhaps of those above it. Nobody has looked at them.
    pub above: &'s [CertificateDer<'static>],
}

impl<'s> Sent<'s> {
    /// One that came alone.
    pub fn alone(octets: &'s [u8]) -> Self {
        Self { octets, above: &[] }
    }
}

/// Trusted lists, which say what certificates are qualified for.
pub trait Qualify: std::fmt::Debug + Send + Sync {
    /// What a certificate is for at a moment, and the authorities above it up to one that is listed; others that came along
    /// may be between them.
    ///
    /// # Errors
    /// [`Unqualified`]
    fn qualified(
        &self,
        certificate: &Certificate,
        sent: &[CertificateDer<'static>],
        now: Timestamp,
    ) -> Result<Qualified, Unqualified>;
}

/// What lists make of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qualified {
    /// What it is for.
    pub purpose: Purpose,
    /// The authorities above it, from its issuer up to the one that is listed, in DER.
    pub above: Vec<CertificateDer<'static>>,
}

/// Why lists make nothing of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unqualified {
    /// No authority of theirs issued it.
    Unlisted,
    /// What they say of whoever issued it.
    Listed(String),
}

/// Whom a bank trusts.
#[derive(Debug)]
pub(crate) struct Authorities {
    /// Those that it trusts by itself.
    anchors: TrustStore,
    /// Lists of others, if it has any.
    lists: Option<Arc<dyn Qualify>>,
}

/// Authorities that are trusted, and the certificates that were traced to them.
#[derive(Debug)]
pub(crate) struct Trust {
    /// Asked for what is not traced yet alone.
    authorities: RwLock<Authorities>,
    /// By the octets they were presented as: DER, or the text of a header.
    traced: Cache<Box<[u8]>, Arc<PresentedCertificate>>,
    /// Authorities above them, by their certificates in DER.
    above: Cache<Box<[u8]>, Arc<Certificate>>,
}

impl Trust {
    pub(crate) fn new(anchors: TrustStore) -> Self {
        let authorities = Authorities { anchors, lists: None };
        let (traced, above) = (Cache::new(CACHED), Cache::new(AUTHORITIES));
        Self { authorities: RwLock::new(authorities), traced, above }
    }

    /// A certificate that was traced before, or is now.
    pub(crate) fn find(
        &self,
        octets: &[u8],
        now: Timestamp,
        trace: impl FnOnce(&Authorities) -> Result<PresentedCertificate, Refusal>,
    ) -> Result<Arc<PresentedCertificate>, Refusal> {
        if let Some(presented) = self.traced.get(octets)
            && presented.above_hold_at(now)
        {
            return Ok(presented);
        }
        // Held until it is remembered: what was traced to authorities that are replaced meanwhile is forgotten with the others.
        let authorities = self.authorities.read().unwrap_or_else(PoisonError::into_inner);
        let presented = Arc::new(trace(&authorities)?);
        self.traced.insert(octets.into(), Arc::clone(&presented));
        Ok(presented)
    }

    /// Authorities by their certificates.
    fn read_above(
        &self,
        path: Vec<CertificateDer<'static>>,
    ) -> Result<Vec<Arc<Certificate>>, CertificateError> {
        let read = |der: CertificateDer<'static>| {
            if let Some(known) = self.above.get(&*der) {
                return Ok(known);
            }
            let read = Arc::new(Certificate::from_der(&der)?);
            self.above.insert((*der).into(), Arc::clone(&read));
            Ok(read)
        };
        path.into_iter().map(read).collect()
    }

    fn change(&self, change: impl FnOnce(&mut Authorities)) {
        change(&mut self.authorities.write().unwrap_or_else(PoisonError::into_inner));
        self.traced.clear();
    }
}

impl Gateway {
    /// Trusts these authorities from now on, and no others but those of lists. What was traced is traced anew.
    pub fn trust(&self, authorities: TrustStore) {
        self.0.trust.change(|current| current.anchors = authorities);
    }

    /// Trusts the authorities of these lists from now on, as far as the lists say, beside those of [`Gateway::trust`].
    pub fn trust_lists(&self, lists: Arc<dyn Qualify>) {
        self.0.trust.change(|current| current.lists = Some(lists));
    }
}

impl Trust {
    /// Reads a certificate and finds its way to an authority.
    pub(crate) fn trace(
        &self,
        authorities: &Authorities,
        sent: Sent<'_>,
        (place, now): (Place, Timestamp),
    ) -> Result<PresentedCertificate, Refusal> {
        let certificate = Certificate::from_der(sent.octets).map_err(|error| invalid(place, &error))?;
        certificate.public_key.check().map_err(|error| invalid(place, &error))?;
        let identifier = certificate.organization_identifier().map_err(|error| invalid(place, &error))?;
        if identifier.authorization_number().is_none() {
            return Err(invalid(
                place,
                &format!(
                    "its organizationIdentifier \"{identifier}\" carries no authorisation number; expected \
                     PSD, country, -, authority, -, number (ETSI TS 119 495, 5.2.1), for example PSDNL-DNB-R123456"
                ),
            ));
        }
        let (qualified, above) = authorities.above(&certificate, sent.above, (place, now))?;
        let above = self.read_above(above).map_err(|error| invalid(place, &error))?;
        if let Some(fault) = certificate.psd2_fault() {
            return Err(invalid(place, fault));
        }
        let key = PublicKey::from_spki_der(&certificate.public_key.spki_der)
            .map_err(|error| invalid(place, &error))?;
        let holder = holder(&certificate, &identifier);
        let fitting_key_id = OnceLock::new();
        Ok(PresentedCertificate { certificate, holder, key, above, qualified, fitting_key_id })
    }
}

impl Authorities {
    /// The authorities above a certificate, and what lists say that it is for where one of them is a list's.
    fn above(
        &self,
        certificate: &Certificate,
        sent: &[CertificateDer<'static>],
        (place, now): (Place, Timestamp),
    ) -> Result<(Option<Purpose>, Vec<CertificateDer<'static>>), Refusal> {
        let at = within_its_time(certificate, now);
        match (self.anchors.path(certificate, sent, at, &[]), &self.lists) {
            (Ok(above), _) => Ok((None, above)),
            (Err(PathError::UntrustedIssuer), Some(lists)) => match lists.qualified(certificate, sent, now) {
                Ok(Qualified { purpose, above }) => Ok((Some(purpose), above)),
                Err(Unqualified::Unlisted) => Err(untrusted(place, certificate)),
                Err(Unqualified::Listed(why)) => Err(invalid(place, &why)),
            },
            (Err(PathError::UntrustedIssuer), None) => Err(untrusted(place, certificate)),
            (Err(other), _) => Err(invalid(place, &other)),
        }
    }
}

fn untrusted(place: Place, certificate: &Certificate) -> Refusal {
    let issuer = &certificate.issuer;
    invalid(
        place,
        &format!("it was issued by another sandbox or authority: \"{issuer}\" is not trusted here"),
    )
}

impl PresentedCertificate {
    /// Whether the authorities between it and the one that is trusted are not out of their time.
    fn above_hold_at(&self, now: Timestamp) -> bool {
        let at = within_its_time(&self.certificate, now);
        let between = self.above.split_last().map_or(&[][..], |(_, between)| between);
        between.iter().all(|authority| authority.is_valid_at(at))
    }
}

/// The leaf's own validity is a check of its own, so a path is good if it was at some time of it.
fn within_its_time(certificate: &Certificate, now: Timestamp) -> Timestamp {
    now.clamp(certificate.not_before, certificate.not_after.max(certificate.not_before))
}
