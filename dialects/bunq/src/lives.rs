//! How long the dialect's own rows live, and how many of them somebody without credentials can make.
//!
//! What a client made and never used goes soon; what is used goes long after the last use.

use std::sync::{Mutex, PoisonError};

use gateway::domain::DISPUTABLE;
use jiff::{SignedDuration, Timestamp};

use crate::error::Error;

/// An installation with which no session was opened.
pub(crate) const UNUSED: SignedDuration = SignedDuration::from_hours(24 * 7);

/// An installation, a device and a provider's key, after the last session that was opened with them.
pub(crate) const IN_USE: SignedDuration = DISPUTABLE;

/// The user and the credential that stand for one approval, which lasts 90 days.
pub(crate) const APPROVAL: SignedDuration = SignedDuration::from_hours(24 * 130);

/// What was asked to be paid, and what became of it: a little less than the payment itself, which is kept if it was made.
pub(crate) const ORDER: SignedDuration = SignedDuration::from_hours(24 * 390);

/// Installations that can be made in a day.
pub(crate) const INSTALLATIONS: u32 = 20_000;

/// Customers that can be made without log-in in a day. Their books are kept.
pub(crate) const CUSTOMERS: u32 = 2_000;

/// Third parties that can come for the first time in a day, with certificates that they signed themselves.
pub(crate) const PROVIDERS: u32 = 2_000;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The end of a life that begins now.
pub(crate) fn until(now: Timestamp, life: SignedDuration) -> Option<Timestamp> {
    now.saturating_add(life).ok()
}

/// How many of something were made in this day; a day begins with the first of them.
#[derive(Debug)]
pub(crate) struct Quota {
    what: &'static str,
    most: u32,
    day: Mutex<(Timestamp, u32)>,
}

impl Quota {
    pub(crate) fn new(what: &'static str, most: u32) -> Self {
        Self { what, most, day: Mutex::new((Timestamp::MIN, 0)) }
    }

    /// Counts one more.
    ///
    /// # Errors
    /// 429
    pub(crate) fn take(&self, now: Timestamp) -> Result<(), Error> {
        let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.duration_since(day.0);
        // A clock that was set back must not lock anyone out.
        if !(SignedDuration::ZERO..DAY).contains(&age) {
            *day = (now, 0);
        }
        if day.1 < self.most {
            day.1 += 1;
            return Ok(());
        }
        let text = format!(
            "Too many requests. This bank makes at most {} {} in 24 hours. Use those that you have.",
            self.most, self.what
        );
        Err(Error::too_many(text, (DAY - age).as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_quota_and_the_next_one_too() {
        let quota = Quota::new("things", 2);
        let start = Timestamp::UNIX_EPOCH;
        let hours = |hours| start + SignedDuration::from_hours(hours);
        assert!(quota.take(start).is_ok() && quota.take(hours(1)).is_ok());
        let refused = quota.take(hours(3)).unwrap_err();
        assert_eq!(refused.status, http::StatusCode::TOO_MANY_REQUESTS);
        assert!(refused.text.contains("at most 2 things in 24 hours"), "{}", refused.text);
        let response = refused.response(false);
        assert_eq!(response.headers()["retry-after"], (21 * 3600).to_string());
        assert!(quota.take(hours(24)).is_ok(), "the next day");
        assert!(quota.take(hours(2)).is_ok(), "a clock that was set back");
    }
}
