//! Payments that a third party takes back: at once while the bank does not have them, and with an authorisation of the
//! customer afterwards (NextGenPSD2, payment cancellation).

use domain::{
    Authorisation, AuthorisationId, PaymentRefusal, PaymentService, PaymentStatus, Purpose, TransactionStatus,
};

use crate::consents::check_redirect_uri;
use crate::error::retry;
use crate::payment_requests::PaymentView;
use crate::requests::{RequestKey, Seen};
use crate::subjects::{Matter, Sought};
use crate::{Changes, Ctx, Error, Gateway};

/// What became of the wish to take a payment back.
#[derive(Debug, Clone)]
pub enum Cancellation {
    /// It is cancelled; its newest authorisation, if there was any.
    Done(PaymentView, Option<Authorisation>),
    /// The customer has to authorise that.
    ToAuthorise(PaymentView, Authorisation),
}

impl Gateway {
    /// A third party takes a payment back. The same request again is answered as before.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`PaymentRefusal::NotCancellable`], [`PaymentRefusal::LastExecutionMade`],
    /// [`domain::AuthorisationRefusal::TooManyCancellations`]
    pub async fn cancel_requested_payment(
        &self,
        ctx: &Ctx,
        sought: Sought<'_>,
        redirect_uri: &str,
        key: &RequestKey,
    ) -> Result<Cancellation, Error> {
        let id = AuthorisationId::new(self.0.randomness.id());
        retry(|| async {
            let payment = self.own_payment(ctx, sought).await?;
            let stored = match self.seen(ctx, key).await? {
                Seen::Before(made) => {
                    let authorisation = self.begun_before(&made).await?;
                    let as_of = authorisation.created_at;
                    return Ok(Cancellation::ToAuthorise(self.view_of(payment, as_of).await?, authorisation));
                }
                Seen::New(stored) => Seen::made(stored, &[id.as_str()]),
            };
            check_redirect_uri(&self.registered(sought.tpp.id()).await?, redirect_uri)?;
            if payment.status_at(ctx.now) != PaymentStatus::Submitted {
                let mut cancelled = payment.clone().withdraw(ctx.now)?;
                if cancelled != payment {
                    self.0.store.save(Changes::new().put_payment(&cancelled)).await?;
                    cancelled.version += 1;
                }
                let newest = self.newest_authorisation(&cancelled.id, Purpose::Approval).await?;
                return Ok(Cancellation::Done(self.view_of(cancelled, ctx.now).await?, newest));
            }
            let view = self.view_of(payment, ctx.now).await?;
            if view.status == TransactionStatus::Canc {
                let newest = self.newest_authorisation(&view.payment.id, Purpose::Approval).await?;
                return Ok(Cancellation::Done(view, newest));
            }
            let view = view.stoppable()?;
            let which = (sought.subject.clone(), self.next_authorisation(ctx, sought).await?);
            let begun = Authorisation::begin(id.clone(), which, redirect_uri.to_owned(), ctx.now)
                .for_purpose(Purpose::Cancellation);
            self.0.store.save(Changes::new().put_request(&stored).put_authorisation(&begun)).await?;
            Ok(Cancellation::ToAuthorise(view, begun))
        })
        .await
    }

    /// Why the payment whose cancellation a customer is asked for cannot be stopped any more: it is nobody's decision
    /// then. None if it can, and for anything else that a customer is asked for.
    pub(crate) async fn why_not_stopped(
        &self,
        ctx: &Ctx,
        matter: &Matter,
        purpose: Purpose,
    ) -> Result<Option<PaymentRefusal>, Error> {
        let (Purpose::Cancellation, Matter::Payment(payment)) = (purpose, matter) else { return Ok(None) };
        let view = self.view_of(payment.clone(), ctx.now).await?;
        Ok(view.stoppable().err())
    }
}

impl PaymentView {
    /// The same, if the bank can still stop it: nobody is asked to authorise what cannot be done.
    ///
    /// # Errors
    /// [`PaymentRefusal::NotCancellable`], [`PaymentRefusal::LastExecutionMade`]
    pub(crate) fn stoppable(self) -> Result<Self, PaymentRefusal> {
        if self.can_be_stopped { Ok(self) } else { Err(self.too_late()) }
    }

    /// Why the bank cannot stop it.
    pub(crate) fn too_late(&self) -> PaymentRefusal {
        let status = self.status.name().to_owned();
        let is_periodic = self.payment.terms.service == PaymentService::Periodic;
        match self.status {
            TransactionStatus::Accp if is_periodic => PaymentRefusal::LastExecutionMade { status },
            _ => PaymentRefusal::NotCancellable { status },
        }
    }
}
