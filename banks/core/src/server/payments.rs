//! Payments: looked at, made once, told about, stopped.

use axum::Json;
use axum::extract::State;
use gateway::bank_end::{approved, never_saved};
use gateway::domain::{AccountId, PaymentId, Timestamp};
use gateway::{ApprovedPayment, Changes, Declined, Entry, Error, Submitted, retry};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Body, Path, Query, Refused, Served};
use crate::wire::{self, Code, Problem};

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

/// What was answered about payments: as long as the bank.
const DECIDED: &str = "decided";

/// What was answered about a payment that the bank was told to make. A "no" is kept as what was taken is: an order that comes again, late
/// or on another way, is not made after somebody was told that it is not.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Decided {
    Taken,
    Declined(Problem),
}

fn problem(declined: &Declined) -> Problem {
    Problem {
        code: Code::Declined,
        detail: declined.refusal.to_string(),
        reason: Some(declined.refusal.reason().name().to_owned()),
        payment: Some(declined.payment.to_string()),
    }
}

fn declined(problem: Problem) -> Refused {
    Refused(StatusCode::UNPROCESSABLE_ENTITY, problem)
}

impl Served {
    /// What was answered about a payment.
    async fn decided(&self, payment: &PaymentId) -> Result<Option<Decided>, Error> {
        let kept = self.decided.get(DECIDED, payment.as_str()).await?;
        kept.map(|kept| serde_json::from_str(&kept).map_err(Error::internal)).transpose()
    }

    /// Which of some payments are new; or the "no" that one of them got before.
    async fn new_among(
        &self,
        payments: &[ApprovedPayment],
    ) -> Result<Result<Vec<PaymentId>, Problem>, Error> {
        let mut new = Vec::new();
        for payment in payments {
            let id = payment.id();
            match self.decided(id).await? {
                Some(Decided::Declined(problem)) => {
                    return Ok(Err(Problem { payment: Some(id.to_string()), ..problem }));
                }
                Some(Decided::Taken) => {}
                None => new.push(id.clone()),
            }
        }
        Ok(Ok(new))
    }

    /// Payments with what was answered about them: of two who decide about one at the same time, one is a conflict.
    fn deciding(&self, payments: &[PaymentId], decided: &Decided) -> Result<Changes, Error> {
        let value = serde_json::to_string(decided).map_err(Error::internal)?;
        let entry = |payment: &PaymentId| Entry {
            kind: DECIDED,
            key: payment.to_string(),
            value: value.clone(),
            forget_at: None,
            version: 0,
        };
        Ok(self.decided.changes(&payments.iter().map(entry).collect::<Vec<_>>()))
    }

    async fn submit(
        &self,
        payments: &[ApprovedPayment],
        at: Timestamp,
    ) -> Result<Result<Vec<Submitted>, Problem>, Error> {
        let new = match self.new_among(payments).await? {
            Ok(new) => new,
            Err(problem) => return Ok(Err(problem)),
        };
        let taken = self.deciding(&new, &Decided::Taken)?;
        match self.bank.payments.submit(payments, taken, at).await? {
            Ok(submitted) => Ok(Ok(submitted)),
            Err(why) => {
                let problem = problem(&why);
                self.store.save(self.deciding(&new, &Decided::Declined(problem.clone()))?).await?;
                Ok(Err(problem))
            }
        }
    }
}

pub(super) async fn check(
    State(served): State<Served>,
    Body(order): Body<wire::Order>,
) -> Result<Json<Value>, Refused> {
    let payments = payments(&served, &order)?;
    served.new_among(&payments).await?.map_err(declined)?;
    match served.bank.payments.submit(&payments, never_saved(), order.at).await {
        Ok(Err(why)) => Err(declined(problem(&why))),
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
    let taken = retry(|| served.submit(&payments, order.at)).await?.map_err(declined)?;
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
