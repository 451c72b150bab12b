//! Arguments of `vestibule audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use gateway::domain::audit::Head;

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
        #[arg(long = "anchor", value_name = "NUMBER:HASH", value_parser = anchor)]
        anchors: Vec<Head>,
    },
    /// Write the trail to standard output, a line of JSON for each entry, behind one that says what the first of them follows.
    Export,
    /// Show what staff did, the oldest first.
    Acts,
}

/// The number and the hash of an entry.
fn anchor(text: &str) -> Result<Head, &'static str> {
    let expected = "a number, a colon and 64 hexadecimal digits are expected";
    let (number, hash) = text.split_once(':').ok_or(expected)?;
    let number = number.parse().ok().filter(|number| *number > 0).ok_or(expected)?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|octet| octet.is_ascii_hexdigit());
    if is_hash { Ok(Head { number, hash: hash.to_ascii_lowercase() }) } else { Err(expected) }
}
