//! How often one third party may call, and how much at once: what protects a bank and its other callers from a program that runs
//! wild. Each process counts for itself, in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::{Refusal, TppId};

use crate::profile::CallLimits;
use crate::{ActingTpp, Gateway};

/// Third parties of which is remembered how much they called, before those are forgotten who have all of their calls left.
const MANY: usize = 4096;

/// What third parties have left.
#[derive(Debug, Default)]
pub(crate) struct CallCounts(Mutex<HashMap<TppId, Count>>);

#[derive(Debug, Clone, Copy)]
struct Count {
    /// When all of its calls are left again.
    full_at: Instant,
    /// Calls that are answered now.
    running: usize,
}

impl CallCounts {
    /// Counts a call. The allowance is one of `calls` that comes back evenly `within` a time, so that nobody calls twice as much
    /// around the end of a minute.
    fn begin(&self, id: &TppId, limits: CallLimits, now: Instant) -> Result<(), Refusal> {
        let CallLimits { calls, within, at_once } = limits;
        let each = within / calls.max(1);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MANY && !counts.contains_key(id) {
            counts.retain(|_, count| count.running > 0 || count.full_at > now);
        }
        let count = counts.entry(id.clone()).or_insert(Count { full_at: now, running: 0 });
        if count.running >= at_once {
            return Err(Refusal::TooManyAtOnce { most: at_once });
        }
        let full_at = count.full_at.max(now) + each;
        // What is spent is what takes until then to come back.
        let over = (full_at - now).saturating_sub(each * calls.max(1));
        if over > Duration::ZERO {
            let retry_after = i64::try_from(over.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
            return Err(Refusal::TooManyCalls { calls, seconds: within.as_secs(), retry_after });
        }
        *count = Count { full_at, running: count.running + 1 };
        Ok(())
    }

    fn end(&self, id: &TppId) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(id) {
            count.running = count.running.saturating_sub(1);
        }
    }
}

/// The place of a call that is answered. Dropping it gives it back.
#[derive(Debug)]
pub struct CallPlace(Option<(Gateway, TppId)>);

impl Drop for CallPlace {
    fn drop(&mut self) {
        if let Some((gateway, id)) = &self.0 {
            gateway.0.call_counts.end(id);
        }
    }
}

impl Gateway {
    /// Counts a call of a third party, where the profile has limits, and gives it a place until it is answered. To be asked once it is
    /// certain who calls, so that nobody uses up what is another's.
    ///
    /// # Errors
    /// [`Refusal::TooManyCalls`], [`Refusal::TooManyAtOnce`]
    pub fn take_call_place(&self, caller: &ActingTpp) -> Result<CallPlace, Refusal> {
        let Some(limits) = self.profile(caller.interface()).calls else { return Ok(CallPlace(None)) };
        self.0.call_counts.begin(caller.id(), limits, Instant::now())?;
        Ok(CallPlace(Some((self.clone(), caller.id().clone()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CallLimits = CallLimits { calls: 4, within: Duration::from_secs(60), at_once: 2 };

    #[test]
    fn so_many_calls_and_as_they_come_back() {
        let (counts, begin) = (CallCounts::default(), Instant::now());
        let (one, other) = (TppId::new("PSDNL-DNB-1"), TppId::new("PSDNL-DNB-2"));
        let call = |id: &TppId, second: u64| {
            let called = counts.begin(id, LIMITS, begin + Duration::from_secs(second));
            called.is_ok().then(|| counts.end(id));
            called
        };
        assert!((0..4).all(|_| call(&one, 0).is_ok()));
        assert_eq!(call(&one, 0), Err(Refusal::TooManyCalls { calls: 4, seconds: 60, retry_after: 15 }));
        assert_eq!(call(&one, 5), Err(Refusal::TooManyCalls { calls: 4, seconds: 60, retry_after: 10 }));
        assert!(call(&other, 5).is_ok(), "each for itself");
        assert!(call(&one, 15).is_ok() && call(&one, 15).is_err(), "one came back");
        assert!(
            (0..4).all(|_| call(&one, 100).is_ok()) && call(&one, 100).is_err(),
            "no more than all of them"
        );
    }

    #[test]
    fn so_many_at_once() {
        let (counts, now, id) = (CallCounts::default(), Instant::now(), TppId::new("PSDNL-DNB-1"));
        assert!((0..2).all(|_| counts.begin(&id, LIMITS, now).is_ok()));
        assert_eq!(counts.begin(&id, LIMITS, now), Err(Refusal::TooManyAtOnce { most: 2 }));
        counts.end(&id);
        assert!(counts.begin(&id, LIMITS, now).is_ok(), "what was refused costs nothing");
    }

    #[test]
    fn whoever_has_all_left_is_forgotten() {
        let (counts, begin) = (CallCounts::default(), Instant::now());
        let later = begin + LIMITS.within;
        for number in 0..2 * MANY {
            let at = if number < MANY { begin } else { later };
            let id = TppId::new(format!("PSDNL-DNB-{number}"));
            assert!(counts.begin(&id, LIMITS, at).is_ok());
            counts.end(&id);
        }
        assert_eq!(counts.0.lock().unwrap().len(), MANY);
    }
}
