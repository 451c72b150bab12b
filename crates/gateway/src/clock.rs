//! Time. The only place that reads the system's clock.

use domain::{Tenant, Timestamp};

/// Tells the time, by tenant: in a sandbox each tenant's clock can be moved.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// Now for a tenant, or by the system's clock for none.
    fn now(&self, tenant: Option<&Tenant>) -> Timestamp;

    /// Whether it tells the machine's time, so that other machines have the same.
    fn is_of_system(&self) -> bool {
        false
    }
}

/// The system's clock for every tenant.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    fn now(&self, _: Option<&Tenant>) -> Timestamp {
        Timestamp::now()
    }

    fn is_of_system(&self) -> bool {
        true
    }
}
