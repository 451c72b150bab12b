//! The customer logs in at the bank's page, or does not.

use domain::{
    AccountReference, CustomerId, Iban, LogInFailures, LoggedIn, Purpose, ScaRules, SecretHash, Session,
    Timestamp, TppId,
};
use jiff::SignedDuration;

use crate::bank::Credentials;
use crate::error::retry;
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

/// Somebody whom an account number names, and what is known about failures in their name.
pub(crate) struct Named {
    /// Nobody, for a number that nobody has; it is treated as if somebody had it.
    customer: Option<CustomerId>,
    pub(crate) failures: LogInFailures,
    pub(crate) blocked_until: Option<Timestamp>,
}

/// Somebody who proved who they are.
pub(crate) struct Proved {
    pub(crate) customer: CustomerId,
    /// When.
    pub(crate) at: Timestamp,
    /// What was known about failures in their name.
    pub(crate) failures: Option<LogInFailures>,
    /// The challenge of the session that goes on.
    pub(crate) challenge: String,
}

/// Where a customer logs in: at whom wrong answers are counted, and by which rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Door<'a> {
    /// The third party that the customer is to authorise, or the bank's own pages.
    pub(crate) of: &'a TppId,
    pub(crate) rules: &'a ScaRules,
}

impl Named {
    /// Of those whom an account number names, everybody who is not blocked; or until when all of them are.
    pub(crate) fn not_blocked(mut named: Vec<Self>) -> Result<Vec<Self>, Timestamp> {
        let until = named.iter().filter_map(|one| one.blocked_until).min();
        named.retain(|one| one.blocked_until.is_none());
        match (until, &named[..]) {
            (Some(until), []) => Err(until),
            _ => Ok(named),
        }
    }

    /// Those who are customers.
    pub(crate) fn customers(named: &[Self]) -> Vec<CustomerId> {
        named.iter().filter_map(|one| one.customer.clone()).collect()
    }

    /// The failures in the name of a customer.
    pub(crate) fn failures_of(named: Vec<Self>, customer: &CustomerId) -> Option<LogInFailures> {
        let own = named.into_iter().find(|one| one.customer.as_ref() == Some(customer));
        own.map(|own| own.failures)
    }
}

/// Why a wrong answer did not help: whoever is blocked now is told so, unless another holder of the account is not.
pub(crate) fn why_not(
    failures: &[LogInFailures],
    (now, rules): (Timestamp, &ScaRules),
    left: i64,
) -> LogInProblem {
    let blocked: Option<Vec<Timestamp>> =
        failures.iter().map(|failures| failures.blocked_until(now, rules)).collect();
    match blocked.unwrap_or_default().into_iter().min() {
        Some(until) => LogInProblem::Blocked { until, failures: rules.max_failures },
        None => LogInProblem::Wrong { left },
    }
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

    async fn try_log_in(
        &self,
        ctx: &Ctx,
        secret: &str,
        attempt: LogInAttempt<'_>,
    ) -> Result<Attempted, Error> {
        let fresh = self.0.randomness.secret();
        let iban = Iban::parse(attempt.iban).ok();
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Ok(open) => open,
                Err(elsewhere) => return Ok(Ok(elsewhere)),
            };
            if attempt.challenge.is_some_and(|challenge| challenge != open.session.challenge) {
                return Ok(Err(LogInProblem::Stale));
            }
            let rules = self.sca_rules(&open.session);
            let named = self.named(ctx, self.door(&open.session), iban.as_ref()).await?;
            // Of several holders of one account, those who are not blocked can log in.
            let named = match Named::not_blocked(named) {
                Ok(named) => named,
                Err(until) => {
                    return Ok(Err(LogInProblem::Blocked { until, failures: rules.max_failures }));
                }
            };
            if self.has_too_many_open(ctx, &open.session, &named).await? {
                let ScaRules { max_open_challenges: most, idle_time, .. } = *rules;
                return Ok(Err(LogInProblem::TooManyOpen { most, idle_time }));
            }
            let credentials = Credentials { challenge: &open.session.challenge, answer: attempt.answer };
            match self.0.bank.customers.log_in(&Named::customers(&named), credentials).await? {
                Some(customer) => {
                    let failures = Named::failures_of(named, &customer);
                    let proved = Proved { customer, at: ctx.now, failures, challenge: self.nonce() };
                    self.logged_in(ctx, *open, proved, &fresh).await.map(Ok)
                }
                None => self.not_logged_in(ctx, *open, named).await,
            }
        })
        .await
    }

    /// The rules by which a customer logs in, in a session.
    pub(crate) fn sca_rules(&self, session: &Session) -> &ScaRules {
        &self.profile(session.request.interface).sca
    }

    /// Where a customer logs in, in a session.
    fn door<'a>(&'a self, session: &'a Session) -> Door<'a> {
        Door { of: &session.request.client, rules: self.sca_rules(session) }
    }

    /// Everybody whom an account number names, with the failures in their name at a door.
    pub(crate) async fn named(
        &self,
        ctx: &Ctx,
        door: Door<'_>,
        iban: Option<&Iban>,
    ) -> Result<Vec<Named>, Error> {
        let Some(iban) = iban else { return Ok(Vec::new()) };
        let customers = self.0.bank.customers.named_by(&ctx.tenant, iban).await?;
        let mut named = Vec::new();
        if customers.is_empty() {
            let who = secrets::hash(&format!("{}|{iban}", ctx.tenant, iban = iban.as_str()));
            named.push(self.named_as(ctx, door, (None, who)).await?);
        }
        for customer in customers {
            named.push(self.customer_at(ctx, door, customer).await?);
        }
        Ok(named)
    }

    /// A customer, with the failures in their name for the third party of a session.
    pub(crate) async fn named_customer(
        &self,
        ctx: &Ctx,
        session: &Session,
        customer: CustomerId,
    ) -> Result<Named, Error> {
        self.customer_at(ctx, self.door(session), customer).await
    }

    async fn customer_at(&self, ctx: &Ctx, door: Door<'_>, customer: CustomerId) -> Result<Named, Error> {
        let who = secrets::hash(&format!("{}|customer {customer}", ctx.tenant));
        self.named_as(ctx, door, (Some(customer), who)).await
    }

    async fn named_as(
        &self,
        ctx: &Ctx,
        Door { of: tpp, rules }: Door<'_>,
        (customer, psu): (Option<CustomerId>, SecretHash),
    ) -> Result<Named, Error> {
        let since = ctx.now.saturating_sub(rules.block_time).unwrap_or(Timestamp::MIN);
        let all = self.0.store.log_in_failures((&ctx.tenant, &psu), tpp, since).await?;
        let failures = all.iter().find(|failures| failures.tpp == *tpp).cloned();
        let failures = failures.unwrap_or_else(|| LogInFailures {
            tenant: ctx.tenant.clone(),
            psu,
            tpp: tpp.clone(),
            count: 0,
            last_at: ctx.now,
            version: 0,
        });
        let here = failures.blocked_until(ctx.now, rules);
        let everywhere = LogInFailures::all_blocked_until(&all, ctx.now, rules);
        Ok(Named { customer, failures, blocked_until: here.max(everywhere) })
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
        let Proved { customer, at, failures, challenge } = proved;
        let mut changes = Changes::new();
        if let Some(failures) = failures.filter(|failures| failures.count > 0) {
            changes = changes.put_log_in_failures(&failures.cleared());
        }
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

    async fn not_logged_in(&self, ctx: &Ctx, open: Open, named: Vec<Named>) -> Result<Attempted, Error> {
        let Open { session, authorisation, .. } = open;
        let rules = self.sca_rules(&session);
        let authorisation = authorisation.wrong_answer(rules.max_wrong_answers);
        let failures: Vec<LogInFailures> =
            named.into_iter().map(|one| one.failures.failed(ctx.now, rules)).collect();
        let changes = failures.iter().fold(Changes::new(), Changes::put_log_in_failures);
        let changes = changes.put_authorisation(&authorisation);
        if !authorisation.is_pending_at(ctx.now, rules.lifetime) {
            return self.leave(changes, session, Outcome::LogInFailed).await.map(Ok);
        }
        let challenge = self.0.randomness.digits(rules.challenge_digits);
        let named = failures.first().map(|failures| failures.psu.clone()).or(session.named.clone());
        let seen = Session { challenge, named, seen_at: ctx.now, ..session };
        self.0.store.save(changes.put_session(&seen)).await?;
        let left = rules.max_wrong_answers - authorisation.wrong_answers;
        Ok(Err(why_not(&failures, (ctx.now, rules), left)))
    }
}
