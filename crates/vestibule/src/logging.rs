//! The log of the program.

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};
use vestibule::Traces;

/// Begins it on standard error. `VESTIBULE_LOG` says how much: `info` is one line a call, `debug` says more; without it there is
/// as much as `level` says. Colours are for terminals, JSON, one object a line, is for programs. Traces go their own way.
pub(crate) fn start(level: &str, as_json: bool, traces: Option<&Traces>) {
    let filter = EnvFilter::try_from_env("VESTIBULE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let has_colours = std::io::stderr().is_terminal();
    let Some(traces) = traces else {
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(has_colours);
        return if as_json { log.json().init() } else { log.init() };
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(has_colours);
    let lines = if as_json { lines.json().boxed() } else { lines.boxed() };
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(traces.layer()).init();
}
