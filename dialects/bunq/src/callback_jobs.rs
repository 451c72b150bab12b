//! The task that tells callbacks, and whose turn it is.
//!
//! Who gets callbacks decides how long telling takes. So those who let it take long have a part of what is done at once,
//! however many they are, and never keep the others waiting.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use edge::log_failure;
use gateway::{Error as GatewayError, Lease};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::callback_failures::{self, Failure};
use crate::callbacks::look;
use crate::notifications::{FILTERS, Filter};
use crate::records::{every, parse};
use crate::state::Bunq;

/// How often the task looks.
const PAUSE: Duration = Duration::from_millis(500);

/// How often it looks for what other processes changed, if there are any.
const NEWS: Duration = Duration::from_secs(5);

/// What it does at the same time.
const AT_ONCE: usize = 32;

/// What of that is for users whose last job took long.
const SLOW_AT_ONCE: usize = AT_ONCE / 2;

/// How long is long.
const SLOW: Duration = Duration::from_secs(1);

/// Tells the task what changed.
#[derive(Debug)]
pub(crate) struct Callbacks {
    has_changed: AtomicBool,
    /// Whether the last job failed: a bank that is away is said once, and not by each job twice a second.
    fails: AtomicBool,
}

impl Default for Callbacks {
    fn default() -> Self {
        // What is kept from before has not been looked at.
        Self { has_changed: AtomicBool::new(true), fails: AtomicBool::new(false) }
    }
}

impl Callbacks {
    /// Filters or failures changed.
    pub(crate) fn look_again(&self) {
        self.has_changed.store(true, Ordering::SeqCst);
    }
}

/// Something to do again and again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    /// Look at the accounts that filters under this key are about.
    Look(String),
    /// Try a failure of a user again.
    Again(i64, i64),
}

impl Job {
    /// Whose servers it is about: keys of filters begin with `user/{number}`.
    fn user(&self) -> i64 {
        match self {
            Self::Look(key) => key.split('/').nth(1).and_then(|user| user.parse().ok()).unwrap_or_default(),
            Self::Again(user, _) => *user,
        }
    }
}

/// Jobs in their order.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Job>,
    /// What is being done; true for jobs of users who were slow when they began.
    busy: Vec<(Job, bool)>,
    /// Users whose last job took long.
    slow: HashSet<i64>,
}

impl Queue {
    /// The next job whose turn it is, which is being done from here on.
    fn next(&mut self) -> Option<Job> {
        let slow_busy = self.busy.iter().filter(|(_, is_slow)| *is_slow).count();
        for _ in 0..self.waiting.len() {
            if self.busy.len() >= AT_ONCE {
                return None;
            }
            let job = self.waiting.pop_front()?;
            // What is being done comes back when it is done.
            if self.busy.iter().any(|(busy, _)| *busy == job) {
                continue;
            }
            let is_slow = self.slow.contains(&job.user());
            if is_slow && slow_busy >= SLOW_AT_ONCE {
                self.waiting.push_back(job);
                continue;
            }
            self.busy.push((job.clone(), is_slow));
            return Some(job);
        }
        None
    }

    /// All there is to do. What is known of users for whom nothing is to be done is forgotten.
    fn replace(&mut self, jobs: VecDeque<Job>) {
        self.waiting = jobs;
        let busy = self.busy.iter().map(|(job, _)| job);
        let users: HashSet<i64> = self.waiting.iter().chain(busy).map(Job::user).collect();
        self.slow.retain(|user| users.contains(user));
    }

    /// A job is done, and perhaps to be done again.
    fn has_done(&mut self, job: Job, took: Duration, goes_on: bool) {
        self.busy.retain(|(busy, _)| *busy != job);
        if took > SLOW {
            self.slow.insert(job.user());
        } else {
            self.slow.remove(&job.user());
        }
        self.waiting.extend(goes_on.then_some(job));
    }
}

/// What came of a job.
struct Done {
    job: Job,
    took: Duration,
    /// Whether it is to be done again.
    goes_on: bool,
    /// Failures to try again.
    failures: Vec<Job>,
}

/// Tells until nobody serves the interface any more.
pub(crate) async fn run(bunq: Weak<Bunq>) {
    let mut queue = Queue::default();
    let mut running = JoinSet::new();
    let mut lease = Lease::new("callbacks");
    let mut looked = Instant::now();
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(bunq) = bunq.upgrade() else { return };
        // What others who share the store changed is found by looking from time to time.
        if bunq.edge.gateway.shares_its_store() && looked.elapsed() > NEWS {
            looked = Instant::now();
            bunq.callbacks.look_again();
        }
        if !lease.is_held(&bunq.edge.gateway).await {
            continue;
        }
        while let Some(done) = running.try_join_next() {
            let Ok(Done { job, took, goes_on, failures }) = done else { continue };
            queue.has_done(job, took, goes_on);
            queue.waiting.extend(failures);
        }
        if bunq.callbacks.has_changed.swap(false, Ordering::SeqCst) {
            match jobs(&bunq).await {
                Ok(jobs) => queue.replace(jobs),
                Err(_) => bunq.callbacks.look_again(),
            }
        }
        // Each has its turn once before any has it again: what is done at once comes back at the end.
        while let Some(job) = queue.next() {
            running.spawn(work(Arc::clone(&bunq), job));
        }
    }
}

async fn jobs(bunq: &Bunq) -> Result<VecDeque<Job>, GatewayError> {
    let mut jobs = VecDeque::new();
    for (key, value) in bunq.drawer.all(FILTERS).await? {
        if !parse::<Vec<Filter>>(FILTERS, &value)?.is_empty() {
            jobs.push_back(Job::Look(key));
        }
    }
    let failures = every::<Failure>(&bunq.drawer).await?;
    let waiting = failures.iter().filter(|failure| failure.value.is_waiting());
    jobs.extend(waiting.map(|failure| Job::Again(failure.owner, failure.id)));
    Ok(jobs)
}

async fn work(bunq: Arc<Bunq>, job: Job) -> Done {
    let begun = Instant::now();
    let mut failures = Vec::new();
    let request = bunq.edge.gateway.new_request_id();
    let goes_on = match &job {
        Job::Look(key) => look(&bunq, request.clone(), key, &mut failures).await,
        Job::Again(user, id) => callback_failures::retry(&bunq, request.clone(), (*user, *id)).await,
    };
    let fault = goes_on.as_ref().err().and_then(|error| error.fault.as_ref());
    let failed_before = bunq.callbacks.fails.swap(fault.is_some(), Ordering::Relaxed);
    if let Some(fault) = fault.filter(|_| !failed_before) {
        log_failure(&request, fault);
    }
    Done { job, took: begun.elapsed(), goes_on: goes_on.unwrap_or(true), failures }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(user: i64) -> Job {
        Job::Look(format!("user/{user}"))
    }

    fn users(jobs: &[Job]) -> Vec<i64> {
        jobs.iter().map(Job::user).collect()
    }

    fn all(queue: &mut Queue) -> Vec<Job> {
        std::iter::from_fn(|| queue.next()).collect()
    }

    #[test]
    fn those_who_let_it_take_long_keep_nobody_waiting() {
        let mut queue = Queue::default();
        queue.waiting.extend((1..=40).map(look));
        // Nobody knows them yet: as many as there is room for.
        let first = all(&mut queue);
        assert_eq!(users(&first), (1..=32).collect::<Vec<_>>());
        for job in first {
            queue.has_done(job, Duration::from_secs(10), true);
        }
        queue.waiting.push_back(look(100));
        let second = users(&all(&mut queue));
        assert_eq!(second[..8], (33..=40).collect::<Vec<_>>(), "whose turn it is");
        assert_eq!(
            second[8..],
            [(1..=16).collect(), vec![100]].concat(),
            "a part of those who are slow, and all others"
        );
        assert!(queue.next().is_none());
        queue.waiting.push_back(look(101));
        assert_eq!(queue.next(), Some(look(101)), "there is room for who was not slow");
        // Who answers soon is slow no more.
        queue.has_done(look(1), Duration::from_millis(10), true);
        assert_eq!(queue.next(), Some(look(17)));
        assert_eq!(queue.next(), Some(look(1)));
        // Those who want nothing told any more are forgotten.
        queue.busy.clear();
        queue.replace([look(2), look(3)].into());
        assert_eq!(queue.slow, HashSet::from([2, 3]));
    }

    #[test]
    fn nothing_is_done_twice_at_once_and_what_is_over_does_not_come_back() {
        let mut queue = Queue::default();
        queue.waiting.extend([look(1), look(1), Job::Again(1, 7)]);
        assert_eq!(all(&mut queue), [look(1), Job::Again(1, 7)]);
        queue.has_done(Job::Again(1, 7), Duration::ZERO, false);
        assert_eq!(queue.next(), None);
        queue.has_done(look(1), Duration::ZERO, true);
        assert_eq!(queue.next(), Some(look(1)));
    }
}
