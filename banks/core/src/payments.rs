//! Payments: looked at by the bank, written down here, then made by the bank, each once.
//!
//! First the bank says whether it could make them, which changes nothing. Then what the gateway saves and what the bank is about to
//! be asked for are written in one batch, and only then is it asked. The payment's id is the key under which the bank makes it
//! once, however often it is asked; an answer that does not come is found out about later.

use std::collections::HashSet;

use gateway::bank::{Answer, Payments};
use gateway::domain::{
    AccountId, PaymentId, PaymentRefusal, PaymentStatus, RejectReason, Timestamp, TransactionStatus,
};
use gateway::{ApprovedPayment, Changes, Declined, Error, Noun, PaymentProgress, Submitted};
use serde::Serialize;
use serde::de::IgnoredAny;
use tracing::Instrument;

use crate::CoreBank;
use crate::bank::misread;
use crate::failure::Failure;
use crate::outbox::{Held, Ordered};
use crate::wire::{self, Code, Problem};

/// As of when a payment is asked about.
#[derive(Serialize)]
struct At {
    at: Timestamp,
}

/// What came of handing payments to the bank.
enum Handed {
    /// It has them.
    Taken(Vec<Submitted>),
    /// It does not make them, and that is written down.
    Declined(Problem),
    /// It did not want them, and somebody else has given them to it again since: what is said there holds.
    TakenOver,
    /// Nobody knows whether it has them.
    Unknown(Failure),
}

impl CoreBank {
    /// Finds out about payments of which nobody knows whether the bank has them, and gives it those that it does not have, each
    /// under its own id. To be called each second or so, on any number of nodes.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while the bank or the store is away
    pub async fn find_out(&self) -> Result<(), Error> {
        let (mut behind, mut outcome, mut open) = (String::new(), Ok(()), HashSet::new());
        loop {
            let opened = self.outbox.opened(&behind).await?;
            let Some((last, _)) = opened.last() else {
                self.patience.keep(&open);
                return outcome;
            };
            behind.clone_from(last);
            for (_, ordered) in opened {
                let first = ordered.first();
                // Of those that were ordered together one stands for all.
                if !open.insert(first.clone()) || !self.patience.allows(&first) {
                    continue;
                }
                let Some(_asking) = self.outbox.ask(ordered.payments.clone()) else { continue };
                // One that the bank cannot tell about keeps no other waiting.
                if let Err(error) = self.settle(&ordered).await {
                    outcome = Err(error);
                }
            }
        }
    }

    async fn settle(&self, ordered: &Ordered) -> Result<(), Error> {
        let known = self.known(ordered).await.inspect_err(|failure| self.pause(ordered, failure))?;
        self.outbox.close(known).await?;
        if known.len() == ordered.payments.len() {
            self.patience.end(&ordered.first());
            return Ok(());
        }
        let Some((order, held)) = self.outbox.take_over(ordered).await? else { return Ok(()) };
        if let Handed::Unknown(failure) = self.hand_over(&order, (ordered, &held)).await? {
            self.pause(ordered, &failure);
        }
        Ok(())
    }

    /// What the bank has of what was ordered, up to the first that it does not have. It takes all of an order or nothing, but a node of
    /// a release before, which knows each payment as an order of its own, may have handed some of them over meanwhile.
    async fn known<'o>(&self, ordered: &'o Ordered) -> Result<&'o [PaymentId], Failure> {
        for (count, payment) in ordered.payments.iter().enumerate() {
            let known: Result<wire::Progress, _> =
                self.client.get(&["payments", payment.as_str()], &At { at: ordered.at }).await;
            match known {
                Ok(_) => {}
                Err(failure) if failure.is_not_found() => return Ok(&ordered.payments[..count]),
                Err(failure) => return Err(failure),
            }
        }
        Ok(&ordered.payments)
    }

    /// The bank does not say what becomes of a payment: it is asked again after longer and longer pauses, and if it is there and does not
    /// want what it is asked, whoever runs the gateway is told once.
    fn pause(&self, ordered: &Ordered, failure: &Failure) {
        let (payment, why) = (ordered.first(), failure.to_string());
        if self.patience.begin(&payment, failure.is_no()) {
            tracing::warn!(
                %payment,
                why,
                "the core bank neither takes nor declines a payment; it is asked again after longer and longer pauses, until \
                 it does (POST /core/v1/payments answers 200, or 422 with the code \"declined\"); look at the bank why it answers so"
            );
        }
    }

    /// Gives the bank payments that are written down.
    async fn hand_over(
        &self,
        order: &wire::Order,
        (ordered, held): (&Ordered, &Held),
    ) -> Result<Handed, Error> {
        let taken: Result<wire::TakenPayments, _> = self.client.act(&["payments"], order).await;
        match taken {
            Ok(taken) => {
                self.outbox.close(&ordered.payments).await?;
                self.patience.end(&ordered.first());
                let taken: Vec<_> = taken.payments.into_iter().map(Submitted::from).collect();
                let is_whole = taken.len() == order.payments.len();
                Ok(Handed::Taken(if is_whole { taken } else { accepted(order.payments.len()) }))
            }
            Err(Failure::Refused(_, problem)) if problem.code == Code::Declined => {
                // Between its two answers something changed.
                if !self.outbox.decline(order, held, reason(&problem)).await? {
                    return Ok(Handed::TakenOver);
                }
                self.patience.end(&ordered.first());
                Ok(Handed::Declined(problem))
            }
            Err(failure) => Ok(Handed::Unknown(failure)),
        }
    }

    /// What was declined after it was handed over once stays declined, whatever the bank would say by now: whoever asked for it may have
    /// been told so, and have it made under another id.
    async fn declined_before(&self, payments: &[ApprovedPayment]) -> Result<Option<Declined>, Error> {
        for payment in payments {
            if let Some(reason) = self.outbox.declined(payment.id()).await? {
                return Ok(Some(Declined { payment: payment.id().clone(), refusal: refusal(reason) }));
            }
        }
        Ok(None)
    }

    async fn submit_all(
        &self,
        payments: &[ApprovedPayment],
        with: Changes,
        now: Timestamp,
    ) -> Result<Result<Vec<Submitted>, Declined>, Error> {
        if payments.is_empty() {
            self.outbox.save(with).await?;
            return Ok(Ok(Vec::new()));
        }
        let order = wire::Order { at: now, payments: payments.iter().map(wire::Payment::from).collect() };
        // Somebody else of this process is about it: whoever comes second looks again.
        let ordered = Ordered::of(&order);
        let _asking = self.outbox.ask(ordered.payments.clone()).ok_or(Error::Conflict)?;
        if let Some(declined) = self.declined_before(payments).await? {
            return Ok(Err(declined));
        }
        let checked: Result<IgnoredAny, _> = self.client.ask(&["payment-checks"], &order).await;
        match checked {
            Ok(_) => {}
            Err(Failure::Refused(_, problem)) if problem.code == Code::Declined => {
                return Ok(Err(declined(&problem, payments)));
            }
            Err(failure) => return Err(failure.into()),
        }
        let is_all = with.is_empty();
        let held = self.outbox.open(&order, with).await?;
        // From here on it is the bank's, whatever becomes of the answer: what fails below is found out about later.
        match self.hand_over(&order, (&ordered, &held)).await {
            Ok(Handed::Taken(taken)) => return Ok(Ok(taken)),
            // Nothing else says that the bank has them.
            Ok(Handed::Declined(problem)) if is_all => return Ok(Err(declined(&problem, payments))),
            Ok(Handed::Declined(_) | Handed::TakenOver) => {}
            Ok(Handed::Unknown(failure)) if failure.is_no() => self.pause(&ordered, &failure),
            Ok(Handed::Unknown(failure)) => {
                let why = failure.to_string();
                tracing::warn!(
                    why,
                    "it is not known yet whether the core bank has a payment; it is asked again"
                );
            }
            Err(error) => {
                tracing::warn!(%error, "what the core bank made of a payment is not written down yet");
            }
        }
        Ok(Ok(accepted(payments.len())))
    }

    async fn told(&self, payment: &PaymentId, now: Timestamp) -> Result<Option<PaymentProgress>, Error> {
        // What the bank told by itself, and what is the end of it, is not asked about again: it is told while the bank is away, too.
        if let Some(end) = self.outbox.end_of(payment).await? {
            return Ok(Some(end));
        }
        // Between the bank's answer and a look at what is open the bank may get the payment. Then it is neither here nor there, until the
        // bank is asked once more.
        for _ in 0..2 {
            let told: Result<wire::Progress, _> =
                self.client.get(&["payments", payment.as_str()], &At { at: now }).await;
            match told {
                Ok(progress) => return wire::progress_of(progress).map(Some).map_err(misread),
                Err(failure) if failure.is_not_found() => {}
                Err(failure) => return Err(failure.into()),
            }
            if let Some(progress) = self.outbox.progress(payment).await? {
                return Ok(Some(progress));
            }
        }
        Ok(None)
    }

    async fn stop_one(
        &self,
        payment: &PaymentId,
        with: Changes,
        now: Timestamp,
    ) -> Result<Result<(), PaymentRefusal>, Error> {
        let told = self.told(payment, now).await?;
        let status = told.as_ref().map(|progress| progress.status);
        let is_stopped = status == Some(TransactionStatus::Canc);
        if is_stopped && self.outbox.is_stopping(payment).await? {
            // It was asked for here, and the answer was lost, or what was to be saved with it moved on.
            self.outbox.end_to_stop(payment, with).await?;
            return Ok(Ok(()));
        }
        if !told.is_some_and(|progress| progress.can_be_stopped) {
            self.outbox.end_to_stop(payment, Changes::new()).await?;
            let status = match status {
                Some(TransactionStatus::Canc) => PaymentStatus::Cancelled,
                Some(TransactionStatus::Rjct) => PaymentStatus::Refused,
                _ => PaymentStatus::Submitted,
            };
            return Ok(Err(PaymentRefusal::Final { status }));
        }
        self.outbox.begin_to_stop(payment).await?;
        let path = ["payments", payment.as_str(), "stop"];
        let stopped: Result<IgnoredAny, _> = self.client.act(&path, &wire::Stop { at: now }).await;
        match stopped {
            Ok(_) => Ok(Ok(self.outbox.end_to_stop(payment, with).await?)),
            Err(Failure::Refused(_, Problem { code: Code::Final | Code::NotFound, .. })) => {
                self.outbox.end_to_stop(payment, Changes::new()).await?;
                Ok(Err(PaymentRefusal::Final { status: PaymentStatus::Submitted }))
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

fn reason(problem: &Problem) -> RejectReason {
    problem.reason.as_deref().map_or(RejectReason::Ms03, wire::reason_of)
}

/// Which payment the bank does not make, and why; the first one if it does not say which.
fn declined(problem: &Problem, payments: &[ApprovedPayment]) -> Declined {
    let named = payments.iter().find(|payment| Some(payment.id().as_str()) == problem.payment.as_deref());
    let payment = named.or(payments.first()).map(|payment| payment.id().clone());
    Declined { payment: payment.unwrap_or_else(|| PaymentId::new("")), refusal: refusal(reason(problem)) }
}

fn refusal(reason: RejectReason) -> PaymentRefusal {
    match reason {
        RejectReason::Am04 => PaymentRefusal::InsufficientFunds,
        reason => PaymentRefusal::Bank(reason),
    }
}

/// What is said of payments that are the bank's, and of which it has not said more.
fn accepted(count: usize) -> Vec<Submitted> {
    vec![Submitted::Accepted { until: None }; count]
}

impl Payments for CoreBank {
    fn submit<'a>(
        &'a self,
        payments: &'a [ApprovedPayment],
        with: Changes,
        now: Timestamp,
    ) -> Answer<'a, Result<Vec<Submitted>, Declined>> {
        Box::pin(async move {
            // Whoever asked may go away; what was begun is brought to its end.
            let (this, payments) = (self.clone(), payments.to_vec());
            let submitted = async move { this.submit_all(&payments, with, now).await };
            tokio::spawn(submitted.in_current_span()).await.map_err(Error::internal)?
        })
    }

    fn progress<'a>(&'a self, payment: &'a PaymentId, now: Timestamp) -> Answer<'a, Option<PaymentProgress>> {
        Box::pin(self.told(payment, now))
    }

    fn stop<'a>(
        &'a self,
        payment: &'a PaymentId,
        with: Changes,
        now: Timestamp,
    ) -> Answer<'a, Result<(), PaymentRefusal>> {
        Box::pin(self.stop_one(payment, with, now))
    }

    fn approvals_needed<'a>(&'a self, account: &'a AccountId) -> Answer<'a, usize> {
        Box::pin(async move {
            let path = ["accounts", account.as_str(), "approvals-needed"];
            let found: Result<wire::ApprovalsNeeded, _> = self.client.get(&path, &()).await;
            let found = found.map_err(|failure| match failure {
                failure if failure.is_not_found() => Error::NotFound(Noun::Account),
                failure => failure.into(),
            })?;
            // A payment that nobody has to approve is none of this interface.
            Ok(found.approvals_needed.max(1))
        })
    }
}
