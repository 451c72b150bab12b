//! What goes over the wire, and how it becomes what the gateway knows.

mod events;
mod payments;

use gateway::domain::{
    self, AccountId, AccountNumber, AccountReference, AccountStatus, BalanceKind, Currency, CustomerId,
    CustomerKind, Date, Iban, Position, Product, Timestamp,
};
use serde::{Deserialize, Serialize};

#[cfg(feature = "server")]
pub(crate) use events::value;
pub(crate) use events::{Events, EventsQuery, KeptProgress, told};
pub(crate) use payments::{Order, Payment, Progress, Stop, TakenPayments, progress_of, reason_of};

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

/// Accounts by what a third party calls them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FindAccounts {
    pub(crate) branch: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) iban: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sort_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) account_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<String>,
}

impl FindAccounts {
    pub(crate) fn by(branch: &domain::Tenant, reference: &AccountReference) -> Self {
        let mut find = Self {
            branch: branch.to_string(),
            iban: None,
            sort_code: None,
            account_number: None,
            currency: reference.currency.clone(),
        };
        match reference.number.clone() {
            AccountNumber::Iban(iban) => find.iban = Some(iban.as_str().to_owned()),
            AccountNumber::British { sort_code, account_number } => {
                (find.sort_code, find.account_number) = (Some(sort_code), Some(account_number));
            }
        }
        find
    }

    #[cfg(feature = "server")]
    pub(crate) fn read(self) -> Result<AccountReference, Unreadable> {
        let number = match (self.iban, self.sort_code, self.account_number) {
            (Some(number), None, None) => AccountNumber::Iban(iban(&number)?),
            (None, Some(sort_code), Some(account_number)) => {
                AccountNumber::British { sort_code, account_number }
            }
            _ => return Err(unreadable("iban", "given, or sortCode and accountNumber are")),
        };
        Ok(AccountReference { number, currency: self.currency })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: String,
    iban: String,
    currency: String,
    product: String,
    name: String,
    status: String,
}

impl From<domain::Account> for Account {
    fn from(account: domain::Account) -> Self {
        Self {
            id: account.id.to_string(),
            iban: account.iban.as_str().to_owned(),
            currency: account.currency.code().to_owned(),
            product: account.product.code().to_owned(),
            name: account.name,
            status: account.status.name().to_owned(),
        }
    }
}

impl Account {
    pub(crate) fn read(self) -> Result<domain::Account, Unreadable> {
        Ok(domain::Account {
            id: AccountId::new(self.id),
            iban: iban(&self.iban)?,
            currency: currency(&self.currency)?,
            product: Product::from_code(&self.product)
                .ok_or_else(|| unreadable("product", "CACC or SVGS"))?,
            name: self.name,
            status: AccountStatus::from_name(&self.status)
                .ok_or_else(|| unreadable("status", "enabled, blocked or deleted"))?,
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Accounts {
    pub(crate) accounts: Vec<Account>,
}

impl From<Vec<domain::Account>> for Accounts {
    fn from(accounts: Vec<domain::Account>) -> Self {
        Self { accounts: accounts.into_iter().map(Account::from).collect() }
    }
}

impl Accounts {
    pub(crate) fn read(self) -> Result<Vec<domain::Account>, Unreadable> {
        self.accounts.into_iter().map(Account::read).collect()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Balance {
    kind: String,
    amount: Money,
    reference_date: Date,
    #[serde(default)]
    credit_limit_included: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Balances {
    account: Account,
    balances: Vec<Balance>,
}

impl From<(domain::Account, Vec<domain::Balance>)> for Balances {
    fn from((account, balances): (domain::Account, Vec<domain::Balance>)) -> Self {
        let balance = |balance: domain::Balance| Balance {
            kind: balance.kind.name().to_owned(),
            amount: balance.amount.into(),
            reference_date: balance.reference_date,
            credit_limit_included: balance.credit_limit_included,
        };
        Self { account: account.into(), balances: balances.into_iter().map(balance).collect() }
    }
}

impl Balances {
    pub(crate) fn read(self) -> Result<(domain::Account, Vec<domain::Balance>), Unreadable> {
        let kinds = [BalanceKind::ClosingBooked, BalanceKind::Expected];
        let balance = |balance: Balance| {
            let kind = kinds.into_iter().find(|kind| kind.name() == balance.kind);
            Ok(domain::Balance {
                kind: kind.ok_or_else(|| unreadable("kind", "closingBooked or expected"))?,
                amount: balance.amount.read()?,
                reference_date: balance.reference_date,
                credit_limit_included: balance.credit_limit_included,
            })
        };
        Ok((self.account.read()?, self.balances.into_iter().map(balance).collect::<Result<_, _>>()?))
    }
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

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transaction {
    id: String,
    pub(crate) sequence: i64,
    pub(crate) booking_date: Date,
    value_date: Date,
    amount: Money,
    #[serde(default)]
    counterparty: Counterparty,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remittance: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_to_end_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entered_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    balance_after: Option<Money>,
}

impl From<domain::Transaction> for Transaction {
    fn from(one: domain::Transaction) -> Self {
        Self {
            id: one.id,
            sequence: one.sequence,
            booking_date: one.booking_date,
            value_date: one.value_date,
            amount: one.amount.into(),
            counterparty: (&one.counterparty).into(),
            remittance: one.remittance,
            code: one.code,
            end_to_end_id: one.end_to_end_id,
            entered_at: one.entered_at,
            balance_after: one.balance_after.map(Money::from),
        }
    }
}

impl Transaction {
    pub(crate) fn read(self) -> Result<domain::Transaction, Unreadable> {
        Ok(domain::Transaction {
            id: self.id,
            sequence: self.sequence,
            booking_date: self.booking_date,
            value_date: self.value_date,
            amount: self.amount.read()?,
            counterparty: self.counterparty.read()?,
            remittance: self.remittance,
            code: self.code,
            end_to_end_id: self.end_to_end_id,
            entered_at: self.entered_at,
            balance_after: self.balance_after.as_ref().map(Money::read).transpose()?,
        })
    }
}

/// A page of movements, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Transactions {
    pub(crate) transactions: Vec<Transaction>,
    /// Whether there are older ones that were asked for.
    #[serde(default)]
    pub(crate) more: bool,
}

/// Which booked movements are asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BookedQuery {
    pub(crate) day: Date,
    pub(crate) from: Date,
    pub(crate) to: Date,
    pub(crate) limit: usize,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after_date: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after_sequence: Option<i64>,
}

impl BookedQuery {
    pub(crate) fn set_after(&mut self, after: Option<Position>) {
        self.after_date = after.map(|after| after.booking_date);
        self.after_sequence = after.map(|after| after.sequence);
    }

    #[cfg(feature = "server")]
    pub(crate) fn after(&self) -> Option<Position> {
        let (booking_date, sequence) = self.after_date.zip(self.after_sequence)?;
        Some(Position { booking_date, sequence })
    }
}

/// As of which day something is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OnDay {
    pub(crate) day: Date,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Funds {
    booked: Money,
    available: Money,
    credit_limit: Money,
}

impl From<domain::Funds> for Funds {
    fn from(funds: domain::Funds) -> Self {
        Self {
            booked: funds.booked.into(),
            available: funds.available.into(),
            credit_limit: funds.credit_limit.into(),
        }
    }
}

impl Funds {
    pub(crate) fn read(&self) -> Result<domain::Funds, Unreadable> {
        Ok(domain::Funds {
            booked: self.booked.read()?,
            available: self.available.read()?,
            credit_limit: self.credit_limit.read()?,
        })
    }
}

/// Whether an account could pay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CheckFunds {
    pub(crate) account: FindAccounts,
    pub(crate) amount: Money,
    pub(crate) day: Date,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FundsChecked {
    /// Absent if there is no such account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<bool>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
    id: String,
    name: String,
    kind: String,
    created_at: Timestamp,
}

impl From<domain::Customer> for Customer {
    fn from(customer: domain::Customer) -> Self {
        let kind = match customer.kind {
            CustomerKind::Person => "person",
            CustomerKind::Company => "company",
        };
        Self {
            id: customer.id.to_string(),
            name: customer.name,
            kind: kind.to_owned(),
            created_at: customer.created_at,
        }
    }
}

impl Customer {
    pub(crate) fn read(self) -> Result<domain::Customer, Unreadable> {
        let kind = match self.kind.as_str() {
            "person" => CustomerKind::Person,
            "company" => CustomerKind::Company,
            _ => return Err(unreadable("kind", "person or company")),
        };
        Ok(domain::Customer {
            id: CustomerId::new(self.id),
            name: self.name,
            kind,
            created_at: self.created_at,
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Customers {
    pub(crate) customers: Vec<Customer>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApprovalsNeeded {
    pub(crate) approvals_needed: usize,
}

/// Who can log in with an account number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FindCustomers {
    pub(crate) branch: String,
    pub(crate) iban: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerIds {
    pub(crate) customer_ids: Vec<String>,
}

/// What a customer shows.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogIn {
    pub(crate) customer_ids: Vec<String>,
    pub(crate) challenge: String,
    pub(crate) answer: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoggedIn {
    /// Absent if what was shown is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer_id: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Approve {
    pub(crate) challenge: String,
    pub(crate) answer: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Approved {
    pub(crate) approved: bool,
}
