//! Erasure (GDPR, Article 17): what is held of a customer whose relation with all third parties ended goes before its time, as far as no
//! law has the bank keep it.
//!
//! Consents that were once good are evidence of what a customer agreed to while they can dispute what was done (PSD2, Articles 71 and
//! 72), payments and the audit trail have lives of their own: these stay until then, and whoever asks is told until when.
//!
//! However many there are, a page of them is looked at at once, and what of it goes is one batch, with the act in it.

use domain::{
    Consent, ConsentStatus, CustomerId, Decision, FundsConsent, ListPlace, SubjectKind, Tenant, Timestamp,
};

use crate::error::retry;
use crate::staff::{Deed, StaffError, StaffRefusal};
use crate::{Changes, Error, Gateway};

/// How many consents are looked at at once.
const PAGE: i64 = 200;

/// Most ids that are told of each kind.
const TOLD: usize = 1000;

/// What a customer gives third parties.
const GIVEN: [SubjectKind; 2] = [SubjectKind::Consent, SubjectKind::FundsConsent];

/// What an erasure came to.
#[derive(Debug, Default)]
pub struct Erased {
    /// Ids of consents that were erased.
    pub consents: Vec<String>,
    /// Ids of those that stay, and until when.
    pub kept: Vec<(String, Option<Timestamp>)>,
    /// Whether there are more than are told.
    pub is_more: bool,
}

/// A consent of either kind.
enum Given {
    Consent(Consent),
    Funds(FundsConsent),
}

impl Gateway {
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
        let open = self.open_of(tenant, customer).await?;
        if !open.is_empty() {
            return Err(StaffRefusal::Open(open).into());
        }
        let who = (tenant, customer);
        let sessions = || Changes::new().erase_sessions(tenant, customer);
        let mut erased = Erased::default();
        let mut is_first = true;
        for kind in GIVEN {
            let mut after = Some(ListPlace::start());
            while let Some(place) = after {
                let begin = if is_first { sessions() } else { Changes::new() };
                let page = retry(|| self.erase_page(who, (kind, &place), (begin.clone(), is_first), deed));
                let (of_page, next) = page.await?;
                erased.add(of_page);
                (after, is_first) = (next, false);
            }
        }
        Ok(erased)
    }

    /// Erases what goes of a page, with the act in the same batch. Returns where the next page begins.
    async fn erase_page(
        &self,
        (tenant, customer): (&Tenant, &CustomerId),
        (kind, after): (SubjectKind, &ListPlace),
        (mut changes, is_act): (Changes, bool),
        deed: Deed<'_>,
    ) -> Result<(Erased, Option<ListPlace>), Error> {
        let now = self.now(tenant);
        let (page, next) = self.given(customer, kind, after).await?;
        let mut erased = Erased::default();
        for given in page {
            // What was opened since it was looked for stays, and is refused about the next time.
            if given.tenant() != tenant || !given.status(self, now).is_final() {
                continue;
            }
            if was_good(given.decision()) {
                erased.kept.push((given.id().to_owned(), given.forget_at()));
            } else {
                changes = given.erased(changes);
                erased.consents.push(given.id().to_owned());
            }
        }
        if is_act || !erased.consents.is_empty() {
            let changes = self.acted(changes, &deed.act("erase", customer.as_str(), None)).await?;
            self.0.store.save(changes).await?;
        }
        Ok((erased, next))
    }

    /// Ids of what third parties may still use, at most as many as are told.
    async fn open_of(&self, tenant: &Tenant, customer: &CustomerId) -> Result<Vec<String>, Error> {
        let now = self.now(tenant);
        let mut open = Vec::new();
        for kind in GIVEN {
            let mut after = Some(ListPlace::start());
            while let Some(place) = after.filter(|_| open.len() < TOLD) {
                let (page, next) = self.given(customer, kind, &place).await?;
                let is_open =
                    |given: &&Given| given.tenant() == tenant && !given.status(self, now).is_final();
                open.extend(page.iter().filter(is_open).map(|given| given.id().to_owned()));
                after = next;
            }
        }
        open.truncate(TOLD);
        Ok(open)
    }

    /// A page of what a customer gave, and where the next one begins.
    async fn given(
        &self,
        customer: &CustomerId,
        kind: SubjectKind,
        after: &ListPlace,
    ) -> Result<(Vec<Given>, Option<ListPlace>), Error> {
        let store = &self.0.store;
        let page: Vec<Given> = if kind == SubjectKind::FundsConsent {
            let page = store.given_funds_consents(customer, (after, PAGE)).await?;
            page.into_iter().map(|(consent, _)| Given::Funds(consent)).collect()
        } else {
            let page = store.given_consents(customer, (after, PAGE)).await?;
            page.into_iter().map(|(consent, _)| Given::Consent(consent)).collect()
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

    fn decision(&self) -> Decision {
        match self {
            Self::Consent(consent) => consent.decision,
            Self::Funds(consent) => consent.decision,
        }
    }

    fn status(&self, gateway: &Gateway, now: Timestamp) -> ConsentStatus {
        match self {
            Self::Consent(consent) => gateway.consent_status(consent, now),
            Self::Funds(consent) => consent.status_at(now),
        }
    }

    fn forget_at(&self) -> Option<Timestamp> {
        match self {
            Self::Consent(consent) => Some(consent.forget_at()),
            Self::Funds(consent) => consent.forget_at(),
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
