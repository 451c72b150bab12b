//! Payments: asked for by a third party, decided by the customer, executed by the bank.
//!
//! Approval and execution are one act: the state of a payment, guarded by its version, and the entries in the books are
//! one batch. So a payment is executed, or the bank said why not and it waits as before; there is nothing in between.
//!
//! Who may see a payment or reject it is for the interface to know; money of an account moves on the word of somebody
//! who holds it alone.

use domain::payments::check_transfers;
use domain::{
    Account, AccountId, AccountReference, AccountStatus, CustomerId, Iban, Interface, Money, Payment,
    PaymentDecision, PaymentId, PaymentRefusal, PaymentTerms, RejectReason, Tenant, Timestamp, TppId,
    TransactionStatus, Transfer,
};
use jiff::SignedDuration;

use crate::error::retry;
use crate::{ActingTpp, Changes, Ctx, Error, Gateway, Noun};

/// A payment that a customer approved. Only this module makes one, so a bank cannot be asked to move money that
/// nobody released.
#[derive(Debug, Clone)]
pub struct ApprovedPayment {
    id: PaymentId,
    tenant: Tenant,
    interface: Interface,
    account: AccountId,
    terms: PaymentTerms,
    transfers: Vec<Transfer>,
}

impl ApprovedPayment {
    /// For a bank's own end of an interface, where the gateway that asks has made sure.
    #[cfg(feature = "bank-end")]
    pub(crate) fn asked(
        (id, tenant, interface): (PaymentId, Tenant, Interface),
        account: AccountId,
        (terms, transfers): (PaymentTerms, Vec<Transfer>),
    ) -> Self {
        Self { id, tenant, interface, account, terms, transfers }
    }

    /// Which payment: the same id again changes nothing.
    pub fn id(&self) -> &PaymentId {
        &self.id
    }

    /// Where.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Where it was asked for: bunq's payments have moved their money when they are approved, whatever the product.
    pub fn interface(&self) -> Interface {
        self.interface
    }

    /// The account that pays.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Kind, product and time.
    pub fn terms(&self) -> &PaymentTerms {
        &self.terms
    }

    /// What is paid, all of it or nothing.
    pub fn transfers(&self) -> &[Transfer] {
        &self.transfers
    }

    /// The id of the entry in the books that a transfer makes.
    pub fn entry(&self, index: usize) -> String {
        entry_of(&self.id, index)
    }
}

/// What a bank did with a payment that it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// The money has moved.
    Executed,
    /// It is made later; until when, where the bank says so.
    Accepted {
        /// The moment when it is tried.
        until: Option<Timestamp>,
    },
}

/// What became of a payment that a bank took, as of a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentProgress {
    /// In the words of ISO 20022.
    pub status: TransactionStatus,
    /// Why it was rejected, or a part of it.
    pub reason: Option<RejectReason>,
    /// Whether there was enough money, if that was looked at.
    pub funds_available: Option<bool>,
    /// When the payment became this.
    pub since: Timestamp,
    /// Whether [`crate::bank::Payments::stop`] would stop it now.
    pub can_be_stopped: bool,
}

/// Why the bank does not make payments: one of them cannot be made as things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// Which one.
    pub payment: PaymentId,
    /// Why.
    pub refusal: PaymentRefusal,
}

impl From<Declined> for Error {
    fn from(declined: Declined) -> Self {
        declined.refusal.into()
    }
}

/// The id of the entry in the books that a transfer of a payment makes.
pub fn entry_of(payment: &PaymentId, index: usize) -> String {
    format!("{payment}-{index}")
}

/// What a third party or a customer asks to be paid.
#[derive(Debug, Clone)]
pub struct PaymentRequest {
    /// Its id, where the caller has one that nobody else uses; a new UUID if absent.
    pub id: Option<PaymentId>,
    /// The third party that asks; none for the customer in person.
    pub tpp: Option<ActingTpp>,
    /// The account that pays; none if the payer chooses it.
    pub debtor: Option<Iban>,
    /// What is paid.
    pub transfers: Vec<Transfer>,
    /// How long it can be decided.
    pub lifetime: SignedDuration,
}

impl Gateway {
    /// Takes a payment that a customer has to decide about, at the interface that it was asked for at, together with what that
    /// interface keeps of it: nobody can pay what its interface does not know.
    ///
    /// # Errors
    /// [`PaymentRefusal`]
    pub async fn initiate_payment(
        &self,
        ctx: &Ctx,
        interface: Interface,
        request: PaymentRequest,
        kept: impl FnOnce(&Payment) -> Changes,
    ) -> Result<Payment, Error> {
        check_transfers(&request.transfers)?;
        if let Some(debtor) = &request.debtor {
            self.check_debtor(ctx, debtor, &request.transfers[0].amount).await?;
        }
        let payment = Payment {
            id: request.id.unwrap_or_else(|| PaymentId::new(self.0.randomness.id())),
            tpp: request.tpp.as_ref().map(|tpp| tpp.id().clone()),
            tenant: ctx.tenant.clone(),
            interface,
            terms: PaymentTerms::AT_ONCE,
            debtor: request.debtor,
            transfers: request.transfers,
            created_at: ctx.now,
            expires_at: ctx.now.saturating_add(request.lifetime).unwrap_or(Timestamp::MAX),
            decision: PaymentDecision::Pending,
            last_action_at: ctx.now,
            version: 0,
        };
        self.0.store.save(kept(&payment).put_payment(&payment)).await?;
        Ok(payment)
    }

    /// A payment as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn payment(&self, ctx: &Ctx, id: &PaymentId) -> Result<Payment, Error> {
        let payment = self.0.store.payment(id).await?;
        payment.filter(|payment| payment.tenant == ctx.tenant).ok_or(Error::NotFound(Noun::Payment))
    }

    /// Whoever asked for a payment takes it back: a third party, or a customer if `tpp` is absent.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for a payment that somebody else asked for, [`PaymentRefusal::Final`]
    pub async fn cancel_payment(
        &self,
        ctx: &Ctx,
        tpp: Option<&TppId>,
        id: &PaymentId,
    ) -> Result<Payment, Error> {
        if self.payment(ctx, id).await?.tpp.as_ref() != tpp {
            return Err(Error::NotFound(Noun::Payment));
        }
        self.change_payment(ctx, id, |payment| payment.cancel(ctx.now)).await
    }

    /// A payment is refused by the customer, or on behalf of the customer.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`PaymentRefusal::Final`]
    pub async fn reject_payment(&self, ctx: &Ctx, id: &PaymentId) -> Result<Payment, Error> {
        self.change_payment(ctx, id, |payment| payment.reject(ctx.now)).await
    }

    /// A customer who proved who they are approves a payment from an account of theirs, and the bank pays.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account of somebody else, [`PaymentRefusal`]; if it is the bank that refuses, the
    /// payment waits as before and can be approved later
    pub async fn approve_payment(
        &self,
        ctx: &Ctx,
        id: &PaymentId,
        (customer, account): (&CustomerId, &AccountId),
    ) -> Result<Payment, Error> {
        let account = self.held_account(customer, account).await?;
        retry(|| async {
            let payment = self.payment(ctx, id).await?;
            let mut paid = payment.approve(customer.clone(), &account, ctx.now)?;
            let with = Changes::new().put_payment(&paid);
            self.0.bank.payments.submit(&order_of(&paid), with, ctx.now).await??;
            paid.version += 1;
            Ok(paid)
        })
        .await
    }

    /// A customer who proved who they are pays at once from an account of theirs, at an interface. Returns the payment's id, from
    /// which the ids of its entries follow.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account of somebody else, [`PaymentRefusal`]
    pub async fn pay(
        &self,
        ctx: &Ctx,
        interface: Interface,
        (customer, account): (&CustomerId, &AccountId),
        transfers: Vec<Transfer>,
    ) -> Result<PaymentId, Error> {
        let id = PaymentId::new(self.0.randomness.id());
        self.pay_once(ctx, (customer, account), transfers, (interface, id)).await
    }

    /// The same under an id that the caller chose: once that payment is made, asking again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account of somebody else, [`PaymentRefusal`]
    pub async fn pay_once(
        &self,
        ctx: &Ctx,
        (customer, account): (&CustomerId, &AccountId),
        transfers: Vec<Transfer>,
        (interface, id): (Interface, PaymentId),
    ) -> Result<PaymentId, Error> {
        check_transfers(&transfers)?;
        self.held_account(customer, account).await?;
        let (tenant, account, terms) = (ctx.tenant.clone(), account.clone(), PaymentTerms::AT_ONCE);
        let order = [ApprovedPayment { id, tenant, interface, account, terms, transfers }];
        retry(|| async { Ok(self.0.bank.payments.submit(&order, Changes::new(), ctx.now).await??) }).await?;
        let [order] = order;
        Ok(order.id)
    }

    /// Whether an account of this bank could pay an amount now (PSD2, Article 65). Absent if the bank has no such
    /// account.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn has_funds(
        &self,
        ctx: &Ctx,
        reference: &AccountReference,
        amount: Money,
    ) -> Result<Option<bool>, Error> {
        self.0.bank.accounts.has_funds(&ctx.tenant, reference, amount, ctx.today()).await
    }

    /// An account that a customer holds.
    pub(crate) async fn held_account(&self, customer: &CustomerId, id: &AccountId) -> Result<Account, Error> {
        let accounts = self.0.bank.customers.accounts_of(customer).await?;
        let account = accounts.into_iter().find(|account| account.id == *id);
        account.ok_or(Error::NotFound(Noun::Account))
    }

    async fn check_debtor(&self, ctx: &Ctx, debtor: &Iban, amount: &Money) -> Result<(), Error> {
        let number = domain::AccountNumber::Iban(debtor.clone());
        let reference = AccountReference { number, currency: None };
        let accounts = self.0.bank.accounts.find_accounts(&ctx.tenant, &reference).await?;
        let first = accounts.first().ok_or(PaymentRefusal::DebtorUnknown)?;
        let fitting = accounts.iter().find(|account| account.currency == amount.currency);
        let account = fitting.ok_or(PaymentRefusal::DebtorCurrency {
            account: first.currency.code(),
            amount: amount.currency.code(),
        })?;
        match account.status {
            AccountStatus::Enabled => Ok(()),
            status => Err(PaymentRefusal::DebtorUnavailable { status: status.name() }.into()),
        }
    }

    async fn change_payment(
        &self,
        ctx: &Ctx,
        id: &PaymentId,
        change: impl Fn(Payment) -> Result<Payment, PaymentRefusal>,
    ) -> Result<Payment, Error> {
        retry(|| async {
            let mut changed = change(self.payment(ctx, id).await?)?;
            self.0.store.save(Changes::new().put_payment(&changed)).await?;
            changed.version += 1;
            Ok(changed)
        })
        .await
    }
}

/// What the bank is asked to do for a payment that is approved: nothing for any other.
pub(crate) fn order_of(payment: &Payment) -> Vec<ApprovedPayment> {
    let PaymentDecision::Submitted { account, .. } = &payment.decision else { return Vec::new() };
    vec![ApprovedPayment {
        id: payment.id.clone(),
        tenant: payment.tenant.clone(),
        interface: payment.interface,
        account: account.clone(),
        terms: payment.terms.clone(),
        transfers: payment.transfers.clone(),
    }]
}
