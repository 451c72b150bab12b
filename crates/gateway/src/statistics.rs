//! Availability and speed by day, as supervisors have it published: counted in memory, written now and then, read for a report.
//!
//! Each process has one entry for each day, which it alone writes, so that nothing has to be agreed upon. What was counted since it was
//! written last is lost if a process ends without warning; that it was not there is noticed by its end.

mod customer_interfaces;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use domain::statistics::{Counted, Counting, Day, Request, Span};
use domain::{Date, Tenant, Timestamp};
use jiff::SignedDuration;

pub use self::customer_interfaces::Imported;
use crate::error::retry;
use crate::{Drawer, Entry, Error, Gateway};

const DAY: &str = "day";

/// After how long it is written that a process is there, if nobody calls.
const ALIVE: SignedDuration = SignedDuration::from_secs(60);

/// Entries that are read at once.
const READ: i64 = 500;

/// Most days of a report.
pub const MOST_DAYS: i32 = 366;

/// What this process counts.
#[derive(Debug)]
pub struct Statistics {
    node: String,
    /// By whose midnight days are told apart: the bank's first branch.
    tenant: Tenant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    day: Date,
    ends_at: Timestamp,
    counting: Counting,
    /// Days that are over and not written.
    over: BTreeMap<Date, Counted>,
    is_written: bool,
    written_at: Timestamp,
}

impl Statistics {
    /// Begins to count. `node` tells processes apart.
    pub fn new(node: String, tenant: Tenant, now: Timestamp) -> Self {
        let day = tenant.date_at(now);
        let state = State {
            day,
            ends_at: end_of(&tenant, day),
            counting: Counting::new(now),
            over: BTreeMap::new(),
            is_written: false,
            written_at: Timestamp::MIN,
        };
        Self { node, tenant, state: Mutex::new(state) }
    }

    /// Counts a request.
    pub fn note(&self, request: &Request) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.come_to(request.at, &self.tenant);
        state.counting.add(request);
        state.is_written = false;
    }

    /// Notes that this process is there, each few seconds: while it does not, it is not.
    pub fn is_there(&self, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.come_to(now, &self.tenant);
        state.counting.until(now);
    }

    /// What is to be written now, by day.
    fn due(&self, now: Timestamp, all: bool) -> BTreeMap<Date, Counted> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.come_to(now, &self.tenant);
        let is_late = now.duration_since(state.written_at.max(Timestamp::UNIX_EPOCH)) >= ALIVE;
        let mut due = std::mem::take(&mut state.over);
        if all || is_late || !state.is_written {
            let day = state.day;
            due.insert(day, state.counting.until(now).clone());
            state.is_written = true;
            state.written_at = now;
        }
        due
    }

    /// Keeps days that could not be written for the next time.
    fn put_back(&self, due: BTreeMap<Date, Counted>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_written = false;
        let today = state.day;
        for (day, counted) in due.into_iter().filter(|(day, _)| *day != today) {
            // A day that ended meanwhile has all that was counted on it there.
            state.over.entry(day).or_insert(counted);
        }
    }

    fn entry(&self, day: Date, counted: &Counted, kept: SignedDuration) -> Result<Entry, Error> {
        Ok(Entry {
            kind: DAY,
            key: format!("{day}/{}", self.node),
            value: serde_json::to_string(counted).map_err(Error::internal)?,
            forget_at: end_of(&self.tenant, day).saturating_add(kept).ok(),
            version: 0,
        })
    }
}

impl State {
    /// Ends the days that are over. A clock that was set back does not begin a day again.
    fn come_to(&mut self, now: Timestamp, tenant: &Tenant) {
        if now < self.ends_at {
            return;
        }
        let counted = self.counting.day_is_over(self.ends_at);
        self.over.insert(self.day, counted);
        let today = tenant.date_at(now);
        // A process that slept over days was not there.
        if end_of(tenant, self.day) < tenant.start_of(today) {
            self.counting = Counting::new(now);
        }
        self.day = today;
        self.ends_at = end_of(tenant, today);
    }
}

fn end_of(tenant: &Tenant, day: Date) -> Timestamp {
    day.tomorrow().map_or(Timestamp::MAX, |tomorrow| tenant.start_of(tomorrow))
}

impl Gateway {
    /// Writes what was counted, if there is something new, or it was not written for a while, or `all` is asked for.
    ///
    /// # Errors
    /// [`Error`]; it is written the next time then
    pub async fn write_statistics(&self, statistics: &Statistics, all: bool) -> Result<(), Error> {
        let due = statistics.due(self.system_time(), all);
        if due.is_empty() {
            return Ok(());
        }
        let written = async {
            for (day, counted) in &due {
                let entry = statistics.entry(*day, counted, self.settings().kept.statistics)?;
                let drawer = self.statistics_drawer(&statistics.tenant);
                retry(|| async {
                    let before = drawer.entry(DAY, &entry.key).await?;
                    let version = before.map_or(0, |before| before.version);
                    drawer.save(&[Entry { version, ..entry.clone() }]).await
                })
                .await?;
            }
            Ok(())
        };
        let written = written.await;
        if written.is_err() {
            statistics.put_back(due);
        }
        written
    }

    /// What each day was, from one to another, both included: as far as anything is known, and until now.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn statistics(
        &self,
        statistics: &Statistics,
        (from, to): (Date, Date),
    ) -> Result<Vec<Day>, Error> {
        let tenant = &statistics.tenant;
        let drawer = self.statistics_drawer(tenant);
        let Some((first_day, begin)) = first_known(&drawer).await? else { return Ok(Vec::new()) };
        let now = self.system_time();
        let (mut day, last) = (from.max(first_day), to.min(tenant.date_at(now)));
        let mut days = Vec::new();
        let mut of_customers = customer_interfaces::by_day(&drawer, (day, last)).await?;
        while day <= last {
            let counted = of_day(&drawer, day).await?;
            let end = end_of(tenant, day);
            let span = Span { from: tenant.start_of(day).max(begin), until: end.min(now) };
            let customer_interfaces = of_customers.remove(&day).unwrap_or_default();
            days.push(Day { customer_interfaces, ..Day::of(day, (span, end <= now), &counted) });
            let Ok(tomorrow) = day.tomorrow() else { break };
            day = tomorrow;
        }
        Ok(days)
    }

    /// Today, where days of statistics end.
    pub fn day_of_statistics(&self, statistics: &Statistics) -> Date {
        statistics.tenant.date_at(self.system_time())
    }

    fn statistics_drawer(&self, tenant: &Tenant) -> Drawer {
        self.drawer("statistics").by_clock_of(tenant)
    }
}

/// The first day of which anything is known, and since when.
async fn first_known(drawer: &Drawer) -> Result<Option<(Date, Timestamp)>, Error> {
    let first = drawer.first(DAY, ("", "\u{10ffff}"), 1).await?;
    let day = first.first().and_then(|entry| entry.key.split('/').next()?.parse::<Date>().ok());
    let Some(day) = day else { return Ok(None) };
    let begin = of_day(drawer, day).await?.iter().map(Counted::first).min();
    Ok(begin.map(|begin| (day, begin)))
}

/// What each process counted on a day.
async fn of_day(drawer: &Drawer, day: Date) -> Result<Vec<Counted>, Error> {
    let entries = of_days(drawer, DAY, (day, day)).await?;
    entries.iter().map(|entry| serde_json::from_str(&entry.value).map_err(Error::internal)).collect()
}

/// Every entry of a kind from one day to another, both included; a day is what keys begin with.
async fn of_days(drawer: &Drawer, kind: &'static str, (from, to): (Date, Date)) -> Result<Vec<Entry>, Error> {
    let (mut after, end) = (format!("{from}/"), format!("{to}/\u{10ffff}"));
    let mut all = Vec::new();
    loop {
        let entries = drawer.first(kind, (&after, &end), READ).await?;
        let is_more = i64::try_from(entries.len()).is_ok_and(|count| count >= READ);
        all.extend(entries);
        match all.last() {
            Some(last) if is_more => after.clone_from(&last.key),
            _ => return Ok(all),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::statistics::{Outcome, Service};

    use super::*;

    #[test]
    fn days_end_at_the_midnight_of_the_bank() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let date = |text: &str| text.parse::<Date>().unwrap();
        let nl = Tenant::parse("nl").unwrap();
        let statistics = Statistics::new("n".to_owned(), nl, at("2027-01-31T20:00:00Z"));
        let note = |moment| {
            let took = SignedDuration::from_millis(3);
            let outcome = Outcome::Answered;
            statistics.note(&Request { service: Service::Pis, at: at(moment), took, outcome });
        };
        note("2027-01-31T22:59:59Z");
        note("2027-01-31T23:00:00Z");
        let due = statistics.due(at("2027-01-31T23:00:10Z"), false);
        let days: Vec<_> = due.iter().map(|(day, counted)| (day.to_string(), counted.counts.len())).collect();
        assert_eq!(days, [("2027-01-31".to_owned(), 1), ("2027-02-01".to_owned(), 1)]);
        assert_eq!(due[&date("2027-01-31")].up.until, at("2027-01-31T23:00:00Z"));
        // Nothing is due until somebody calls, or a minute went by.
        assert!(statistics.due(at("2027-01-31T23:00:30Z"), false).is_empty());
        assert_eq!(statistics.due(at("2027-01-31T23:01:10Z"), false).len(), 1);
        note("2027-01-31T23:01:11Z");
        let due = statistics.due(at("2027-01-31T23:01:12Z"), false);
        assert_eq!(due.len(), 1);
        statistics.put_back(due);
        assert_eq!(statistics.due(at("2027-01-31T23:01:13Z"), false).len(), 1);
        // Whoever sleeps for days was not there.
        let due = statistics.due(at("2027-02-05T12:00:00Z"), false);
        assert_eq!(due[&date("2027-02-05")].up.from, at("2027-02-05T12:00:00Z"));
        assert_eq!(due.len(), 2);
    }

    #[test]
    fn a_day_that_ends_while_the_database_is_away_keeps_all_that_was_counted() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let nl = Tenant::parse("nl").unwrap();
        let statistics = Statistics::new("n".to_owned(), nl, at("2027-01-31T22:00:00Z"));
        let note = |moment| {
            let took = SignedDuration::from_millis(3);
            let outcome = Outcome::Answered;
            statistics.note(&Request { service: Service::Pis, at: at(moment), took, outcome });
        };
        note("2027-01-31T22:59:50Z");
        statistics.is_there(at("2027-01-31T22:59:57Z"));
        // This is what is being written while the day ends, and then cannot be.
        let due = statistics.due(at("2027-01-31T22:59:58Z"), false);
        assert_eq!(due.len(), 1);
        note("2027-01-31T22:59:59Z");
        statistics.is_there(at("2027-01-31T23:00:05Z"));
        statistics.put_back(due);
        let due = statistics.due(at("2027-01-31T23:00:10Z"), false);
        let counted = &due[&"2027-01-31".parse().unwrap()];
        assert_eq!(counted.up.until, at("2027-01-31T23:00:00Z"));
        assert_eq!(counted.counts[&Service::Pis].requests, 2);
        // Nothing newer is there: what could not be written is written the next time.
        statistics.put_back(due);
        assert_eq!(statistics.due(at("2027-01-31T23:00:11Z"), false).len(), 2);
    }

    #[tokio::test]
    async fn the_first_day_begins_when_anybody_counted_for_the_first_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (store, nl) = (store::Store::in_memory().unwrap(), Tenant::parse("nl").unwrap());
        let drawer = Drawer::new(&store, "statistics").by_clock_of(&nl);
        assert_eq!(first_known(&drawer).await.unwrap(), None);
        let first = at("2027-01-31T09:00:00Z");
        let statistics = Statistics::new("n".to_owned(), nl, first);
        // It was away for a while.
        for moment in ["2027-01-31T09:00:30Z", "2027-01-31T12:00:00Z"] {
            statistics.is_there(at(moment));
        }
        for (day, counted) in statistics.due(at("2027-01-31T12:00:05Z"), true) {
            drawer.save(&[statistics.entry(day, &counted, SignedDuration::ZERO).unwrap()]).await.unwrap();
        }
        let day = "2027-01-31".parse().unwrap();
        assert_eq!(first_known(&drawer).await.unwrap(), Some((day, first)));
    }

    #[test]
    fn days_on_which_clocks_change_have_23_and_25_hours() {
        let nl = Tenant::parse("nl").unwrap();
        for (day, hours) in [("2027-03-27", 24), ("2027-03-28", 23), ("2027-10-31", 25), ("2027-11-01", 24)] {
            let day: Date = day.parse().unwrap();
            let (begin, end) = (nl.start_of(day), end_of(&nl, day));
            let statistics =
                Statistics::new("n".to_owned(), nl.clone(), begin - SignedDuration::from_mins(5));
            let mut now = begin - SignedDuration::from_mins(5);
            while now < end + SignedDuration::from_mins(5) {
                statistics.is_there(now);
                now += SignedDuration::from_secs(50);
            }
            let due = statistics.due(now, false);
            let counted = &due[&day];
            assert_eq!((counted.up.from, counted.up.until), (begin, end), "{day}");
            let whole = Day::of(day, (Span { from: begin, until: end }, true), std::slice::from_ref(counted));
            assert_eq!((whole.seconds, whole.down_seconds), (hours * 3600, 0), "{day}");
            let nobody = Day::of(day, (Span { from: begin, until: end }, true), &[]);
            assert_eq!(nobody.downtime(), 100.0, "{day}");
        }
    }
}
