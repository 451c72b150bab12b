//! Arguments of `vestibule clock`.

use clap::{Args, Subcommand};
use gateway::domain::{Timestamp, is_too_long_a_span};
use jiff::Span;

use super::{ManagementArgs, moment};

#[derive(Debug, Args)]
pub(crate) struct ClockArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    /// Tenant (branch) whose clock it is; all of them without it.
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) tenant: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<ClockCommand>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ClockCommand {
    /// Show what the clocks say. This is what happens without a command, too.
    Show,
    /// Move clocks on, or back with a minus sign. Consents, tokens and certificates end, and payments are made, as if
    /// the time had passed.
    Advance {
        /// How far: P90D, PT1H30M, -P1D, or in words, such as "90 days".
        #[arg(value_name = "SPAN", value_parser = span, allow_hyphen_values = true)]
        by: Span,
    },
    /// Set clocks to a moment, from which they run on.
    Set {
        /// The moment (RFC 3339), for example 2027-01-31T12:00:00Z.
        #[arg(value_name = "MOMENT", value_parser = moment)]
        to: Timestamp,
    },
    /// Put clocks back to the bank's own time.
    Reset,
}

/// A span on the command line.
fn span(text: &str) -> Result<Span, &'static str> {
    text.parse().map_err(|_| {
        if is_too_long_a_span(text) {
            "a longer span of time than a clock can be moved by, which is some decades, such as P10Y"
        } else {
            "no span of time such as P90D, PT1H30M, -P1D or \"90 days\""
        }
    })
}
