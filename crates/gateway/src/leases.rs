//! What one process does for all that share the store.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use store::{Changes, StoreError};
use tokio::time::Instant;

use crate::{Error, Gateway, Randomness};

/// How long others wait for a process that ended without warning.
const LIFE: SignedDuration = SignedDuration::from_secs(15);

/// How far the clock of a machine may be from that of the database's. One that is far ahead would take every lease, and keep it, since
/// others look when it ends by their own clocks; then it would forget for all what has ended by its clock alone.
const MOST_OFF: SignedDuration = SignedDuration::from_mins(5);

/// How often a lease is renewed, or asked for.
const RENEWED: Duration = Duration::from_secs(5);

/// A piece of work that one process at a time does, if several share the store.
#[derive(Debug)]
pub struct Lease {
    name: &'static str,
    holder: String,
    is_held: bool,
    /// Until then it is not asked for again, whatever came of it.
    ask_at: Option<Instant>,
}

impl Lease {
    /// A lease under a name, which is not taken yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, holder: Randomness::from_system().secret_uuid(), is_held: false, ask_at: None }
    }

    /// Whether the work is this process's now. It always is where nobody shares the store; nothing is written there. It never is on a
    /// machine whose clock is wrong.
    pub async fn is_held(&mut self, gateway: &Gateway) -> bool {
        if !gateway.shares_its_store() {
            return true;
        }
        if self.ask_at.is_none_or(|ask_at| ask_at <= Instant::now()) {
            self.ask_at = Some(Instant::now() + RENEWED);
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
        if !self.0.clock.is_of_system() {
            return Ok(None);
        }
        let Some(of_server) = self.0.store.time_of_server().await? else { return Ok(None) };
        let ahead = self.0.clock.now(None).duration_since(of_server);
        Ok(Some(ahead).filter(|ahead| ahead.abs() > MOST_OFF))
    }

    /// Whether this machine's clock was wrong when a lease was asked for last.
    pub fn has_wrong_clock(&self) -> bool {
        self.0.has_wrong_clock.load(Ordering::Relaxed)
    }

    /// False if somebody else holds it, or this machine's clock is wrong.
    async fn take_lease_in_time(&self, name: &str, holder: &str) -> Result<bool, Error> {
        let wrong = self.clock_error().await?;
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
                self.take_lease(name, holder, LIFE).await
            }
        }
    }

    /// False if somebody else holds it.
    async fn take_lease(&self, name: &str, holder: &str, life: SignedDuration) -> Result<bool, Error> {
        let now = self.0.clock.now(None);
        let until = now.saturating_add(life).unwrap_or(now);
        match self.0.store.save(Changes::new().take_lease(name, holder, (now, until))).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
