//! Arguments of `vestibule data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ManagementArgs;

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Enter one transaction on an account.
    Add(DataAddArgs),
    /// Load customers, accounts and transactions from a file: all of it, or nothing.
    Load {
        /// YAML (.yaml, .yml), CSV (.csv) or JSON (.json). "-" reads YAML from standard input.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DataAddArgs {
    /// The account.
    pub(crate) account: String,
    /// What comes in, or goes out with a minus sign, for example -12.50.
    #[arg(allow_hyphen_values = true)]
    pub(crate) amount: String,
    /// Currency, where the number has accounts in several.
    #[arg(long, value_name = "CODE")]
    pub(crate) currency: Option<String>,
    /// Day on which it is booked [default: today; tomorrow with --pending].
    #[arg(long, value_name = "DAY")]
    pub(crate) date: Option<String>,
    /// It is seen from today on and not booked yet.
    #[arg(long)]
    pub(crate) pending: bool,
    /// Who pays or is paid.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Account of whoever pays or is paid; if it is one of this bank, the money moves there as well.
    #[arg(long, value_name = "IBAN")]
    pub(crate) iban: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// The payer's own reference.
    #[arg(long, value_name = "ID")]
    pub(crate) end_to_end_id: Option<String>,
}
