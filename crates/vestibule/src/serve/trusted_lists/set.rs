//! The services of all lists that hold, as the gateway asks them.

use std::sync::Arc;

use eidas::{Certificate, CertificateDer, PathError, TrustStore};
use gateway::domain::Timestamp;
use gateway::{Qualified, Qualify, Unqualified};
use trusted_lists::{Service, TrustedList, qualified};

/// Lists with their countries.
#[derive(Debug)]
pub(super) struct ListedServices {
    lists: Vec<(String, Arc<TrustedList>)>,
    intermediates: Vec<Certificate>,
    /// Whether authorities for tests are among those that vouch for somebody.
    test_authorities: bool,
}

impl ListedServices {
    pub(super) fn new(
        lists: Vec<(String, Arc<TrustedList>)>,
        intermediates: &[Vec<u8>],
        test_authorities: bool,
    ) -> Self {
        let intermediates = intermediates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
        Self { lists, intermediates, test_authorities }
    }

    fn services(&self) -> impl Iterator<Item = (&str, &Service)> {
        self.lists.iter().flat_map(|(territory, list)| {
            list.services().iter().map(move |service| (territory.as_str(), service))
        })
    }

    /// The authorities from a certificate's issuer up to one of a service, if one of those is above it; others that came along with
    /// it may be between them, and have to be within their time: nobody says of one whose time is over whether it was revoked.
    ///
    /// # Errors
    /// Why the best of the ways there is none; [`PathError::UntrustedIssuer`] if there is no way.
    fn above(
        &self,
        service: &Service,
        certificate: &Certificate,
        (between, now): (&[Certificate], Timestamp),
    ) -> Result<Vec<CertificateDer<'static>>, PathError> {
        // Its own time is a check of its own.
        let at = now.clamp(certificate.not_before, certificate.not_after.max(certificate.not_before));
        let between = || self.intermediates.iter().chain(between);
        // Names cost nothing to compare, and few are the same.
        let is_near = |above: &Certificate| {
            above.subject == certificate.issuer || between().any(|between| between.issuer == above.subject)
        };
        let mut problem = PathError::UntrustedIssuer;
        let is_taken = |above: &Certificate| self.test_authorities || !above.is_for_tests();
        for above in service.certificates.iter().filter(|above| is_near(above) && is_taken(above)) {
            let mut trust = TrustStore::default();
            between().for_each(|between| trust.add_intermediate(&between.der));
            if trust.add_anchor(&above.der).is_err() {
                continue;
            }
            match trust.path(certificate, &[], at, &[]) {
                Ok(path) => return Ok(path),
                Err(PathError::UntrustedIssuer) => {}
                Err(error) => problem = error,
            }
        }
        Err(problem)
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
        let (mut found, mut problem) = (Vec::new(), None);
        for (territory, service) in self.services() {
            match self.above(service, certificate, (&sent, now)) {
                Ok(above) => found.push((territory, service, above)),
                Err(PathError::UntrustedIssuer) => {}
                Err(error) => problem = Some(error),
            }
        }
        let services: Vec<_> = found.iter().map(|(_, service, _)| *service).collect();
        let Some((territory, _, above)) = found.first_mut() else {
            return Err(problem.map_or(Unqualified::Unlisted, |why| Unqualified::Listed(why.to_string())));
        };
        match qualified(certificate, services, now) {
            Ok(purpose) => Ok(Qualified { purpose, above: std::mem::take(above) }),
            Err(why) => Err(Unqualified::Listed(format!("the trusted list of {territory} {why}"))),
        }
    }
}
