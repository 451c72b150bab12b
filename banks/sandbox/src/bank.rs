//! The sandbox's own bank: customers and books in the store, a digipass that is simulated.

use gateway::access::{AccountAccess, Balances, Details, Transactions};
use gateway::bank::{
    AccountKeeping, Accounts, Answer, Bank, Credentials, CustomerAuthentication, EntryNumbers, Payments,
    TestCustomer, TestDoors,
};
use gateway::domain::{
    Account, AccountId, AccountReference, AccountStatus, Balance, BalanceKind, CustomerId, CustomerKind,
    Date, Funds, History, Iban, Money, PaymentId, PaymentRefusal, Product, Tenant, Timestamp, Transaction,
    TransactionQuery,
};
use gateway::{ApprovedPayment, Declined, Error, Noun, PaymentProgress, Randomness, Submitted, domain};
use std::sync::Arc;
use store::Changes;
use subtle::ConstantTimeEq;

use crate::bank_names::BankNames;
use crate::books::Books;
use crate::clock::SandboxClock;
use crate::ledger::{BookedAccount, Customer, Ledger};
use crate::made_customers::made_last_at;
use crate::numbers::iban_of;
use crate::test_accounts::{Wish, make, open_another};
use crate::{batch, books, digipass, orders, personas};

/// The bank.
#[derive(Debug, Clone)]
pub(crate) struct SandboxBank {
    store: Ledger,
    randomness: Arc<Randomness>,
    books: Books,
}

impl SandboxBank {
    pub(crate) fn new(store: Ledger, randomness: Arc<Randomness>, clock: Arc<SandboxClock>) -> Self {
        let books = Books { store: store.clone(), clock };
        Self { store, randomness, books }
    }

    /// All that the gateway asks a bank for.
    pub(crate) fn ports(self, naming: Arc<BankNames>) -> Bank {
        let this = Arc::new(self);
        Bank {
            accounts: this.clone(),
            customers: this.clone(),
            payments: this.clone(),
            numbers: this.clone(),
            keeping: this.clone(),
            naming,
            events: None,
            provider: None,
            test_doors: Some(this),
        }
    }

    async fn booked(&self, account: &AccountId) -> Result<BookedAccount, Error> {
        self.store.account(account).await?.ok_or(Error::NotFound(Noun::Account))
    }
}

fn customer(customer: Customer) -> domain::Customer {
    let Customer { id, name, persona, created_at, .. } = customer;
    let kind = personas::find(&persona).map_or(CustomerKind::Person, |persona| persona.kind);
    domain::Customer { id, name, kind, created_at }
}

/// Both the number of the device and what it answers are taken, in time that does not depend on either.
fn is_right(customer: &Customer, credentials: &Credentials<'_>) -> bool {
    is_typed(&customer.digipass_number, credentials) | is_answer(customer, credentials)
}

/// Whether it is what the customer's device answers to the challenge.
fn is_answer(customer: &Customer, credentials: &Credentials<'_>) -> bool {
    is_typed(&digipass::answer(&customer.digipass_number, credentials.challenge), credentials)
}

fn is_typed(known: &str, credentials: &Credentials<'_>) -> bool {
    let given: String = credentials.answer.chars().filter(|c| !c.is_whitespace()).collect();
    known.as_bytes().ct_eq(given.as_bytes()).into()
}

impl Accounts for SandboxBank {
    fn find_accounts<'a>(
        &'a self,
        tenant: &'a Tenant,
        reference: &'a AccountReference,
    ) -> Answer<'a, Vec<Account>> {
        Box::pin(async move {
            let Some(iban) = iban_of(&reference.number) else { return Ok(Vec::new()) };
            let accounts = self.store.accounts_by_iban(tenant, &iban).await?;
            Ok(accounts.into_iter().filter(|account| reference.names(account)).collect())
        })
    }

    fn is_own(&self, number: &Iban) -> bool {
        crate::numbers::is_own(number)
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
            let (_, expected) = books::balance_and_available(&self.store, &booked, day).await?;
            let balance = |kind, minor, reference_date, credit_limit_included| Balance {
                kind,
                amount: Money { minor, currency },
                reference_date,
                credit_limit_included,
            };
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
            let booked = self.booked(access.account()).await?;
            let currency = booked.account.currency;
            let mut pending = self.store.pending_transactions(access.account(), currency, day).await?;
            if booked.reserved > 0 {
                let orders = self.store.reserved_orders(access.account()).await?;
                pending.extend(orders.iter().flat_map(orders::pending));
                pending.sort_by_key(|one| std::cmp::Reverse(one.booking_date));
            }
            Ok(pending)
        })
    }

    fn funds<'a>(&'a self, access: &'a AccountAccess<Balances>, day: Date) -> Answer<'a, Funds> {
        Box::pin(async move {
            let booked = self.booked(access.account()).await?;
            let (balance, available) = books::balance_and_available(&self.store, &booked, day).await?;
            let money = |minor| Money { minor, currency: booked.account.currency };
            Ok(Funds {
                booked: money(balance),
                available: money(available),
                credit_limit: money(booked.credit_limit),
            })
        })
    }

    fn holders<'a>(&'a self, access: &'a AccountAccess<Details>) -> Answer<'a, Vec<domain::Customer>> {
        Box::pin(async move {
            let holders = self.store.holders_of(access.account()).await?;
            Ok(holders.into_iter().map(customer).collect())
        })
    }

    fn has_funds<'a>(
        &'a self,
        tenant: &'a Tenant,
        reference: &'a AccountReference,
        amount: Money,
        day: Date,
    ) -> Answer<'a, Option<bool>> {
        Box::pin(async move {
            let accounts = self.find_accounts(tenant, reference).await?;
            let Some(account) = accounts.iter().find(|account| account.currency == amount.currency) else {
                return Ok(None);
            };
            let booked = self.booked(&account.id).await?;
            let (_, available) = books::balance_and_available(&self.store, &booked, day).await?;
            Ok(Some(account.status == AccountStatus::Enabled && available >= amount.minor))
        })
    }
}

impl CustomerAuthentication for SandboxBank {
    fn named_by<'a>(&'a self, tenant: &'a Tenant, number: &'a Iban) -> Answer<'a, Vec<CustomerId>> {
        Box::pin(async move {
            let holders = self.store.holders(tenant, number).await?;
            Ok(holders.into_iter().map(|holder| holder.id).collect())
        })
    }

    /// A provider names customers by their ids.
    fn authenticated<'a>(&'a self, tenant: &'a Tenant, subject: &'a str) -> Answer<'a, Option<CustomerId>> {
        Box::pin(async move {
            let customer = self.store.customer(&CustomerId::new(subject)).await?;
            Ok(customer.filter(|customer| customer.tenant == *tenant).map(|customer| customer.id))
        })
    }

    fn log_in<'a>(
        &'a self,
        customers: &'a [CustomerId],
        credentials: Credentials<'a>,
    ) -> Answer<'a, Option<CustomerId>> {
        Box::pin(async move {
            if customers.is_empty() {
                digipass::answer("0000000000", credentials.challenge);
            }
            let mut right = None;
            for id in customers {
                let customer = self.store.customer(id).await?;
                if customer.is_some_and(|customer| is_right(&customer, &credentials)) && right.is_none() {
                    right = Some(id.clone());
                }
            }
            Ok(right)
        })
    }

    fn approves<'a>(&'a self, customer: &'a CustomerId, credentials: Credentials<'a>) -> Answer<'a, bool> {
        Box::pin(async move {
            let customer = self.store.customer(customer).await?.ok_or(Error::NotFound(Noun::Customer))?;
            Ok(is_answer(&customer, &credentials))
        })
    }

    fn customer<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, domain::Customer> {
        Box::pin(async move {
            let customer = self.store.customer(customer).await?.ok_or(Error::NotFound(Noun::Customer))?;
            Ok(self::customer(customer))
        })
    }

    fn accounts_of<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, Vec<Account>> {
        Box::pin(async move { Ok(self.store.accounts_of(customer).await?) })
    }
}

impl Payments for SandboxBank {
    fn submit<'a>(
        &'a self,
        payments: &'a [ApprovedPayment],
        with: Changes,
        now: Timestamp,
    ) -> Answer<'a, Result<Vec<Submitted>, Declined>> {
        Box::pin(orders::submit(&self.books, payments, with, now))
    }

    fn progress<'a>(&'a self, payment: &'a PaymentId, now: Timestamp) -> Answer<'a, Option<PaymentProgress>> {
        Box::pin(orders::progress(&self.store, payment, now))
    }

    fn stop<'a>(
        &'a self,
        payment: &'a PaymentId,
        with: Changes,
        now: Timestamp,
    ) -> Answer<'a, Result<(), PaymentRefusal>> {
        Box::pin(orders::stop(&self.store, payment, with, now))
    }

    fn approvals_needed<'a>(&'a self, account: &'a AccountId) -> Answer<'a, usize> {
        Box::pin(async move { Ok(self.store.holders_of(account).await?.len()) })
    }
}

impl EntryNumbers for SandboxBank {
    fn is_offered(&self) -> Answer<'_, bool> {
        Box::pin(async { Ok(true) })
    }

    fn history<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        (newest, limit): (Option<i64>, i64),
        day: Date,
    ) -> Answer<'a, History> {
        Box::pin(async move {
            let account = access.account();
            let currency = self.booked(account).await?.account.currency;
            let count = self.store.count_booked(account, day).await?;
            let newest = newest.map_or(count, |newest| newest.clamp(0, count));
            let transactions = match limit.min(newest) {
                0 => Vec::new(),
                limit => self.store.history_up_to(account, currency, (newest, limit)).await?,
            };
            Ok(History { count, transactions })
        })
    }

    fn entry_number<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        entry: &'a str,
    ) -> Answer<'a, Option<i64>> {
        Box::pin(async move { Ok(self.store.entry_number(access.account(), entry).await?) })
    }
}

impl AccountKeeping for SandboxBank {
    fn is_offered(&self) -> Answer<'_, bool> {
        Box::pin(async { Ok(true) })
    }

    fn open_account<'a>(&'a self, customer: &'a CustomerId, product: Product) -> Answer<'a, Account> {
        Box::pin(async move {
            let customer = self.store.customer(customer).await?.ok_or(Error::NotFound(Noun::Customer))?;
            open_another(&self.store, &self.randomness, &customer, product).await
        })
    }

    fn close_account<'a>(
        &'a self,
        access: &'a AccountAccess<Details>,
        now: Timestamp,
    ) -> Answer<'a, Result<(), PaymentRefusal>> {
        Box::pin(books::close(&self.store, access.account(), now))
    }
}

impl TestDoors for SandboxBank {
    fn make_customer<'a>(&'a self, tenant: &'a Tenant, kind: CustomerKind) -> Answer<'a, CustomerId> {
        Box::pin(async move {
            let persona = personas::empty(kind).ok_or(Error::NotFound(Noun::Customer))?;
            let wish = Wish {
                tenant: tenant.clone(),
                persona,
                name: None,
                on_demand: true,
                currency: None,
                balance: None,
            };
            let made = make(&self.store, &self.randomness, &self.books.clock, &wish).await?;
            let holder = made.holders.into_iter().next().ok_or(Error::NotFound(Noun::Customer))?;
            Ok(holder.id)
        })
    }

    fn give_money<'a>(
        &'a self,
        account: &'a AccountId,
        what: (&'a str, Money, &'a str, &'a str),
        now: Timestamp,
    ) -> Answer<'a, ()> {
        Box::pin(batch::receive(&self.books, account, what, now))
    }

    fn simulated_answer(&self, device_number: &str, challenge: &str) -> String {
        digipass::answer(device_number, challenge)
    }

    fn test_customers<'a>(&'a self, tenant: &'a Tenant, limit: usize) -> Answer<'a, Vec<TestCustomer>> {
        Box::pin(made_last_at(&self.store, tenant, limit))
    }

    fn device_number<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, Option<String>> {
        Box::pin(
            async move { Ok(self.store.customer(customer).await?.map(|customer| customer.digipass_number)) },
        )
    }
}
