//! What goes over the wire, and how it becomes what the gateway knows.

mod accounts;
mod customers;
mod events;
mod parts;
mod payments;
mod transactions;

use std::collections::HashSet;

use gateway::domain::{self, Currency, Iban};
use serde::{Deserialize, Serialize};

pub(crate) use accounts::{
    Account, Accounts, Balances, CheckFunds, FindAccounts, Funds, FundsChecked, OnDay,
};
pub(crate) use customers::{
    Approve, Approved, AtBranch, Customer, CustomerIds, Customers, FindCustomers, LogIn, LoggedIn,
};
#[cfg(feature = "server")]
pub(crate) use events::value;
pub(crate) use events::{Events, EventsQuery, KeptProgress, told};
#[cfg(feature = "server")]
pub(crate) use parts::{ACCOUNT_KEEPING, ENTRY_NUMBERS};
pub(crate) use parts::{CloseAccount, Entries, EntriesQuery, EntryAsked, EntryNumber, OpenAccount, Parts};
pub(crate) use payments::{
    ApprovalsNeeded, Order, Payment, Progress, Stop, TakenPayments, progress_of, reason_of,
};
pub(crate) use transactions::{BookedQuery, Transactions};

/// What was said does not fit the interface.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{member} is {expected}")]
pub(crate) struct Unreadable {
    /// The member.
    pub(crate) member: &'static str,
    /// What it has to be.
    pub(crate) expected: &'static str,
}

pub(crate) fn unreadable(member: &'static str, expected: &'static str) -> Unreadable {
    Unreadable { member, expected }
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// What was wrong, and what would be right.
    #[serde(default)]
    pub(crate) detail: String,
    /// Why a payment is not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Which payment is not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payment: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Code {
    /// The request does not fit the interface.
    Malformed,
    /// There is no such thing.
    NotFound,
    /// The payment cannot be made.
    Declined,
    /// The payment cannot be stopped.
    Final,
    /// The account has money on it.
    NotEmpty,
    /// The bank cannot answer now.
    Unavailable,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Money {
    amount: String,
    currency: String,
}

impl From<domain::Money> for Money {
    fn from(money: domain::Money) -> Self {
        Self { amount: money.to_decimal(), currency: money.currency.code().to_owned() }
    }
}

impl Money {
    pub(crate) fn read(&self) -> Result<domain::Money, Unreadable> {
        domain::Money::parse(&self.amount, currency(&self.currency)?)
            .map_err(|_| unreadable("amount", "a decimal number with the places of its currency"))
    }
}

fn currency(code: &str) -> Result<Currency, Unreadable> {
    Currency::from_code(code).ok_or_else(|| unreadable("currency", "a code of ISO 4217"))
}

fn iban(text: &str) -> Result<Iban, Unreadable> {
    Iban::parse(text).map_err(|_| unreadable("iban", "an IBAN"))
}

/// What a bank names more than once, by its id, is one: a bank that keeps its books by number may name a holder once for each account.
fn each_once<T>(all: Vec<T>, id: impl Fn(&T) -> &str) -> Vec<T> {
    let mut seen = HashSet::new();
    all.into_iter().filter(|one| seen.insert(id(one).to_owned())).collect()
}

/// The other side of a movement.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Counterparty {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iban: Option<String>,
}

impl From<&domain::Counterparty> for Counterparty {
    fn from(party: &domain::Counterparty) -> Self {
        let number = party.iban.as_ref().map(|iban| iban.as_str().to_owned());
        Self { name: party.name.clone(), iban: number }
    }
}

impl Counterparty {
    fn read(self) -> Result<domain::Counterparty, Unreadable> {
        Ok(domain::Counterparty { name: self.name, iban: self.iban.as_deref().map(iban).transpose()? })
    }
}
