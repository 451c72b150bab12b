//! Customers in person: what the bank knows about them, and what a bank for tests makes of its own accord.

use domain::{
    Account, AccountId, AccountNumber, AccountReference, Consent, Currency, Customer, CustomerId,
    CustomerKind, Date, Funds, History, Iban, Money, Product, Tenant,
};

use crate::access::{AccountAccess, Balances, Details, Transactions};
use crate::bank::TestCustomer;
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
    /// A customer.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn customer(&self, id: &CustomerId) -> Result<Customer, Error> {
        self.0.bank.customers.customer(id).await
    }

    /// The accounts of a customer who proved who they are, all with every right.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn own_accounts(&self, customer: &CustomerId) -> Result<Vec<ReadableAccount>, Error> {
        let accounts = self.0.bank.customers.accounts_of(customer).await?;
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
        self.0.bank.accounts.funds(proof, ctx.today()).await
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
        self.0.bank.numbers.history(proof, (newest, limit), ctx.today()).await
    }

    /// How many transactions of an account were booked up to a day, today at the latest: the place of the last of them
    /// in its history.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn booked_up_to(
        &self,
        ctx: &Ctx,
        proof: &AccountAccess<Transactions>,
        day: Date,
    ) -> Result<i64, Error> {
        Ok(self.0.bank.numbers.history(proof, (None, 0), day.min(ctx.today())).await?.count)
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
        self.0.bank.numbers.entry_number(proof, entry).await
    }

    /// Everybody who holds an account.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn holders(&self, proof: &AccountAccess<Details>) -> Result<Vec<Customer>, Error> {
        self.0.bank.accounts.holders(proof).await
    }

    /// The consents that a customer gave, the newest first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn consents_of(&self, customer: &CustomerId) -> Result<Vec<Consent>, Error> {
        Ok(self.0.store.consents_of(customer).await?)
    }

    /// Whether customers of this bank open and close accounts by themselves.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn keeps_accounts(&self) -> Result<bool, Error> {
        self.0.bank.keeping.is_offered().await
    }

    /// A customer opens another account in the branch's currency.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the bank does not offer that here
    pub async fn open_account(&self, customer: &CustomerId, product: Product) -> Result<Account, Error> {
        self.0.bank.keeping.open_account(customer, product).await
    }

    /// A customer closes an account of theirs.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account of somebody else, [`domain::PaymentRefusal::NotEmpty`]
    pub async fn close_account(
        &self,
        ctx: &Ctx,
        customer: &CustomerId,
        account: &AccountId,
    ) -> Result<(), Error> {
        let account = self.held_account(customer, account).await?;
        Ok(self.0.bank.keeping.close_account(&AccountAccess::to_own(&account), ctx.now).await??)
    }

    /// Whether a number is one of this bank.
    pub fn is_own(&self, number: &Iban) -> bool {
        self.0.bank.accounts.is_own(number)
    }

    /// The customers who can pay from an account number of this bank in a currency; none for any other number.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn holders_of_number(
        &self,
        ctx: &Ctx,
        number: &Iban,
        currency: Currency,
    ) -> Result<Vec<CustomerId>, Error> {
        let number = AccountNumber::Iban(number.clone());
        let reference = AccountReference { number, currency: Some(currency.code().to_owned()) };
        let mut holders = Vec::new();
        for account in self.0.bank.accounts.find_accounts(&ctx.tenant, &reference).await? {
            let found = self.0.bank.accounts.holders(&AccountAccess::to_own(&account)).await?;
            holders.extend(found.into_iter().map(|holder| holder.id));
        }
        Ok(holders)
    }

    /// Whether the bank is one for tests, with doors that no other has.
    pub fn is_for_tests(&self) -> bool {
        self.0.bank.test_doors.is_some()
    }

    /// The customers of a branch who were made last, the newest first, at most so many; nobody at a bank that is not for
    /// tests.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn test_customers(&self, ctx: &Ctx, limit: usize) -> Result<Vec<TestCustomer>, Error> {
        match &self.0.bank.test_doors {
            Some(doors) => doors.test_customers(&ctx.tenant, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// The bank's name at a branch.
    pub fn bank_name(&self, tenant: &Tenant) -> String {
        self.0.bank.naming.bank_name(tenant)
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
        match &self.0.bank.test_doors {
            Some(doors) => Ok(Some(doors.make_customer(&ctx.tenant, kind).await?)),
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
        let Some(doors) = &self.0.bank.test_doors else { return Ok(None) };
        let entry = self.0.randomness.id();
        doors.give_money(account, (&entry, amount, from, what), ctx.now).await?;
        Ok(Some(entry))
    }
}
