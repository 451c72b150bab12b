//! Connections that wait for work.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::connection::{Connection, Way};
use super::failed::Failed;
use crate::{Load, StoreError};

/// Most connections that one process has.
const CONNECTIONS: usize = 16;

#[derive(Debug)]
pub(super) struct Pool {
    way: Way,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
}

/// A connection that is somebody's. One that is not given back, because its work was not waited for to the end, is closed
/// when what was sent has been done.
pub(super) struct Taken<'p> {
    pool: &'p Pool,
    connection: Connection,
    _place: SemaphorePermit<'p>,
}

impl Pool {
    pub(super) fn new(address: &str) -> Result<Self, StoreError> {
        Ok(Self { way: Way::parse(address)?, idle: Mutex::default(), places: Semaphore::new(CONNECTIONS) })
    }

    /// A connection that waits, or a new one.
    pub(super) async fn take(&self) -> Result<Taken<'_>, Failed> {
        let closed = |_| StoreError::unavailable("its connections are closed");
        let place = self.places.acquire().await.map_err(closed)?;
        let connection = match self.waiting() {
            Some(connection) => connection,
            None => self.way.connect().await?,
        };
        Ok(Taken { pool: self, connection, _place: place })
    }

    /// How many connections do something, and how many wait.
    pub(super) fn load(&self) -> Load {
        let busy = CONNECTIONS.saturating_sub(self.places.available_permits());
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).len();
        Load::Connections { busy, idle, most: CONNECTIONS }
    }

    /// Closes the connections that wait: one of them is broken, and others may be.
    pub(super) fn renew(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn waiting(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| idle.pop()).find(|connection| !connection.client.is_closed())
    }
}

impl Taken<'_> {
    pub(super) fn give_back(self) {
        if !self.connection.client.is_closed() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.connection);
        }
    }
}

impl Deref for Taken<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Taken<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
