//! Customers in person: what the bank knows about them, and what a bank for tests makes of its own accord.

use domain::{
    Account, AccountId, Consent, Customer, CustomerId, CustomerKind, Funds, History, Money, Product,
};

use crate::access::{AccountAccess, Balances, Details, Transactions};
use crate::{Ctx, Error, Gateway};

/// An account that the caller may read, with a proof for each way of reading it.
#[derive(Debug, Clone)]
pub struct ReadableAccount {
    /// The account.
    pub account: Account,
    /// Covers its details.
    pub details: AccountAccess<Details>,
    /// Covers its balances, if they may be read.
    pub balances: Option<AccountAccess<Balances>>,
    /// Covers its transactions, if they may be read.
    pub transactions: Option<AccountAccess<Transactions>>,
}

impl Gateway {
    /// A customer. Absent for nobody.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn customer(&self, id: &CustomerId) -> Result<Customer, Error> {
        self.0.bank.customer(id).await
    }

    /// The accounts of a customer who proved who they are, all with every right.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn own_accounts(&self, customer: &CustomerId) -> Result<Vec<ReadableAccount>, Error> {
        let accounts = self.0.bank.accounts_of(customer).await?;
        let readable = |account: Account| ReadableAccount {
            details: AccountAccess::to_own(&account),
            balances: Some(AccountAccess::to_own(&account)),
            transactions: Some(AccountAccess::to_own(&account)),
            account,
        };
        Ok(accounts.into_iter().map(readable).collect())
    }

    /// What an account holds now.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn funds(&self, ctx: &Ctx, proof: &AccountAccess<Balances>) -> Result<Funds, Error> {
        self.0.bank.funds(proof, ctx.today()).await
    }

    /// Booked transactions by their place in the account's history: up to `limit`, those with numbers up to
    /// `newest`; all there are up to now if absent.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn history(
        &self,
        ctx: &Ctx,
        proof: &AccountAccess<Transactions>,
        (newest, limit): (Option<i64>, i64),
    ) -> Result<History, Error> {
        self.0.bank.history(proof, (newest, limit), ctx.today()).await
    }

    /// The number of the transaction that an entry made on an account. Absent if it made none there.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn entry_number(
        &self,
        proof: &AccountAccess<Transactions>,
        entry: &str,
    ) -> Result<Option<i64>, Error> {
        self.0.bank.entry_number(proof, entry).await
    }

    /// Everybody who holds an account.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn holders(&self, proof: &AccountAccess<Details>) -> Result<Vec<Customer>, Error> {
        self.0.bank.holders(proof).await
    }

    /// The consents that a customer gave, the newest first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn consents_of(&self, customer: &CustomerId) -> Result<Vec<Consent>, Error> {
        Ok(self.0.store.consents_of(customer).await?)
    }

    /// A customer opens another account in the branch's currency.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the bank does not offer that here
    pub async fn open_account(
        &self,
        ctx: &Ctx,
        customer: &CustomerId,
        product: Product,
    ) -> Result<Account, Error> {
        self.0.bank.open_account(customer, product, ctx.now).await
    }

    /// A customer closes an account of theirs.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account of somebody else
    pub async fn close_account(&self, customer: &CustomerId, account: &AccountId) -> Result<(), Error> {
        let accounts = self.0.bank.accounts_of(customer).await?;
        if !accounts.iter().any(|own| own.id == *account) {
            return Err(Error::NotFound(crate::Noun::Account));
        }
        self.0.bank.close_account(&AccountAccess::<Details>::to_id(account)).await
    }

    /// Whether the bank is one for tests, with doors that no other has.
    pub fn is_for_tests(&self) -> bool {
        self.0.bank.is_for_tests()
    }

    /// Makes a customer with one empty account, at a bank for tests. Absent at any other.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn make_test_customer(
        &self,
        ctx: &Ctx,
        kind: CustomerKind,
    ) -> Result<Option<CustomerId>, Error> {
        match self.0.bank.make_test_customer(&ctx.tenant, kind) {
            Some(made) => Ok(Some(made.await?)),
            None => Ok(None),
        }
    }

    /// Gives money to an account, at a bank for tests, and returns the id of the entry. Absent at any other.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn give_test_money(
        &self,
        ctx: &Ctx,
        account: &AccountId,
        (amount, from, what): (Money, &str, &str),
    ) -> Result<Option<String>, Error> {
        let entry = self.0.randomness.id();
        let Some(given) = self.0.bank.give_test_money(account, (&entry, amount, from, what), ctx.now) else {
            return Ok(None);
        };
        given.await?;
        Ok(Some(entry))
    }
}
