//! Accounts of customers, and what of them is to be read.

use berlin_group::wire;

use crate::Error;

/// What is to be read, and how.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// By which consent, or the connection of which user; the newest if absent.
    pub by: Option<String>,
    /// Only the account with this number.
    pub account: Option<String>,
    /// Where the customer comes from, if they take part.
    pub psu_ip_address: Option<String>,
    /// Reads even if today's unattended reads are used up by this side's own count.
    pub beyond_budget: bool,
}

/// An account, and its balance where the bank tells both at once.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account.
    pub details: wire::Account,
    /// Whether one can pay from it.
    pub can_pay: bool,
    pub(crate) balances: Option<wire::Balances>,
}

impl Account {
    /// Its account number, or the bank's own id if it has none.
    pub fn number(&self) -> &str {
        self.details.iban.as_deref().unwrap_or(&self.details.resource_id)
    }
}

/// Which transactions are wanted.
#[derive(Debug, Clone, Default)]
pub struct TransactionsWish {
    /// `booked`, `pending` or `both`.
    pub booking_status: String,
    /// First booking date, `YYYY-MM-DD`.
    pub from: Option<String>,
    /// Last booking date.
    pub to: Option<String>,
}

/// All accounts, or the one with this number. `by` says what covers them.
pub(crate) fn chosen(accounts: Vec<Account>, wanted: Option<&str>, by: &str) -> Result<Vec<Account>, Error> {
    let Some(wanted) = wanted else { return Ok(accounts) };
    let wanted: String = wanted.chars().filter(|c| !c.is_whitespace()).collect();
    let is_wanted = |account: &Account| account.number().eq_ignore_ascii_case(&wanted);
    let chosen: Vec<_> = accounts.into_iter().filter(is_wanted).collect();
    if chosen.is_empty() {
        return Err(Error::Setup(format!("the {by} does not cover account {wanted}")));
    }
    Ok(chosen)
}
