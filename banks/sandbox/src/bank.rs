//! The sandbox's own bank: customers and books in the store, a digipass that is simulated.

use gateway::access::{AccountAccess, Balances, Details, Transactions};
use gateway::bank::{Answer, Bank, Credentials};
use gateway::domain::{
    Account, AccountNumber, AccountReference, Balance, BalanceKind, CustomerId, Date, Iban, Money, Tenant,
    Transaction, TransactionQuery,
};
use gateway::{Error, Noun, Store};
use store::{BookedAccount, Customer};
use subtle::ConstantTimeEq;

use crate::digipass;

/// The bank.
#[derive(Debug, Clone)]
pub(crate) struct SandboxBank {
    store: Store,
}

impl SandboxBank {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    async fn booked(&self, account: &gateway::domain::AccountId) -> Result<BookedAccount, Error> {
        self.store.account(account).await?.ok_or(Error::NotFound(Noun::Account))
    }
}

/// The number under which a British account is found: the sandbox has one bank code.
fn iban_of(tenant: &Tenant, number: &AccountNumber) -> Option<Iban> {
    match number {
        AccountNumber::Iban(iban) => Some(iban.clone()),
        AccountNumber::British { sort_code, account_number } if tenant.country() == "GB" => {
            Iban::from_account_number("GB", &format!("VSTB{sort_code}{account_number}"))
        }
        AccountNumber::British { .. } => None,
    }
}

/// Both the number of the device and what it answers are taken, in time that does not depend on either.
fn is_right(customer: &Customer, credentials: &Credentials<'_>) -> bool {
    let given: String = credentials.answer.chars().filter(|c| !c.is_whitespace()).collect();
    let expected = digipass::answer(&customer.digipass_number, credentials.challenge);
    let fits = |known: &str| bool::from(known.as_bytes().ct_eq(given.as_bytes()));
    fits(&customer.digipass_number) | fits(&expected)
}

impl Bank for SandboxBank {
    fn find_accounts<'a>(
        &'a self,
        tenant: &'a Tenant,
        reference: &'a AccountReference,
    ) -> Answer<'a, Vec<Account>> {
        Box::pin(async move {
            let Some(iban) = iban_of(tenant, &reference.number) else { return Ok(Vec::new()) };
            let accounts = self.store.accounts_by_iban(tenant, &iban).await?;
            Ok(accounts.into_iter().filter(|account| reference.names(account)).collect())
        })
    }

    fn log_in<'a>(
        &'a self,
        tenant: &'a Tenant,
        credentials: Credentials<'a>,
    ) -> Answer<'a, Option<CustomerId>> {
        Box::pin(async move {
            let mut holders = self.store.holders(tenant, credentials.iban).await?;
            if holders.is_empty() {
                // An unknown number costs what a known one does.
                digipass::answer("0000000000", credentials.challenge);
            }
            holders.retain(|holder| is_right(holder, &credentials));
            Ok(holders.into_iter().next().map(|holder| holder.id))
        })
    }

    fn customer_name<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, String> {
        Box::pin(async move {
            let customer = self.store.customer(customer).await?;
            Ok(customer.ok_or(Error::NotFound(Noun::Customer))?.name)
        })
    }

    fn accounts_of<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, Vec<Account>> {
        Box::pin(async move { Ok(self.store.accounts_of(customer).await?) })
    }

    fn account<'a>(&'a self, access: &'a AccountAccess<Details>) -> Answer<'a, Account> {
        Box::pin(async move { Ok(self.booked(access.account()).await?.account) })
    }

    fn balances<'a>(
        &'a self,
        access: &'a AccountAccess<Balances>,
        day: Date,
    ) -> Answer<'a, (Account, Vec<Balance>)> {
        Box::pin(async move {
            let booked = self.booked(access.account()).await?;
            let currency = booked.account.currency;
            let before = day.yesterday().unwrap_or(day);
            let closing = self.store.booked_balance(access.account(), before).await?;
            let entered = self.store.entered_since(access.account(), before, day).await?;
            let balance = |kind, minor, reference_date, credit_limit_included| Balance {
                kind,
                amount: Money { minor, currency },
                reference_date,
                credit_limit_included,
            };
            let expected = closing + entered + booked.credit_limit;
            let balances = vec![
                balance(BalanceKind::ClosingBooked, closing, before, false),
                balance(BalanceKind::Expected, expected, day, true),
            ];
            Ok((booked.account, balances))
        })
    }

    fn booked<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        query: &'a TransactionQuery,
        day: Date,
    ) -> Answer<'a, Vec<Transaction>> {
        Box::pin(async move {
            let currency = self.booked(access.account()).await?.account.currency;
            Ok(self.store.booked_transactions(access.account(), currency, query, day).await?)
        })
    }

    fn pending<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        day: Date,
    ) -> Answer<'a, Vec<Transaction>> {
        Box::pin(async move {
            let currency = self.booked(access.account()).await?.account.currency;
            Ok(self.store.pending_transactions(access.account(), currency, day).await?)
        })
    }

    fn simulated_answer<'a>(
        &'a self,
        device_number: &'a str,
        challenge: &'a str,
    ) -> Option<Answer<'a, String>> {
        let answer = digipass::answer(device_number, challenge);
        Some(Box::pin(std::future::ready(Ok(answer))))
    }
}
