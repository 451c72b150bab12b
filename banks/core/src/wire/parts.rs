//! What a bank may leave out, on the wire: numbers of entries, accounts that customers open and close.

use gateway::domain::{self, Date, Product, Timestamp};
use serde::{Deserialize, Serialize};

use super::transactions::Transaction;
use super::{Unreadable, unreadable};

/// The part that numbers entries.
pub(crate) const ENTRY_NUMBERS: &str = "entry-numbers";

/// The part that opens and closes accounts.
pub(crate) const ACCOUNT_KEEPING: &str = "account-keeping";

/// Most entries that an account has. A bank that tells of more is mistaken, and each would have a number of its own in an interface.
const MOST: i64 = 50_000_000;

/// The parts that a bank offers. It may name some that nobody here knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Parts {
    pub(crate) parts: Vec<String>,
}

impl Parts {
    pub(crate) fn has_entry_numbers(&self) -> bool {
        self.parts.iter().any(|part| part == ENTRY_NUMBERS)
    }

    pub(crate) fn has_account_keeping(&self) -> bool {
        self.parts.iter().any(|part| part == ACCOUNT_KEEPING)
    }
}

/// Which entries are asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EntriesQuery {
    pub(crate) day: Date,
    pub(crate) limit: i64,
    /// The number of the newest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) newest: Option<i64>,
}

/// An entry of a history with its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) number: i64,
    transaction: Transaction,
}

/// A part of a history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entries {
    /// How many there are up to the day.
    pub(crate) count: i64,
    pub(crate) entries: Vec<Entry>,
}

impl From<domain::History> for Entries {
    fn from(history: domain::History) -> Self {
        let entry = |(number, transaction): (i64, domain::Transaction)| Entry {
            number,
            transaction: transaction.into(),
        };
        Self { count: history.count, entries: history.transactions.into_iter().map(entry).collect() }
    }
}

impl Entries {
    pub(crate) fn read(self) -> Result<domain::History, Unreadable> {
        if !(0..=MOST).contains(&self.count) {
            return Err(unreadable("count", "a number from 0 to 50000000"));
        }
        let entry = |entry: Entry| Ok((entry.number, entry.transaction.read()?));
        let transactions = self.entries.into_iter().map(entry).collect::<Result<_, _>>()?;
        Ok(domain::History { count: self.count, transactions })
    }
}

/// Which entry's number is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EntryAsked {
    pub(crate) entry: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EntryNumber {
    /// Absent if there is no such entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<i64>,
}

impl EntryNumber {
    pub(crate) fn read(self) -> Result<Option<i64>, Unreadable> {
        if self.number.is_some_and(|number| !(1..=MOST).contains(&number)) {
            return Err(unreadable("number", "a number from 1 to 50000000"));
        }
        Ok(self.number)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OpenAccount {
    product: String,
}

impl From<Product> for OpenAccount {
    fn from(product: Product) -> Self {
        Self { product: product.code().to_owned() }
    }
}

impl OpenAccount {
    #[cfg(feature = "server")]
    pub(crate) fn read(&self) -> Result<Product, Unreadable> {
        Product::from_code(&self.product).ok_or_else(|| unreadable("product", "CACC or SVGS"))
    }
}

/// The moment of a call about an account, by the gateway's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CloseAccount {
    pub(crate) at: Timestamp,
}
