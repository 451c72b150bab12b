//! Movements on the wire.

use gateway::domain::{self, Date, Position, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Counterparty, Money, Unreadable};

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
