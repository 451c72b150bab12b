//! `vestibule core-bank check`: whether a bank keeps the contract.

use std::any::Any;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use ::core_bank::{CoreBank, CoreBankSettings, Limits, SetupError, Trouble, trouble_behind, words_behind};
use gateway::bank_contract::{ACCOUNT_KEEPING, ENTRY_NUMBERS, EVENTS, Parties};
use gateway::domain::{Account, AccountNumber, AccountReference, CustomerId, Iban, Money, Tenant, Timestamp};
use gateway::{Bank, Clock, Randomness, Store, SystemClock};
use pem_text::PemError;
use serde_json::json;

use super::super::{Failure, unreadable};
use crate::cli::CoreBankCheckArgs;
use crate::output;

/// What a gateway does without events.
const SILENT: &str = "GET /core/v1/events answers 404, so the bank tells no events, which it may leave out; a gateway then asks about a \
                      payment when somebody wants to know, and goes on with a consent that a customer withdraws in the bank's own app";

/// What a gateway does without numbers of entries.
const UNNUMBERED: &str = "GET /core/v1/parts does not name entry-numbers, so the bank numbers no entries, which it may leave out; a \
                          gateway then offers NextGenPSD2 alone, and not bunq's interface";

/// What a gateway does where customers open no accounts.
const NOT_KEEPING: &str = "GET /core/v1/parts does not name account-keeping, so customers open and close no accounts here, which the bank \
                           may leave out; a gateway that offers bunq's interface then refuses to, and loses nothing where customers have no keys there";

/// What the payer has to have for the check.
const NEEDED: &str = "10.00";

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
    let mut checked = prepare(args, now).await?;
    // What is wrong with the answer is told of the clause.
    let skipped = left_out(&checked.parties()).await;
    if skipped.iter().any(|(clause, _)| *clause == EVENTS) {
        checked.bank.events = None;
    }
    let why = |name: &str| skipped.iter().find(|(clause, _)| *clause == name).map(|(_, why)| *why);
    let checked = Arc::new(checked);
    let names: Vec<_> = checked.parties().clauses().into_iter().map(|(name, _)| name).collect();
    // What does not hold stops with a panic, which is told here and not by the system.
    std::panic::set_hook(Box::new(|_| {}));
    let mut told = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        if let Some(why) = why(name) {
            if !json {
                output::line(&format!("skips  {name}: {why}"));
            }
            told.push((name, None));
            continue;
        }
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
        let clause = |(name, problem): &(&str, Option<String>)| {
            let skipped = why(name);
            let holds = skipped.is_none().then_some(problem.is_none());
            json!({"clause": name, "holds": holds, "problem": problem, "skipped": skipped})
        };
        output::json(&json!({"holds": holds, "clauses": told.iter().map(clause).collect::<Vec<_>>()}));
    }
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The clauses of what the bank leaves out, and what that means.
async fn left_out(parties: &Parties<'_>) -> Vec<(&'static str, &'static str)> {
    let offered = [
        (EVENTS, SILENT, parties.tells_events().await),
        (ENTRY_NUMBERS, UNNUMBERED, parties.numbers_entries().await),
        (ACCOUNT_KEEPING, NOT_KEEPING, parties.keeps_accounts().await),
    ];
    let left_out = offered.into_iter().filter(|(_, _, offered)| matches!(offered, Ok(false)));
    left_out.map(|(clause, why, _)| (clause, why)).collect()
}

/// The words of a panic, on one line.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it stopped");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is wrong with the arguments is said of them, so that nobody looks for it at the bank.
async fn prepare(args: CoreBankCheckArgs, now: Timestamp) -> Result<Checked, Failure> {
    let tenant = Tenant::parse(&args.branch).map_err(|error| Failure::new(format!("--branch: {error}")))?;
    let iban = |option: &str, text: &str| {
        Iban::parse(text).map_err(|error| Failure::new(format!("{option} {text}: {error}")))
    };
    let payer = iban("--payer", &args.payer)?;
    let payee = iban("--payee", &args.payee)?;
    let elsewhere = iban("--elsewhere", &args.elsewhere)?;
    if payer == payee {
        return Err(Failure::new(
            "--payer and --payee are the same account; give accounts of two customers, since money goes from one to the other",
        ));
    }
    // The bank's own numbers are known to whoever sets a gateway up: those of the same country that begin like the payer's.
    let own = (payer.as_str()[..2].to_owned(), payer.as_str()[4..7].to_owned());
    let settings = settings(&args, own)?;
    let store = Store::in_memory()?;
    let bank = CoreBank::new(&settings, &store).map_err(|error| unusable(&args, &error))?.ports();
    let asked = |error| unreached(&args, &error);
    let payer = account(&bank, (&tenant, "--payer"), payer).await.map_err(asked)??;
    let payee = account(&bank, (&tenant, "--payee"), payee).await.map_err(asked)??;
    let customers = bank.customers.named_by(&tenant, &payer.iban).await.map_err(asked)?;
    let customer = customers.into_iter().next().ok_or_else(|| {
        Failure::new("the bank knows no customer of the account that pays: POST /customers/find names nobody")
    })?;
    if bank.customers.accounts_of(&customer).await.map_err(asked)?.contains(&payee) {
        let text = "--payee is an account of the customer who has --payer; give one of another customer";
        return Err(Failure::new(text));
    }
    let is_of_bank = !found(&bank, &tenant, &elsewhere).await.map_err(asked)?.is_empty();
    if is_of_bank || bank.accounts.is_own(&elsewhere) {
        let text = "--elsewhere is a number of this bank; give an IBAN of another bank";
        return Err(Failure::new(text));
    }
    let run = format!("{}-", Randomness::from_system().id());
    let checked = Checked { bank, store, tenant, payer: (customer, payer), payee, elsewhere, now, run };
    let spendable = checked.parties().spendable().await.map_err(asked)?;
    if spendable.minor < Money::parse(NEEDED, spendable.currency)?.minor {
        let (has, currency) = (spendable.to_decimal(), spendable.currency.code());
        return Err(Failure::new(format!(
            "--payer has {has} {currency} to spend, and the check needs {NEEDED} or more; give an account with money"
        )));
    }
    Ok(checked)
}

fn settings(args: &CoreBankCheckArgs, own: (String, String)) -> Result<CoreBankSettings, Failure> {
    let read = |path: &Path| fs::read(path).map_err(|error| unreadable(path, &error));
    let (authorities, certificate, key) =
        (read(&args.ca)?, read(&args.certificate)?, read(&args.private_key)?);
    let wrong = |option: &str, path: &Path, error: &PemError| {
        Failure::new(format!("{option} {}: {error}", path.display()))
    };
    pem_text::certificates(&authorities).map_err(|error| wrong("--ca", &args.ca, &error))?;
    pem_text::certificates(&certificate)
        .map_err(|error| wrong("--certificate", &args.certificate, &error))?;
    pem_text::private_key(&key).map_err(|error| wrong("--private-key", &args.private_key, &error))?;
    Ok(CoreBankSettings {
        url: args.url.clone(),
        authorities,
        identity: [certificate, b"\n".to_vec(), key].concat(),
        limits: Limits::default(),
        name: "the bank".to_owned(),
        own_numbers: vec![own],
    })
}

/// Which argument is behind a way that cannot be set up.
fn unusable(args: &CoreBankCheckArgs, error: &SetupError) -> Failure {
    let (ca, certificate, key) = (args.ca.display(), args.certificate.display(), args.private_key.display());
    Failure::new(match error {
        SetupError::Url | SetupError::Path => format!("URL {}: {error}", args.url),
        SetupError::Authorities(why) => format!("--ca {ca}: {why}"),
        SetupError::Identity(why) => format!("--certificate {certificate} with --private-key {key}: {why}"),
    })
}

/// What is behind a failure of the first questions: here it is for whoever called.
fn unreached(args: &CoreBankCheckArgs, error: &gateway::Error) -> Failure {
    let why = match error {
        gateway::Error::Unavailable(fault) => edge::with_causes(fault.as_ref()),
        other => edge::with_causes(other),
    };
    let (url, ca, certificate) = (&args.url, args.ca.display(), args.certificate.display());
    Failure::new(match trouble_behind(error) {
        Some(Trouble::BankCertificate) => format!(
            "the certificate that {url} shows is not one of the authority in --ca {ca}, or not one for this address: {why}"
        ),
        Some(Trouble::OwnCertificate) => {
            format!(
                "{url} does not take the certificate in --certificate {certificate}: {why}; show it one that it trusts"
            )
        }
        Some(Trouble::NoInterface) => format!(
            "the core bank interface is not at {url}/core/v1: {why}; URL is what stands before /core/v1, for example \
             https://127.0.0.1:8444"
        ),
        Some(Trouble::Refused) => {
            let words = words_behind(error).map(|words| format!(": {words}")).unwrap_or_default();
            format!("{why}{words}; is {} (--branch) one of its branches?", args.branch)
        }
        None => format!("{url} cannot be asked: {why}"),
    })
}

async fn found(bank: &Bank, tenant: &Tenant, iban: &Iban) -> Result<Vec<Account>, gateway::Error> {
    let reference = AccountReference { number: AccountNumber::Iban(iban.clone()), currency: None };
    bank.accounts.find_accounts(tenant, &reference).await
}

/// An account of a branch in its currency, or what is wrong with the option that names it.
async fn account(
    bank: &Bank,
    (tenant, option): (&Tenant, &str),
    iban: Iban,
) -> Result<Result<Account, Failure>, gateway::Error> {
    let found = found(bank, tenant, &iban).await?;
    let account = found.into_iter().find(|account| account.currency == tenant.currency());
    Ok(account.ok_or_else(|| {
        let (number, currency) = (iban.as_str(), tenant.currency().code());
        Failure::new(format!(
            "{option}: the bank has no account {number} in {currency} at branch {tenant}; is it of another branch (--branch)?"
        ))
    }))
}
