//! What a bank does by itself as time goes by: orders and schedules whose time has come, in the order of their moments.

use std::sync::Arc;

use gateway::bank::Answer;
use gateway::domain::{Tenant, Timestamp};
use gateway::{Error, Gateway};
use jiff::SignedDuration;
use tokio::sync::Mutex;

use crate::log_failure;

/// Most steps that are done at once; whatever else is due comes next time.
const MAX_STEPS: usize = 1000;

/// One kind of what comes due.
pub trait Due: Send + Sync {
    /// The first moment after another one at which something of it comes due in a branch, by the branch's clock.
    fn next<'a>(&'a self, tenant: &'a Tenant, after: Timestamp) -> Answer<'a, Option<Timestamp>>;

    /// Does what came due in a branch until a moment that has come, as of that moment: as much as can be done in one go.
    /// It is called again until nothing is left. `now` is by the branch's clock.
    fn make<'a>(
        &'a self,
        tenant: &'a Tenant,
        moment: Timestamp,
        now: Timestamp,
    ) -> std::pin::Pin<Box<dyn Future<Output = Steps> + Send + 'a>>;
}

/// What came of doing what is due.
#[derive(Debug)]
pub struct Steps {
    /// How many steps were done.
    pub made: usize,
    /// The last failure; what failed is left for the next time.
    pub failed: Result<(), Error>,
}

/// Everything that a bank does by itself. It is called again and again as time goes by, and when a clock was moved.
#[derive(Clone, Default)]
pub struct Agenda {
    kinds: Vec<Arc<dyn Due>>,
    /// Held by whoever does what is due: two at once would change the order.
    turn: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Agenda {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agenda").field("kinds", &self.kinds.len()).finish_non_exhaustive()
    }
}

/// A kind of what comes due, in a branch.
struct Waiting<'a> {
    kind: &'a dyn Due,
    tenant: &'a Tenant,
    /// By the branch's clock.
    now: Timestamp,
    /// When the oldest of what is due came due; none if nothing is.
    moment: Option<Timestamp>,
    /// What came due until then failed, and is left for the next time.
    after: Timestamp,
}

impl Waiting<'_> {
    /// How long it has been due: clocks of branches differ, and customers of one are paid by those of another.
    fn overdue(&self) -> Option<SignedDuration> {
        self.moment.map(|moment| self.now.duration_since(moment))
    }

    async fn look(&mut self) -> Result<(), Error> {
        let next = self.kind.next(self.tenant, self.after).await?;
        self.moment = next.filter(|moment| *moment <= self.now);
        Ok(())
    }
}

impl Agenda {
    /// Adds a kind.
    #[must_use]
    pub fn with(mut self, kind: Arc<dyn Due>) -> Self {
        self.kinds.push(kind);
        self
    }

    /// The first moment after another one at which anything comes due in a branch.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn next(&self, tenant: &Tenant, after: Timestamp) -> Result<Option<Timestamp>, Error> {
        let mut first: Option<Timestamp> = None;
        for kind in &self.kinds {
            let next = kind.next(tenant, after).await?;
            first = first.into_iter().chain(next).min();
        }
        Ok(first)
    }

    /// Does what is due in every branch by its clock. What fails is logged and tried again the next time.
    pub async fn do_due(&self, gateway: &Gateway) {
        let _one_after_the_other = self.turn.lock().await;
        let tenants = gateway.settings().tenants.iter();
        let branches: Vec<_> = tenants.map(|tenant| (tenant, gateway.now(tenant))).collect();
        if let Err(error) = self.do_due_at(&branches).await {
            log_failure(&gateway.new_request_id(), &error);
        }
    }

    /// Does what is due in branches, each by its clock, at most a thousand steps: what has been due longest in any of them
    /// first, and each as of its own moment. So what came due while the bank was not there, or while clocks jumped, is made
    /// on its own day, with what the accounts held then, as far as nothing was booked on them since.
    ///
    /// # Errors
    /// The last of those that came up; what came due after it was looked at all the same
    pub async fn do_due_at(&self, branches: &[(&Tenant, Timestamp)]) -> Result<(), Error> {
        let (mut left, mut failed) = (MAX_STEPS, Ok(()));
        let mut waiting = Vec::new();
        for &(tenant, now) in branches {
            for kind in &self.kinds {
                let mut one = Waiting { kind: &**kind, tenant, now, moment: None, after: Timestamp::MIN };
                one.look().await?;
                waiting.push(one);
            }
        }
        while left > 0 {
            let Some(longest) = waiting.iter_mut().max_by_key(|one| one.overdue()) else { break };
            let (Some(moment), tenant) = (longest.moment, longest.tenant) else { break };
            let steps = longest.kind.make(tenant, moment, longest.now).await;
            left = left.saturating_sub(steps.made);
            if steps.made == 0 {
                longest.after = moment;
            }
            failed = steps.failed.and(failed);
            // What was made can make something else due in its branch, and nothing in another one.
            for one in waiting.iter_mut().filter(|one| one.tenant == tenant) {
                one.look().await?;
            }
        }
        failed
    }
}
