//! Payments: looked at, made once, told about, stopped.

use axum::Json;
use axum::extract::{Path, State};
use gateway::bank_end::{approved, never_saved};
use gateway::domain::{AccountId, PaymentId, Timestamp};
use gateway::{ApprovedPayment, Changes, Declined, Error, retry};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Query, Refused, Served};
use crate::wire::{self, Code};

#[derive(Debug, Deserialize)]
pub(super) struct At {
    at: Timestamp,
}

fn payments(served: &Served, order: &wire::Order) -> Result<Vec<ApprovedPayment>, Refused> {
    if order.payments.is_empty() {
        return Err(Refused::malformed("payments has one payment or more"));
    }
    let read = |payment: &wire::Payment| {
        let which =
            (PaymentId::new(payment.id.as_str()), served.branch(&payment.branch)?, payment.interface());
        let what = (payment.terms()?, payment.transfers()?);
        Ok(approved(which, AccountId::new(payment.account.as_str()), what))
    };
    order.payments.iter().map(read).collect()
}

fn declined(declined: &Declined) -> Refused {
    let detail = declined.refusal.to_string();
    let mut refused = Refused::new(StatusCode::UNPROCESSABLE_ENTITY, Code::Declined, detail);
    refused.1.reason = Some(declined.refusal.reason().name().to_owned());
    refused.1.payment = Some(declined.payment.to_string());
    refused
}

pub(super) async fn check(
    State(served): State<Served>,
    Body(order): Body<wire::Order>,
) -> Result<Json<Value>, Refused> {
    let payments = payments(&served, &order)?;
    match served.bank.payments.submit(&payments, never_saved(), order.at).await {
        Ok(Err(why)) => Err(declined(&why)),
        // What was looked at cannot be saved, so the bank got as far as making it.
        Err(Error::Conflict) | Ok(Ok(_)) => Ok(Json(json!({}))),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn submit(
    State(served): State<Served>,
    Body(order): Body<wire::Order>,
) -> Result<Json<wire::TakenPayments>, Refused> {
    let payments = payments(&served, &order)?;
    let port = &served.bank.payments;
    let taken = retry(|| port.submit(&payments, Changes::new(), order.at)).await?;
    let taken = taken.map_err(|why| declined(&why))?;
    Ok(Json(wire::TakenPayments { payments: taken.into_iter().map(Into::into).collect() }))
}

pub(super) async fn progress(
    State(served): State<Served>,
    Path(payment): Path<String>,
    Query(asked): Query<At>,
) -> Result<Json<wire::Progress>, Refused> {
    let progress = served.bank.payments.progress(&PaymentId::new(payment), asked.at).await?;
    let unknown = || Refused::new(StatusCode::NOT_FOUND, Code::NotFound, "payment not found");
    Ok(Json(progress.ok_or_else(unknown)?.into()))
}

pub(super) async fn stop(
    State(served): State<Served>,
    Path(payment): Path<String>,
    Body(asked): Body<wire::Stop>,
) -> Result<Json<Value>, Refused> {
    let (payment, port) = (PaymentId::new(payment), &served.bank.payments);
    match retry(|| port.stop(&payment, Changes::new(), asked.at)).await? {
        Ok(()) => Ok(Json(json!({}))),
        Err(refusal) => Err(Refused::new(StatusCode::CONFLICT, Code::Final, refusal.to_string())),
    }
}

pub(super) async fn approvals_needed(
    State(served): State<Served>,
    Path(account): Path<String>,
) -> Result<Json<wire::ApprovalsNeeded>, Refused> {
    let approvals_needed = served.bank.payments.approvals_needed(&AccountId::new(account)).await?;
    Ok(Json(wire::ApprovalsNeeded { approvals_needed }))
}
