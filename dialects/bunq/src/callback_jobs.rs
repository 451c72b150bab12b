//! The task that tells callbacks, and whose turn it is.
//!
//! Who gets callbacks decides how long telling takes. So those who let it take long have a part of what is done at once,
//! however many they are, and never keep the others waiting; nor does what failed before keep what is new.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use edge::log_failure;
use gateway::{Error as GatewayError, Lease};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::callback_failures::{self, WAITING};
use crate::callbacks::look;
use crate::notifications::{FILTERS, Filter};
use crate::records::parse;
use crate::state::Bunq;
use crate::waiting;

/// How often the task looks.
const PAUSE: Duration = Duration::from_millis(500);

/// How often it looks for what other processes changed, if there are any.
const NEWS: Duration = Duration::from_secs(5);

/// What it does at the same time.
const AT_ONCE: usize = 32;

/// What of that is for users whose last job took long.
const SLOW_AT_ONCE: usize = AT_ONCE / 2;

/// What of that is for what failed before.
const AGAIN_AT_ONCE: usize = AT_ONCE / 2;

/// Failures whose time has come that are read at once. All of them are kept in the store alone.
const DUE_AT_ONCE: i64 = 500;

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
    /// Filters changed.
    pub(crate) fn look_again(&self) {
        self.has_changed.store(true, Ordering::SeqCst);
    }
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    /// Look at the accounts that filters under this key are about, each time it looks.
    Look(String),
    /// Try the failure again that waits under this key.
    Again(String),
}

impl Job {
    /// Whose servers it is about: keys of filters begin with `user/{number}`.
    fn user(&self) -> i64 {
        match self {
            Self::Look(key) => key.split('/').nth(1).and_then(|user| user.parse().ok()).unwrap_or_default(),
            Self::Again(key) => waiting::record_of(key).0,
        }
    }
}

/// Jobs in their order.
#[derive(Debug, Default)]
struct Queue {
    looks: VecDeque<Job>,
    /// What is looked at again the next time.
    next_time: Vec<Job>,
    /// Failures whose time has come, some of them.
    again: VecDeque<Job>,
    /// What is being done; true for jobs of users who were slow when they began.
    busy: Vec<(Job, bool)>,
    /// Users whose last job took long.
    slow: HashSet<i64>,
}

impl Queue {
    /// The next job whose turn it is, which is being done from here on.
    fn next(&mut self) -> Option<Job> {
        let job = self.next_look().or_else(|| self.next_again())?;
        let is_slow = self.slow.contains(&job.user());
        self.busy.push((job.clone(), is_slow));
        Some(job)
    }

    fn next_look(&mut self) -> Option<Job> {
        for _ in 0..self.looks.len() {
            if self.busy.len() >= AT_ONCE {
                return None;
            }
            let job = self.looks.pop_front()?;
            if self.has_to_wait(&job) {
                self.looks.push_back(job);
            } else if !self.is_busy_with(&job) {
                return Some(job);
            }
        }
        None
    }

    /// What cannot be tried now waits in the store.
    fn next_again(&mut self) -> Option<Job> {
        let busy = self.busy.iter().filter(|(job, _)| matches!(job, Job::Again(_))).count();
        if busy >= AGAIN_AT_ONCE || self.busy.len() >= AT_ONCE {
            return None;
        }
        while let Some(job) = self.again.pop_front() {
            if !self.has_to_wait(&job) && !self.is_busy_with(&job) {
                return Some(job);
            }
        }
        None
    }

    /// Whether as much is being done for those who let it take long as is done for them at once.
    fn has_to_wait(&self, job: &Job) -> bool {
        let is_full = || self.busy.iter().filter(|(_, is_slow)| *is_slow).count() >= SLOW_AT_ONCE;
        self.slow.contains(&job.user()) && !self.is_busy_with(job) && is_full()
    }

    /// What is being done comes back when it is done.
    fn is_busy_with(&self, job: &Job) -> bool {
        self.busy.iter().any(|(busy, _)| busy == job)
    }

    /// All there is to look at. What is known of users for whom nothing is to be done is forgotten.
    fn replace(&mut self, looks: VecDeque<Job>) {
        self.looks = looks;
        self.next_time.clear();
        let busy = self.busy.iter().map(|(job, _)| job);
        let users: HashSet<i64> = self.looks.iter().chain(&self.again).chain(busy).map(Job::user).collect();
        self.slow.retain(|user| users.contains(user));
    }

    /// A job is done, and perhaps to be done again the next time.
    fn has_done(&mut self, job: Job, took: Duration, goes_on: bool) {
        self.busy.retain(|(busy, _)| *busy != job);
        if took > SLOW {
            self.slow.insert(job.user());
        } else {
            self.slow.remove(&job.user());
        }
        self.next_time.extend(goes_on.then_some(job));
    }

    /// It is time to look at everything again.
    fn look(&mut self) {
        self.looks.extend(self.next_time.drain(..));
    }
}

/// What came of a job.
struct Done {
    job: Job,
    took: Duration,
    /// Whether it is to be done again.
    goes_on: bool,
}

/// What is done at the moment, and what is to be done.
#[derive(Default)]
struct Work {
    queue: Queue,
    running: JoinSet<Done>,
    jobs: HashMap<Id, Job>,
    /// After which key the next failures are read.
    after: String,
}

impl Work {
    /// Begins as much as can be done at once. Each has its turn once before any has it again.
    fn begin(&mut self, bunq: &Arc<Bunq>) {
        while let Some(job) = self.queue.next() {
            let task = self.running.spawn(work(Arc::clone(bunq), job.clone()));
            self.jobs.insert(task.id(), job);
        }
    }

    /// Goes on with what is to be done until a moment, wherever something is done.
    async fn go_on_until(&mut self, moment: Instant, bunq: &Weak<Bunq>) {
        while let Ok(done) = timeout_at(moment, self.running.join_next_with_id()).await {
            let Some(done) = done else { return sleep_until(moment).await };
            self.end(done);
            if let Some(bunq) = bunq.upgrade() {
                self.begin(&bunq);
            }
        }
    }

    fn end(&mut self, done: Result<(Id, Done), JoinError>) {
        match done {
            Ok((id, Done { job, took, goes_on })) => {
                self.jobs.remove(&id);
                self.queue.has_done(job, took, goes_on);
            }
            // What broke off is done again as what fails is, and keeps no place.
            Err(error) => {
                let Some(job) = self.jobs.remove(&error.id()) else { return };
                let goes_on = matches!(job, Job::Look(_));
                self.queue.has_done(job, Duration::ZERO, goes_on);
            }
        }
    }

    /// Reads failures whose time has come, in turn, once those that were read before have begun.
    async fn read_failures(&mut self, bunq: &Bunq) -> Result<(), GatewayError> {
        if !self.queue.again.is_empty() {
            return Ok(());
        }
        let due = waiting::due(&bunq.drawer, WAITING, (&self.after, bunq.now()), DUE_AT_ONCE).await?;
        let is_full = i64::try_from(due.len()).is_ok_and(|count| count >= DUE_AT_ONCE);
        self.after = due.last().filter(|_| is_full).cloned().unwrap_or_default();
        self.queue.again.extend(due.into_iter().map(Job::Again));
        Ok(())
    }
}

/// Tells until nobody serves the interface any more.
pub(crate) async fn run(bunq: Weak<Bunq>) {
    let mut work = Work::default();
    let mut lease = Lease::new("callbacks");
    let mut looked = Instant::now();
    loop {
        work.go_on_until(Instant::now() + PAUSE, &bunq).await;
        let Some(bunq) = bunq.upgrade() else { return };
        // What others who share the store changed is found by looking from time to time.
        if bunq.edge.gateway.shares_its_store() && looked.elapsed() > NEWS {
            looked = Instant::now();
            bunq.callbacks.look_again();
        }
        if !lease.is_held(&bunq.edge.gateway).await {
            // Somebody else tells; whoever tells next begins with all there is.
            work.queue.replace(VecDeque::new());
            work.queue.again.clear();
            bunq.callbacks.look_again();
            continue;
        }
        work.queue.look();
        if bunq.callbacks.has_changed.swap(false, Ordering::SeqCst) {
            match jobs(&bunq).await {
                Ok(jobs) => work.queue.replace(jobs),
                Err(_) => bunq.callbacks.look_again(),
            }
        }
        // A store that is away is told by those who look.
        let _ = work.read_failures(&bunq).await;
        work.begin(&bunq);
    }
}

async fn jobs(bunq: &Bunq) -> Result<VecDeque<Job>, GatewayError> {
    let mut jobs = VecDeque::new();
    for (key, value) in bunq.drawer.all(FILTERS).await? {
        if !parse::<Vec<Filter>>(FILTERS, &value)?.is_empty() {
            jobs.push_back(Job::Look(key));
            continue;
        }
        // Of a release that kept them. Whoever sets filters at this moment wins.
        if let Some(empty) = bunq.drawer.entry(FILTERS, &key).await?.filter(|entry| entry.value == value) {
            let _ = bunq.drawer.exchange(&[], &[empty]).await;
        }
    }
    Ok(jobs)
}

async fn work(bunq: Arc<Bunq>, job: Job) -> Done {
    let begun = Instant::now();
    let request = bunq.edge.gateway.new_request_id();
    let goes_on = match &job {
        Job::Look(key) => look(&bunq, request.clone(), key).await,
        Job::Again(key) => callback_failures::retry(&bunq, request.clone(), key).await.map(|()| false),
    };
    let fault = goes_on.as_ref().err().and_then(|error| error.fault.as_ref());
    let failed_before = bunq.callbacks.fails.swap(fault.is_some(), Ordering::Relaxed);
    if let Some(fault) = fault.filter(|_| !failed_before) {
        log_failure(&request, fault);
    }
    let goes_on = goes_on.unwrap_or(matches!(job, Job::Look(_)));
    Done { job, took: begun.elapsed(), goes_on }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(user: i64) -> Job {
        Job::Look(format!("user/{user}"))
    }

    fn again(user: i64, id: i64) -> Job {
        Job::Again(format!("000000000060/{user:010}/{id:010}"))
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
        queue.looks.extend((1..=40).map(look));
        // Nobody knows them yet: as many as there is room for.
        let first = all(&mut queue);
        assert_eq!(users(&first), (1..=32).collect::<Vec<_>>());
        for job in first {
            queue.has_done(job, Duration::from_secs(10), true);
        }
        assert!(queue.next_time.len() == 32 && queue.looks.len() == 8, "each once each time it looks");
        queue.look();
        queue.looks.push_back(look(100));
        let second = users(&all(&mut queue));
        assert_eq!(second[..8], (33..=40).collect::<Vec<_>>(), "whose turn it is");
        assert_eq!(
            second[8..],
            [(1..=16).collect(), vec![100]].concat(),
            "a part of those who are slow, and all others"
        );
        assert!(queue.next().is_none());
        queue.looks.push_back(look(101));
        assert_eq!(queue.next(), Some(look(101)), "there is room for who was not slow");
        // Who answers soon is slow no more.
        queue.has_done(look(1), Duration::from_millis(10), true);
        queue.look();
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
        queue.looks.extend([look(1), look(1)]);
        queue.again.extend([again(1, 7), again(1, 7)]);
        assert_eq!(all(&mut queue), [look(1), again(1, 7)]);
        queue.has_done(again(1, 7), Duration::ZERO, false);
        queue.look();
        assert_eq!(queue.next(), None);
        queue.has_done(look(1), Duration::ZERO, true);
        assert_eq!(queue.next(), None, "not before it looks again");
        queue.look();
        assert_eq!(queue.next(), Some(look(1)));
    }

    #[test]
    fn what_failed_keeps_nothing_new_waiting() {
        let mut queue = Queue::default();
        queue.again.extend((1..=100).map(|user| again(user, 7)));
        assert_eq!(all(&mut queue).len(), AGAIN_AT_ONCE);
        queue.looks.extend((1..=16).map(look));
        assert_eq!(users(&all(&mut queue)), (1..=16).collect::<Vec<_>>());
        // What there is no place for now is read again in its turn.
        let waiting = queue.again.clone();
        for job in std::mem::take(&mut queue.busy) {
            queue.has_done(job.0, Duration::from_secs(10), false);
        }
        queue.again = (1..=16).chain([1, 200]).map(|user| again(user, 8)).collect();
        assert_eq!(all(&mut queue).len(), AGAIN_AT_ONCE);
        queue.again = waiting;
        assert_eq!((queue.next(), queue.again.len()), (None, 84), "there is no place for any");
        queue.has_done(again(1, 8), Duration::from_secs(10), false);
        queue.again = [again(2, 9), again(17, 7)].into();
        assert_eq!(queue.next(), Some(again(2, 9)), "there is one for who is slow");
    }
}
