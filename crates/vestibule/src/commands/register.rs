//! `vestibule register`: what the register of payment institutions of a sandbox says of a third party.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use edge::registers::{OneOrMore, WrittenEntity, service_code};
use eidas::{OrganizationIdentifier, Role};
use http::Method;
use serde_json::{Value, json};

use super::Failure;
use super::management::{ask, text};
use crate::cli::{ManagementArgs, RegisterArgs, RegisterCommand};
use crate::output;

/// Roles by country, as the management API takes them.
type Services = BTreeMap<String, BTreeSet<&'static str>>;

pub(crate) async fn run(args: RegisterArgs) -> Result<ExitCode, Failure> {
    let RegisterArgs { to, command } = args;
    let listing = match command {
        RegisterCommand::Show { identifier } => listed(&to, &path(&identifier)?).await?,
        RegisterCommand::Withdraw { identifier, passport, undo } => {
            let path = path(&identifier)?;
            let wanted = match passport {
                Some(country) => without(listed(&to, &path).await?, &identifier, &country)?,
                None if undo => json!({"status": "active"}),
                None => json!({"status": "withdrawn"}),
            };
            ask(&to, Method::PUT, &path, Some(&wanted)).await?
        }
    };
    if to.json {
        output::json(&listing);
    } else {
        output::line(&format!("Register  {}", text(&listing, "status")));
        for (country, roles) in listing["services"].as_object().into_iter().flatten() {
            let roles: Vec<_> = roles.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            output::line(&format!("{country:<9} {}", roles.join(", ")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the register tells of a third party.
fn path(identifier: &str) -> Result<String, Failure> {
    let wrong =
        |error: eidas::OrganizationIdentifierError| Failure::new(format!("\"{identifier}\": {error}"));
    let id = OrganizationIdentifier::parse(identifier).map_err(wrong)?;
    let mut url = url::Url::parse("http://register/register/")?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push(id.as_str());
    }
    Ok(url.path().to_owned())
}

/// What the register says, in the words of the management API.
async fn listed(to: &ManagementArgs, path: &str) -> Result<Value, Failure> {
    let register = ask(to, Method::GET, path, None).await?;
    let entities: Vec<WrittenEntity> = serde_json::from_value(register[1].clone())?;
    let Some(entity) = entities.first() else { return Ok(json!({"status": "absent"})) };
    let dates = entity.properties.iter().find_map(|one| one.get("ENT_AUT")).map_or(0, count);
    let status = if dates.is_multiple_of(2) { "withdrawn" } else { "active" };
    Ok(json!({"status": status, "services": services(entity)}))
}

/// How many there are.
fn count(dates: &OneOrMore) -> usize {
    match dates {
        OneOrMore::One(_) => 1,
        OneOrMore::More(all) => all.len(),
    }
}

fn services(entity: &WrittenEntity) -> Services {
    let mut services = Services::new();
    for (country, codes) in entity.services.iter().flatten() {
        let codes = match codes {
            OneOrMore::One(code) => std::slice::from_ref(code),
            OneOrMore::More(codes) => codes,
        };
        let is_listed =
            |role: &Role| service_code(*role).is_some_and(|code| codes.iter().any(|one| one == code));
        let roles = Role::THIRD_PARTY.iter().filter(|role| is_listed(role)).map(|role| role.name());
        services.entry(country.clone()).or_default().extend(roles);
    }
    services
}

/// The same listing without what it says of a country.
fn without(mut listing: Value, identifier: &str, country: &str) -> Result<Value, Failure> {
    let country = country.to_ascii_uppercase();
    let services = listing["services"].as_object_mut();
    let Some(services) = services.filter(|services| !services.is_empty()) else {
        let text = format!(
            "the register does not list {identifier}: it gets there with a QWAC or QSealC of this sandbox"
        );
        return Err(Failure::new(text));
    };
    if services.remove(&country).is_none() {
        let others: Vec<_> = services.keys().map(String::as_str).collect();
        let text =
            format!("{identifier} has no passport for \"{country}\"; it has them for {}", others.join(", "));
        return Err(Failure::new(text));
    }
    Ok(listing)
}
