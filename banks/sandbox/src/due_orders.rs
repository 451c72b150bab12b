//! Orders whose time has come. The bank does what is due with them as time goes by, and at once when a clock is moved;
//! nobody does by looking.

use std::sync::Arc;

use edge::{Due, log_failure};
use gateway::domain::{Execution, PaymentId, PaymentProduct, Tenant, Timestamp, TransactionStatus};
use gateway::{Clock, Error};
use jiff::SignedDuration;
use store::Changes;

use crate::Sandbox;
use crate::batch::{Batch, refusal};
use crate::books::Books;
use crate::execution::{
    Act, MAGIC_PAUSE, become_status, begin, delays, end, magic_outcome, make, release, wait_for_next,
};
use crate::ledger::{Order, OrderChanges, Step};
use crate::magic::Outcome;

/// Most steps that are done at once; whatever else is due comes next time.
const MAX_STEPS: usize = 1000;

/// Orders that are read at once.
const ORDERS_AT_ONCE: i64 = 50;

/// What a sandbox has to do as time goes by, in every branch by its clock.
pub fn due(sandbox: &Sandbox) -> Due {
    let sandbox = sandbox.clone();
    Arc::new(move || {
        let sandbox = sandbox.clone();
        Box::pin(async move {
            let tenants = sandbox.gateway.settings().tenants.iter();
            let branches: Vec<_> = tenants.map(|tenant| (tenant, sandbox.clock.now(Some(tenant)))).collect();
            if let Err(error) = do_due(&sandbox.books(), &branches).await {
                log_failure(&sandbox.gateway.new_request_id(), &error);
            }
        })
    })
}

/// A branch in which something is due.
struct Waiting<'a> {
    tenant: &'a Tenant,
    /// By the branch's clock.
    now: Timestamp,
    /// When the oldest of what is due came due.
    moment: Timestamp,
    /// What came due until then failed, and is left for the next time.
    after: Timestamp,
}

impl Waiting<'_> {
    /// How long it has been due: clocks of branches differ, and customers of one are paid by those of another.
    fn overdue(&self) -> SignedDuration {
        self.now.duration_since(self.moment)
    }
}

/// Does what is due with the orders of branches, each by its clock, at most [`MAX_STEPS`] steps: what has been due
/// longest in any of them first, and each as of its own moment. So what came due while the bank was not there, or while
/// clocks jumped, is made on its own day, with what the accounts held then, as far as nothing was booked on them since.
///
/// # Errors
/// The last of those that came up; the orders after it were looked at all the same
pub(crate) async fn do_due(books: &Books, branches: &[(&Tenant, Timestamp)]) -> Result<(), Error> {
    let (mut left, mut failed) = (MAX_STEPS, Ok(()));
    let mut waiting = Vec::new();
    for &(tenant, now) in branches {
        let after = Timestamp::MIN;
        let next = next_due(books, (tenant, now), after).await?;
        waiting.extend(next.map(|moment| Waiting { tenant, now, moment, after }));
    }
    while left > 0 {
        let longest = (0..waiting.len()).max_by_key(|index| waiting.get(*index).map(Waiting::overdue));
        let Some((index, branch)) = longest.and_then(|index| Some((index, waiting.get_mut(index)?))) else {
            break;
        };
        let Waiting { tenant, now, moment, .. } = *branch;
        let mut is_progress = false;
        for payment in books.store.due_orders(tenant, moment, ORDERS_AT_ONCE).await? {
            match advance(books, &payment, (moment, now)).await {
                Ok(()) => {
                    left = left.saturating_sub(1);
                    is_progress = true;
                }
                // Somebody changed it, or booked on its account, at this moment; it is done next time.
                Err(Error::Conflict) => {}
                Err(error) => failed = Err(error),
            }
            tokio::task::yield_now().await;
        }
        if !is_progress {
            branch.after = moment;
        }
        // Nothing that is made in one branch makes anything due in another one.
        match next_due(books, (tenant, now), branch.after).await? {
            Some(next) => branch.moment = next,
            None => {
                waiting.remove(index);
            }
        }
    }
    failed
}

/// The first moment after another one at which something came due in a branch.
async fn next_due(
    books: &Books,
    (tenant, now): (&Tenant, Timestamp),
    after: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let next = books.store.next_due_order(tenant, after).await?;
    Ok(next.filter(|moment| *moment <= now))
}

/// Does what is due with an order at a moment that has come: one step, and not before it was taken.
///
/// # Errors
/// [`Error::Conflict`] if it moved on meanwhile
async fn advance(
    books: &Books,
    payment: &PaymentId,
    (moment, now): (Timestamp, Timestamp),
) -> Result<(), Error> {
    use TransactionStatus as S;
    let due = books.store.order(payment).await?;
    let due = due.filter(|order| order.due_at.is_some_and(|due| due <= moment));
    let Some(order) = due else { return Ok(()) };
    let now = moment.max(order.since).min(now);
    let is_slow = magic_outcome(&order) == Some(Outcome::Slow);
    let wait = |status| {
        let mut waiting = order.clone();
        become_status(&mut waiting, status, now);
        waiting.due_at = now.saturating_add(MAGIC_PAUSE).ok();
        waiting
    };
    let next = match (order.step, order.status) {
        (Step::Book, S::Pdng) if is_slow => wait(S::Acsp),
        (Step::Book, S::Acsp) if is_slow => wait(S::Acwp),
        (Step::Execute | Step::Book, _) => return execute(books, order, now).await,
        (Step::Credit, _) => {
            let mut credited = Order { step: Step::Made, due_at: None, ..order };
            become_status(&mut credited, S::Accc, now);
            credited
        }
        (Step::Made | Step::Ended, _) => Order { due_at: None, ..order },
    };
    Ok(books.store.save(Changes::new().put_order(&next)).await?)
}

/// Makes an order whose time has come, or notes why that cannot be.
async fn execute(books: &Books, order: Order, now: Timestamp) -> Result<(), Error> {
    let is_periodic = matches!(order.terms.execution, Execution::Repeated(_));
    let mut batch = Batch::begin(books, &order.tenant, now, Changes::new());
    let mut made = order.clone();
    let done = match (order.step, order.terms.product) {
        // It settles as one that is taken today.
        (Step::Execute, PaymentProduct::CrossBorderCreditTransfers) if !is_periodic => {
            begin(&mut batch, &mut made).await
        }
        (Step::Execute, _) if !is_periodic && delays(magic_outcome(&order)) => {
            begin(&mut batch, &mut made).await
        }
        _ => make(&mut batch, &mut made, Act::Make).await,
    };
    let reason = match refusal(done)? {
        Ok(()) if is_periodic => None,
        Ok(()) => return Ok(books.store.save(batch.finish().put_order(&made)).await?),
        Err(refusal) => {
            // Whatever was in the batch is none of it.
            batch = Batch::begin(books, &order.tenant, now, Changes::new());
            made = order.clone();
            release(&mut batch, &mut made).await?;
            made.executions += 1;
            Some(refusal.reason())
        }
    };
    if is_periodic {
        // One that failed does not end it: the next one is tried on its day.
        (made.status, made.since, made.reason) = (order.status, order.since, reason);
        wait_for_next(&mut made);
    } else {
        end(&mut made, (TransactionStatus::Rjct, reason), now);
    }
    Ok(books.store.save(batch.finish().put_order(&made)).await?)
}
