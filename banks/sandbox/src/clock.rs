//! Clocks that can be moved, one for each tenant: a test of one tenant must not expire another's consents.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use gateway::domain::{Tenant, Timestamp};
use gateway::{Clock, Drawer, Error, SystemClock};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};

const KIND: &str = "clock";

/// Moments to which a clock can be set; the certification authority is valid in all of them.
const EARLIEST: &str = "2020-01-02T00:00:00Z";
const LATEST: &str = "2090-01-01T00:00:00Z";

/// The system's clock, or one that began elsewhere, plus an offset for each tenant.
#[derive(Debug)]
pub struct SandboxClock {
    drawer: Drawer,
    /// How far the whole bank is ahead of the system.
    ahead: SignedDuration,
    offsets: RwLock<HashMap<Tenant, SignedDuration>>,
    /// Held by whoever moves a clock: of two who advance it, both count.
    moving: tokio::sync::Mutex<()>,
}

/// A tenant's clock cannot be moved so.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClockError {
    /// Before 2020 or after 2089.
    #[error("a clock can be set to moments from {EARLIEST} to {LATEST}")]
    OutOfRange,
    /// The move could not be kept.
    #[error("{0}")]
    Store(#[from] Error),
}

impl SandboxClock {
    /// Takes up what was kept. With `begin`, the bank's time begins at that moment instead of the system's.
    pub(crate) async fn load(
        drawer: Drawer,
        tenants: &[Tenant],
        begin: Option<Timestamp>,
    ) -> Result<Self, Error> {
        let ahead = begin.map(|begin| begin.duration_since(SystemClock.now(None))).unwrap_or_default();
        let offsets =
            RwLock::new(tenants.iter().map(|tenant| (tenant.clone(), SignedDuration::ZERO)).collect());
        let clock = Self { drawer, ahead, offsets, moving: tokio::sync::Mutex::new(()) };
        clock.reload().await?;
        Ok(clock)
    }

    /// Takes up what was kept, by this process or another one.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn reload(&self) -> Result<(), Error> {
        let _moving = self.moving.lock().await;
        let kept = self.drawer.all(KIND).await?;
        let mut offsets = self.offsets.write().unwrap_or_else(PoisonError::into_inner);
        for (tenant, offset) in offsets.iter_mut() {
            let seconds = kept.iter().find(|(key, _)| key == tenant.as_str());
            if let Some(seconds) = seconds.and_then(|(_, text)| text.parse().ok()) {
                *offset = SignedDuration::from_secs(seconds);
            }
        }
        Ok(())
    }

    /// How far a tenant's clock is ahead of the bank's.
    pub(crate) fn offset(&self, tenant: &Tenant) -> SignedDuration {
        let offsets = self.offsets.read().unwrap_or_else(PoisonError::into_inner);
        offsets.get(tenant).copied().unwrap_or_default()
    }

    /// A moment by one tenant's clock, as that of another one tells it.
    pub(crate) fn elsewhere(&self, (moment, at): (Timestamp, &Tenant), there: &Tenant) -> Timestamp {
        let difference = self.offset(there).saturating_sub(self.offset(at));
        moment.saturating_add(difference).unwrap_or(moment)
    }

    /// The tenants whose accounts are of a country.
    pub(crate) fn tenants_in(&self, country: &str) -> Vec<Tenant> {
        let offsets = self.offsets.read().unwrap_or_else(PoisonError::into_inner);
        offsets.keys().filter(|tenant| tenant.country() == country).cloned().collect()
    }

    /// Sets a tenant's clock to a moment, from which it runs on.
    pub(crate) async fn set(&self, tenant: &Tenant, to: Timestamp) -> Result<(), ClockError> {
        let _moving = self.moving.lock().await;
        self.put(tenant, to).await
    }

    /// Puts a tenant's clock back to the bank's own time.
    pub(crate) async fn reset(&self, tenant: &Tenant) -> Result<(), ClockError> {
        let _moving = self.moving.lock().await;
        self.keep(tenant, 0).await
    }

    /// A moment, if a clock can be set to it.
    pub(crate) fn possible(to: Timestamp) -> Result<Timestamp, ClockError> {
        let range = EARLIEST.parse::<Timestamp>().ok().zip(LATEST.parse::<Timestamp>().ok());
        let is_possible = range.is_some_and(|(earliest, latest)| earliest <= to && to <= latest);
        if is_possible { Ok(to) } else { Err(ClockError::OutOfRange) }
    }

    /// The moment a span from now on a tenant's clock, in UTC, if it can be set to it.
    pub(crate) fn after(&self, tenant: &Tenant, by: Span) -> Result<Timestamp, ClockError> {
        let now = self.now(Some(tenant)).to_zoned_datetime(TimeZone::UTC);
        let to = now.checked_add(by).map_err(|_| ClockError::OutOfRange)?;
        Self::possible(to.timestamp())
    }

    async fn put(&self, tenant: &Tenant, to: Timestamp) -> Result<(), ClockError> {
        let to = Self::possible(to)?;
        // Whole seconds, rounded up: an advance by an hour must never come out a moment short.
        let exact = to.duration_since(self.now(None));
        self.keep(tenant, exact.as_secs() + i64::from(exact.subsec_nanos() > 0)).await
    }

    async fn keep(&self, tenant: &Tenant, seconds: i64) -> Result<(), ClockError> {
        self.drawer.put(KIND, tenant.as_str(), &seconds.to_string()).await?;
        let mut offsets = self.offsets.write().unwrap_or_else(PoisonError::into_inner);
        offsets.insert(tenant.clone(), SignedDuration::from_secs(seconds));
        Ok(())
    }

    /// Moves a tenant's clock by a span, in UTC.
    pub(crate) async fn advance(&self, tenant: &Tenant, by: Span) -> Result<(), ClockError> {
        let _moving = self.moving.lock().await;
        self.put(tenant, self.after(tenant, by)?).await
    }
}

impl Clock for SandboxClock {
    fn now(&self, tenant: Option<&Tenant>) -> Timestamp {
        let system = SystemClock.now(None);
        let offset = tenant.map(|tenant| self.offset(tenant)).unwrap_or_default();
        system.saturating_add(self.ahead.saturating_add(offset)).unwrap_or(system)
    }
}
