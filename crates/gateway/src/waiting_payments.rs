//! Payments that wait for a customer, and the accounts that can pay them.

use std::collections::BTreeSet;

use domain::{Account, AccountId, CustomerId, Date, Execution, Iban, Money, Payment, PaymentRefusal};

use crate::access::AccountAccess;
use crate::sessions::Open;
use crate::subjects::Matter;
use crate::{Ctx, Error, Gateway};

/// A payment that waits for a customer.
#[derive(Debug, Clone)]
pub struct WaitingPayment {
    /// The payment.
    pub payment: Payment,
    /// The accounts of the customer that can make it.
    pub payers: Vec<Payer>,
}

/// An account that can make a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// Which.
    pub account: AccountId,
    /// What can be spent of it now.
    pub available: Money,
    /// Whether it holds enough when the payment is made, as far as that is known now.
    pub is_covered: bool,
}

impl Gateway {
    /// Payments about which a customer decides in a session: the one that it is about, or at an interface without
    /// authorisations of payments, all of the third party from accounts of the customer.
    pub(crate) async fn waiting_payments(
        &self,
        ctx: &Ctx,
        customer: &CustomerId,
        open: &Open,
    ) -> Result<Vec<Payment>, Error> {
        let interface = open.session.request.interface;
        match &open.matter {
            Matter::Payment(payment) => return Ok(vec![payment.clone()]),
            Matter::Consent(_) if !interface.confirms() => {}
            Matter::FundsConsent(_) | Matter::Consent(_) => return Ok(Vec::new()),
        }
        let accounts = self.0.bank.customers.accounts_of(customer).await?;
        let numbers: BTreeSet<Iban> = accounts.into_iter().map(|account| account.iban).collect();
        let (client, mut payments) = ((&open.session.request.client, interface), Vec::new());
        for number in &numbers {
            payments.extend(self.0.store.pending_payments(client, (&ctx.tenant, number), ctx.now).await?);
        }
        Ok(payments)
    }

    /// The accounts of a customer from which a payment can be made.
    pub(crate) async fn payable(
        &self,
        customer: &CustomerId,
        payment: &Payment,
    ) -> Result<Vec<Account>, Error> {
        let mut accounts = self.0.bank.customers.accounts_of(customer).await?;
        accounts.retain(|account| payment.check_open_account(account).is_ok());
        Ok(accounts)
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
            let (today, made_on) = (ctx.today(), first_day(&payment.terms.execution, ctx.today()));
            for account in self.payable(customer, &payment).await? {
                let proof = AccountAccess::to_own(&account);
                let available = self.0.bank.accounts.funds(&proof, today).await?.available;
                let then = match made_on {
                    day if day == today => available,
                    day => self.0.bank.accounts.funds(&proof, day).await?.available,
                };
                let is_covered = then.minor >= total.minor;
                payers.push(Payer { account: account.id, available, is_covered });
            }
            found.push(WaitingPayment { payment, payers });
        }
        Ok(found)
    }
}

/// The day on which a payment is made for the first time.
fn first_day(execution: &Execution, today: Date) -> Date {
    match execution {
        Execution::AtOnce => today,
        Execution::On(day) => today.max(*day),
        Execution::Repeated(repetition) => today.max(repetition.start),
    }
}
