//! The services of all lists that hold, as the gateway asks them.

use std::sync::Arc;

use eidas::{Certificate, CertificateDer, TrustStore};
use gateway::domain::Timestamp;
use gateway::{Qualified, Qualify, Unqualified};
use trusted_lists::{Service, TrustedList, qualified};

/// Lists with their countries.
#[derive(Debug)]
pub(super) struct ListedServices {
    lists: Vec<(String, Arc<TrustedList>)>,
    intermediates: Vec<Certificate>,
}

impl ListedServices {
    pub(super) fn new(lists: Vec<(String, Arc<TrustedList>)>, intermediates: &[Vec<u8>]) -> Self {
        let intermediates = intermediates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
        Self { lists, intermediates }
    }

    fn services(&self) -> impl Iterator<Item = (&str, &Service)> {
        self.lists.iter().flat_map(|(territory, list)| {
            list.services().iter().map(move |service| (territory.as_str(), service))
        })
    }

    /// The authorities from a certificate's issuer up to one of a service, if one of those is above it; others that came along with
    /// it may be between them.
    fn above(
        &self,
        service: &Service,
        certificate: &Certificate,
        between: &[Certificate],
    ) -> Option<Vec<CertificateDer<'static>>> {
        let at = certificate.not_before;
        let between = || self.intermediates.iter().chain(between);
        // Names cost nothing to compare, and few are the same.
        let is_near = |above: &Certificate| {
            above.subject == certificate.issuer || between().any(|between| between.issuer == above.subject)
        };
        service.certificates.iter().filter(|above| is_near(above)).find_map(|above| {
            let mut trust = TrustStore::default();
            between().for_each(|between| trust.add_intermediate(&between.der));
            trust.add_anchor(&above.der).ok()?;
            trust.path(certificate, &[], at, &[]).ok()
        })
    }
}

impl Qualify for ListedServices {
    fn qualified(
        &self,
        certificate: &Certificate,
        sent: &[CertificateDer<'static>],
        now: Timestamp,
    ) -> Result<Qualified, Unqualified> {
        let sent: Vec<_> = sent.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
        let found =
            |(territory, service)| Some((territory, service, self.above(service, certificate, &sent)?));
        let mut found: Vec<_> = self.services().filter_map(found).collect();
        let services: Vec<_> = found.iter().map(|(_, service, _)| *service).collect();
        let Some((territory, _, above)) = found.first_mut() else { return Err(Unqualified::Unlisted) };
        match qualified(certificate, services, now) {
            Ok(purpose) => Ok(Qualified { purpose, above: std::mem::take(above) }),
            Err(why) => Err(Unqualified::Listed(format!("the trusted list of {territory} {why}"))),
        }
    }
}
