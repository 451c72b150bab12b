//! Making an order: its transfers are booked, or their money is set aside until they settle, or it waits for its day.

use gateway::domain::{
    Execution, PaymentProduct, PaymentRefusal, PaymentService, RejectReason, Timestamp, TransactionStatus,
};
use gateway::{Error, entry_of};
use jiff::SignedDuration;
use store::Changes;

use crate::batch::{Batch, refusal};
use crate::books::Books;
use crate::ledger::{Order, Step};
use crate::magic::{self, Outcome};
use crate::{calendar, schedule};

/// How long a magic payment stays in each of its states.
pub(crate) const MAGIC_PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Business days after the one on which it is taken until a payment to another country settles.
const CROSS_BORDER_DAYS: usize = 2;

/// What is tried with each transfer of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Whether it could be made, but for the money.
    Check,
    /// Sets the money aside.
    SetAside,
    /// Moves the money.
    Make,
    /// Moves the money, whatever was to become of a magic payment.
    Force,
}

/// Looks whether an order could be made, but for the money. Nothing is booked, and no account is touched.
pub(crate) async fn check(books: &Books, order: &mut Order, now: Timestamp) -> Result<(), Error> {
    let tenant = order.tenant.clone();
    let mut unsaved = Batch::begin(books, &tenant, now, Changes::new());
    each(&mut unsaved, order, Act::Check).await.map(|_| ())
}

/// Does something with each transfer that was not refused, and says whether all payees are customers here. In a bulk
/// payment what cannot be done is noted as refused, as long as anything is left; any other payment is done whole.
async fn each(batch: &mut Batch<'_>, order: &mut Order, act: Act) -> Result<bool, Error> {
    let mut are_all_own = act != Act::Check;
    for (index, transfer) in order.transfers.iter().enumerate() {
        if order.refused.contains_key(&index) {
            continue;
        }
        let tried = match (magic::outcome(transfer), act) {
            (Some(Outcome::Declined(reason)), _) | (Some(Outcome::Rejected(reason)), Act::Make)
                if act != Act::Force =>
            {
                Err(PaymentRefusal::Bank(reason).into())
            }
            (_, Act::Check) => batch.check(&order.account, transfer).await.map(|()| false),
            (_, Act::SetAside) => batch.set_aside(&order.account, transfer).await.map(|()| false),
            (_, Act::Make | Act::Force) => {
                batch.transfer(&entry(order, order.executions, index), &order.account, transfer).await
            }
        };
        match refusal(tried)? {
            Ok(is_own) => are_all_own &= is_own,
            Err(refusal) if order.terms.service == PaymentService::Bulk => {
                order.refused.insert(index, refusal.reason());
            }
            Err(refusal) => return Err(refusal.into()),
        }
    }
    match order.refused.values().next() {
        Some(reason) if order.refused.len() == order.transfers.len() => {
            Err(PaymentRefusal::Bank(*reason).into())
        }
        _ => Ok(are_all_own),
    }
}

/// The id of the entry of a transfer in an execution, the first one having number 0.
pub(crate) fn entry(order: &Order, execution: i64, index: usize) -> String {
    match execution {
        0 => entry_of(&order.payment, index),
        later => format!("{}-{later}", entry_of(&order.payment, index)),
    }
}

/// Whether it goes by instant transfer.
pub(crate) fn is_instant(order: &Order) -> bool {
    order.terms.product == PaymentProduct::SepaCreditTransfers && order.tenant.pays_instantly()
}

/// What a magic payment is to become: of a bulk payment, what takes time comes first.
pub(crate) fn magic_outcome(order: &Order) -> Option<Outcome> {
    let outcomes = || order.transfers.iter().filter_map(magic::outcome);
    let is_rejected = |outcome: &Outcome| matches!(outcome, Outcome::Rejected(_));
    outcomes().find(|outcome| delays(Some(*outcome))).or_else(|| outcomes().find(is_rejected))
}

/// Whether what was promised for a magic payment takes time once its day has come.
pub(crate) fn delays(outcome: Option<Outcome>) -> bool {
    matches!(outcome, Some(Outcome::Slow | Outcome::Changed | Outcome::Stuck))
}

/// Makes a payment whose time has come, or sets its money aside until it settles.
pub(crate) async fn begin(batch: &mut Batch<'_>, order: &mut Order) -> Result<(), Error> {
    use TransactionStatus as S;
    let (now, taken_on) = (batch.now, calendar::day_of(&order.tenant, batch.now));
    let cut_off = |days| calendar::cut_off(&order.tenant, calendar::business_days_after(taken_on, days));
    let soon = now.saturating_add(MAGIC_PAUSE).unwrap_or(Timestamp::MAX);
    let (status, due_at) = match (magic_outcome(order), order.terms.product) {
        (Some(Outcome::Slow), _) => (S::Pdng, Some(soon)),
        (Some(Outcome::Changed), _) => (S::Acwc, Some(soon)),
        (Some(Outcome::Stuck), _) => (S::Acsp, None),
        (Some(Outcome::Rejected(_)), _) => (S::Acsp, Some(soon)),
        _ if is_instant(order) => return make(batch, order, Act::Make).await,
        (_, PaymentProduct::CrossBorderCreditTransfers) => (S::Acsp, Some(cut_off(CROSS_BORDER_DAYS))),
        (_, PaymentProduct::SepaCreditTransfers | PaymentProduct::UkDomesticTransfers) => {
            (S::Acsp, Some(cut_off(0)))
        }
    };
    each(batch, order, Act::SetAside).await?;
    order.reserved = open_amount(order);
    (order.step, order.due_at) = (Step::Book, due_at);
    // Of what was refused nothing is told until the others are made: nothing has moved yet.
    become_status(order, status, now);
    Ok(())
}

/// What is paid, without what was refused.
pub(crate) fn open_amount(order: &Order) -> i64 {
    let is_open = |(index, _): &(usize, _)| !order.refused.contains_key(index);
    order.transfers.iter().enumerate().filter(is_open).map(|(_, transfer)| transfer.amount.minor).sum()
}

/// Moves the money of an order, that which was set aside first.
pub(crate) async fn make(batch: &mut Batch<'_>, order: &mut Order, act: Act) -> Result<(), Error> {
    use TransactionStatus as S;
    release(batch, order).await?;
    let are_all_own = each(batch, order, act).await?;
    order.executions += 1;
    let is_slow = magic_outcome(order) == Some(Outcome::Slow);
    let status = match order.terms.service {
        PaymentService::Bulk if order.refused.is_empty() => S::Acsp,
        PaymentService::Bulk => S::Part,
        PaymentService::Single | PaymentService::Periodic if are_all_own && !is_slow => S::Accc,
        PaymentService::Single | PaymentService::Periodic => S::Acsc,
    };
    (order.step, order.due_at) = match batch.now.saturating_add(MAGIC_PAUSE) {
        Ok(soon) if is_slow && status == S::Acsc => (Step::Credit, Some(soon)),
        _ => (Step::Made, None),
    };
    order.reason = order.refused.values().next().copied();
    become_status(order, status, batch.now);
    Ok(())
}

/// Gives back what was set aside for an order.
///
/// # Errors
/// [`Error`]
pub(crate) async fn release(batch: &mut Batch<'_>, order: &mut Order) -> Result<(), Error> {
    if order.reserved > 0 {
        batch.release(&order.account, order.reserved).await?;
        order.reserved = 0;
    }
    Ok(())
}

/// What an order is from now on for whoever asks.
pub(crate) fn become_status(order: &mut Order, status: TransactionStatus, now: Timestamp) {
    if order.status != status {
        (order.status, order.since) = (status, now);
    }
}

/// Nothing more is done with an order.
pub(crate) fn end(
    order: &mut Order,
    (status, reason): (TransactionStatus, Option<RejectReason>),
    now: Timestamp,
) {
    (order.step, order.due_at, order.reason) = (Step::Ended, None, reason);
    become_status(order, status, now);
}

/// A periodic payment waits for its next day, or has none any more.
pub(crate) fn wait_for_next(order: &mut Order) {
    let next = match &order.terms.execution {
        Execution::Repeated(repetition) => schedule::day_of(repetition, order.executions),
        Execution::AtOnce | Execution::On(_) => None,
    };
    order.due_at = next.map(|day| order.tenant.start_of(day));
    order.step = if next.is_some() { Step::Execute } else { Step::Made };
}
