//! Arguments of `vestibule tpp`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::payments::*;
use super::{DecisionArg, ProfileArg, SubjectArgs, address, number};

/// Where a sandbox is by default.
pub(crate) const DEFAULT_BANK: &str = "http://127.0.0.1:8080";

#[derive(Debug, Args)]
pub(crate) struct TppArgs {
    #[command(subcommand)]
    pub(crate) command: TppCommand,
    #[command(flatten)]
    pub(crate) common: TppCommonArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TppCommonArgs {
    /// The bank's address.
    #[arg(long, global = true, value_name = "URL", default_value = DEFAULT_BANK)]
    pub(crate) bank: String,
    /// The interface to speak with the bank [default: that of what is kept about it, else berlin-group].
    #[arg(long, global = true, value_enum, value_name = "DIALECT")]
    pub(crate) dialect: Option<DialectArg>,
    /// Management API of the sandbox, for test certificates [default: what the sandbox says].
    #[arg(long, global = true, value_name = "URL", value_parser = address)]
    pub(crate) management: Option<String>,
    /// Folder with the state of every bank [default: the user's data folder].
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) state: Option<PathBuf>,
    /// PEM file with the authority of the bank's TLS certificate. A sandbox's is fetched by itself.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Print each request with what was signed, the same request for curl, and its answer, tokens included.
    #[arg(long, global = true)]
    pub(crate) show_calls: bool,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DialectArg {
    /// NextGenPSD2 of the Berlin Group.
    BerlinGroup,
    /// The PSD2 API of bunq.
    Bunq,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TppCommand {
    /// Get a test certificate for a key made here, or take over one that you have.
    Certificate(TppCertificateArgs),
    /// Register at the bank; a test certificate is fetched if there is none. Safe to repeat.
    Register(TppRegisterArgs),
    /// Show what is kept about the bank, or about every bank.
    Show(TppShowArgs),
    /// Ask for a consent to read accounts.
    Consent(TppConsentArgs),
    /// Send the customer to the bank and wait for them to come back, or decide in their place at a sandbox.
    Authorise(TppAuthoriseArgs),
    /// List the accounts that the consent covers.
    Accounts(TppReadArgs),
    /// Read the balances of those accounts.
    Balances(TppReadArgs),
    /// Read the transactions of those accounts.
    Transactions(TppTransactionsArgs),
    /// Get new tokens for the consent.
    Refresh(TppConsentIdArgs),
    /// Give the tokens of the consent back, and end the consent if asked to.
    Revoke(TppRevokeArgs),
    /// Show the OAuth client with its callback URLs, or add one (bunq).
    OauthClient(TppOauthClientArgs),
    /// Ask for a payment: at once, on a day, repeated, or many of a file; the customer approves it at the bank.
    Pay(Box<TppPayArgs>),
    /// Ask what became of a payment, look at it, or take it back.
    #[command(subcommand)]
    Payment(TppPaymentCommand),
    /// Prepare a payment from an account of a connected customer, who accepts it in the bank's app (bunq).
    Draft(TppDraftArgs),
    /// Ask whether an account holds an amount, or for the consent that this needs.
    Funds(TppFundsArgs),
    /// Ask what became of a consent, a draft or a payment.
    #[command(subcommand)]
    Status(TppStatusCommand),
    /// Run a test that the portal saved, with a third party and a customer of its own, and say what differed.
    Replay(TppReplayArgs),
    /// Forget everything that is kept about the bank, keys too.
    Forget,
    /// Do a whole job in one go and show each step with its time.
    #[command(subcommand)]
    Flow(TppFlowCommand),
}

impl TppCommand {
    /// The tenant that is named.
    pub(crate) fn tenant(&self) -> Option<&str> {
        match self {
            Self::Certificate(args) => args.tenant.as_deref(),
            Self::Register(args) => args.tenant.as_deref(),
            Self::Consent(args) => args.tenant.as_deref(),
            Self::Pay(args) => args.asking.tenant.as_deref(),
            Self::Funds(TppFundsArgs { command: Some(TppFundsCommand::Consent(args)), .. }) => {
                args.asking.tenant.as_deref()
            }
            Self::Flow(
                TppFlowCommand::Ais(args) | TppFlowCommand::Pis(args) | TppFlowCommand::Funds(args),
            ) => args.tenant.as_deref(),
            _ => None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct TppCertificateArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// What the certificate is for: test-client and qseal sign messages, qwac is for TLS.
    #[arg(long, value_enum, default_value_t = ProfileArg::TestClient)]
    pub(crate) profile: ProfileArg,
    /// Tenant whose clock decides when it begins [default: that of the registration, else nl or the first that the bank
    /// announces].
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// Take over this certificate (PEM) instead of asking a sandbox for one.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) certificate: Option<PathBuf>,
    /// Private key (PEM) to --certificate.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TppRegisterArgs {
    /// Tenant of the bank; one registration serves all of them [default: that of the registration, else nl or the first
    /// that the bank announces].
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// Where browsers come back to. Can be given more than once; replaces what was registered before.
    #[arg(long = "redirect-uri", value_name = "URI", required = true)]
    pub(crate) redirect_uris: Vec<String>,
    /// sector_identifier_uri of the registration.
    #[arg(long, value_name = "URL", default_value = "")]
    pub(crate) sector_identifier_uri: String,
}

#[derive(Debug, Args)]
pub(crate) struct TppReplayArgs {
    /// The test, as the portal saved it.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct TppShowArgs {
    /// Show every bank.
    #[arg(long)]
    pub(crate) all: bool,
    /// Show secrets and tokens too.
    #[arg(long)]
    pub(crate) secrets: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct TppConsentArgs {
    /// Account to ask for. Can be given more than once; without any, the customer chooses one at the bank.
    #[arg(long = "iban", value_name = "IBAN")]
    pub(crate) ibans: Vec<String>,
    /// Last day, YYYY-MM-DD [default: as late as the bank allows].
    #[arg(long, value_name = "DATE")]
    pub(crate) valid_until: Option<String>,
    /// Ask for one time only: no refresh token, no daily limit.
    #[arg(long)]
    pub(crate) one_off: bool,
    /// Reads a day without the customer, for each account and kind.
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = number::<i64>)]
    pub(crate) frequency_per_day: i64,
    /// Let the customer choose among savings accounts.
    #[arg(long, conflicts_with = "ibans")]
    pub(crate) savings: bool,
    /// Where the browser comes back to [default: a registered address of this machine, else the first registered].
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Option<String>,
    /// Tenant of the bank [default: that of the registration].
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TppConsentIdArgs {
    /// Which consent, or at bunq the user number of which connection [default: the newest].
    #[arg(long, value_name = "ID")]
    pub(crate) consent: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct HeadlessArgs {
    /// Decide without a browser, as a customer of a sandbox.
    #[arg(long, value_enum, value_name = "DECISION")]
    pub(crate) headless: Option<DecisionArg>,
    /// The customer's account, to log in with [default: the account that it is about, if that is known].
    #[arg(long, value_name = "IBAN", id = "customer_iban")]
    pub(crate) customer_iban: Option<String>,
    /// Number of the digipass to log in with, of another holder of the account than the first.
    #[arg(long, value_name = "NUMBER", requires = "headless")]
    pub(crate) digipass: Option<String>,
    /// Print the address instead of opening a browser.
    #[arg(long)]
    pub(crate) no_browser: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TppAuthoriseArgs {
    #[command(flatten)]
    pub(crate) id: TppConsentIdArgs,
    /// A payment in place of a consent [default: the newest].
    #[arg(long, value_name = "ID", num_args = 0..=1, conflicts_with = "consent")]
    pub(crate) payment: Option<Option<String>>,
    /// A consent to ask for funds in place of one to read accounts [default: the newest].
    #[arg(long, value_name = "ID", num_args = 0..=1, conflicts_with_all = ["consent", "payment"])]
    pub(crate) funds: Option<Option<String>>,
    #[command(flatten)]
    pub(crate) headless: HeadlessArgs,
    /// The address that a browser elsewhere came back to, to finish what was begun before; "-" asks for it.
    #[arg(long, value_name = "URL", conflicts_with = "headless")]
    pub(crate) location: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TppReadArgs {
    #[command(flatten)]
    pub(crate) id: TppConsentIdArgs,
    /// Only this account.
    #[arg(long, value_name = "IBAN")]
    pub(crate) account: Option<String>,
    /// IP address of the customer, if they take part: such reads are not counted.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) psu_ip_address: Option<String>,
    /// Read even if today's reads are used up by our own count; the bank has the last word.
    #[arg(long)]
    pub(crate) beyond_budget: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TppTransactionsArgs {
    #[command(flatten)]
    pub(crate) read: TppReadArgs,
    /// First booking date, YYYY-MM-DD [default: as far back as the bank allows].
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// Last booking date, YYYY-MM-DD [default: today].
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<String>,
    /// Which transactions.
    #[arg(long, value_enum, default_value_t = BookingStatusArg::Both)]
    pub(crate) booking_status: BookingStatusArg,
    /// Print comma-separated values.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BookingStatusArg {
    /// Those that are booked.
    Booked,
    /// Those that are not.
    Pending,
    /// All.
    Both,
}

impl BookingStatusArg {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Pending => "pending",
            Self::Both => "both",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct TppRevokeArgs {
    #[command(flatten)]
    pub(crate) id: TppConsentIdArgs,
    /// End the consent too.
    #[arg(long)]
    pub(crate) delete_consent: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TppFlowCommand {
    /// From nothing to the first balance: certificate, registration, consent, authorisation, accounts.
    Ais(TppFlowArgs),
    /// From nothing to a payment that the bank has made: certificate, registration, payment, authorisation, status.
    Pis(TppFlowArgs),
    /// From nothing to the answer whether an account holds an amount.
    Funds(TppFlowArgs),
    /// The same at a bank that speaks as bunq does, up to a payment that waits for the customer.
    Bunq(TppFlowBunqArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TppFlowBunqArgs {
    #[command(flatten)]
    pub(crate) headless: HeadlessArgs,
    /// Kind of customer to make at a sandbox when no account is named.
    #[arg(long, value_name = "NAME", default_value = "household", conflicts_with = "customer_iban")]
    pub(crate) persona: String,
    /// Where the browser comes back to [default: an address of this machine; at a sandbox that takes https alone,
    /// https://tpp.example/callback].
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TppStatusCommand {
    /// A consent (berlin-group).
    Consent(TppConsentIdArgs),
    /// A payment prepared with: vestibule tpp draft (bunq).
    Draft(TppDraftStatusArgs),
    /// A payment: the same as vestibule tpp payment status.
    Payment(TppPaymentStatusArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TppDraftStatusArgs {
    #[command(flatten)]
    pub(crate) connection: TppConsentIdArgs,
    /// The number of the draft.
    #[arg(value_parser = number::<i64>)]
    pub(crate) id: i64,
}

#[derive(Debug, Args)]
pub(crate) struct TppOauthClientArgs {
    /// Add a callback URL. Can be given more than once.
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub(crate) redirect_uris: Vec<String>,
    /// Show the secret too.
    #[arg(long)]
    pub(crate) secrets: bool,
}
