//! `vestibule fault`: faults on demand.

use std::process::ExitCode;

use http::Method;
use serde_json::{Map, Value};

use super::Failure;
use super::management::{ask, text};
use crate::cli::{FaultAddArgs, FaultArgs, FaultCommand};
use crate::output;

pub(crate) async fn run(args: FaultArgs) -> Result<ExitCode, Failure> {
    let to = &args.to;
    let answer = match args.command {
        FaultCommand::Add(wish) => ask(to, Method::POST, "/faults", Some(&body(wish))).await?,
        FaultCommand::List => ask(to, Method::GET, "/faults", None).await?,
        FaultCommand::Remove { id: Some(id), .. } => {
            let id: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
            ask(to, Method::DELETE, &format!("/faults/{id}"), None).await?
        }
        FaultCommand::Remove { .. } => ask(to, Method::DELETE, "/faults", None).await?,
    };
    if to.json {
        output::json(&answer);
    } else if let Some(removed) = answer.get("removed") {
        output::line(&format!("Removed {removed}."));
    } else if let Some(all) = answer["faults"].as_array() {
        if all.is_empty() {
            output::line("No fault waits for a call.");
        }
        all.iter().for_each(print);
    } else {
        print(&answer);
    }
    Ok(ExitCode::SUCCESS)
}

fn body(wish: FaultAddArgs) -> Value {
    let FaultAddArgs { fault, next, third_party, path, interface, seconds } = wish;
    let members = [
        ("fault", Some(Value::from(fault))),
        ("next", next.map(Value::from)),
        ("thirdParty", third_party.map(Value::from)),
        ("path", path.map(Value::from)),
        ("interface", interface.map(Value::from)),
        ("seconds", seconds.map(Value::from)),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect::<Map<_, _>>())
}

/// One fault on one line: its number, what goes wrong, and for which calls.
fn print(fault: &Value) {
    let mut line = format!("{:<4} {:<20}", text(fault, "id"), text(fault, "fault"));
    match fault["next"].as_u64() {
        Some(next) => line += &format!(" next {next}"),
        None => line += " every call",
    }
    for (name, label) in [("thirdParty", "of"), ("path", "to"), ("interface", "at")] {
        if let Some(value) = fault[name].as_str() {
            line += &format!(" {label} {value}");
        }
    }
    if let Some(seconds) = fault["seconds"].as_u64() {
        line += &format!(", {seconds} s");
    }
    output::line(&format!("{line}, struck {}", fault["struck"]));
}
