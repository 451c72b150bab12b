//! Orders whose time has come. The bank does what is due with them as time goes by, and at once when a clock is moved;
//! nobody does by looking.

use std::pin::Pin;
use std::sync::Arc;

use edge::{Due, Steps};
use gateway::bank::Answer;
use gateway::domain::{Execution, PaymentId, PaymentProduct, Tenant, Timestamp, TransactionStatus};
use gateway::{Error, retry};
use store::Changes;

use crate::Sandbox;
use crate::batch::{Batch, refusal};
use crate::books::Books;
use crate::execution::{
    Act, MAGIC_PAUSE, become_status, begin, delays, end, magic_outcome, make, release, wait_for_next,
};
use crate::ledger::{Order, Step};
use crate::magic::Outcome;

/// Orders that are read at once.
const ORDERS_AT_ONCE: i64 = 50;

/// What a sandbox has to do with its orders.
pub(crate) struct DueOrders(pub(crate) Books);

/// What comes due at a sandbox.
pub fn due(sandbox: &Sandbox) -> Arc<dyn Due> {
    Arc::new(DueOrders(sandbox.books()))
}

impl Due for DueOrders {
    fn next<'a>(&'a self, tenant: &'a Tenant, after: Timestamp) -> Answer<'a, Option<Timestamp>> {
        Box::pin(async move { Ok(self.0.store.next_due_order(tenant, after).await?) })
    }

    fn make<'a>(
        &'a self,
        tenant: &'a Tenant,
        moment: Timestamp,
        now: Timestamp,
    ) -> Pin<Box<dyn Future<Output = Steps> + Send + 'a>> {
        Box::pin(async move {
            let mut steps = Steps { made: 0, failed: Ok(()) };
            let due = match self.0.store.due_orders(tenant, moment, ORDERS_AT_ONCE).await {
                Ok(due) => due,
                Err(error) => return Steps { failed: Err(error.into()), ..steps },
            };
            for payment in due {
                // Somebody may change it, or book on its account, at this moment.
                match retry(|| advance(&self.0, &payment, (moment, now))).await {
                    Ok(()) => steps.made += 1,
                    Err(Error::Conflict) => {}
                    Err(error) => steps.failed = Err(error),
                }
                tokio::task::yield_now().await;
            }
            steps
        })
    }
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
    Ok(books.store.save(books.store.with_order(Changes::new(), &next)).await?)
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
        Ok(()) => return Ok(books.store.save(books.store.with_order(batch.finish(), &made)).await?),
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
    Ok(books.store.save(books.store.with_order(batch.finish(), &made)).await?)
}
