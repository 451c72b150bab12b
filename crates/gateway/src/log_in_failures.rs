//! Failures at log-ins and approvals, in the name of whoever was named: who is blocked, and what an answer counts.
//!
//! An answer of a customer's device is claimed before the bank is asked about it: it is counted as a failure, in one batch with the
//! challenge that takes the place of the one that it answers. So the bank is asked once about each answer, and about no more than
//! there may be failures, however many come side by side. What it says settles the claim, also if whoever sent the answer goes away.

use std::collections::HashSet;

use domain::{CustomerId, Iban, LogInFailures, ScaRules, SecretHash, Session, Timestamp, TppId};
use tracing::Instrument;

use crate::bank::Credentials;
use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, LogInProblem, secrets};

/// Somebody whom an account number names, and what is known about failures in their name.
#[derive(Debug)]
pub(crate) struct Named {
    /// Nobody, for a number that nobody has; it is treated as if somebody had it.
    customer: Option<CustomerId>,
    pub(crate) failures: LogInFailures,
    pub(crate) blocked_until: Option<Timestamp>,
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
}

/// Where a customer logs in: at whom wrong answers are counted, and by which rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Door<'a> {
    /// The third party that the customer is to authorise, or the bank's own pages.
    pub(crate) of: &'a TppId,
    pub(crate) rules: &'a ScaRules,
}

/// An answer that was counted, about which the bank is asked next.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The challenge that it answers; the session has another one by now.
    challenge: String,
    /// In whose name it was counted, with it.
    named: Vec<Named>,
    of: TppId,
    rules: ScaRules,
}

impl Claim {
    /// Counts an answer to a challenge, and says what has to be saved with the next challenge before anybody is asked.
    pub(crate) fn of(
        (door, challenge): (Door<'_>, String),
        mut named: Vec<Named>,
        now: Timestamp,
    ) -> (Self, Changes) {
        let mut changes = Changes::new();
        for one in &mut named {
            one.failures = one.failures.clone().failed(now, door.rules);
            changes = changes.put_log_in_failures(&one.failures);
        }
        (Self { challenge, named, of: door.of.clone(), rules: *door.rules }, changes)
    }

    /// Those who are customers.
    fn customers(&self) -> Vec<CustomerId> {
        self.named.iter().filter_map(|one| one.customer.clone()).collect()
    }

    /// In whose name a session answered wrongly.
    pub(crate) fn name(&self) -> Option<SecretHash> {
        self.named.first().map(|one| one.failures.psu.clone())
    }

    /// Why a wrong answer did not help: whoever is blocked now is told so, unless another holder of the account is not.
    pub(crate) fn why_not(&self, now: Timestamp, left: i64) -> LogInProblem {
        let blocked: Option<Vec<Timestamp>> =
            self.named.iter().map(|one| one.failures.blocked_until(now, &self.rules)).collect();
        match blocked.unwrap_or_default().into_iter().min() {
            Some(until) => LogInProblem::Blocked { until, failures: self.rules.max_failures },
            None => LogInProblem::Wrong { left },
        }
    }
}

/// Brings what was begun to its end, also if whoever asked for it goes away meanwhile: an answer that was claimed and never settled would
/// count as a failure whatever it was, and a wrong one would not be counted at what the customer was asked for.
///
/// # Errors
/// Those of the work
pub(crate) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work.in_current_span()).await.map_err(Error::internal)?
}

impl Gateway {
    /// Asks the bank about an answer that was claimed, and settles the claim by what it says: whose the answer is, nobody's if it is wrong.
    /// Where a customer approves, it can be theirs alone. To be brought [`to_its_end`].
    ///
    /// # Errors
    /// That of the bank, or of the store
    pub(crate) async fn ask_and_settle(
        &self,
        ctx: &Ctx,
        (claim, answer): (&Claim, &str),
        approving: Option<&CustomerId>,
    ) -> Result<Option<CustomerId>, Error> {
        let credentials = Credentials { challenge: &claim.challenge, answer };
        let customers = &self.0.bank.customers;
        let said = match approving {
            None => customers.log_in(&claim.customers(), credentials).await,
            Some(customer) => {
                let said = customers.approves(customer, credentials).await;
                said.map(|is_right| is_right.then(|| customer.clone()))
            }
        };
        self.settled(ctx, claim, said).await
    }

    /// Settles a claim by what the bank said of the answer, and passes that on: a right one ends the failures of whose it is. A wrong
    /// one was counted before; one about which the bank said nothing, and one that was another holder's, is no failure.
    async fn settled(
        &self,
        ctx: &Ctx,
        claim: &Claim,
        said: Result<Option<CustomerId>, Error>,
    ) -> Result<Option<CustomerId>, Error> {
        if let Ok(None) = said {
            return said;
        }
        let right = said.as_ref().ok().and_then(Option::as_ref);
        let door = Door { of: &claim.of, rules: &claim.rules };
        retry(|| async {
            let mut changes = Changes::new();
            for one in &claim.named {
                let who = (one.customer.clone(), one.failures.psu.clone());
                let failures = self.named_as(ctx, door, who).await?.failures;
                let is_theirs = right.is_some() && one.customer.as_ref() == right;
                if failures.count > 0 {
                    let settled = if is_theirs { failures.cleared() } else { failures.taken_back() };
                    changes = changes.put_log_in_failures(&settled);
                }
            }
            if !changes.is_empty() {
                self.0.store.save(changes).await?;
            }
            Ok(())
        })
        .await?;
        said
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
        // A bank that names somebody once for each account of a number names one customer, whose failures are one row.
        let mut seen = HashSet::new();
        for customer in customers {
            if seen.insert(customer.clone()) {
                named.push(self.customer_at(ctx, door, customer).await?);
            }
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
}
