//! How long rows live. A task of its own forgets them, in small batches; no call does.

use domain::{REMEMBERED, Tenant, Timestamp};
use jiff::SignedDuration;
use store::Perishable;

use crate::{Error, Gateway};

/// Most rows of a kind that are forgotten in one batch: what others wait for.
const BATCH: i64 = 256;

/// How often a store may be unavailable in one round. The first time it may be one statement that takes too long.
const UNAVAILABLE: usize = 2;

/// How long a kind of row is remembered after the time at which the store says that it ended.
fn remembered(kind: Perishable) -> SignedDuration {
    match kind {
        Perishable::InitialAccessToken
        | Perishable::Request
        | Perishable::Session
        | Perishable::CustomerSession
        | Perishable::AuthorizationCode
        | Perishable::Token
        | Perishable::PushedRequest
        | Perishable::LogInFailures => REMEMBERED,
        // An assertion that has expired is refused, whether it was taken or not.
        Perishable::ClientAssertion => SignedDuration::ZERO,
        // These say themselves when it is time.
        Perishable::Consent
        | Perishable::FundsConsent
        | Perishable::Payment
        | Perishable::PrivateState
        | Perishable::Certificate => SignedDuration::ZERO,
    }
}

/// What one round of forgetting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// How many rows were forgotten, without those that belonged to them.
    pub rows: usize,
    /// Whether there may be more that can be forgotten at once: not while the store is unavailable.
    pub is_more: bool,
}

impl Forgotten {
    /// Counts a batch.
    fn add(&mut self, rows: Result<usize, Error>) -> Result<(), Error> {
        match rows {
            // What goes on after all is a conflict, and no longer due at the next look.
            Err(Error::Conflict) => self.is_more = true,
            done => {
                let rows = done?;
                self.rows += rows;
                self.is_more |= i64::try_from(rows).unwrap_or(BATCH) >= BATCH;
            }
        }
        Ok(())
    }
}

impl Gateway {
    /// The clock of a tenant.
    pub fn now(&self, tenant: &Tenant) -> Timestamp {
        self.0.clock.now(Some(tenant))
    }

    /// Forgets what has ended by a tenant's clock: one small batch of each kind. A kind that cannot be forgotten keeps no other one.
    ///
    /// Returns what was forgotten, and beside it the first [`Error`]. Whatever could be forgotten was, unless the store was not available
    /// for two kinds.
    pub async fn forget(&self, tenant: &Tenant, now: Timestamp) -> (Forgotten, Result<(), Error>) {
        let mut forgotten = Forgotten { rows: 0, is_more: false };
        // What belongs to no tenant has ended when it has by every clock.
        let slowest = self.0.settings.tenants.iter().map(|tenant| self.now(tenant)).fold(now, Timestamp::min);
        let (mut failed, mut unavailable) = (Ok(()), 0);
        for kind in Perishable::ALL {
            let now = if kind.is_of_tenant() { now } else { slowest };
            let before = now.saturating_sub(remembered(kind)).unwrap_or(Timestamp::MIN);
            let rows = self.0.store.forget(kind, tenant, before, BATCH).await.map_err(Error::from);
            let done = forgotten.add(rows);
            unavailable += usize::from(is_unavailable(&done));
            failed = failed.and(done);
            if unavailable == UNAVAILABLE {
                forgotten.is_more = false;
                return (forgotten, failed);
            }
        }
        let kept = self.0.settings.kept.audit;
        let before = slowest.saturating_sub(kept).unwrap_or(Timestamp::MIN);
        let done = forgotten.add(self.forget_trail(slowest, before, BATCH).await);
        forgotten.is_more &= unavailable == 0 && !is_unavailable(&done);
        (forgotten, failed.and(done))
    }
}

fn is_unavailable(done: &Result<(), Error>) -> bool {
    matches!(done, Err(Error::Unavailable(_)))
}
