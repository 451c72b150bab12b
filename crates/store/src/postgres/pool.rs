//! Connections that wait for work: those that writes have one by one, and those that reads share.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
    /// One for each connection that does something, at each host: those of a host that went silent are none of the next one's.
    places: Vec<Arc<Semaphore>>,
}

/// A connection that is somebody's. One that is not given back, because its work was not waited for to the end, is closed
/// when what was sent has been done, and has its place until then: a commit may wait for as long as a standby is away.
pub(super) struct Taken<'p> {
    pool: &'p Pool,
    connection: Connection,
}

/// The place that a connection takes while something is done on it. It is held together with the task that drives the connection, so
/// that it is free when whoever has the connection gives it back, or when the connection has ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Held {
    fn set(&self, place: OwnedSemaphorePermit) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Pool {
    pub(super) fn new(address: &str) -> Result<Self, StoreError> {
        let way = Way::parse(address)?;
        let places = (0..way.hosts()).map(|_| Arc::new(Semaphore::new(WRITERS))).collect();
        Ok(Self { way, readers: Readers::new(), idle: Mutex::default(), places })
    }

    /// A connection for a write that waits, or a new one.
    pub(super) async fn take(&self) -> Result<Taken<'_>, Failed> {
        let closed = |_| StoreError::unavailable("its connections are closed");
        let place = Arc::clone(self.places()).acquire_owned().await.map_err(closed)?;
        let connection = match self.waiting() {
            Some(connection) => connection,
            None => self.way.connect().await?,
        };
        connection.held.set(place);
        Ok(Taken { pool: self, connection })
    }

    /// How many connections do something, and how many wait.
    pub(super) fn load(&self) -> Load {
        let writing = WRITERS.saturating_sub(self.places().available_permits());
        let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).len();
        let (reading, resting) = self.readers.load();
        Load::Connections { busy: writing + reading, idle: waiting + resting, most: CONNECTIONS }
    }

    /// Closes the connections that wait: one of them is broken, and others may be.
    pub(super) fn renew(&self) {
        self.renew_writers();
        self.readers.renew();
    }

    /// Closes those that wait for a write alone.
    pub(super) fn renew_writers(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Those at the host that was reached last.
    fn places(&self) -> &Arc<Semaphore> {
        &self.places[self.way.last_host()]
    }

    fn waiting(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| idle.pop()).find(|connection| !connection.client.is_closed())
    }
}

impl Taken<'_> {
    pub(super) fn give_back(self) {
        // The next one who takes the connection puts a place of its own there.
        let place = self.connection.held.take();
        if !self.connection.client.is_closed() {
            let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            // One that had its place at the host of before may be one too many at this one.
            if idle.len() < WRITERS {
                idle.push(self.connection);
            }
        }
        // Whoever gets the place has to find the connection, or would make one more.
        drop(place);
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
