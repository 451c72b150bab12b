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

/// Most payments that are shown at once, those that wait longest first. The others wait until these are decided; so do those that would make
/// it more than [`MOST_OCTETS`].
const MOST: usize = 50;

/// Most of what is paid by those that are shown at once, in octets as it is kept. A bank behind an interface gets those that are approved
/// together in one body.
const MOST_OCTETS: usize = 1024 * 1024;

/// How many payments, from the first one on, are few and small enough to be shown at once. One alone is, however large: it came in one body.
fn shown_at_once(payments: &[Payment]) -> Result<usize, Error> {
    let mut octets = 0;
    for (index, payment) in payments.iter().take(MOST).enumerate() {
        octets += serde_json::to_vec(&payment.transfers).map_err(Error::internal)?.len();
        if index > 0 && octets > MOST_OCTETS {
            return Ok(index);
        }
    }
    Ok(payments.len().min(MOST))
}

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
        payments.truncate(shown_at_once(&payments)?);
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

#[cfg(test)]
mod tests {
    use domain::{
        Counterparty, Currency, Interface, PaymentDecision, PaymentId, PaymentTerms, Tenant, Timestamp,
        Transfer,
    };

    use super::*;

    fn payment(transfers: usize, octets: usize) -> Payment {
        let transfer = Transfer {
            creditor: Counterparty::default(),
            amount: Money { minor: 1, currency: Currency::EUR },
            remittance: Some("x".repeat(octets)),
            end_to_end_id: None,
            routing: None,
        };
        Payment {
            id: PaymentId::new("p"),
            tpp: None,
            tenant: Tenant::parse("nl").unwrap(),
            interface: Interface::Bunq,
            terms: PaymentTerms::AT_ONCE,
            debtor: None,
            transfers: vec![transfer; transfers],
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::UNIX_EPOCH,
            decision: PaymentDecision::Pending,
            last_action_at: Timestamp::UNIX_EPOCH,
            version: 0,
        }
    }

    #[test]
    fn no_more_payments_are_shown_than_a_bank_takes_at_once() {
        let (ordinary, large) = (payment(1, 100), payment(100, 9000));
        for (payments, shown) in [
            (vec![], 0),
            (vec![ordinary.clone(); 50], 50),
            (vec![ordinary.clone(); 60], 50),
            (vec![large.clone(), ordinary.clone()], 2),
            (vec![ordinary, large.clone(), large], 2),
            // As much as comes in one body: fewer characters than a text can have, of two octets each.
            (vec![payment(100, 10_400); 2], 1),
        ] {
            assert_eq!(shown_at_once(&payments).unwrap(), shown, "{}", payments.len());
        }
    }
}
