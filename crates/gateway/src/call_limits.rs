//! How often one third party may call, and how much at once: what protects a bank and its other callers from a program that runs
//! wild. Each process counts for itself, in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::{Interface, Refusal, TppId};

use crate::profile::CallLimits;
use crate::{ActingTpp, Gateway};

/// Third parties of which is remembered how much they called, before those are forgotten who have all of their calls left.
const MANY: usize = 4096;

/// How many of them are looked at for each new one, so that a call costs the same whoever else calls. They are more than one, so
/// that those who can be forgotten are, however many come.
const LOOKED_AT: usize = 2;

/// A third party at an interface.
type Caller = (Interface, TppId);

/// What third parties have left.
#[derive(Debug, Default)]
pub(crate) struct CallCounts(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    of: HashMap<Caller, Count>,
    /// The same callers, whoever is looked at next first.
    order: VecDeque<Caller>,
    /// Limits that hold in place of those of the profiles.
    changed: HashMap<Interface, Option<CallLimits>>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    /// When all of its calls are left again.
    full_at: Instant,
    /// Calls that are answered now.
    running: usize,
}

/// How long it takes until one call comes back.
fn each(limits: CallLimits) -> Duration {
    limits.within / limits.calls.max(1)
}

impl Count {
    /// The same under other limits: as many calls are spent, and never more than there are.
    fn under(self, (old, new): (CallLimits, CallLimits), now: Instant) -> Self {
        let left = self.full_at.saturating_duration_since(now);
        let spent = left.div_duration_f64(each(old).max(Duration::from_nanos(1)));
        let full_at = now + each(new).mul_f64(spent.min(f64::from(new.calls)));
        Self { full_at, ..self }
    }
}

impl Counts {
    /// Looks at a few callers, and forgets those who have all of their calls left.
    fn forget_some(&mut self, now: Instant) {
        for _ in 0..LOOKED_AT {
            let Some(caller) = self.order.pop_front() else { return };
            if self.of.get(&caller).is_some_and(|count| count.running > 0 || count.full_at > now) {
                self.order.push_back(caller);
            } else {
                self.of.remove(&caller);
            }
        }
    }

    fn count(&mut self, caller: Caller, now: Instant) -> &mut Count {
        if !self.of.contains_key(&caller) {
            if self.of.len() >= MANY {
                self.forget_some(now);
            }
            self.order.push_back(caller.clone());
        }
        self.of.entry(caller).or_insert(Count { full_at: now, running: 0 })
    }
}

impl CallCounts {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limits of an interface: those of its profile, unless they have been changed.
    fn limits(&self, interface: Interface, profile: Option<CallLimits>) -> Option<CallLimits> {
        self.lock().changed.get(&interface).copied().unwrap_or(profile)
    }

    /// Changes the limits of an interface. What was counted stays counted, in calls.
    fn change(
        &self,
        interface: Interface,
        (profile, new): (Option<CallLimits>, Option<CallLimits>),
        now: Instant,
    ) {
        let mut counts = self.lock();
        let old = counts.changed.insert(interface, new).unwrap_or(profile);
        let of_interface = counts.of.iter_mut().filter(|((at, _), _)| *at == interface);
        for (_, count) in of_interface {
            *count = match old.zip(new) {
                Some(both) => count.under(both, now),
                None => Count { full_at: now, ..*count },
            };
        }
    }

    /// Counts a call. The allowance is one of `calls` that comes back evenly `within` a time, so that nobody calls twice as much
    /// around the end of a minute.
    fn begin(&self, caller: Caller, limits: CallLimits, now: Instant) -> Result<(), Refusal> {
        let CallLimits { calls, within, at_once } = limits;
        let each = each(limits);
        let mut counts = self.lock();
        let count = counts.count(caller, now);
        if count.running >= at_once {
            return Err(Refusal::TooManyAtOnce { most: at_once });
        }
        let full_at = count.full_at.max(now) + each;
        // What is spent is what takes until then to come back.
        let over = (full_at - now).saturating_sub(each * calls.max(1));
        if over > Duration::ZERO {
            let retry_after = i64::try_from(over.as_nanos().div_ceil(1_000_000_000)).unwrap_or(i64::MAX);
            return Err(Refusal::TooManyCalls { calls, seconds: within.as_secs(), retry_after });
        }
        *count = Count { full_at, running: count.running + 1 };
        Ok(())
    }

    fn end(&self, caller: &Caller) {
        if let Some(count) = self.lock().of.get_mut(caller) {
            count.running = count.running.saturating_sub(1);
        }
    }
}

/// The place of a call that is answered. Dropping it gives it back.
#[derive(Debug)]
pub struct CallPlace(Option<(Gateway, Caller)>);

impl Drop for CallPlace {
    fn drop(&mut self) {
        if let Some((gateway, caller)) = &self.0 {
            gateway.0.call_counts.end(caller);
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
        let interface = caller.interface();
        let limits = self.0.call_counts.limits(interface, self.profile(interface).calls);
        let Some(limits) = limits else { return Ok(CallPlace(None)) };
        let caller = (interface, caller.id().clone());
        self.0.call_counts.begin(caller.clone(), limits, Instant::now())?;
        Ok(CallPlace(Some((self.clone(), caller))))
    }

    /// Limits how often each third party may call an interface from now on, in place of its profile; without limits nothing is counted.
    /// What was counted stays counted.
    pub fn limit_calls(&self, interface: Interface, limits: Option<CallLimits>) {
        let both = (self.profile(interface).calls, limits);
        self.0.call_counts.change(interface, both, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CallLimits = CallLimits { calls: 4, within: Duration::from_secs(60), at_once: 2 };

    fn caller(number: &str) -> Caller {
        (Interface::BerlinGroup, TppId::new(format!("PSDNL-DNB-{number}")))
    }

    #[test]
    fn so_many_calls_and_as_they_come_back() {
        let (counts, begin) = (CallCounts::default(), Instant::now());
        let (one, other) = (caller("1"), caller("2"));
        let call = |caller: &Caller, second: u64| {
            let called = counts.begin(caller.clone(), LIMITS, begin + Duration::from_secs(second));
            called.is_ok().then(|| counts.end(caller));
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

    /// Whoever is told to try again in no time does so at once, and is refused again.
    #[test]
    fn nobody_is_told_to_try_again_in_no_time() {
        let (counts, begin, one) = (CallCounts::default(), Instant::now(), caller("1"));
        let limits = CallLimits { calls: 3000, at_once: 9000, ..LIMITS };
        assert!((0..3000).all(|_| counts.begin(one.clone(), limits, begin).is_ok()));
        for (micros, expected) in [(0, 1), (19_500, 1), (19_999, 1)] {
            let refused = counts.begin(one.clone(), limits, begin + Duration::from_micros(micros));
            let refusal = Refusal::TooManyCalls { calls: 3000, seconds: 60, retry_after: expected };
            assert_eq!(refused, Err(refusal), "{micros}");
        }
        assert!(counts.begin(one, limits, begin + Duration::from_millis(20)).is_ok());
    }

    #[test]
    fn so_many_at_once() {
        let (counts, now, one) = (CallCounts::default(), Instant::now(), caller("1"));
        assert!((0..2).all(|_| counts.begin(one.clone(), LIMITS, now).is_ok()));
        assert_eq!(counts.begin(one.clone(), LIMITS, now), Err(Refusal::TooManyAtOnce { most: 2 }));
        counts.end(&one);
        assert!(counts.begin(one, LIMITS, now).is_ok(), "what was refused costs nothing");
    }

    #[test]
    fn whoever_has_all_left_is_forgotten() {
        let (counts, begin) = (CallCounts::default(), Instant::now());
        let later = begin + LIMITS.within;
        for number in 0..2 * MANY {
            let at = if number < MANY { begin } else { later };
            let caller = caller(&number.to_string());
            assert!(counts.begin(caller.clone(), LIMITS, at).is_ok());
            counts.end(&caller);
        }
        let counts = counts.lock();
        assert!(counts.of.len() <= MANY, "{}", counts.of.len());
        assert_eq!(counts.of.len(), counts.order.len());
    }

    #[test]
    fn who_cannot_be_forgotten_is_not_looked_at_again_and_again() {
        let (counts, now) = (CallCounts::default(), Instant::now());
        let next = || counts.lock().order.front().cloned();
        for number in 0..2 * MANY {
            let seen = next();
            assert!(counts.begin(caller(&number.to_string()), LIMITS, now).is_ok());
            let (place, expected) = (number.checked_sub(MANY), next());
            // Each new one moves two of those before to the end, and no more.
            let at = |place: usize| Some(caller(&(place % (2 * MANY)).to_string()));
            if let Some(place) = place.filter(|place| *place < MANY / 4) {
                assert_eq!((seen, expected), (at(LOOKED_AT * place), at(LOOKED_AT * (place + 1))));
            }
        }
        assert_eq!(counts.lock().of.len(), 2 * MANY, "all of them have spent something");
    }

    #[test]
    fn what_was_counted_stays_counted_under_other_limits() {
        let (counts, now, one) = (CallCounts::default(), Instant::now(), caller("1"));
        let limits = |calls| CallLimits { calls, at_once: 100, ..LIMITS };
        let take = |calls: u32| {
            let mut taken = 0;
            while counts.begin(one.clone(), limits(calls), now).is_ok() {
                taken += 1;
            }
            taken
        };
        let change = |new| counts.change(one.0, (None, new), now);
        change(Some(limits(4)));
        assert_eq!(take(4), 4);
        change(Some(limits(10)));
        assert_eq!(take(10), 6, "four were spent");
        change(Some(limits(2)));
        assert_eq!(take(2), 0);
        let later = now + each(limits(2));
        assert!(counts.begin(one.clone(), limits(2), later).is_ok(), "nobody owes more than there is");
        change(None);
        assert_eq!(counts.limits(one.0, Some(limits(2))), None);
        change(Some(limits(3)));
        assert_eq!(take(3), 3, "nothing was counted without limits");
    }
}
