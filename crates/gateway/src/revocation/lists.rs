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
    /// Until when it is not asked again since it gave nothing, and why that was so: whoever waited for it would wait anew.
    nothing: Option<(Timestamp, String)>,
}

#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<HashMap<Box<str>, (Place, usize)>>);

#[derive(Debug, Clone)]
struct List {
    der: Arc<[u8]>,
    /// When a newer one is fetched: in the middle of its time.
    again: Timestamp,
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
            _ => {
                let fetched = fetch().await;
                place.nothing = fetched.as_ref().err().map(|why| (soon(now), why.clone()));
                fetched
            }
        };
        let der: Arc<[u8]> = match fetched {
            Ok(der) => der.into(),
            // What was kept says itself how long it holds.
            Err(why) => return place.list.as_ref().map(|kept| Arc::clone(&kept.der)).ok_or(why),
        };
        let until = times_of_list(&der).and_then(|(_, until)| until);
        // Authorities of authorities publish twice a year, and what they revoke meanwhile as soon as they do.
        let half = until.map(|until| (until.duration_since(now) / 2).min(LONGEST / 2));
        let again = half.and_then(|half| now.checked_add(half).ok());
        let list = again.map(|again| List { der: Arc::clone(&der), again });
        if list.is_some() {
            *place = Known { list, nothing: None };
            self.note(url, der.len());
        }
        Ok(der)
    }

    /// Forgets a list that is of no use to anybody, unless there is another one meanwhile; it is not fetched again at once.
    pub(super) fn forget(&self, url: &str, der: &Arc<[u8]>, (now, why): (Timestamp, &str)) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((place, _)) = all.get(url) else { return };
        if let Ok(mut place) = place.try_lock()
            && place.list.as_ref().is_some_and(|kept| Arc::ptr_eq(&kept.der, der))
        {
            *place = Known { list: None, nothing: Some((soon(now), why.to_owned())) };
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
