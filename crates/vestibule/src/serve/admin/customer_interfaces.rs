//! Days of the interfaces of the bank's own customers, as the bank measured them: imported, and removed again.

use std::collections::BTreeMap;
use std::fmt;

use axum::extract::{Request, State};
use axum::{Extension, Json};
use edge::MAX_BODY;
use gateway::domain::statistics::{Column, CustomerInterface, Measured, Misfit, Service};
use gateway::domain::{Date, parse_day};
use gateway::statistics::MOST_DAYS;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Admin, Error, Reason, Staff, body, body_up_to};

/// How many things are told that are wrong with one body.
const TOLD: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    interface: String,
    reason: Reason,
    days: Vec<Row>,
}

/// A day as it was sent. Numbers are read later, so that all that are wrong are told at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Row {
    day: Option<Written>,
    down_seconds: Option<Written>,
    error_rate_percent: Option<Written>,
    services: Option<Services>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Services {
    ais: Option<Speed>,
    pis: Option<Speed>,
    cbpii: Option<Speed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Speed {
    mean_milliseconds: Option<Written>,
}

/// A number or a text, as it was written.
#[derive(Debug)]
struct Written(String);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Written, E> {
                Ok(Written(text.to_owned()))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, other: D) -> Result<Written, D::Error> {
                other.deserialize_str(self)
            }
        }
        deserializer.deserialize_newtype_struct("Written", Text)
    }
}

/// A day like most, in place of one that cannot be read.
const SOME_DAY: Date = Date::constant(2001, 1, 1);

/// Days as they were read. What could not be read has a place here, and is some other number there.
#[derive(Debug, Default)]
struct Days {
    measured: Vec<Measured>,
    unread: BTreeMap<(usize, Column), String>,
}

impl Days {
    fn of(rows: Vec<Row>) -> Self {
        let mut days = Self::default();
        for (place, row) in rows.into_iter().enumerate() {
            let Services { ais, pis, cbpii } = row.services.unwrap_or_default();
            let means = [(Service::Ais, ais), (Service::Pis, pis), (Service::Cbpii, cbpii)];
            let means = means.into_iter().filter_map(|(service, speed)| {
                let mean = speed?.mean_milliseconds?;
                Some((service, days.read((place, Column::Mean(service)), Some(mean), decimal)?))
            });
            let means = means.collect();
            let day = days.read((place, Column::Day), row.day, day).unwrap_or(SOME_DAY);
            let down_seconds = days.read((place, Column::DownSeconds), row.down_seconds, whole).unwrap_or(0);
            let error_rate = row
                .error_rate_percent
                .and_then(|rate| days.read((place, Column::ErrorRate), Some(rate), decimal));
            days.measured.push(Measured { day, down_seconds, error_rate, means });
        }
        days
    }

    /// Reads a number that has to be there.
    fn read<T>(
        &mut self,
        place: (usize, Column),
        written: Option<Written>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let missing = || "it is missing".to_owned();
        let value = written.ok_or_else(missing).and_then(|Written(text)| read(&text));
        value.map_err(|what| self.unread.insert(place, what)).ok()
    }
}

fn day(text: &str) -> Result<Date, String> {
    parse_day(text).map_err(|error| format!("\"{}\": {error}", shown(text)))
}

fn whole(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("\"{}\" is no whole number, such as 90", shown(text)))
}

fn decimal(text: &str) -> Result<f64, String> {
    let is_plain = text.bytes().all(|octet| octet.is_ascii_digit() || b".-+eE".contains(&octet));
    let number = text.parse().ok().filter(|number: &f64| is_plain && number.is_finite());
    // A zero with a minus sign would be published with it.
    number.map(|number| number + 0.0).ok_or_else(|| format!("\"{}\" is no number, such as 0.25", shown(text)))
}

/// What somebody sent, short enough for a text.
fn shown(text: &str) -> String {
    text.chars().take(40).collect::<String>().escape_debug().to_string()
}

pub(super) async fn import(
    State(admin): State<Admin>,
    Extension(staff): Extension<Staff>,
    request: Request,
) -> Result<Json<Value>, Error> {
    let Import { interface, reason, days } = body_up_to(MAX_BODY, request).await?;
    let mut wrong = Vec::new();
    let interface = named(&interface).map_err(|error| wrong.push(error.message)).ok();
    if let Err(error) = reason.check() {
        wrong.push(error.message);
    }
    let is_number = i32::try_from(days.len()).is_ok_and(|count| (1..=MOST_DAYS).contains(&count));
    if !is_number {
        wrong.push(format!("days: expected 1 to {MOST_DAYS} of them at a time, and not {}", days.len()));
    }
    let Days { measured, mut unread } = if is_number { Days::of(days) } else { Days::default() };
    let Some(interface) = interface.filter(|_| wrong.is_empty() && unread.is_empty()) else {
        for (place, column, misfit) in admin.gateway.misfits(&admin.statistics, &measured).await? {
            unread.entry((place, column)).or_insert_with(|| misfit.to_string());
        }
        wrong.extend(unread.iter().map(told));
        return Err(all_of(&wrong));
    };
    let deed = reason.of(&staff)?;
    let imported =
        admin.gateway.import_customer_days(&admin.statistics, (&interface, &measured), deed).await?;
    Ok(Json(json!({
        "interface": interface.as_str(),
        "from": imported.from,
        "to": imported.to,
        "days": imported.days,
        "replaced": imported.replaced,
    })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Removal {
    interface: String,
    from: String,
    to: String,
    reason: Reason,
}

pub(super) async fn remove(
    State(admin): State<Admin>,
    Extension(staff): Extension<Staff>,
    request: Request,
) -> Result<Json<Value>, Error> {
    let Removal { interface, from, to, reason } = body(request).await?;
    let interface = named(&interface)?;
    let read = |name: &str, text: &str| day(text).map_err(|error| Error::bad(format!("{name}: {error}")));
    let (from, to) = (read("from", &from)?, read("to", &to)?);
    if to < from {
        return Err(Error::bad(format!("to: {to} is before {from}")));
    }
    let deed = reason.of(&staff)?;
    let asked = (&interface, from, to);
    let days = admin.gateway.remove_customer_days(&admin.statistics, asked, deed).await?;
    Ok(Json(json!({"interface": interface.as_str(), "from": from, "to": to, "days": days})))
}

fn named(text: &str) -> Result<CustomerInterface, Error> {
    CustomerInterface::parse(text)
        .map_err(|error| Error::bad(format!("interface: \"{}\": {error}", shown(text))))
}

/// Days that were readable and are not taken.
pub(super) fn refused(misfits: Vec<(usize, Column, Misfit)>) -> Error {
    let misfits = misfits.into_iter();
    let wrong: Vec<_> =
        misfits.map(|(place, column, misfit)| told((&(place, column), &misfit.to_string()))).collect();
    all_of(&wrong)
}

/// What is wrong with a number, and where it stands in the body.
fn told(((place, column), what): (&(usize, Column), &String)) -> String {
    let member = match column {
        Column::Day => "day".to_owned(),
        Column::DownSeconds => "downSeconds".to_owned(),
        Column::ErrorRate => "errorRatePercent".to_owned(),
        Column::Mean(service) => format!("services.{}.meanMilliseconds", service.name()),
    };
    format!("days[{place}].{member}: {what}")
}

fn all_of(wrong: &[String]) -> Error {
    let more = match wrong.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Error::bad(wrong.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join("; ") + &more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_has_no_sign() {
        assert!(["-0", "-0.0", "-0e5", "0"].iter().all(|text| decimal(text).unwrap().is_sign_positive()));
        assert!((decimal("-0.5").unwrap() + 0.5).abs() < f64::EPSILON);
    }
}
