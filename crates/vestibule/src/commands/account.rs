//! `vestibule account`: customers of a sandbox.

use std::process::ExitCode;

use serde_json::Value;
use tpp::sandbox::{Approval, Management, TestAccountRequest};
use tpp::{Transport, TransportSettings};

use super::Failure;
use crate::cli::{
    AccountApproveArgs, AccountCommand, AccountListArgs, AccountNewArgs, AccountShowArgs, ManagementArgs,
};
use crate::output;

pub(crate) async fn run(command: AccountCommand) -> Result<ExitCode, Failure> {
    match command {
        AccountCommand::New(args) => new(args).await,
        AccountCommand::List(args) => list(args).await,
        AccountCommand::Show(args) => show(args).await,
        AccountCommand::Approve(args) => approve(args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

fn management(to: &ManagementArgs) -> Result<Management, Failure> {
    Ok(Management::new(Transport::new(TransportSettings::default(), None)?, &to.management))
}

async fn new(args: AccountNewArgs) -> Result<(), Failure> {
    let AccountNewArgs { to, tenant, persona, name, currency, balance } = args;
    let request = TestAccountRequest { tenant, persona, name, currency, balance };
    let made = management(&to)?.test_account(&request).await?;
    if to.json {
        output::json(&made);
    } else {
        print(&made);
    }
    Ok(())
}

async fn list(args: AccountListArgs) -> Result<(), Failure> {
    let management = management(&args.to)?;
    let (member, all) = if args.personas {
        ("personas", management.personas().await?)
    } else {
        ("testAccounts", management.test_accounts().await?)
    };
    if args.to.json {
        output::json(&all);
        return Ok(());
    }
    let entries = all[member].as_array().map_or(&[][..], Vec::as_slice);
    if entries.is_empty() {
        output::line("No customer was made yet. Make one with: vestibule account new");
    }
    for entry in entries {
        if args.personas {
            output::line(&format!("{:<16} {}", text(entry, "name"), text(entry, "description")));
        } else {
            output::line(&format!(
                "{:<7} {:<24} {:<12} {:<16} {}",
                text(entry, "tenant"),
                text(entry, "iban"),
                text(entry, "digipassNumber"),
                text(entry, "persona"),
                text(entry, "name")
            ));
        }
    }
    Ok(())
}

async fn show(args: AccountShowArgs) -> Result<(), Failure> {
    let wanted: String = args.iban.chars().filter(|c| !c.is_whitespace()).collect();
    let all = management(&args.to)?.test_accounts().await?;
    let has = |entry: &&Value| {
        let accounts = entry["accounts"].as_array().into_iter().flatten();
        accounts.into_iter().any(|account| text(account, "iban").eq_ignore_ascii_case(&wanted))
    };
    let found: Vec<_> = all["testAccounts"].as_array().into_iter().flatten().filter(has).collect();
    if found.is_empty() {
        return Err(Failure::new(format!(
            "no customer with account {wanted} was made here; vestibule account list shows those that were"
        )));
    }
    if args.to.json {
        output::json(&found);
    } else {
        found.into_iter().for_each(print);
    }
    Ok(())
}

async fn approve(args: AccountApproveArgs) -> Result<(), Failure> {
    let approval = Approval {
        url: &args.url,
        iban: &args.iban,
        decision: args.decision.name(),
        account: args.account.as_deref(),
    };
    let location = management(&args.to)?.decide(&approval).await?;
    if args.to.json {
        output::json(&serde_json::json!({"location": location}));
    } else {
        output::line(&location);
    }
    Ok(())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn print(customer: &Value) {
    output::line(&format!("{} ({})", text(customer, "name"), text(customer, "persona")));
    output::line(&format!("  Tenant          {}", text(customer, "tenant")));
    output::line(&format!("  IBAN            {}", text(customer, "iban")));
    output::line(&format!("  Digipass        {}", text(customer, "digipassNumber")));
    for account in customer["accounts"].as_array().into_iter().flatten() {
        output::line(&format!(
            "  Account         {} {} {} {}",
            text(account, "iban"),
            text(account, "currency"),
            text(account, "cashAccountType"),
            text(account, "status")
        ));
    }
    for holder in customer["coHolders"].as_array().into_iter().flatten() {
        let (name, number) = (text(holder, "name"), text(holder, "digipassNumber"));
        output::line(&format!("  Also held by    {name}, digipass {number}"));
    }
}
