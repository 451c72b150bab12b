//! Reading a body within limits: its size, its time, and the memory that all bodies take together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;

use crate::{Connection, Rejected};

/// Largest body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// Largest body where a form or a short document is all that makes sense, or where nobody knows yet who calls, in
/// bytes.
pub const SMALL_BODY: usize = 64 * 1024;

/// Time a body may take.
const TIME: Duration = Duration::from_secs(20);

/// Memory that is taken at first for a body whose length is not announced, in bytes.
const FIRST: usize = 1024;

/// Memory for all bodies that are read or worked on at the same time, in bytes: for the first [`SMALL_BODY`] of each,
/// and for what goes beyond. Large bodies that never end leave room for small ones.
const BUDGET: Memory = Memory { small: 64 * 1024 * 1024, large: 32 * 1024 * 1024 };

/// What bodies from one network may take of it.
const SHARE: Memory = Memory { small: BUDGET.small / 2, large: BUDGET.large / 2 };

/// Reads a body to its end. The size is limited while it arrives, not by what its header claims, and its memory counts
/// against the budget of all bodies until the last clone of it is gone.
///
/// # Errors
/// [`Rejected::BodyTooLarge`], [`Rejected::BodyTimeout`], [`Rejected::BodyBroken`], [`Rejected::Busy`]
pub async fn read_body(body: Body, limit: usize, connection: Option<&Connection>) -> Result<Bytes, Rejected> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(Rejected::BodyTooLarge(limit));
    }
    let buffer = Buffer::new(connection.and_then(Connection::network));
    match tokio::time::timeout(TIME, collect(body, limit, announced, buffer)).await {
        Err(_) => Err(Rejected::BodyTimeout(TIME.as_secs())),
        Ok(collected) => Ok(Bytes::from_owner(collected?)),
    }
}

async fn collect(
    mut body: Body,
    limit: usize,
    announced: usize,
    mut buffer: Buffer,
) -> Result<Buffer, Rejected> {
    while let Some(frame) = body.frame().await {
        // Trailers say nothing that anybody reads here.
        let Ok(data) = frame.map_err(|_| Rejected::BodyBroken)?.into_data() else { continue };
        let length = buffer.octets.len() + data.len();
        if length > limit {
            return Err(Rejected::BodyTooLarge(limit));
        }
        // Copied, because what arrived may hold on to a far larger buffer of the connection.
        buffer.make_room(length, announced.min(SMALL_BODY), limit)?;
        buffer.octets.extend_from_slice(&data);
    }
    Ok(buffer)
}

/// A body in memory that the budget knows of.
#[derive(Debug)]
struct Buffer {
    octets: Vec<u8>,
    network: Option<IpAddr>,
}

impl Buffer {
    fn new(network: Option<IpAddr>) -> Self {
        Self { octets: Vec::new(), network }
    }

    /// Makes room for `length` octets: twice as much as before, so that a body is moved a few times only.
    fn make_room(&mut self, length: usize, announced: usize, limit: usize) -> Result<(), Rejected> {
        let before = self.octets.capacity();
        if length <= before {
            return Ok(());
        }
        let wanted = length.max(before * 2).max(announced).max(FIRST).min(limit);
        if !BODIES.lock().unwrap_or_else(PoisonError::into_inner).take(self.network, wanted - before, before)
        {
            return Err(Rejected::Busy);
        }
        self.octets.reserve_exact(wanted - self.octets.len());
        Ok(())
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.octets
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let taken = self.octets.capacity();
        if taken > 0 {
            BODIES.lock().unwrap_or_else(PoisonError::into_inner).give_back(self.network, taken);
        }
    }
}

/// Octets of memory, by what they are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Memory {
    small: usize,
    large: usize,
}

impl Memory {
    /// What a buffer of this size counts as.
    fn of(size: usize) -> Self {
        Self { small: size.min(SMALL_BODY), large: size.saturating_sub(SMALL_BODY) }
    }

    fn plus(self, other: Self) -> Self {
        Self { small: self.small + other.small, large: self.large + other.large }
    }

    fn minus(self, other: Self) -> Self {
        Self { small: self.small.saturating_sub(other.small), large: self.large.saturating_sub(other.large) }
    }

    fn fits(self, limit: Self) -> bool {
        self.small <= limit.small && self.large <= limit.large
    }
}

/// What all bodies of the process take.
#[derive(Debug, Default)]
struct Bodies {
    all: Memory,
    networks: HashMap<IpAddr, Memory>,
}

static BODIES: LazyLock<Mutex<Bodies>> = LazyLock::new(Mutex::default);

impl Bodies {
    /// Takes `more` octets for a buffer that has `before` of them, unless there are too few left.
    fn take(&mut self, network: Option<IpAddr>, more: usize, before: usize) -> bool {
        let more = Memory::of(before + more).minus(Memory::of(before));
        let all = self.all.plus(more);
        let own = network.and_then(|network| self.networks.get(&network)).copied().unwrap_or_default();
        let own = own.plus(more);
        if !all.fits(BUDGET) || (network.is_some() && !own.fits(SHARE)) {
            return false;
        }
        self.all = all;
        if let Some(network) = network {
            self.networks.insert(network, own);
        }
        true
    }

    fn give_back(&mut self, network: Option<IpAddr>, size: usize) {
        self.all = self.all.minus(Memory::of(size));
        let Some(network) = network else { return };
        let left = self.networks.get(&network).copied().unwrap_or_default().minus(Memory::of(size));
        if left == Memory::default() {
            self.networks.remove(&network);
        } else {
            self.networks.insert(network, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_leave_room_for_small_ones_and_one_network_for_others() {
        let mut bodies = Bodies::default();
        let [one, two] = [1, 2].map(|last| Some(IpAddr::from([192, 0, 2, last])));
        let mut large = 0;
        while bodies.take(one, MAX_BODY, 0) {
            large += 1;
        }
        assert_eq!(large, SHARE.large / (MAX_BODY - SMALL_BODY), "half of the memory for large bodies");
        assert!(bodies.take(one, SMALL_BODY, 0), "a small one from the same network");
        assert!(bodies.take(two, MAX_BODY, 0), "a large one from another network");
        let mut small = 0;
        while bodies.take(one, SMALL_BODY, 0) {
            small += 1;
        }
        assert!(small > 400, "{small}");
        assert!(bodies.take(two, SMALL_BODY, 0), "a small one from another network");
    }

    #[test]
    fn what_is_given_back_is_there_again_and_nothing_is_remembered() {
        let mut bodies = Bodies::default();
        let from = Some(IpAddr::from([192, 0, 2, 1]));
        // A buffer that grows counts as much as one that had its size at once.
        assert!(bodies.take(from, FIRST, 0) && bodies.take(from, MAX_BODY - FIRST, FIRST));
        assert_eq!(bodies.all, Memory::of(MAX_BODY));
        bodies.give_back(from, MAX_BODY);
        assert_eq!((bodies.all, bodies.networks.len()), (Memory::default(), 0));
    }
}
