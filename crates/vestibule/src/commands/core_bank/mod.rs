//! `vestibule core-bank`: a bank for tests behind the core bank interface.

mod check;
mod files;

use std::io::ErrorKind;
use std::process::ExitCode;
use std::sync::Arc;

use ::core_bank::server::router_of;
use ::core_bank::server::test_authority;
use ::core_bank::server::tls::{Listener, TlsSettings};
use gateway::domain::{CustomerKind, Iban, Money, Tenant, Timestamp};
use gateway::{Bank, Clock, Store};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use vestibule::{DataLocation, Running, SandboxConfig, StartError, start};

use self::files::{Files, Folder};
use super::{Failure, branches, distinct, user_folder};
use crate::cli::{CoreBankArgs, CoreBankCommand, CoreBankServeArgs};
use crate::output;

/// What each of the two customers has who are made for trying things out, in whole units of the branch's currency.
const GIVEN: i64 = 1000;

pub(crate) async fn run(args: CoreBankArgs, begin: Option<Timestamp>) -> Result<ExitCode, Failure> {
    match args.command {
        None => serve(args.serve, args.json, begin).await,
        Some(CoreBankCommand::Check(check)) => check::run(check, args.json, begin).await,
    }
}

/// Runs until it is told to stop.
async fn serve(args: CoreBankServeArgs, json: bool, begin: Option<Timestamp>) -> Result<ExitCode, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let tenants = branches("--tenant", &args.tenants)?;
    distinct("--name", &args.names)?;
    let tcp = bind(&args.listen).await?;
    let address = tcp.local_addr()?;
    let names = ["localhost".to_owned(), address.ip().to_string()].into_iter().chain(args.names);
    let certificates = test_authority::make(&names.collect::<Vec<_>>())?;
    let folder = Folder::hold(args.certificates.map_or_else(|| user_folder("core-bank"), Ok)?)?;
    let running = start(SandboxConfig {
        listen: "127.0.0.1:0".to_owned(),
        tls_listen: None,
        management_listen: args.management_listen,
        data: args.data.map_or(DataLocation::Memory, DataLocation::Folder),
        seed: args.seed,
        begin,
        tenants: tenants.clone(),
        ..SandboxConfig::default()
    });
    let running = output::patiently("the bank to start", running).await;
    let running = running.map_err(|error| match error {
        StartError::Folder { .. } => {
            Failure::new(format!("{error}, or keep everything in memory without it"))
        }
        other => other.into(),
    })?;
    let listener = Listener::begin(
        tcp,
        &TlsSettings {
            certificate: certificates.server.clone().into_bytes(),
            private_key: certificates.server_key.clone().into_bytes(),
            client_authorities: certificates.authority.clone().into_bytes(),
        },
    )?;
    // Whoever does not start leaves the files of before.
    let files = folder.write(&certificates)?;
    let customers = customers(&running, &tenants[0]).await?;
    running.sandbox.telling().await?;
    // It may be put back to what it was, by the management API.
    let bank = running.of_the_moment();
    let behind = move || {
        let bank = bank();
        (bank.behind_a_gateway(), Store::clone(&bank.store))
    };
    let routes = router_of(Arc::new(behind), tenants);
    let url = format!("https://{address}");
    tell(json, &url, &running, (&files, &customers));
    let stopped = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    tokio::select! {
        () = stopped => {}
        served = axum::serve(listener, routes).into_future() => served?,
    }
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn bind(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(match error.kind() {
            ErrorKind::InvalidInput => StartError::NoAddress {
                address: address.to_owned(),
                example: "127.0.0.1:8444",
                option: "--listen",
            }
            .to_string(),
            _ => format!("cannot listen on {address}: {error}; choose another address with --listen"),
        })
    })
}

/// Account numbers of two customers of a branch; they are made if there are none yet.
async fn customers(running: &Running, tenant: &Tenant) -> Result<Vec<Iban>, Failure> {
    let Bank { customers, test_doors, .. } = &running.sandbox.bank;
    let Some(doors) = test_doors else { return Ok(Vec::new()) };
    let known = doors.test_customers(tenant, 2).await?;
    let mut numbers: Vec<_> = known.into_iter().map(|customer| customer.number).collect();
    while numbers.len() < 2 {
        let customer = doors.make_customer(tenant, CustomerKind::Person).await?;
        for account in customers.accounts_of(&customer).await?.into_iter().take(1) {
            let amount = Money::parse(&GIVEN.to_string(), account.currency)?;
            let now = running.sandbox.clock.now(Some(tenant));
            let entry = format!("begin-{}", account.id);
            doors
                .give_money(&account.id, (&entry, amount, "Vestibule", "For trying things out"), now)
                .await?;
            numbers.push(account.iban);
        }
    }
    Ok(numbers)
}

fn tell(json: bool, url: &str, running: &Running, (files, customers): (&Files, &[Iban])) {
    let Files { authority, certificate, private_key } = files;
    let management = &running.addresses.management;
    if json {
        output::json(&json!({
            "ready": true,
            "version": env!("CARGO_PKG_VERSION"),
            "url": url,
            "management": management,
            "tenants": running.addresses.tenants,
            "ca": authority,
            "certificate": certificate,
            "privateKey": private_key,
            "customers": customers.iter().map(Iban::as_str).collect::<Vec<_>>(),
        }));
        return;
    }
    let number = |index: usize| customers.get(index).map_or("IBAN", Iban::as_str);
    output::line(&format!(
        "Vestibule core bank is ready.

  Interface       {url}/core/v1  (a client certificate of the authority below is needed)
  Description     {url}/core/v1/openapi.json
  Management      {management}
  Authority       {authority}
  Certificate     {certificate}
  Private key     {private_key}

Check it, or any other bank of the interface:

  vestibule core-bank check {url} --ca {authority} --certificate {certificate} --private-key {private_key} --branch {branch} --payer {payer} --payee {payee}

Stop with Ctrl-C.",
        authority = authority.display(),
        certificate = certificate.display(),
        private_key = private_key.display(),
        branch = running.addresses.tenants.first().map_or("nl", String::as_str),
        payer = number(0),
        payee = number(1),
    ));
}
