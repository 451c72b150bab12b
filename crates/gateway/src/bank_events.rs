//! What happens at the bank by itself: payments settle, accounts are closed, customers take back at the bank what they gave.
//!
//! The bank keeps its events in order, and the gateway remembers the last one that it took, in one batch with what that one meant. So
//! no end of either side loses one, and none is taken twice however many nodes ask. An event that comes again, because the bank
//! went back to an older state, changes nothing that it did not change before.
//!
//! An event of which the bank does not tell yet what it means is put aside ([`crate::events_aside`]).

use std::collections::HashSet;
use std::time::Duration;

use domain::{
    Account, AccountId, AccountStatus, CustomerId, Decision, ListPlace, PaymentId, Timestamp, TppId,
};
use tokio::time::Instant;

use crate::customer_rights::Right;
use crate::events_aside::{Aside, Effects};
use crate::payments::PaymentProgress;
use crate::{Changes, Drawer, Entry, Error, Gateway, Lease};

/// Name under which it is kept which event was taken last.
pub(crate) const OWNER: &str = "bank-events";
const TAKEN: &str = "taken";
const LAST: &str = "last";

/// How many events are asked for at once.
const BATCH: usize = 100;

/// How long the bank may wait with its answer until there is an event. Less than the life of a lease.
const WAIT: Duration = Duration::from_secs(4);

/// How long a bank or a store that does not answer is left in peace, how often one is asked that does not wait until there is an event,
/// and how often another node looks whether it is its turn.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// How often a bank that tells no events is asked whether it does by now.
const UNTOLD: Duration = Duration::from_secs(60);

/// How many rights are read at once.
const PAGE: usize = 200;

/// After how many conflicts in a row at one event the log is told; after twice as many the next time, and so on.
const MANY: u32 = 10;

/// An event as the bank told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldEvent {
    /// The bank's name for it.
    pub id: String,
    /// When it happened, by the bank's clock.
    pub at: Timestamp,
    /// What happened; none if it is of a kind that is not known here, or cannot be read.
    pub event: Option<BankEvent>,
}

/// What happened at the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankEvent {
    /// A payment became something else.
    Payment {
        /// Which one.
        payment: PaymentId,
        /// What it is now.
        progress: PaymentProgress,
        /// Whether that is the end of it.
        is_final: bool,
    },
    /// An account was closed.
    AccountClosed {
        /// The account.
        account: Account,
        /// Who held it.
        customers: Vec<CustomerId>,
    },
    /// A customer took back at the bank what they gave to third parties.
    Withdrawn {
        /// The customer.
        customer: CustomerId,
        /// The one consent, by its id, if it is about one.
        consent: Option<String>,
        /// The one third party, if it is about one.
        third_party: Option<TppId>,
    },
}

impl Gateway {
    /// Takes what the bank tells, as it comes, without an end. On one of the nodes that share a store; the others look whether it is their
    /// turn. Ends at once if the bank tells nothing.
    pub async fn follow_bank(&self) {
        if self.0.bank.events.is_some() {
            // A bank that is slow to tell what was put aside keeps no event waiting.
            tokio::join!(self.read_bank_events(), self.keep_taking_up());
        }
    }

    async fn read_bank_events(&self) {
        let mut lease = Lease::new(OWNER);
        let (mut is_away, mut is_silent, mut conflicts) = (false, false, Conflicts::default());
        loop {
            if !lease.is_held(self).await {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let asked = Instant::now();
            let mut event = String::new();
            let taken = self.take(WAIT, &mut event).await;
            let is_taken = matches!(taken, Ok(Some(1..)));
            if matches!(taken, Err(Error::Conflict)) && conflicts.are_many(&event) {
                tracing::error!(
                    event,
                    "an event of the bank cannot be taken, and none behind it is: what it means meets something that moved on, each \
                     time anew; what customers withdraw at the bank goes on here meanwhile"
                );
            }
            match taken {
                Ok(None) => {
                    if !is_silent {
                        tracing::warn!(
                            "the bank tells no events: payments are asked about when somebody wants to know, and what customers \
                             withdraw in the bank's own app goes on here until it ends by itself"
                        );
                    }
                    is_silent = true;
                    tokio::time::sleep(UNTOLD).await;
                }
                // Another node was faster.
                Ok(_) | Err(Error::Conflict) if !is_away => {}
                Ok(_) | Err(Error::Conflict) => {
                    is_away = false;
                    tracing::warn!("the bank's events are read again");
                }
                Err(error) => {
                    if !is_away {
                        let fault = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::warn!(%error, fault, "the bank's events cannot be read; they are asked for again");
                    }
                    is_away = true;
                    tokio::time::sleep(PAUSE).await;
                }
            }
            if !is_taken {
                tokio::time::sleep_until(asked + PAUSE).await;
            }
        }
    }

    /// Takes the next events that the bank tells, and says how many. If there are none yet, they are waited for, no longer than this.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Conflict`] if somebody else took one meanwhile, or something that one is about moved on: what was
    /// taken until then is taken, and the next call goes on
    pub async fn take_bank_events(&self, wait: Duration) -> Result<usize, Error> {
        Ok(self.take(wait, &mut String::new()).await?.unwrap_or(0))
    }

    /// The same; none if the bank tells no events. `at` becomes the id of the event that is being taken.
    async fn take(&self, wait: Duration, at: &mut String) -> Result<Option<usize>, Error> {
        let Some(events) = &self.0.bank.events else { return Ok(None) };
        let drawer = Drawer::new(&self.0.store, OWNER);
        let known = drawer.entry(TAKEN, LAST).await?;
        let mut taken = known.unwrap_or_else(|| place(String::new(), 0));
        let after = Some(taken.value.as_str()).filter(|id| !id.is_empty());
        let Some(told) = events.events(after, BATCH, wait).await? else {
            if after.is_none() {
                return Ok(None);
            }
            tracing::warn!(
                "the bank does not know the event that was taken last; its events are read from the first one"
            );
            drawer.save(&[place(String::new(), taken.version)]).await?;
            return Ok(Some(0));
        };
        for one in &told {
            at.clone_from(&one.id);
            let effects = match &one.event {
                Some(event) => {
                    let Effects { changes, unknown } = self.effects(event, one.at).await?;
                    let aside = match &unknown {
                        Some((aside, fault)) => self.put_aside(&drawer, &one.id, (aside, fault)).await?,
                        None => Changes::new(),
                    };
                    changes.and(aside).and(events.noted(one).await?)
                }
                None => {
                    tracing::error!(event = one.id, "an event of the bank is not understood and passed over");
                    Changes::new()
                }
            };
            let next = place(one.id.clone(), taken.version);
            self.0.store.save(effects.and(drawer.changes(std::slice::from_ref(&next)))).await?;
            taken = Entry { version: next.version + 1, ..next };
        }
        Ok(Some(told.len()))
    }

    /// What an event means for what customers gave.
    pub(crate) async fn effects(&self, event: &BankEvent, at: Timestamp) -> Result<Effects, Error> {
        match event {
            BankEvent::Payment { .. } => Ok(Changes::new().into()),
            BankEvent::AccountClosed { account, customers } => self.closing(account, customers, at).await,
            BankEvent::Withdrawn { customer, consent, third_party } => {
                let is_meant = |right: &Right| match (consent, third_party) {
                    (Some(id), _) => right.id() == id,
                    // What was given after it is none of it, should the event come again.
                    (None, Some(tpp)) => right.tpp() == tpp && right.given_at() <= at,
                    (None, None) => right.given_at() <= at,
                };
                let rights = self.open_rights(customer).await?.into_iter().filter(is_meant);
                let revoked = |changes, right| self.end(changes, right, Decision::RevokedByPsu);
                Ok(rights.fold(Changes::new(), revoked).into())
            }
        }
    }

    /// What a closed account means for those who held it, each for themselves.
    async fn closing(
        &self,
        account: &Account,
        customers: &[CustomerId],
        at: Timestamp,
    ) -> Result<Effects, Error> {
        let (mut changes, mut unread, mut why) = (Changes::new(), Vec::new(), None);
        // What somebody gave ends once, however often the bank names them.
        let mut seen = HashSet::new();
        for customer in customers.iter().filter(|customer| seen.insert(*customer)) {
            let open = match self.open_accounts(customer, account).await {
                Err(Error::Unavailable(fault)) => {
                    unread.push(customer.clone());
                    why = Some(fault);
                    continue;
                }
                open => open?,
            };
            for right in self.open_rights(customer).await? {
                if leads_nowhere(&right, account, &open) {
                    changes = self.end(changes, right, Decision::EndedByBank);
                }
            }
        }
        let unknown = why.map(|fault| (Aside::of(account, unread, at), fault));
        Ok(Effects { changes, unknown })
    }

    /// The accounts of a customer that are open, but for the one that was closed.
    async fn open_accounts(&self, customer: &CustomerId, closed: &Account) -> Result<Vec<Account>, Error> {
        let accounts = match self.0.bank.customers.accounts_of(customer).await {
            Err(Error::NotFound(_)) => Vec::new(),
            accounts => accounts?,
        };
        let is_open = |account: &Account| account.status != AccountStatus::Deleted && account.id != closed.id;
        Ok(accounts.into_iter().filter(is_open).collect())
    }

    /// What a customer gave and what has not ended.
    async fn open_rights(&self, customer: &CustomerId) -> Result<Vec<Right>, Error> {
        let (mut open, mut after) = (Vec::new(), Some(ListPlace::start()));
        while let Some(place) = after {
            let (rights, next) = self.rights_after(customer, &place, PAGE).await?;
            let is_open =
                |right: &Right| !self.status_at(right, self.0.clock.now(Some(right.of().1))).is_final();
            open.extend(rights.into_iter().map(|(right, _)| right).filter(is_open));
            after = next;
        }
        Ok(open)
    }

    /// Ends a right, and with it every token of it.
    fn end(&self, changes: Changes, right: Right, why: Decision) -> Changes {
        let now = self.0.clock.now(Some(right.of().1));
        let subject = right.subject();
        let changes = match right {
            Right::Consent(consent) => {
                let rules = *self.rules_of(&consent);
                changes.put_consent(&consent.end(why, now, &rules))
            }
            Right::FundsConsent(consent) => changes.put_funds_consent(&consent.end(why, now)),
        };
        changes.end_grants(&subject, now)
    }
}

/// Conflicts in a row at one event. Another node that was faster is met once or twice; whatever is met again and again stops all events.
#[derive(Debug, Default)]
struct Conflicts {
    event: String,
    met: u32,
}

impl Conflicts {
    /// Counts one. True if they are so many by now that the log is to be told, which it is less and less often.
    fn are_many(&mut self, event: &str) -> bool {
        if self.event != event {
            *self = Self { event: event.to_owned(), met: 0 };
        }
        self.met = self.met.saturating_add(1);
        self.met.is_multiple_of(MANY) && (self.met / MANY).is_power_of_two()
    }
}

/// Whether a right is about an account that was closed, and about no other that is open.
fn leads_nowhere(right: &Right, closed: &Account, open: &[Account]) -> bool {
    match right {
        Right::Consent(consent) => {
            let is_open = |id: &AccountId| open.iter().any(|account| account.id == *id);
            consent.granted.iter().any(|granted| granted.account == closed.id)
                && !consent.granted.iter().any(|granted| is_open(&granted.account))
        }
        Right::FundsConsent(consent) => {
            consent.account.names(closed) && !open.iter().any(|account| consent.account.names(account))
        }
    }
}

fn place(value: String, version: i64) -> Entry {
    Entry { kind: TAKEN, key: LAST.to_owned(), value, forget_at: None, version }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_at_one_event_are_told_less_and_less_often() {
        let mut conflicts = Conflicts::default();
        let told: Vec<u32> = (1..=100).filter(|_| conflicts.are_many("one")).collect();
        assert_eq!(told, [10, 20, 40, 80]);
        let told: Vec<u32> = (1..=9).filter(|_| conflicts.are_many("another")).collect();
        assert!(told.is_empty(), "another event is another matter");
        assert!(conflicts.are_many("another"));
    }
}
