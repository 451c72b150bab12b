//! Arguments of `vestibule statistics`.

use clap::{Args, ValueEnum};

use super::StaffArgs;

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
    /// How it is written to standard output; --json is the same as json.
    #[arg(long, value_enum, default_value_t = FormatArg::Csv)]
    pub(crate) format: FormatArg,
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
