//! The same request again makes nothing new: a third party that lost an answer may repeat its call.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use domain::{Refusal, Timestamp};
use jiff::SignedDuration;
use store::StoredRequest;

use crate::{ActingTpp, Ctx, Error, Gateway, secrets};

/// Request ids whose first use is known, at least; never more than twice as many. A table with places for 128 Ki has so many at most.
const KNOWN_IDS: usize = 112 * 1024;

/// A request that makes something, as its caller can repeat it.
#[derive(Debug, Clone)]
pub struct RequestKey {
    key: String,
    body_digest: String,
    /// How long it is remembered.
    remembered: SignedDuration,
}

/// What is known about a request.
pub(crate) enum Seen {
    /// It made these things.
    Before(Vec<String>),
    /// It is new; this is how to remember it.
    New(StoredRequest),
}

impl Seen {
    /// How to remember a new request together with what it made.
    pub(crate) fn made(request: StoredRequest, ids: &[&str]) -> StoredRequest {
        StoredRequest { made: ids.iter().map(|id| (*id).to_owned()).collect(), ..request }
    }
}

/// What request ids were first used for. A signature covers the request id and neither method nor path, so that the
/// signed headers of one call would serve for another; this tells the two apart. It is kept in memory, since reads are
/// part of it and must not wait for a disk: a restart, or that many later calls, forget it.
#[derive(Debug, Default)]
pub(crate) struct RequestIds {
    hasher: RandomState,
    /// The newer uses, and those before them.
    uses: Mutex<[HashMap<u64, Use>; 2]>,
}

/// Small, since there are many: 16 octets with the key.
#[derive(Debug, Clone, Copy)]
struct Use {
    method_and_path: u32,
    /// Seconds since 1970, until 2106.
    at: u32,
}

impl Use {
    fn of(method_and_path: u64, at: Timestamp) -> Self {
        // The lower half of a hash is as good as all of it.
        let [.., a, b, c, d] = method_and_path.to_be_bytes();
        let at = u32::try_from(at.as_second().max(0)).unwrap_or(u32::MAX);
        Self { method_and_path: u32::from_be_bytes([a, b, c, d]), at }
    }

    /// How long ago another one was.
    fn since(self, before: Self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.at) - i64::from(before.at))
    }
}

impl RequestIds {
    /// Whether this is the method and path that the caller used the id for first, within the time that requests are
    /// remembered.
    fn is_first_use(
        &self,
        caller_and_id: (&str, &str),
        method_and_path: (&str, &str),
        (now, remembered): (Timestamp, SignedDuration),
    ) -> bool {
        let id = self.hasher.hash_one(caller_and_id);
        let this = Use::of(self.hasher.hash_one(method_and_path), now);
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let known = uses.iter().find_map(|uses| uses.get(&id)).copied();
        if let Some(known) = known.filter(|known| this.since(*known) < remembered) {
            return known.method_and_path == this.method_and_path;
        }
        if uses[0].len() >= KNOWN_IDS {
            uses[1] = std::mem::take(&mut uses[0]);
        }
        uses[0].insert(id, this);
        true
    }
}

impl Gateway {
    /// The same caller, method, path and request id are the same request.
    pub fn request_key(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        (method, path): (&str, &str),
        body: &[u8],
    ) -> RequestKey {
        let parts = [tpp.id().as_str(), method, path.trim_end_matches('/'), ctx.request.as_str()];
        let key = parts.map(|part| format!("{}:{part}", part.len())).concat();
        RequestKey {
            key: secrets::hex(digest(&SHA256, key.as_bytes()).as_ref()),
            body_digest: secrets::hex(digest(&SHA256, body).as_ref()),
            remembered: self.profile(tpp.interface()).lifetimes.request_id,
        }
    }

    /// Checks that a call which changes something brings a request id that its caller used for nothing else. Calls that
    /// read are remembered and never refused: clients that send one id with all of them do no harm.
    ///
    /// # Errors
    /// [`Refusal::RequestIdOfAnother`]
    pub fn check_request_id(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        (method, path): (&str, &str),
        changes: bool,
    ) -> Result<(), Refusal> {
        let use_of = (method, path.trim_end_matches('/'));
        let remembered = self.profile(tpp.interface()).lifetimes.request_id;
        let caller_and_id = (tpp.id().as_str(), ctx.request.as_str());
        let is_first_use = self.0.request_ids.is_first_use(caller_and_id, use_of, (ctx.now, remembered));
        if changes && !is_first_use { Err(Refusal::RequestIdOfAnother { remembered }) } else { Ok(()) }
    }

    /// Looks a request up.
    ///
    /// # Errors
    /// [`Refusal::RequestIdReused`] if another body came with the same id.
    pub(crate) async fn seen(&self, ctx: &Ctx, request: &RequestKey) -> Result<Seen, Error> {
        let known = self.0.store.request(&request.key).await?;
        let version = known.as_ref().map_or(0, |known| known.version);
        match known.filter(|known| ctx.now < known.expires_at) {
            Some(known) if known.body_digest == request.body_digest => Ok(Seen::Before(known.made)),
            Some(_) => Err(Refusal::RequestIdReused { remembered: request.remembered }.into()),
            None => Ok(Seen::New(StoredRequest {
                key: request.key.clone(),
                tenant: ctx.tenant.clone(),
                body_digest: request.body_digest.clone(),
                made: Vec::new(),
                expires_at: ctx.now.saturating_add(request.remembered).unwrap_or(ctx.now),
                version,
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

    #[test]
    fn an_id_belongs_to_its_first_method_and_path_for_a_day() {
        let ids = RequestIds::default();
        let now = Timestamp::UNIX_EPOCH;
        let later = |hours| now.saturating_add(SignedDuration::from_hours(hours)).unwrap();
        assert!(ids.is_first_use(("tpp", "1"), ("GET", "/a"), (now, REMEMBERED)));
        assert!(ids.is_first_use(("tpp", "1"), ("GET", "/a"), (later(1), REMEMBERED)), "the same again");
        assert!(!ids.is_first_use(("tpp", "1"), ("DELETE", "/a"), (later(1), REMEMBERED)), "another method");
        assert!(!ids.is_first_use(("tpp", "1"), ("GET", "/b"), (later(23), REMEMBERED)), "another path");
        assert!(ids.is_first_use(("other", "1"), ("DELETE", "/a"), (later(1), REMEMBERED)), "another caller");
        assert!(ids.is_first_use(("tpp", "1"), ("DELETE", "/a"), (later(24), REMEMBERED)), "a day later");
        assert!(
            !ids.is_first_use(("tpp", "1"), ("GET", "/a"), (later(25), REMEMBERED)),
            "which begins a new day"
        );
    }

    #[test]
    fn so_many_ids_are_known_and_no_more() {
        let ids = RequestIds::default();
        let now = Timestamp::UNIX_EPOCH;
        for number in 0..3 * KNOWN_IDS {
            assert!(ids.is_first_use(("tpp", &number.to_string()), ("GET", "/a"), (now, REMEMBERED)));
        }
        let newest = (3 * KNOWN_IDS - 1).to_string();
        let oldest_known = (2 * KNOWN_IDS).to_string();
        for id in [newest, oldest_known] {
            assert!(!ids.is_first_use(("tpp", &id), ("DELETE", "/a"), (now, REMEMBERED)), "{id}");
        }
        let kept: usize = ids.uses.lock().unwrap().iter().map(HashMap::len).sum();
        assert!(kept <= 2 * KNOWN_IDS, "{kept}");
    }
}
