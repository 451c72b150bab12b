//! The second answer: a customer who logged in approves payments with an answer of their device that is bound to amount
//! and payee, and to nothing else ([`domain::dynamic_linking`]).

use domain::dynamic_linking::challenge;
use domain::{Authorisation, LogInFailures, LoggedIn, Payment, Session};

use crate::bank::Credentials;
use crate::decisions::{Approval, Attempted, DecisionProblem};
use crate::provider_trips::{confirmation, confirmed_in};
use crate::sessions::{Open, Outcome};
use crate::{Changes, Ctx, Error, Gateway, LogInProblem};

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

impl Gateway {
    /// A nonce for challenges about payments.
    pub(crate) fn nonce(&self) -> String {
        self.0.randomness.digits(NONCE)
    }

    /// Checks that the answer was given for the payments that are to be made, as they are now. Wrong ones count as at the
    /// log-in. Returns what has to be saved with the approval, or where the browser stands without it.
    pub(crate) async fn check_linked_answer(
        &self,
        ctx: &Ctx,
        (open, logged_in): (&Open, &LoggedIn),
        payments: &[Payment],
        approval: &Approval,
    ) -> Result<Result<Option<LogInFailures>, Attempted>, Error> {
        if payments.is_empty() {
            return Ok(Ok(None));
        }
        let (session, customer) = (&open.session, &logged_in.customer);
        if self.has_provider() {
            let is_confirmed =
                confirmed_in(session).is_some_and(|confirmed| confirmed == confirmation(payments));
            return Ok(if is_confirmed { Ok(None) } else { Err(Err(DecisionProblem::Unanswered)) });
        }
        let named = self.named_customer(ctx, session, customer.clone()).await?;
        if let Some(until) = named.blocked_until {
            let failures = self.sca_rules(session).max_failures;
            return Ok(Err(Err(DecisionProblem::Answer(LogInProblem::Blocked { until, failures }))));
        }
        let Some(given) = &approval.answer else { return Ok(Err(Err(DecisionProblem::Unanswered))) };
        let digits = self.sca_rules(session).challenge_digits;
        let challenge = challenge(payments, &session.challenge, digits);
        if given.challenge != challenge {
            return Ok(Err(Err(DecisionProblem::Answer(LogInProblem::Stale))));
        }
        let credentials = Credentials { challenge: &challenge, answer: &given.answer };
        if self.0.bank.customers.approves(customer, credentials).await? {
            return Ok(Ok(Some(named.failures)
                .filter(|failures| failures.count > 0)
                .map(LogInFailures::cleared)));
        }
        let (session, authorisation) = (session.clone(), open.authorisation.clone());
        self.wrong_linked_answer(ctx, (session, authorisation), named.failures).await.map(Err)
    }

    async fn wrong_linked_answer(
        &self,
        ctx: &Ctx,
        (session, authorisation): (Session, Authorisation),
        failures: LogInFailures,
    ) -> Result<Attempted, Error> {
        let rules = self.sca_rules(&session);
        let authorisation = authorisation.wrong_answer(rules.max_wrong_answers);
        let failures = failures.failed(ctx.now, rules);
        let changes = Changes::new().put_log_in_failures(&failures).put_authorisation(&authorisation);
        if !authorisation.is_pending_at(ctx.now, rules.lifetime) {
            return self.leave(changes, session, Outcome::AnswersWrong).await.map(Ok);
        }
        self.0.store.save(changes.put_session(&self.with_new_nonce(ctx, session))).await?;
        Ok(Err(DecisionProblem::Answer(match failures.blocked_until(ctx.now, rules) {
            Some(until) => LogInProblem::Blocked { until, failures: rules.max_failures },
            None => LogInProblem::Wrong { left: rules.max_wrong_answers - authorisation.wrong_answers },
        })))
    }

    /// A session whose next challenge is another one, whatever is paid.
    pub(crate) fn with_new_nonce(&self, ctx: &Ctx, session: Session) -> Session {
        Session { challenge: self.nonce(), seen_at: ctx.now, ..session }
    }
}
