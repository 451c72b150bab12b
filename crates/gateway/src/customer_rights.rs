//! Who has access to what is a customer's, and an end to it, in the bank's own pages.

use std::cmp::Reverse;
use std::collections::HashMap;

use domain::{
    Consent, ConsentId, ConsentRefusal, ConsentStatus, CustomerId, Decision, FundsConsent, FundsConsentId,
    ListPlace, Subject, Tenant, Timestamp, TppId,
};

use crate::customer_area::PAGE;
use crate::customer_sessions::Insider;
use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, Noun};

/// Among how many, the newest, those are looked for that are open still.
const LOOKED_AT: usize = 1000;

/// What a customer gave to a third party.
#[derive(Debug, Clone)]
pub struct Given {
    /// What it is.
    pub right: Right,
    /// Name of the third party.
    pub tpp_name: String,
    /// What it is now.
    pub status: ConsentStatus,
    /// When the third party last used it, if it did.
    pub last_used: Option<Timestamp>,
}

/// Kinds of what a customer gives.
#[derive(Debug, Clone)]
pub enum Right {
    /// Access to accounts.
    Consent(Consent),
    /// Confirmation of funds.
    FundsConsent(FundsConsent),
}

impl Right {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Consent(consent) => consent.id.as_str(),
            Self::FundsConsent(consent) => consent.id.as_str(),
        }
    }

    fn place(&self) -> ListPlace {
        let at = match self {
            Self::Consent(consent) => consent.created_at,
            Self::FundsConsent(consent) => consent.created_at,
        };
        ListPlace { at, id: self.id().to_owned() }
    }

    pub(crate) fn tpp(&self) -> &TppId {
        match self {
            Self::Consent(consent) => &consent.tpp,
            Self::FundsConsent(consent) => &consent.tpp,
        }
    }

    /// Whose it is, and where.
    pub(crate) fn of(&self) -> (Option<&CustomerId>, &Tenant) {
        match self {
            Self::Consent(consent) => (consent.customer.as_ref(), &consent.tenant),
            Self::FundsConsent(consent) => (consent.customer.as_ref(), &consent.tenant),
        }
    }

    /// When the customer gave it, whenever the third party confirmed that. Where it is not known, when it was asked for, which was before.
    pub(crate) fn given_at(&self) -> Timestamp {
        match self {
            Self::Consent(consent) => consent.approved_at.unwrap_or(consent.created_at),
            Self::FundsConsent(consent) => consent.approved_at.unwrap_or(consent.created_at),
        }
    }

    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Consent(consent) => Subject::Consent(consent.id.clone()),
            Self::FundsConsent(consent) => Subject::FundsConsent(consent.id.clone()),
        }
    }
}

/// A page of what a customer gave.
#[derive(Debug)]
pub struct GivenPage {
    /// What was given, the newest first.
    pub given: Vec<Given>,
    /// Where the next page begins, if there is one.
    pub next: Option<ListPlace>,
}

/// What a customer gave, in short.
#[derive(Debug)]
pub struct GivenInShort {
    /// What is open, the newest first.
    pub open: Vec<Given>,
    /// What has ended, the newest first.
    pub ended: Vec<Given>,
    /// Whether there is more than is told here.
    pub is_more: bool,
}

impl Gateway {
    /// What a customer gave to third parties: what is open, and at most `ended` of what is not.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn given_in_short(
        &self,
        ctx: &Ctx,
        insider: &Insider,
        ended: usize,
    ) -> Result<GivenInShort, Error> {
        let (rights, next) = self.rights_after(insider.customer(), &ListPlace::start(), LOOKED_AT).await?;
        let is_over = |right: &Right| self.status_of(ctx, right).is_final();
        let (over, open): (Vec<_>, Vec<_>) = rights.into_iter().partition(|(right, _)| is_over(right));
        let is_more = next.is_some() || open.len() > PAGE || over.len() > ended;
        let mut names = HashMap::new();
        let open = self.told(ctx, open.into_iter().take(PAGE), &mut names).await?;
        let ended = self.told(ctx, over.into_iter().take(ended), &mut names).await?;
        Ok(GivenInShort { open, ended, is_more })
    }

    /// What a customer gave to third parties, open or not, the newest first: a page of it after a place.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn given(&self, ctx: &Ctx, insider: &Insider, after: &ListPlace) -> Result<GivenPage, Error> {
        let (rights, next) = self.rights_after(insider.customer(), after, PAGE).await?;
        let given = self.told(ctx, rights, &mut HashMap::new()).await?;
        Ok(GivenPage { given, next })
    }

    /// One thing that a customer gave.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for what somebody else gave
    pub async fn given_one(&self, ctx: &Ctx, insider: &Insider, id: &str) -> Result<Given, Error> {
        let right = self.right_of(ctx, insider, id).await?;
        let told = self.told(ctx, [right], &mut HashMap::new()).await?;
        told.into_iter().next().ok_or(Error::NotFound(Noun::Consent))
    }

    /// A customer takes back what they gave: it ends, and with it every token of it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for what somebody else gave; [`ConsentRefusal::Final`] if it has ended before
    pub async fn withdraw(&self, ctx: &Ctx, insider: &Insider, id: &str) -> Result<(), Error> {
        retry(|| async {
            let (right, _) = self.right_of(ctx, insider, id).await?;
            let status = self.status_of(ctx, &right);
            if status.is_final() {
                return Err(ConsentRefusal::Final { id: id.to_owned(), status }.into());
            }
            let changes = match &right {
                Right::Consent(consent) => {
                    let ended = consent.clone().revoke_by_psu(ctx.now, self.rules_of(consent));
                    Changes::new().put_consent(&ended)
                }
                Right::FundsConsent(consent) => {
                    let ended = consent.clone().end(Decision::RevokedByPsu, ctx.now);
                    Changes::new().put_funds_consent(&ended)
                }
            };
            Ok(self.0.store.save(changes.end_grants(&right.subject(), ctx.now)).await?)
        })
        .await
    }

    fn status_of(&self, ctx: &Ctx, right: &Right) -> ConsentStatus {
        self.status_at(right, ctx.now)
    }

    /// What a right is at a moment.
    pub(crate) fn status_at(&self, right: &Right, now: Timestamp) -> ConsentStatus {
        match right {
            Right::Consent(consent) => self.consent_status(consent, now),
            Right::FundsConsent(consent) => consent.status_at(now),
        }
    }

    /// Rights with what is told about each.
    async fn told(
        &self,
        ctx: &Ctx,
        rights: impl IntoIterator<Item = Used>,
        names: &mut HashMap<TppId, String>,
    ) -> Result<Vec<Given>, Error> {
        let mut told = Vec::new();
        for (right, used) in rights {
            let tpp_name = self.name_of(right.tpp(), names).await?;
            let status = self.status_of(ctx, &right);
            let last_used = used.max(self.unwritten_use(&right.subject()));
            told.push(Given { right, tpp_name, status, last_used });
        }
        Ok(told)
    }

    /// Rights of both kinds after a place, at most so many, and where those after them begin.
    pub(crate) async fn rights_after(
        &self,
        customer: &CustomerId,
        after: &ListPlace,
        most: usize,
    ) -> Result<(Vec<Used>, Option<ListPlace>), Error> {
        let page = (after, i64::try_from(most + 1).unwrap_or(i64::MAX));
        let consents = self.0.store.given_consents(customer, page).await?;
        let funds = self.0.store.given_funds_consents(customer, page).await?;
        let consents = consents.into_iter().map(|(consent, used)| (Right::Consent(consent), used));
        let funds = funds.into_iter().map(|(consent, used)| (Right::FundsConsent(consent), used));
        let mut rights: Vec<Used> = consents.chain(funds).collect();
        rights.sort_by_cached_key(|(right, _)| {
            let ListPlace { at, id } = right.place();
            (Reverse(at), id)
        });
        let is_more = rights.len() > most;
        rights.truncate(most);
        let next = rights.last().filter(|_| is_more).map(|(right, _)| right.place());
        Ok((rights, next))
    }

    async fn right_of(&self, ctx: &Ctx, insider: &Insider, id: &str) -> Result<Used, Error> {
        let found = match self.0.store.given_consent(&ConsentId::new(id)).await? {
            Some((consent, used)) => Some((Right::Consent(consent), used)),
            None => {
                let found = self.0.store.given_funds_consent(&FundsConsentId::new(id)).await?;
                found.map(|(consent, used)| (Right::FundsConsent(consent), used))
            }
        };
        let own = found.filter(|(right, _)| right.of() == (Some(insider.customer()), &ctx.tenant));
        own.ok_or(Error::NotFound(Noun::Consent))
    }
}

/// A right with when it was last used, as far as that is written down.
pub(crate) type Used = (Right, Option<Timestamp>);
