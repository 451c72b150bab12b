//! The rules a PSD2 certificate has to follow, each with its clause.
//!
//! Two tables: `identity`, without which a bank must refuse, and `profile`, which certificate profiles
//! demand but banks tolerate. Trust and revocation are in [`crate::path`].

mod identity;
mod profile;

use jiff::Timestamp;
use serde::Serialize;

use crate::Role;
use crate::certificate::Certificate;
use crate::name::visible;
use crate::qc_statements::QcType;

/// What a certificate is to be used for.
///
/// ```
/// use eidas::{Certificate, Purpose, verify_purpose};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let seal = Certificate::from_pem(pem)?;
/// assert_eq!(verify_purpose(&seal, Purpose::QSeal), Ok(()));
/// assert!(verify_purpose(&seal, Purpose::Qwac).is_err());
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// TLS client authentication by a qualified website authentication certificate.
    Qwac,
    /// Signing messages with a qualified electronic seal certificate.
    QSeal,
}

impl Purpose {
    /// The purpose that a QcType stands for.
    pub fn of(qc_type: Option<QcType>) -> Option<Self> {
        match qc_type {
            Some(QcType::Web) => Some(Self::Qwac),
            Some(QcType::Eseal) => Some(Self::QSeal),
            _ => None,
        }
    }
}

/// How much a broken rule matters.
///
/// ```
/// assert!(eidas::Severity::Refusal > eidas::Severity::Advice);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the standard says "should".
    Advice,
    /// Breaks the certificate profile; banks may still take it.
    Violation,
    /// A bank must refuse the certificate.
    Refusal,
}

/// One broken rule.
///
/// ```
/// use eidas::{Certificate, Severity, check};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let seal = Certificate::from_pem(pem)?;
/// let findings = check(&seal, None, "2029-01-01T00:00:00Z".parse().unwrap());
/// assert_eq!(findings[0].severity, Severity::Refusal);
/// assert!(findings[0].to_string().contains("2028-01-08"));
/// # Ok::<(), eidas::CertificateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A short stable name, for example `nca_mismatch`.
    pub rule: &'static str,
    /// Document and clause.
    pub clause: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong and what would be right.
    pub text: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{}]", self.text, self.clause)
    }
}

/// One rule: it looks at a certificate and says what is wrong, if anything is.
struct Rule {
    name: &'static str,
    clause: &'static str,
    severity: Severity,
    test: fn(&Subject<'_>) -> Option<String>,
}

/// What rules look at.
struct Subject<'c> {
    certificate: &'c Certificate,
    purpose: Option<Purpose>,
}

impl Rule {
    fn apply(&self, subject: &Subject<'_>) -> Option<Finding> {
        (self.test)(subject).map(|text| Finding {
            rule: self.name,
            clause: self.clause,
            severity: self.severity,
            text,
        })
    }
}

/// Every rule that `certificate` breaks at `now`. Without a purpose the QcType decides which rules apply.
pub fn check(certificate: &Certificate, purpose: Option<Purpose>, now: Timestamp) -> Vec<Finding> {
    let purpose = purpose.or_else(|| Purpose::of(certificate.qc_type()));
    let subject = Subject { certificate, purpose };
    let mut findings: Vec<_> =
        identity::RULES.iter().chain(profile::RULES).filter_map(|rule| rule.apply(&subject)).collect();
    findings.extend(unregistered_roles(certificate));
    findings.extend(validity(certificate, now));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// Checks what a bank must insist on before it takes a certificate for a purpose, the period of validity and
/// the issuer aside.
///
/// # Errors
/// The first rule that is broken.
pub fn verify_purpose(certificate: &Certificate, purpose: Purpose) -> Result<(), Finding> {
    let subject = Subject { certificate, purpose: Some(purpose) };
    match identity::RULES.iter().find_map(|rule| rule.apply(&subject)) {
        Some(finding) => Err(finding),
        None => Ok(()),
    }
}

/// A bank refuses it by what it grants, once the certificate itself has passed.
fn unregistered_roles(certificate: &Certificate) -> Option<Finding> {
    let psd2 = certificate.qc_statements.as_ref()?.as_ref().ok()?.psd2.as_ref()?;
    if psd2.unknown_roles.is_empty() || !psd2.roles.is_empty() {
        return None;
    }
    let got: Vec<_> =
        psd2.unknown_roles.iter().map(|(oid, name)| format!("{oid} {}", visible(name))).collect();
    let right: Vec<_> =
        Role::THIRD_PARTY.iter().map(|role| format!("{} {}", role.oid(), role.name())).collect();
    Some(Finding {
        rule: "roles_unregistered",
        clause: "ETSI TS 119 495, GEN-5.2.2-5",
        severity: Severity::Refusal,
        text: format!(
            "the PSD2 statement grants no role: {} is not registered; those of third parties are {}",
            got.join(", "),
            right.join(", ")
        ),
    })
}

fn validity(certificate: &Certificate, now: Timestamp) -> Option<Finding> {
    let text = if now < certificate.not_before {
        format!("it is not valid before {}", certificate.not_before)
    } else if now > certificate.not_after {
        format!("it expired at {}", certificate.not_after)
    } else {
        return None;
    };
    Some(Finding {
        rule: "certificate_expired",
        clause: "RFC 5280, 4.1.2.5",
        severity: Severity::Refusal,
        text,
    })
}
