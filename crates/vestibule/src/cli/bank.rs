//! Arguments of `vestibule bank`.

use clap::{Args, Subcommand};

use super::ManagementArgs;

#[derive(Debug, Args)]
pub(crate) struct BankArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    /// Tenant (branch); all of them without it.
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) tenant: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<BankCommand>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum BankCommand {
    /// Show what the bank is called at its branches. This is what happens without a command, too.
    Show,
    /// Give the bank another name, which its pages carry from then on, also after a restart.
    Name {
        /// The name: 1 to 70 characters, for example "Bank of the Marsh".
        #[arg(value_name = "TEXT")]
        name: String,
    },
}
