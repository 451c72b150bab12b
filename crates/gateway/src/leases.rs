//! What one process does for all that share the store.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::Timestamp;
use jiff::SignedDuration;
use store::{Changes, StoreError};
use tokio::time::Instant;

use crate::{Error, Gateway, Randomness};

/// How long others wait for a process that ended without warning.
const LIFE: SignedDuration = SignedDuration::from_secs(15);

/// How far the clock of a machine may be from that of the database's. One that is far ahead would forget
/// for all what has ended by its clock alone.
const MOST_OFF: SignedDuration = SignedDuration::from_mins(5);

/// How often a lease is renewed, or asked for.
const RENEWED: Duration = Duration::from_secs(5);

/// How far a clock may go beside the time that passes until a lease is asked for at once: before anything is done by such a clock, it is
/// held against that of the database.
const JUMP: SignedDuration = SignedDuration::from_mins(1);

/// A piece of work that one process at a time does, if several share the store.
#[derive(Debug)]
pub struct Lease {
    name: &'static str,
    holder: String,
    is_held: bool,
    /// When it was asked for last, whatever came of it, also by the clock.
    asked: Option<(Instant, Timestamp)>,
}

impl Lease {
    /// A lease under a name, which is not taken yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, holder: Randomness::from_system().secret_uuid(), is_held: false, asked: None }
    }

    /// Whether the work is this process's now. It always is where nobody shares the store; nothing is written there. It never is on a
    /// machine whose clock is wrong.
    pub async fn is_held(&mut self, gateway: &Gateway) -> bool {
        if !gateway.shares_its_store() {
            return true;
        }
        let now = (Instant::now(), gateway.0.clock.now(None));
        if self.asked.is_none_or(|asked| is_due(asked, now)) {
            self.asked = Some(now);
            self.is_held =
                gateway.take_lease_in_time(self.name, &self.holder).await.unwrap_or_else(|error| {
                    // That the store is away is told by the calls that need it, and by who takes up news of others.
                    tracing::debug!(%error, lease = self.name, "a lease could not be taken");
                    false
                });
        }
        self.is_held
    }
}

/// Whether a lease is asked for again, `now` after it was asked for.
fn is_due(asked: (Instant, Timestamp), now: (Instant, Timestamp)) -> bool {
    let passed = now.0.saturating_duration_since(asked.0);
    let by_clock = now.1.duration_since(asked.1);
    let beside = SignedDuration::try_from(passed).map(|passed| by_clock.saturating_sub(passed).abs());
    passed >= RENEWED || beside.is_ok_and(|beside| beside > JUMP)
}

/// How long somebody who wants a turn waits for others.
const TURN: Duration = Duration::from_secs(30);

/// How often somebody who waits for a turn asks for it.
const ASKED: Duration = Duration::from_millis(50);

/// A piece of work that any process does when it is asked to, and one at a time.
#[derive(Debug)]
pub struct Turn {
    gateway: Gateway,
    name: &'static str,
    holder: String,
    renew_at: Instant,
}

impl Turn {
    /// Keeps the turn while the work takes long.
    ///
    /// # Errors
    /// [`Error::Conflict`] if another process has it, because this one was held up for too long
    pub async fn keep(&mut self) -> Result<(), Error> {
        if self.gateway.shares_its_store() && self.renew_at <= Instant::now() {
            self.renew_at = Instant::now() + RENEWED;
            let is_kept = self.gateway.take_lease(self.name, &self.holder, LIFE).await?;
            return if is_kept { Ok(()) } else { Err(Error::Conflict) };
        }
        Ok(())
    }

    /// Lets others have their turn. One that is dropped instead ends by itself.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn end(self) -> Result<(), Error> {
        if self.gateway.shares_its_store() {
            self.gateway.take_lease(self.name, &self.holder, SignedDuration::ZERO).await?;
        }
        Ok(())
    }
}

impl Gateway {
    /// Waits for a turn at a piece of work. Where nobody shares the store there is nobody to wait for.
    ///
    /// # Errors
    /// [`Error::Conflict`] if others do not come to an end
    pub async fn turn(&self, name: &'static str) -> Result<Turn, Error> {
        let holder = Randomness::from_system().secret_uuid();
        let until = Instant::now() + TURN;
        while self.shares_its_store() && !self.take_lease(name, &holder, LIFE).await? {
            if until <= Instant::now() {
                return Err(Error::Conflict);
            }
            tokio::time::sleep(ASKED).await;
        }
        Ok(Turn { gateway: self.clone(), name, holder, renew_at: Instant::now() + RENEWED })
    }

    /// Whether other processes may have the same store.
    pub fn shares_its_store(&self) -> bool {
        self.0.store.is_shared()
    }

    /// How far this machine's clock is ahead of that of the database, or behind it if it is negative, where that is too far to do anything
    /// for others. None where nobody shares the store, and where the clock is none of the machine's.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn clock_error(&self) -> Result<Option<SignedDuration>, Error> {
        self.time_and_error().await.map(|(_, error)| error)
    }

    /// Now by the clock of the database, if there is one beside the machine's, and [`Gateway::clock_error`].
    async fn time_and_error(&self) -> Result<(Timestamp, Option<SignedDuration>), Error> {
        let of_server = if self.0.clock.is_of_system() { self.0.store.time_of_server().await? } else { None };
        let now = self.0.clock.now(None);
        let Some(of_server) = of_server else { return Ok((now, None)) };
        let ahead = now.duration_since(of_server);
        Ok((of_server, Some(ahead).filter(|ahead| ahead.abs() > MOST_OFF)))
    }

    /// Whether this machine's clock was wrong when a lease was asked for last.
    pub fn has_wrong_clock(&self) -> bool {
        self.0.has_wrong_clock.load(Ordering::Relaxed)
    }

    /// False if somebody else holds it, or this machine's clock is wrong.
    async fn take_lease_in_time(&self, name: &str, holder: &str) -> Result<bool, Error> {
        // All nodes look by one clock when a lease ends: one that is ahead by minutes keeps nobody waiting for them.
        let (now, wrong) = self.time_and_error().await?;
        let was_wrong = self.0.has_wrong_clock.swap(wrong.is_some(), Ordering::Relaxed);
        match wrong {
            Some(ahead) => {
                if !was_wrong {
                    tracing::error!(
                        seconds_ahead = ahead.as_secs(),
                        "this machine's clock is not that of the database: here nothing is forgotten, and nothing is done for other nodes, until one of them is set"
                    );
                }
                Ok(false)
            }
            None => {
                if was_wrong {
                    tracing::warn!("this machine's clock is that of the database again");
                }
                self.take_lease_at(now, name, holder, LIFE).await
            }
        }
    }

    /// False if somebody else holds it.
    async fn take_lease(&self, name: &str, holder: &str, life: SignedDuration) -> Result<bool, Error> {
        self.take_lease_at(self.0.clock.now(None), name, holder, life).await
    }

    async fn take_lease_at(
        &self,
        now: Timestamp,
        name: &str,
        holder: &str,
        life: SignedDuration,
    ) -> Result<bool, Error> {
        let until = now.saturating_add(life).unwrap_or(now);
        match self.0.store.save(Changes::new().take_lease(name, holder, (now, until))).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_is_looked_at_before_anything_is_done_by_it() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let begun = Instant::now();
        let is_due = |passed: u64, by_clock: i64| {
            is_due((begun, at(0)), (begun + Duration::from_secs(passed), at(by_clock)))
        };
        assert!(!is_due(0, 0) && !is_due(4, 4) && !is_due(4, 0) && !is_due(1, 60) && !is_due(1, -58));
        assert!(is_due(5, 5) && is_due(5, 0), "it is renewed");
        let days = 400 * 24 * 60 * 60;
        assert!(is_due(1, 62) && is_due(1, -60) && is_due(0, days) && is_due(0, -days));
    }
}
