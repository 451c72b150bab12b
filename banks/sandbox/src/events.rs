//! What happens at the bank by itself, for a gateway that has it behind it. Nobody is told, and nothing is written, until somebody is to
//! be ([`Sandbox::telling`]); from then on it is, after each start of these data, and of others that took their place.

use std::sync::Arc;
use std::time::Duration;

use gateway::bank::{Answer, Events};
use gateway::domain::{AccountId, CustomerId, PaymentId, RejectReason, TppId, TransactionStatus};
use gateway::{Bank, BankEvent, Changes, Drawer, Error, PaymentProgress, Randomness, ToldEvent};
use tokio::time::Instant;

use crate::Sandbox;
use crate::ledger::{self, Ledger, Told};
use crate::setup::OWNER;

/// Where it is kept that events are told, with a mark that no other data have: names of events begin with it, since numbers come again
/// when the bank goes back to what it was.
const EVENTS: &str = "events";
const MARK: &str = "mark";

/// How often it is looked whether there is an event.
const LOOKED: Duration = Duration::from_millis(50);

/// Tells what happens.
#[derive(Debug)]
struct Teller {
    store: Ledger,
    mark: String,
}

impl Sandbox {
    /// The bank for a gateway that has it behind it, which is told what happens from now on.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn telling(&self) -> Result<Bank, Error> {
        let drawer = Drawer::new(&self.store, OWNER);
        let fresh = drawn();
        let kept = drawer.update(EVENTS, MARK, |kept| kept.is_none().then(|| fresh.clone())).await?;
        self.store.tell(&kept.unwrap_or(fresh));
        Ok(self.behind_a_gateway())
    }

    /// The bank for a gateway that has it behind it, which is told what happens if somebody is ([`Self::telling`]), on these data or on
    /// those whose place they took.
    pub fn behind_a_gateway(&self) -> Bank {
        let teller = |mark: &str| Teller { store: self.store.clone(), mark: mark.to_owned() };
        let events = self.store.mark().map(|mark| Arc::new(teller(mark)) as Arc<dyn Events>);
        Bank { events, ..self.bank.clone() }
    }
}

fn drawn() -> String {
    Randomness::from_system().secret_uuid()
}

/// Takes up that somebody is told.
pub(crate) async fn take_up(store: &Ledger, drawer: &Drawer) -> Result<(), Error> {
    if let Some(mark) = drawer.get(EVENTS, MARK).await? {
        store.tell(&mark);
    }
    Ok(())
}

/// Other data take the place of these. Whoever is told goes on to be, and finds that the event that they took last is none of those.
pub(crate) async fn carry_on(from: &Drawer, to: &Drawer) -> Result<(), Error> {
    let is_told = from.get(EVENTS, MARK).await?.or(to.get(EVENTS, MARK).await?).is_some();
    if is_told {
        to.put(EVENTS, MARK, &drawn()).await?;
    }
    Ok(())
}

impl Teller {
    /// The number of an event that was told; none if it is none of these data.
    async fn number(&self, after: Option<&str>) -> Result<Option<i64>, Error> {
        let Some(id) = after else { return Ok(Some(0)) };
        let number =
            id.strip_prefix(&*self.mark).and_then(|rest| rest.strip_prefix('-')?.parse::<i64>().ok());
        let Some(number) = number else { return Ok(None) };
        // One of before these data went back to what they were.
        Ok(self.store.event(number).await?.map(|_| number))
    }

    async fn told(&self, event: ledger::BankEvent) -> Result<ToldEvent, Error> {
        let happened = match event.told {
            Told::Order { payment, status, reason, since, is_final } => {
                let reason = reason.as_deref().and_then(RejectReason::from_stored);
                let status = TransactionStatus::from_name(&status).unwrap_or(TransactionStatus::Rcvd);
                let is_made =
                    is_final && !matches!(status, TransactionStatus::Rjct | TransactionStatus::Canc);
                let funds_available = match reason {
                    Some(RejectReason::Am04) => Some(false),
                    _ => is_made.then_some(true),
                };
                let progress =
                    PaymentProgress { status, reason, funds_available, since, can_be_stopped: false };
                Some(BankEvent::Payment { payment: PaymentId::new(payment), progress, is_final })
            }
            Told::Closed { account } => {
                let account = AccountId::new(account);
                let holders = self.store.holders_of(&account).await?;
                let customers = holders.into_iter().map(|holder| holder.id).collect();
                // Of one that is gone altogether there is nothing to tell.
                let booked = self.store.account(&account).await?;
                booked.map(|booked| BankEvent::AccountClosed { account: booked.account, customers })
            }
            Told::Withdrawn { customer, consent, third_party } => Some(BankEvent::Withdrawn {
                customer: CustomerId::new(customer),
                consent,
                third_party: third_party.map(TppId::new),
            }),
        };
        Ok(ToldEvent { id: format!("{}-{}", self.mark, event.number), at: event.at, event: happened })
    }
}

impl Events for Teller {
    fn events<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
        wait: Duration,
    ) -> Answer<'a, Option<Vec<ToldEvent>>> {
        Box::pin(async move {
            let Some(number) = self.number(after).await? else { return Ok(None) };
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let until = Instant::now() + wait;
            let mut found = self.store.events_behind(number, limit).await?;
            while found.is_empty() && Instant::now() < until {
                tokio::time::sleep(LOOKED.min(until - Instant::now())).await;
                found = self.store.events_behind(number, limit).await?;
            }
            let mut told = Vec::with_capacity(found.len());
            for event in found {
                told.push(self.told(event).await?);
            }
            Ok(Some(told))
        })
    }

    fn noted<'a>(&'a self, _: &'a ToldEvent) -> Answer<'a, Changes> {
        Box::pin(async { Ok(Changes::new()) })
    }
}
