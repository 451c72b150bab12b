//! Availability and speed of a bank's interface by day, as it is published: one file that needs no other.

use askama::Template;
use domain::statistics::{Day, Service};

/// The page.
#[derive(Debug, Template)]
#[template(path = "statistics.html")]
pub struct StatisticsPage<'a> {
    bank: &'a str,
    rows: Vec<Row>,
}

/// A day.
#[derive(Debug)]
struct Row {
    day: String,
    uptime: String,
    downtime: String,
    errors: String,
    services: Vec<Speed>,
}

/// Requests of a service on a day.
#[derive(Debug)]
struct Speed {
    name: &'static str,
    requests: u64,
    mean: String,
    median: String,
    p90: String,
    p99: String,
}

impl<'a> StatisticsPage<'a> {
    /// The page of a bank.
    pub fn new(bank: &'a str, days: &[Day]) -> Self {
        Self { bank, rows: days.iter().rev().map(Row::of).collect() }
    }
}

impl Row {
    fn of(day: &Day) -> Self {
        let services = Service::ALL.map(|service| {
            let counts = day.of_service(service);
            let percentile = |percent| milliseconds(counts.percentile(percent));
            Speed {
                name: match service {
                    Service::Ais => "Account information",
                    Service::Pis => "Payment initiation",
                    Service::Cbpii => "Confirmation of funds",
                },
                requests: counts.requests,
                mean: milliseconds(counts.mean()),
                median: percentile(50),
                p90: percentile(90),
                p99: percentile(99),
            }
        });
        Self {
            day: if day.is_over { day.day.to_string() } else { format!("{} (until now)", day.day) },
            uptime: format!("{:.3} %", day.uptime()),
            downtime: format!("{:.3} %", day.downtime()),
            errors: day.error_rate().map_or("–".to_owned(), |rate| format!("{rate:.3} %")),
            services: services.into(),
        }
    }
}

fn milliseconds(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.1}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_day_without_requests_is_shown_and_names_are_escaped() {
        let day = "2027-01-31".parse().unwrap();
        let day = Day { day, is_over: true, seconds: 100, down_seconds: 1, counts: BTreeMap::new() };
        let page = StatisticsPage::new("Bank <b>", std::slice::from_ref(&day)).render().unwrap();
        assert!(
            page.contains("99.000 %") && page.contains("2027-01-31</th>") && !page.contains("<b>"),
            "{page}"
        );
        let page = StatisticsPage::new("Bank", &[Day { is_over: false, ..day }]).render().unwrap();
        assert!(page.contains("2027-01-31 (until now)"), "{page}");
    }
}
