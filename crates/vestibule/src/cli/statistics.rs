//! Arguments of `vestibule statistics`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{StaffArgs, filled};

#[derive(Debug, Args)]
pub(crate) struct StatisticsArgs {
    #[command(flatten)]
    pub(crate) to: StaffArgs,
    /// The first day [default: 92 days].
    #[arg(long = "from", value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// The last day [default: today].
    #[arg(long = "to", value_name = "DAY")]
    pub(crate) until: Option<String>,
    /// How it is written to standard output; --json is the same as json [default: csv].
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormatArg>,
    #[command(subcommand)]
    pub(crate) command: Option<StatisticsCommand>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// A line a day.
    Csv,
    /// For programs.
    Json,
    /// A page to publish.
    Html,
}

/// Further help for a file of days.
const COLUMNS: &str = "\
Columns of the file, in any order; the first line has their names, and commas separate them:
  day                 the day, such as 2027-01-31, each once; it has to be over
  down_seconds        how many seconds of it the interface was down, planned or not
  error_rate_percent  requests that the bank failed, in percent of all
  ais_mean_ms         mean time to show accounts and transactions, in milliseconds
  pis_mean_ms         mean time to take a payment, in milliseconds
  cbpii_mean_ms       mean time to say whether there is enough money, in milliseconds
All but the first two may be empty or left out. Days are those of the clock of the bank's first branch.

Example:
  vestibule statistics import --example > web.csv
  vestibule statistics import web.csv --interface web --reason \"First quarter, from our monitoring\"";

#[derive(Debug, Subcommand)]
pub(crate) enum StatisticsCommand {
    /// Import days of an interface of the bank's own customers, such as its web site, from a file (CSV): all of it, or nothing. Days
    /// that were imported before are replaced.
    #[command(after_help = COLUMNS)]
    Import(ImportArgs),
    /// Remove days of an interface of the bank's own customers that were imported by mistake.
    Remove(RemoveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file. "-" reads standard input.
    #[arg(required_unless_present = "example")]
    pub(crate) file: Option<PathBuf>,
    /// What the interface is called where statistics are published, such as web or app.
    #[arg(long, value_name = "NAME", value_parser = filled, required_unless_present = "example")]
    pub(crate) interface: Option<String>,
    /// Why, or where the numbers come from.
    #[arg(long, value_name = "TEXT", required_unless_present = "example")]
    pub(crate) reason: Option<String>,
    /// Write an example of a file to standard output, and import nothing.
    #[arg(long, conflicts_with_all = ["file", "interface", "reason"])]
    pub(crate) example: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The interface.
    #[arg(long, value_name = "NAME", value_parser = filled)]
    pub(crate) interface: String,
    /// The first day.
    #[arg(long = "from", value_name = "DAY")]
    pub(crate) from: String,
    /// The last day.
    #[arg(long = "to", value_name = "DAY")]
    pub(crate) until: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}
