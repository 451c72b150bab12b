//! What a connection is doing, so that one which does nothing does not live for ever.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use tokio::time::Instant;

/// Time until the first request is there with all its header fields, counted from the end of the TLS handshake.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// Time that a connection may be without a request after that.
const IDLE: Duration = Duration::from_secs(30);

/// Time from the header of a request to the last octet of its answer. It is far more than any call takes; it ends
/// what nobody reads.
const REQUEST: Duration = Duration::from_secs(120);

/// How often a busy connection is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Why a connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// There was no request for too long.
    Idle,
    /// A request, or reading its answer, takes too long.
    Request,
}

/// The requests of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Activity(Arc<Mutex<Requests>>);

#[derive(Debug)]
struct Requests {
    count: u64,
    /// The number and the beginning of those whose answers are not all sent, oldest first.
    running: VecDeque<(u64, Instant)>,
    idle_since: Instant,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Requests {
            count: 0,
            running: VecDeque::new(),
            idle_since: Instant::now(),
        })))
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request begins.
    pub(crate) fn begin(&self) -> Running {
        let mut requests = self.requests();
        requests.count += 1;
        let number = requests.count;
        requests.running.push_back((number, Instant::now()));
        Running { activity: self.clone(), number }
    }

    /// Whether a request is running.
    pub(crate) fn is_busy(&self) -> bool {
        !self.requests().running.is_empty()
    }

    /// Waits until the connection has to end.
    pub(crate) async fn overdue(&self) -> Overdue {
        loop {
            let (deadline, why) = self.deadline();
            let now = Instant::now();
            if deadline <= now {
                return why;
            }
            tokio::time::sleep_until(deadline.min(now + LOOK)).await;
        }
    }

    fn deadline(&self) -> (Instant, Overdue) {
        let requests = self.requests();
        match requests.running.front() {
            Some((_, begun)) => (*begun + REQUEST, Overdue::Request),
            None if requests.count == 0 => (requests.idle_since + FIRST_REQUEST, Overdue::Idle),
            None => (requests.idle_since + IDLE, Overdue::Idle),
        }
    }
}

/// A request that runs until this is dropped, which the last octet of its answer does.
#[derive(Debug)]
pub(crate) struct Running {
    activity: Activity,
    number: u64,
}

impl Running {
    /// The body of the answer: the request runs until it is sent.
    pub(crate) fn until_sent(self, body: Body) -> impl HttpBody<Data = Bytes, Error = axum::Error> {
        edge::watched(body, move |_, _| {
            let _is_running = &self;
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut requests = self.activity.requests();
        requests.running.retain(|(number, _)| *number != self.number);
        requests.idle_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn after(activity: &Activity) -> (Overdue, u64) {
        let begun = Instant::now();
        let why = activity.overdue().await;
        (why, begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_ended_sooner_before_the_first_request_than_after_it() {
        let activity = Activity::new();
        assert_eq!(after(&activity).await, (Overdue::Idle, 10));
        drop(activity.begin());
        assert_eq!(after(&activity).await, (Overdue::Idle, 30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_does_not_end_is_not_hidden_by_others_that_do() {
        let activity = Activity::new();
        let stuck = activity.begin();
        let others = activity.clone();
        let busy = tokio::spawn(async move {
            loop {
                let running = others.begin();
                tokio::time::sleep(Duration::from_secs(1)).await;
                drop(running);
            }
        });
        assert_eq!(after(&activity).await, (Overdue::Request, 120));
        drop(stuck);
        assert!(tokio::time::timeout(Duration::from_secs(1000), activity.overdue()).await.is_err());
        busy.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_last_request_is_noticed_soon() {
        let activity = Activity::new();
        let running = activity.begin();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(running);
        });
        assert_eq!(after(&activity).await, (Overdue::Idle, 90));
    }
}
