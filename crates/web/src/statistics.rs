//! Availability and speed of a bank's interface by day, as it is published: one file that needs no other.

use askama::Template;
use domain::statistics::{CustomerDay, DEDICATED, Day, Service};

/// The page.
#[derive(Debug, Template)]
#[template(path = "statistics.html")]
pub struct StatisticsPage<'a> {
    bank: &'a str,
    days: Vec<Rows>,
    /// Whether anything is told of interfaces of the bank's own customers.
    has_customer_interfaces: bool,
}

/// A day.
#[derive(Debug)]
struct Rows {
    day: String,
    rows: Vec<Row>,
}

/// A service at an interface on a day.
#[derive(Debug)]
struct Row {
    /// What the interface was on the day, in front of the first of its services.
    interface: Option<Availability>,
    speed: Speed,
}

/// An interface on a day.
#[derive(Debug)]
struct Availability {
    name: String,
    /// How many rows it has.
    rows: usize,
    uptime: String,
    downtime: String,
    errors: String,
}

/// Requests of a service on a day.
#[derive(Debug)]
struct Speed {
    name: &'static str,
    requests: String,
    mean: String,
    median: String,
    p90: String,
    p99: String,
}

impl<'a> StatisticsPage<'a> {
    /// The page of a bank.
    pub fn new(bank: &'a str, days: &[Day]) -> Self {
        let has_customer_interfaces = days.iter().any(|day| !day.customer_interfaces.is_empty());
        Self { bank, days: days.iter().rev().map(Rows::of).collect(), has_customer_interfaces }
    }
}

impl Rows {
    fn of(day: &Day) -> Self {
        let customers = day.customer_interfaces.iter();
        let customers = customers.flat_map(|(name, of_day)| rows_of_customers(name.as_str(), of_day));
        Self {
            day: if day.is_over { day.day.to_string() } else { format!("{} (until now)", day.day) },
            rows: rows_of_dedicated(day).into_iter().chain(customers).collect(),
        }
    }
}

/// Rows of the interface of third parties.
fn rows_of_dedicated(day: &Day) -> Vec<Row> {
    let speeds = Service::ALL.map(|service| {
        let counts = day.of_service(service);
        let percentile = |percent| milliseconds(counts.percentile(percent));
        Speed {
            name: words(service),
            requests: counts.requests.to_string(),
            mean: milliseconds(counts.mean()),
            median: percentile(50),
            p90: percentile(90),
            p99: percentile(99),
        }
    });
    let (uptime, downtime) = (percent(Some(day.uptime())), percent(Some(day.downtime())));
    let (name, errors) = (DEDICATED.to_owned(), percent(day.error_rate()));
    rows(Availability { name, rows: speeds.len(), uptime, downtime, errors }, speeds)
}

/// Rows of an interface of the bank's own customers: of the services that were measured, or one without any.
fn rows_of_customers(name: &str, day: &CustomerDay) -> Vec<Row> {
    let none = || "–".to_owned();
    let speed = |name, mean| Speed { name, requests: none(), mean, median: none(), p90: none(), p99: none() };
    let measured = &day.measured;
    let mut speeds: Vec<_> = measured
        .means
        .iter()
        .map(|(service, mean)| speed(words(*service), milliseconds(Some(*mean))))
        .collect();
    if speeds.is_empty() {
        speeds.push(speed("–", none()));
    }
    let (uptime, downtime) = (percent(Some(day.uptime())), percent(Some(day.downtime())));
    let (name, errors) = (name.to_owned(), percent(measured.error_rate));
    rows(Availability { name, rows: speeds.len(), uptime, downtime, errors }, speeds)
}

fn rows(interface: Availability, speeds: impl IntoIterator<Item = Speed>) -> Vec<Row> {
    let mut interface = Some(interface);
    speeds.into_iter().map(|speed| Row { interface: interface.take(), speed }).collect()
}

fn words(service: Service) -> &'static str {
    match service {
        Service::Ais => "Account information",
        Service::Pis => "Payment initiation",
        Service::Cbpii => "Confirmation of funds",
    }
}

fn percent(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.3} %"))
}

fn milliseconds(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.1}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::statistics::{CustomerInterface, Measured};

    use super::*;

    fn day() -> Day {
        let (day, none) = ("2027-01-31".parse().unwrap(), BTreeMap::new());
        let counts = BTreeMap::new();
        Day { day, is_over: true, seconds: 100, down_seconds: 1, counts, customer_interfaces: none }
    }

    #[test]
    fn a_day_without_requests_is_shown_and_names_are_escaped() {
        let page = StatisticsPage::new("Bank <b>", &[day()]).render().unwrap();
        assert!(
            page.contains("99.000 %") && page.contains("2027-01-31</th>") && !page.contains("<b>"),
            "{page}"
        );
        assert!(page.contains("rowspan=\"3\">2027-01-31") && !page.contains("own customers"), "{page}");
        let page = StatisticsPage::new("Bank", &[Day { is_over: false, ..day() }]).render().unwrap();
        assert!(page.contains("2027-01-31 (until now)"), "{page}");
    }

    #[test]
    fn interfaces_of_customers_stand_beside_the_dedicated_one() {
        let measured = |down_seconds, error_rate, means: &[(Service, f64)]| CustomerDay {
            seconds: 86_400,
            measured: Measured {
                day: "2027-01-31".parse().unwrap(),
                down_seconds,
                error_rate,
                means: means.iter().copied().collect(),
            },
        };
        let web = measured(864, Some(0.25), &[(Service::Ais, 210.44), (Service::Pis, 300.0)]);
        let both = [("web", web), ("app", measured(0, None, &[]))];
        let both = both.map(|(name, day)| (CustomerInterface::parse(name).unwrap(), day));
        let page = StatisticsPage::new("Bank", &[Day { customer_interfaces: both.into(), ..day() }]);
        let page = page.render().unwrap();
        for part in [
            "rowspan=\"6\">2027-01-31</th>",
            "rowspan=\"1\">app</th><td rowspan=\"1\">100.000 %</td><td rowspan=\"1\">0.000 %</td><td rowspan=\"1\">–</td>",
            "rowspan=\"2\">web</th><td rowspan=\"2\">99.000 %</td><td rowspan=\"2\">1.000 %</td><td rowspan=\"2\">0.250 %</td>",
            "Account information</td><td>–</td><td>210.4</td><td>–</td>",
            "own customers",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert_eq!(page.matches("<tr>").count(), 1 + 6, "{page}");
    }
}
