//! Payments as the bank sees them, and what whoever tests makes of them.

use axum::Json;
use axum::extract::{Path, Request, State};
use gateway::domain::{PaymentId, RejectReason, Timestamp, TransactionStatus, Transfer};
use gateway::{Clock, Noun, retry};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Error, json};
use crate::Sandbox;
use crate::forcing::{self, Unforced};
use crate::ledger::Order;

/// A payment that the bank took.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TakenPayment {
    payment_id: String,
    tenant: String,
    transaction_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    since: Timestamp,
    /// When something is done with it next.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// How often it was tried to make it.
    executions: i64,
    transfers: Vec<TakenTransfer>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TakenTransfer {
    amount: String,
    currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    creditor_name: Option<String>,
    /// Why it is not made although others are.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
}

impl From<Order> for TakenPayment {
    fn from(order: Order) -> Self {
        let transfer = |(index, transfer): (usize, &Transfer)| TakenTransfer {
            amount: transfer.amount.to_decimal(),
            currency: transfer.amount.currency.code(),
            creditor_name: transfer.creditor.name.clone(),
            refused: order.refused.get(&index).map(|reason| reason.code()),
        };
        Self {
            payment_id: order.payment.to_string(),
            tenant: order.tenant.to_string(),
            transaction_status: order.status.name(),
            reason: order.reason.map(RejectReason::code),
            since: order.since,
            due_at: order.due_at,
            executions: order.executions,
            transfers: order.transfers.iter().enumerate().map(transfer).collect(),
        }
    }
}

impl From<Unforced> for Error {
    fn from(unforced: Unforced) -> Self {
        match unforced {
            Unforced::Failed(error) => error.into(),
            Unforced::Reason(_) => Self::bad("invalid_reason", unforced),
            Unforced::Refused(_) => Self::bad("payment_refused", unforced),
            Unforced::NotTaken(_)
            | Unforced::NeverTaken(_)
            | Unforced::Moved(_)
            | Unforced::Ended(_)
            | Unforced::Periodic(_)
            | Unforced::NoParts
            | Unforced::NothingToRefund => Self::new(StatusCode::CONFLICT, "invalid_status", unforced),
        }
    }
}

/// By a payment's id, the moment that it is at its branch.
///
/// # Errors
/// [`gateway::Error::NotFound`]
async fn now_at(sandbox: &Sandbox, id: &PaymentId) -> Result<Timestamp, Error> {
    let tenant = match sandbox.store.order(id).await? {
        Some(order) => Some(order.tenant),
        None => sandbox.store.payment(id).await?.map(|payment| payment.tenant),
    };
    let tenant = tenant.ok_or(gateway::Error::NotFound(Noun::Payment))?;
    Ok(sandbox.clock.now(Some(&tenant)))
}

pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<Json<TakenPayment>, Error> {
    let id = PaymentId::new(id);
    let now = now_at(&sandbox, &id).await?;
    Ok(Json(forcing::order_of(&sandbox.store, &id, now).await?.into()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    status: String,
    reason: Option<String>,
}

/// A payment becomes what somebody wants it to be.
pub(super) async fn set_status(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<TakenPayment>, Error> {
    let Wanted { status, reason } = json(request).await?;
    let status = TransactionStatus::from_name(&status).ok_or_else(|| {
        let names = names(TransactionStatus::NAMES.iter().map(|(_, name)| *name));
        Error::bad("invalid_status", format!("status \"{status}\" is not one of {names}"))
    })?;
    let reason = reason.map(|reason| {
        let known = RejectReason::CODES.iter().find(|(_, code)| *code == reason);
        known.map(|(reason, _)| *reason).ok_or_else(|| {
            let names = names(RejectReason::CODES.iter().map(|(_, code)| *code));
            Error::bad("invalid_reason", format!("reason \"{reason}\" is not one of {names}"))
        })
    });
    let (id, wanted) = (PaymentId::new(id), (status, reason.transpose()?));
    let now = now_at(&sandbox, &id).await?;
    let books = sandbox.books();
    let forced = again(|| forcing::force(&books, &id, wanted, now)).await?;
    Ok(Json(forced.into()))
}

/// The money of a payment that has moved is booked back.
pub(super) async fn refund(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
) -> Result<Json<TakenPayment>, Error> {
    let id = PaymentId::new(id);
    let now = now_at(&sandbox, &id).await?;
    let books = sandbox.books();
    Ok(Json(again(|| forcing::refund(&books, &id, now)).await?.into()))
}

/// Tries again while others book on the same accounts.
async fn again<T, F>(attempt: impl Fn() -> F) -> Result<T, Unforced>
where
    F: Future<Output = Result<T, Unforced>>,
{
    retry(|| async {
        match attempt().await {
            Err(Unforced::Failed(error)) => Err(error),
            done => Ok(done),
        }
    })
    .await?
}

fn names(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
