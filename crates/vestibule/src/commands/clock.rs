//! `vestibule clock`: the clocks of a sandbox.

use std::process::ExitCode;

use http::Method;
use serde_json::{Value, json};

use super::Failure;
use super::management::{ask, text};
use crate::cli::{ClockArgs, ClockCommand};
use crate::output;

pub(crate) async fn run(args: ClockArgs) -> Result<ExitCode, Failure> {
    let ClockArgs { to, tenant, command } = args;
    let mut wish = match command.unwrap_or(ClockCommand::Show) {
        ClockCommand::Show => Value::Null,
        ClockCommand::Advance { by } => json!({"advance": by.to_string()}),
        ClockCommand::Set { to } => json!({"now": to}),
        ClockCommand::Reset => json!({"reset": true}),
    };
    let answer = if wish.is_null() {
        ask(&to, Method::GET, "/clock", None).await?
    } else {
        if let Some(tenant) = &tenant {
            wish["tenant"] = tenant.as_str().into();
        }
        ask(&to, Method::PUT, "/clock", Some(&wish)).await?
    };
    // One clock comes by itself if it alone was moved.
    let all = answer["clocks"].as_array().cloned().unwrap_or_else(|| vec![answer]);
    let is_asked = |clock: &Value| tenant.as_deref().is_none_or(|name| text(clock, "tenant") == name);
    let names: Vec<_> = all.iter().map(|clock| text(clock, "tenant").to_owned()).collect();
    let shown: Vec<_> = all.into_iter().filter(is_asked).collect();
    if let (Some(tenant), []) = (&tenant, &shown[..]) {
        let text = format!("tenant \"{tenant}\" is not one of {}", names.join(", "));
        return Err(Failure::new(text));
    }
    if to.json {
        output::json(&json!({"clocks": shown}));
    } else {
        output::line(&format!("{:<7} {:<22} {}", "TENANT", "NOW", "AGAINST THE BANK'S OWN TIME"));
        for clock in &shown {
            let now = text(clock, "now")
                .parse::<jiff::Timestamp>()
                .map_err(|error| Failure::new(error.to_string()))?;
            let difference = difference(clock["offsetSeconds"].as_i64().unwrap_or_default());
            output::line(&format!("{:<7} {now:<22.0} {difference}", text(clock, "tenant")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How far a clock was moved, in words.
fn difference(seconds: i64) -> String {
    let way = match seconds {
        0 => return "the same".to_owned(),
        1.. => "ahead",
        _ => "behind",
    };
    let left = seconds.unsigned_abs();
    let parts = [(left / 86_400, "d"), (left / 3600 % 24, "h"), (left / 60 % 60, "min"), (left % 60, "s")];
    let parts =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number} {unit}"));
    format!("{} {way}", parts.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_in_words() {
        assert_eq!(difference(0), "the same");
        assert_eq!(difference(90 * 86_400), "90 d ahead");
        assert_eq!(difference(-3_661), "1 h 1 min 1 s behind");
    }
}
