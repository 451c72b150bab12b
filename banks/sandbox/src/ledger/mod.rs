//! Where the bank's books are kept: tables of its own beside the gateway's, so that money moves in the same batch as what
//! the gateway writes about it. All SQL of this crate is here, one file a noun, both ways.
//!
//! Nothing of it is ever forgotten: customers, accounts, postings, and the orders by which they were made, are the books.

mod books;
#[cfg(test)]
mod contract;
mod customers;
pub(crate) mod events;
mod history;
mod orders;

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

pub(crate) use books::{AccountChanges, BookedAccount, Posting};
pub(crate) use customers::{Customer, CustomerChanges};
pub(crate) use events::{BankEvent, Told};
use gateway::{Store, StoreError};
pub(crate) use history::HistoryChanges;
pub(crate) use orders::{Order, OrderChanges, Step};
use store::tables::Tables;

/// Databases of earlier versions have what the first one makes, by migrations of the gateway.
const TABLES: Tables = Tables {
    name: "books",
    migrations: &[
        include_str!("../../migrations/0001_books.sql"),
        include_str!("../../migrations/0002_pending_amounts.sql"),
        include_str!("../../migrations/0006_events.sql"),
    ],
    serves_from: 2,
};

/// A store with the tables of the books.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Store,
    /// A mark of these data, if what happens is told to a gateway in front of the bank.
    mark: Arc<OnceLock<String>>,
}

impl Ledger {
    /// Brings the tables up to date, and makes them if there are none.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a newer program made them, [`StoreError::Unavailable`] if they cannot be made.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        store.add_tables(TABLES).await?;
        Ok(Self { store, mark: Arc::default() })
    }

    /// From now on what happens is told.
    pub(crate) fn tell(&self, mark: &str) {
        self.mark.get_or_init(|| mark.to_owned());
    }

    /// A mark of these data, if what happens is told.
    pub(crate) fn mark(&self) -> Option<&str> {
        self.mark.get().map(String::as_str)
    }
}

impl Deref for Ledger {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}
