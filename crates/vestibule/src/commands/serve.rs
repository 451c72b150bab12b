//! `vestibule serve`

use std::process::ExitCode;
use std::sync::Arc;

use gateway::SystemClock;
use gateway::domain::Timestamp;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use vestibule::configuration::Configuration;
use vestibule::{Behind, Served, Traces, serve};

use super::{Failure, config};
use crate::cli::ServeArgs;
use crate::{logging, output};

/// Runs until it is told to stop.
pub(crate) async fn run(args: ServeArgs, begin: Option<Timestamp>) -> Result<ExitCode, Failure> {
    if begin.is_some() {
        return Err(Failure::new("a gateway has the time of the system; leave --now out"));
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut reload = signal(SignalKind::hangup())?;
    let mut configuration = config::read(&args.config).map_err(Failure::new)?;
    let traces = Traces::begin(&configuration)?;
    logging::start(configuration.log_level(), configuration.logs_json(), traces.as_ref());
    tell_remarks(&args, &configuration);
    let starting = serve(configuration.clone(), Arc::new(SystemClock), Behind::core_bank);
    let starting = output::patiently("the gateway to start; keys are made at the first time", starting);
    // What a start does to a database is one transaction, so that it can be given up at any moment.
    let mut served = tokio::select! {
        started = starting => started?,
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
    };
    tell(&served, args.json);
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = reload.recv() => match config::read_again(&args.config, &configuration) {
                Err(problems) => tracing::error!(problems, "the configuration is wrong; nothing changes"),
                Ok(new) => {
                    tell_remarks(&args, &new);
                    // A database that says nothing keeps no stop waiting: what is not sealed anew now is at the next start.
                    tokio::select! {
                        is_taken_up = take_up(&mut served, &new) => if is_taken_up {
                            configuration = new;
                        },
                        _ = interrupt.recv() => break,
                        _ = terminate.recv() => break,
                    }
                }
            },
        }
    }
    served.stop().await;
    if let Some(traces) = traces {
        traces.end().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes up what may change while it runs. Whom a stop list or a trust stops is stopped also while the database is away, so what is kept
/// there is looked at last. False if nothing was taken up.
async fn take_up(served: &mut Served, new: &Configuration) -> bool {
    match served.reload(new.clone()) {
        Err(error) => {
            tracing::error!(%error, "nothing changes");
            return false;
        }
        Ok(later) if later.is_empty() => tracing::warn!("certificates and trust were read again"),
        Ok(later) => tracing::warn!(
            sections = later.join(", "),
            "certificates and trust were read again; what else changed in these sections takes effect at the next start"
        ),
    }
    match served.seal_anew(new).await {
        Err(error) => tracing::error!(
            %error,
            "what is kept secret stays as it is sealed, and the keys of [sealing] are those of before; send SIGHUP again once this is mended"
        ),
        Ok(0) => {}
        Ok(keys) => tracing::warn!(keys, "what is kept secret was sealed anew by the key of [sealing]"),
    }
    true
}

/// Tells what is right and will not do.
fn tell_remarks(args: &ServeArgs, configuration: &Configuration) {
    for remark in configuration.remarks() {
        tracing::warn!(
            configuration = config::lines(&args.config, std::slice::from_ref(remark)),
            "a certificate should be another one"
        );
    }
}

fn tell(served: &Served, json: bool) {
    let Served { interface, pages, management, .. } = served;
    let admin = served.admin();
    if json {
        output::json(&json!({
            "ready": true,
            "version": env!("CARGO_PKG_VERSION"),
            "interface": interface.to_string(),
            "pages": pages.to_string(),
            "management": format!("http://{management}"),
            "admin": admin.map(|address| format!("https://{address}")),
        }));
    } else {
        output::line(&format!("Third parties call at {interface}, browsers come to {pages}."));
        if let Some(admin) = admin {
            output::line(&format!("The bank's staff calls at https://{admin}."));
        }
        output::line(&format!(
            "Health and metrics: http://{management}/health/ready, http://{management}/metrics"
        ));
    }
}
