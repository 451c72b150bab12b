//! `vestibule sandbox`

use std::process::ExitCode;

use gateway::domain::Timestamp;
use oauth::IdTokenAlgorithm;
use tokio::signal::unix::{SignalKind, signal};
use vestibule::profiles::{RateLimits, Strictness};
use vestibule::{Addresses, DIALECTS, DataLocation, SandboxConfig, StartError, start};

use super::{Failure, branches, distinct, user_folder};
use crate::cli::{IdTokenAlgorithmArg, RateLimitsArg, SandboxArgs};
use crate::output;

/// Runs until it is told to stop.
pub(crate) async fn run(args: SandboxArgs, begin: Option<Timestamp>) -> Result<ExitCode, Failure> {
    let json = args.json;
    let (strict, require_mtls) = (args.strict, args.require_mtls);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let starting = start(SandboxConfig { begin, ..config(args)? });
    let running = output::patiently("the bank to start; keys are made at the first time", starting).await;
    let running = running.map_err(|error| match error {
        StartError::Folder { .. } => Failure::new(format!("{error}, or keep nothing with --ephemeral")),
        other => other.into(),
    })?;
    if json {
        output::json(&ready_line(&running.addresses, strict, require_mtls));
    } else {
        output::line(&ready_text(&running.addresses, strict, require_mtls));
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn config(args: SandboxArgs) -> Result<SandboxConfig, Failure> {
    let tenants = branches("--tenant", &args.tenants)?;
    let trusted: Vec<_> = args.trusted_ca.iter().map(|path| path.display().to_string()).collect();
    distinct("--trusted-ca", &trusted)?;
    let data = match (args.ephemeral, args.database, args.data) {
        (true, ..) => DataLocation::Memory,
        (false, Some(address), _) => DataLocation::Database(address),
        (false, None, Some(folder)) => DataLocation::Folder(folder),
        (false, None, None) => DataLocation::Folder(user_folder("sandbox")?),
    };
    Ok(SandboxConfig {
        listen: args.listen,
        tls_listen: (args.tls_listen != "off").then_some(args.tls_listen),
        management_listen: args.management_listen,
        data,
        seed: args.seed,
        begin: None,
        tenants,
        public_url: args.public_url,
        strictness: if args.strict { Strictness::Strict } else { Strictness::Lenient },
        rate_limits: match args.rate_limits {
            RateLimitsArg::On => RateLimits::On,
            RateLimitsArg::Strict => RateLimits::Strict,
            RateLimitsArg::Off => RateLimits::Off,
        },
        cross_border_payments: args.cross_border,
        misbehaves: args.misbehave.unwrap_or_default(),
        require_mtls: args.require_mtls,
        trusted_authorities: args.trusted_ca,
        check_revocation: args.check_revocation,
        hosts: args.hosts,
        id_token_algorithm: match args.id_token_algorithm {
            IdTokenAlgorithmArg::Rs256 => IdTokenAlgorithm::Rs256,
            IdTokenAlgorithmArg::Es256 => IdTokenAlgorithm::Es256,
        },
        ..SandboxConfig::default()
    })
}

fn ready_line(addresses: &Addresses, strict: bool, require_mtls: bool) -> serde_json::Value {
    let tenants: Vec<_> = addresses
        .tenants
        .iter()
        .map(|tenant| {
            serde_json::json!({
                "tenant": tenant,
                "api": format!("{}/xs2a-bg/{tenant}", addresses.public),
                "auth": format!("{}/auth/{tenant}", addresses.public),
            })
        })
        .collect();
    serde_json::json!({
        "ready": true,
        "version": env!("CARGO_PKG_VERSION"),
        "public": addresses.public,
        "bunq": format!("{}/bunq/v1", addresses.public),
        "tls": addresses.tls,
        "management": addresses.management,
        "tenants": tenants,
        "data": addresses.data,
        "seed": addresses.seed,
        "strict": strict,
        "requireMtls": require_mtls,
    })
}

fn ready_text(addresses: &Addresses, strict: bool, require_mtls: bool) -> String {
    let Addresses { public, tls, management, tenants, seed, data, ephemeral, .. } = addresses;
    let tenants = tenants.join("|");
    let tls = match (tls, require_mtls) {
        (Some(url), false) => format!("{url}  (asks for a client certificate, does not demand one)"),
        (Some(url), true) => format!("{url}  (API calls must present a client certificate)"),
        (None, _) => "off".to_owned(),
    };
    let data = match data {
        Some(path) => path.display().to_string(),
        None if *ephemeral => "in memory, gone at the end".to_owned(),
        None => "in the PostgreSQL database of --database".to_owned(),
    };
    let profile =
        if strict { "strict: the standards to the letter" } else { "lenient: what working clients send" };
    let seed = match seed {
        Some(seed) => {
            format!("{seed}  (whoever knows or guesses it can compute ids, account and digipass numbers)")
        }
        None => "none: ids and numbers are drawn by the system and cannot be computed".to_owned(),
    };
    // The first one is the one that others are beside.
    let apis: Vec<_> = DIALECTS
        .iter()
        .enumerate()
        .map(|(place, dialect)| {
            let label = if place == 0 { "API".to_owned() } else { format!("API ({})", dialect.title) };
            format!("  {label:<15} {public}{}", dialect.base.replace("{tenant}", &format!("({tenants})")))
        })
        .collect();
    let program = std::env::args().next().unwrap_or_else(|| "vestibule".to_owned());
    format!(
        "Vestibule sandbox {version} is ready.

{apis}
  Authorization   {public}/auth/({tenants})
  Pages           {public}/
  With TLS        {tls}
  Management      {management}
  Data            {data}
  Seed            {seed}
  Profile         {profile}

Next, in another terminal: get a test certificate and register as a third party.

  {next}

Or go from nothing to the first balance at once, with a customer who approves by themselves:

  {flow}

Stop with Ctrl-C.",
        version = env!("CARGO_PKG_VERSION"),
        apis = apis.join("\n"),
        next = addresses.next_command(&program, addresses.first_tenant()),
        flow = addresses.flow_command(&program, addresses.first_tenant()),
    )
}
