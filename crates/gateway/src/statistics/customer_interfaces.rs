//! Numbers of the interfaces of the bank's own customers, which its staff imports: kept beside what processes count, for as long, an entry
//! for each day and interface.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{Context, SHA256};
use domain::Date;
use domain::statistics::{
    Column, CustomerDay, CustomerInterface, MOST_CUSTOMER_INTERFACES, Measured, Misfit, misfits,
};

use super::{MOST_DAYS, Statistics, end_of, first_known, of_days};
use crate::audit::Act;
use crate::error::retry;
use crate::secrets::hex;
use crate::staff::{Deed, StaffError, StaffRefusal};
use crate::{Drawer, Entry, Error, Gateway};

const CUSTOMER_DAY: &str = "customer-day";

/// What was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// How many days.
    pub days: usize,
    /// How many of them were there before.
    pub replaced: usize,
}

impl Gateway {
    /// What of some days of a customers' interface is not taken, by their places: days of which nothing is told here, or that are not over,
    /// and numbers that cannot be.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn misfits(
        &self,
        statistics: &Statistics,
        days: &[Measured],
    ) -> Result<Vec<(usize, Column, Misfit)>, Error> {
        self.write_statistics(statistics, true).await?;
        let tenant = &statistics.tenant;
        let today = self.day_of_statistics(statistics);
        let first = first_known(&self.statistics_drawer(tenant)).await?.map_or(today, |(day, _)| day);
        let last = today.yesterday().unwrap_or(Date::MIN);
        Ok(misfits(days, (first, last), |day| statistics.seconds_of(day)))
    }

    /// Staff imports days of an interface of the bank's customers. A day that was imported before is replaced.
    ///
    /// # Errors
    /// [`StaffRefusal::Days`], [`StaffRefusal::Misfits`], [`StaffRefusal::Interfaces`]
    pub async fn import_customer_days(
        &self,
        statistics: &Statistics,
        (interface, days): (&CustomerInterface, &[Measured]),
        deed: Deed<'_>,
    ) -> Result<Imported, StaffError> {
        let count = days.len();
        let (from, to) = (days.iter().map(|one| one.day).min(), days.iter().map(|one| one.day).max());
        let (Some(from), Some(to), true) = (from, to, i32::try_from(count).is_ok_and(|n| n <= MOST_DAYS))
        else {
            return Err(StaffRefusal::Days.into());
        };
        let misfits = self.misfits(statistics, days).await?;
        if !misfits.is_empty() {
            return Err(StaffRefusal::Misfits(misfits).into());
        }
        let drawer = self.statistics_drawer(&statistics.tenant);
        let known = of_days(&drawer, CUSTOMER_DAY, (Date::MIN, Date::MAX)).await?;
        let known: BTreeSet<String> =
            known.iter().filter_map(parts).map(|(_, name)| name.to_owned()).collect();
        if !known.contains(interface.as_str()) && known.len() >= MOST_CUSTOMER_INTERFACES {
            return Err(StaffRefusal::Interfaces(known.into_iter().collect()).into());
        }
        let to_what = described(interface, (from, to), count);
        let replaced = retry(|| async {
            let before = of_days(&drawer, CUSTOMER_DAY, (from, to)).await?;
            let before: BTreeMap<&str, i64> =
                before.iter().map(|entry| (entry.key.as_str(), entry.version)).collect();
            let mut entries = Vec::with_capacity(count);
            for measured in days {
                let key = key(measured.day, interface);
                let version = before.get(key.as_str()).copied().unwrap_or(0);
                let kept = self.settings().kept.statistics;
                let forget_at = end_of(&statistics.tenant, measured.day).saturating_add(kept).ok();
                let day =
                    CustomerDay { seconds: statistics.seconds_of(measured.day), measured: measured.clone() };
                let value = serde_json::to_string(&day).map_err(Error::internal)?;
                entries.push(Entry { kind: CUSTOMER_DAY, key, value, forget_at, version });
            }
            let replaced = entries.iter().filter(|entry| entry.version > 0).count();
            let sha256 = sha256_of(&entries);
            // What was published may be changed by this: the trail says that it was, and by what.
            let act = Act {
                replaced: Some(replaced),
                sha256: Some(sha256.as_str()),
                ..deed.act("import-statistics", &to_what, None)
            };
            let changes = self.acted(drawer.changes(&entries), &act).await?;
            self.0.store.save(changes).await?;
            Ok(replaced)
        });
        Ok(Imported { from, to, days: count, replaced: replaced.await? })
    }

    /// Staff removes the days of an interface of the bank's customers from one to another, both included: those that were imported under a
    /// wrong name, or by mistake. Returns how many there were.
    ///
    /// # Errors
    /// [`StaffRefusal::NoDays`]
    pub async fn remove_customer_days(
        &self,
        statistics: &Statistics,
        (interface, from, to): (&CustomerInterface, Date, Date),
        deed: Deed<'_>,
    ) -> Result<usize, StaffError> {
        let drawer = self.statistics_drawer(&statistics.tenant);
        let removed = retry(|| async {
            let mut entries = of_days(&drawer, CUSTOMER_DAY, (from, to)).await?;
            entries.retain(|entry| parts(entry).is_some_and(|(_, name)| name == interface.as_str()));
            if !entries.is_empty() {
                let to_what = described(interface, (from, to), entries.len());
                let act = deed.act("remove-statistics", &to_what, None);
                self.0.store.save(self.acted(drawer.deletion_of(&entries), &act).await?).await?;
            }
            Ok(entries.len())
        });
        match removed.await? {
            0 => Err(StaffRefusal::NoDays { interface: interface.clone(), from, to }.into()),
            count => Ok(count),
        }
    }
}

impl Statistics {
    /// How long a day was.
    fn seconds_of(&self, day: Date) -> i64 {
        end_of(&self.tenant, day).duration_since(self.tenant.start_of(day)).as_secs()
    }
}

/// Days of customers' interfaces from one to another, both included.
pub(super) async fn by_day(
    drawer: &Drawer,
    between: (Date, Date),
) -> Result<BTreeMap<Date, BTreeMap<CustomerInterface, CustomerDay>>, Error> {
    let mut days: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for entry in of_days(drawer, CUSTOMER_DAY, between).await? {
        let name = parts(&entry).and_then(|(_, name)| CustomerInterface::parse(name).ok());
        let day: CustomerDay = serde_json::from_str(&entry.value).map_err(Error::internal)?;
        if let Some(name) = name {
            days.entry(day.measured.day).or_default().insert(name, day);
        }
    }
    Ok(days)
}

fn key(day: Date, interface: &CustomerInterface) -> String {
    format!("{day}/{interface}")
}

/// Day and name of the interface of an entry.
fn parts(entry: &Entry) -> Option<(&str, &str)> {
    entry.key.split_once('/')
}

/// SHA-256 of days as they are kept, each with a line feed behind it, in lower-case hexadecimal.
fn sha256_of(entries: &[Entry]) -> String {
    let mut context = Context::new(&SHA256);
    for entry in entries {
        context.update(entry.value.as_bytes());
        context.update(b"\n");
    }
    hex(context.finish().as_ref())
}

/// What an act was about, for the trail.
fn described(interface: &CustomerInterface, (from, to): (Date, Date), days: usize) -> String {
    let plural = if days == 1 { "" } else { "s" };
    format!("{interface}, {from} to {to}, {days} day{plural}")
}
