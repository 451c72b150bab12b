//! Payments from a customer's accounts, and an end to them, in the bank's own pages.

use std::cmp::Reverse;
use std::collections::HashMap;

use domain::{
    Account, Iban, ListPlace, Payment, PaymentId, PaymentStatus, Purpose, Subject, Timestamp, TppId,
};

use crate::customer_area::PAGE;
use crate::customer_sessions::Insider;
use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, Noun, PaymentView};

/// How long a payment that nobody decided about is listed after its time was over.
const LATELY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

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

/// Where a page of payments begins: first those that nobody decided about, then all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentsPlace {
    /// After an undecided one, by the moment until which it can be decided.
    Undecided(ListPlace),
    /// After another, by when something was last done to it.
    Decided(ListPlace),
}

impl PaymentsPlace {
    /// At the beginning.
    pub fn start() -> Self {
        Self::Undecided(ListPlace::start())
    }
}

/// A page of payments.
#[derive(Debug)]
pub struct OwnPaymentsPage {
    /// The payments.
    pub payments: Vec<OwnPayment>,
    /// Where the next page begins, if there is one.
    pub next: Option<PaymentsPlace>,
}

impl Gateway {
    /// Payments from accounts of a customer: those that nobody decided about, then those of which something became, the
    /// last first. A page of them after a place.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn own_payments(
        &self,
        ctx: &Ctx,
        insider: &Insider,
        after: PaymentsPlace,
    ) -> Result<OwnPaymentsPage, Error> {
        let accounts = self.0.bank.customers.accounts_of(insider.customer()).await?;
        let (mut found, decided_after) = match &after {
            PaymentsPlace::Undecided(after) => {
                (self.undecided(ctx, &accounts, after).await?, ListPlace::start())
            }
            PaymentsPlace::Decided(after) => (Vec::new(), after.clone()),
        };
        let undecided = found.len();
        if undecided <= PAGE {
            found.extend(self.decided(ctx, &accounts, &decided_after).await?);
        }
        let is_more = found.len() > PAGE;
        found.truncate(PAGE);
        let last = found.last().filter(|_| is_more);
        let next = last.map(|last| match PAGE <= undecided {
            true => PaymentsPlace::Undecided(by_end(last)),
            false => PaymentsPlace::Decided(by_last_action(last)),
        });
        let (mut payments, mut names) = (Vec::new(), HashMap::new());
        for payment in found {
            payments.push(self.payment_told(ctx, payment, &mut names).await?);
        }
        Ok(OwnPaymentsPage { payments, next })
    }

    /// One payment from an account of a customer.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for one from an account of somebody else
    pub async fn own_payment_of(&self, ctx: &Ctx, insider: &Insider, id: &str) -> Result<OwnPayment, Error> {
        let id = PaymentId::new(id);
        let payment = self.payment(ctx, &id).await?;
        let accounts = self.0.bank.customers.accounts_of(insider.customer()).await?;
        let named = payment.debtor.as_ref();
        let is_named = named.is_some_and(|number| accounts.iter().any(|one| one.iban == *number));
        if !is_named {
            let account = self.0.store.account_of_payment(&id).await?;
            if !account.is_some_and(|account| accounts.iter().any(|one| one.id == account)) {
                return Err(Error::NotFound(Noun::Payment));
            }
        }
        self.payment_told(ctx, payment, &mut HashMap::new()).await
    }

    /// A customer ends a payment that is not made yet: refuses it, or stops what the bank has.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`domain::PaymentRefusal::NotCancellable`]
    pub async fn end_own_payment(&self, ctx: &Ctx, insider: &Insider, id: &str) -> Result<WayOut, Error> {
        retry(|| async {
            let own = self.own_payment_of(ctx, insider, id).await?;
            let payment = own.view.payment;
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

    async fn undecided(
        &self,
        ctx: &Ctx,
        accounts: &[Account],
        after: &ListPlace,
    ) -> Result<Vec<Payment>, Error> {
        let since = ctx.now.saturating_sub(LATELY).unwrap_or(Timestamp::MIN);
        let mut found = Vec::new();
        for number in numbers(accounts) {
            let page = (after, MOST);
            found.extend(self.0.store.undecided_payments((&ctx.tenant, number), since, page).await?);
        }
        sort(&mut found, by_end);
        Ok(found)
    }

    async fn decided(
        &self,
        ctx: &Ctx,
        accounts: &[Account],
        after: &ListPlace,
    ) -> Result<Vec<Payment>, Error> {
        let mut found = Vec::new();
        for account in accounts {
            found.extend(self.0.store.payments_from(&account.id, (after, MOST)).await?);
        }
        for number in numbers(accounts) {
            found.extend(self.0.store.decided_payments((&ctx.tenant, number), (after, MOST)).await?);
        }
        sort(&mut found, by_last_action);
        // One whose account was named is found by its account too.
        found.dedup_by(|one, other| one.id == other.id);
        Ok(found)
    }

    async fn payment_told(
        &self,
        ctx: &Ctx,
        payment: Payment,
        names: &mut HashMap<TppId, String>,
    ) -> Result<OwnPayment, Error> {
        let tpp_name = match &payment.tpp {
            Some(tpp) => Some(self.name_of(tpp, names).await?),
            None => None,
        };
        let status = payment.status_at(ctx.now);
        let view = self.view_of(payment, ctx.now).await?;
        let way_out = match status {
            PaymentStatus::Pending => Some(WayOut::Refuse),
            PaymentStatus::Submitted if view.can_be_stopped => Some(WayOut::Stop),
            _ => None,
        };
        Ok(OwnPayment { view, tpp_name, way_out })
    }
}

/// One more than a page, to know whether there is another.
const MOST: i64 = PAGE as i64 + 1;

/// The numbers of accounts, each once: several accounts can share one.
fn numbers(accounts: &[Account]) -> Vec<&Iban> {
    let mut numbers: Vec<&Iban> = accounts.iter().map(|account| &account.iban).collect();
    numbers.sort_unstable_by_key(|number| number.as_str());
    numbers.dedup();
    numbers
}

fn by_end(payment: &Payment) -> ListPlace {
    ListPlace { at: payment.expires_at, id: payment.id.to_string() }
}

fn by_last_action(payment: &Payment) -> ListPlace {
    ListPlace { at: payment.last_action_at, id: payment.id.to_string() }
}

fn sort(payments: &mut [Payment], place: fn(&Payment) -> ListPlace) {
    payments.sort_by_cached_key(|payment| {
        let ListPlace { at, id } = place(payment);
        (Reverse(at), id)
    });
}
