//! What happens at the bank by itself: payments settle, accounts are closed, customers take back at the bank what they gave.
//!
//! The bank keeps its events in order, and the gateway remembers the last one that it took, in one batch with what that one meant. So
//! no end of either side loses one, and none is taken twice however many nodes ask. An event that comes again, because the bank
//! went back to an older state, changes nothing that it did not change before.
//!
//! What a closed account means depends on the other accounts of whoever held it. While the bank does not tell these, the event is put
//! aside in that batch and taken up later, so that it keeps no other away.

use std::time::Duration;

use domain::{
    Account, AccountId, AccountStatus, Currency, CustomerId, Decision, Iban, ListPlace, PaymentId, Product,
    Timestamp, TppId,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::customer_rights::Right;
use crate::payments::PaymentProgress;
use crate::{Changes, Drawer, Entry, Error, Fault, Gateway, Lease};

/// Name under which it is kept which event was taken last.
const OWNER: &str = "bank-events";
const TAKEN: &str = "taken";
const LAST: &str = "last";

/// Events that were put aside, by their names.
const ASIDE: &str = "aside";

/// How many events are asked for at once.
const BATCH: usize = 100;

/// How long the bank may wait with its answer until there is an event. Less than the life of a lease.
const WAIT: Duration = Duration::from_secs(4);

/// How long a bank or a store that does not answer is left in peace, how often one is asked that does not wait until there is an event,
/// and how often another node looks whether it is its turn.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a bank that tells no events is asked whether it does by now.
const UNTOLD: Duration = Duration::from_secs(60);

/// How often what was put aside is taken up.
const TAKEN_UP: Duration = Duration::from_secs(60);

/// How many rights are read at once.
const PAGE: usize = 200;

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
        let Some(_) = &self.0.bank.events else { return };
        let mut lease = Lease::new(OWNER);
        let (mut is_away, mut is_silent) = (false, false);
        let mut take_up_at = Instant::now();
        loop {
            if !lease.is_held(self).await {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            if take_up_at <= Instant::now() {
                take_up_at = Instant::now() + TAKEN_UP;
                if let Err(error) = self.take_up_bank_events().await {
                    tracing::debug!(%error, "what was put aside of the bank's events cannot be taken up");
                }
            }
            let asked = Instant::now();
            let taken = self.take(WAIT).await;
            let is_taken = matches!(taken, Ok(Some(1..)));
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
        Ok(self.take(wait).await?.unwrap_or(0))
    }

    /// The same; none if the bank tells no events.
    async fn take(&self, wait: Duration) -> Result<Option<usize>, Error> {
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
            let effects = match &one.event {
                Some(event) => {
                    let effects = match self.effects(event, one.at).await {
                        Err(Error::Unavailable(fault)) => self.put_aside(&drawer, one, fault)?,
                        effects => effects?,
                    };
                    effects.and(events.noted(one).await?)
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

    /// Puts an event aside of which the bank does not tell what it means.
    ///
    /// # Errors
    /// The fault, for an event that does not depend on what the bank tells
    fn put_aside(&self, drawer: &Drawer, told: &ToldEvent, fault: Fault) -> Result<Changes, Error> {
        let Some(aside) = Aside::of(told) else { return Err(Error::Unavailable(fault)) };
        tracing::error!(
            event = told.id,
            %fault,
            "an event of the bank is put aside: the accounts of who held a closed account cannot be read; it is taken up each minute"
        );
        let value = serde_json::to_string(&aside).map_err(Error::internal)?;
        let entry = Entry { kind: ASIDE, key: told.id.clone(), value, forget_at: None, version: 0 };
        Ok(drawer.changes(&[entry]))
    }

    /// Takes up the events that were put aside, and says of how many it is known now what they mean.
    ///
    /// # Errors
    /// Those of the store
    pub async fn take_up_bank_events(&self) -> Result<usize, Error> {
        let drawer = Drawer::new(&self.0.store, OWNER);
        let mut taken = 0;
        for (key, value) in drawer.all(ASIDE).await? {
            let aside: Aside = serde_json::from_str(&value).map_err(Error::internal)?;
            let Some(event) = aside.event() else { continue };
            match self.effects(&event, aside.at).await {
                Err(Error::Unavailable(_)) => continue,
                effects => {
                    self.0.store.save(effects?.and(drawer.deletion(&[(ASIDE, key)]))).await?;
                    taken += 1;
                }
            }
        }
        Ok(taken)
    }

    /// What an event means for what customers gave.
    async fn effects(&self, event: &BankEvent, at: Timestamp) -> Result<Changes, Error> {
        match event {
            BankEvent::Payment { .. } => Ok(Changes::new()),
            BankEvent::AccountClosed { account, customers } => {
                let mut changes = Changes::new();
                for customer in customers {
                    let open = self.open_accounts(customer, account).await?;
                    for right in self.open_rights(customer).await? {
                        if leads_nowhere(&right, account, &open) {
                            changes = self.end(changes, right, Decision::EndedByBank);
                        }
                    }
                }
                Ok(changes)
            }
            BankEvent::Withdrawn { customer, consent, third_party } => {
                let is_meant = |right: &Right| match (consent, third_party) {
                    (Some(id), _) => right.id() == id,
                    // What came after it is none of it, should the event come again.
                    (None, Some(tpp)) => right.tpp() == tpp && right.decided_at() <= at,
                    (None, None) => right.decided_at() <= at,
                };
                let rights = self.open_rights(customer).await?.into_iter().filter(is_meant);
                Ok(rights
                    .fold(Changes::new(), |changes, right| self.end(changes, right, Decision::RevokedByPsu)))
            }
        }
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
                let ended = match why {
                    Decision::RevokedByPsu => consent.revoke_by_psu(now, &rules),
                    _ => consent.end_by_bank(now, &rules),
                };
                changes.put_consent(&ended)
            }
            Right::FundsConsent(consent) => changes.put_funds_consent(&consent.end(why, now)),
        };
        changes.end_grants(&subject, now)
    }
}

/// An event that was put aside, as it is kept: what has to be known of a closed account and of who held it.
#[derive(Debug, Serialize, Deserialize)]
struct Aside {
    at: Timestamp,
    account: AccountId,
    iban: Iban,
    currency: String,
    customers: Vec<CustomerId>,
}

impl Aside {
    fn of(told: &ToldEvent) -> Option<Self> {
        let Some(BankEvent::AccountClosed { account, customers }) = &told.event else { return None };
        Some(Self {
            at: told.at,
            account: account.id.clone(),
            iban: account.iban.clone(),
            currency: account.currency.code().to_owned(),
            customers: customers.clone(),
        })
    }

    fn event(&self) -> Option<BankEvent> {
        let account = Account {
            id: self.account.clone(),
            iban: self.iban.clone(),
            currency: Currency::from_code(&self.currency)?,
            product: Product::Current,
            name: String::new(),
            status: AccountStatus::Deleted,
        };
        Some(BankEvent::AccountClosed { account, customers: self.customers.clone() })
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
