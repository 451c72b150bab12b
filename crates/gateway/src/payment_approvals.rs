//! The customer decides at the bank's page about the one payment that an authorisation is about, where the third party
//! confirms that afterwards: it is made then, or stopped, and not here.

use domain::{Account, LoggedIn, Payment, Purpose};

use crate::decisions::{Approval, Attempted, DecisionProblem};
use crate::linked_answers::Answered;
use crate::sessions::{Journey, Open, Outcome};
use crate::waiting_payments::payable;
use crate::{Changes, Ctx, Error, Gateway};

impl Gateway {
    /// Takes what the customer said about the payment, with the account that pays where there is a choice.
    pub(crate) async fn decide_for_tpp(
        &self,
        ctx: &Ctx,
        open: Open,
        (logged_in, payment): (LoggedIn, Payment),
        said @ (approval, _): (&Approval, Answered<'_>),
    ) -> Result<Attempted, Error> {
        let is_refused = approval.payments.iter().any(|(id, accepted)| *id == payment.id && !accepted);
        if is_refused {
            return Ok(Ok(self.refuse_for_tpp(ctx, open, payment).await?));
        }
        let mut changes = Changes::new();
        // To stop a payment the log-in is enough: no money moves.
        if open.authorisation.purpose == Purpose::Approval {
            let is_fixed = payment.debtor.is_some() || payment.decision.payer().is_some();
            let is_chosen = |account: &Account| is_fixed || approval.accounts.contains(&account.id);
            let accounts = self.0.bank.customers.accounts_of(&logged_in.customer).await?;
            let Some(account) = payable(&accounts, &payment).into_iter().find(is_chosen) else {
                return Ok(Err(DecisionProblem::Undecided.into()));
            };
            let which = std::slice::from_ref(&payment);
            if let Err(undone) = self.check_linked_answer(ctx, (&open, &logged_in), which, said).await? {
                return Ok(Err(undone));
            }
            let approved = payment.approve_unconfirmed(&logged_in.customer, &account, ctx.now)?;
            changes = changes.put_payment(&approved);
        }
        let approved = open.authorisation.clone().approve(logged_in.customer.clone());
        let changes = changes.put_authorisation(&approved);
        let (changes, way_back) = self.end_with_code(ctx, changes, open.session, (logged_in, approved.id));
        self.0.store.save(changes).await?;
        Ok(Ok(Journey::Leave(way_back)))
    }

    /// The customer does not want what the authorisation is for: the payment is refused, or goes on if it was about its
    /// cancellation.
    pub(crate) async fn refuse_for_tpp(
        &self,
        ctx: &Ctx,
        open: Open,
        payment: Payment,
    ) -> Result<Journey, Error> {
        let mut changes = Changes::new().put_authorisation(&open.authorisation.clone().fail());
        if open.authorisation.purpose == Purpose::Approval {
            changes = changes.put_payment(&payment.reject(ctx.now)?);
        }
        self.leave(changes, open.session, Outcome::Cancelled).await
    }
}
