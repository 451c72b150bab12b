//! Arguments of `vestibule audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use gateway::domain::audit::Anchor;

use super::StaffArgs;

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) to: StaffArgs,
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify that no entry of the trail was changed, taken out, put in or moved. It is done here, whatever the gateway says.
    Verify {
        /// Verify a file that was exported, and ask no gateway.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// An end of the trail that was kept elsewhere, as this command prints it. Can be given more than once.
        #[arg(long = "anchor", value_name = "NUMBER:HASH@MOMENT")]
        anchors: Vec<Anchor>,
        /// For how many days the bank kept entries, at least: audit_days of [lives] in its configuration. What was forgotten sooner was
        /// taken out, whatever the trail says.
        #[arg(long, value_name = "DAYS", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=36_500))]
        days: i64,
    },
    /// Write the trail to standard output, a line of JSON for each entry, behind one that says what the first of them follows.
    Export,
    /// Show what staff did, the oldest first.
    Acts,
}
