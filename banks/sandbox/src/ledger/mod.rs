//! Where the bank's books are kept: tables of its own beside the gateway's, so that money moves in the same batch as what
//! the gateway writes about it. All SQL of this crate is here, one file a noun, both ways.
//!
//! Nothing of it is ever forgotten: customers, accounts, postings, and the orders by which they were made, are the books.

mod books;
#[cfg(test)]
mod contract;
mod customers;
mod history;
mod orders;

use std::ops::Deref;

pub(crate) use books::{AccountChanges, BookedAccount, Posting};
pub(crate) use customers::{Customer, CustomerChanges};
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
    ],
    serves_from: 2,
};

/// A store with the tables of the books.
#[derive(Debug, Clone)]
pub struct Ledger(Store);

impl Ledger {
    /// Brings the tables up to date, and makes them if there are none.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if a newer program made them, [`StoreError::Unavailable`] if they cannot be made.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        store.add_tables(TABLES).await?;
        Ok(Self(store))
    }
}

impl Deref for Ledger {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.0
    }
}
