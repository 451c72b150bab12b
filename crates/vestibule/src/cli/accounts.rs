//! Arguments of `vestibule account`.

use clap::{Args, Subcommand, ValueEnum};

use super::{DEFAULT_MANAGEMENT, address};

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Make a customer with accounts.
    New(AccountNewArgs),
    /// List the customers that were made last, or the kinds of customers there are.
    List(AccountListArgs),
    /// Show one customer: who, which accounts, and the number of the digipass to log in with.
    Show(AccountShowArgs),
    /// Decide about an authorization request as a customer would on the bank's pages.
    Approve(AccountApproveArgs),
}

impl AccountCommand {
    /// Where it goes.
    pub(crate) fn to(&self) -> &ManagementArgs {
        match self {
            Self::New(args) => &args.to,
            Self::List(args) => &args.to,
            Self::Show(args) => &args.to,
            Self::Approve(args) => &args.to,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ManagementArgs {
    /// Management API of the sandbox.
    #[arg(long, value_name = "URL", default_value = DEFAULT_MANAGEMENT, global = true, value_parser = address)]
    pub(crate) management: String,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AccountNewArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    /// Tenant of the bank.
    #[arg(long, value_name = "NAME", default_value = "nl")]
    pub(crate) tenant: String,
    /// Kind of customer; list them with: vestibule account list --personas.
    #[arg(long, value_name = "NAME")]
    pub(crate) persona: Option<String>,
    /// Name of the customer, instead of the persona's.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Currency of the main account, instead of the tenant's.
    #[arg(long, value_name = "CODE")]
    pub(crate) currency: Option<String>,
    /// What the main account is to hold, for example 1234.56.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) balance: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AccountListArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    /// List the kinds of customers instead.
    #[arg(long)]
    pub(crate) personas: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AccountShowArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    /// An account of the customer.
    pub(crate) iban: String,
}

#[derive(Debug, Args)]
pub(crate) struct AccountApproveArgs {
    #[command(flatten)]
    pub(crate) to: ManagementArgs,
    /// The authorization URL, with code challenge and state.
    pub(crate) url: String,
    /// An account of the customer, to log in with.
    #[arg(long, value_name = "IBAN")]
    pub(crate) iban: String,
    /// What the customer does.
    #[arg(long, value_enum, default_value_t = DecisionArg::Approve)]
    pub(crate) decision: DecisionArg,
    /// The account to choose, where there is a choice.
    #[arg(long, value_name = "IBAN")]
    pub(crate) account: Option<String>,
    /// Number of the digipass to log in with; by default that of one holder of the account, always the same.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) digipass: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DecisionArg {
    /// Log in and approve.
    Approve,
    /// Log in and cancel.
    Reject,
    /// Give wrong answers until the bank has had enough.
    WrongAnswer,
    /// Log in and do nothing for five minutes.
    Expire,
}

impl DecisionArg {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::WrongAnswer => "wrong-answer",
            Self::Expire => "expire",
        }
    }
}
