//! Interfaces of the bank's own customers, such as its web site and its app. EBA/GL/2018/07, guideline 3.1, has their days published
//! beside those of the dedicated interface. No call of them comes here: the bank measures them itself, and its staff imports the numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Service;

/// Most interfaces of its customers that a bank has.
pub const MOST_CUSTOMER_INTERFACES: usize = 8;

/// Longest name of one, in characters.
const LONGEST_NAME: usize = 20;

/// What the interface of third parties is called beside them.
pub const DEDICATED: &str = "dedicated";

/// The longest mean that a service can have, in milliseconds: ten minutes. What is more was measured in another unit.
pub const LONGEST_MEAN: f64 = 600_000.0;

/// The shortest one, in milliseconds: what is less is published as none.
const SHORTEST_MEAN: f64 = 0.001;

/// What an interface of the bank's customers is called, such as `web` or `app`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomerInterface(String);

/// A text is no name of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected 1 to {LONGEST_NAME} of the letters a to z, digits and hyphens, a letter first, such as web or app; {DEDICATED} is what the \
     interface of third parties is called"
)]
pub struct CustomerInterfaceError;

impl CustomerInterface {
    /// Reads a name.
    ///
    /// # Errors
    /// [`CustomerInterfaceError`]
    pub fn parse(text: &str) -> Result<Self, CustomerInterfaceError> {
        let is_known = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
        let begins = text.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
        if begins && text != DEDICATED && text.len() <= LONGEST_NAME && text.bytes().all(is_known) {
            Ok(Self(text.to_owned()))
        } else {
            Err(CustomerInterfaceError)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomerInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the bank measured of one of them on a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Which day.
    pub day: Date,
    /// How many seconds of it the interface was down, planned or not.
    pub down_seconds: i64,
    /// Requests that the bank failed, in percent of all; none if that was not measured, or nobody asked for anything.
    pub error_rate: Option<f64>,
    /// The mean time of an answer by service, in milliseconds, of those that were measured.
    pub means: BTreeMap<Service, f64>,
}

/// A day of one of them as it is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerDay {
    /// How long it was: 23 to 25 hours.
    pub seconds: i64,
    /// What the bank measured.
    pub measured: Measured,
}

impl CustomerDay {
    /// Downtime in percent.
    pub fn downtime(&self) -> f64 {
        if self.seconds == 0 { 0.0 } else { self.measured.down_seconds as f64 * 100.0 / self.seconds as f64 }
    }

    /// Uptime in percent.
    pub fn uptime(&self) -> f64 {
        100.0 - self.downtime()
    }
}

/// A number of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The day itself.
    Day,
    /// Seconds of downtime.
    DownSeconds,
    /// Errors in percent.
    ErrorRate,
    /// The mean of a service.
    Mean(Service),
}

/// Why a number of a day is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Nothing is told of that day, or it is not over.
    #[error(
        "{day} is no day from {first}, the first of which anything is kept, to {last}, the last that is over"
    )]
    Outside {
        /// The day.
        day: Date,
        /// The first one that is taken.
        first: Date,
        /// The last one.
        last: Date,
    },
    /// No day is taken yet.
    #[error("{day} is not taken: the first day of which anything is kept, {first}, is not over")]
    Early {
        /// The day.
        day: Date,
        /// The first one that will be taken.
        first: Date,
    },
    /// It is not the first one of this day.
    #[error("{0} stands here more than once; give each day once")]
    Again(Date),
    /// More downtime than there was time, or less than none.
    #[error("{given} is not from 0 to {most}, the seconds of that day")]
    DownSeconds {
        /// What was given.
        given: i64,
        /// The seconds of the day.
        most: i64,
    },
    /// No percentage.
    #[error("expected a number from 0 to 100, in percent")]
    ErrorRate,
    /// No time that an answer takes.
    #[error(
        "expected more than 0 and at most {LONGEST_MEAN} milliseconds, {SHORTEST_MEAN} at least; leave it out where nobody asked for \
         anything"
    )]
    Mean,
}

/// What of some days is not taken, and why: all of it, by the places of the days. `taken` is the first and the last day that can be,
/// and `seconds_of` says how long a day was.
pub fn misfits(
    days: &[Measured],
    (first, last): (Date, Date),
    seconds_of: impl Fn(Date) -> i64,
) -> Vec<(usize, Column, Misfit)> {
    let (mut known, mut all) = (BTreeSet::new(), Vec::new());
    for (place, measured) in days.iter().enumerate() {
        let Measured { day, down_seconds: given, error_rate, means } = measured;
        let day = *day;
        if last < first {
            all.push((place, Column::Day, Misfit::Early { day, first }));
        } else if !(first..=last).contains(&day) {
            all.push((place, Column::Day, Misfit::Outside { day, first, last }));
        } else if !known.insert(day) {
            all.push((place, Column::Day, Misfit::Again(day)));
        }
        let most = seconds_of(day);
        if !(0..=most).contains(given) {
            all.push((place, Column::DownSeconds, Misfit::DownSeconds { given: *given, most }));
        }
        if error_rate.is_some_and(|rate| !(0.0..=100.0).contains(&rate)) {
            all.push((place, Column::ErrorRate, Misfit::ErrorRate));
        }
        for (service, mean) in means {
            if !(SHORTEST_MEAN..=LONGEST_MEAN).contains(mean) {
                all.push((place, Column::Mean(*service), Misfit::Mean));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn measured(text: &str, down_seconds: i64) -> Measured {
        Measured { day: day(text), down_seconds, error_rate: None, means: BTreeMap::new() }
    }

    #[test]
    fn names_are_short_words() {
        for name in ["web", "app", "a", "app-2", "web-for-companies-20"] {
            assert_eq!(CustomerInterface::parse(name).unwrap().to_string(), name);
        }
        for name in [
            "",
            "Web",
            "2web",
            "-web",
            "web app",
            "web_app",
            "wéb",
            "web-for-companies-201",
            "a\n",
            DEDICATED,
        ] {
            assert_eq!(CustomerInterface::parse(name), Err(CustomerInterfaceError), "{name:?}");
        }
    }

    #[test]
    fn a_day_is_a_part_of_its_own_length() {
        let day = CustomerDay { seconds: 82_800, measured: measured("2027-03-28", 828) };
        assert_eq!((day.downtime(), day.uptime()), (1.0, 99.0));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let taken = (day("2027-03-01"), day("2027-03-28"));
        let seconds = |of: Date| if of == day("2027-03-28") { 82_800 } else { 86_400 };
        let good = Measured {
            error_rate: Some(100.0),
            means: Service::ALL.map(|service| (service, LONGEST_MEAN)).into(),
            ..measured("2027-03-28", 82_800)
        };
        let fast = Measured { means: [(Service::Ais, SHORTEST_MEAN)].into(), ..measured("2027-03-01", 0) };
        assert_eq!(misfits(&[good.clone(), fast], taken, seconds), []);
        let bad = [
            Measured {
                error_rate: Some(100.5),
                means: [(Service::Ais, 0.0), (Service::Pis, 1e-9), (Service::Cbpii, 600_001.0)].into(),
                ..measured("2027-03-28", 82_801)
            },
            measured("2027-03-28", -1),
            measured("2027-02-28", 0),
            Measured { error_rate: Some(-0.5), ..measured("2027-03-29", 0) },
        ];
        let (first, last) = taken;
        let outside = |text| Misfit::Outside { day: day(text), first, last };
        let expected = [
            (0, Column::DownSeconds, Misfit::DownSeconds { given: 82_801, most: 82_800 }),
            (0, Column::ErrorRate, Misfit::ErrorRate),
            (0, Column::Mean(Service::Ais), Misfit::Mean),
            (0, Column::Mean(Service::Pis), Misfit::Mean),
            (0, Column::Mean(Service::Cbpii), Misfit::Mean),
            (1, Column::Day, Misfit::Again(day("2027-03-28"))),
            (1, Column::DownSeconds, Misfit::DownSeconds { given: -1, most: 82_800 }),
            (2, Column::Day, outside("2027-02-28")),
            (3, Column::Day, outside("2027-03-29")),
            (3, Column::ErrorRate, Misfit::ErrorRate),
        ];
        assert_eq!(misfits(&bad, taken, seconds), expected);
        let early = misfits(&[good], (last, first), seconds);
        assert_eq!(early, [(0, Column::Day, Misfit::Early { day: last, first: last })]);
    }
}
