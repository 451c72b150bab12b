//! State that one dialect or bank keeps for itself: text under a kind and a key, under its owner's name.

use domain::{Tenant, Timestamp};
use store::{Changes, PrivateState, Store};

use crate::error::retry;
use crate::{Error, Sealing, SealingError};

/// Kind of entries that are numbers which only rise. A bank that goes back to what it was goes on with the larger ones, so that no
/// number is given twice.
pub const SEQUENCE: &str = "sequence";

/// The private state of one owner.
#[derive(Debug, Clone)]
pub struct Drawer {
    store: Store,
    owner: &'static str,
    /// By whose clock entries end.
    tenant: Option<Tenant>,
    /// What seals the values, if they are secret.
    sealing: Option<Sealing>,
}

/// One entry of a drawer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: &'static str,
    /// Which one.
    pub key: String,
    /// The state, usually JSON.
    pub value: String,
    /// When it may be forgotten, by the clock of the drawer's tenant; never if absent, or if the drawer has no tenant.
    pub forget_at: Option<Timestamp>,
    /// Version that was loaded; 0 for a new one.
    pub version: i64,
}

impl Drawer {
    /// The state of `owner`, the name of a dialect or bank.
    pub fn new(store: &Store, owner: &'static str) -> Self {
        Self { store: store.clone(), owner, tenant: None, sealing: None }
    }

    /// The same for entries that end by the clock of a tenant.
    pub fn by_clock_of(self, tenant: &Tenant) -> Self {
        Self { tenant: Some(tenant.clone()), ..self }
    }

    /// The same, whose values are sealed: what is read and written here is open, what is kept is not. Changes are not made of
    /// it, but by [`Drawer::save`].
    pub fn sealed_by(self, sealing: &Sealing) -> Self {
        Self { sealing: Some(sealing.clone()), ..self }
    }

    /// A state as it is read.
    fn opened(&self, state: PrivateState) -> Result<Entry, Error> {
        let mut entry = Entry::from(state);
        if let Some(sealing) = &self.sealing {
            entry.value = sealing.open([self.owner, entry.kind, &entry.key], entry.value)?;
        }
        Ok(entry)
    }

    /// Puts every entry of a kind, which has no end, into another store.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn copy_to(&self, store: &Store, kind: &'static str) -> Result<(), Error> {
        let other = Self::new(store, self.owner);
        for (key, value) in self.all(kind).await? {
            other.put(kind, &key, &value).await?;
        }
        Ok(())
    }

    /// Raises the numbers of [`SEQUENCE`] in another store to what they are here, where they are smaller there.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn raise_in(&self, store: &Store) -> Result<(), Error> {
        let other = Self::new(store, self.owner);
        let number = |text: &str| text.parse::<i64>().unwrap_or_default();
        for (key, here) in self.all(SEQUENCE).await? {
            let is_smaller = |there: Option<&str>| there.is_none_or(|there| number(there) < number(&here));
            other.update(SEQUENCE, &key, |there| is_smaller(there).then(|| here.clone())).await?;
        }
        Ok(())
    }

    /// The value under a kind and a key.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn get(&self, kind: &'static str, key: &str) -> Result<Option<String>, Error> {
        Ok(self.entry(kind, key).await?.map(|entry| entry.value))
    }

    /// The entry under a kind and a key.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn entry(&self, kind: &'static str, key: &str) -> Result<Option<Entry>, Error> {
        let state = self.store.private_state(self.owner, kind, key).await?;
        state.map(|state| self.opened(state)).transpose()
    }

    /// Every key and value of a kind.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn all(&self, kind: &'static str) -> Result<Vec<(String, String)>, Error> {
        let states = self.store.private_states(self.owner, kind).await?;
        states.into_iter().map(|state| self.opened(state).map(|entry| (entry.key, entry.value))).collect()
    }

    /// Entries of a kind with keys between two, both excluded: at most `limit`, those with the highest keys, highest
    /// first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn last(
        &self,
        kind: &'static str,
        between: (&str, &str),
        limit: i64,
    ) -> Result<Vec<Entry>, Error> {
        let states = self.store.private_states_before((self.owner, kind), between, limit).await?;
        states.into_iter().map(|state| self.opened(state)).collect()
    }

    /// Entries of a kind with keys between two, both excluded: at most `limit`, those with the lowest keys, lowest
    /// first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn first(
        &self,
        kind: &'static str,
        between: (&str, &str),
        limit: i64,
    ) -> Result<Vec<Entry>, Error> {
        let states = self.store.private_states_after((self.owner, kind), between, limit).await?;
        states.into_iter().map(|state| self.opened(state)).collect()
    }

    /// Writes entries together or not at all: each is new, or replaces exactly the version that was loaded.
    ///
    /// # Errors
    /// [`Error::Conflict`] if one moved on meanwhile; load again and decide anew.
    pub async fn save(&self, entries: &[Entry]) -> Result<(), Error> {
        self.exchange(entries, &[]).await
    }

    /// Writes entries and deletes others, all of it or nothing, each exactly as it was loaded.
    ///
    /// # Errors
    /// [`Error::Conflict`] if one moved on meanwhile, or is gone; load again and decide anew.
    pub async fn exchange(&self, written: &[Entry], deleted: &[Entry]) -> Result<(), Error> {
        let deletion = self.deletion_of(deleted);
        let Some(sealing) = &self.sealing else {
            return Ok(self.store.save(self.changes(written).and(deletion)).await?);
        };
        let seal = |entry: &Entry| {
            let value = sealing.seal([self.owner, entry.kind, &entry.key], &entry.value)?;
            Ok(Entry { value, ..entry.clone() })
        };
        let sealed = written.iter().map(seal).collect::<Result<Vec<_>, SealingError>>()?;
        Ok(self.store.save(self.changes(&sealed).and(deletion)).await?)
    }

    /// The same as changes, for a bank that writes its own rows in one batch with what the gateway saves.
    pub fn changes(&self, entries: &[Entry]) -> Changes {
        entries.iter().fold(Changes::new(), |changes, entry| {
            changes.put_private_state(&PrivateState {
                owner: self.owner,
                kind: entry.kind,
                key: entry.key.clone(),
                value: entry.value.clone(),
                life: self.tenant.clone().zip(entry.forget_at),
                version: entry.version,
            })
        })
    }

    /// Lets entries that are to be forgotten live at least until a time.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn keep(&self, keys: &[(&'static str, String)], until: Timestamp) -> Result<(), Error> {
        let changes = keys.iter().fold(Changes::new(), |changes, (kind, key)| {
            changes.keep_private_state((self.owner, kind, key), until)
        });
        Ok(self.store.save(changes).await?)
    }

    /// Deletes entries, those that are there.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn delete(&self, keys: &[(&'static str, String)]) -> Result<(), Error> {
        Ok(self.store.save(self.deletion(keys)).await?)
    }

    /// The same as changes.
    pub fn deletion(&self, keys: &[(&'static str, String)]) -> Changes {
        keys.iter()
            .fold(Changes::new(), |changes, (kind, key)| changes.delete_private_state(self.owner, kind, key))
    }

    /// Deletes entries as changes, each exactly as it was loaded: [`Error::Conflict`] if one moved on meanwhile, or is gone.
    pub fn deletion_of(&self, entries: &[Entry]) -> Changes {
        entries.iter().fold(Changes::new(), |changes, entry| {
            changes.delete_private_state_at((self.owner, entry.kind, &entry.key), entry.version)
        })
    }

    /// Writes a value, whatever was there before.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn put(&self, kind: &'static str, key: &str, value: &str) -> Result<(), Error> {
        self.update(kind, key, |_| Some(value.to_owned())).await.map(|_| ())
    }

    /// Replaces a value by what `change` makes of it, however many others do so at the same time; nothing is
    /// written if it makes nothing. Returns what is there afterwards.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn update(
        &self,
        kind: &'static str,
        key: &str,
        change: impl Fn(Option<&str>) -> Option<String>,
    ) -> Result<Option<String>, Error> {
        retry(|| async {
            let entry = self.entry(kind, key).await?;
            let Some(value) = change(entry.as_ref().map(|entry| entry.value.as_str())) else {
                return Ok(entry.map(|entry| entry.value));
            };
            let (version, forget_at) = entry.map_or((0, None), |entry| (entry.version, entry.forget_at));
            let changed = Entry { kind, key: key.to_owned(), value: value.clone(), forget_at, version };
            self.save(&[changed]).await?;
            Ok(Some(value))
        })
        .await
    }
}

impl From<PrivateState> for Entry {
    fn from(state: PrivateState) -> Self {
        let PrivateState { kind, key, value, version, life, .. } = state;
        Self { kind, key, value, forget_at: life.map(|(_, at)| at), version }
    }
}
