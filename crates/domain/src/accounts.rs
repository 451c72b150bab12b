//! Accounts, their balances and transactions, as a bank shows them to third parties.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Iban, Money};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The bank's own id, which third parties never see.
    pub id: AccountId,
    /// Its number. Accounts of one customer in several currencies may share it.
    pub iban: Iban,
    /// Its currency.
    pub currency: crate::Currency,
    /// What kind of account it is.
    pub product: Product,
    /// Names of the holders, as the bank writes them.
    pub name: String,
    /// Whether it can be used.
    pub status: AccountStatus,
}

/// Kinds of accounts, each with its resource in the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Product {
    /// A payment account.
    Current,
    /// A savings account.
    Savings,
}

impl Product {
    /// Every kind with its ISO 20022 code (ExternalCashAccountType1Code).
    pub const CODES: [(Self, &'static str); 2] = [(Self::Current, "CACC"), (Self::Savings, "SVGS")];

    /// The word for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Savings => "savings",
        }
    }

    /// The ISO 20022 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Current => "CACC",
            Self::Savings => "SVGS",
        }
    }

    /// The kind with this ISO 20022 code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|(_, known)| *known == code).map(|(product, _)| *product)
    }
}

/// Whether an account can be used (NextGenPSD2, accountStatus).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountStatus {
    /// It can.
    Enabled,
    /// It is closed.
    Deleted,
    /// The bank blocks it.
    Blocked,
}

impl AccountStatus {
    const NAMES: [(Self, &'static str); 3] =
        [(Self::Enabled, "enabled"), (Self::Deleted, "deleted"), (Self::Blocked, "blocked")];

    /// The standard's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Deleted => "deleted",
            Self::Blocked => "blocked",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(status, _)| *status)
    }
}

/// How a third party names an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountReference {
    /// Which one.
    pub number: AccountNumber,
    /// Its currency, where one number has several (ISO 4217, alphabetic).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// The number of an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AccountNumber {
    /// An IBAN.
    Iban(Iban),
    /// A British account: sort code, 6 digits, and account number, 8 digits.
    British {
        /// Sort code.
        sort_code: String,
        /// Account number.
        account_number: String,
    },
}

impl AccountReference {
    /// A reference to one account and nothing else.
    pub fn to_account(account: &Account) -> Self {
        Self {
            number: AccountNumber::Iban(account.iban.clone()),
            currency: Some(account.currency.code().to_owned()),
        }
    }

    /// Whether it names this account.
    pub fn names(&self, account: &Account) -> bool {
        let number = match &self.number {
            AccountNumber::Iban(iban) => *iban == account.iban,
            AccountNumber::British { sort_code, account_number } => {
                account.iban.sort_code_and_account_number()
                    == Some((sort_code.as_str(), account_number.as_str()))
            }
        };
        number && self.currency.as_deref().is_none_or(|currency| currency == account.currency.code())
    }

    /// The number as messages show it.
    pub fn shown(&self) -> String {
        match &self.number {
            AccountNumber::Iban(iban) => iban.as_str().to_owned(),
            AccountNumber::British { sort_code, account_number } => format!("{sort_code} {account_number}"),
        }
    }
}

/// A balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// Which one.
    pub kind: BalanceKind,
    /// How much.
    pub amount: Money,
    /// Of which day.
    pub reference_date: Date,
    /// Whether the credit limit is in the amount.
    pub credit_limit_included: bool,
}

/// Kinds of balances (NextGenPSD2, balanceType).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalanceKind {
    /// Everything that is booked at the end of the reference date.
    ClosingBooked,
    /// Booked and pending entries, and the credit limit.
    Expected,
}

impl BalanceKind {
    /// The standard's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClosingBooked => "closingBooked",
            Self::Expected => "expected",
        }
    }
}

/// A movement on an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its id; the same for as long as the bank exists.
    pub id: String,
    /// Where it stands among the transactions of its day.
    pub sequence: i64,
    /// When it is booked; in the future while it is pending.
    pub booking_date: Date,
    /// From when interest is counted.
    pub value_date: Date,
    /// How much, positive for money that came in.
    pub amount: Money,
    /// The other side.
    pub counterparty: Counterparty,
    /// What it is for.
    pub remittance: Option<String>,
    /// The bank's own code of the kind of movement.
    pub code: Option<String>,
    /// The payer's own reference.
    pub end_to_end_id: Option<String>,
    /// When it was entered, where that is known to the second.
    pub entered_at: Option<jiff::Timestamp>,
    /// What the account holds afterwards.
    pub balance_after: Option<Money>,
}

/// The other side of a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterparty {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its account, if it has one.
    pub iban: Option<Iban>,
}

/// Which transactions are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookingStatus {
    /// Those that are booked.
    Booked,
    /// Those that are not.
    Pending,
    /// All.
    Both,
}

impl BookingStatus {
    /// The standard's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Pending => "pending",
            Self::Both => "both",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Booked, Self::Pending, Self::Both].into_iter().find(|status| status.name() == name)
    }
}

/// What an account holds at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Funds {
    /// Everything that is booked.
    pub booked: Money,
    /// What can be spent: booked and pending entries, and the credit limit.
    pub available: Money,
    /// How far it may be overdrawn.
    pub credit_limit: Money,
}

/// Booked transactions of an account by their place in its history: the first one ever booked has number 1, and the
/// history grows at its end alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// How many there are.
    pub count: i64,
    /// Those that were asked for with their numbers, newest first.
    pub transactions: Vec<(i64, Transaction)>,
}

/// A selection of transactions, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionQuery {
    /// Which.
    pub status: BookingStatus,
    /// From this booking date on.
    pub from: Date,
    /// Up to this booking date; pending ones belong to today.
    pub to: Date,
    /// Older than this one, which was the last of the page before.
    pub after: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// Where a transaction stands in the order of its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Booking date.
    pub booking_date: Date,
    /// Place among those of the day.
    pub sequence: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_an_account_by_number_and_perhaps_currency() {
        let iban = Iban::parse("GB82WEST12345698765432").unwrap();
        let account = Account {
            id: AccountId::new("1"),
            iban: iban.clone(),
            currency: crate::Currency::GBP,
            product: Product::Current,
            name: "J. Doe".into(),
            status: AccountStatus::Enabled,
        };
        let by_iban = AccountReference { number: AccountNumber::Iban(iban), currency: None };
        let british = |account_number: &str| AccountReference {
            number: AccountNumber::British {
                sort_code: "123456".into(),
                account_number: account_number.into(),
            },
            currency: Some("GBP".into()),
        };
        assert!(by_iban.names(&account) && british("98765432").names(&account));
        assert!(!british("00000000").names(&account));
        assert!(!AccountReference { currency: Some("EUR".into()), ..by_iban.clone() }.names(&account));
        for reference in [by_iban, british("1"), AccountReference::to_account(&account)] {
            let json = serde_json::to_string(&reference).unwrap();
            assert_eq!(serde_json::from_str::<AccountReference>(&json).unwrap(), reference, "{json}");
        }
    }
}
