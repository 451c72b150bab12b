//! What an authorisation is about, as it is stored.

use domain::{
    AccountReference, Consent, FundsConsent, Payment, PaymentRefusal, PaymentStatus, Subject, SubjectKind,
    Timestamp,
};

use crate::consents::is_own;
use crate::funds_consents::is_own_funds_consent;
use crate::{ActingTpp, Changes, Ctx, Error, Gateway, Noun, Profiles};

/// What a customer decides about.
#[derive(Debug, Clone)]
pub(crate) enum Matter {
    /// Access to accounts, and whatever payments wait beside it.
    Consent(Consent),
    /// Confirmation of funds.
    FundsConsent(FundsConsent),
    /// One payment.
    Payment(Payment),
}

impl Matter {
    /// The consent to access, if it is one.
    pub(crate) fn consent(&self) -> Option<&Consent> {
        match self {
            Self::Consent(consent) => Some(consent),
            Self::FundsConsent(_) | Self::Payment(_) => None,
        }
    }

    /// Whether there is something to come back for, so that tokens of it may be refreshed.
    pub(crate) fn is_recurring(&self) -> bool {
        match self {
            Self::Consent(consent) => consent.recurring,
            Self::FundsConsent(_) => true,
            Self::Payment(_) => false,
        }
    }

    /// The accounts that are named, all of which the customer has to hold.
    pub(crate) fn references(&self) -> Vec<&AccountReference> {
        match self {
            Self::Consent(consent) => consent.access.references(),
            Self::FundsConsent(consent) => vec![&consent.account],
            Self::Payment(_) => Vec::new(),
        }
    }

    /// When tokens that are issued now end, if nobody ends them before.
    pub(crate) fn tokens_end_at(&self, now: Timestamp, profiles: &Profiles) -> Timestamp {
        match self {
            Self::Consent(consent) => consent.ends_at(),
            Self::FundsConsent(consent) => {
                let idle = profiles.at(consent.interface).lifetimes.idle_refresh_token;
                now.saturating_add(idle).unwrap_or(Timestamp::MAX)
            }
            Self::Payment(payment) => payment.expires_at,
        }
    }

    /// Whether the caller asked for it, at the tenant and the interface that are called.
    fn is_own(&self, ctx: &Ctx, tpp: &ActingTpp) -> bool {
        match self {
            Self::Consent(consent) => is_own(ctx, tpp, consent),
            Self::FundsConsent(consent) => is_own_funds_consent(ctx, tpp, consent),
            // None is asked for at an interface with authorisations of its own.
            Self::Payment(_) => false,
        }
    }

    /// Checks that a customer can still be asked to authorise it.
    ///
    /// # Errors
    /// [`domain::ConsentRefusal::Final`], [`domain::PaymentRefusal::Final`]
    pub(crate) fn check_open(&self, now: Timestamp, profiles: &Profiles) -> Result<(), Error> {
        match self {
            Self::Consent(consent) => Ok(consent.check_open(now, &profiles.at(consent.interface).consents)?),
            Self::FundsConsent(consent) => Ok(consent.check_open(now)?),
            Self::Payment(payment) => match payment.status_at(now) {
                PaymentStatus::Pending => Ok(()),
                status => Err(PaymentRefusal::Final { status }.into()),
            },
        }
    }

    /// The third party confirms what the customer approved. Returns what is to be written, and whether anything is new.
    ///
    /// # Errors
    /// [`domain::ConsentRefusal::Final`]
    pub(crate) fn confirm(self, ctx: &Ctx, profiles: &Profiles) -> Result<(Changes, bool), Error> {
        match self {
            Self::Consent(consent) => {
                let rules = &profiles.at(consent.interface).consents;
                let confirmed = consent.clone().confirm(ctx.now, rules)?;
                Ok((Changes::new().put_consent(&confirmed), confirmed != consent))
            }
            Self::FundsConsent(consent) => {
                let confirmed = consent.clone().confirm(ctx.now)?;
                Ok((Changes::new().put_funds_consent(&confirmed), confirmed != consent))
            }
            Self::Payment(_) => Err(Error::NotFound(Noun::Payment)),
        }
    }

    /// Whether nothing can be done with it any more.
    fn has_ended_at(&self, now: Timestamp, profiles: &Profiles) -> bool {
        match self {
            Self::Consent(consent) => {
                consent.status_at(now, &profiles.at(consent.interface).consents).is_final()
            }
            Self::FundsConsent(consent) => consent.status_at(now).is_final(),
            Self::Payment(payment) => match payment.status_at(now) {
                PaymentStatus::Pending | PaymentStatus::Submitted => false,
                PaymentStatus::Refused
                | PaymentStatus::Rejected
                | PaymentStatus::Cancelled
                | PaymentStatus::Expired => true,
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
            Subject::FundsConsent(id) => self.0.store.funds_consent(id).await?.map(Matter::FundsConsent),
        })
    }

    /// The same, if the caller asked for it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for one that somebody else asked for.
    pub(crate) async fn own_matter(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        subject: &Subject,
    ) -> Result<Matter, Error> {
        let matter = self.matter(subject).await?.filter(|matter| matter.is_own(ctx, tpp));
        matter.ok_or(Error::NotFound(match subject.kind() {
            SubjectKind::Consent | SubjectKind::FundsConsent => Noun::Consent,
            SubjectKind::Payment => Noun::Payment,
        }))
    }

    /// What a subject is, unless it has ended.
    pub(crate) async fn open_matter(&self, ctx: &Ctx, subject: &Subject) -> Result<Option<Matter>, Error> {
        Ok(self.matter(subject).await?.filter(|matter| !matter.has_ended_at(ctx.now, self.profiles())))
    }
}
