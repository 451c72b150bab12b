//! What the bank publishes of its interface's availability and speed.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use gateway::domain::statistics::{CustomerDay, Day, Service};
use gateway::domain::{Date, parse_day};
use gateway::statistics::MOST_DAYS;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use web::StatisticsPage;

use super::{Admin, Error, Query};

/// How many days are told if nothing is said: a quarter, as it is published.
const QUARTER: i32 = 92;

/// The page is one file: its style stands in it, and it loads nothing.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

#[derive(Clone, Copy)]
enum Format {
    Json,
    Csv,
    Html,
}

pub(super) async fn read(State(admin): State<Admin>, RawQuery(query): RawQuery) -> Result<Response, Error> {
    let query = Query::of(query.as_deref(), &["from", "to", "format"])?;
    let formats = [("json", Format::Json), ("csv", Format::Csv), ("html", Format::Html)];
    let format = query.word("format", &formats)?.unwrap_or(Format::Json);
    let day = |name: &str| -> Result<Option<Date>, Error> {
        let Some(text) = query.one(name)? else { return Ok(None) };
        let day = parse_day(text).map_err(|error| Error::bad(format!("{name}: {error}")))?;
        Ok(Some(day))
    };
    let to = day("to")?.unwrap_or_else(|| admin.gateway.day_of_statistics(&admin.statistics));
    let earlier = |days: i32| to.checked_sub(jiff::Span::new().days(days)).unwrap_or(Date::MIN);
    let from = day("from")?.unwrap_or_else(|| earlier(QUARTER - 1));
    if to < from || from < earlier(MOST_DAYS - 1) {
        return Err(Error::bad(format!("from {from} to {to} is not a time of 1 to {MOST_DAYS} days")));
    }
    admin.gateway.write_statistics(&admin.statistics, true).await?;
    let days = admin.gateway.statistics(&admin.statistics, (from, to)).await?;
    Ok(match format {
        Format::Json => {
            let days: Vec<Value> = days.iter().map(tell).collect();
            Json(json!({"from": from, "to": to, "days": days})).into_response()
        }
        Format::Csv => ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv(&days)).into_response(),
        Format::Html => {
            let page = StatisticsPage::new(&admin.bank, &days);
            web::page_with_policy(StatusCode::OK, &page, POLICY)
        }
    })
}

fn tell(day: &Day) -> Value {
    let services = Service::ALL.map(|service| {
        let counts = day.of_service(service);
        let told = json!({
            "requests": counts.requests,
            "errors": counts.errors,
            "meanMilliseconds": counts.mean().map(rounded),
            "medianMilliseconds": counts.percentile(50).map(rounded),
            "p90Milliseconds": counts.percentile(90).map(rounded),
            "p99Milliseconds": counts.percentile(99).map(rounded),
        });
        (service.name().to_owned(), told)
    });
    let customers = day.customer_interfaces.iter();
    let customers = customers.map(|(name, of_day)| (name.to_string(), tell_customers(of_day)));
    json!({
        "day": day.day,
        "isOver": day.is_over,
        "seconds": day.seconds,
        "downSeconds": day.down_seconds,
        "uptimePercent": rounded(day.uptime()),
        "downtimePercent": rounded(day.downtime()),
        "errorRatePercent": day.error_rate().map(rounded),
        "services": Value::Object(services.into_iter().collect()),
        "customerInterfaces": Value::Object(customers.collect()),
    })
}

/// An interface of the bank's own customers on a day.
fn tell_customers(day: &CustomerDay) -> Value {
    let means = day.measured.means.iter();
    let services =
        means.map(|(service, mean)| (service.name().to_owned(), json!({"meanMilliseconds": rounded(*mean)})));
    json!({
        "downSeconds": day.measured.down_seconds,
        "uptimePercent": rounded(day.uptime()),
        "downtimePercent": rounded(day.downtime()),
        "errorRatePercent": day.measured.error_rate.map(rounded),
        "services": Value::Object(services.collect()),
    })
}

/// To three places.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// A line a day; fields without a value are empty. Interfaces of the bank's own customers have columns behind the others.
fn csv(days: &[Day]) -> String {
    let customers: BTreeSet<_> = days.iter().flat_map(|day| day.customer_interfaces.keys()).collect();
    let mut text = String::from("day,uptime_percent,downtime_percent,error_rate_percent");
    for service in Service::ALL {
        for column in ["requests", "errors", "mean_ms", "median_ms", "p90_ms", "p99_ms"] {
            text += &format!(",{}_{column}", service.name());
        }
    }
    text += ",seconds,down_seconds,is_over";
    for name in &customers {
        text += &format!(",{name}_uptime_percent,{name}_downtime_percent,{name}_error_rate_percent");
        for service in Service::ALL {
            text += &format!(",{name}_{}_mean_ms", service.name());
        }
        text += &format!(",{name}_down_seconds");
    }
    text += "\r\n";
    for day in days {
        let (uptime, downtime) = (Some(day.uptime()), Some(day.downtime()));
        let mut fields = vec![day.day.to_string(), field(uptime), field(downtime), field(day.error_rate())];
        for service in Service::ALL {
            let counts = day.of_service(service);
            fields.extend([counts.requests.to_string(), counts.errors.to_string(), field(counts.mean())]);
            fields.extend([50, 90, 99].map(|percent| field(counts.percentile(percent))));
        }
        fields.extend([day.seconds.to_string(), day.down_seconds.to_string(), day.is_over.to_string()]);
        for name in &customers {
            let of_day = day.customer_interfaces.get(*name);
            let measured = of_day.map(|of_day| &of_day.measured);
            fields.extend([of_day.map(CustomerDay::uptime), of_day.map(CustomerDay::downtime)].map(field));
            fields.push(field(measured.and_then(|measured| measured.error_rate)));
            let mean = |service| measured.and_then(|measured| measured.means.get(&service).copied());
            fields.extend(Service::ALL.map(|service| field(mean(service))));
            fields.push(measured.map_or(String::new(), |measured| measured.down_seconds.to_string()));
        }
        text += &(fields.join(",") + "\r\n");
    }
    text
}

fn field(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| format!("{value:.3}"))
}
