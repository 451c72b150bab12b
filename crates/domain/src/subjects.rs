//! Subjects: what a customer is asked to authorise.

use eidas::Role;
use serde::{Deserialize, Serialize};

use crate::{ConsentId, FundsConsentId, PaymentId};

/// What an authorisation is about, and whatever comes of it: session, code, grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "subject_kind", content = "subject_id", rename_all = "kebab-case")]
pub enum Subject {
    /// Account information.
    Consent(ConsentId),
    /// A payment.
    Payment(PaymentId),
    /// Confirmation of funds.
    FundsConsent(FundsConsentId),
}

/// Kinds of subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    /// A consent for account information.
    Consent,
    /// A payment.
    Payment,
    /// A consent for confirmation of funds.
    FundsConsent,
}

impl SubjectKind {
    /// Every kind with its name.
    pub const NAMES: [(Self, &'static str); 3] =
        [(Self::Consent, "consent"), (Self::Payment, "payment"), (Self::FundsConsent, "funds-consent")];

    /// The stable name that is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Payment => "payment",
            Self::FundsConsent => "funds-consent",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// The word for messages.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Consent | Self::FundsConsent => "consent",
            Self::Payment => "payment",
        }
    }

    /// The role that a third party needs to ask for one (Delegated Regulation (EU) 2018/389, Article 34(3)).
    pub fn role(self) -> Role {
        match self {
            Self::Consent => Role::AccountInformation,
            Self::Payment => Role::PaymentInitiation,
            Self::FundsConsent => Role::CardIssuing,
        }
    }

    /// The subject of this kind with an id that was made or stored before.
    pub fn with_id(self, id: impl Into<String>) -> Subject {
        match self {
            Self::Consent => Subject::Consent(ConsentId::new(id)),
            Self::Payment => Subject::Payment(PaymentId::new(id)),
            Self::FundsConsent => Subject::FundsConsent(FundsConsentId::new(id)),
        }
    }
}

impl Subject {
    /// Its kind.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::Consent(_) => SubjectKind::Consent,
            Self::Payment(_) => SubjectKind::Payment,
            Self::FundsConsent(_) => SubjectKind::FundsConsent,
        }
    }

    /// The text of its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Consent(id) => id.as_str(),
            Self::Payment(id) => id.as_str(),
            Self::FundsConsent(id) => id.as_str(),
        }
    }
}

/// For messages: a noun and the id.
impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind().noun(), self.id())
    }
}

/// Whether it is that consent.
impl PartialEq<ConsentId> for Subject {
    fn eq(&self, id: &ConsentId) -> bool {
        matches!(self, Self::Consent(own) if own == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_stable_names_and_stored_requests_the_same() {
        for (kind, name) in SubjectKind::NAMES {
            assert_eq!((kind.name(), SubjectKind::from_name(name)), (name, Some(kind)));
            let subject = kind.with_id("x");
            assert_eq!((subject.kind(), subject.id()), (kind, "x"));
            let stored = serde_json::json!({"subject_kind": name, "subject_id": "x"});
            assert_eq!(serde_json::to_value(&subject).unwrap(), stored);
            assert_eq!(serde_json::from_value::<Subject>(stored).unwrap(), subject);
        }
        assert_eq!(SubjectKind::from_name("basket"), None);
    }

    #[test]
    fn ids_of_different_kinds_are_different_subjects() {
        let consent = ConsentId::new("x");
        assert!(SubjectKind::Consent.with_id("x") == consent && SubjectKind::Consent.with_id("y") != consent);
        assert!(
            SubjectKind::Payment.with_id("x") != consent && SubjectKind::FundsConsent.with_id("x") != consent
        );
        assert_eq!(SubjectKind::Payment.with_id("x").to_string(), "payment x");
        assert_eq!(SubjectKind::FundsConsent.with_id("x").to_string(), "consent x");
    }
}
