//! What an authorisation is about, as it is stored.

use domain::{
    AccountReference, Consent, FundsConsent, Payment, PaymentProduct, PaymentRefusal, PaymentService,
    PaymentStatus, Purpose, Subject, SubjectKind, Timestamp,
};

use crate::consents::is_own;
use crate::funds_consents::is_own_funds_consent;
use crate::{ActingTpp, Changes, Ctx, Error, Gateway, Noun, Profiles};

/// What a caller is after: something that it asked for, and its authorisations for a purpose.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// Who calls.
    pub tpp: &'a ActingTpp,
    /// Of what.
    pub subject: &'a Subject,
    /// What the authorisations are for.
    pub purpose: Purpose,
    /// Under which service and product a payment is asked for; none for anything else.
    pub product: Option<(PaymentService, PaymentProduct)>,
}

impl<'a> Sought<'a> {
    /// Something that is approved, and no payment.
    pub fn new(tpp: &'a ActingTpp, subject: &'a Subject) -> Self {
        Self { tpp, subject, purpose: Purpose::Approval, product: None }
    }
}

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

    /// The payment, if it is one whose approval the third party confirms.
    pub(crate) fn payment_for_tpp(&self) -> Option<&Payment> {
        match self {
            Self::Payment(payment) if payment.is_confirmed_by_tpp() => Some(payment),
            Self::Consent(_) | Self::FundsConsent(_) | Self::Payment(_) => None,
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
            Self::Payment(payment) => {
                payment.tpp.as_ref() == Some(tpp.id())
                    && payment.tenant == ctx.tenant
                    && payment.interface == tpp.interface()
            }
        }
    }

    /// Whether a customer can be asked for something about it now.
    pub(crate) fn awaits(&self, purpose: Purpose, now: Timestamp, profiles: &Profiles) -> bool {
        self.check_open(purpose, now, profiles).is_ok()
    }

    /// Checks that a customer can still be asked to authorise it.
    ///
    /// # Errors
    /// [`domain::ConsentRefusal::Final`], [`domain::PaymentRefusal`]
    pub(crate) fn check_open(
        &self,
        purpose: Purpose,
        now: Timestamp,
        profiles: &Profiles,
    ) -> Result<(), Error> {
        match self {
            Self::Consent(consent) => Ok(consent.check_open(now, &profiles.at(consent.interface).consents)?),
            Self::FundsConsent(consent) => Ok(consent.check_open(now)?),
            Self::Payment(payment) => Ok(payment.check_awaits(purpose, now)?),
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
            // With the bank, which gets the payment: see `payment_confirmations.rs`.
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

    /// What a caller is after.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`PaymentRefusal::OtherProduct`]
    pub(crate) async fn sought(&self, ctx: &Ctx, sought: Sought<'_>) -> Result<Matter, Error> {
        let matter = self.own_matter(ctx, sought.tpp, sought.subject).await?;
        if let (Matter::Payment(payment), Some(under)) = (&matter, sought.product) {
            let (service, product) = (payment.terms.service, payment.terms.product);
            if (service, product) != under {
                return Err(PaymentRefusal::OtherProduct { service, product }.into());
            }
        }
        Ok(matter)
    }

    /// What a subject is, unless it has ended.
    pub(crate) async fn open_matter(&self, ctx: &Ctx, subject: &Subject) -> Result<Option<Matter>, Error> {
        Ok(self.matter(subject).await?.filter(|matter| !matter.has_ended_at(ctx.now, self.profiles())))
    }
}
