//! Booked transactions by their place in an account's history, and what is needed to book one more at its end.

use domain::{AccountId, Currency, Date, Transaction};

use crate::books::read_transaction;
use crate::changes::Rows;
use crate::{Changes, Store, StoreError};

impl Store {
    /// How many transactions of an account are booked up to a day.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn count_booked(&self, account: &AccountId, day: Date) -> Result<i64, StoreError> {
        let count = self.fetch_optional(
            "SELECT COUNT(*) FROM postings WHERE account = $1 AND booking_date <= $2",
            &[account.as_str().into(), day.into()],
            |row| row.integer(0, "postings"),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Booked transactions as of a day, newest first, without the `skip` newest ones.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn booked_history(
        &self,
        account: &AccountId,
        currency: Currency,
        day: Date,
        (skip, limit): (i64, i64),
    ) -> Result<Vec<Transaction>, StoreError> {
        self.fetch_all(
            "SELECT entry, booking_date, sequence, value_date, amount, counterparty_name, counterparty_iban, \
             remittance, code, end_to_end_id, entered_at, balance_after FROM postings \
             WHERE account = $1 AND booking_date <= $2 \
             ORDER BY booking_date DESC, sequence DESC LIMIT $3 OFFSET $4",
            &[account.as_str().into(), day.into(), limit.into(), skip.into()],
            |row| read_transaction(row, currency),
        )
    }

    /// The last day on which something was booked at its moment, if there is one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn last_entered_day(&self, account: &AccountId) -> Result<Option<Date>, StoreError> {
        self.fetch_optional(
            "SELECT booking_date FROM postings WHERE account = $1 AND entered_at IS NOT NULL \
             ORDER BY booking_date DESC LIMIT 1",
            &[account.as_str().into()],
            |row| row.date(0, "postings.booking_date"),
        )
    }

    /// The highest place among the transactions of a day, or -1.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn last_sequence(&self, account: &AccountId, day: Date) -> Result<i64, StoreError> {
        let sequence = self.fetch_optional(
            "SELECT sequence FROM postings WHERE account = $1 AND booking_date = $2 \
             ORDER BY sequence DESC LIMIT 1",
            &[account.as_str().into(), day.into()],
            |row| row.integer(0, "postings.sequence"),
        )?;
        Ok(sequence.unwrap_or(-1))
    }

    /// The place of an entry's leg in the history of an account, the first one ever being 1.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn entry_number(&self, account: &AccountId, entry: &str) -> Result<Option<i64>, StoreError> {
        let place = self.fetch_optional(
            "SELECT booking_date, sequence FROM postings WHERE entry = $1 AND account = $2",
            &[entry.into(), account.as_str().into()],
            |row| Ok((row.date(0, "postings.booking_date")?, row.integer(1, "postings.sequence")?)),
        )?;
        let Some((day, sequence)) = place else { return Ok(None) };
        self.fetch_optional(
            "SELECT COUNT(*) FROM postings WHERE account = $1 AND (booking_date, sequence) <= ($2, $3)",
            &[account.as_str().into(), day.into(), sequence.into()],
            |row| row.integer(0, "postings"),
        )
    }

    /// Whether an entry is in the books.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn has_entry(&self, entry: &str) -> Result<bool, StoreError> {
        let found = self.fetch_optional(
            "SELECT entry FROM postings WHERE entry = $1 LIMIT 1",
            &[entry.into()],
            |row| row.text(0, "postings.entry"),
        )?;
        Ok(found.is_some())
    }
}

impl Changes {
    /// Guards an account against everybody else who books on it at the same time: exactly the version that was
    /// loaded moves on.
    pub fn touch_account(self, account: &AccountId, version: i64) -> Self {
        self.push(
            "UPDATE accounts SET version = version + 1 WHERE id = $1 AND version = $2",
            vec![account.as_str().into(), version.into()],
            Rows::One,
        )
    }

    /// Carries an amount that is booked on a day into the balances after all later transactions, which are entered
    /// but not yet booked.
    pub fn shift_balances(self, account: &AccountId, day: Date, amount: i64) -> Self {
        self.push(
            "UPDATE postings SET balance_after = balance_after + $1 WHERE account = $2 AND booking_date > $3",
            vec![amount.into(), account.as_str().into(), day.into()],
            Rows::Any,
        )
    }
}
