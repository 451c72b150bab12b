//! The customer decides at the bank's page: accounts are shared, payments are made, or neither.

use std::collections::BTreeSet;

use domain::grants::CODE_LIFETIME;
use domain::{
    Account, AccountId, AccountStatus, AuthorizationCode, AuthorizationProfile, AuthorizationRequest, Choice,
    Consent, CustomerId, GrantedAccount, Iban, Payment, PaymentId, PaymentRefusal, PaymentStatus,
};

use crate::error::retry;
use crate::sessions::{Found, Open, Outcome, Visit, WayBack};
use crate::{Changes, Ctx, Error, Gateway, secrets};

/// What a customer approves.
#[derive(Debug, Clone, Default)]
pub struct Approval {
    /// The accounts that were chosen, where there is a choice.
    pub accounts: Vec<AccountId>,
    /// The payments about which the customer decided: true for those to be made.
    pub payments: Vec<(PaymentId, bool)>,
}

impl Gateway {
    /// The customer approves, with what they chose where there is a choice. Absent without a choice that is
    /// possible: the page is shown again.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn approve(
        &self,
        ctx: &Ctx,
        secret: &str,
        approval: &Approval,
    ) -> Result<Option<Visit>, Error> {
        let decided = retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Found::Open(open) => *open,
                Found::Leave(way_back) => return Ok(Some((Visit::Leave(way_back), vec![]))),
                Found::Ended => return Ok(Some((Visit::Ended, vec![]))),
            };
            let Some(customer) = open.session.customer.clone() else { return Ok(None) };
            let waiting = self.waiting_payments(ctx, &customer, &open.session.request).await?;
            if waiting.is_empty() {
                let granted = choose(self.offered(&customer, &open.consent).await?, &open.consent, approval);
                let Some(granted) = granted else { return Ok(None) };
                let way_back = self.grant(ctx, Changes::new(), open, customer, granted).await?;
                return Ok(Some((Visit::Leave(way_back), vec![])));
            }
            self.decide_payments(ctx, open, customer, waiting, approval).await
        });
        let Some((visit, approved)) = decided.await? else { return Ok(None) };
        // The approval is on disk, and the customer has a way back to go: whoever looks at a payment later moves the
        // money if the bank does not do it now.
        for payment in approved {
            let id = payment.id.clone();
            if let Err(error) = self.settle(ctx, payment).await {
                tracing::error!(%error, payment = id.as_str(), "an approved payment waits for the bank");
            }
        }
        Ok(Some(visit))
    }

    /// The customer decides about payments that wait. The accounts that pay are what the third party gets access to.
    async fn decide_payments(
        &self,
        ctx: &Ctx,
        open: Open,
        customer: CustomerId,
        waiting: Vec<Payment>,
        approval: &Approval,
    ) -> Result<Option<(Visit, Vec<Payment>)>, Error> {
        let (mut changes, mut approved, mut granted) = (Changes::new(), Vec::new(), Vec::new());
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
                    let Some((account, rights)) = payer else { return Ok(None) };
                    if !granted.iter().any(|known: &GrantedAccount| known.account == account.id) {
                        granted.push(open.consent.access.grant(&account).unwrap_or(rights));
                    }
                    payment.approve(customer.clone(), &account, ctx.now)?
                }
            };
            decided += 1;
            changes = changes.put_payment(&changed);
            if changed.status_at(ctx.now) == PaymentStatus::Approved {
                approved.push(Payment { version: changed.version + 1, ..changed });
            }
        }
        if decided == 0 {
            return Ok(None);
        }
        let way_back = if approved.is_empty() {
            self.refuse(ctx, changes, open).await?
        } else {
            self.grant(ctx, changes, open, customer, granted).await?
        };
        Ok(Some((Visit::Leave(way_back), approved)))
    }

    /// Saves `changes` with the approval of the consent and ends the session with a code.
    async fn grant(
        &self,
        ctx: &Ctx,
        changes: Changes,
        open: Open,
        customer: CustomerId,
        granted: Vec<GrantedAccount>,
    ) -> Result<WayBack, Error> {
        let Open { session, consent, authorisation } = open;
        let mut consent = consent.approve(customer.clone(), granted, ctx.now)?;
        let mut approved = authorisation.approve(customer.clone());
        if !consent.access.is_confirmed_by_tpp() {
            consent = consent.confirm(ctx.now)?;
            approved = approved.confirm(ctx.now)?;
        }
        let changes = changes.put_consent(&consent).put_authorisation(&approved);
        if session.request.payment.is_some() {
            return self.leave(changes, session, Outcome::PaymentDecided).await;
        }
        let secret = match session.request.profile {
            AuthorizationProfile::OpenId => self.0.randomness.secret(),
            AuthorizationProfile::Plain => self.0.randomness.hex_secret(),
        };
        let code = AuthorizationCode {
            hash: secrets::hash(&secret),
            tenant: ctx.tenant.clone(),
            authorisation: approved.id,
            request: session.request.clone(),
            customer,
            authenticated_at: session.authenticated_at.unwrap_or(ctx.now),
            expires_at: ctx.now.saturating_add(CODE_LIFETIME).unwrap_or(ctx.now),
            grant: None,
            version: 0,
        };
        self.leave(changes.put_authorization_code(&code), session, Outcome::Code(secret)).await
    }

    /// Saves `changes` with the refusal of the consent and ends the session.
    async fn refuse(&self, ctx: &Ctx, changes: Changes, open: Open) -> Result<WayBack, Error> {
        let changes =
            changes.put_consent(&open.consent.reject(ctx.now)).put_authorisation(&open.authorisation.fail());
        let outcome = match open.session.request.payment {
            Some(_) => Outcome::PaymentDecided,
            None => Outcome::Cancelled,
        };
        self.leave(changes, open.session, outcome).await
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
                reference: domain::AccountReference::to_account(&account),
                product: account.product,
                balances: false,
                transactions: false,
            };
            (account, granted)
        };
        Ok(accounts.into_iter().filter(is_fitting).map(rights).collect())
    }

    /// The customer cancels: the consent is refused.
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
            Ok(Visit::Leave(self.refuse(ctx, changes, *open).await?))
        })
        .await
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

fn is_waiting(payment: &Payment, ctx: &Ctx) -> bool {
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
