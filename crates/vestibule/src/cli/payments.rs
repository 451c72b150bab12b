//! Arguments of `vestibule tpp` for payments and for confirmation of funds.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::tpp::{HeadlessArgs, TppConsentIdArgs};
use super::{DecisionArg, number};

/// What is to be paid by a draft.
#[derive(Debug, Clone, Args)]
pub(crate) struct OrderArgs {
    /// Account of the payee.
    #[arg(long, value_name = "IBAN")]
    pub(crate) to: String,
    /// Name of the payee.
    #[arg(long)]
    pub(crate) name: String,
    /// How many euros, for example 12.50.
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    pub(crate) amount: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT", alias = "reference")]
    pub(crate) description: String,
}

#[derive(Debug, Args)]
pub(crate) struct TppDraftArgs {
    #[command(flatten)]
    pub(crate) id: TppConsentIdArgs,
    /// Account that pays.
    #[arg(long, value_name = "IBAN")]
    pub(crate) account: String,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    #[command(flatten)]
    pub(crate) again: AnewArgs,
}

/// Whether the same request is another one.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AnewArgs {
    /// Ask for another payment, even if no answer came to the same request before [default: go on with what came of it].
    #[arg(long)]
    pub(crate) anew: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TppPayArgs {
    #[command(flatten)]
    pub(crate) payee: PayeeArgs,
    /// Account that pays, written as that of a payee [default: the customer chooses it at the bank].
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "file")]
    pub(crate) from: Option<String>,
    #[command(flatten)]
    pub(crate) when: WhenArgs,
    #[command(flatten)]
    pub(crate) abroad: AbroadArgs,
    /// File with many payments that are made as one: pain.001 in XML, or bulk JSON. It names the account that pays.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) again: AnewArgs,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
    /// Decide right away, as a customer of a sandbox.
    #[arg(long, value_enum, value_name = "DECISION")]
    pub(crate) headless: Option<DecisionArg>,
    /// An account of the customer, to log in with [default: the account that pays].
    #[arg(long, value_name = "IBAN")]
    pub(crate) customer_iban: Option<String>,
    /// Number of the device to log in with, where the account has several holders [default: that of one of them].
    #[arg(long, value_name = "NUMBER")]
    pub(crate) digipass: Option<String>,
}

/// Whom, how much, what for.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PayeeArgs {
    /// Account of the payee: an IBAN; a British account as 20-00-00/55779911; in a country without IBANs its number.
    #[arg(long, value_name = "ACCOUNT", required_unless_present = "file", conflicts_with = "file")]
    pub(crate) to: Option<String>,
    /// Name of the payee.
    #[arg(long, required_unless_present = "file", conflicts_with = "file")]
    pub(crate) name: Option<String>,
    /// How much, for example 12.50.
    #[arg(
        long,
        value_name = "AMOUNT",
        required_unless_present = "file",
        conflicts_with = "file",
        allow_negative_numbers = true
    )]
    pub(crate) amount: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT", alias = "description", conflicts_with = "file")]
    pub(crate) reference: Option<String>,
    /// Your own reference, which comes back with the transaction.
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    pub(crate) end_to_end: Option<String>,
    /// Currency [default: that of the product].
    #[arg(long, value_name = "CODE", conflicts_with = "file")]
    pub(crate) currency: Option<String>,
    /// How it is paid [default: found by the payee's account and the currency].
    #[arg(long, value_enum, conflicts_with = "file")]
    pub(crate) product: Option<ProductArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProductArg {
    /// Euros to an IBAN in the single euro payments area.
    #[value(alias = "sepa-credit-transfers")]
    Sepa,
    /// Pounds to a British account.
    #[value(alias = "uk-domestic-transfers")]
    Uk,
    /// Anything else.
    #[value(alias = "cross-border-credit-transfers")]
    CrossBorder,
}

/// When a payment is made.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WhenArgs {
    /// Day on which it is made, or made first, YYYY-MM-DD [default: at once; repeated, from today].
    #[arg(long, value_name = "DATE", conflicts_with = "file")]
    pub(crate) on: Option<String>,
    /// Repeat it.
    #[arg(long, value_enum, value_name = "FREQUENCY", conflicts_with = "file")]
    pub(crate) every: Option<FrequencyArg>,
    /// Last day on which it is repeated, YYYY-MM-DD [default: until it is cancelled].
    #[arg(long, value_name = "DATE", requires = "every")]
    pub(crate) until: Option<String>,
    /// Day of the month on which it is repeated, 1 to 31.
    #[arg(long, value_name = "DAY", requires = "every", value_parser = number::<u8>)]
    pub(crate) day_of_execution: Option<u8>,
    /// Months in which it is repeated, 1 to 12, separated by commas; with --every monthly-variable.
    #[arg(long, value_name = "MONTHS", requires = "every", value_delimiter = ',', value_parser = number::<u8>)]
    pub(crate) months: Vec<u8>,
    /// The business day to take in place of a day that is none.
    #[arg(long, value_enum, value_name = "RULE", requires = "every")]
    pub(crate) execution_rule: Option<ExecutionRuleArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FrequencyArg {
    /// Every day.
    Day,
    /// Every week.
    Week,
    /// Every second week.
    TwoWeeks,
    /// Every month.
    Month,
    /// Every second month.
    TwoMonths,
    /// Every three months.
    Quarter,
    /// Every six months.
    HalfYear,
    /// Every year.
    Year,
    /// In the months that --months names.
    MonthlyVariable,
}

impl FrequencyArg {
    /// As interfaces name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Day => "Daily",
            Self::Week => "Weekly",
            Self::TwoWeeks => "EveryTwoWeeks",
            Self::Month => "Monthly",
            Self::TwoMonths => "EveryTwoMonths",
            Self::Quarter => "Quarterly",
            Self::HalfYear => "SemiAnnual",
            Self::Year => "Annual",
            Self::MonthlyVariable => "MonthlyVariable",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExecutionRuleArg {
    /// The next one.
    Following,
    /// The one before.
    Preceding,
}

impl ExecutionRuleArg {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Following => "following",
            Self::Preceding => "preceding",
        }
    }
}

/// What a payee in another country needs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "To another country")]
pub(crate) struct AbroadArgs {
    /// The payee's bank.
    #[arg(long, value_name = "BIC", conflicts_with = "file")]
    pub(crate) bic: Option<String>,
    /// Who bears the charges: SHAR, DEBT, CRED or SLEV.
    #[arg(long, value_name = "CODE", conflicts_with = "file")]
    pub(crate) charge_bearer: Option<String>,
    /// Country where the payee lives, two letters.
    #[arg(long, value_name = "CODE", conflicts_with = "file")]
    pub(crate) country: Option<String>,
    /// Town.
    #[arg(long, value_name = "NAME", requires = "country")]
    pub(crate) town: Option<String>,
    /// Postal code.
    #[arg(long, value_name = "CODE", requires = "country")]
    pub(crate) postcode: Option<String>,
    /// Street.
    #[arg(long, value_name = "NAME", requires = "country")]
    pub(crate) street: Option<String>,
    /// Number in the street.
    #[arg(long, value_name = "NUMBER", requires = "country")]
    pub(crate) building: Option<String>,
}

/// Where something is asked for, and where browsers come back to.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AskingArgs {
    /// Where the browser comes back to [default: a registered address of this machine, else the first registered].
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Option<String>,
    /// Tenant of the bank [default: that of the registration].
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TppPaymentCommand {
    /// Ask what became of it.
    Status(TppPaymentStatusArgs),
    /// Look at it as the bank has it.
    Show(TppPaymentIdArgs),
    /// Take it back. What the customer approved already is taken back with their approval.
    Cancel(TppPaymentCancelArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TppPaymentIdArgs {
    /// Which one [default: the newest].
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TppPaymentStatusArgs {
    #[command(flatten)]
    pub(crate) payment: TppPaymentIdArgs,
    /// Ask again until it stays as it is, for so many seconds.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "60", value_parser = number::<u64>)]
    pub(crate) wait: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct TppPaymentCancelArgs {
    #[command(flatten)]
    pub(crate) payment: TppPaymentIdArgs,
    #[command(flatten)]
    pub(crate) headless: HeadlessArgs,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct TppFundsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<TppFundsCommand>,
    #[command(flatten)]
    pub(crate) question: FundsQuestionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FundsQuestionArgs {
    /// The account.
    #[arg(long, value_name = "ACCOUNT", required = true)]
    pub(crate) iban: Option<String>,
    /// How much, for example 10.00.
    #[arg(long, required = true, allow_negative_numbers = true)]
    pub(crate) amount: Option<String>,
    /// Currency [default: that of the branch].
    #[arg(long, value_name = "CODE")]
    pub(crate) currency: Option<String>,
    /// Name of the account's holder, which bunq asks for [default: the IBAN].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Who is to be paid (berlin-group).
    #[arg(long, value_name = "NAME")]
    pub(crate) payee: Option<String>,
    /// By which consent (berlin-group) [default: the newest of the account].
    #[arg(long, value_name = "ID")]
    pub(crate) consent: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TppFundsCommand {
    /// Ask for a consent to ask whether an account holds an amount (berlin-group).
    Consent(TppFundsConsentArgs),
    /// Ask what became of such a consent.
    Status(TppFundsIdArgs),
    /// Give its tokens back and end it.
    Revoke(TppFundsIdArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TppFundsConsentArgs {
    /// The account.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) iban: String,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TppFundsIdArgs {
    /// Which one [default: the newest].
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// Arguments of the flows that have nothing of their own.
#[derive(Debug, Args)]
pub(crate) struct TppFlowArgs {
    #[command(flatten)]
    pub(crate) headless: HeadlessArgs,
    /// Tenant of the bank [default: that of the registration, else nl or the first that the bank announces].
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// Kind of customer to make at a sandbox when no account is named.
    #[arg(long, value_name = "NAME", default_value = "household", conflicts_with = "customer_iban")]
    pub(crate) persona: String,
    /// Where the browser comes back to [default: what is registered; else an address of this machine, or at a sandbox
    /// that takes https alone, https://tpp.example/callback].
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Option<String>,
}
