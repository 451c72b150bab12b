//! Revocation lists that were fetched: one fetch for all who wait for it, and not more of them than fit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::Timestamp;
use eidas::status::times_of_list;

use super::Fetched;

/// Octets of all lists that are kept.
const MOST: usize = 64 * 1024 * 1024;

/// Addresses of lists that are known at once.
const ADDRESSES: usize = 256;

type Place = Arc<tokio::sync::Mutex<Option<List>>>;

#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<HashMap<Box<str>, (Place, usize)>>);

#[derive(Debug, Clone)]
struct List {
    der: Arc<[u8]>,
    /// When a newer one is fetched: in the middle of its time.
    again: Timestamp,
}

impl Lists {
    /// The list at an address: as it was kept, in the first half of its time, or fetched now.
    pub(super) async fn get<'f>(
        &self,
        url: &str,
        now: Timestamp,
        fetch: impl FnOnce() -> Fetched<'f>,
    ) -> Result<Arc<[u8]>, String> {
        let place = self.place(url);
        let mut place = place.lock().await;
        if let Some(kept) = place.as_ref().filter(|kept| now < kept.again) {
            return Ok(Arc::clone(&kept.der));
        }
        let der: Arc<[u8]> = match (fetch().await, place.as_ref()) {
            (Ok(der), _) => der.into(),
            // What was kept says itself how long it holds.
            (Err(_), Some(kept)) => return Ok(Arc::clone(&kept.der)),
            (Err(why), None) => return Err(why),
        };
        let until = times_of_list(&der).and_then(|(_, until)| until);
        let half = until.and_then(|until| now.checked_add(until.duration_since(now) / 2).ok());
        if let Some(half) = half {
            *place = Some(List { der: Arc::clone(&der), again: half });
            self.note(url, der.len());
        }
        Ok(der)
    }

    /// Forgets a list that is of no use, unless there is another one meanwhile.
    pub(super) fn forget(&self, url: &str, der: &Arc<[u8]>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = all.get(url).is_some_and(|(place, _)| {
            place.try_lock().is_ok_and(|kept| kept.as_ref().is_some_and(|kept| Arc::ptr_eq(&kept.der, der)))
        });
        if is_it {
            all.remove(url);
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
