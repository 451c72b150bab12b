//! The bank behind the gateway: whoever knows the customers and keeps the books.
//!
//! Data of an account are asked for with a proof of consent, which only this crate can make: a bank, or a use case
//! that forgot the check, has nothing to call these methods with.

use std::pin::Pin;

use domain::{
    Account, AccountReference, Balance, CustomerId, Date, Iban, Tenant, Transaction, TransactionQuery,
};

use crate::Error;
use crate::access::{AccountAccess, Balances, Details, Transactions};

/// A bank's answer, when it comes.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// What a customer shows to log in.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// An account number of the customer.
    pub iban: &'a Iban,
    /// What the bank's page showed.
    pub challenge: &'a str,
    /// What the customer's device made of it.
    pub answer: &'a str,
}

/// A bank.
pub trait Bank: std::fmt::Debug + Send + Sync {
    /// The accounts that a third party's reference names: none, one, or one a currency.
    fn find_accounts<'a>(
        &'a self,
        tenant: &'a Tenant,
        reference: &'a AccountReference,
    ) -> Answer<'a, Vec<Account>>;

    /// The customer who logs in with these credentials; none if they are wrong, whatever is wrong with them.
    fn log_in<'a>(
        &'a self,
        tenant: &'a Tenant,
        credentials: Credentials<'a>,
    ) -> Answer<'a, Option<CustomerId>>;

    /// The customer's name, for the bank's own pages.
    fn customer_name<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, String>;

    /// The accounts of a customer who logged in, for the bank's own pages.
    fn accounts_of<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, Vec<Account>>;

    /// An account's details.
    fn account<'a>(&'a self, access: &'a AccountAccess<Details>) -> Answer<'a, Account>;

    /// An account with its balances as of a day.
    fn balances<'a>(
        &'a self,
        access: &'a AccountAccess<Balances>,
        day: Date,
    ) -> Answer<'a, (Account, Vec<Balance>)>;

    /// Booked transactions as of a day, newest first.
    fn booked<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        query: &'a TransactionQuery,
        day: Date,
    ) -> Answer<'a, Vec<Transaction>>;

    /// Pending transactions as of a day, newest first.
    fn pending<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        day: Date,
    ) -> Answer<'a, Vec<Transaction>>;

    /// What a customer's device would answer to a challenge: only a bank for tests knows that, and shows it on its
    /// log-in page.
    fn simulated_answer<'a>(
        &'a self,
        _device_number: &'a str,
        _challenge: &'a str,
    ) -> Option<Answer<'a, String>> {
        None
    }
}
