//! Arguments of `vestibule logs`.

use clap::{Args, Subcommand};

use super::{ManagementArgs, number};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    #[command(flatten)]
    pub(crate) list: LogsListArgs,
    #[command(subcommand)]
    pub(crate) command: Option<LogsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogsCommand {
    /// Show one call in full: request, answer, checks, and what would mend it.
    Show {
        /// The number of the call, as the list shows it.
        #[arg(value_parser = number::<u64>)]
        number: u64,
        /// Show it as a command for curl.
        #[arg(long)]
        curl: bool,
        /// Show it as an HTTP archive (HAR), which browsers and other tools open.
        #[arg(long, conflicts_with = "curl")]
        har: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct LogsListArgs {
    /// Go on with each call as it comes.
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Only calls that were refused.
    #[arg(long)]
    pub(crate) failed: bool,
    /// Only the call with this X-Request-ID.
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: Option<String>,
    /// Only calls of this third party.
    #[arg(long, value_name = "IDENTIFIER")]
    pub(crate) third_party: Option<String>,
    /// Only calls of this interface: berlin-group, bunq, or oauth.
    #[arg(long, value_name = "NAME")]
    pub(crate) interface: Option<String>,
    /// Only calls whose path holds this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) path: Option<String>,
    /// Only calls with this status, for example 401, or of this class, for example 4xx.
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// At most so many calls, the last ones.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = limit)]
    pub(crate) limit: u16,
}

/// How many calls, as the bank lists them.
fn limit(text: &str) -> Result<u16, &'static str> {
    let limit = text.parse().ok().filter(|limit| (1..=500).contains(limit));
    limit.ok_or("a number from 1 to 500 is expected")
}
