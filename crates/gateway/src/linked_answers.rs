//! The second answer: a customer who logged in approves payments with an answer of their device that is bound to amount
//! and payee, and to nothing else ([`domain::dynamic_linking`]).

use domain::dynamic_linking::challenge;
use domain::{CustomerId, LoggedIn, Payment, Session};

use crate::decisions::{Approval, DecisionProblem, Undone};
use crate::error::retry;
use crate::log_in_failures::{Claim, Named, to_its_end};
use crate::provider_trips::{confirmation, confirmed_in};
use crate::sessions::{Journey, Open, Outcome};
use crate::{Changes, Ctx, Error, Gateway, LogInProblem};

/// Where the browser stands, or why it still stands where it did.
type Standing = Result<Journey, DecisionProblem>;

/// Digits of a nonce.
const NONCE: usize = 20;

/// What a customer's device answered to the challenge of payments.
#[derive(Debug, Clone)]
pub struct LinkedAnswer {
    /// The challenge, as the page showed it.
    pub challenge: String,
    /// What the device made of it.
    pub answer: String,
}

/// What an approval says about an answer of the customer's device.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answered<'a> {
    /// The one that came with it, about which nobody was asked yet.
    NotYet,
    /// It was right, for the payments for which this stands ([`confirmation`]).
    Rightly(&'a str),
}

/// An answer that was claimed ([`Claim`]), about which the bank has to be asked, once.
pub(crate) struct AnswerClaim {
    claim: Claim,
    customer: CustomerId,
    /// What stands for the payments that it was given for.
    payments: String,
}

impl Gateway {
    /// A nonce for challenges about payments.
    pub(crate) fn nonce(&self) -> String {
        self.0.randomness.digits(NONCE)
    }

    /// Checks that an answer was given for the payments that are to be made, as they are now. Without one that was right it is claimed
    /// here, if it may be.
    pub(crate) async fn check_linked_answer(
        &self,
        ctx: &Ctx,
        (open, logged_in): (&Open, &LoggedIn),
        payments: &[Payment],
        (approval, answered): (&Approval, Answered<'_>),
    ) -> Result<Result<(), Undone>, Error> {
        if payments.is_empty() {
            return Ok(Ok(()));
        }
        let (session, customer) = (&open.session, &logged_in.customer);
        let not = |problem: DecisionProblem| Ok(Err(problem.into()));
        if self.has_provider() {
            let is_confirmed =
                confirmed_in(session).is_some_and(|confirmed| confirmed == confirmation(payments));
            return if is_confirmed { Ok(Ok(())) } else { not(DecisionProblem::Unanswered) };
        }
        if let Answered::Rightly(confirmed) = answered {
            // Whatever became of one of them meanwhile, the answer is good for all of them or for none.
            let is_same = confirmed == confirmation(payments);
            return if is_same { Ok(Ok(())) } else { not(DecisionProblem::Answer(LogInProblem::Stale)) };
        }
        let named = self.named_customer(ctx, session, customer.clone()).await?;
        let rules = self.sca_rules(session);
        let named = match Named::not_blocked(vec![named]) {
            Ok(named) => named,
            Err(until) => {
                let blocked = LogInProblem::Blocked { until, failures: rules.max_failures };
                return not(DecisionProblem::Answer(blocked));
            }
        };
        let Some(given) = &approval.answer else { return not(DecisionProblem::Unanswered) };
        let challenge = challenge(payments, &session.challenge, rules.challenge_digits);
        if given.challenge != challenge {
            return not(DecisionProblem::Answer(LogInProblem::Stale));
        }
        let (claim, changes) = Claim::of((self.door(session), challenge), named, ctx.now);
        self.0.store.save(changes.put_session(&self.with_new_nonce(ctx, session.clone()))).await?;
        let (customer, payments) = (customer.clone(), confirmation(payments));
        Ok(Err(Undone::Ask(Box::new(AnswerClaim { claim, customer, payments }))))
    }

    /// Asks the bank about an answer that was claimed: what stands for the payments of which it is right, or where the browser stands.
    pub(crate) async fn ask_about(
        &self,
        ctx: &Ctx,
        (secret, approval): (&str, &Approval),
        claimed: AnswerClaim,
    ) -> Result<Result<String, Standing>, Error> {
        let AnswerClaim { claim, customer, payments } = claimed;
        let answer = approval.answer.as_ref().map(|given| given.answer.clone()).unwrap_or_default();
        let (this, ctx, secret) = (self.clone(), ctx.clone(), secret.to_owned());
        let asked = async move {
            match this.ask_and_settle(&ctx, (&claim, &answer), Some(&customer)).await? {
                Some(_) => Ok(Ok(payments)),
                None => this.wrong_linked_answer(&ctx, &secret, &claim).await.map(Err),
            }
        };
        to_its_end(asked).await
    }

    async fn wrong_linked_answer(&self, ctx: &Ctx, secret: &str, claim: &Claim) -> Result<Standing, Error> {
        retry(|| async {
            let Open { session, authorisation, .. } = match self.find_session(ctx, secret).await? {
                Ok(open) => *open,
                Err(elsewhere) => return Ok(Ok(elsewhere)),
            };
            let rules = self.sca_rules(&session);
            let authorisation = authorisation.wrong_answer(rules.max_wrong_answers);
            let changes = Changes::new().put_authorisation(&authorisation);
            if !authorisation.is_pending_at(ctx.now, rules.lifetime) {
                return self.leave(changes, session, Outcome::AnswersWrong).await.map(Ok);
            }
            self.0.store.save(changes).await?;
            let left = rules.max_wrong_answers - authorisation.wrong_answers;
            Ok(Err(DecisionProblem::Answer(claim.why_not(ctx.now, left))))
        })
        .await
    }

    /// A session whose next challenge is another one, whatever is paid.
    pub(crate) fn with_new_nonce(&self, ctx: &Ctx, session: Session) -> Session {
        Session { challenge: self.nonce(), seen_at: ctx.now, ..session }
    }
}
