//! Arguments of `vestibule keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Seal what the gateway's database keeps secret by the key of [sealing]: what is not sealed yet, and what the other key
    /// sealed. Gateways that share a PostgreSQL may run meanwhile.
    Seal(SealArgs),
}

/// Arguments of `vestibule keys seal`.
#[derive(Debug, Args)]
pub(crate) struct SealArgs {
    /// The configuration of the gateway.
    #[arg(long, value_name = "FILE", default_value = "vestibule.toml")]
    pub(crate) config: PathBuf,
    /// Say what was done in one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
