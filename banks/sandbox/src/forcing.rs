//! What whoever tests makes of a payment by force: any status, with what it means in the books, and refunds.

use gateway::domain::{
    Execution, Payment, PaymentDecision, PaymentId, PaymentRefusal, PaymentService, PaymentStatus,
    RejectReason, Timestamp, TransactionStatus,
};
use gateway::{Error, Noun};
use store::{Changes, StoreError};

use crate::batch::{Batch, refusal};
use crate::books::Books;
use crate::execution::{Act, become_status, end, entry, make, release};
use crate::ledger::{Ledger, Order, Step};
use crate::orders;

/// Why something cannot be forced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unforced {
    /// The bank has nothing to make yet.
    #[error(
        "the bank does not have this payment yet: {0} has to approve it, and the third party to confirm that"
    )]
    NotTaken(&'static str),
    /// The bank will have nothing to make.
    #[error("the bank never had this payment, and will not: it is {}", .0.name())]
    NeverTaken(PaymentStatus),
    /// The money has moved.
    #[error("the money of this payment has moved, and {} would say that it has not; RJCT and CANC give it back", .0.name())]
    Moved(TransactionStatus),
    /// It has ended, without money or with what was given back.
    #[error("this payment has ended as {}, and no money can move for it any more", .0.name())]
    Ended(TransactionStatus),
    /// It never settles as a whole.
    #[error("a periodic payment does not become {}: it stays ACCP while its executions are made; force RJCT or CANC to end it", .0.name())]
    Periodic(TransactionStatus),
    /// Nothing to part.
    #[error(
        "PART is for bulk payments of which two transfers or more are left; its last one is refused then"
    )]
    NoParts,
    /// A reason for what needs none.
    #[error("a reason goes with RJCT and PART, not with {}", .0.name())]
    Reason(TransactionStatus),
    /// Nothing to give back.
    #[error("no money of this payment has moved that was not given back")]
    NothingToRefund,
    /// The books say no.
    #[error("{0}")]
    Refused(PaymentRefusal),
    /// Something failed.
    #[error("{0}")]
    Failed(#[from] Error),
}

impl From<StoreError> for Unforced {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What is known of a payment that the bank took.
///
/// # Errors
/// [`Unforced::NotTaken`], [`Error::NotFound`]
pub(crate) async fn order_of(store: &Ledger, id: &PaymentId, now: Timestamp) -> Result<Order, Unforced> {
    if let Some(order) = store.order(id).await? {
        return Ok(order);
    }
    let payment = store.payment(id).await?.ok_or(Error::NotFound(Noun::Payment))?;
    let progress = orders::progress(store, id, now).await?;
    let (Some(progress), PaymentDecision::Submitted { account, .. }) = (progress, payment.decision.clone())
    else {
        return Err(not_taken(&payment, now));
    };
    // It was made at once, and its entries are all that is kept of it.
    Ok(Order {
        payment: payment.id,
        tenant: payment.tenant,
        account,
        terms: payment.terms,
        transfers: payment.transfers,
        step: Step::Made,
        due_at: None,
        status: progress.status,
        reason: None,
        since: progress.since,
        refused: std::collections::BTreeMap::new(),
        reserved: 0,
        executions: 1,
        version: 0,
    })
}

/// Why the bank does not have a payment.
fn not_taken(payment: &Payment, now: Timestamp) -> Unforced {
    match payment.status_at(now) {
        PaymentStatus::Pending | PaymentStatus::Submitted => {
            let is_partly = payment.transaction_status_at(now) == Some(TransactionStatus::Patc);
            Unforced::NotTaken(if is_partly { "another holder of the account" } else { "a customer" })
        }
        status => Unforced::NeverTaken(status),
    }
}

/// Makes a payment what somebody wants it to be, with what that means in the books: money that was set aside is given
/// back or moves, money that has moved is booked back.
///
/// # Errors
/// [`Unforced`]
pub(crate) async fn force(
    books: &Books,
    id: &PaymentId,
    (status, reason): (TransactionStatus, Option<RejectReason>),
    now: Timestamp,
) -> Result<Order, Unforced> {
    use TransactionStatus as S;
    if reason.is_some() && !matches!(status, S::Rjct | S::Part) {
        return Err(Unforced::Reason(status));
    }
    let mut order = order_of(&books.store, id, now).await?;
    let tenant = order.tenant.clone();
    let mut batch = Batch::begin(books, &tenant, now, Changes::new());
    match status {
        S::Rjct | S::Canc => end_by_force(&mut batch, &mut order, (status, reason)).await?,
        _ if order.step == Step::Ended => return Err(Unforced::Ended(order.status)),
        S::Acsc | S::Accc => settle(&mut batch, &mut order, status).await?,
        S::Part => part(&mut batch, &mut order, reason.unwrap_or(RejectReason::Ms03)).await?,
        S::Rcvd | S::Pdng | S::Actc | S::Patc | S::Acfc | S::Accp | S::Acwc | S::Acsp | S::Acwp => {
            // A bulk payment of which the money has moved is ACSP.
            let is_bulk = order.terms.service == PaymentService::Bulk && status == S::Acsp;
            if has_moved(&order) && !is_bulk {
                return Err(Unforced::Moved(status));
            }
            become_status(&mut order, status, now);
        }
    }
    save(batch, order).await
}

async fn save(batch: Batch<'_>, mut order: Order) -> Result<Order, Unforced> {
    let store = batch.books.store.clone();
    store.save(store.with_order(batch.finish(), &order)).await?;
    order.version += 1;
    Ok(order)
}

fn is_periodic(order: &Order) -> bool {
    matches!(order.terms.execution, Execution::Repeated(_))
}

/// Whether all that was to be paid has been.
fn has_moved(order: &Order) -> bool {
    matches!(order.step, Step::Credit | Step::Made) && !is_periodic(order)
}

/// What the books did, if they did not refuse.
fn done<T>(tried: Result<T, Error>) -> Result<T, Unforced> {
    refusal(tried)?.map_err(Unforced::Refused)
}

/// Ends a payment. What a periodic one has made stays.
async fn end_by_force(
    batch: &mut Batch<'_>,
    order: &mut Order,
    (status, reason): (TransactionStatus, Option<RejectReason>),
) -> Result<(), Unforced> {
    if has_moved(order) && !give_back(batch, order).await? {
        // It was refunded before.
        return Err(Unforced::Ended(order.status));
    }
    done(release(batch, order).await)?;
    let reason = match status {
        TransactionStatus::Rjct => Some(reason.unwrap_or(RejectReason::Ms03)),
        _ => None,
    };
    let now = batch.now;
    end(order, (status, reason), now);
    Ok(())
}

/// The money moves now, if it has not.
async fn settle(batch: &mut Batch<'_>, order: &mut Order, status: TransactionStatus) -> Result<(), Unforced> {
    if is_periodic(order) {
        return Err(Unforced::Periodic(status));
    }
    if !has_moved(order) {
        done(make(batch, order, Act::Force).await)?;
    }
    (order.step, order.due_at) = (Step::Made, None);
    let now = batch.now;
    become_status(order, status, now);
    Ok(())
}

/// The last transfer of a bulk payment is refused after all.
async fn part(batch: &mut Batch<'_>, order: &mut Order, reason: RejectReason) -> Result<(), Unforced> {
    let is_bulk = order.terms.service == PaymentService::Bulk;
    let open: Vec<usize> =
        (0..order.transfers.len()).filter(|index| !order.refused.contains_key(index)).collect();
    let [_, .., last] = open[..] else { return Err(Unforced::NoParts) };
    if !is_bulk {
        return Err(Unforced::NoParts);
    }
    let amount = order.transfers[last].amount.minor;
    if has_moved(order) {
        if !give_one_back(batch, order, last).await? {
            return Err(Unforced::NothingToRefund);
        }
    } else if order.reserved > 0 {
        done(batch.release(&order.account, amount).await)?;
        order.reserved -= amount;
    }
    order.refused.insert(last, reason);
    order.reason = Some(reason);
    let now = batch.now;
    become_status(order, TransactionStatus::Part, now);
    Ok(())
}

/// Gives the money of a payment back, that of the last execution of a periodic one. Its status stays what it was.
///
/// # Errors
/// [`Unforced`]
pub(crate) async fn refund(books: &Books, id: &PaymentId, now: Timestamp) -> Result<Order, Unforced> {
    let order = order_of(&books.store, id, now).await?;
    let tenant = order.tenant.clone();
    let mut batch = Batch::begin(books, &tenant, now, Changes::new());
    if !give_back(&mut batch, &order).await? {
        return Err(Unforced::NothingToRefund);
    }
    save(batch, order).await
}

/// Books back what the last execution of an order moved; false if there is nothing of it left.
async fn give_back(batch: &mut Batch<'_>, order: &Order) -> Result<bool, Unforced> {
    let mut has_given = false;
    for index in 0..order.transfers.len() {
        has_given |= give_one_back(batch, order, index).await?;
    }
    Ok(has_given)
}

/// Books one transfer of the last execution back; false if it was not made, or was given back before.
async fn give_one_back(batch: &mut Batch<'_>, order: &Order, index: usize) -> Result<bool, Unforced> {
    let made = entry(order, (order.executions - 1).max(0), index);
    let refund = format!("{made}-refund");
    let store = &batch.books.store;
    let is_made = store.has_entry(&made).await?;
    if !is_made || store.has_entry(&refund).await? {
        return Ok(false);
    }
    done(batch.give_back((&refund, &made), &order.account, &order.transfers[index]).await)?;
    Ok(true)
}
