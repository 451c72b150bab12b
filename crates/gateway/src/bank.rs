//! The bank behind the gateway: whoever knows the customers and keeps the books.
//!
//! Data of an account are asked for with a proof of consent, which only this crate can make: a bank, or a use case
//! that forgot the check, has nothing to call these methods with.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Account, AccountId, AccountReference, Balance, Customer, CustomerId, CustomerKind, Date, Funds, History,
    Iban, Money, PaymentId, PaymentRefusal, Product, Tenant, Timestamp, Transaction, TransactionQuery,
};

use crate::access::{AccountAccess, Balances, Details, Transactions};
use crate::bank_events::ToldEvent;
use crate::payments::{ApprovedPayment, Declined, PaymentProgress, Submitted};
use crate::provider::IdentityProvider;
use crate::{Changes, Error};

/// A bank's answer, when it comes.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// What a customer shows to log in.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// What the bank's page showed.
    pub challenge: &'a str,
    /// What the customer's device made of it.
    pub answer: &'a str,
}

/// A bank, by what it does. One object may do several of these things.
#[derive(Debug, Clone)]
pub struct Bank {
    /// Reads accounts.
    pub accounts: Arc<dyn Accounts>,
    /// Knows its customers.
    pub customers: Arc<dyn CustomerAuthentication>,
    /// Executes payments.
    pub payments: Arc<dyn Payments>,
    /// Numbers entries.
    pub numbers: Arc<dyn EntryNumbers>,
    /// Opens and closes accounts.
    pub keeping: Arc<dyn AccountKeeping>,
    /// Says what the bank is called.
    pub naming: Arc<dyn Naming>,
    /// Tells what happens at the bank by itself, if it does.
    pub events: Option<Arc<dyn Events>>,
    /// Where customers authenticate instead of at the gateway's page; absent where they do so there.
    pub provider: Option<Arc<dyn IdentityProvider>>,
    /// What a bank for tests has beside that; absent at any other.
    pub test_doors: Option<Arc<dyn TestDoors>>,
}

/// Reads accounts. Whose they are was decided before, but for what names one.
pub trait Accounts: std::fmt::Debug + Send + Sync {
    /// The accounts that a third party's reference names: none, one, or one a currency.
    fn find_accounts<'a>(
        &'a self,
        tenant: &'a Tenant,
        reference: &'a AccountReference,
    ) -> Answer<'a, Vec<Account>>;

    /// Whether a number is one of this bank, whoever has it, or nobody.
    fn is_own(&self, number: &Iban) -> bool;

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

    /// What an account holds as of a day.
    fn funds<'a>(&'a self, access: &'a AccountAccess<Balances>, day: Date) -> Answer<'a, Funds>;

    /// Everybody who holds an account, each once.
    fn holders<'a>(&'a self, access: &'a AccountAccess<Details>) -> Answer<'a, Vec<Customer>>;

    /// Whether the account that is named could pay an amount on a day; absent if there is none.
    fn has_funds<'a>(
        &'a self,
        tenant: &'a Tenant,
        reference: &'a AccountReference,
        amount: Money,
        day: Date,
    ) -> Answer<'a, Option<bool>>;
}

/// Knows its customers when they come, and what is theirs (strong customer authentication).
pub trait CustomerAuthentication: std::fmt::Debug + Send + Sync {
    /// The customers who can log in with an account number: all who hold it, each once, or nobody. A bank behind an interface may name
    /// somebody twice, which is for a check of that bank to see: who asks for anything else counts each once.
    fn named_by<'a>(&'a self, tenant: &'a Tenant, number: &'a Iban) -> Answer<'a, Vec<CustomerId>>;

    /// The customer whom the bank's provider names ([`IdentityProvider`]); none if the bank has no such customer at a branch.
    fn authenticated<'a>(&'a self, tenant: &'a Tenant, subject: &'a str) -> Answer<'a, Option<CustomerId>>;

    /// Which of some customers these credentials are of; none if they are wrong, whatever is wrong with them. To ask
    /// about nobody takes as long as to ask about somebody.
    fn log_in<'a>(
        &'a self,
        customers: &'a [CustomerId],
        credentials: Credentials<'a>,
    ) -> Answer<'a, Option<CustomerId>>;

    /// Whether the customer's device answered a challenge that is bound to what the customer approves
    /// ([`domain::dynamic_linking`]). Whatever else may do at the log-in, here the answer to this very challenge alone does
    /// (Delegated Regulation (EU) 2018/389, Article 5(1)).
    fn approves<'a>(&'a self, customer: &'a CustomerId, credentials: Credentials<'a>) -> Answer<'a, bool>;

    /// A customer, for the bank's own pages and for themselves.
    fn customer<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, Customer>;

    /// The accounts of a customer who logged in, for the bank's own pages.
    fn accounts_of<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, Vec<Account>>;
}

/// Executes payments.
pub trait Payments: std::fmt::Debug + Send + Sync {
    /// Takes payments and writes `with`, all of it in one batch, or nothing with the reason. A payment to be made at once
    /// has moved its money when this returns. A payment that was taken before is left alone.
    ///
    /// [`Error::Conflict`] if something moved on meanwhile: the caller loads what `with` says and decides anew.
    fn submit<'a>(
        &'a self,
        payments: &'a [ApprovedPayment],
        with: Changes,
        now: Timestamp,
    ) -> Answer<'a, Result<Vec<Submitted>, Declined>>;

    /// What became of a payment that was taken; absent if none was taken under this id.
    fn progress<'a>(&'a self, payment: &'a PaymentId, now: Timestamp) -> Answer<'a, Option<PaymentProgress>>;

    /// Stops what is not made yet of a payment that was taken, and writes `with` in the same batch; or nothing with the
    /// reason.
    fn stop<'a>(
        &'a self,
        payment: &'a PaymentId,
        with: Changes,
        now: Timestamp,
    ) -> Answer<'a, Result<(), PaymentRefusal>>;

    /// How many customers have to approve payments from an account.
    fn approvals_needed<'a>(&'a self, account: &'a AccountId) -> Answer<'a, usize>;
}

/// Numbers the entries of an account, for interfaces that tell transactions by number: from 1 on, in the order in which they
/// were booked, without gaps. A history grows at its end alone, so that an entry keeps its number.
pub trait EntryNumbers: std::fmt::Debug + Send + Sync {
    /// Whether the bank numbers entries, which one behind an interface may leave out.
    fn is_offered(&self) -> Answer<'_, bool>;

    /// Booked transactions as of a day by their place in the history: up to a limit, those with numbers up to the
    /// given one, or the newest. Those that a transfer of a payment made on the account that paid have the id of
    /// [`crate::entry_of`].
    fn history<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        newest_and_limit: (Option<i64>, i64),
        day: Date,
    ) -> Answer<'a, History>;

    /// The number of the transaction that an entry made on an account; absent if it made none.
    fn entry_number<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        entry: &'a str,
    ) -> Answer<'a, Option<i64>>;
}

/// Opens and closes accounts, where customers can do so by themselves.
pub trait AccountKeeping: std::fmt::Debug + Send + Sync {
    /// Whether the bank does so, which one behind an interface may leave out.
    fn is_offered(&self) -> Answer<'_, bool>;

    /// Opens another account of a customer, in the branch's currency.
    fn open_account<'a>(&'a self, customer: &'a CustomerId, product: Product) -> Answer<'a, Account>;

    /// Closes an account that is empty.
    fn close_account<'a>(
        &'a self,
        access: &'a AccountAccess<Details>,
        now: Timestamp,
    ) -> Answer<'a, Result<(), PaymentRefusal>>;
}

/// Says what the bank is called. Pages ask for it each time, so it is known without a read.
pub trait Naming: std::fmt::Debug + Send + Sync {
    /// The bank's name at a branch.
    fn bank_name(&self, tenant: &Tenant) -> String;
}

/// Tells what happens at the bank by itself: in order, and again whenever it is asked for.
pub trait Events: std::fmt::Debug + Send + Sync {
    /// The events behind one that was told before, the oldest first, at most so many; from the first one that the bank still
    /// has if none is named. If there are none yet, they are waited for, no longer than this. None if the bank does not know
    /// the one that is named: it is another bank by now, or an older one. None too, if none is named, from a bank that tells no
    /// events.
    fn events<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
        wait: Duration,
    ) -> Answer<'a, Option<Vec<ToldEvent>>>;

    /// What the way to the bank writes with an event, in one batch with what the gateway makes of it.
    fn noted<'a>(&'a self, told: &'a ToldEvent) -> Answer<'a, Changes>;
}

/// A customer of a bank for tests, as its log-in page lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCustomer {
    /// Name.
    pub name: String,
    /// An account number with which the customer can log in.
    pub number: Iban,
    /// Number of the customer's device.
    pub device_number: String,
    /// What the customer is good for, in an English sentence; may be empty.
    pub description: &'static str,
}

/// What only a bank for tests has.
pub trait TestDoors: std::fmt::Debug + Send + Sync {
    /// Makes a customer with one empty account.
    fn make_customer<'a>(&'a self, tenant: &'a Tenant, kind: CustomerKind) -> Answer<'a, CustomerId>;

    /// Gives money to an account, under the id of an entry, from a name and with a text.
    fn give_money<'a>(
        &'a self,
        account: &'a AccountId,
        what: (&'a str, Money, &'a str, &'a str),
        now: Timestamp,
    ) -> Answer<'a, ()>;

    /// What a customer's device would answer to a challenge, which such a bank shows on its pages.
    fn simulated_answer(&self, device_number: &str, challenge: &str) -> String;

    /// The customers of a branch who were made last, the newest first, at most so many.
    fn test_customers<'a>(&'a self, tenant: &'a Tenant, limit: usize) -> Answer<'a, Vec<TestCustomer>>;

    /// The number of the device of a customer who logged in; absent for one without a device.
    fn device_number<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, Option<String>>;
}
