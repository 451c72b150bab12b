//! The ports of a bank, over the interface.

use std::sync::Arc;

use gateway::access::{AccountAccess, Balances, Details, Transactions};
use gateway::bank::{Accounts, Answer, Bank, Credentials, CustomerAuthentication, Naming};
use gateway::domain::{
    Account, AccountId, AccountReference, Balance, Customer, CustomerId, Date, Funds, Iban, Money, Position,
    Tenant, Transaction, TransactionQuery,
};
use gateway::{Error, Noun, Store};
use tokio::sync::OnceCell;

use crate::client::{Client, Limits, SetupError};
use crate::failure::Failure;
use crate::outbox::Outbox;
use crate::patience::Patience;
use crate::watch::{Watch, Way};
use crate::wire::{self, Unreadable, unreadable};

/// Most movements that are asked for in one call.
const PAGE: usize = 500;

/// How a bank is reached.
#[derive(Clone)]
pub struct CoreBankSettings {
    /// Where, for example `https://core.bank.example:8444`.
    pub url: String,
    /// Whom the bank's certificate may come from, in PEM.
    pub authorities: Vec<u8>,
    /// The gateway's own certificate with its chain and its private key (PKCS#8), in PEM.
    pub identity: Vec<u8>,
    /// What the way may cost.
    pub limits: Limits,
    /// What the bank is called.
    pub name: String,
    /// The country and the bank code behind the check digits of the bank's own IBANs, for example `NL` and `TRIO`.
    pub own_numbers: Vec<(String, String)>,
}

impl std::fmt::Debug for CoreBankSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CoreBankSettings").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A bank that is reached over the core bank interface. Cloning is cheap and shares it.
#[derive(Debug, Clone)]
pub struct CoreBank {
    pub(crate) client: Arc<Client>,
    pub(crate) outbox: Outbox,
    pub(crate) patience: Patience,
    /// What it offers of that which a bank may leave out, once it said so.
    pub(crate) offered: Arc<OnceCell<wire::Parts>>,
    name: String,
    own_numbers: Arc<[(String, String)]>,
}

impl CoreBank {
    /// Sets the way up; nobody is asked yet, so that a gateway starts while its bank is away. `store` keeps what the bank was
    /// asked to do and has not answered: see [`CoreBank::find_out`].
    ///
    /// # Errors
    /// [`SetupError`]
    pub fn new(settings: &CoreBankSettings, store: &Store) -> Result<Self, SetupError> {
        let CoreBankSettings { url, authorities, identity, limits, name, own_numbers } = settings;
        let client = Arc::new(Client::new(url, authorities, identity, *limits)?);
        let (outbox, patience) = (Outbox::new(store), Patience::default());
        let (offered, own_numbers) = (Arc::default(), own_numbers.clone().into());
        Ok(Self { client, outbox, patience, offered, name: name.clone(), own_numbers })
    }

    /// Tells somebody of each call from now on.
    pub fn watched_by(&self, watch: Arc<dyn Watch>) {
        self.client.watched_by(watch);
    }

    /// How the way to the bank is now.
    pub fn way(&self) -> Way {
        self.client.way()
    }

    /// All that the gateway asks a bank for.
    pub fn ports(&self) -> Bank {
        let this = Arc::new(self.clone());
        Bank {
            accounts: this.clone(),
            customers: this.clone(),
            payments: this.clone(),
            numbers: this.clone(),
            keeping: this.clone(),
            naming: this.clone(),
            events: Some(this),
            provider: None,
            test_doors: None,
        }
    }
}

/// What the bank said cannot be understood: as good as no answer.
pub(crate) fn misread(error: Unreadable) -> Error {
    Error::unavailable(format!("the core bank's answer cannot be read: {error}"))
}

/// What there is none of is told by its noun.
pub(crate) fn missing(noun: Noun) -> impl Fn(Failure) -> Error {
    move |failure| if failure.is_not_found() { Error::NotFound(noun) } else { failure.into() }
}

/// An account if it is the one that was asked about. What a bank mixes up is nobody else's to see.
fn named(asked: &AccountId, account: Account) -> Result<Account, Error> {
    if account.id != *asked {
        return Err(misread(unreadable("id", "that of the account that was asked about")));
    }
    Ok(account)
}

impl Accounts for CoreBank {
    fn find_accounts<'a>(
        &'a self,
        tenant: &'a Tenant,
        reference: &'a AccountReference,
    ) -> Answer<'a, Vec<Account>> {
        Box::pin(async move {
            let find = wire::FindAccounts::by(tenant, reference);
            let found: wire::Accounts = self.client.ask(&["accounts", "find"], &find).await?;
            let accounts = found.read().map_err(misread)?;
            Ok(accounts.into_iter().filter(|account| reference.names(account)).collect())
        })
    }

    fn is_own(&self, number: &Iban) -> bool {
        let number = number.as_str();
        self.own_numbers.iter().any(|(country, code)| {
            number.starts_with(country.as_str()) && number[4..].starts_with(code.as_str())
        })
    }

    fn account<'a>(&'a self, access: &'a AccountAccess<Details>) -> Answer<'a, Account> {
        Box::pin(async move {
            let account: wire::Account = self
                .client
                .get(&["accounts", access.account().as_str()], &())
                .await
                .map_err(missing(Noun::Account))?;
            named(access.account(), account.read().map_err(misread)?)
        })
    }

    fn balances<'a>(
        &'a self,
        access: &'a AccountAccess<Balances>,
        day: Date,
    ) -> Answer<'a, (Account, Vec<Balance>)> {
        Box::pin(async move {
            let path = ["accounts", access.account().as_str(), "balances"];
            let found = self.client.get(&path, &wire::OnDay { day }).await;
            let balances: wire::Balances = found.map_err(missing(Noun::Account))?;
            let (account, balances) = balances.read().map_err(misread)?;
            Ok((named(access.account(), account)?, balances))
        })
    }

    fn booked<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        query: &'a TransactionQuery,
        day: Date,
    ) -> Answer<'a, Vec<Transaction>> {
        Box::pin(async move {
            // What is booked ahead is not there yet, and nobody asks for it.
            let (from, to) = (query.from, query.to.min(day));
            if from > to {
                return Ok(Vec::new());
            }
            let path = ["accounts", access.account().as_str(), "transactions", "booked"];
            let (mut found, mut after) = (Vec::new(), query.after);
            let mut before = query.after.map(|after| (after.booking_date, after.sequence));
            while found.len() < query.limit {
                let limit = (query.limit - found.len()).min(PAGE);
                let mut asked =
                    wire::BookedQuery { day, from, to, limit, after_date: None, after_sequence: None };
                asked.set_after(after);
                let page: Result<wire::Transactions, _> = self.client.get(&path, &asked).await;
                let page = page.map_err(missing(Noun::Account))?;
                let last = page.transactions.last();
                let last =
                    last.map(|last| Position { booking_date: last.booking_date, sequence: last.sequence });
                // A bank that gives the same page again would be asked for ever.
                let goes_on = page.more && last.is_some() && last != after;
                for one in page.transactions.into_iter().take(limit) {
                    let place = (one.booking_date, one.sequence);
                    let is_within = (from..=to).contains(&one.booking_date);
                    if !is_within || before.is_some_and(|before| place >= before) {
                        let right = "those of the period that is asked for, each once and the newest first";
                        return Err(misread(unreadable("transactions", right)));
                    }
                    before = Some(place);
                    found.push(one.read().map_err(misread)?);
                }
                if !goes_on {
                    break;
                }
                after = last;
            }
            Ok(found)
        })
    }

    fn pending<'a>(
        &'a self,
        access: &'a AccountAccess<Transactions>,
        day: Date,
    ) -> Answer<'a, Vec<Transaction>> {
        Box::pin(async move {
            let path = ["accounts", access.account().as_str(), "transactions", "pending"];
            let found = self.client.get(&path, &wire::OnDay { day }).await;
            let pending: wire::Transactions = found.map_err(missing(Noun::Account))?;
            pending.transactions.into_iter().map(|one| one.read().map_err(misread)).collect()
        })
    }

    fn funds<'a>(&'a self, access: &'a AccountAccess<Balances>, day: Date) -> Answer<'a, Funds> {
        Box::pin(async move {
            let path = ["accounts", access.account().as_str(), "funds"];
            let found = self.client.get(&path, &wire::OnDay { day }).await;
            let funds: wire::Funds = found.map_err(missing(Noun::Account))?;
            funds.read().map_err(misread)
        })
    }

    fn holders<'a>(&'a self, access: &'a AccountAccess<Details>) -> Answer<'a, Vec<Customer>> {
        Box::pin(async move {
            let path = ["accounts", access.account().as_str(), "holders"];
            let found = self.client.get(&path, &()).await;
            let holders: wire::Customers = found.map_err(missing(Noun::Account))?;
            holders.read().map_err(misread)
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
            let account = wire::FindAccounts::by(tenant, reference);
            let check = wire::CheckFunds { account, amount: amount.into(), day };
            let checked: wire::FundsChecked = self.client.ask(&["funds-checks"], &check).await?;
            Ok(checked.available)
        })
    }
}

impl CustomerAuthentication for CoreBank {
    fn named_by<'a>(&'a self, tenant: &'a Tenant, number: &'a Iban) -> Answer<'a, Vec<CustomerId>> {
        Box::pin(async move {
            let find = wire::FindCustomers { branch: tenant.to_string(), iban: number.as_str().to_owned() };
            let found: wire::CustomerIds = self.client.ask(&["customers", "find"], &find).await?;
            Ok(found.customer_ids.into_iter().map(CustomerId::new).collect())
        })
    }

    fn log_in<'a>(
        &'a self,
        customers: &'a [CustomerId],
        credentials: Credentials<'a>,
    ) -> Answer<'a, Option<CustomerId>> {
        Box::pin(async move {
            let log_in = wire::LogIn {
                customer_ids: customers.iter().map(ToString::to_string).collect(),
                challenge: credentials.challenge.to_owned(),
                answer: credentials.answer.to_owned(),
            };
            // Not twice: the bank may count wrong answers.
            let done: wire::LoggedIn = self.client.act(&["log-ins"], &log_in).await?;
            let id = done.customer_id.map(CustomerId::new);
            // Nobody is logged in who was not asked about.
            Ok(id.filter(|id| customers.contains(id)))
        })
    }

    /// The provider names a customer as the core bank does.
    fn authenticated<'a>(&'a self, tenant: &'a Tenant, subject: &'a str) -> Answer<'a, Option<CustomerId>> {
        Box::pin(async move {
            let at = wire::AtBranch { branch: Some(tenant.to_string()) };
            let found = self.client.get(&["customers", subject], &at).await;
            let customer: wire::Customer = match found {
                Err(failure) if failure.is_not_found() => return Ok(None),
                found => found?,
            };
            if customer.branch.as_deref().is_some_and(|branch| branch != tenant.as_str()) {
                return Ok(None);
            }
            let customer = customer.read().map_err(misread)?;
            Ok(Some(customer.id).filter(|id| id.as_str() == subject))
        })
    }

    fn approves<'a>(&'a self, customer: &'a CustomerId, credentials: Credentials<'a>) -> Answer<'a, bool> {
        Box::pin(async move {
            let path = ["customers", customer.as_str(), "approvals"];
            let approve = wire::Approve {
                challenge: credentials.challenge.to_owned(),
                answer: credentials.answer.to_owned(),
            };
            let done: Result<wire::Approved, _> = self.client.act(&path, &approve).await;
            Ok(done.map_err(missing(Noun::Customer))?.approved)
        })
    }

    fn customer<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, Customer> {
        Box::pin(async move {
            let found = self.client.get(&["customers", customer.as_str()], &()).await;
            let found: wire::Customer = found.map_err(missing(Noun::Customer))?;
            let found = found.read().map_err(misread)?;
            if found.id != *customer {
                return Err(misread(unreadable("id", "that of the customer who was asked about")));
            }
            Ok(found)
        })
    }

    fn accounts_of<'a>(&'a self, customer: &'a CustomerId) -> Answer<'a, Vec<Account>> {
        Box::pin(async move {
            let found = self.client.get(&["customers", customer.as_str(), "accounts"], &()).await;
            let accounts: wire::Accounts = found.map_err(missing(Noun::Customer))?;
            accounts.read().map_err(misread)
        })
    }
}

impl Naming for CoreBank {
    fn bank_name(&self, _: &Tenant) -> String {
        self.name.clone()
    }
}
