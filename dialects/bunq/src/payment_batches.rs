//! Payments that customers make together in person (section 16.5).

use gateway::domain::{Interface, PaymentId};
use serde::{Deserialize, Serialize};

use crate::accounts::{self, Seen};
use crate::call::{Call, breathe};
use crate::error::Error;
use crate::fields::Fields;
use crate::ledger::made_of;
use crate::payments::{Renderer, first_booked};
use crate::pointers::transfers;
use crate::records::Record;
use crate::reply::Reply;
use crate::wire;
use crate::wire::objects::Object;

/// Payments that were made together, or are to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentBatch {
    count: usize,
}

/// `POST …/monetary-account/{account}/payment-batch`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let body = call.json()?;
    let transfers = transfers(&call, Fields::of(&body), "payments").await?;
    let payer = (call.caller()?.customer().ok_or_else(Error::not_found)?, &seen.account().id);
    let batch = add_batch(&call, &seen, transfers.len()).await?;
    let once = (Interface::Bunq, payment_of_batch(batch));
    let payment = call.bunq.edge.gateway.pay_once(&call.ctx, payer, transfers, once).await?;
    // What is not booked yet cannot be looked at, and may be declined in the end.
    first_booked(&call, &seen, &payment).await?;
    Ok(Reply::id(batch))
}

/// Notes a batch before its payments are made, and returns its number. Nobody sees it before that.
pub(crate) async fn add_batch(call: &Call, seen: &Seen, count: usize) -> Result<i64, Error> {
    Ok(call.bunq.add(&call.ctx, seen.id, PaymentBatch { count }).await?.id)
}

/// The payment whose transfers are a batch.
pub(crate) fn payment_of_batch(batch: i64) -> PaymentId {
    PaymentId::new(format!("batch-{batch}"))
}

/// A batch whose payments were made.
async fn render(call: &Call, seen: &Seen, batch: &Record<PaymentBatch>) -> Result<Option<Object>, Error> {
    let renderer = Renderer::new(call, seen);
    let made = made_of(call, seen, &payment_of_batch(batch.id), batch.value.count).await?;
    let Some(made) = made else { return Ok(None) };
    let payments = made.iter().map(|one| renderer.payment(one)).collect();
    Ok(Some(Object::PaymentBatch(batch.stamped(wire::payments::PaymentBatch { payments }))))
}

/// `GET …/monetary-account/{account}/payment-batch`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let seen = accounts::named_own(&call).await?;
    let weigh = |batch: &Record<PaymentBatch>| batch.value.count;
    let (found, links) = call.page_of_weighed::<PaymentBatch>(seen.id, |_| true, weigh).await?;
    let mut elements = Vec::new();
    for batch in &found {
        breathe().await;
        elements.extend(render(&call, &seen, batch).await?);
    }
    Ok(Reply::page(elements, links))
}

/// `GET …/monetary-account/{account}/payment-batch/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    Ok(Reply::one(named(&call).await?))
}

/// `PUT …/monetary-account/{account}/payment-batch/{id}`: what was paid stays paid.
pub(crate) async fn change(call: Call) -> Result<Reply, Error> {
    named(&call).await?;
    Ok(Reply::id(call.names.id.get()?))
}

async fn named(call: &Call) -> Result<Object, Error> {
    let seen = &accounts::named_own(call).await?;
    let batch = call.record::<PaymentBatch>(seen.id, call.names.id.get()?).await?;
    render(call, seen, &batch).await?.ok_or_else(Error::not_found)
}
