//! Connections that wait for work: those that writes have one by one, and those that reads share.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::connection::Connection;
use super::failed::Failed;
use super::reader::{READERS, Readers};
use super::way::Way;
use crate::{Load, StoreError};

/// Most connections for writes that one process has.
const WRITERS: usize = 10;

/// Most connections that one process has.
const CONNECTIONS: usize = WRITERS + READERS;

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) way: Way,
    pub(super) readers: Readers,
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
        Ok(Self {
            way: Way::parse(address)?,
            readers: Readers::new(),
            idle: Mutex::default(),
            places: Semaphore::new(WRITERS),
        })
    }

    /// A connection for a write that waits, or a new one.
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
        let writing = WRITERS.saturating_sub(self.places.available_permits());
        let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).len();
        let (reading, resting) = self.readers.load();
        Load::Connections { busy: writing + reading, idle: waiting + resting, most: CONNECTIONS }
    }

    /// Closes the connections that wait: one of them is broken, and others may be.
    pub(super) fn renew(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.readers.renew();
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
