//! What the bank was asked to do and has not answered yet. It is written before the bank is asked, so that no end of this
//! process, and no answer that is lost, leaves a payment that nobody knows about.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use gateway::domain::{
    Interface, Payment, PaymentId, PaymentStatus, RejectReason, Timestamp, TransactionStatus,
};
use gateway::{Changes, Drawer, Entry, Error, PaymentProgress, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::wire;

/// Name under which the rows are kept.
const OWNER: &str = "core-bank";
/// Payments of which nobody knows whether the bank has them: until the bank says so.
const OPEN: &str = "open";
/// Payments that the bank declined although it had said that they could be made: for good.
const DECLINED: &str = "declined";
/// What the bank told about payments by itself: for good.
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

/// A payment of which nobody knows whether the bank has it, as it is kept: an order of itself, and all that were ordered together by their
/// ids, so that a large order is kept once. Releases before this one read it as an order of one.
#[derive(Debug, Serialize, Deserialize)]
struct Opened {
    at: Timestamp,
    payments: Vec<wire::Payment>,
    /// Nothing in rows of releases before this one, which kept the whole order with each of its payments.
    #[serde(default)]
    together: Vec<PaymentId>,
}

impl Opened {
    fn read(entry: &Entry) -> Result<Self, Error> {
        let mut opened: Self = serde_json::from_str(&entry.value).map_err(Error::internal)?;
        if opened.together.is_empty() {
            opened.together = ids_of(&opened.payments);
            opened.payments.retain(|payment| payment.id == entry.key);
        }
        Ok(opened)
    }
}

/// Payments that were ordered together, of which nobody knows whether the bank has them.
#[derive(Debug, Clone)]
pub(crate) struct Ordered {
    /// When, by the gateway's clock.
    pub(crate) at: Timestamp,
    /// Which, in their order.
    pub(crate) payments: Vec<PaymentId>,
}

impl Ordered {
    pub(crate) fn of(order: &wire::Order) -> Self {
        Self { at: order.at, payments: ids_of(&order.payments) }
    }

    /// By which all of it is known.
    pub(crate) fn first(&self) -> PaymentId {
        self.payments.first().cloned().unwrap_or_else(|| PaymentId::new(""))
    }
}

/// The rows, and what this process asks the bank for at this moment.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    store: Store,
    drawer: Drawer,
    asking: Arc<Mutex<HashSet<PaymentId>>>,
}

/// The rows of payments as whoever hands them to the bank wrote them. As long as they are as they were, it is for nobody else to say
/// what the bank's "no" means; whoever takes them over writes them anew.
#[derive(Debug)]
pub(crate) struct Held(Vec<Entry>);

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
fn ids_of(payments: &[wire::Payment]) -> Vec<PaymentId> {
    payments.iter().map(|payment| PaymentId::new(payment.id.as_str())).collect()
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
    pub(crate) async fn open(&self, order: &wire::Order, with: Changes) -> Result<Held, Error> {
        let (at, together) = (order.at, ids_of(&order.payments));
        let mut entries = Vec::with_capacity(order.payments.len());
        for payment in &order.payments {
            let known = self.drawer.entry(OPEN, &payment.id).await?;
            let version = known.map_or(0, |known| known.version);
            let opened = Opened { at, payments: vec![payment.clone()], together: together.clone() };
            let value = serde_json::to_string(&opened).map_err(Error::internal)?;
            entries.push(entry(OPEN, &payment.id, value, version));
        }
        self.store.save(with.and(self.drawer.changes(&entries))).await?;
        Ok(held(entries))
    }

    /// Takes over what is still open of an order that was found open, to hand it to the bank again. None if nothing is any more, or
    /// somebody else takes it over at this moment: what is read in a list is as old as the list, and a payment that was declined
    /// meanwhile is not to be made after all. A payment of which the bank told something meanwhile is left out: it has that one.
    pub(crate) async fn take_over(&self, ordered: &Ordered) -> Result<Option<(wire::Order, Held)>, Error> {
        let mut entries = Vec::with_capacity(ordered.payments.len());
        let mut payments = Vec::with_capacity(ordered.payments.len());
        for payment in &ordered.payments {
            if let Some(entry) = self.drawer.entry(OPEN, payment.as_str()).await? {
                payments.extend(Opened::read(&entry)?.payments);
                entries.push(entry);
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        // A row that is gone by now is not to come back.
        let changes = self.drawer.deletion_of(&entries).and(self.drawer.changes(&entries));
        let is_taken = is_saved(self.store.save(changes).await)?;
        Ok(is_taken.then(|| (wire::Order { at: ordered.at, payments }, held(entries))))
    }

    /// The bank has them.
    pub(crate) async fn close(&self, payments: &[PaymentId]) -> Result<(), Error> {
        let keys: Vec<_> = payments.iter().map(|payment| (OPEN, payment.to_string())).collect();
        self.drawer.delete(&keys).await
    }

    /// The bank does not want them any more: they are declined and no longer open, in one batch with what that means for third parties.
    /// False if somebody else took them over meanwhile, or the bank told that it has them: then this "no" is not the last word.
    pub(crate) async fn decline(
        &self,
        order: &wire::Order,
        held: &Held,
        reason: RejectReason,
    ) -> Result<bool, Error> {
        let declined = Declined { reason, since: order.at };
        let value = serde_json::to_string(&declined).map_err(Error::internal)?;
        let mut entries = Vec::with_capacity(order.payments.len());
        let mut ended = Changes::new();
        for payment in &order.payments {
            let known = self.drawer.entry(DECLINED, &payment.id).await?;
            let version = known.map_or(0, |known| known.version);
            entries.push(entry(DECLINED, &payment.id, value.clone(), version));
            if let Some(payment) = self.store.payment(&PaymentId::new(payment.id.as_str())).await? {
                ended = ended.and(not_made(payment, (TransactionStatus::Rjct, Some(reason)), order.at));
            }
        }
        let changes = self.drawer.deletion_of(&held.0).and(self.drawer.changes(&entries));
        is_saved(self.store.save(changes.and(ended)).await)
    }

    /// Why the bank declined a payment, if it did after it was handed over.
    pub(crate) async fn declined(&self, payment: &PaymentId) -> Result<Option<RejectReason>, Error> {
        Ok(self.read_declined(payment).await?.map(|declined| declined.reason))
    }

    async fn read_declined(&self, payment: &PaymentId) -> Result<Option<Declined>, Error> {
        let value = self.drawer.get(DECLINED, payment.as_str()).await?;
        value.map(|value| serde_json::from_str(&value).map_err(Error::internal)).transpose()
    }

    /// What is open, a batch at a time, behind a key.
    pub(crate) async fn opened(&self, behind: &str) -> Result<Vec<(String, Ordered)>, Error> {
        let entries = self.drawer.first(OPEN, (behind, "\u{7f}"), BATCH).await?;
        let read = |entry: Entry| {
            let Opened { at, together, .. } = Opened::read(&entry)?;
            Ok((entry.key, Ordered { at, payments: together }))
        };
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
        if let Some(Declined { reason, since }) = self.read_declined(payment).await? {
            return Ok(Some(told(TransactionStatus::Rjct, Some(reason), since)));
        }
        let Some(entry) = self.drawer.entry(OPEN, payment.as_str()).await? else { return Ok(None) };
        Ok(Some(told(TransactionStatus::Rcvd, None, Opened::read(&entry)?.at)))
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
        let Some(kept) = self.store.payment(payment).await? else { return Ok(Changes::new()) };
        let value =
            serde_json::to_string(&wire::KeptProgress::of(progress, is_final)).map_err(Error::internal)?;
        let version = self.drawer.entry(TOLD, payment.as_str()).await?.map_or(0, |known| known.version);
        let told = self.drawer.changes(&[entry(TOLD, payment.as_str(), value, version)]);
        let told = told.and(self.drawer.deletion(&[(OPEN, payment.to_string())]));
        Ok(match is_final {
            true => told.and(not_made(kept, (progress.status, progress.reason), progress.since)),
            false => told,
        })
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

/// What it means for a payment of bunq's interface that the bank does not make it after all. That interface knows no payment between
/// approved and made, and asks nobody what became of one: the payment itself has to say so. At any other one the bank is asked.
fn not_made(
    payment: Payment,
    (status, reason): (TransactionStatus, Option<RejectReason>),
    since: Timestamp,
) -> Changes {
    if payment.interface != Interface::Bunq || payment.status_at(since) != PaymentStatus::Submitted {
        return Changes::new();
    }
    let ended = match status {
        TransactionStatus::Rjct => Some(payment.refused(reason.unwrap_or(RejectReason::Ms03), since)),
        TransactionStatus::Canc => payment.stopped(since).ok(),
        _ => None,
    };
    ended.map_or_else(Changes::new, |ended| Changes::new().put_payment(&ended))
}

fn entry(kind: &'static str, key: &str, value: String, version: i64) -> Entry {
    Entry { kind, key: key.to_owned(), value, forget_at: None, version }
}

/// Entries that were written, as they are now.
fn held(entries: Vec<Entry>) -> Held {
    Held(entries.into_iter().map(|entry| Entry { version: entry.version + 1, ..entry }).collect())
}

/// Whether a batch was written, and not another one before it.
fn is_saved(saved: Result<(), StoreError>) -> Result<bool, Error> {
    match saved {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use gateway::bank_end::approved;
    use gateway::domain::{AccountId, Interface, PaymentTerms, Tenant};

    use super::*;

    fn order(ids: [&str; 2]) -> wire::Order {
        let payment = |id: &str| {
            let which = (PaymentId::new(id), Tenant::parse("nl").unwrap(), Interface::Bunq);
            wire::Payment::from(&approved(which, AccountId::new("a"), (PaymentTerms::AT_ONCE, Vec::new())))
        };
        wire::Order { at: Timestamp::UNIX_EPOCH, payments: ids.iter().map(|id| payment(id)).collect() }
    }

    fn json(order: &wire::Order) -> String {
        serde_json::to_string(order).unwrap()
    }

    async fn is_declined(outbox: &Outbox) -> [bool; 2] {
        let mut declined = [false; 2];
        for (id, declined) in ["p", "q"].into_iter().zip(&mut declined) {
            *declined = outbox.declined(&PaymentId::new(id)).await.unwrap().is_some();
        }
        declined
    }

    /// Two nodes have read the same list.
    #[tokio::test]
    async fn what_was_declined_is_handed_over_by_nobody_who_found_it_open_before() {
        let store = Store::in_memory().unwrap();
        let [one, other] = [Outbox::new(&store), Outbox::new(&store)];
        let order = order(["p", "q"]);
        let held = one.open(&order, Changes::new()).await.unwrap();
        let listed = other.opened("").await.unwrap();
        assert_eq!(listed.len(), 2);
        assert!(one.decline(&order, &held, RejectReason::Am04).await.unwrap());
        assert_eq!(is_declined(&other).await, [true; 2]);
        for (_, ordered) in &listed {
            assert!(other.take_over(ordered).await.unwrap().is_none());
        }
        assert!(other.opened("").await.unwrap().is_empty(), "and nothing is open again");
    }

    #[tokio::test]
    async fn a_no_is_the_last_word_of_whoever_took_a_payment_over_and_of_nobody_before() {
        let store = Store::in_memory().unwrap();
        let [one, other] = [Outbox::new(&store), Outbox::new(&store)];
        let order = order(["p", "q"]);
        let first = one.open(&order, Changes::new()).await.unwrap();
        let (again, second) = other.take_over(&Ordered::of(&order)).await.unwrap().unwrap();
        assert_eq!(json(&again), json(&order), "it is the same order");
        assert!(!one.decline(&order, &first, RejectReason::Am04).await.unwrap());
        assert_eq!((is_declined(&one).await, one.opened("").await.unwrap().len()), ([false; 2], 2));
        assert!(other.decline(&order, &second, RejectReason::Am04).await.unwrap());
        assert_eq!((is_declined(&one).await, one.opened("").await.unwrap().len()), ([true; 2], 0));
    }

    #[tokio::test]
    async fn a_payment_that_the_bank_has_is_not_declined_after_all() {
        let store = Store::in_memory().unwrap();
        let outbox = Outbox::new(&store);
        let order = order(["p", "q"]);
        let held = outbox.open(&order, Changes::new()).await.unwrap();
        outbox.close(&Ordered::of(&order).payments).await.unwrap();
        assert!(!outbox.decline(&order, &held, RejectReason::Am04).await.unwrap());
        assert_eq!((is_declined(&outbox).await, outbox.opened("").await.unwrap().len()), ([false; 2], 0));
    }

    /// However many payments it has: each of them is kept once, and not with each of the others.
    #[tokio::test]
    async fn an_order_is_kept_once() {
        let store = Store::in_memory().unwrap();
        let outbox = Outbox::new(&store);
        let ids: Vec<String> = (0..50).map(|number| format!("{number:036}")).collect();
        let mut large = order(["p", "q"]);
        let text = serde_json::to_value(&large.payments[0]).unwrap();
        large.payments = ids
            .iter()
            .map(|id| {
                let mut payment = text.clone();
                payment["id"] = id.as_str().into();
                payment["transfers"] = vec![transfer(); 100].into();
                serde_json::from_value(payment).unwrap()
            })
            .collect();
        outbox.open(&large, Changes::new()).await.unwrap();
        let kept: usize = outbox.drawer.all(OPEN).await.unwrap().iter().map(|(_, value)| value.len()).sum();
        assert!(kept < 2 * json(&large).len(), "{kept} octets");
        let opened = outbox.opened("").await.unwrap();
        let (again, _) = outbox.take_over(&opened[49].1).await.unwrap().unwrap();
        assert_eq!(json(&again), json(&large));
    }

    fn transfer() -> serde_json::Value {
        serde_json::json!({"creditor": {"name": "P", "iban": "NL91ABNA0417164300"}, "amount": {"amount": "1.00", "currency": "EUR"}})
    }

    /// Two releases serve on one store, and one row that the other cannot read would keep all that is open from it.
    #[tokio::test]
    async fn what_is_kept_is_an_order_of_one_to_the_release_before() {
        let store = Store::in_memory().unwrap();
        let outbox = Outbox::new(&store);
        let order = order(["p", "q"]);
        outbox.open(&order, Changes::new()).await.unwrap();
        for (key, value) in outbox.drawer.all(OPEN).await.unwrap() {
            let read: wire::Order = serde_json::from_str(&value).unwrap();
            let ids: Vec<_> = read.payments.iter().map(|payment| payment.id.as_str()).collect();
            assert_eq!((read.at, ids), (order.at, vec![key.as_str()]));
        }
    }

    /// The whole order was kept with each of its payments once.
    #[tokio::test]
    async fn what_was_kept_before_is_handed_over() {
        let store = Store::in_memory().unwrap();
        let outbox = Outbox::new(&store);
        let order = order(["p", "q"]);
        for payment in &order.payments {
            outbox.drawer.put(OPEN, &payment.id, &json(&order)).await.unwrap();
        }
        let opened = outbox.opened("").await.unwrap();
        assert_eq!(opened.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["p", "q"]);
        for (_, ordered) in &opened {
            assert_eq!(ordered.payments, [PaymentId::new("p"), PaymentId::new("q")]);
            let (again, _) = outbox.take_over(ordered).await.unwrap().unwrap();
            assert_eq!(json(&again), json(&order));
        }
        let waits = outbox.progress(&PaymentId::new("q")).await.unwrap().unwrap();
        assert_eq!((waits.status, waits.since), (TransactionStatus::Rcvd, order.at));
    }
}
