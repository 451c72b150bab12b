//! The customer logs in at the bank's page, or does not.

use domain::{AccountReference, CustomerId, Iban, LoggedIn, Purpose, ScaRules, Session, Timestamp};
use jiff::SignedDuration;

use crate::error::retry;
use crate::log_in_failures::{Claim, Door, Named, to_its_end};
use crate::sessions::{Journey, Open, Outcome};
use crate::{Changes, Ctx, Error, Gateway, secrets};

/// What a customer sends to log in.
#[derive(Debug, Clone, Copy)]
pub struct LogInAttempt<'a> {
    /// An account number of the customer, as typed.
    pub iban: &'a str,
    /// What the customer's device answered.
    pub answer: &'a str,
    /// To which challenge; absent for the one that is shown now.
    pub challenge: Option<&'a str>,
}

/// Why a log-in did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogInProblem {
    /// Wrong, whatever was wrong about it. There are more attempts.
    Wrong {
        /// How many.
        left: i64,
    },
    /// An answer to a challenge that is not shown any more, as a reloaded page sends it. It counts for nothing.
    Stale,
    /// The customer has yet to answer as many challenges of this third party as there may be at once. Counts for nothing.
    TooManyOpen {
        /// How many there may be.
        most: usize,
        /// After how long those that nobody touches count no more.
        idle_time: SignedDuration,
    },
    /// Too many failures in a row: no log-in for a while.
    Blocked {
        /// Until when.
        until: Timestamp,
        /// How many block it.
        failures: i64,
    },
}

/// Where the browser stands after an attempt, or why it still stands where it did.
type Attempted = Result<Journey, LogInProblem>;

/// Somebody who proved who they are.
pub(crate) struct Proved {
    pub(crate) customer: CustomerId,
    /// When.
    pub(crate) at: Timestamp,
    /// The challenge of the session that goes on.
    pub(crate) challenge: String,
}

impl Gateway {
    /// A customer logs in. So many failures in a row at one third party block the log-in there for a while (Delegated
    /// Regulation (EU) 2018/389, Article 4(3)(b)), more at all of them everywhere; fewer end this authorisation. They
    /// are counted for the customer, by whatever number they were named; text that is no account number names nobody.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn log_in(&self, ctx: &Ctx, secret: &str, attempt: LogInAttempt<'_>) -> Result<Journey, Error> {
        match self.try_log_in(ctx, secret, attempt).await? {
            Ok(journey) => Ok(journey),
            Err(problem) => {
                let mut journey = self.visit(ctx, secret, None).await?;
                if let Journey::LogIn(view) = &mut journey {
                    view.problem = Some(problem);
                }
                Ok(journey)
            }
        }
    }

    /// The bank may count wrong answers of a device, and take a right one once: it is asked about an answer once, whatever else this
    /// browser or another one does meanwhile.
    async fn try_log_in(
        &self,
        ctx: &Ctx,
        secret: &str,
        attempt: LogInAttempt<'_>,
    ) -> Result<Attempted, Error> {
        let claim = match self.claim_log_in(ctx, secret, attempt).await? {
            Ok(claim) => claim,
            Err(attempted) => return Ok(attempted),
        };
        let (this, of, browser) = (self.clone(), ctx.clone(), secret.to_owned());
        let answer = attempt.answer.to_owned();
        let asked = to_its_end(async move {
            match this.ask_and_settle(&of, (&claim, &answer), None).await? {
                Some(customer) => Ok(Ok(customer)),
                None => this.not_logged_in(&of, &browser, &claim).await.map(Err),
            }
        });
        let customer = match asked.await? {
            Ok(customer) => customer,
            Err(attempted) => return Ok(attempted),
        };
        let (fresh, challenge) = (self.0.randomness.secret(), self.nonce());
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Ok(open) => open,
                Err(elsewhere) => return Ok(Ok(elsewhere)),
            };
            let proved = Proved { customer: customer.clone(), at: ctx.now, challenge: challenge.clone() };
            self.logged_in(ctx, *open, proved, &fresh).await.map(Ok)
        })
        .await
    }

    /// Claims the answer to the challenge that is shown: it is counted, and the session has another challenge from now on. Or where
    /// the browser stands, if nobody may be asked about it.
    async fn claim_log_in(
        &self,
        ctx: &Ctx,
        secret: &str,
        attempt: LogInAttempt<'_>,
    ) -> Result<Result<Claim, Attempted>, Error> {
        let iban = Iban::parse(attempt.iban).ok();
        retry(|| async {
            let Open { session, .. } = match self.find_session(ctx, secret).await? {
                Ok(open) => *open,
                Err(elsewhere) => return Ok(Err(Ok(elsewhere))),
            };
            if attempt.challenge.is_some_and(|challenge| challenge != session.challenge) {
                return Ok(Err(Err(LogInProblem::Stale)));
            }
            let door @ Door { rules, .. } = self.door(&session);
            let named = self.named(ctx, door, iban.as_ref()).await?;
            // Of several holders of one account, those who are not blocked can log in.
            let named = match Named::not_blocked(named) {
                Ok(named) => named,
                Err(until) => {
                    return Ok(Err(Err(LogInProblem::Blocked { until, failures: rules.max_failures })));
                }
            };
            if self.has_too_many_open(ctx, &session, &named).await? {
                let ScaRules { max_open_challenges: most, idle_time, .. } = *rules;
                return Ok(Err(Err(LogInProblem::TooManyOpen { most, idle_time })));
            }
            let (claim, changes) = Claim::of((door, session.challenge.clone()), named, ctx.now);
            let challenge = self.0.randomness.digits(rules.challenge_digits);
            let next = Session { challenge, seen_at: ctx.now, ..session };
            self.0.store.save(changes.put_session(&next)).await?;
            Ok(Ok(claim))
        })
        .await
    }

    /// The rules by which a customer logs in, in a session.
    pub(crate) fn sca_rules(&self, session: &Session) -> &ScaRules {
        &self.profile(session.request.interface).sca
    }

    /// Where a customer logs in, in a session.
    pub(crate) fn door<'a>(&'a self, session: &'a Session) -> Door<'a> {
        Door { of: &session.request.client, rules: self.sca_rules(session) }
    }

    /// Whether so many other browsers of the third party show challenges to one of these customers that there must not
    /// be one more.
    async fn has_too_many_open(&self, ctx: &Ctx, session: &Session, named: &[Named]) -> Result<bool, Error> {
        let rules = self.sca_rules(session);
        let since = ctx.now.saturating_sub(rules.idle_time).unwrap_or(Timestamp::MIN);
        for one in named {
            let open = self.0.store.sessions_naming(&one.failures.psu, since).await?;
            let is_other = |other: &&Session| {
                other.hash != session.hash && other.request.client == session.request.client
            };
            if open.iter().filter(is_other).count() >= rules.max_open_challenges {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The customer is through, unless what is asked for is not theirs to give.
    pub(crate) async fn logged_in(
        &self,
        ctx: &Ctx,
        open: Open,
        proved: Proved,
        fresh: &str,
    ) -> Result<Journey, Error> {
        let Open { session, matter, authorisation } = open;
        let Proved { customer, at, challenge } = proved;
        let mut changes = Changes::new();
        if let Some(pushed) = &session.request.pushed {
            match self.use_pushed_request(changes, pushed).await? {
                Some(more) => changes = more,
                None => {
                    self.0
                        .store
                        .save(Changes::new().put_session(&Session { ended: true, ..session }))
                        .await?;
                    return Ok(Journey::Ended);
                }
            }
        }
        let accounts = self.0.bank.customers.accounts_of(&customer).await?;
        let holds = |reference: &&AccountReference| accounts.iter().any(|one| reference.names(one));
        let payment = matter.payment_for_tpp();
        let is_approval = authorisation.purpose == Purpose::Approval;
        if is_approval && payment.is_some_and(|payment| payment.was_approved_by(&customer)) {
            changes = changes.put_authorisation(&authorisation.fail());
            return self.leave(changes, session, Outcome::ApprovedBefore).await;
        }
        let can_pay = payment.is_none_or(|payment| payment.can_be_paid_by(&accounts));
        if !can_pay || !matter.references().iter().all(holds) {
            changes = changes.put_authorisation(&authorisation.fail());
            return self.leave(changes, session, Outcome::NoAccess).await;
        }
        // The session goes on under a new secret, so that one planted before the log-in is worth nothing; and an
        // answer is taken once.
        let next = Session {
            hash: secrets::hash(fresh),
            logged_in: Some(LoggedIn { customer, at }),
            challenge,
            named: None,
            seen_at: ctx.now,
            version: 0,
            ..session.clone()
        };
        changes = changes.put_session(&Session { ended: true, ..session }).put_session(&next);
        self.0.store.save(changes).await?;
        Ok(Journey::LoggedIn(fresh.to_owned()))
    }

    async fn not_logged_in(&self, ctx: &Ctx, secret: &str, claim: &Claim) -> Result<Attempted, Error> {
        retry(|| async {
            let Open { session, authorisation, .. } = match self.find_session(ctx, secret).await? {
                Ok(open) => *open,
                Err(elsewhere) => return Ok(Ok(elsewhere)),
            };
            let rules = self.sca_rules(&session);
            let authorisation = authorisation.wrong_answer(rules.max_wrong_answers);
            let changes = Changes::new().put_authorisation(&authorisation);
            if !authorisation.is_pending_at(ctx.now, rules.lifetime) {
                return self.leave(changes, session, Outcome::LogInFailed).await.map(Ok);
            }
            let left = rules.max_wrong_answers - authorisation.wrong_answers;
            let named = claim.name().or(session.named.clone());
            let seen = Session { named, seen_at: ctx.now, ..session };
            self.0.store.save(changes.put_session(&seen)).await?;
            Ok(Err(claim.why_not(ctx.now, left)))
        })
        .await
    }
}
