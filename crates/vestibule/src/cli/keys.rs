//! Arguments of `vestibule keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Seal what the gateway's database keeps secret by the key of [sealing]: what is not sealed yet, and what the other key
    /// sealed. Gateways that share a PostgreSQL may run meanwhile.
    Seal(KeysArgs),
    /// Sign ID tokens with a new key from now on. The key before, and one of another algorithm, stay published for a day. Gateways that
    /// share a PostgreSQL take it up within a second or two; with a file the gateway is stopped before.
    Rotate(RotateArgs),
}

/// Arguments of `vestibule keys`.
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    /// The configuration of the gateway.
    #[arg(long, value_name = "FILE", default_value = "vestibule.toml")]
    pub(crate) config: PathBuf,
    /// Say what was done in one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `vestibule keys rotate`.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) keys: KeysArgs,
    /// The keys before may be in other hands: they are published no more, and what they have signed is good no more.
    #[arg(long)]
    pub(crate) leaked: bool,
}
