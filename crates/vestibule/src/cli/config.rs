//! Arguments of `vestibule config`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Write a complete file with comments to standard output.
    Example,
    /// Say everything that is wrong with a file, and with the files that it names.
    Check {
        /// The file.
        #[arg(default_value = "vestibule.toml")]
        file: PathBuf,
        /// Say what a reload by SIGHUP would: certificates of which it is not the time are told, and are wrong only where they are new,
        /// which the gateway says in its log.
        #[arg(long)]
        reload: bool,
    },
    /// Write the reference page to standard output, in Markdown.
    Reference,
}
