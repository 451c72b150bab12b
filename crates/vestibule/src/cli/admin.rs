//! Arguments of `vestibule admin`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use gateway::domain::Timestamp;

use super::{address, filled, id, moment};

/// How the interface of a gateway's staff is reached.
#[derive(Debug, Args)]
pub(crate) struct StaffArgs {
    /// The interface of the gateway's staff, where [admin] of its configuration listens.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "VESTIBULE_ADMIN",
        default_value = "https://127.0.0.1:8445",
        value_parser = address
    )]
    pub(crate) admin: String,
    /// File with the authority of the interface's certificate (PEM) [default: those that the system trusts].
    #[arg(long, global = true, value_name = "FILE", env = "VESTIBULE_ADMIN_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// File with one's own certificate as a person of the staff, followed by those above it (PEM).
    #[arg(long, global = true, value_name = "FILE", env = "VESTIBULE_ADMIN_CERTIFICATE")]
    pub(crate) certificate: Option<PathBuf>,
    /// File with its private key (PKCS#8, PEM).
    #[arg(long, global = true, value_name = "FILE", env = "VESTIBULE_ADMIN_PRIVATE_KEY")]
    pub(crate) private_key: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    #[command(flatten)]
    pub(crate) to: StaffArgs,
    #[command(subcommand)]
    pub(crate) command: AdminCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Write the description of the interface of the staff (OpenAPI) to standard output.
    Description,
    /// Find third parties, in the order of their names.
    ThirdParties {
        /// The beginning of the name.
        #[arg(long, value_name = "TEXT", value_parser = filled)]
        name: Option<String>,
        /// The id, such as PSDNL-DNB-R123456, or the authorisation number alone.
        #[arg(long, value_name = "NUMBER", value_parser = filled)]
        number: Option<String>,
        /// Whether it is blocked.
        #[arg(long, value_enum)]
        state: Option<StandingArg>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show a third party.
    ThirdParty {
        /// Its id.
        #[arg(value_parser = id)]
        id: String,
    },
    /// Find consents, the newest first.
    Consents(ListArgs),
    /// Show a consent.
    Consent {
        /// Its id.
        #[arg(value_parser = id)]
        id: String,
        /// It is a consent for confirmation of funds.
        #[arg(long)]
        funds: bool,
    },
    /// Find payments, the newest first.
    Payments(ListArgs),
    /// Show a payment.
    Payment {
        /// Its id.
        #[arg(value_parser = id)]
        id: String,
    },
    /// Block a third party.
    Block {
        /// Its id.
        #[arg(value_parser = id)]
        id: String,
        /// Why; the third party is not told.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Until when (RFC 3339). Without it the block stays until it is lifted, and ends what customers gave.
        #[arg(long, value_name = "TIME", value_parser = moment)]
        until: Option<Timestamp>,
    },
    /// Let a third party act again.
    Unblock {
        /// Its id.
        #[arg(value_parser = id)]
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Erase the registration of a third party, and what no law has the bank keep.
    EraseThirdParty {
        /// Its id.
        #[arg(value_parser = id)]
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Erase what is held of a customer, as far as no law has the bank keep it.
    EraseCustomer {
        /// The branch.
        #[arg(value_parser = id)]
        branch: String,
        /// The customer, as the core bank and consents name them.
        #[arg(value_parser = id)]
        customer: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// End a consent, with every token of it.
    Withdraw {
        /// Its id.
        #[arg(value_parser = id)]
        id: String,
        /// It is a consent for confirmation of funds.
        #[arg(long)]
        funds: bool,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StandingArg {
    /// It may act.
    Active,
    /// It is blocked.
    Blocked,
}

/// Which page of a list.
#[derive(Debug, Args)]
pub(crate) struct PageArgs {
    /// Go on at this place, as the page before says.
    #[arg(long, value_name = "PLACE", value_parser = filled)]
    pub(crate) after: Option<String>,
    /// How many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) limit: u16,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Of this third party; those about which nobody decided are found by id alone then.
    #[arg(long, value_name = "ID", value_parser = filled)]
    pub(crate) third_party: Option<String>,
    /// In this state, such as valid or submitted.
    #[arg(long, value_name = "NAME", value_parser = filled)]
    pub(crate) state: Option<String>,
    /// Consents for confirmation of funds, where consents are listed.
    #[arg(long)]
    pub(crate) funds: bool,
    #[command(flatten)]
    pub(crate) page: PageArgs,
}
