//! The dialect's own state: records with a number and an owner, in the drawer that the gateway keeps for it.

use gateway::{Drawer, Entry, Error};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::call::breathe;
use crate::lives::until;
use crate::reply::time;
use crate::wire::objects::Stamped;

/// A record of some kind.
#[derive(Debug, Clone)]
pub(crate) struct Record<T> {
    /// Its number.
    pub(crate) id: i64,
    /// What it belongs to: the number of a user, an account or an installation.
    pub(crate) owner: i64,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// When it was changed.
    pub(crate) updated: Timestamp,
    /// What it says.
    pub(crate) value: T,
    /// When it may be forgotten; never if absent.
    pub(crate) forget_at: Option<Timestamp>,
    /// Version that was loaded; 0 for a new one.
    pub(crate) version: i64,
}

/// Something with its number, and when it was made and changed.
pub(crate) fn stamped<T>(id: i64, (created, updated): (Timestamp, Timestamp), object: T) -> Stamped<T> {
    Stamped { id, created: time(created), updated: time(updated), object }
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct Stored<T> {
    created: Timestamp,
    updated: Timestamp,
    value: T,
}

/// Something that is kept in records.
pub(crate) trait Kept: Serialize + DeserializeOwned {
    /// The kind of its entries.
    const KIND: &'static str;
    /// How long a record is kept after it was made; for ever if absent.
    const LIFE: Option<SignedDuration> = None;
}

impl<T: Kept> Record<T> {
    pub(crate) fn new(id: i64, owner: i64, now: Timestamp, value: T) -> Self {
        let forget_at = T::LIFE.and_then(|life| until(now, life));
        Self { id, owner, created: now, updated: now, value, forget_at, version: 0 }
    }

    /// The same, to be forgotten from a time on.
    pub(crate) fn until(self, forget_at: Option<Timestamp>) -> Self {
        Self { forget_at, ..self }
    }

    /// What answers say of it, with its number and times.
    pub(crate) fn stamped<U>(&self, object: U) -> Stamped<U> {
        self.stamped_at(self.updated, object)
    }

    /// The same where something else says when it was changed.
    pub(crate) fn stamped_at<U>(&self, updated: Timestamp, object: U) -> Stamped<U> {
        stamped(self.id, (self.created, updated), object)
    }

    /// The entry to write.
    pub(crate) fn entry(&self) -> Entry {
        let stored = Stored { created: self.created, updated: self.updated, value: &self.value };
        Entry {
            kind: T::KIND,
            key: key(self.owner, self.id),
            value: write(&stored),
            forget_at: self.forget_at,
            version: self.version,
        }
    }

    fn read(entry: Entry) -> Result<Self, Error> {
        let corrupt = || unreadable(T::KIND);
        let (owner, id) = entry.key.split_once('/').ok_or_else(corrupt)?;
        let stored: Stored<T> = parse(T::KIND, &entry.value)?;
        Ok(Self {
            id: id.parse().map_err(|_| corrupt())?,
            owner: owner.parse().map_err(|_| corrupt())?,
            created: stored.created,
            updated: stored.updated,
            value: stored.value,
            forget_at: entry.forget_at,
            version: entry.version,
        })
    }

    /// Writes it and moves on to the next version.
    ///
    /// # Errors
    /// [`Error::Conflict`]
    pub(crate) async fn save(&mut self, drawer: &Drawer) -> Result<(), Error> {
        drawer.save(&[self.entry()]).await?;
        self.version += 1;
        Ok(())
    }
}

/// One record.
pub(crate) async fn find<T: Kept>(drawer: &Drawer, owner: i64, id: i64) -> Result<Option<Record<T>>, Error> {
    drawer.entry(T::KIND, &key(owner, id)).await?.map(Record::read).transpose()
}

/// Which records of an owner.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Range {
    /// The newest, of those older than a number if there is one.
    Older(Option<i64>),
    /// Those that are next newer than a number.
    Newer(i64),
}

/// Records of an owner, newest first.
pub(crate) async fn list<T: Kept>(
    drawer: &Drawer,
    owner: i64,
    range: Range,
    limit: i64,
) -> Result<Vec<Record<T>>, Error> {
    let (lowest, highest) = (key(owner, 0), key(owner, 9_999_999_999));
    let entries = match range {
        Range::Older(before) => {
            let before = before.map_or(highest, |id| key(owner, id));
            drawer.last(T::KIND, (&lowest, &before), limit).await?
        }
        Range::Newer(after) => {
            let mut entries = drawer.first(T::KIND, (&key(owner, after), &highest), limit).await?;
            entries.reverse();
            entries
        }
    };
    entries.into_iter().map(Record::read).collect()
}

/// Records of an owner that are looked at for the newest of some, at once and one time after another: others of the same owner, of
/// which there are as many as somebody makes, do not keep anybody from their own.
const LOOKED_AT: (i64, usize) = (20, 10);

/// The newest records of an owner that fit, and those with these numbers if they do; newest first.
pub(crate) async fn newest<T: Kept>(
    drawer: &Drawer,
    owner: i64,
    fits: impl Fn(&Record<T>) -> bool,
    (limit, also): (usize, &[i64]),
) -> Result<Vec<Record<T>>, Error> {
    let ((at_once, times), mut found, mut range) = (LOOKED_AT, Vec::new(), Range::Older(None));
    for _ in 0..times {
        let listed = list::<T>(drawer, owner, range, at_once).await?;
        let Some(oldest) = listed.last() else { break };
        range = Range::Older(Some(oldest.id));
        found.extend(listed.into_iter().filter(&fits));
        if found.len() >= limit {
            break;
        }
        breathe().await;
    }
    found.truncate(limit);
    for id in also {
        if !found.iter().any(|known| known.id == *id) {
            found.extend(find::<T>(drawer, owner, *id).await?.filter(&fits));
        }
    }
    found.sort_by_key(|record| std::cmp::Reverse(record.id));
    Ok(found)
}

/// An entry under a key of its own, for looking things up.
pub(crate) fn index<T: Serialize>(kind: &'static str, key: impl Into<String>, value: &T) -> Entry {
    Entry { kind, key: key.into(), value: write(value), forget_at: None, version: 0 }
}

/// The same, to be forgotten from a time on.
pub(crate) fn index_until<T: Serialize>(
    kind: &'static str,
    key: impl Into<String>,
    value: &T,
    forget_at: Option<Timestamp>,
) -> Entry {
    Entry { forget_at, ..index(kind, key, value) }
}

/// The key of a record.
pub(crate) fn key_of<T: Kept>(owner: i64, id: i64) -> (&'static str, String) {
    (T::KIND, key(owner, id))
}

/// What an index says.
pub(crate) async fn look_up<T: DeserializeOwned>(
    drawer: &Drawer,
    kind: &'static str,
    key: &str,
) -> Result<Option<T>, Error> {
    drawer.get(kind, key).await?.map(|text| parse(kind, &text)).transpose()
}

/// Reads what was written. What cannot be read is a fault that somebody has to see, not something absent.
///
/// # Errors
/// [`Error::Internal`]
pub(crate) fn parse<T: DeserializeOwned>(kind: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| unreadable(kind))
}

/// The kind alone: what the library says of a text may repeat it.
fn unreadable(kind: &str) -> Error {
    Error::internal(format!("an entry of the kind {kind} cannot be read"))
}

/// Numbers as text of one length sort as numbers do.
fn key(owner: i64, id: i64) -> String {
    let (owner, id) = (owner.clamp(0, 9_999_999_999), id.clamp(0, 9_999_999_999));
    format!("{owner:010}/{id:010}")
}

/// The types are our own and made of text, numbers and lists, which always can be written.
pub(crate) fn write(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
