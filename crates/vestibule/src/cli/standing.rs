//! Arguments of what takes trust away from a sandbox's third parties, and gives it back: `vestibule certificate revoke`,
//! `vestibule trusted-list` and `vestibule register`. All of them have a word for taking it away, and `--undo`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::ManagementArgs;

#[derive(Debug, Args)]
pub(crate) struct CertificateRevokeArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    /// The certificate: a file (PEM, DER, or the value of an HTTP header; "-" reads standard input), or the SHA-256 of its DER
    /// in hexadecimal.
    #[arg(value_name = "FILE|SHA256")]
    pub(crate) certificate: PathBuf,
    /// Let it be good again.
    #[arg(long)]
    pub(crate) undo: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TrustedListArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    #[command(subcommand)]
    pub(crate) command: TrustedListCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrustedListCommand {
    /// Show what the lists say of the service that issues test certificates.
    Show,
    /// Withdraw the service: its certificates are not qualified any more, also those that it issued before.
    Withdraw {
        /// Not all of it, but what its certificates are for.
        #[arg(long, value_enum, value_name = "PURPOSE", conflicts_with = "undo")]
        purpose: Option<ListPurposeArg>,
        /// Let it be granted again, for every purpose.
        #[arg(long)]
        undo: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListPurposeArg {
    /// QWACs.
    WebsiteAuthentication,
    /// QSealCs.
    Seals,
}

impl ListPurposeArg {
    /// As lists write it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::WebsiteAuthentication => "ForWebSiteAuthentication",
            Self::Seals => "ForeSeals",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    #[command(subcommand)]
    pub(crate) command: RegisterCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegisterCommand {
    /// Show what the register says of a third party.
    Show {
        /// Identifier of the third party, such as PSDNL-DNB-R123456.
        identifier: String,
    },
    /// Withdraw the authorisation of a third party, or its passport for one country.
    Withdraw {
        /// Identifier of the third party, such as PSDNL-DNB-R123456.
        identifier: String,
        /// Not the authorisation, but what it may do in this country (two letters).
        #[arg(long, value_name = "COUNTRY", conflicts_with = "undo")]
        passport: Option<String>,
        /// Let it be authorised again, with the passports that it had.
        #[arg(long)]
        undo: bool,
    },
}
