//! `vestibule account`: customers of a sandbox.

use std::process::ExitCode;

use serde_json::Value;
use tpp::sandbox::{Approval, TestAccountRequest};

use super::management::{hints, management, text};
use super::{Failure, Hints, Next};
use crate::cli::{AccountApproveArgs, AccountCommand, AccountListArgs, AccountNewArgs, AccountShowArgs};
use crate::output;

pub(crate) async fn run(command: AccountCommand) -> Result<ExitCode, Failure> {
    let hints = hints(command.to());
    let done = match command {
        AccountCommand::New(args) => new(args).await,
        AccountCommand::List(args) => list(args, &hints).await,
        AccountCommand::Show(args) => show(args).await,
        AccountCommand::Approve(args) => approve(args).await,
    };
    done.map(|()| ExitCode::SUCCESS).map_err(|failure| failure.with(&hints))
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

async fn list(args: AccountListArgs, hints: &Hints) -> Result<(), Failure> {
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
        let make = hints.tail(&Next::new("account new"));
        output::line(&format!("No customer was made yet. Make one{make}"));
        return Ok(());
    }
    if args.personas {
        output::line(&format!("{:<16} {}", "PERSONA", "DESCRIPTION"));
        for entry in entries {
            output::line(&format!("{:<16} {}", text(entry, "name"), text(entry, "description")));
        }
        return Ok(());
    }
    output::line(&customer_line(["TENANT", "IBAN", "DIGIPASS", "PERSONA", "NAME"]));
    for entry in entries {
        let fields = ["tenant", "iban", "digipassNumber", "persona", "name"];
        output::line(&customer_line(fields.map(|name| text(entry, name))));
    }
    Ok(())
}

fn customer_line([tenant, iban, number, persona, name]: [&str; 5]) -> String {
    format!("{tenant:<7} {iban:<24} {number:<12} {persona:<16} {name}")
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
        let text = format!("no customer with account {wanted} was made here; those that were, are listed");
        return Err(Failure::new(text).next(Next::new("account list").after(" by: ")));
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
        digipass_number: args.digipass.as_deref(),
    };
    let location = management(&args.to)?.decide(&approval).await?;
    if args.to.json {
        output::json(&serde_json::json!({"location": location}));
    } else {
        output::line(&location);
    }
    Ok(())
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
