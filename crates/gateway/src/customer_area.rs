//! What a customer sees of their accounts in the bank's own pages: what they hold and what moves on them. Who has access
//! is in `customer_rights.rs`, payments are in `customer_payments.rs`.

use std::collections::HashMap;

use domain::{Account, AccountId, BookingStatus, Funds, Position, TppId, Transaction, TransactionQuery};

use crate::access::AccountAccess;
use crate::customer_sessions::Insider;
use crate::{Ctx, Error, Gateway};

/// What is on one page of a list.
pub(crate) const PAGE: usize = 50;

/// An account with what moved on it.
#[derive(Debug, Clone)]
pub struct Movements {
    /// The account.
    pub account: Account,
    /// What it holds.
    pub funds: Funds,
    /// Movements that are not booked yet, on the first page alone.
    pub pending: Vec<Transaction>,
    /// Booked ones, newest first.
    pub booked: Vec<Transaction>,
    /// Where the next page begins, if there is one.
    pub next: Option<Position>,
}

impl Gateway {
    /// The name of a third party, which is read once for a page.
    pub(crate) async fn name_of(
        &self,
        tpp: &TppId,
        known: &mut HashMap<TppId, String>,
    ) -> Result<String, Error> {
        if let Some(name) = known.get(tpp) {
            return Ok(name.clone());
        }
        let name = self.registered(tpp).await?.name;
        known.insert(tpp.clone(), name.clone());
        Ok(name)
    }

    /// The accounts of a customer with what they hold.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn own_balances(&self, ctx: &Ctx, insider: &Insider) -> Result<Vec<(Account, Funds)>, Error> {
        let mut all = Vec::new();
        for account in self.0.bank.customers.accounts_of(insider.customer()).await? {
            let funds = self.0.bank.accounts.funds(&AccountAccess::to_own(&account), ctx.today()).await?;
            all.push((account, funds));
        }
        Ok(all)
    }

    /// What moved on an account of a customer, a page of it: the newest, or those before `after`.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for an account of somebody else
    pub async fn own_movements(
        &self,
        ctx: &Ctx,
        insider: &Insider,
        (id, after): (&AccountId, Option<Position>),
    ) -> Result<Movements, Error> {
        let account = self.held_account(insider.customer(), id).await?;
        let (bank, today) = (&self.0.bank.accounts, ctx.today());
        let proof = AccountAccess::to_own(&account);
        let query = TransactionQuery {
            status: BookingStatus::Booked,
            from: jiff::civil::date(1900, 1, 1),
            to: today,
            after,
            limit: PAGE + 1,
        };
        let mut booked = bank.booked(&proof, &query, today).await?;
        let is_more = booked.len() > PAGE;
        booked.truncate(PAGE);
        let last = booked.last().filter(|_| is_more);
        let next = last.map(|last| Position { booking_date: last.booking_date, sequence: last.sequence });
        let pending = match after {
            None => bank.pending(&proof, today).await?,
            Some(_) => Vec::new(),
        };
        let funds = bank.funds(&AccountAccess::to_own(&account), today).await?;
        Ok(Movements { account, funds, pending, booked, next })
    }
}
