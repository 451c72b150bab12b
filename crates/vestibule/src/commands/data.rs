//! `vestibule data`: customers, accounts and transactions of one's own.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use http::Method;
use serde_json::{Map, Value};

use super::management::{ask, hints, management, text};
use super::{Failure, unreadable};
use crate::cli::{DataAddArgs, DataArgs, DataCommand, ManagementArgs};
use crate::output;

pub(crate) async fn run(args: DataArgs) -> Result<ExitCode, Failure> {
    match args.command {
        DataCommand::Add(wish) => add(&args.to, wish).await?,
        DataCommand::Load { file } => load(&args.to, &file).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(to: &ManagementArgs, wish: DataAddArgs) -> Result<(), Failure> {
    let DataAddArgs { account, amount, currency, date, pending, name, iban, text: what, end_to_end_id } =
        wish;
    let members = [
        ("amount", Some(amount)),
        ("currency", currency),
        ("date", date),
        ("status", pending.then(|| "pending".to_owned())),
        ("name", name),
        ("iban", iban),
        ("text", what),
        ("endToEndId", end_to_end_id),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    let body = Value::Object(members.collect::<Map<_, _>>());
    let account: String = account.chars().filter(char::is_ascii_alphanumeric).collect();
    let entered =
        ask(to, Method::POST, &format!("/test-accounts/{account}/transactions"), Some(&body)).await?;
    if to.json {
        output::json(&entered);
        return Ok(());
    }
    let booked = match text(&entered, "status") {
        "pending" => "pending, booked on",
        _ => "booked on",
    };
    output::line(&format!(
        "{} {} on {}: {booked} {}, id {}",
        text(&entered, "amount"),
        text(&entered, "currency"),
        text(&entered, "iban"),
        text(&entered, "bookingDate"),
        text(&entered, "transactionId"),
    ));
    Ok(())
}

async fn load(to: &ManagementArgs, file: &Path) -> Result<(), Failure> {
    let is_standard_input = file.as_os_str() == "-";
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let kind = match extension.to_ascii_lowercase().as_str() {
        "csv" => "text/csv",
        "json" => "application/json",
        "yaml" | "yml" => "application/yaml",
        _ if is_standard_input => "application/yaml",
        _ => {
            let text =
                format!("{}: the name of the file must end in .yaml, .yml, .csv or .json", file.display());
            return Err(Failure::new(text));
        }
    };
    let octets = if is_standard_input {
        let mut octets = Vec::new();
        std::io::stdin().read_to_end(&mut octets).map_err(|error| unreadable(file, &error))?;
        octets
    } else {
        std::fs::read(file).map_err(|error| unreadable(file, &error))?
    };
    let answer = management(to)?.send(Method::POST, "/data", Some((kind, octets))).await;
    let loaded = answer.map_err(|error| Failure::from(error).with(&hints(to)))?;
    if to.json {
        output::json(&loaded);
        return Ok(());
    }
    let customers = loaded["testAccounts"].as_array().map_or(&[][..], Vec::as_slice);
    output::line(&format!(
        "Loaded {} customers and {} transactions.",
        customers.len(),
        loaded["transactions"]
    ));
    for customer in customers {
        for account in customer["accounts"].as_array().into_iter().flatten() {
            output::line(&format!(
                "{:<7} {:<24} {} {:<12} {}",
                text(customer, "tenant"),
                text(account, "iban"),
                text(account, "currency"),
                text(customer, "digipassNumber"),
                text(customer, "name")
            ));
        }
    }
    Ok(())
}
