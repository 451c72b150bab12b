//! The customer logs in at the bank's page, or does not.

use domain::authorisations::MAX_WRONG_ANSWERS;
use domain::{AccountReference, CustomerId, Iban, LogInFailures, SecretHash, Session, Timestamp};

use crate::bank::Credentials;
use crate::error::retry;
use crate::sessions::{CHALLENGE, Found, Open, Outcome, WayBack};
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

/// What came of a log-in.
#[derive(Debug)]
pub enum LogIn {
    /// The customer is logged in; the session goes on under a new secret.
    Done(String),
    /// Wrong, whatever was wrong about it. There are more attempts.
    Wrong {
        /// How many.
        left: i64,
    },
    /// An answer to a challenge that is not shown any more, as a reloaded page sends it. It counts for nothing.
    Stale,
    /// Too many failures in a row: no log-in for a while.
    Blocked {
        /// Until when.
        until: Timestamp,
    },
    /// The session is over.
    Leave(WayBack),
    /// There is no such session.
    Ended,
}

impl Gateway {
    /// A customer logs in. Five failures in a row block the log-in for a while, whichever third parties the
    /// attempts were for (Delegated Regulation (EU) 2018/389, Article 4(3)(b)); three end this authorisation.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn log_in(&self, ctx: &Ctx, secret: &str, attempt: LogInAttempt<'_>) -> Result<LogIn, Error> {
        let fresh = self.0.randomness.secret();
        // An identification that is none takes the same way as one that nobody has.
        let iban = Iban::parse(attempt.iban).ok();
        let who = iban.as_ref().map_or("", Iban::as_str);
        let psu = secrets::hash(&format!("{}|{who}", ctx.tenant));
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Found::Open(open) => open,
                Found::Leave(way_back) => return Ok(LogIn::Leave(way_back)),
                Found::Ended => return Ok(LogIn::Ended),
            };
            if attempt.challenge.is_some_and(|challenge| challenge != open.session.challenge) {
                return Ok(LogIn::Stale);
            }
            let failures = self.failures(ctx, &psu).await?;
            if let Some(until) = failures.blocked_until(ctx.now) {
                return Ok(LogIn::Blocked { until });
            }
            let credentials = iban.as_ref().map(|iban| Credentials {
                iban,
                challenge: &open.session.challenge,
                answer: attempt.answer,
            });
            let customer = match credentials {
                Some(credentials) => self.0.bank.log_in(&ctx.tenant, credentials).await?,
                None => None,
            };
            match customer {
                Some(customer) => self.logged_in(ctx, *open, failures, customer, &fresh).await,
                None => self.not_logged_in(ctx, *open, failures).await,
            }
        })
        .await
    }

    async fn logged_in(
        &self,
        ctx: &Ctx,
        open: Open,
        failures: LogInFailures,
        customer: CustomerId,
        fresh: &str,
    ) -> Result<LogIn, Error> {
        let Open { session, consent, authorisation } = open;
        let mut changes = Changes::new();
        if failures.count > 0 {
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
                    return Ok(LogIn::Ended);
                }
            }
        }
        let accounts = self.0.bank.accounts_of(&customer).await?;
        let holds = |reference: &&AccountReference| accounts.iter().any(|one| reference.names(one));
        if !consent.access.references().iter().all(holds) {
            changes = changes.put_authorisation(&authorisation.fail());
            return Ok(LogIn::Leave(self.leave(changes, session, Outcome::NoAccess).await?));
        }
        // The session goes on under a new secret, so that one planted before the log-in is worth nothing; and an
        // answer is taken once.
        let next = Session {
            hash: secrets::hash(fresh),
            customer: Some(customer),
            authenticated_at: Some(ctx.now),
            challenge: String::new(),
            seen_at: ctx.now,
            version: 0,
            ..session.clone()
        };
        changes = changes.put_session(&Session { ended: true, ..session }).put_session(&next);
        self.0.store.save(changes).await?;
        Ok(LogIn::Done(fresh.to_owned()))
    }

    async fn not_logged_in(&self, ctx: &Ctx, open: Open, failures: LogInFailures) -> Result<LogIn, Error> {
        let Open { session, authorisation, .. } = open;
        let (failures, authorisation) = (failures.failed(ctx.now), authorisation.wrong_answer());
        let changes = Changes::new().put_log_in_failures(&failures).put_authorisation(&authorisation);
        if !authorisation.is_pending_at(ctx.now) {
            return Ok(LogIn::Leave(self.leave(changes, session, Outcome::LogInFailed).await?));
        }
        let challenge = self.0.randomness.digits(CHALLENGE);
        let seen = Session { challenge, seen_at: ctx.now, ..session };
        self.0.store.save(changes.put_session(&seen)).await?;
        Ok(match failures.blocked_until(ctx.now) {
            Some(until) => LogIn::Blocked { until },
            None => LogIn::Wrong { left: MAX_WRONG_ANSWERS - authorisation.wrong_answers },
        })
    }

    async fn failures(&self, ctx: &Ctx, psu: &SecretHash) -> Result<LogInFailures, Error> {
        let known = self.0.store.log_in_failures(&ctx.tenant, psu).await?;
        Ok(known.unwrap_or_else(|| LogInFailures {
            tenant: ctx.tenant.clone(),
            psu: psu.clone(),
            count: 0,
            last_at: ctx.now,
            version: 0,
        }))
    }
}
