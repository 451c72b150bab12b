//! `vestibule bank`: what a sandbox is called at its branches.

use std::process::ExitCode;

use http::Method;
use serde_json::json;

use super::Failure;
use super::management::{ask, text};
use crate::cli::{BankArgs, BankCommand};
use crate::output;

pub(crate) async fn run(args: BankArgs) -> Result<ExitCode, Failure> {
    let BankArgs { to, tenant, command } = args;
    let all = ask(&to, Method::GET, "/tenants", None).await?;
    let all = all["tenants"].as_array().cloned().unwrap_or_default();
    let names: Vec<_> = all.iter().map(|branch| text(branch, "tenant").to_owned()).collect();
    let is_asked = |name: &str| tenant.as_deref().is_none_or(|tenant| tenant == name);
    let mut shown: Vec<_> = all.into_iter().filter(|branch| is_asked(text(branch, "tenant"))).collect();
    if let (Some(tenant), []) = (&tenant, &shown[..]) {
        let text = format!("tenant \"{tenant}\" is not one of {}", names.join(", "));
        return Err(Failure::new(text));
    }
    if let Some(BankCommand::Name { name }) = command {
        for branch in &mut shown {
            let path = format!("/tenants/{}", text(branch, "tenant"));
            *branch = ask(&to, Method::PUT, &path, Some(&json!({"bankName": name}))).await?;
        }
    }
    if to.json {
        output::json(&json!({"tenants": shown}));
    } else {
        output::line(&format!("{:<7} NAME OF THE BANK", "TENANT"));
        for branch in &shown {
            output::line(&format!("{:<7} {}", text(branch, "tenant"), text(branch, "bankName")));
        }
    }
    Ok(ExitCode::SUCCESS)
}
