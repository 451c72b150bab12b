//! Events of the bank that were put aside, because it is not known yet what they mean.
//!
//! What a closed account means depends on the other accounts of whoever held it. While the bank does not tell those of somebody, the
//! event is put aside for them, in the batch in which it is taken, and taken up later beside the reading of events: so it keeps no
//! other event away, and of several holders none another one.

use std::time::Duration;

use domain::{Account, AccountId, AccountStatus, Currency, CustomerId, Iban, Product, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::bank_events::{OWNER, PAUSE};
use crate::{BankEvent, Changes, Drawer, Entry, Error, Fault, Gateway, Lease};

/// Events that were put aside, by their names.
const ASIDE: &str = "aside";

/// Under this name one of the nodes takes them up.
const TAKES_UP: &str = "bank-events-aside";

/// How often what was put aside is taken up.
const TAKEN_UP: Duration = Duration::from_secs(60);

/// What an event means, as far as the bank tells it.
pub(crate) struct Effects {
    pub(crate) changes: Changes,
    /// What is to be put aside of it, and why.
    pub(crate) unknown: Option<(Aside, Fault)>,
}

impl From<Changes> for Effects {
    fn from(changes: Changes) -> Self {
        Self { changes, unknown: None }
    }
}

/// An event that was put aside, as it is kept: what has to be known of a closed account and of those who held it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Aside {
    at: Timestamp,
    account: AccountId,
    iban: Iban,
    currency: String,
    /// Of whom it is not known yet what it means.
    customers: Vec<CustomerId>,
}

impl Aside {
    pub(crate) fn of(account: &Account, customers: Vec<CustomerId>, at: Timestamp) -> Self {
        Self {
            at,
            account: account.id.clone(),
            iban: account.iban.clone(),
            currency: account.currency.code().to_owned(),
            customers,
        }
    }

    fn read(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(Error::internal)
    }

    fn text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(Error::internal)
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

impl Gateway {
    /// Puts an event aside for those of whom the bank does not tell what it means. It may be there from before: a bank that went back to
    /// an older state tells its events again.
    pub(crate) async fn put_aside(
        &self,
        drawer: &Drawer,
        id: &str,
        (aside, fault): (&Aside, &Fault),
    ) -> Result<Changes, Error> {
        tracing::error!(
            event = id,
            %fault,
            "an event of the bank is put aside: the accounts of who held a closed account cannot be read; it is taken up each minute"
        );
        let version = drawer.entry(ASIDE, id).await?.map_or(0, |kept| kept.version);
        let entry = Entry { kind: ASIDE, key: id.to_owned(), value: aside.text()?, forget_at: None, version };
        Ok(drawer.changes(&[entry]))
    }

    /// Takes up what was put aside each minute, without an end. On one of the nodes that share a store.
    pub(crate) async fn keep_taking_up(&self) {
        let mut lease = Lease::new(TAKES_UP);
        let mut take_up_at = Instant::now();
        loop {
            if lease.is_held(self).await && take_up_at <= Instant::now() {
                take_up_at = Instant::now() + TAKEN_UP;
                if let Err(error) = self.take_up(Some(&mut lease)).await {
                    tracing::debug!(%error, "what was put aside of the bank's events cannot be read");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes up the events that were put aside, and says of how many it is known now what they mean.
    ///
    /// # Errors
    /// Those of the store
    pub async fn take_up_bank_events(&self) -> Result<usize, Error> {
        self.take_up(None).await
    }

    /// The same, as long as a lease is held.
    async fn take_up(&self, mut lease: Option<&mut Lease>) -> Result<usize, Error> {
        let drawer = Drawer::new(&self.0.store, OWNER);
        let mut taken = 0;
        for (id, _) in drawer.all(ASIDE).await? {
            if let Some(lease) = &mut lease
                && !lease.is_held(self).await
            {
                break;
            }
            match self.take_up_one(&drawer, &id).await {
                Ok(is_known) => taken += usize::from(is_known),
                // It stands in no other's way.
                Err(error) => {
                    tracing::warn!(event = id, %error, "an event that was put aside cannot be taken up; it is tried again in a minute");
                }
            }
        }
        Ok(taken)
    }

    /// Whether it is known now what an event means.
    async fn take_up_one(&self, drawer: &Drawer, id: &str) -> Result<bool, Error> {
        let Some(entry) = drawer.entry(ASIDE, id).await? else { return Ok(false) };
        let aside = Aside::read(&entry.value)?;
        let Some(event) = aside.event() else { return Ok(false) };
        let Effects { changes, unknown } = self.effects(&event, aside.at).await?;
        let kept = match &unknown {
            None => drawer.deletion_of(&[entry]),
            Some((left, _)) if left.customers.len() == aside.customers.len() => return Ok(false),
            Some((left, _)) => drawer.changes(&[Entry { value: left.text()?, ..entry }]),
        };
        self.0.store.save(changes.and(kept)).await?;
        Ok(unknown.is_none())
    }
}
