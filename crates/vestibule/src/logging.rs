//! The log of the program.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Begins it on standard error. `VESTIBULE_LOG` says how much: `info` is one line a call, `debug` says more; without it there is
/// as much as `level` says. Colours are for terminals, JSON, one object a line, is for programs.
pub(crate) fn start(level: &str, as_json: bool) {
    let filter = EnvFilter::try_from_env("VESTIBULE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if as_json { log.json().init() } else { log.init() }
}
