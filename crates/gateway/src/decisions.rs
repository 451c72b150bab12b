//! The customer decides at the bank's page: accounts are shared, payments are made, or neither.

use std::collections::BTreeSet;

use domain::grants::{CODE_LIFETIME, STRICT_CODE_LIFETIME};
use domain::{
    Account, AccountId, AccountReference, AccountStatus, AuthorizationCode, AuthorizationProfile,
    AuthorizationRequest, Choice, Consent, CustomerId, GrantedAccount, Iban, Payment, PaymentId,
    PaymentRefusal, PaymentStatus,
};

use crate::error::retry;
use crate::payments::{Declined, order_of};
use crate::sessions::{Found, Open, Outcome, Visit, WayBack, end};
use crate::{Changes, Ctx, Error, Gateway, Strictness, secrets};

/// What a customer approves.
#[derive(Debug, Clone, Default)]
pub struct Approval {
    /// The accounts that were chosen, where there is a choice.
    pub accounts: Vec<AccountId>,
    /// The payments about which the customer decided: true for those to be made.
    pub payments: Vec<(PaymentId, bool)>,
}

/// What became of an approval.
#[derive(Debug)]
pub enum Decided {
    /// It was taken, or there was nothing to decide any more.
    Done(Visit),
    /// What was chosen is not possible, or nothing was: the page is shown again.
    Undecided,
    /// The bank does not make one of the payments. Nothing was decided, and the page is shown again with the reason.
    Declined(Declined),
}

/// A payment that waits for a customer.
#[derive(Debug, Clone)]
pub struct WaitingPayment {
    /// The payment.
    pub payment: Payment,
    /// The accounts of the customer that can make it, and whether each holds enough now.
    pub payers: Vec<(AccountId, bool)>,
}

impl Gateway {
    /// The customer approves, with what they chose where there is a choice. Payments are made, and everything that is
    /// decided with them is stored, in one batch.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn approve(&self, ctx: &Ctx, secret: &str, approval: &Approval) -> Result<Decided, Error> {
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Found::Open(open) => *open,
                Found::Leave(way_back) => return Ok(Decided::Done(Visit::Leave(way_back))),
                Found::Ended => return Ok(Decided::Done(Visit::Ended)),
            };
            let Some(customer) = open.session.customer.clone() else { return Ok(Decided::Undecided) };
            let waiting = self.waiting_payments(ctx, &customer, &open.session.request).await?;
            if !waiting.is_empty() {
                return self.decide_payments(ctx, open, customer, waiting, approval).await;
            }
            // The page showed payments, and all of them are gone: whoever meant to pay shares nothing instead.
            if !approval.payments.is_empty() {
                let (changes, way_back) = refuse(ctx, Changes::new(), open, Outcome::PaymentGone);
                self.0.store.save(changes).await?;
                return Ok(Decided::Done(Visit::Leave(way_back)));
            }
            let granted = choose(self.offered(&customer, &open.consent).await?, &open.consent, approval);
            let Some(granted) = granted else { return Ok(Decided::Undecided) };
            let (changes, way_back) = self.grant(ctx, Changes::new(), open, customer, granted)?;
            self.0.store.save(changes).await?;
            Ok(Decided::Done(Visit::Leave(way_back)))
        })
        .await
    }

    /// The customer decides about payments that wait. The accounts that pay are what the third party gets access to.
    async fn decide_payments(
        &self,
        ctx: &Ctx,
        open: Open,
        customer: CustomerId,
        waiting: Vec<Payment>,
        approval: &Approval,
    ) -> Result<Decided, Error> {
        let (mut changes, mut orders, mut granted) = (Changes::new(), Vec::new(), Vec::new());
        let mut decided = 0;
        for payment in waiting {
            let decision = approval.payments.iter().find(|(id, _)| *id == payment.id).map(|(_, yes)| *yes);
            let changed = match decision {
                None => continue,
                Some(false) => payment.reject(ctx.now)?,
                Some(true) => {
                    let payable = self.payable(&customer, &payment).await?;
                    let is_chosen = |account: &Account| {
                        payment.debtor.is_some() || approval.accounts.contains(&account.id)
                    };
                    let payer = payable.into_iter().find(|(account, _)| is_chosen(account));
                    let Some((account, rights)) = payer else { return Ok(Decided::Undecided) };
                    if !granted.iter().any(|known: &GrantedAccount| known.account == account.id) {
                        granted.push(open.consent.access.grant(&account).unwrap_or(rights));
                    }
                    payment.approve(customer.clone(), &account, ctx.now)?
                }
            };
            decided += 1;
            changes = changes.put_payment(&changed);
            orders.extend(order_of(&changed));
        }
        if decided == 0 {
            return Ok(Decided::Undecided);
        }
        if orders.is_empty() {
            let (changes, way_back) = refuse(ctx, changes, open, Outcome::Cancelled);
            self.0.store.save(changes).await?;
            return Ok(Decided::Done(Visit::Leave(way_back)));
        }
        let (changes, way_back) = self.grant(ctx, changes, open, customer, granted)?;
        match self.0.bank.execute(&orders, changes, ctx.now).await? {
            Ok(()) => Ok(Decided::Done(Visit::Leave(way_back))),
            Err(declined) => Ok(Decided::Declined(declined)),
        }
    }

    /// Adds the approval of the consent to `changes`, and the end of the session with a code.
    fn grant(
        &self,
        ctx: &Ctx,
        changes: Changes,
        open: Open,
        customer: CustomerId,
        granted: Vec<GrantedAccount>,
    ) -> Result<(Changes, WayBack), Error> {
        let Open { session, consent, authorisation } = open;
        let mut consent = consent.approve(customer.clone(), granted, ctx.now)?;
        let mut approved = authorisation.approve(customer.clone());
        if !consent.access.is_confirmed_by_tpp() {
            consent = consent.confirm(ctx.now)?;
            approved = approved.confirm(ctx.now)?;
        }
        let changes = changes.put_consent(&consent).put_authorisation(&approved);
        if session.request.payment.is_some() {
            return Ok(end(changes, session, Outcome::PaymentDecided));
        }
        let secret = match session.request.profile {
            AuthorizationProfile::OpenId => self.0.randomness.secret(),
            AuthorizationProfile::Plain => self.0.randomness.hex_secret(),
        };
        let lifetime = match self.0.settings.strictness {
            Strictness::Lenient => CODE_LIFETIME,
            Strictness::Strict => STRICT_CODE_LIFETIME,
        };
        let code = AuthorizationCode {
            hash: secrets::hash(&secret),
            tenant: ctx.tenant.clone(),
            authorisation: approved.id,
            request: session.request.clone(),
            customer,
            authenticated_at: session.authenticated_at.unwrap_or(ctx.now),
            expires_at: ctx.now.saturating_add(lifetime).unwrap_or(ctx.now),
            grant: None,
            version: 0,
        };
        Ok(end(changes.put_authorization_code(&code), session, Outcome::Code(secret)))
    }

    /// Payments of a third party that wait for a customer: the one that the request is about, or all from accounts
    /// of the customer.
    pub(crate) async fn waiting_payments(
        &self,
        ctx: &Ctx,
        customer: &CustomerId,
        request: &AuthorizationRequest,
    ) -> Result<Vec<Payment>, Error> {
        if request.profile == AuthorizationProfile::OpenId {
            return Ok(Vec::new());
        }
        if let Some(id) = &request.payment {
            let payment = self.payment(ctx, id).await?;
            return Ok(vec![payment].into_iter().filter(|one| is_waiting(one, ctx)).collect());
        }
        let accounts = self.0.bank.accounts_of(customer).await?;
        let numbers: BTreeSet<Iban> = accounts.into_iter().map(|account| account.iban).collect();
        let mut payments = Vec::new();
        for number in &numbers {
            let account = (&ctx.tenant, number);
            payments.extend(self.0.store.pending_payments(&request.client, account, ctx.now).await?);
        }
        Ok(payments)
    }

    /// The accounts of a customer from which a payment can be made.
    pub(crate) async fn payable(
        &self,
        customer: &CustomerId,
        payment: &Payment,
    ) -> Result<Vec<(Account, GrantedAccount)>, Error> {
        let currency = payment.transfers.first().ok_or(PaymentRefusal::Count)?.amount.currency;
        let accounts = self.0.bank.accounts_of(customer).await?;
        let is_fitting = |account: &Account| {
            account.currency == currency
                && account.status == AccountStatus::Enabled
                && payment.debtor.as_ref().is_none_or(|iban| *iban == account.iban)
        };
        let rights = |account: Account| {
            let granted = GrantedAccount {
                account: account.id.clone(),
                reference: AccountReference::to_account(&account),
                product: account.product,
                balances: false,
                transactions: false,
            };
            (account, granted)
        };
        Ok(accounts.into_iter().filter(is_fitting).map(rights).collect())
    }

    /// Payments that wait for a customer, with the accounts that can make them.
    pub(crate) async fn waiting_with_payers(
        &self,
        ctx: &Ctx,
        customer: &CustomerId,
        waiting: Vec<Payment>,
    ) -> Result<Vec<WaitingPayment>, Error> {
        let mut found = Vec::new();
        for payment in waiting {
            let (total, mut payers) = (payment.total().ok_or(PaymentRefusal::Count)?, Vec::new());
            for (account, _) in self.payable(customer, &payment).await? {
                let reference = AccountReference::to_account(&account);
                let holds = self.0.bank.has_funds(&ctx.tenant, &reference, total, ctx.today()).await?;
                payers.push((account.id, holds == Some(true)));
            }
            found.push(WaitingPayment { payment, payers });
        }
        Ok(found)
    }

    /// The customer cancels: the consent is refused, and with it the payment that the request is about.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn cancel(&self, ctx: &Ctx, secret: &str) -> Result<Visit, Error> {
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Found::Open(open) => open,
                Found::Leave(way_back) => return Ok(Visit::Leave(way_back)),
                Found::Ended => return Ok(Visit::Ended),
            };
            let mut changes = Changes::new();
            if let Some(id) = &open.session.request.payment {
                let payment = self.payment(ctx, id).await?;
                if payment.status_at(ctx.now) == PaymentStatus::Pending {
                    changes = changes.put_payment(&payment.reject(ctx.now)?);
                }
            }
            let outcome = self.why_cancelled(ctx, &open).await?;
            let (changes, way_back) = refuse(ctx, changes, *open, outcome);
            self.0.store.save(changes).await?;
            Ok(Visit::Leave(way_back))
        })
        .await
    }

    /// The customer approved payments that the bank does not make as things are, and goes back. The payments wait as
    /// before.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn leave_unpaid(&self, ctx: &Ctx, secret: &str, declined: &Declined) -> Result<Visit, Error> {
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Found::Open(open) => open,
                Found::Leave(way_back) => return Ok(Visit::Leave(way_back)),
                Found::Ended => return Ok(Visit::Ended),
            };
            let outcome = Outcome::NotPaid(declined.refusal.clone());
            let (changes, way_back) = refuse(ctx, Changes::new(), *open, outcome);
            self.0.store.save(changes).await?;
            Ok(Visit::Leave(way_back))
        })
        .await
    }

    /// Whoever leaves payments alone for which there is no money is said to do so: the third party is to know why.
    async fn why_cancelled(&self, ctx: &Ctx, open: &Open) -> Result<Outcome, Error> {
        let Some(customer) = &open.session.customer else { return Ok(Outcome::Cancelled) };
        let waiting = self.waiting_payments(ctx, customer, &open.session.request).await?;
        let waiting = self.waiting_with_payers(ctx, customer, waiting).await?;
        let lacks_funds = |one: &WaitingPayment| !one.payers.iter().any(|(_, is_covered)| *is_covered);
        Ok(if waiting.iter().any(lacks_funds) {
            Outcome::NotPaid(PaymentRefusal::InsufficientFunds)
        } else {
            Outcome::Cancelled
        })
    }

    /// The accounts of a customer that a consent covers or offers.
    pub(crate) async fn offered(
        &self,
        customer: &CustomerId,
        consent: &Consent,
    ) -> Result<Vec<(Account, GrantedAccount)>, Error> {
        let accounts = self.0.bank.accounts_of(customer).await?;
        Ok(accounts
            .into_iter()
            .filter_map(|account| consent.access.grant(&account).map(|granted| (account, granted)))
            .collect())
    }
}

/// Adds the refusal of the consent to `changes`, and the end of the session.
fn refuse(ctx: &Ctx, changes: Changes, open: Open, outcome: Outcome) -> (Changes, WayBack) {
    let changes =
        changes.put_consent(&open.consent.reject(ctx.now)).put_authorisation(&open.authorisation.fail());
    let outcome = match open.session.request.payment {
        Some(_) => Outcome::PaymentDecided,
        None => outcome,
    };
    end(changes, open.session, outcome)
}

pub(crate) fn is_waiting(payment: &Payment, ctx: &Ctx) -> bool {
    payment.status_at(ctx.now) == PaymentStatus::Pending
}

/// What is granted of what was offered; nothing if the customer has yet to choose.
fn choose(
    offered: Vec<(Account, GrantedAccount)>,
    consent: &Consent,
    approval: &Approval,
) -> Option<Vec<GrantedAccount>> {
    let mut granted: Vec<_> = offered.into_iter().map(|(_, granted)| granted).collect();
    let choice = consent.access.choice();
    if choice != Choice::None {
        granted.retain(|granted| approval.accounts.contains(&granted.account));
        granted.truncate(if choice == Choice::One { 1 } else { usize::MAX });
        if granted.is_empty() {
            return None;
        }
    }
    Some(granted)
}
