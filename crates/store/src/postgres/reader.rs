//! Connections that many read by at once. A read is a statement of its own, so what they send needs no order among them: it goes out
//! together, and the server answers one after the other. A write has a connection for itself.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio_postgres::{Client, Row, Statement as Prepared};

use super::connection::{check_fit, parameters};
use super::failed::Failed;
use super::way::Way;
use crate::StoreError;
use crate::row::Value;

/// Most of these connections.
pub(super) const READERS: usize = 6;

/// How many reads wait for answers on one connection at most: no more than these are late when one before them is.
const TOGETHER: usize = 8;

/// All of them.
#[derive(Debug)]
pub(super) struct Readers {
    slots: [Slot; READERS],
    places: Semaphore,
}

/// A connection, once it is needed.
#[derive(Debug, Default)]
struct Slot {
    reader: Mutex<Option<Arc<Reader>>>,
    /// Held by whoever makes the connection, with why it could not be made last; others wait for what comes of that.
    making: tokio::sync::Mutex<Option<StoreError>>,
    /// How often that came to an end.
    made: AtomicU64,
    /// How many reads have begun on it and not ended.
    under_way: AtomicUsize,
}

/// A connection with what was prepared on it.
struct Reader {
    client: Client,
    statements: Mutex<HashMap<&'static str, Prepared>>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reader").finish_non_exhaustive()
    }
}

/// Takes one off a count when it is dropped.
struct Counted<'s>(&'s AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Readers {
    pub(super) fn new() -> Self {
        Self { slots: std::array::from_fn(|_| Slot::default()), places: Semaphore::new(READERS * TOGETHER) }
    }

    /// Every row that a statement finds.
    pub(super) async fn read(
        &self,
        way: &Way,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<Row>, Failed> {
        let closed = |_| StoreError::unavailable("its connections are closed");
        let _place = self.places.acquire().await.map_err(closed)?;
        let by_work = self.slots.iter().min_by_key(|slot| slot.under_way.load(Ordering::Relaxed));
        let slot = by_work.unwrap_or(&self.slots[0]);
        slot.under_way.fetch_add(1, Ordering::Relaxed);
        let _counted = Counted(&slot.under_way);
        slot.reader(way).await?.read(sql, params).await
    }

    /// How many connections do something, and how many wait.
    pub(super) fn load(&self) -> (usize, usize) {
        self.slots.iter().fold((0, 0), |(busy, idle), slot| {
            if slot.under_way.load(Ordering::Relaxed) > 0 {
                return (busy + 1, idle);
            }
            (busy, idle + usize::from(slot.held().is_some()))
        })
    }

    /// Lets later reads have new connections.
    pub(super) fn renew(&self) {
        self.slots.iter().for_each(|slot| *slot.held() = None);
    }
}

impl Slot {
    fn held(&self) -> std::sync::MutexGuard<'_, Option<Arc<Reader>>> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Option<Arc<Reader>> {
        self.held().as_ref().filter(|reader| !reader.client.is_closed()).cloned()
    }

    /// The connection, or a new one if there is none. One read makes it, for all that want it meanwhile.
    async fn reader(&self, way: &Way) -> Result<Arc<Reader>, Failed> {
        if let Some(reader) = self.open() {
            return Ok(reader);
        }
        let made = self.made.load(Ordering::Relaxed);
        let mut failed = self.making.lock().await;
        if let Some(reader) = self.open() {
            return Ok(reader);
        }
        // What failed while this was waited for would fail for each that waits, one after the other.
        if let Some(error) = failed.as_ref().filter(|_| self.made.load(Ordering::Relaxed) != made) {
            return Err(error.clone().into());
        }
        let connection = way.connect().await;
        self.made.fetch_add(1, Ordering::Relaxed);
        *failed = connection.as_ref().err().cloned();
        let reader = Arc::new(Reader { client: connection?.client, statements: Mutex::default() });
        *self.held() = Some(Arc::clone(&reader));
        Ok(reader)
    }
}

impl Reader {
    async fn read(&self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, Failed> {
        let params = parameters(params);
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        let prepared = match known {
            Some(prepared) => prepared,
            None => {
                let kinds: Vec<_> = params.iter().map(super::values::Parameter::kind).collect();
                let prepared = self.client.prepare_typed(sql, &kinds).await?;
                let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
                statements.insert(sql, prepared.clone());
                prepared
            }
        };
        check_fit(sql, &params, &prepared)?;
        let params: Vec<_> =
            params.iter().map(|param| param as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
        Ok(self.client.query(&prepared, &params).await?)
    }
}
