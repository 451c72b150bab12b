//! `vestibule statistics`: availability and speed of a gateway by day, and of the interfaces of the bank's own customers beside it.

mod measured;

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use http::Method;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use self::measured::File;
use super::admin::{ask, explained, interface};
use super::{Failure, unreadable};
use crate::cli::{FormatArg, ImportArgs, RemoveArgs, StaffArgs, StatisticsArgs, StatisticsCommand};
use crate::output;

pub(crate) async fn run(args: StatisticsArgs) -> Result<ExitCode, Failure> {
    let StatisticsArgs { to, from, until, format, command } = args;
    let is_report = command.is_none();
    if !is_report && (from.is_some() || until.is_some() || format.is_some()) {
        return Err(Failure::new(
            "in front of import and remove, --from, --to and --format say nothing: they are about what is written without these",
        ));
    }
    match command {
        None => report(&to, (from, until), format).await?,
        Some(StatisticsCommand::Import(args)) => import(&to, args).await?,
        Some(StatisticsCommand::Remove(args)) => remove(&to, &args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn report(
    to: &StaffArgs,
    (from, until): (Option<String>, Option<String>),
    format: Option<FormatArg>,
) -> Result<(), Failure> {
    let format = match format {
        _ if to.json => "json",
        None | Some(FormatArg::Csv) => "csv",
        Some(FormatArg::Json) => "json",
        Some(FormatArg::Html) => "html",
    };
    let mut query = Serializer::new(String::new());
    query.append_pair("format", format);
    for (name, day) in [("from", from), ("to", until)] {
        if let Some(day) = day {
            query.append_pair(name, &day);
        }
    }
    let text = interface(to)?.text(&format!("/statistics?{}", query.finish())).await.map_err(explained)?;
    output::text(&text);
    if !text.ends_with('\n') {
        output::line("");
    }
    Ok(())
}

async fn import(to: &StaffArgs, args: ImportArgs) -> Result<(), Failure> {
    let ImportArgs { file: Some(path), interface: Some(name), reason: Some(reason), .. } = args else {
        output::text(measured::EXAMPLE);
        return Ok(());
    };
    let between = if to.json { "; " } else { "\n  " };
    let octets = read(&path).map_err(|error| unreadable(&path, &error))?;
    let file = File::read(&octets)
        .map_err(|wrong| Failure::new(format!("{}: {}", path.display(), wrong.join(between))))?;
    let body = json!({"interface": name, "reason": reason, "days": file.days});
    let answer = interface(to)?.call(Method::POST, "/statistics/customers", Some(&body)).await;
    let imported = answer.map_err(|error| {
        let ::tpp::Error::Bank(mut bank) = error else { return explained(error) };
        // The gateway knows no file: it says which day of the body it was.
        for text in &mut bank.texts {
            *text = file.placed(text).replace("; line ", &format!("{between}line "));
        }
        let failure = explained(::tpp::Error::Bank(bank));
        Failure { text: format!("{}: {}", path.display(), failure.text), ..failure }
    })?;
    if to.json {
        output::json(&imported);
        return Ok(());
    }
    let replaced = match imported["replaced"].as_u64() {
        None | Some(0) => String::new(),
        Some(count) => {
            format!("; {count} of them had been imported before and {} replaced", is_or_are(count))
        }
    };
    output::line(&format!("Imported {}{replaced}.", days(&imported)));
    Ok(())
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path);
    }
    let mut octets = Vec::new();
    std::io::stdin().read_to_end(&mut octets)?;
    Ok(octets)
}

async fn remove(to: &StaffArgs, args: &RemoveArgs) -> Result<(), Failure> {
    let RemoveArgs { interface, from, until, reason } = args;
    let body = json!({"interface": interface, "from": from, "to": until, "reason": reason});
    let removed = ask(to, Method::POST, "/statistics/customers/remove", Some(&body)).await?;
    if to.json {
        output::json(&removed);
        return Ok(());
    }
    output::line(&format!("Removed {}.", days(&removed)));
    Ok(())
}

/// Which days an answer is about.
fn days(answer: &Value) -> String {
    let count = answer["days"].as_u64().unwrap_or_default();
    let plural = if count == 1 { "" } else { "s" };
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    format!("{count} day{plural} of {}, {} to {}", text("interface"), text("from"), text("to"))
}

fn is_or_are(count: u64) -> &'static str {
    if count == 1 { "is" } else { "are" }
}
