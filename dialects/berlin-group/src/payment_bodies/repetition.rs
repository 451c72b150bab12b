//! When periodic payments are made.

use gateway::domain::{Date, ExecutionRule, Frequency, Repetition};
use http::StatusCode;
use jiff::ToSpan;

use super::rules;
use crate::error::{Error, shorten};
use crate::wire;

/// Most months that can be named; all twelve are `Monthly`.
const MAX_MONTHS: usize = 11;

/// The days that a request names, each rule about them kept.
pub(super) fn repetition(request: &wire::PaymentRequest, days: rules::Days) -> Result<Repetition, Error> {
    let missing = |name: &str, right: &str| Error::format(format!("{name} is missing; {right}"));
    let start = request
        .start_date
        .as_deref()
        .ok_or_else(|| missing("startDate", "send the first day, YYYY-MM-DD"))?;
    let start = rules::execution_day("startDate", start, days)?;
    let frequency = request
        .frequency
        .as_deref()
        .ok_or_else(|| missing("frequency", "send how often, for example Monthly"))?;
    let frequency = one_of("frequency", frequency, Frequency::NAMES)?;
    let end = request.end_date.as_deref().map(|text| rules::day("endDate", text)).transpose()?;
    let rule = request.execution_rule.as_deref();
    let rule = rule.map(|text| one_of("executionRule", text, ExecutionRule::NAMES)).transpose()?;
    let repetition = Repetition {
        start,
        end,
        frequency,
        rule,
        day: day_of_month(request.day_of_execution.as_deref(), frequency)?,
        months: months(request.months_of_execution.as_deref(), frequency)?,
    };
    check_period(&repetition)?;
    Ok(repetition)
}

fn one_of<T: Copy>(name: &str, text: &str, known: &[(T, &str)]) -> Result<T, Error> {
    let found = known.iter().find(|(_, known)| *known == text).map(|(one, _)| *one);
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(_, name)| *name).collect();
        Error::format(format!("{name} \"{}\" is not one of {}", shorten(text), names.join(", ")))
    })
}

fn day_of_month(text: Option<&str>, frequency: Frequency) -> Result<Option<i8>, Error> {
    let Some(text) = text else { return Ok(None) };
    if matches!(frequency, Frequency::Daily | Frequency::Weekly | Frequency::EveryTwoWeeks) {
        return Err(Error::format(format!(
            "dayOfExecution is a day of the month; leave it out with the frequency {}",
            frequency.name()
        )));
    }
    let day = number(text, 31).ok_or_else(|| {
        Error::format(format!("dayOfExecution \"{}\" is not one of \"1\" to \"31\"", shorten(text)))
    })?;
    Ok(Some(day))
}

fn months(months: Option<&[String]>, frequency: Frequency) -> Result<Vec<i8>, Error> {
    let Some(months) = months else {
        if frequency == Frequency::MonthlyVariable {
            return Err(Error::format(
                "monthsOfExecution is missing; the frequency MonthlyVariable needs it, for example [\"1\", \"7\"]",
            ));
        }
        return Ok(Vec::new());
    };
    if frequency != Frequency::MonthlyVariable {
        return Err(Error::format(format!(
            "monthsOfExecution goes with the frequency MonthlyVariable; leave it out with {}",
            frequency.name()
        )));
    }
    if months.is_empty() || months.len() > MAX_MONTHS {
        return Err(Error::format(format!("monthsOfExecution has 1 to {MAX_MONTHS} months")));
    }
    let mut numbers = Vec::with_capacity(months.len());
    for month in months {
        let number = number(month, 12).ok_or_else(|| {
            Error::format(format!("monthsOfExecution: \"{}\" is not one of \"1\" to \"12\"", shorten(month)))
        })?;
        if numbers.contains(&number) {
            return Err(Error::format(format!("monthsOfExecution names the month {number} more than once")));
        }
        numbers.push(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// One or two digits. A zero before a single digit, which the standard forbids and its own example has, is taken.
fn number(text: &str, max: i8) -> Option<i8> {
    let all_digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|number| all_digits && (1..=max).contains(number))
}

fn check_period(repetition: &Repetition) -> Result<(), Error> {
    let Some(end) = repetition.end else { return Ok(()) };
    let start = repetition.start;
    let wrong = |text| Error::new(StatusCode::BAD_REQUEST, "PERIOD_INVALID", text);
    if end < start {
        return Err(wrong(format!(
            "endDate {end} is before startDate {start}; send a later day, or leave it out"
        )));
    }
    if first_day(repetition).is_none_or(|first| first > end) {
        return Err(wrong(format!("no day of execution lies between startDate {start} and endDate {end}")));
    }
    Ok(())
}

/// The first day on which the payment is made, before days that are no business days are moved.
fn first_day(repetition: &Repetition) -> Option<Date> {
    let start = repetition.start;
    let Some(day) = repetition.day.or((!repetition.months.is_empty()).then(|| start.day())) else {
        return Some(start);
    };
    (0..=12_i64).find_map(|month| {
        let month = start.first_of_month().checked_add(month.months()).ok()?;
        let first = month.with().day(day.min(month.days_in_month())).build().ok()?;
        let is_named = repetition.months.is_empty() || repetition.months.contains(&first.month());
        (is_named && first >= start).then_some(first)
    })
}
