//! The third party confirms what a customer approved: a payment goes to the bank, or is stopped there.

use domain::{Authorisation, CustomerId, Payment, PaymentDecision, PaymentRefusal, Progress, Purpose};

use crate::payments::order_of;
use crate::{Changes, Ctx, Error, Gateway, Noun};

impl Gateway {
    /// Confirms an authorisation of a payment. With the last approval that is needed, the bank gets the payment in the
    /// batch that says so. Confirming again changes nothing and is answered as before.
    ///
    /// # Errors
    /// [`domain::AuthorisationRefusal`], [`PaymentRefusal`]; [`PaymentRefusal::Bank`] if the bank does not take it,
    /// which is the end of it
    pub(crate) async fn confirm_payment(
        &self,
        ctx: &Ctx,
        payment: Payment,
        authorisation: Authorisation,
    ) -> Result<Authorisation, Error> {
        let Progress::Confirmed { .. } = authorisation.progress else {
            let confirmed = authorisation.confirm(ctx.now, self.profile(payment.interface).sca.lifetime)?;
            let by = confirmed.progress.customer().ok_or(Error::NotFound(Noun::Customer))?.clone();
            return match confirmed.purpose {
                Purpose::Approval => self.submit(ctx, payment, (confirmed, by)).await,
                Purpose::Cancellation => self.stop(ctx, payment, confirmed).await,
            };
        };
        match (authorisation.purpose, payment.decision.reason()) {
            (Purpose::Approval, Some(reason)) => Err(PaymentRefusal::Bank(reason).into()),
            _ => Ok(authorisation),
        }
    }

    async fn submit(
        &self,
        ctx: &Ctx,
        payment: Payment,
        (confirmed, by): (Authorisation, CustomerId),
    ) -> Result<Authorisation, Error> {
        payment.check_awaits(Purpose::Approval, ctx.now)?;
        let (_, account) = payment.decision.payer().ok_or(Error::NotFound(Noun::Account))?;
        self.held_account(&by, account).await.map_err(|error| match error {
            Error::NotFound(Noun::Account) => PaymentRefusal::NoAccess.into(),
            other => other,
        })?;
        let needed = self.0.bank.payments.approvals_needed(account).await?;
        let approved = payment.clone().confirm(by, needed, ctx.now)?;
        let changes = || Changes::new().put_authorisation(&confirmed);
        let orders = order_of(&approved);
        if orders.is_empty() {
            self.0.store.save(changes().put_payment(&approved)).await?;
            return Ok(confirmed);
        }
        match self.0.bank.payments.submit(&orders, changes().put_payment(&approved), ctx.now).await? {
            Ok(_) => Ok(confirmed),
            Err(declined) => {
                let reason = declined.refusal.reason();
                self.0.store.save(changes().put_payment(&payment.refused(reason, ctx.now))).await?;
                Err(PaymentRefusal::Bank(reason).into())
            }
        }
    }

    async fn stop(
        &self,
        ctx: &Ctx,
        payment: Payment,
        confirmed: Authorisation,
    ) -> Result<Authorisation, Error> {
        let stopped = payment.clone().stopped(ctx.now)?;
        let with = Changes::new().put_authorisation(&confirmed).put_payment(&stopped);
        match self.0.bank.payments.stop(&payment.id, with, ctx.now).await? {
            Ok(()) => Ok(confirmed),
            Err(_) => Err(self.not_cancellable(ctx, payment).await?.into()),
        }
    }

    /// Why a payment that the bank has cannot be cancelled: what it is by now.
    pub(crate) async fn not_cancellable(&self, ctx: &Ctx, payment: Payment) -> Result<PaymentRefusal, Error> {
        let is_submitted = matches!(payment.decision, PaymentDecision::Submitted { .. });
        if is_submitted {
            return Ok(self.view_of(payment, ctx.now).await?.too_late());
        }
        Ok(PaymentRefusal::NotCancellable { status: payment.status_at(ctx.now).name().to_owned() })
    }
}
