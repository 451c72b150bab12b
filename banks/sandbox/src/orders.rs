//! Payments that the bank takes: some are made at once, for some the money is set aside until they settle, and some wait
//! for their day.
//!
//! An order is written in one batch with what it does in the books, each guarded by its version, so that it is done once
//! or not at all. The ids of its entries follow from the payment, the number of the execution and the place of the
//! transfer: the database itself would refuse to book one a second time.

use std::collections::BTreeMap;

use gateway::domain::{
    Execution, Interface, Money, PaymentId, PaymentRefusal, PaymentService, PaymentStatus, RejectReason,
    Timestamp, Transaction, TransactionStatus, Transfer,
};
use gateway::{ApprovedPayment, Declined, Error, Noun, PaymentProgress, Submitted, entry_of};
use store::Changes;

use crate::batch::{Batch, refusal};
use crate::books::{self, Books};
use crate::calendar;
use crate::execution::{begin, check, end, entry, is_instant, open_amount, wait_for_next};
use crate::ledger::{Ledger, Order, Step};

/// Takes payments, each once, and writes `with` in the same batch: all of them, or none with the reason. What is to be
/// made at once has moved its money when this returns.
///
/// # Errors
/// [`Error::Conflict`] if somebody else booked on one of the accounts meanwhile, or a row of `with` moved on
pub(crate) async fn submit(
    books: &Books,
    payments: &[ApprovedPayment],
    with: Changes,
    now: Timestamp,
) -> Result<Result<Vec<Submitted>, Declined>, Error> {
    let Some(tenant) = payments.first().map(ApprovedPayment::tenant) else {
        books.store.save(with).await?;
        return Ok(Ok(Vec::new()));
    };
    let mut batch = Batch::begin(books, tenant, now, with);
    let mut submitted = Vec::with_capacity(payments.len());
    for payment in payments {
        let taken = match payment.interface() {
            Interface::Bunq => pay(&mut batch, payment).await,
            Interface::BerlinGroup => take(&mut batch, payment).await,
        };
        match refusal(taken)? {
            Ok(taken) => submitted.push(taken),
            Err(refusal) => return Ok(Err(Declined { payment: payment.id().clone(), refusal })),
        }
    }
    books.store.save(batch.finish()).await?;
    Ok(Ok(submitted))
}

/// Makes a payment at once. Its entries are all that is kept of it.
async fn pay(batch: &mut Batch<'_>, payment: &ApprovedPayment) -> Result<Submitted, Error> {
    if !batch.books.store.has_entry(&payment.entry(0)).await? {
        for (index, transfer) in payment.transfers().iter().enumerate() {
            batch.transfer(&payment.entry(index), payment.account(), transfer).await?;
        }
    }
    Ok(Submitted::Executed)
}

/// Takes a payment by its terms.
async fn take(batch: &mut Batch<'_>, payment: &ApprovedPayment) -> Result<Submitted, Error> {
    if let Some(known) = batch.books.store.order(payment.id()).await? {
        return Ok(submitted(&known));
    }
    let now = batch.now;
    let mut order = Order {
        payment: payment.id().clone(),
        tenant: payment.tenant().clone(),
        account: payment.account().clone(),
        terms: payment.terms().clone(),
        transfers: payment.transfers().to_vec(),
        step: Step::Execute,
        due_at: None,
        status: TransactionStatus::Rcvd,
        reason: None,
        since: now,
        refused: BTreeMap::new(),
        reserved: 0,
        executions: 0,
        version: 0,
    };
    match order.terms.execution {
        Execution::Repeated(_) => {
            check(batch.books, &mut order, now).await?;
            order.status = TransactionStatus::Accp;
            wait_for_next(&mut order);
        }
        Execution::On(day) if day > order.tenant.date_at(now) => {
            check(batch.books, &mut order, now).await?;
            order.status = TransactionStatus::Actc;
            let day = if is_instant(&order) { day } else { calendar::following(day) };
            order.due_at = Some(order.tenant.start_of(day));
        }
        Execution::AtOnce | Execution::On(_) => begin(batch, &mut order).await?,
    }
    let store = &batch.books.store;
    batch.add(|changes| store.with_order(changes, &order));
    Ok(submitted(&order))
}

fn submitted(order: &Order) -> Submitted {
    match order.step {
        Step::Execute | Step::Book => Submitted::Accepted { until: order.due_at },
        Step::Credit | Step::Made | Step::Ended => Submitted::Executed,
    }
}

/// What became of a payment that was taken; absent if none was.
///
/// # Errors
/// [`Error`]
pub(crate) async fn progress(
    store: &Ledger,
    payment: &PaymentId,
    now: Timestamp,
) -> Result<Option<PaymentProgress>, Error> {
    let Some(order) = store.order(payment).await? else { return at_once(store, payment, now).await };
    let funds_available = match order.step {
        Step::Execute => {
            let booked = store.account(&order.account).await?;
            let Some(booked) = booked else { return Err(Error::NotFound(Noun::Account)) };
            let today = order.tenant.date_at(now);
            let (_, available) = books::balance_and_available(store, &booked, today).await?;
            Some(available >= open_amount(&order))
        }
        Step::Book | Step::Credit | Step::Made => Some(true),
        Step::Ended => (order.reason == Some(RejectReason::Am04)).then_some(false),
    };
    let can_be_stopped = can_be_stopped(&order, now);
    let Order { status, reason, since, .. } = order;
    Ok(Some(PaymentProgress { status, reason, funds_available, since, can_be_stopped }))
}

/// Whether an order can be stopped: it waits for a day that has not come (or is repeated, and what is left of it can be stopped at
/// any time), and nobody made it look like one that is being settled.
fn can_be_stopped(order: &Order, now: Timestamp) -> bool {
    use TransactionStatus as S;
    let is_repeated = order.terms.service == PaymentService::Periodic;
    let waits = order.step == Step::Execute && order.due_at.is_some_and(|due| due > now || is_repeated);
    waits && !matches!(order.status, S::Acsp | S::Acwp | S::Acsc | S::Accc)
}

/// What became of a payment of which nothing but its entries is kept.
async fn at_once(
    store: &Ledger,
    payment: &PaymentId,
    now: Timestamp,
) -> Result<Option<PaymentProgress>, Error> {
    let legs = store.legs(&entry_of(payment, 0)).await?;
    let Some(first) = legs.first() else { return Ok(None) };
    let is_own = legs.iter().all(|leg| !books::is_world(&leg.account));
    let status = if is_own { TransactionStatus::Accc } else { TransactionStatus::Acsc };
    let since = first.entered_at.unwrap_or(now);
    let funds_available = Some(true);
    Ok(Some(PaymentProgress { status, reason: None, funds_available, since, can_be_stopped: false }))
}

/// Stops what waits for its day, and writes `with` in the same batch.
///
/// # Errors
/// [`Error::Conflict`] if the order or a row of `with` moved on
pub(crate) async fn stop(
    store: &Ledger,
    payment: &PaymentId,
    with: Changes,
    now: Timestamp,
) -> Result<Result<(), PaymentRefusal>, Error> {
    let order = store.order(payment).await?;
    let status = match order {
        Some(mut order) if can_be_stopped(&order, now) => {
            end(&mut order, (TransactionStatus::Canc, None), now);
            return Ok(Ok(store.save(store.with_order(with, &order)).await?));
        }
        Some(Order { step: Step::Ended, status: TransactionStatus::Canc, .. }) => PaymentStatus::Cancelled,
        Some(Order { step: Step::Ended, status: TransactionStatus::Rjct, .. }) => PaymentStatus::Refused,
        _ => PaymentStatus::Submitted,
    };
    Ok(Err(PaymentRefusal::Final { status }))
}

/// What is set aside for an order, as the account's holder sees it: transfers that are pending until they are booked.
pub(crate) fn pending(order: &Order) -> Vec<Transaction> {
    let day = order.tenant.date_at(order.due_at.unwrap_or(order.since));
    let shown = |(index, transfer): (usize, &Transfer)| Transaction {
        id: entry(order, order.executions, index),
        sequence: i64::try_from(index).unwrap_or(0),
        booking_date: day,
        value_date: day,
        amount: Money { minor: -transfer.amount.minor, ..transfer.amount },
        counterparty: transfer.creditor.clone(),
        remittance: transfer.remittance.clone(),
        code: Some(books::TRANSFER_CODE.to_owned()),
        end_to_end_id: transfer.end_to_end_id.clone(),
        entered_at: Some(order.since),
        balance_after: None,
    };
    let open = order.transfers.iter().enumerate().filter(|(index, _)| !order.refused.contains_key(index));
    open.map(shown).collect()
}
