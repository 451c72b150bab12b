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
    let read = || config::read(&args.config);
    let configuration = read().map_err(Failure::new)?;
    let traces = Traces::begin(&configuration)?;
    logging::start(configuration.log_level(), configuration.logs_json(), traces.as_ref());
    let starting = serve(configuration, Arc::new(SystemClock), Behind::core_bank);
    let mut served =
        output::patiently("the gateway to start; keys are made at the first time", starting).await?;
    tell(&served, args.json);
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = reload.recv() => match read() {
                Err(problems) => tracing::error!(problems, "the configuration is wrong; nothing changes"),
                Ok(new) => take_up(&mut served, new).await,
            },
        }
    }
    served.stop().await;
    if let Some(traces) = traces {
        traces.end().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes up what may change while it runs.
async fn take_up(served: &mut Served, new: Configuration) {
    match served.seal_anew(&new).await {
        Err(error) => return tracing::error!(%error, "nothing changes"),
        Ok(0) => {}
        Ok(keys) => tracing::warn!(keys, "what is kept secret was sealed anew by the key of [sealing]"),
    }
    match served.reload(new) {
        Err(error) => tracing::error!(%error, "nothing changes"),
        Ok(later) if later.is_empty() => tracing::warn!("certificates and trust were read again"),
        Ok(later) => tracing::warn!(
            sections = later.join(", "),
            "certificates and trust were read again; what else changed in these sections takes effect at the next start"
        ),
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
