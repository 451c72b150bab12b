//! `vestibule logs`: the calls that a sandbox received, and why it refused them.

use std::process::ExitCode;
use std::time::Duration;

use http::Method;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::Failure;
use super::management::{ask, text};
use crate::cli::{LogsArgs, LogsCommand, LogsListArgs, ManagementArgs};
use crate::output;

/// How often it is asked for new calls.
const EVERY: Duration = Duration::from_millis(300);

/// Most calls of one answer.
const MOST: u16 = 500;

pub(crate) async fn run(args: LogsArgs) -> Result<ExitCode, Failure> {
    let LogsArgs { to, list, command } = args;
    match command {
        None => follow(&to, &list).await,
        Some(LogsCommand::Show { number, curl, har }) => show(&to, number, (curl, har)).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Lists the last calls, and goes on with new ones if that is asked for.
async fn follow(to: &ManagementArgs, list: &LogsListArgs) -> Result<(), Failure> {
    let mut calls = page(to, list, list.limit, None).await?;
    if calls.is_empty() && !list.follow && !to.json {
        output::line(
            "No call like that was received yet. The sandbox named commands that make some when it started, and so \
             does the page at its address.",
        );
        return Ok(());
    }
    let mut last = 0;
    loop {
        for call in &calls {
            last = call["number"].as_u64().unwrap_or(last).max(last);
            if to.json {
                output::json(call);
            } else {
                print(call);
            }
        }
        if !list.follow {
            return Ok(());
        }
        tokio::time::sleep(EVERY).await;
        calls = page(to, list, MOST, Some(last)).await?;
    }
}

/// The last calls that are asked for, the oldest first.
async fn page(
    to: &ManagementArgs,
    list: &LogsListArgs,
    limit: u16,
    after: Option<u64>,
) -> Result<Vec<Value>, Failure> {
    let mut query = Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    let after = after.map(|after| after.to_string());
    for (name, value) in [
        ("third_party", &list.third_party),
        ("interface", &list.interface),
        ("path", &list.path),
        ("status", &list.status),
        ("request_id", &list.request_id),
        ("after", &after),
    ] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    if list.failed {
        query.append_pair("failed", "true");
    }
    let mut answer = ask(to, Method::GET, &format!("/calls?{}", query.finish()), None).await?;
    let mut calls = answer["calls"].as_array_mut().map(std::mem::take).unwrap_or_default();
    calls.reverse();
    Ok(calls)
}

async fn show(to: &ManagementArgs, number: u64, (curl, har): (bool, bool)) -> Result<(), Failure> {
    let end = if har { ".har" } else { "" };
    let call = ask(to, Method::GET, &format!("/calls/{number}{end}"), None).await?;
    if curl {
        output::line(&visible(text(&call, "curl")));
    } else if to.json || har {
        output::json(&call);
    } else {
        print_all(&call);
    }
    Ok(())
}

/// A line for each call, and another one that says why it was refused.
fn print(call: &Value) {
    let time = text(call, "at").split(['T', '.', 'Z']).nth(1).unwrap_or_default();
    let milliseconds = call["milliseconds"].as_f64().unwrap_or_default();
    let line = format!(
        "{:>5}  {time}  {}  {:>8.1} ms  {} {}  {}",
        call["number"],
        call["status"],
        milliseconds,
        text(call, "method"),
        text(call, "target"),
        text(call, "thirdParty"),
    );
    output::line(&visible(line.trim_end()));
    if let Some(why) = call["why"].as_str() {
        let code = call["code"].as_str().or(call["failedCheck"].as_str()).unwrap_or_default();
        output::line(&visible(&format!("       {code}: {why}")));
    }
}

fn print_all(call: &Value) {
    print(call);
    for (name, label) in [
        ("interface", "Interface"),
        ("route", "Route"),
        ("requestId", "Request id"),
        ("clause", "Clause"),
        ("remedy", "Remedy"),
    ] {
        if let Some(value) = call[name].as_str() {
            output::line(&visible(&format!("{label:<11} {value}")));
        }
    }
    let checks = call["checks"].as_array().map_or(&[][..], Vec::as_slice);
    if !checks.is_empty() {
        output::line("\nChecks");
    }
    for check in checks {
        let mark = if check["passed"] == true { "passed" } else { "FAILED" };
        output::line(&format!("  {mark}  {}", text(check, "title")));
    }
    print_comparison(&call["comparison"]);
    for (name, label) in [("request", "Request"), ("response", "Answer")] {
        output::line(&format!("\n{label}"));
        let part = &call[name];
        for field in part["headers"].as_array().into_iter().flatten() {
            output::line(&visible(&format!("  {}: {}", text(field, "name"), text(field, "value"))));
        }
        if let Some(body) = part["body"].as_str() {
            output::line("");
            body.lines().for_each(|line| output::line(&visible(&format!("  {line}"))));
        }
        if let Some(omitted) = part["omitted"].as_str() {
            output::line(&format!("  ({omitted}; {} octets came by)", part["octets"]));
        }
    }
}

/// What was expected and what came, where they differ.
fn print_comparison(comparison: &Value) {
    let Some(expected) = comparison["expected"].as_str() else { return };
    output::line(&format!("\n{}", capitalised(text(comparison, "what"))));
    match comparison["got"].as_str() {
        Some(got) if got == expected => line_by_line("as both have it", got),
        Some(got) => {
            line_by_line("expected", expected);
            line_by_line("got", got);
        }
        None => line_by_line("expected", expected),
    }
    let difference = &comparison["difference"];
    if difference.is_object() {
        let (expected, got) = (text(difference, "expected"), text(difference, "got"));
        output::line(&format!("  They differ: {expected:?} was expected, and {got:?} came."));
    }
    if let Some(remark) = comparison["remark"].as_str() {
        output::line(&format!("  Most likely {remark}."));
    }
}

fn line_by_line(label: &str, content: &str) {
    output::line(&format!("  {label}:"));
    content.lines().for_each(|line| output::line(&visible(&format!("    {line}"))));
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// What a caller sent, without anything that a terminal would obey.
pub(crate) fn visible(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\n' | '\t' => letter.to_string(),
        letter if letter.is_control() => letter.escape_default().to_string(),
        // What turns the direction of writing shows other text than there is.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {
            letter.escape_default().to_string()
        }
        letter => letter.to_string(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_terminal_obeys_a_caller() {
        assert_eq!(visible("a\u{1b}[2Jb\r\u{9b}\u{202e}c\n\té"), "a\\u{1b}[2Jb\\r\\u{9b}\\u{202e}c\n\té");
    }
}
