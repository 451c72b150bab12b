//! Booked transactions by their place in an account's history, and what is needed to book one more at its end.

use gateway::domain::{AccountId, Currency, Date, Transaction};
use store::tables::{Columns, Cursor, Rows, select};
use store::{Changes, StoreError};

use super::Ledger;
use super::books::{TRANSACTION, read_transaction};

const PLACE: Columns = Columns::of("postings", "entry, place");
const LAST_DAY: Columns = Columns::of("postings", "account, booking_date");
const SEQUENCE: Columns = Columns::of("postings", "account, sequence");
const ENTRY: Columns = Columns::of("postings", "entry");

impl Ledger {
    /// How many transactions of an account are booked up to a day: the place of the last of them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn count_booked(&self, account: &AccountId, day: Date) -> Result<i64, StoreError> {
        let last = self
            .find(
                select!(PLACE; "FROM postings WHERE account = $1 AND booking_date <= $2 \
             ORDER BY booking_date DESC, sequence DESC LIMIT 1"),
                &[account.as_str().into(), day.into()],
                read_place,
            )
            .await?;
        Ok(last.flatten().unwrap_or(0))
    }

    /// Transactions of an account up to a place of its history, newest first: each with its place.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn history_up_to(
        &self,
        account: &AccountId,
        currency: Currency,
        (newest, limit): (i64, i64),
    ) -> Result<Vec<(i64, Transaction)>, StoreError> {
        self.list(
            select!(TRANSACTION, PLACE; "FROM postings WHERE account = $1 AND place IS NOT NULL \
             AND place <= $2 \
             ORDER BY place DESC LIMIT $3"),
            &[account.as_str().into(), newest.into(), limit.into()],
            |row| {
                let transaction = read_transaction(row, currency)?;
                row.skip();
                Ok((row.integer()?, transaction))
            },
        )
        .await
    }

    /// The last day on which something was booked at its moment, if there is one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn last_entered_day(&self, account: &AccountId) -> Result<Option<Date>, StoreError> {
        self.find(
            select!(LAST_DAY; "FROM postings WHERE account = $1 AND entered_at IS NOT NULL \
             ORDER BY booking_date DESC LIMIT 1"),
            &[account.as_str().into()],
            |row| {
                row.skip();
                row.date()
            },
        )
        .await
    }

    /// The highest place among the transactions of a day, or -1.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn last_sequence(&self, account: &AccountId, day: Date) -> Result<i64, StoreError> {
        let sequence = self
            .find(
                select!(SEQUENCE; "FROM postings WHERE account = $1 AND booking_date = $2 \
             ORDER BY sequence DESC LIMIT 1"),
                &[account.as_str().into(), day.into()],
                |row| {
                    row.skip();
                    row.integer()
                },
            )
            .await?;
        Ok(sequence.unwrap_or(-1))
    }

    /// The place of an entry's leg in the history of an account, the first one ever being 1.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn entry_number(&self, account: &AccountId, entry: &str) -> Result<Option<i64>, StoreError> {
        let place = self
            .find(
                select!(PLACE; "FROM postings WHERE entry = $1 AND account = $2"),
                &[entry.into(), account.as_str().into()],
                read_place,
            )
            .await?;
        Ok(place.flatten())
    }

    /// Whether an entry is in the books.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn has_entry(&self, entry: &str) -> Result<bool, StoreError> {
        let found = self
            .find(
                select!(ENTRY; "FROM postings \
             WHERE entry = $1 LIMIT 1"),
                &[entry.into()],
                |row| row.text(),
            )
            .await?;
        Ok(found.is_some())
    }
}

/// What booking at the end of a history writes beside the postings.
pub(crate) trait HistoryChanges: Sized {
    /// Guards an account against everybody else who books on it at the same time: exactly the version that was
    /// loaded moves on.
    fn touch_account(self, account: &AccountId, version: i64) -> Self;

    /// Carries what is booked on a day into all later transactions, which are entered but not yet booked: the amount
    /// into the balances after them, the number of transactions into their places.
    fn shift_history(self, account: &AccountId, day: Date, booked: (i64, i64)) -> Self;
}

impl HistoryChanges for Changes {
    fn touch_account(self, account: &AccountId, version: i64) -> Self {
        self.push(
            "UPDATE accounts SET version = version + 1 WHERE id = $1 AND version = $2",
            vec![account.as_str().into(), version.into()],
            Rows::One,
        )
    }

    fn shift_history(self, account: &AccountId, day: Date, (amount, count): (i64, i64)) -> Self {
        self.push(
            "UPDATE postings SET balance_after = balance_after + $1, place = place + $2 \
             WHERE account = $3 AND booking_date > $4",
            vec![amount.into(), count.into(), account.as_str().into(), day.into()],
            Rows::Any,
        )
    }
}

fn read_place(row: &mut Cursor<'_>) -> Result<Option<i64>, StoreError> {
    row.skip();
    row.optional_integer()
}
