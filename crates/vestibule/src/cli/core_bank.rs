//! Arguments of `vestibule core-bank`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::number;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct CoreBankArgs {
    #[command(flatten)]
    pub(crate) serve: CoreBankServeArgs,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Option<CoreBankCommand>,
}

#[derive(Debug, Args)]
pub(crate) struct CoreBankServeArgs {
    /// Address of the interface, with mutual TLS. Port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8444")]
    pub(crate) listen: String,
    /// Address of the management API of the bank for tests. It has no log-in: keep it on this machine.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082")]
    pub(crate) management_listen: String,
    /// Folder for the certificates of the interface, which are made anew with each start [default: one in the user's data folder].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) certificates: Option<PathBuf>,
    /// Further names or addresses under which the interface is reached, separated by commas.
    #[arg(long = "name", value_name = "NAMES", value_delimiter = ',')]
    pub(crate) names: Vec<String>,
    /// Folder of the bank's data; without one it keeps everything in memory.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// Branches of the bank, separated by commas.
    #[arg(long = "tenant", value_name = "NAMES", value_delimiter = ',', default_value = "nl")]
    pub(crate) tenants: Vec<String>,
    /// Repeat names, ids and numbers of another bank with the same seed.
    #[arg(long, value_name = "NUMBER", value_parser = number::<u64>)]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CoreBankCommand {
    /// Check whether a bank keeps the contract of the interface. Payments are made for that, from one account to another:
    /// point it at a bank for tests.
    Check(CoreBankCheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CoreBankCheckArgs {
    /// The bank, for example https://127.0.0.1:8444.
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// File with the authority of the bank's certificate (PEM).
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: PathBuf,
    /// File with the certificate that is shown to the bank (PEM).
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: PathBuf,
    /// File with its private key (PKCS#8, PEM).
    #[arg(long, value_name = "FILE")]
    pub(crate) private_key: PathBuf,
    /// Branch of the two accounts.
    #[arg(long, value_name = "NAME", default_value = "nl")]
    pub(crate) branch: String,
    /// IBAN of the account that pays: 10.00 or more, in the currency of the branch's country.
    #[arg(long, value_name = "IBAN")]
    pub(crate) payer: String,
    /// IBAN of an account of another customer, in the same currency.
    #[arg(long, value_name = "IBAN")]
    pub(crate) payee: String,
    /// An IBAN of another bank.
    #[arg(long, value_name = "IBAN", default_value = "DE89370400440532013000")]
    pub(crate) elsewhere: String,
}
