//! Arguments of `vestibule snapshot` and `vestibule reset`.

use clap::{Args, Subcommand};

use super::ManagementArgs;

#[derive(Debug, Args)]
pub(crate) struct SnapshotArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    #[command(subcommand)]
    pub(crate) command: SnapshotCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotCommand {
    /// Save the bank as it is: customers, money, consents, tokens, clocks.
    Save {
        /// Its name: lower-case letters, digits, hyphens and underscores. One under the same name is replaced.
        name: String,
    },
    /// List the snapshots.
    List,
    /// Put the bank back to what it was. What happened since is gone; ids of it do not come again.
    Restore {
        /// The name under which it was saved.
        name: String,
    },
    /// Remove a snapshot.
    Remove {
        /// Its name.
        name: String,
    },
}

/// `vestibule reset`
#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
}
