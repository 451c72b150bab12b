//! Erasure (GDPR, Article 17): what is held of a customer or a third party whose relations ended goes before its time, as far as no law has
//! the bank keep it.
//!
//! Consents that were once good are evidence of what a customer agreed to while they can dispute what was done (PSD2, Articles 71 and
//! 72), payments and the audit trail have lives of their own: these stay until then, and whoever asks is told until when. Of a third party
//! stay id and name, which these point to, that it is blocked, and what is known of its certificates: one that was revoked must not be
//! taken for a new one.
//!
//! What a third party asked for and nobody decided about is nobody's but its own, and goes at once.
//!
//! However many there are, a page of them is looked at at once, and what of it goes is one batch, with the act in it.

use std::sync::{Arc, PoisonError};

use domain::{
    Consent, ConsentStatus, CustomerId, Decision, FundsConsent, Interface, ListPlace, SubjectKind, Tenant,
    Timestamp, TppId,
};

use jiff::SignedDuration;

use crate::audit::Act;
use crate::bank::Answer;
use crate::error::retry;
use crate::staff::{Deed, END, StaffError, StaffRefusal};
use crate::{Changes, Error, Gateway, secrets};

/// How many consents are looked at at once.
pub(crate) const PAGE: i64 = 200;

/// In how many steps of which length consents are looked for that nobody decided about, by when they are forgotten.
const STEPS: i32 = 20;
const STEP: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Most ids that are told of each kind.
const TOLD: usize = 1000;

/// What a customer gives third parties.
pub(crate) const GIVEN: [SubjectKind; 2] = [SubjectKind::Consent, SubjectKind::FundsConsent];

/// What an erasure came to.
#[derive(Debug, Default)]
pub struct Erased {
    /// Ids of consents that were erased.
    pub consents: Vec<String>,
    /// Ids of those that stay, and until when.
    pub kept: Vec<(String, Option<Timestamp>)>,
    /// Whether there are more than are told.
    pub is_more: bool,
    /// Whether there was anything else than consents to erase: sessions, and what an interface keeps for itself.
    pub had_more_than_consents: bool,
}

/// What an interface keeps of customers for itself, which the gateway does not know.
pub trait Belongings: std::fmt::Debug + Send + Sync {
    /// What erases all of it that no law has the bank keep, of one customer of a branch.
    fn of_customer<'a>(&'a self, tenant: &'a Tenant, customer: &'a CustomerId) -> Answer<'a, Changes>;
}

/// A consent of either kind.
pub(crate) enum Given {
    Consent(Consent),
    Funds(FundsConsent),
}

/// Whose data are erased.
#[derive(Clone, Copy)]
pub(crate) enum Whose<'a> {
    Customer(&'a Tenant, &'a CustomerId),
    ThirdParty(&'a TppId),
}

impl Whose<'_> {
    /// Adds the act to the changes that erase so many consents of theirs. A customer is one of a branch.
    async fn acted(
        self,
        gateway: &Gateway,
        changes: Changes,
        (consents, deed): (usize, Deed<'_>),
    ) -> Result<Changes, Error> {
        let (act, to) = match self {
            Self::Customer(tenant, customer) => ("erase-customer", format!("{tenant} {}", customer.as_str())),
            Self::ThirdParty(tpp) => ("erase-third-party", tpp.to_string()),
        };
        let act = Act { consents: Some(consents), ..deed.act(act, &to, None) };
        gateway.acted(changes, &act).await
    }
}

impl Gateway {
    /// Has what an interface keeps of customers for itself be erased with them.
    pub fn erase_too(&self, belongings: Arc<dyn Belongings>) {
        self.0.belongings.write().unwrap_or_else(PoisonError::into_inner).push(belongings);
    }

    fn belongings(&self) -> Vec<Arc<dyn Belongings>> {
        self.0.belongings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Erases what is held of a customer of a branch.
    ///
    /// # Errors
    /// [`StaffRefusal::Open`] while a third party has access
    pub async fn erase_customer(
        &self,
        tenant: &Tenant,
        customer: &CustomerId,
        deed: Deed<'_>,
    ) -> Result<Erased, StaffError> {
        let whose = Whose::Customer(tenant, customer);
        self.check_closed(whose).await?;
        let erased = retry(|| async {
            let mut had_more = self.0.store.has_sessions_of(tenant, customer).await?;
            let mut changes = Changes::new().erase_sessions(tenant, customer);
            for belongings in self.belongings() {
                let of_interface = belongings.of_customer(tenant, customer).await?;
                had_more |= !of_interface.is_empty();
                changes = changes.and(of_interface);
            }
            let first = (GIVEN[0], &ListPlace::start());
            let (erased, next) = self.erase_page(whose, first, (changes, true), deed).await?;
            Ok((Erased { had_more_than_consents: had_more, ..erased }, next))
        });
        self.erase_rest(whose, erased.await?, deed).await
    }

    /// Erases what is held of a third party: its registration, and what customers never gave it.
    ///
    /// # Errors
    /// [`StaffRefusal::Open`] while a customer's consent is open; [`StaffRefusal::Ending`]; [`Error::NotFound`]
    pub async fn erase_third_party(&self, id: &TppId, deed: Deed<'_>) -> Result<Erased, StaffError> {
        let whose = Whose::ThirdParty(id);
        self.third_party(id).await?;
        self.end_the_rest(id).await?;
        self.check_closed(whose).await?;
        let erased = retry(|| async {
            // Nobody knows the new secret.
            let nobody = secrets::hash(&self.new_secret());
            let changes = Changes::new().put_tpp(&self.third_party(id).await?.without_registration(nobody));
            self.erase_page(whose, (GIVEN[0], &ListPlace::start()), (changes, true), deed).await
        });
        let mut erased = self.erase_rest(whose, erased.await?, deed).await?;
        for tenant in &self.settings().tenants {
            for kind in GIVEN {
                self.erase_undecided((tenant, id), kind, &mut erased, deed).await?;
            }
        }
        Ok(erased)
    }

    /// Erases what a third party asked for and no customer decided about, whether or not one still could. It is looked for by when it
    /// would be forgotten, piece by piece, so that no statement reads all that there is.
    async fn erase_undecided(
        &self,
        whose: (&Tenant, &TppId),
        kind: SubjectKind,
        erased: &mut Erased,
        deed: Deed<'_>,
    ) -> Result<(), StaffError> {
        let now = self.now(whose.0);
        let steps = (0..STEPS).filter_map(|step| now.checked_add(STEP.checked_mul(step)?).ok());
        let bounds: Vec<_> = [Timestamp::MIN].into_iter().chain(steps).chain([Timestamp::MAX]).collect();
        for (from, until) in bounds.iter().copied().zip(bounds.iter().copied().skip(1)) {
            loop {
                let page = retry(|| async {
                    let page = self.undecided_page(whose, kind, (from, until)).await?;
                    if !page.is_empty() {
                        let changes =
                            page.iter().fold(Changes::new(), |changes, given| given.erased(changes));
                        let act = Whose::ThirdParty(whose.1).acted(self, changes, (page.len(), deed));
                        self.0.store.save(act.await?).await?;
                    }
                    Ok(page)
                });
                let consents: Vec<_> = page.await?.iter().map(|given| given.id().to_owned()).collect();
                let is_full = i64::try_from(consents.len()).is_ok_and(|count| count >= PAGE);
                erased.add(Erased { consents, ..Erased::default() });
                if !is_full {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn undecided_page(
        &self,
        whose: (&Tenant, &TppId),
        kind: SubjectKind,
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<Given>, Error> {
        let store = &self.0.store;
        Ok(if kind == SubjectKind::FundsConsent {
            let page = store.undecided_funds_consents(whose, span, PAGE).await?;
            page.into_iter().map(Given::Funds).collect()
        } else {
            let page = store.undecided_consents(whose, span, PAGE).await?;
            page.into_iter().map(Given::Consent).collect()
        })
    }

    /// Erases the pages behind the first one.
    async fn erase_rest(
        &self,
        whose: Whose<'_>,
        (mut erased, mut after): (Erased, Option<ListPlace>),
        deed: Deed<'_>,
    ) -> Result<Erased, StaffError> {
        for kind in GIVEN {
            while let Some(place) = after {
                let page = retry(|| self.erase_page(whose, (kind, &place), (Changes::new(), false), deed));
                let (of_page, next) = page.await?;
                erased.add(of_page);
                after = next;
            }
            // The first kind is done; the next one begins at its beginning.
            after = (kind == GIVEN[0]).then(ListPlace::start);
        }
        Ok(erased)
    }

    /// Erases what goes of a page, with the act in the same batch. Returns where the next page begins.
    async fn erase_page(
        &self,
        whose: Whose<'_>,
        (kind, after): (SubjectKind, &ListPlace),
        (mut changes, is_act): (Changes, bool),
        deed: Deed<'_>,
    ) -> Result<(Erased, Option<ListPlace>), Error> {
        let (page, next) = self.given_page(whose, kind, after).await?;
        let mut erased = Erased::default();
        // What was opened since it was looked for stays, and is refused about the next time.
        for given in page.iter().filter(|given| given.is_of(whose) && !given.is_open(self)) {
            if was_good(given.decision()) {
                erased.kept.push((given.id().to_owned(), given.forget_at()));
            } else {
                changes = given.erased(changes);
                erased.consents.push(given.id().to_owned());
            }
        }
        if is_act || !erased.consents.is_empty() {
            let act = whose.acted(self, changes, (erased.consents.len(), deed));
            self.0.store.save(act.await?).await?;
        }
        Ok((erased, next))
    }

    /// Checks that there is nothing that third parties may still use; as many ids as are told are told.
    async fn check_closed(&self, whose: Whose<'_>) -> Result<(), StaffError> {
        let mut open = Vec::new();
        for kind in GIVEN {
            let mut after = Some(ListPlace::start());
            while let Some(place) = after.filter(|_| open.len() < TOLD) {
                let (page, next) = self.given_page(whose, kind, &place).await?;
                let page = page.iter().filter(|given| given.is_of(whose) && given.is_open(self));
                open.extend(page.map(|given| given.id().to_owned()));
                after = next;
            }
        }
        open.truncate(TOLD);
        if open.is_empty() { Ok(()) } else { Err(StaffRefusal::Open(open).into()) }
    }

    /// A page of what a customer gave, or of what a third party got, and where the next one begins.
    pub(crate) async fn given_page(
        &self,
        whose: Whose<'_>,
        kind: SubjectKind,
        after: &ListPlace,
    ) -> Result<(Vec<Given>, Option<ListPlace>), Error> {
        let store = &self.0.store;
        let is_funds = kind == SubjectKind::FundsConsent;
        let before = if after.id.is_empty() { END } else { after.id.as_str() };
        let page: Vec<Given> = match whose {
            Whose::Customer(_, customer) if is_funds => {
                let page = store.given_funds_consents(customer, (after, PAGE)).await?;
                page.into_iter().map(|(consent, _)| Given::Funds(consent)).collect()
            }
            Whose::Customer(_, customer) => {
                let page = store.given_consents(customer, (after, PAGE)).await?;
                page.into_iter().map(|(consent, _)| Given::Consent(consent)).collect()
            }
            Whose::ThirdParty(tpp) if is_funds => {
                let page = store.funds_consents_before(Some(tpp), before, PAGE).await?;
                page.into_iter().map(Given::Funds).collect()
            }
            Whose::ThirdParty(tpp) => {
                let page = store.consents_before(Some(tpp), before, PAGE).await?;
                page.into_iter().map(Given::Consent).collect()
            }
        };
        let is_full = i64::try_from(page.len()).is_ok_and(|count| count >= PAGE);
        let next = page.last().filter(|_| is_full).map(Given::place);
        Ok((page, next))
    }
}

impl Given {
    fn id(&self) -> &str {
        match self {
            Self::Consent(consent) => consent.id.as_str(),
            Self::Funds(consent) => consent.id.as_str(),
        }
    }

    fn place(&self) -> ListPlace {
        let at = match self {
            Self::Consent(consent) => consent.created_at,
            Self::Funds(consent) => consent.created_at,
        };
        ListPlace { at, id: self.id().to_owned() }
    }

    fn tenant(&self) -> &Tenant {
        match self {
            Self::Consent(consent) => &consent.tenant,
            Self::Funds(consent) => &consent.tenant,
        }
    }

    /// At which interface.
    pub(crate) fn interface(&self) -> Interface {
        match self {
            Self::Consent(consent) => consent.interface,
            Self::Funds(consent) => consent.interface,
        }
    }

    fn decision(&self) -> Decision {
        match self {
            Self::Consent(consent) => consent.decision,
            Self::Funds(consent) => consent.decision,
        }
    }

    /// Whether it is in what was asked for: a customer is one of a branch.
    fn is_of(&self, whose: Whose<'_>) -> bool {
        match whose {
            Whose::Customer(tenant, _) => self.tenant() == tenant,
            Whose::ThirdParty(_) => true,
        }
    }

    pub(crate) fn is_open(&self, gateway: &Gateway) -> bool {
        let now = gateway.now(self.tenant());
        let status: ConsentStatus = match self {
            Self::Consent(consent) => gateway.consent_status(consent, now),
            Self::Funds(consent) => consent.status_at(now),
        };
        !status.is_final()
    }

    fn forget_at(&self) -> Option<Timestamp> {
        match self {
            Self::Consent(consent) => Some(consent.forget_at()),
            Self::Funds(consent) => consent.forget_at(),
        }
    }

    /// The changes, and that it ends now, by the clock of its branch.
    pub(crate) fn ended(&self, changes: Changes, gateway: &Gateway, why: Decision) -> Changes {
        let now = gateway.now(self.tenant());
        match self {
            Self::Consent(consent) => {
                changes.put_consent(&consent.clone().end(why, now, gateway.rules_of(consent)))
            }
            Self::Funds(consent) => changes.put_funds_consent(&consent.clone().end(why, now)),
        }
    }

    fn erased(&self, changes: Changes) -> Changes {
        match self {
            Self::Consent(consent) => changes.erase_consent(consent),
            Self::Funds(consent) => changes.erase_funds_consent(consent),
        }
    }
}

impl Erased {
    /// Whether nothing was there, of what is erased and of what stays and is told.
    pub fn is_nothing(&self) -> bool {
        self.consents.is_empty() && self.kept.is_empty() && !self.had_more_than_consents
    }

    /// Counts what another page came to.
    fn add(&mut self, page: Self) {
        self.consents.extend(page.consents);
        self.kept.extend(page.kept);
        self.is_more |= self.consents.len() > TOLD || self.kept.len() > TOLD;
        self.consents.truncate(TOLD);
        self.kept.truncate(TOLD);
    }
}

/// Whether a third party could use it once. One that was ended before it was confirmed is kept as those are: nobody can tell it from
/// them.
fn was_good(decision: Decision) -> bool {
    !matches!(decision, Decision::Pending | Decision::Rejected)
}
