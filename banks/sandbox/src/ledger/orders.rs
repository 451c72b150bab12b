//! What a sandbox bank took to make, and how far it is.

use std::collections::BTreeMap;

use gateway::domain::{
    AccountId, PaymentId, PaymentTerms, RejectReason, Tenant, Timestamp, TransactionStatus, Transfer,
};
use store::tables::{Columns, Cursor, Rows, json, select};
use store::{Changes, StoreError};

use super::Ledger;

/// A payment that the bank took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which payment.
    pub payment: PaymentId,
    /// Where.
    pub tenant: Tenant,
    /// The account that pays.
    pub account: AccountId,
    /// Kind, product and time.
    pub terms: PaymentTerms,
    /// What is paid.
    pub transfers: Vec<Transfer>,
    /// What is done next.
    pub step: Step,
    /// When that is due; absent if nothing is.
    pub due_at: Option<Timestamp>,
    /// What the payment is for whoever asks.
    pub status: TransactionStatus,
    /// Why it was rejected, or a part of it, or the last execution.
    pub reason: Option<RejectReason>,
    /// Since when it is this.
    pub since: Timestamp,
    /// Transfers that are not made although others are, by their place, and why.
    pub refused: BTreeMap<usize, RejectReason>,
    /// What is set aside on the account, in minor units.
    pub reserved: i64,
    /// How many times it was tried to make it.
    pub executions: i64,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

/// What is done next with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is made: the money is looked for, and moves.
    Execute,
    /// The money is set aside and moves.
    Book,
    /// The money has moved; that the payee has it is told.
    Credit,
    /// Nothing; the money has moved.
    Made,
    /// Nothing; no money moved, or it was given back.
    Ended,
}

impl Step {
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Execute, "execute"),
        (Self::Book, "book"),
        (Self::Credit, "credit"),
        (Self::Made, "made"),
        (Self::Ended, "ended"),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::Book => "book",
            Self::Credit => "credit",
            Self::Made => "made",
            Self::Ended => "ended",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(step, _)| *step)
    }
}

/// One side of an entry in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Whose account.
    pub account: AccountId,
    /// Minor units, positive for money that came in.
    pub amount: i64,
    /// When it was entered, if it was booked at that moment.
    pub entered_at: Option<Timestamp>,
}

const ORDER: Columns = Columns::of(
    "orders",
    "payment, tenant, account, terms, transfers, step, due_at, status, reason, since, refused, reserved, \
     executions, version",
);
const DUE: Columns = Columns::of("orders", "payment, due_at");
const LEG: Columns = Columns::of("postings", "entry, account, amount, entered_at");

impl Ledger {
    /// What was taken under the id of a payment.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn order(&self, payment: &PaymentId) -> Result<Option<Order>, StoreError> {
        self.find(select!(ORDER; "FROM orders WHERE payment = $1"), &[payment.as_str().into()], read).await
    }

    /// Orders of a tenant with which something is due at a time, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn due_orders(
        &self,
        tenant: &Tenant,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<PaymentId>, StoreError> {
        self.list(
            select!(DUE; "FROM orders WHERE tenant = $1 AND due_at IS NOT NULL AND due_at <= $2 \
             ORDER BY due_at, payment LIMIT $3"),
            &[tenant.as_str().into(), now.into(), limit.into()],
            |row| Ok(PaymentId::new(row.text()?)),
        )
        .await
    }

    /// The first moment after another one at which something is due with an order of a tenant.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn next_due_order(
        &self,
        tenant: &Tenant,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.find(
            select!(DUE; "FROM orders WHERE tenant = $1 AND due_at IS NOT NULL AND due_at > $2 \
             ORDER BY due_at LIMIT 1"),
            &[tenant.as_str().into(), after.into()],
            |row| {
                row.skip();
                row.time()
            },
        )
        .await
    }

    /// Orders for which something is set aside on an account, by their payments' ids.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn reserved_orders(&self, account: &AccountId) -> Result<Vec<Order>, StoreError> {
        self.list(
            select!(ORDER; "FROM orders WHERE account = $1 AND reserved > 0 ORDER BY payment"),
            &[account.as_str().into()],
            read,
        )
        .await
    }

    /// The sides of an entry, none if it is not in the books.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn legs(&self, entry: &str) -> Result<Vec<Leg>, StoreError> {
        self.list(select!(LEG; "FROM postings WHERE entry = $1 ORDER BY account"), &[entry.into()], |row| {
            row.skip();
            Ok(Leg {
                account: AccountId::new(row.text()?),
                amount: row.integer()?,
                entered_at: row.optional_time()?,
            })
        })
        .await
    }
}

/// What is written of orders.
pub(crate) trait OrderChanges: Sized {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    fn put_order(self, order: &Order) -> Self;

    /// Sets how much of an account is set aside for orders; exactly the version that was loaded moves on.
    fn reserve(self, account: &AccountId, reserved: i64, version: i64) -> Self;
}

impl OrderChanges for Changes {
    fn put_order(self, order: &Order) -> Self {
        self.push(
            "INSERT INTO orders (payment, tenant, account, terms, transfers, step, due_at, status, reason, since, \
             refused, reserved, executions, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 + 1) \
             ON CONFLICT (payment) DO UPDATE SET step = excluded.step, due_at = excluded.due_at, \
             status = excluded.status, reason = excluded.reason, since = excluded.since, \
             refused = excluded.refused, reserved = excluded.reserved, executions = excluded.executions, \
             version = excluded.version \
             WHERE orders.version = excluded.version - 1",
            vec![
                order.payment.as_str().into(),
                order.tenant.as_str().into(),
                order.account.as_str().into(),
                json(&order.terms),
                json(&order.transfers),
                order.step.name().into(),
                order.due_at.into(),
                order.status.name().into(),
                order.reason.map(RejectReason::name).into(),
                order.since.into(),
                json(&order.refused),
                order.reserved.into(),
                order.executions.into(),
                order.version.into(),
            ],
            Rows::One,
        )
    }

    fn reserve(self, account: &AccountId, reserved: i64, version: i64) -> Self {
        self.push(
            "UPDATE accounts SET reserved = $1, version = version + 1 WHERE id = $2 AND version = $3",
            vec![reserved.into(), account.as_str().into(), version.into()],
            Rows::One,
        )
    }
}

fn read(row: &mut Cursor<'_>) -> Result<Order, StoreError> {
    Ok(Order {
        payment: PaymentId::new(row.text()?),
        tenant: row.tenant()?,
        account: AccountId::new(row.text()?),
        terms: row.json()?,
        transfers: row.json()?,
        step: row.parsed(Step::from_name)?,
        due_at: row.optional_time()?,
        status: row.parsed(TransactionStatus::from_name)?,
        reason: row.optional_parsed(RejectReason::from_stored)?,
        since: row.time()?,
        refused: row.json()?,
        reserved: row.integer()?,
        executions: row.integer()?,
        version: row.integer()?,
    })
}
