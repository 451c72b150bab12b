//! What a customer sees and can do in the bank's own pages: who has access and an end to it, payments and an end to
//! them, accounts with what moves on them.

use std::collections::HashMap;

use domain::{
    Account, AccountId, BookingStatus, Consent, ConsentId, ConsentRefusal, ConsentStatus, Decision, Funds,
    FundsConsent, FundsConsentId, Iban, PaymentId, PaymentStatus, Position, Purpose, Subject, Timestamp,
    TppId, Transaction, TransactionQuery,
};

use crate::access::AccountAccess;
use crate::customer_sessions::Insider;
use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, Noun, PaymentView};

/// Movements on one page.
const PAGE: usize = 50;

/// Payments that are shown: those that wait, then those of which something became last.
const PAYMENTS: usize = 50;

/// How long a payment that nobody decided about is shown after its time was over.
const LATELY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

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

    fn subject(&self) -> Subject {
        match self {
            Self::Consent(consent) => Subject::Consent(consent.id.clone()),
            Self::FundsConsent(consent) => Subject::FundsConsent(consent.id.clone()),
        }
    }
}

/// A payment from an account of a customer.
#[derive(Debug, Clone)]
pub struct OwnPayment {
    /// The payment, and what it is now.
    pub view: PaymentView,
    /// Name of the third party that asked; none if the customer did so in person.
    pub tpp_name: Option<String>,
    /// How the customer can end it.
    pub way_out: Option<WayOut>,
}

/// How a customer can end a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayOut {
    /// The bank does not have it yet: the customer refuses.
    Refuse,
    /// The bank has it and has not made it yet: it is stopped.
    Stop,
}

/// An account with what moved on it.
#[derive(Debug, Clone)]
pub struct Movements {
    /// The account.
    pub account: Account,
    /// What it holds.
    pub funds: Funds,
    /// Movements that are not booked yet, on the first page alone.
    pub pending: Vec<Transaction>,
    /// Booked ones, newest first.
    pub booked: Vec<Transaction>,
    /// Where the next page begins, if there is one.
    pub next: Option<Position>,
}

impl Gateway {
    /// What a customer gave to third parties, the newest first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn given(&self, ctx: &Ctx, insider: &Insider) -> Result<Vec<Given>, Error> {
        let (customer, store) = (insider.customer(), &self.0.store);
        let mut rights: Vec<(Right, Option<Timestamp>)> = Vec::new();
        let uses = store.uses_of_consents(customer).await?;
        for consent in store.consents_of(customer).await? {
            let used = uses.iter().find(|(id, _)| *id == consent.id).map(|(_, at)| *at);
            rights.push((Right::Consent(consent), used));
        }
        let uses = store.uses_of_funds_consents(customer).await?;
        for consent in store.funds_consents_of(customer).await? {
            let used = uses.iter().find(|(id, _)| *id == consent.id).map(|(_, at)| *at);
            rights.push((Right::FundsConsent(consent), used));
        }
        let (mut all, mut names) = (Vec::new(), HashMap::new());
        for (right, used) in rights {
            let (tpp, status) = match &right {
                Right::Consent(consent) => (&consent.tpp, self.consent_status(consent, ctx.now)),
                Right::FundsConsent(consent) => (&consent.tpp, consent.status_at(ctx.now)),
            };
            let tpp_name = self.name_of(tpp, &mut names).await?;
            let last_used = used.max(self.unwritten_use(&right.subject()));
            all.push(Given { right, tpp_name, status, last_used });
        }
        Ok(all)
    }

    /// One thing that a customer gave.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for what somebody else gave
    pub async fn given_one(&self, ctx: &Ctx, insider: &Insider, id: &str) -> Result<Given, Error> {
        let all = self.given(ctx, insider).await?;
        all.into_iter().find(|given| given.right.id() == id).ok_or(Error::NotFound(Noun::Consent))
    }

    /// A customer takes back what they gave: it ends, and with it every token of it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for what somebody else gave; [`ConsentRefusal::Final`] if it has ended before
    pub async fn withdraw(&self, ctx: &Ctx, insider: &Insider, id: &str) -> Result<(), Error> {
        retry(|| async {
            let Some(right) = self.right_of(ctx, insider, id).await? else {
                return Err(Error::NotFound(Noun::Consent));
            };
            let (status, changes) = match &right {
                Right::Consent(consent) => {
                    let ended = consent.clone().revoke_by_psu(ctx.now, self.rules_of(consent));
                    (self.consent_status(consent, ctx.now), Changes::new().put_consent(&ended))
                }
                Right::FundsConsent(consent) => {
                    let ended = consent.clone().end(Decision::RevokedByPsu, ctx.now);
                    (consent.status_at(ctx.now), Changes::new().put_funds_consent(&ended))
                }
            };
            if status.is_final() {
                return Err(ConsentRefusal::Final { id: id.to_owned(), status }.into());
            }
            Ok(self.0.store.save(changes.end_grants(&right.subject(), ctx.now)).await?)
        })
        .await
    }

    async fn right_of(&self, ctx: &Ctx, insider: &Insider, id: &str) -> Result<Option<Right>, Error> {
        let is_own = |customer: &Option<domain::CustomerId>, tenant: &domain::Tenant| {
            customer.as_ref() == Some(insider.customer()) && *tenant == ctx.tenant
        };
        if let Some(consent) = self.0.store.consent(&ConsentId::new(id)).await? {
            return Ok(Some(consent)
                .filter(|consent| is_own(&consent.customer, &consent.tenant))
                .map(Right::Consent));
        }
        let funds = self.0.store.funds_consent(&FundsConsentId::new(id)).await?;
        Ok(funds.filter(|consent| is_own(&consent.customer, &consent.tenant)).map(Right::FundsConsent))
    }

    /// Payments from accounts of a customer: those that wait, then those of which something became, the last first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn own_payments(&self, ctx: &Ctx, insider: &Insider) -> Result<Vec<OwnPayment>, Error> {
        let (store, limit) = (&self.0.store, i64::try_from(PAYMENTS).unwrap_or(i64::MAX));
        let accounts = self.0.bank.customers.accounts_of(insider.customer()).await?;
        let mut found = Vec::new();
        for account in &accounts {
            found.extend(store.payments_from(&account.id, limit).await?);
        }
        let mut numbers: Vec<&Iban> = accounts.iter().map(|account| &account.iban).collect();
        numbers.sort_unstable_by_key(|number| number.as_str());
        numbers.dedup();
        let lately = ctx.now.saturating_sub(LATELY).unwrap_or(Timestamp::MIN);
        for number in numbers {
            found.extend(store.undecided_payments((&ctx.tenant, number), (lately, limit)).await?);
            found.extend(store.decided_payments((&ctx.tenant, number), limit).await?);
        }
        found.sort_by(|one, other| one.id.cmp(&other.id));
        found.dedup_by(|one, other| one.id == other.id);
        found.sort_by_key(|payment| {
            let waits = payment.status_at(ctx.now) == PaymentStatus::Pending;
            (!waits, std::cmp::Reverse(payment.last_action_at))
        });
        found.truncate(PAYMENTS);
        let (mut all, mut names) = (Vec::new(), HashMap::new());
        for payment in found {
            let tpp_name = match &payment.tpp {
                Some(tpp) => Some(self.name_of(tpp, &mut names).await?),
                None => None,
            };
            let status = payment.status_at(ctx.now);
            let view = self.view_of(payment, ctx.now).await?;
            let way_out = match status {
                PaymentStatus::Pending => Some(WayOut::Refuse),
                PaymentStatus::Submitted if view.can_be_stopped => Some(WayOut::Stop),
                _ => None,
            };
            all.push(OwnPayment { view, tpp_name, way_out });
        }
        Ok(all)
    }

    /// The name of a third party, which is read once for a page.
    async fn name_of(&self, tpp: &TppId, known: &mut HashMap<TppId, String>) -> Result<String, Error> {
        if let Some(name) = known.get(tpp) {
            return Ok(name.clone());
        }
        let name = self.registered(tpp).await?.name;
        known.insert(tpp.clone(), name.clone());
        Ok(name)
    }

    /// One payment from an account of a customer.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for one from an account of somebody else
    pub async fn own_payment_of(&self, ctx: &Ctx, insider: &Insider, id: &str) -> Result<OwnPayment, Error> {
        let all = self.own_payments(ctx, insider).await?;
        let own = all.into_iter().find(|own| own.view.payment.id.as_str() == id);
        own.ok_or(Error::NotFound(Noun::Payment))
    }

    /// A customer ends a payment that is not made yet: refuses it, or stops what the bank has.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`domain::PaymentRefusal::NotCancellable`]
    pub async fn end_own_payment(&self, ctx: &Ctx, insider: &Insider, id: &str) -> Result<WayOut, Error> {
        retry(|| async {
            let own = self.own_payment_of(ctx, insider, id).await?;
            // As it is now, whatever it was when it was shown.
            let payment = self.payment(ctx, &PaymentId::new(id)).await?;
            match own.way_out {
                Some(WayOut::Refuse) => {
                    let subject = Subject::Payment(payment.id.clone());
                    let lifetime = self.profile(payment.interface).sca.lifetime;
                    let mut changes = Changes::new().put_payment(&payment.reject(ctx.now)?);
                    for authorisation in self.0.store.authorisations(&subject).await? {
                        let is_open = authorisation.is_pending_at(ctx.now, lifetime);
                        if is_open && authorisation.purpose == Purpose::Approval {
                            changes = changes.put_authorisation(&authorisation.fail());
                        }
                    }
                    self.0.store.save(changes).await?;
                    Ok(WayOut::Refuse)
                }
                Some(WayOut::Stop) => {
                    let stopped = payment.clone().stopped(ctx.now)?;
                    let with = Changes::new().put_payment(&stopped);
                    match self.0.bank.payments.stop(&payment.id, with, ctx.now).await? {
                        Ok(()) => Ok(WayOut::Stop),
                        Err(_) => Err(self.not_cancellable(ctx, payment).await?.into()),
                    }
                }
                None => Err(self.not_cancellable(ctx, payment).await?.into()),
            }
        })
        .await
    }

    /// The accounts of a customer with what they hold.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn own_balances(&self, ctx: &Ctx, insider: &Insider) -> Result<Vec<(Account, Funds)>, Error> {
        let mut all = Vec::new();
        for account in self.0.bank.customers.accounts_of(insider.customer()).await? {
            let funds = self.0.bank.accounts.funds(&AccountAccess::to_own(&account), ctx.today()).await?;
            all.push((account, funds));
        }
        Ok(all)
    }

    /// What moved on an account of a customer, a page of it: the newest, or those before `after`.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for an account of somebody else
    pub async fn own_movements(
        &self,
        ctx: &Ctx,
        insider: &Insider,
        (id, after): (&AccountId, Option<Position>),
    ) -> Result<Movements, Error> {
        let account = self.held_account(insider.customer(), id).await?;
        let (bank, today) = (&self.0.bank.accounts, ctx.today());
        let proof = AccountAccess::to_own(&account);
        let query = TransactionQuery {
            status: BookingStatus::Booked,
            from: jiff::civil::date(1900, 1, 1),
            to: today,
            after,
            limit: PAGE + 1,
        };
        let mut booked = bank.booked(&proof, &query, today).await?;
        let is_more = booked.len() > PAGE;
        booked.truncate(PAGE);
        let last = booked.last().filter(|_| is_more);
        let next = last.map(|last| Position { booking_date: last.booking_date, sequence: last.sequence });
        let pending = match after {
            None => bank.pending(&proof, today).await?,
            Some(_) => Vec::new(),
        };
        let funds = bank.funds(&AccountAccess::to_own(&account), today).await?;
        Ok(Movements { account, funds, pending, booked, next })
    }
}
