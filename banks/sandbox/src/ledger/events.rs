//! What a gateway in front of the bank is told: written with what it is about, and numbered in the order in which it happened.

use gateway::domain::Timestamp;
use serde::{Deserialize, Serialize};
use store::tables::{Columns, Cursor, Rows, json, select};
use store::{Changes, StoreError};

use super::{Ledger, Order, Step};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Told {
    /// An order became something else.
    Order { payment: String, status: String, reason: Option<String>, since: Timestamp, is_final: bool },
    /// An account was closed.
    Closed { account: String },
    /// A customer took back what they gave to third parties: one consent, what one third party has, or all.
    Withdrawn { customer: String, consent: Option<String>, third_party: Option<String> },
}

impl Told {
    fn of(order: &Order) -> Self {
        Self::Order {
            payment: order.payment.to_string(),
            status: order.status.name().to_owned(),
            reason: order.reason.map(|reason| reason.name().to_owned()),
            since: order.since,
            // One that waits for somebody has nothing due either.
            is_final: order.due_at.is_none() && matches!(order.step, Step::Made | Step::Ended),
        }
    }
}

/// One that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BankEvent {
    /// Its place in the order.
    pub(crate) number: i64,
    /// When.
    pub(crate) at: Timestamp,
    /// What.
    pub(crate) told: Told,
}

const EVENT: Columns = Columns::of("bank_events", "number, at, told");

impl Ledger {
    /// Events behind a number, in order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) async fn events_behind(&self, number: i64, limit: i64) -> Result<Vec<BankEvent>, StoreError> {
        self.list(
            select!(EVENT; "FROM bank_events WHERE number > $1 ORDER BY number LIMIT $2"),
            &[number.into(), limit.into()],
            read,
        )
        .await
    }

    /// The event with a number.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) async fn event(&self, number: i64) -> Result<Option<BankEvent>, StoreError> {
        self.find(select!(EVENT; "FROM bank_events WHERE number = $1"), &[number.into()], read).await
    }

    /// Writes an order, and tells of it where somebody is told.
    pub(crate) fn with_order(&self, changes: Changes, order: &Order) -> Changes {
        use super::OrderChanges;
        self.telling(changes.put_order(order), order.since, || Told::of(order))
    }

    /// Adds an event to what it is about, where somebody is told.
    pub(crate) fn telling(&self, changes: Changes, at: Timestamp, told: impl FnOnce() -> Told) -> Changes {
        if self.mark().is_none() { changes } else { changes.add_event(at, &told()) }
    }
}

/// What is written of events.
pub(crate) trait EventChanges: Sized {
    /// Adds an event behind all others: of two who do so at the same time one is a conflict, so that none comes before one that was
    /// told.
    fn add_event(self, at: Timestamp, told: &Told) -> Self;
}

impl EventChanges for Changes {
    fn add_event(self, at: Timestamp, told: &Told) -> Self {
        self.push(
            "INSERT INTO bank_events (number, at, told) SELECT COALESCE(MAX(e.number), 0) + 1, $1, $2 FROM bank_events e",
            vec![at.into(), json(told)],
            Rows::One,
        )
    }
}

fn read(row: &mut Cursor<'_>) -> Result<BankEvent, StoreError> {
    Ok(BankEvent { number: row.integer()?, at: row.time()?, told: row.json()? })
}
