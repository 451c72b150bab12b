//! What an authorisation is about, as it is stored.

use domain::{Consent, Payment, PaymentStatus, Subject, Timestamp};

use crate::{Ctx, Error, Gateway, Profiles};

/// What a customer decides about.
#[derive(Debug, Clone)]
pub(crate) enum Matter {
    /// Access to accounts, and whatever payments wait beside it.
    Consent(Consent),
    /// One payment.
    Payment(Payment),
}

impl Matter {
    /// The consent, if it is one.
    pub(crate) fn consent(&self) -> Option<&Consent> {
        match self {
            Self::Consent(consent) => Some(consent),
            Self::Payment(_) => None,
        }
    }

    /// Whether there is something to come back for, so that tokens of it may be refreshed.
    pub(crate) fn is_recurring(&self) -> bool {
        self.consent().is_some_and(|consent| consent.recurring)
    }

    /// When it ends by itself.
    pub(crate) fn ends_at(&self) -> Timestamp {
        match self {
            Self::Consent(consent) => consent.ends_at(),
            Self::Payment(payment) => payment.expires_at,
        }
    }

    /// Whether nothing can be done with it any more.
    fn has_ended_at(&self, now: Timestamp, profiles: &Profiles) -> bool {
        match self {
            Self::Consent(consent) => {
                consent.status_at(now, &profiles.at(consent.interface).consents).is_final()
            }
            Self::Payment(payment) => match payment.status_at(now) {
                PaymentStatus::Pending | PaymentStatus::Executed => false,
                PaymentStatus::Rejected | PaymentStatus::Cancelled | PaymentStatus::Expired => true,
            },
        }
    }
}

impl Gateway {
    /// What a subject is.
    pub(crate) async fn matter(&self, subject: &Subject) -> Result<Option<Matter>, Error> {
        Ok(match subject {
            Subject::Consent(id) => self.0.store.consent(id).await?.map(Matter::Consent),
            Subject::Payment(id) => self.0.store.payment(id).await?.map(Matter::Payment),
            // None can be asked for at any interface.
            Subject::FundsConsent(_) => None,
        })
    }

    /// The same, unless it has ended.
    pub(crate) async fn open_matter(&self, ctx: &Ctx, subject: &Subject) -> Result<Option<Matter>, Error> {
        let profiles = &self.0.settings.profiles;
        Ok(self.matter(subject).await?.filter(|matter| !matter.has_ended_at(ctx.now, profiles)))
    }
}
