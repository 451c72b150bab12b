//! Revocation lists that were fetched: one fetch for all who wait for it, and not more of them than fit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::Timestamp;
use eidas::status::times_of_list;

use super::{AGAIN, Fetched, LONGEST};

/// Octets of all lists that are kept.
const MOST: usize = 64 * 1024 * 1024;

/// Addresses of lists that are known at once.
const ADDRESSES: usize = 256;

type Place = Arc<tokio::sync::Mutex<Known>>;

/// What is known of an address.
#[derive(Debug, Default)]
struct Known {
    list: Option<List>,
    /// The one before it, until it is known that whoever issues it signed the new one.
    before: Option<List>,
    /// Until when it is not asked again since it gave nothing, and why that was so: whoever waited for it would wait anew.
    nothing: Option<(Timestamp, String)>,
}

#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<HashMap<Box<str>, (Place, usize)>>);

#[derive(Debug, Clone)]
struct List {
    der: Arc<[u8]>,
    /// As of when it says what it says.
    made: Timestamp,
    /// When a newer one is fetched: in the middle of its time.
    again: Timestamp,
}

impl List {
    /// What was fetched, if it may follow what is kept.
    fn read(der: Vec<u8>, now: Timestamp, kept: Option<&Self>) -> Result<Self, String> {
        let (made, until) =
            times_of_list(&der).ok_or_else(|| "it answers with what is no revocation list".to_owned())?;
        let until =
            until.ok_or_else(|| "it answers with a list that does not say how long it holds".to_owned())?;
        if let Some(kept) = kept.filter(|kept| made < kept.made) {
            let before = kept.made;
            return Err(format!("it answers with a list of {made}, and one of {before} was there before"));
        }
        // Authorities of authorities publish twice a year, and what they revoke meanwhile as soon as they do.
        let half = (until.duration_since(now) / 2).min(LONGEST / 2);
        Ok(Self { der: der.into(), made, again: now.saturating_add(half).unwrap_or(now) })
    }
}

impl Lists {
    /// The list at an address: as it was kept, in the first half of its time and for half a day at most, or fetched now.
    pub(super) async fn get<'f>(
        &self,
        url: &str,
        now: Timestamp,
        fetch: impl FnOnce() -> Fetched<'f>,
    ) -> Result<Arc<[u8]>, String> {
        let place = self.place(url);
        let mut place = place.lock().await;
        if let Some(kept) = place.list.as_ref().filter(|kept| now < kept.again) {
            return Ok(Arc::clone(&kept.der));
        }
        let fetched = match &place.nothing {
            Some((until, why)) if now < *until => Err(why.clone()),
            _ => fetch().await.and_then(|der| List::read(der, now, place.list.as_ref())).inspect_err(|why| {
                place.nothing = Some((soon(now), why.clone()));
            }),
        };
        let list = match fetched {
            Ok(list) => list,
            // What was kept says itself how long it holds.
            Err(why) => return place.list.as_ref().map(|kept| Arc::clone(&kept.der)).ok_or(why),
        };
        let der = Arc::clone(&list.der);
        let before = place.list.take().or_else(|| place.before.take());
        let size = der.len() + before.as_ref().map_or(0, |before| before.der.len());
        *place = Known { list: Some(list), before, nothing: None };
        self.note(url, size);
        Ok(der)
    }

    /// Takes note that a list is the one of whoever issues it: the one before is of no use any more.
    pub(super) fn note_good(&self, url: &str, der: &Arc<[u8]>) {
        self.change(url, der, |known| known.before = None);
    }

    /// Forgets a list that is of no use to anybody, unless there is another one meanwhile; it is not fetched again at once. The
    /// one before comes back, if there is one.
    pub(super) fn forget(
        &self,
        url: &str,
        der: &Arc<[u8]>,
        (now, why): (Timestamp, &str),
    ) -> Option<Arc<[u8]>> {
        let mut back = None;
        self.change(url, der, |known| {
            let list = known.before.take();
            back = list.as_ref().map(|list| Arc::clone(&list.der));
            *known = Known { list, before: None, nothing: Some((soon(now), why.to_owned())) };
        });
        back
    }

    /// Changes what is known of an address while this is the list there.
    fn change(&self, url: &str, der: &Arc<[u8]>, change: impl FnOnce(&mut Known)) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((place, _)) = all.get(url) else { return };
        if let Ok(mut place) = place.try_lock()
            && place.list.as_ref().is_some_and(|kept| Arc::ptr_eq(&kept.der, der))
        {
            change(&mut place);
        }
    }

    fn place(&self, url: &str) -> Place {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(url) && all.len() >= ADDRESSES {
            all.clear();
        }
        Arc::clone(&all.entry(url.into()).or_default().0)
    }

    /// Takes down how large a list is, and forgets others if they are too large together.
    fn note(&self, url: &str, size: usize) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others: usize = all.iter().filter(|(known, _)| ***known != *url).map(|(_, (_, size))| size).sum();
        if others + size > MOST {
            all.retain(|known, _| **known == *url);
        }
        if let Some((_, noted)) = all.get_mut(url) {
            *noted = size;
        }
    }
}

/// When an address is asked again that gave nothing.
fn soon(now: Timestamp) -> Timestamp {
    now.saturating_add(AGAIN).unwrap_or(now)
}
