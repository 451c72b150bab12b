//! `vestibule core-bank check`: whether a bank keeps the contract.

use std::any::Any;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use ::core_bank::{CoreBank, CoreBankSettings, Limits};
use gateway::bank_contract::Parties;
use gateway::domain::{Account, AccountNumber, AccountReference, CustomerId, Iban, Tenant, Timestamp};
use gateway::{Bank, Clock, Randomness, Store, SystemClock};
use serde_json::json;

use super::super::{Failure, unreadable};
use crate::cli::CoreBankCheckArgs;
use crate::output;

/// Everything that the contract is about.
struct Checked {
    bank: Bank,
    store: Store,
    tenant: Tenant,
    payer: (CustomerId, Account),
    payee: Account,
    elsewhere: Iban,
    now: Timestamp,
    run: String,
}

impl Checked {
    fn parties(&self) -> Parties<'_> {
        Parties {
            bank: &self.bank,
            store: &self.store,
            tenant: &self.tenant,
            payer: (&self.payer.0, &self.payer.1),
            payee: &self.payee,
            elsewhere: &self.elsewhere,
            now: self.now,
            run: &self.run,
        }
    }
}

pub(super) async fn run(
    args: CoreBankCheckArgs,
    json: bool,
    now: Option<Timestamp>,
) -> Result<ExitCode, Failure> {
    let now = now.unwrap_or_else(|| SystemClock.now(None));
    let checked = Arc::new(prepare(args, now).await?);
    let names: Vec<_> = checked.parties().clauses().into_iter().map(|(name, _)| name).collect();
    // What does not hold stops with a panic, which is told here and not by the system.
    std::panic::set_hook(Box::new(|_| {}));
    let mut told = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        let checked = Arc::clone(&checked);
        let clause = tokio::spawn(async move {
            if let Some((_, clause)) = checked.parties().clauses().into_iter().nth(index) {
                clause.await;
            }
        });
        let problem = clause.await.err().map(|error| match error.try_into_panic() {
            Ok(panic) => text(panic.as_ref()),
            Err(error) => error.to_string(),
        });
        if !json {
            match &problem {
                None => output::line(&format!("holds  {name}")),
                Some(problem) => output::line(&format!("FAILS  {name}: {problem}")),
            }
        }
        told.push((name, problem));
    }
    drop(std::panic::take_hook());
    let holds = told.iter().all(|(_, problem)| problem.is_none());
    if json {
        let clause = |(name, problem): &(&str, Option<String>)| json!({"clause": name, "holds": problem.is_none(), "problem": problem});
        output::json(&json!({"holds": holds, "clauses": told.iter().map(clause).collect::<Vec<_>>()}));
    }
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The words of a panic, on one line.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it stopped");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn prepare(args: CoreBankCheckArgs, now: Timestamp) -> Result<Checked, Failure> {
    let read = |path: &Path| fs::read(path).map_err(|error| unreadable(path, &error));
    let tenant = Tenant::parse(&args.branch)?;
    let [payer, payee, elsewhere] = [&args.payer, &args.payee, &args.elsewhere].map(|text| Iban::parse(text));
    let (payer, payee, elsewhere) = (payer?, payee?, elsewhere?);
    // The bank's own numbers are known to whoever sets a gateway up: those of the same country that begin like the payer's.
    let own = (payer.as_str()[..2].to_owned(), payer.as_str()[4..7].to_owned());
    let settings = CoreBankSettings {
        url: args.url,
        authorities: read(&args.ca)?,
        identity: [read(&args.certificate)?, b"\n".to_vec(), read(&args.private_key)?].concat(),
        limits: Limits::default(),
        name: "the bank".to_owned(),
        own_numbers: vec![own],
    };
    let store = Store::in_memory()?;
    let bank = CoreBank::new(&settings, &store)?.ports();
    let payer = account(&bank, &tenant, payer).await?;
    let payee = account(&bank, &tenant, payee).await?;
    let customers = bank.customers.named_by(&tenant, &payer.iban).await.map_err(told)?;
    let customer = customers.into_iter().next().ok_or_else(|| {
        Failure::new("the bank knows no customer of the account that pays: POST /customers/find names nobody")
    })?;
    let run = format!("{}-", Randomness::from_system().id());
    Ok(Checked { bank, store, tenant, payer: (customer, payer), payee, elsewhere, now, run })
}

/// An account of a branch in its currency.
async fn account(bank: &Bank, tenant: &Tenant, iban: Iban) -> Result<Account, Failure> {
    let reference = AccountReference { number: AccountNumber::Iban(iban), currency: None };
    let found = bank.accounts.find_accounts(tenant, &reference).await.map_err(told)?;
    let account = found.into_iter().find(|account| account.currency == tenant.currency());
    account.ok_or_else(|| {
        let (number, currency) = (reference.shown(), tenant.currency().code());
        Failure::new(format!("the bank has no account {number} in {currency} at branch {tenant}"))
    })
}

/// What is behind a failure: here it is for whoever called.
fn told(error: gateway::Error) -> Failure {
    Failure::new(edge::with_causes(&error))
}
