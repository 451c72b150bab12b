//! Places for connections: so many at once, and only a part of them for one network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at once on one listener, if the system allows as many; more wait in the backlog.
const MOST: u64 = 4096;

/// Fewest connections on one listener, however little the system allows.
const FEWEST: u64 = 64;

/// Files that the program needs besides connections: the database for each thread, pipes, logs.
const OTHER_FILES: u64 = 256;

/// Listeners of a bank.
const LISTENERS: u64 = 3;

/// One network has at most this part of the places.
const PART: usize = 4;

/// The places of one listener.
#[derive(Debug)]
pub(crate) struct Places {
    all: usize,
    /// How many one network can have.
    part: usize,
    free: Arc<Semaphore>,
    /// How many each network has.
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place that is free for any network; the next connection takes it.
#[derive(Debug)]
pub(crate) struct Free(OwnedSemaphorePermit);

/// A place that a connection has until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    places: Arc<Places>,
    network: IpAddr,
}

impl Places {
    /// As many as the system allows.
    pub(crate) fn new() -> Arc<Self> {
        let share = open_files().saturating_sub(OTHER_FILES) / LISTENERS;
        Self::with(usize::try_from(share.clamp(FEWEST, MOST)).unwrap_or(usize::MAX))
    }

    /// The same for connections that all come from one address.
    pub(crate) fn for_proxy() -> Arc<Self> {
        let all = Self::new().all;
        Arc::new(Self { all, part: all, free: Arc::new(Semaphore::new(all)), taken: Mutex::default() })
    }

    fn with(all: usize) -> Arc<Self> {
        Arc::new(Self { all, part: all / PART, free: Arc::new(Semaphore::new(all)), taken: Mutex::default() })
    }

    /// Waits until any place is free.
    pub(crate) async fn free(&self) -> Option<Free> {
        Arc::clone(&self.free).acquire_owned().await.ok().map(Free)
    }

    /// Gives the place to a connection from an address; none if its network has its part already.
    pub(crate) fn take(self: &Arc<Self>, Free(permit): Free, address: IpAddr) -> Option<Place> {
        let network = edge::network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(network).or_default();
        if *count >= self.part {
            return None;
        }
        *count += 1;
        Some(Place { _permit: permit, places: Arc::clone(self), network })
    }

    /// Waits until no connection has a place.
    pub(crate) async fn all_free(&self) {
        let all = u32::try_from(self.all).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let _ = self.free.acquire_many(all).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.network);
            }
        }
    }
}

/// How many files the process may have open: raised as far as the system lets it.
fn open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = OTHER_FILES + LISTENERS * MOST;
    let Some(current) = limit.current.filter(|current| *current < wanted) else { return wanted };
    let raised = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }) {
        Ok(()) => raised,
        Err(_) => current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_network_leaves_places_for_others() {
        let places = Places::with(16);
        let [one, two] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        let mut held = Vec::new();
        for number in 0..8 {
            let place = places.take(places.free().await.unwrap(), one);
            assert_eq!(place.is_some(), number < 4, "{number}");
            held.extend(place);
        }
        held.extend(places.take(places.free().await.unwrap(), two));
        assert_eq!(held.len(), 5);
        held.clear();
        assert!(places.take(places.free().await.unwrap(), one).is_some(), "places are given back");
        places.all_free().await;
        assert!(places.taken.lock().unwrap().is_empty(), "who is gone is forgotten");
    }
}
