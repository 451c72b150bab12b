//! What every use case needs to know about the call it serves.

use domain::{Date, Language, RequestId, Tenant, Timestamp};

/// A call. The clock was read once, when this was made; whatever depends on time is computed from it.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Now, by the tenant's clock.
    pub now: Timestamp,
    /// The branch that was called.
    pub tenant: Tenant,
    /// The call's id.
    pub request: RequestId,
    /// The language that the caller wants pages in, if it said so and the pages have it.
    pub language: Option<Language>,
}

impl Ctx {
    /// Today, by the bank's own calendar.
    pub fn today(&self) -> Date {
        self.tenant.date_at(self.now)
    }
}
