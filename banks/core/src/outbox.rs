//! What the bank was asked to do and has not answered yet. It is written before the bank is asked, so that no end of this
//! process, and no answer that is lost, leaves a payment that nobody knows about.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use gateway::domain::{PaymentId, RejectReason, Timestamp, TransactionStatus};
use gateway::{Changes, Drawer, Entry, Error, PaymentProgress, Store};
use serde::{Deserialize, Serialize};

use crate::wire;

/// Name under which the rows are kept.
const OWNER: &str = "core-bank";
/// Payments of which nobody knows whether the bank has them: until the bank says so.
const OPEN: &str = "open";
/// Payments that the bank declined although it had said that they could be made: as long as the payment.
const DECLINED: &str = "declined";
/// What the bank told about payments by itself: as long as the payment.
const TOLD: &str = "told";
/// Payments that the bank is asked to stop: until that is decided.
const STOPPING: &str = "stopping";

/// How many rows are read at once.
const BATCH: i64 = 100;

#[derive(Debug, Serialize, Deserialize)]
struct Declined {
    reason: RejectReason,
    since: Timestamp,
}

/// The rows, and what this process asks the bank for at this moment.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    store: Store,
    drawer: Drawer,
    asking: Arc<Mutex<HashSet<PaymentId>>>,
}

/// Says that the bank is being asked about payments, until it is dropped.
pub(crate) struct Asking {
    payments: Vec<PaymentId>,
    asking: Arc<Mutex<HashSet<PaymentId>>>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.retain(|payment| !self.payments.contains(payment));
    }
}

/// The ids of what is ordered together.
pub(crate) fn payments_of(order: &wire::Order) -> Vec<PaymentId> {
    order.payments.iter().map(|payment| PaymentId::new(payment.id.as_str())).collect()
}

impl Outbox {
    pub(crate) fn new(store: &Store) -> Self {
        Self { store: store.clone(), drawer: Drawer::new(store, OWNER), asking: Arc::default() }
    }

    /// Leaves payments to whoever asks now. None if somebody of this process does already.
    pub(crate) fn ask(&self, payments: Vec<PaymentId>) -> Option<Asking> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if payments.iter().any(|payment| asking.contains(payment)) {
            return None;
        }
        asking.extend(payments.iter().cloned());
        Some(Asking { payments, asking: Arc::clone(&self.asking) })
    }

    /// Writes down what the bank is about to be asked for, with what the gateway saves.
    ///
    /// # Errors
    /// [`Error::Conflict`] if a row of `with` moved on
    pub(crate) async fn open(&self, order: &wire::Order, with: Changes) -> Result<(), Error> {
        let value = serde_json::to_string(order).map_err(Error::internal)?;
        let mut entries = Vec::with_capacity(order.payments.len());
        for payment in &order.payments {
            let known = self.drawer.entry(OPEN, &payment.id).await?;
            let version = known.map_or(0, |known| known.version);
            entries.push(entry(OPEN, &payment.id, value.clone(), version));
        }
        Ok(self.store.save(with.and(self.drawer.changes(&entries))).await?)
    }

    /// The bank has them.
    pub(crate) async fn close(&self, order: &wire::Order) -> Result<(), Error> {
        self.drawer.delete(&keys(OPEN, order)).await
    }

    /// The bank does not want them any more.
    pub(crate) async fn decline(&self, order: &wire::Order, reason: RejectReason) -> Result<(), Error> {
        let declined = Declined { reason, since: order.at };
        let value = serde_json::to_string(&declined).map_err(Error::internal)?;
        for payment in &order.payments {
            self.drawer.put(DECLINED, &payment.id, &value).await?;
        }
        self.close(order).await
    }

    /// What is open, a batch at a time, behind a key.
    pub(crate) async fn opened(&self, behind: &str) -> Result<Vec<(String, wire::Order)>, Error> {
        let entries = self.drawer.first(OPEN, (behind, "\u{7f}"), BATCH).await?;
        let read =
            |entry: Entry| Ok((entry.key, serde_json::from_str(&entry.value).map_err(Error::internal)?));
        entries.into_iter().map(read).collect()
    }

    /// What a payment is that the bank does not know; none if it was never to get it.
    pub(crate) async fn progress(&self, payment: &PaymentId) -> Result<Option<PaymentProgress>, Error> {
        let told = |status, reason, since| PaymentProgress {
            status,
            reason,
            funds_available: None,
            since,
            can_be_stopped: false,
        };
        if let Some(value) = self.drawer.get(DECLINED, payment.as_str()).await? {
            let Declined { reason, since } = serde_json::from_str(&value).map_err(Error::internal)?;
            return Ok(Some(told(TransactionStatus::Rjct, Some(reason), since)));
        }
        let Some(value) = self.drawer.get(OPEN, payment.as_str()).await? else { return Ok(None) };
        let order: wire::Order = serde_json::from_str(&value).map_err(Error::internal)?;
        Ok(Some(told(TransactionStatus::Rcvd, None, order.at)))
    }

    /// What the bank told of a payment by itself, if that is the end of it.
    pub(crate) async fn end_of(&self, payment: &PaymentId) -> Result<Option<PaymentProgress>, Error> {
        let Some(value) = self.drawer.get(TOLD, payment.as_str()).await? else { return Ok(None) };
        let kept: wire::KeptProgress = serde_json::from_str(&value).map_err(Error::internal)?;
        if !kept.is_final {
            return Ok(None);
        }
        wire::progress_of(kept.progress).map(Some).map_err(|error| Error::internal(error.to_string()))
    }

    /// The bank tells what became of a payment: then it has it. Of a payment that is none of the gateway's nothing is kept.
    pub(crate) async fn tell(
        &self,
        payment: &PaymentId,
        (progress, is_final): (&PaymentProgress, bool),
    ) -> Result<Changes, Error> {
        if self.store.payment(payment).await?.is_none() {
            return Ok(Changes::new());
        }
        let value =
            serde_json::to_string(&wire::KeptProgress::of(progress, is_final)).map_err(Error::internal)?;
        let version = self.drawer.entry(TOLD, payment.as_str()).await?.map_or(0, |known| known.version);
        let told = self.drawer.changes(&[entry(TOLD, payment.as_str(), value, version)]);
        Ok(told.and(self.drawer.deletion(&[(OPEN, payment.to_string())])))
    }

    /// Whether the bank is asked to stop a payment.
    pub(crate) async fn is_stopping(&self, payment: &PaymentId) -> Result<bool, Error> {
        Ok(self.drawer.get(STOPPING, payment.as_str()).await?.is_some())
    }

    /// Writes down that the bank is about to be asked to stop a payment.
    pub(crate) async fn begin_to_stop(&self, payment: &PaymentId) -> Result<(), Error> {
        self.drawer.put(STOPPING, payment.as_str(), "").await
    }

    /// It is decided, and this is what the gateway saves with that.
    pub(crate) async fn end_to_stop(&self, payment: &PaymentId, with: Changes) -> Result<(), Error> {
        let done = self.drawer.deletion(&[(STOPPING, payment.to_string())]);
        Ok(self.store.save(with.and(done)).await?)
    }

    /// For submissions of nothing.
    pub(crate) async fn save(&self, with: Changes) -> Result<(), Error> {
        Ok(self.store.save(with).await?)
    }
}

fn entry(kind: &'static str, key: &str, value: String, version: i64) -> Entry {
    Entry { kind, key: key.to_owned(), value, forget_at: None, version }
}

fn keys(kind: &'static str, order: &wire::Order) -> Vec<(&'static str, String)> {
    order.payments.iter().map(|payment| (kind, payment.id.clone())).collect()
}
