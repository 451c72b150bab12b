//! Arguments of `vestibule fault`.

use clap::{Args, Subcommand};

use super::{ManagementArgs, number};

#[derive(Debug, Args)]
pub(crate) struct FaultArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    #[command(subcommand)]
    pub(crate) command: FaultCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FaultCommand {
    /// Let calls go wrong: the next ones, or all of them until the fault is removed.
    Add(FaultAddArgs),
    /// List the faults that wait for calls.
    List,
    /// Take a fault away, or all of them.
    Remove {
        /// Number of the fault.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// All of them.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct FaultAddArgs {
    /// What goes wrong: 500, 503, 429, latency, cut, slow-body, wrong-signature, certificate-expired, consent-vanished.
    pub(crate) fault: String,
    /// How many calls it strikes, before it is gone; all of them without it.
    #[arg(long, value_name = "NUMBER", value_parser = number::<u64>)]
    pub(crate) next: Option<u64>,
    /// Only calls of this third party.
    #[arg(long, value_name = "IDENTIFIER")]
    pub(crate) third_party: Option<String>,
    /// Only calls to this path; a star in it stands for anything.
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Only calls to this interface: berlin-group, bunq or oauth.
    #[arg(long, value_name = "NAME")]
    pub(crate) interface: Option<String>,
    /// How long: Retry-After of 429 and 503 (1 if absent), pause of latency and slow-body (2 if absent).
    #[arg(long, value_name = "NUMBER", value_parser = number::<u64>)]
    pub(crate) seconds: Option<u64>,
}
