//! The services of all lists that hold, as the gateway asks them.

use std::sync::Arc;

use eidas::{Certificate, Purpose, TrustStore};
use gateway::domain::Timestamp;
use gateway::{Qualify, Unqualified};
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

    /// The certificates of all services.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.services().flat_map(|(_, service)| &service.certificates)
    }

    /// Whether one of the certificates of a service is above a certificate.
    fn issued(&self, service: &Service, certificate: &Certificate) -> bool {
        let at = certificate.not_before;
        // Names cost nothing to compare, and few are the same.
        let is_near = |above: &Certificate| {
            above.subject == certificate.issuer
                || self.intermediates.iter().any(|between| between.issuer == above.subject)
        };
        service.certificates.iter().filter(|above| is_near(above)).any(|above| {
            let mut trust = TrustStore::default();
            self.intermediates.iter().for_each(|between| trust.add_intermediate(&between.der));
            trust.add_anchor(&above.der).is_ok() && trust.verify(certificate, &[], at, &[]).is_ok()
        })
    }
}

impl Qualify for ListedServices {
    fn qualified(&self, certificate: &Certificate, now: Timestamp) -> Result<Purpose, Unqualified> {
        let above: Vec<_> =
            self.services().filter(|(_, service)| self.issued(service, certificate)).collect();
        let Some((territory, _)) = above.first() else { return Err(Unqualified::Unlisted) };
        let services = above.iter().map(|(_, service)| *service);
        qualified(certificate, services, now)
            .map_err(|why| Unqualified::Listed(format!("the trusted list of {territory} {why}")))
    }
}
