//! Payments that wait for a customer, and the accounts that can pay them.

use std::collections::{BTreeSet, HashMap};

use domain::{Account, AccountId, Date, Execution, Iban, Money, Payment, PaymentRefusal};

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

/// Most payments that are shown at once, those that wait longest first. The others wait until these are decided.
const MOST: usize = 50;

/// Those of a customer's accounts from which a payment can be made.
pub(crate) fn payable(accounts: &[Account], payment: &Payment) -> Vec<Account> {
    accounts.iter().filter(|account| payment.check_open_account(account).is_ok()).cloned().collect()
}

impl Gateway {
    /// Payments about which a customer with these accounts decides in a session: the one that it is about, or at an interface without
    /// authorisations of payments, those of the third party from the accounts.
    pub(crate) async fn waiting_payments(
        &self,
        ctx: &Ctx,
        accounts: &[Account],
        open: &Open,
    ) -> Result<Vec<Payment>, Error> {
        let interface = open.session.request.interface;
        match &open.matter {
            Matter::Payment(payment) => return Ok(vec![payment.clone()]),
            Matter::Consent(_) if !interface.confirms() => {}
            Matter::FundsConsent(_) | Matter::Consent(_) => return Ok(Vec::new()),
        }
        let numbers: BTreeSet<&Iban> = accounts.iter().map(|account| &account.iban).collect();
        let (client, mut payments) = ((&open.session.request.client, interface), Vec::new());
        for number in numbers {
            payments.extend(self.0.store.pending_payments(client, (&ctx.tenant, number), ctx.now).await?);
        }
        payments.sort_by_key(|payment| payment.created_at);
        payments.truncate(MOST);
        Ok(payments)
    }

    /// Payments that wait for a customer with these accounts, with those that can make them. The bank is asked about each account and day
    /// once.
    pub(crate) async fn waiting_with_payers(
        &self,
        ctx: &Ctx,
        accounts: &[Account],
        waiting: Vec<Payment>,
    ) -> Result<Vec<WaitingPayment>, Error> {
        let (mut found, mut known) = (Vec::new(), HashMap::new());
        let today = ctx.today();
        for payment in waiting {
            let (total, mut payers) = (payment.total().ok_or(PaymentRefusal::Count)?, Vec::new());
            let made_on = first_day(&payment.terms.execution, today);
            for account in payable(accounts, &payment) {
                let available = self.available(&account, today, &mut known).await?;
                let then = self.available(&account, made_on, &mut known).await?;
                let is_covered = then.minor >= total.minor;
                payers.push(Payer { account: account.id, available, is_covered });
            }
            found.push(WaitingPayment { payment, payers });
        }
        Ok(found)
    }

    /// What can be spent of an account as of a day, which is remembered.
    async fn available(
        &self,
        account: &Account,
        day: Date,
        known: &mut HashMap<(AccountId, Date), Money>,
    ) -> Result<Money, Error> {
        let which = (account.id.clone(), day);
        if let Some(available) = known.get(&which) {
            return Ok(*available);
        }
        let funds = self.0.bank.accounts.funds(&AccountAccess::to_own(account), day).await?;
        known.insert(which, funds.available);
        Ok(funds.available)
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
