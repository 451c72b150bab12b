//! Arguments of `vestibule serve`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `vestibule serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration; `vestibule config example` writes one.
    #[arg(long, value_name = "FILE", default_value = "vestibule.toml")]
    pub(crate) config: PathBuf,
    /// When it is ready, say so in one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
