//! What a certificate is qualified for, by the services that issued it (TS 119 615, 4.4; section 2.3 of the security description).

use std::collections::BTreeSet;

use eidas::{Certificate, Purpose, QcType};
use jiff::Timestamp;

use crate::list::{Period, Service};

/// The kind of services that issue qualified certificates.
const ISSUES: &str = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC";

/// The status of services that may.
const GRANTED: &str = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted";

/// What services may be listed for that is asked for here, and the word for it.
const PURPOSES: [(Purpose, &str); 2] =
    [(Purpose::Qwac, "ForWebSiteAuthentication"), (Purpose::QSeal, "ForeSeals")];

/// Why a certificate is not qualified for anything that is asked for here. Texts go behind "the trusted list".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotQualified {
    /// No service issues qualified certificates, or not any more.
    #[error("says that the service \"{name}\" which issued it {why}")]
    Service {
        /// What the service is called.
        name: String,
        /// How it is.
        why: &'static str,
    },
    /// It does not say that it is qualified, or a list says that it is not.
    #[error("does not make it a qualified certificate: {0}")]
    Certificate(&'static str),
    /// Services or qualifiers contradict each other, or cannot be understood.
    #[error("cannot be understood as far as it is about this certificate: {0}")]
    Unclear(&'static str),
}

/// What a certificate is for at a moment, by services that issued it: one of the certificates of each is its issuer or above that.
/// An authority that issues for several purposes is several services; those that are not listed for the purpose say nothing of it.
///
/// # Errors
/// [`NotQualified`]
pub fn qualified<'s>(
    certificate: &Certificate,
    services: impl IntoIterator<Item = &'s Service>,
    now: Timestamp,
) -> Result<Purpose, NotQualified> {
    let mut found: Option<Result<Purpose, NotQualified>> = None;
    let mut refused = None;
    for service in services {
        let name = || service.name.clone();
        let not = |why| NotQualified::Service { name: name(), why };
        let then = service.at(certificate.not_before).filter(|period| period.issues());
        match service.at(now).filter(|period| period.issues()) {
            None => refused = Some(not("issues no qualified certificates now")),
            Some(_) if then.is_none() => {
                refused = Some(not("issued no qualified certificates when it issued this one"));
            }
            Some(period) if period.is_unclear => {
                return Err(NotQualified::Unclear("an extension of the service is critical and unknown"));
            }
            // It is listed for other things, and may say what it likes about those.
            Some(period) if !PURPOSES.iter().any(|(purpose, _)| period.is_for(*purpose)) => {
                refused = Some(not("is listed neither for website authentication nor for seals"));
            }
            Some(period) => {
                let judged = judge(certificate, period);
                if let Ok(purpose) = judged
                    && !period.is_for(purpose)
                {
                    refused = Some(not(match purpose {
                        Purpose::Qwac => "is not listed for website authentication",
                        Purpose::QSeal => "is not listed for seals",
                    }));
                    continue;
                }
                if found.as_ref().is_some_and(|before| *before != judged) {
                    return Err(NotQualified::Unclear("several services say different things of it"));
                }
                found = Some(judged);
            }
        }
    }
    let refused = refused.unwrap_or(NotQualified::Certificate("no service that issued it is listed"));
    found.unwrap_or(Err(refused))
}

impl Service {
    /// How it was at a moment.
    fn at(&self, moment: Timestamp) -> Option<&Period> {
        self.periods.iter().find(|period| period.since <= moment)
    }
}

impl Period {
    /// Whether its certificates may be for this.
    fn is_for(&self, purpose: Purpose) -> bool {
        PURPOSES.iter().any(|(known, word)| *known == purpose && self.purposes.contains(*word))
    }

    /// Whether it issues qualified certificates.
    fn issues(&self) -> bool {
        self.kind == ISSUES && self.status == GRANTED
    }
}

/// What a service makes of a certificate, be it listed for that or not.
fn judge(certificate: &Certificate, period: &Period) -> Result<Purpose, NotQualified> {
    let mut qualifiers = BTreeSet::new();
    for qualification in &period.qualifications {
        // What is about devices is not asked for here, so that it need not be understood.
        let about_this =
            qualification.qualifiers.iter().map(String::as_str).filter(|one| {
                usage(one).is_some() || ["QCForESig", "QCStatement", "NotQualified"].contains(one)
            });
        let about_this: Vec<_> = about_this.collect();
        if about_this.is_empty() {
            continue;
        }
        match qualification.criteria.fits(certificate) {
            Some(true) => qualifiers.extend(about_this),
            Some(false) => {}
            None => return Err(NotQualified::Unclear("a criterion is unknown")),
        }
    }
    let statements = certificate.qc_statements.as_ref().and_then(|read| read.as_ref().ok());
    match (qualifiers.contains("NotQualified"), qualifiers.contains("QCStatement")) {
        (true, true) => return Err(NotQualified::Unclear("it is qualified and not qualified")),
        (true, false) => {
            return Err(NotQualified::Certificate("such certificates of the service are not qualified"));
        }
        (false, true) => {}
        (false, false) if statements.is_some_and(|statements| statements.qc_compliance) => {}
        (false, false) => return Err(NotQualified::Certificate("it has no QcCompliance statement")),
    }
    let usages: Vec<_> =
        qualifiers.iter().filter(|one| one.starts_with("QCFor") && **one != "QCForLegalPerson").collect();
    match usages[..] {
        [] => match certificate.qc_type() {
            Some(QcType::Web) => Ok(Purpose::Qwac),
            Some(QcType::Eseal) => Ok(Purpose::QSeal),
            _ => Err(NotQualified::Certificate("its QcType is neither web nor eseal")),
        },
        [one] => usage(one).ok_or(NotQualified::Certificate("it is for signatures of people")),
        _ => Err(NotQualified::Unclear("it is for several things")),
    }
}

/// What a qualifier says that certificates are for.
fn usage(qualifier: &str) -> Option<Purpose> {
    match qualifier {
        "QCForWSA" => Some(Purpose::Qwac),
        "QCForESeal" => Some(Purpose::QSeal),
        _ => None,
    }
}
