//! Arguments of the command line. What they do is in `commands`.

mod accounts;
mod admin;
mod audit;
mod bank;
mod clocks;
mod config;
mod core_bank;
mod data;
mod faults;
mod keys;
mod logs;
mod payments;
mod serve;
mod snapshots;
mod standing;
mod statistics;
mod tpp;

use std::net::SocketAddr;
use std::path::PathBuf;

pub(crate) use accounts::*;
pub(crate) use admin::*;
pub(crate) use audit::*;
pub(crate) use bank::*;
use clap::{Args, Parser, Subcommand, ValueEnum};
pub(crate) use clocks::*;
pub(crate) use config::*;
pub(crate) use core_bank::*;
pub(crate) use data::*;
use eidas::{Certificate, describe, oid};
pub(crate) use faults::*;
use gateway::domain::Timestamp;
pub(crate) use keys::*;
pub(crate) use logs::*;
pub(crate) use payments::*;
pub(crate) use serve::*;
pub(crate) use snapshots::*;
pub(crate) use standing::*;
pub(crate) use statistics::*;
pub(crate) use tpp::*;
use vestibule::DatabaseAddress;

/// PSD2 access gateway: a sandbox bank, certificate tools, and a client for third parties.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// Act as if it were this moment (RFC 3339), with clocks that run on from there: a bank's time begins then, a
    /// client believes it. Makes tests repeatable on any day.
    #[arg(long, global = true, value_name = "TIME", env = "VESTIBULE_NOW", value_parser = moment)]
    pub(crate) now: Option<Timestamp>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a whole bank for tests on this machine.
    Sandbox(SandboxArgs),
    /// Run a gateway in front of a real bank, which is reached over the core bank interface.
    Serve(ServeArgs),
    /// Write, check and explain the configuration file of a gateway in front of a real bank.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Find third parties, consents and payments at a gateway, block and withdraw, as the bank's staff.
    Admin(Box<AdminArgs>),
    /// Verify and export the audit trail of a gateway, as the bank's staff.
    Audit(Box<AuditArgs>),
    /// Seal what a gateway in front of a real bank keeps secret in its database, and change the key of its ID tokens.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Write what a bank publishes of its gateway's availability and speed, as the bank's staff.
    Statistics(Box<StatisticsArgs>),
    /// Make, explain and check PSD2 certificates.
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// Make and list customers and accounts of a sandbox, and decide as one of them.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Show and change what a sandbox is called at its branches.
    Bank(BankArgs),
    /// Show and move the clocks of a sandbox, so that ninety days pass in a moment.
    Clock(ClockArgs),
    /// Put customers, accounts and transactions of one's own into a sandbox.
    Data(DataArgs),
    /// Let calls to a sandbox go wrong: errors, latency, cut connections, wrong signatures.
    Fault(FaultArgs),
    /// Show what the trusted lists of a sandbox say of its authority, and withdraw its service.
    TrustedList(TrustedListArgs),
    /// Show what a sandbox's register of payment institutions says of a third party, and withdraw its authorisation or passport.
    Register(RegisterArgs),
    /// Show the calls that a sandbox received, and why it refused them.
    Logs(LogsArgs),
    /// Save a sandbox as it is under a name, and put it back to that.
    Snapshot(SnapshotArgs),
    /// Put a sandbox back to its first start; its test authority stays.
    Reset(ResetArgs),
    /// Serve a bank for tests by the core bank interface, and check other banks' implementations of it.
    CoreBank(Box<CoreBankArgs>),
    /// Act as a third party: register at a bank, ask for consents and payments, read accounts.
    Tpp(TppArgs),
}

impl Command {
    /// Whether what it prints is for programs.
    pub(crate) fn is_for_programs(&self) -> bool {
        match self {
            Self::Sandbox(args) => args.json,
            Self::Serve(args) => args.json,
            Self::Config(_) => false,
            Self::Admin(args) => args.to.json,
            Self::Audit(args) => args.to.json,
            Self::Keys(KeysCommand::Seal(args)) => args.json,
            Self::Keys(KeysCommand::Rotate(args)) => args.keys.json,
            Self::Statistics(args) => args.to.json,
            Self::Certificate(CertificateCommand::New(args)) => args.json,
            Self::Certificate(CertificateCommand::Inspect(args)) => args.json,
            Self::Certificate(CertificateCommand::Check(args)) => args.json,
            Self::Certificate(CertificateCommand::Revoke(args)) => args.to.json,
            Self::Account(command) => command.to().json,
            Self::Bank(args) => args.to.json,
            Self::Clock(args) => args.to.json,
            Self::Data(args) => args.to.json,
            Self::Fault(args) => args.to.json,
            Self::TrustedList(args) => args.to.json,
            Self::Register(args) => args.to.json,
            Self::Logs(args) => args.to.json,
            Self::Snapshot(args) => args.to.json,
            Self::Reset(args) => args.to.json,
            Self::CoreBank(args) => args.json,
            Self::Tpp(args) => args.common.json,
        }
    }
}

/// A moment on the command line.
fn moment(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "no moment such as 2027-01-31T12:00:00Z")
}

/// The address of an API on the command line.
fn address(text: &str) -> Result<String, &'static str> {
    let url = url::Url::parse(text).ok();
    let fits = url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if fits { Ok(text.to_owned()) } else { Err("no address such as http://127.0.0.1:8081") }
}

/// A text on the command line: what is empty asks for nothing, and would be taken for an option that is not there.
fn filled(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        Err("it is empty; give it a value (is a variable of the shell not set?)")
    } else {
        Ok(text.to_owned())
    }
}

/// An id that becomes a part of an address on the command line.
fn id(text: &str) -> Result<String, &'static str> {
    if matches!(text, "." | "..") { Err("this is no id") } else { filled(text) }
}

/// A whole number on the command line.
fn number<T: std::str::FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "a number is expected, in digits")
}

/// A host and where it is reached.
fn host(text: &str) -> Result<(String, SocketAddr), &'static str> {
    let expected = "a host, =, an IP address and a port are expected, such as pki.example.com=127.0.0.1:8080";
    let (name, address) = text.split_once('=').ok_or(expected)?;
    let is_host = name.split('.').all(|label| {
        !label.is_empty() && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    });
    match address.parse() {
        Ok(address) if is_host => Ok((name.to_owned(), address)),
        _ => Err(expected),
    }
}

#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// Address of the bank: interfaces, authorization server, pages. Port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Address of the bank with TLS, or "off".
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    pub(crate) tls_listen: String,
    /// Address of the management API. It has no log-in: keep it on this machine.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub(crate) management_listen: String,
    /// Folder of the bank's data [default: the user's data folder].
    #[arg(long, value_name = "FOLDER", conflicts_with = "ephemeral")]
    pub(crate) data: Option<PathBuf>,
    /// PostgreSQL database of the bank's data in place of a folder, for example postgres://user:password@host/name.
    /// Sandboxes that share one are one bank. Other hosts than this one are reached over TLS.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "VESTIBULE_DATABASE",
        hide_env_values = true,
        conflicts_with_all = ["data", "ephemeral"]
    )]
    pub(crate) database: Option<DatabaseAddress>,
    /// Keep everything in memory and nothing on disk.
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Repeat names, ids, account and digipass numbers of another sandbox with the same seed; whoever knows or guesses
    /// it can compute them.
    #[arg(long, value_name = "NUMBER", value_parser = number::<u64>)]
    pub(crate) seed: Option<u64>,
    /// Tenants (branches) of the bank, separated by commas.
    #[arg(long = "tenant", value_name = "NAMES", value_delimiter = ',', default_value = "nl,be_fr,be_nl,uk")]
    pub(crate) tenants: Vec<String>,
    /// Where browsers reach the bank, if that is not the address it listens on.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Follow the standards to the letter instead of taking what working clients send.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Refuse API calls without a TLS client certificate, as banks do in production.
    #[arg(long)]
    pub(crate) require_mtls: bool,
    /// How often callers may call, where an interface has such limits.
    #[arg(long, value_enum, default_value_t = RateLimitsArg::On)]
    pub(crate) rate_limits: RateLimitsArg,
    /// Make payments to other countries and in other currencies too, which the compatible bank does not offer at present.
    #[arg(long)]
    pub(crate) cross_border: bool,
    /// Refuse so many of a hundred good calls in ways that the standards allow, and write some answers in other ways: what
    /// a client must be able to live with.
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, default_missing_value = "5", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) misbehave: Option<u8>,
    /// How ID tokens are signed.
    #[arg(long, value_enum, default_value_t = IdTokenAlgorithmArg::Rs256)]
    pub(crate) id_token_algorithm: IdTokenAlgorithmArg,
    /// PEM file with a further authority whose certificates are accepted. Can be given more than once.
    #[arg(long = "trusted-ca", value_name = "FILE")]
    pub(crate) trusted_ca: Vec<PathBuf>,
    /// Ask the authorities of --trusted-ca by OCSP, else by revocation list, whether they revoked a certificate that is
    /// presented.
    #[arg(long, requires = "trusted_ca")]
    pub(crate) check_revocation: bool,
    /// Reach a host that certificates name at this address, such as
    /// pki.vestibule.example.com=127.0.0.1:8080 for another sandbox. Can be given more than once.
    #[arg(long = "host", value_name = "NAME=ADDRESS", value_parser = host, requires = "check_revocation")]
    pub(crate) hosts: Vec<(String, SocketAddr)>,
    /// Print one line of JSON with every address once the bank is ready.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RateLimitsArg {
    /// The interface's own numbers with --strict, generous ones without.
    On,
    /// The interface's own numbers.
    Strict,
    /// None.
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IdTokenAlgorithmArg {
    /// RSA: what registrations promise.
    Rs256,
    /// ECDSA on P-256.
    Es256,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Make a test certificate with a new key.
    New(CertificateNewArgs),
    /// Explain a certificate: who, which roles, what for, until when.
    Inspect(CertificateInspectArgs),
    /// Name each rule that a certificate breaks, with its clause.
    Check(CertificateCheckArgs),
    /// Let the authority of a sandbox revoke a certificate, or take that back.
    Revoke(CertificateRevokeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CertificateNewArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// What the certificate is for.
    #[arg(long, value_enum, default_value_t = ProfileArg::TestClient)]
    pub(crate) profile: ProfileArg,
    /// Folder for certificate.pem, key.pem and chain.pem; none of them is overwritten.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) out: PathBuf,
    /// Management API of the sandbox that issues it.
    #[arg(long, value_name = "URL", default_value = DEFAULT_MANAGEMENT, value_parser = address)]
    pub(crate) management: String,
    /// Let it have a fault: expired, not-yet-valid, revoked, wrong-role, wrong-organisation, unknown-ca, weak-key,
    /// missing-chain. It revokes no other certificate.
    #[arg(long, value_name = "NAME", conflicts_with = "ca")]
    pub(crate) fault: Option<String>,
    /// Issue it without a sandbox, from a test authority in this folder (made if it is missing). A sandbox
    /// accepts its certificates with --trusted-ca FOLDER/ca.pem.
    #[arg(long, value_name = "FOLDER", conflicts_with = "management")]
    pub(crate) ca: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CertificateInspectArgs {
    /// File with the certificate: PEM, DER, or the value of an HTTP header. "-" reads standard input.
    pub(crate) file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CertificateCheckArgs {
    /// File with the certificate: PEM, DER, or the value of an HTTP header. "-" reads standard input.
    pub(crate) file: PathBuf,
    /// What it is to be used for; by default what its QcType says.
    #[arg(long, value_enum)]
    pub(crate) purpose: Option<PurposeArg>,
    /// Check at this moment (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Also check that it comes from an authority in this PEM file.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileArg {
    /// What the test client of a compatible bank hands out: signs, and stands in for TLS.
    TestClient,
    /// A QWAC for TLS.
    Qwac,
    /// A QSealC for signatures.
    Qseal,
}

impl ProfileArg {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TestClient => "test-client",
            Self::Qwac => "qwac",
            Self::Qseal => "qseal",
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PurposeArg {
    /// TLS client authentication.
    Qwac,
    /// Signing messages.
    Qseal,
}

/// Who a test certificate is for.
#[derive(Debug, Default, Args)]
pub(crate) struct SubjectArgs {
    /// Identifier of the third party [default: a random PSDNL-DNB-R… number].
    #[arg(long, value_name = "IDENTIFIER")]
    pub(crate) organization_identifier: Option<String>,
    /// Name of the third party [default: Example TPP B.V.].
    #[arg(long, value_name = "NAME")]
    organization_name: Option<String>,
    /// Country of the third party, two letters [default: that of its authority].
    #[arg(long, value_name = "CODE")]
    pub(crate) country: Option<String>,
    /// Town of the third party [default: Utrecht].
    #[arg(long, value_name = "NAME")]
    locality: Option<String>,
    /// Roles, separated by commas [default: PSP_PI,PSP_AI,PSP_IC].
    #[arg(long = "role", value_name = "NAMES", value_delimiter = ',')]
    roles: Vec<String>,
}

impl SubjectArgs {
    /// Whom a certificate was issued to.
    pub(crate) fn of(certificate: &Certificate) -> Self {
        let first = |attribute| certificate.subject.first(attribute).map(str::to_owned);
        let roles = describe(certificate).psd2.map(|psd2| psd2.roles).unwrap_or_default();
        Self {
            organization_identifier: first(oid::ORGANIZATION_IDENTIFIER),
            organization_name: first(oid::ORGANIZATION_NAME),
            country: first(oid::COUNTRY_NAME),
            locality: first(oid::LOCALITY_NAME),
            roles: roles.iter().map(|role| role.name().to_owned()).collect(),
        }
    }

    /// The same with what is missing taken from another subject, unless that is another organisation.
    pub(crate) fn or(self, other: Self) -> Self {
        let own = &self.organization_identifier;
        if own.is_some() && *own != other.organization_identifier {
            return self;
        }
        Self {
            organization_identifier: other.organization_identifier,
            organization_name: self.organization_name.or(other.organization_name),
            country: self.country.or(other.country),
            locality: self.locality.or(other.locality),
            roles: if self.roles.is_empty() { other.roles } else { self.roles },
        }
    }

    /// Name of the third party.
    pub(crate) fn organization_name(&self) -> String {
        self.organization_name.clone().unwrap_or_else(|| "Example TPP B.V.".to_owned())
    }

    /// Town of the third party.
    pub(crate) fn locality(&self) -> String {
        self.locality.clone().unwrap_or_else(|| "Utrecht".to_owned())
    }

    /// Its roles.
    pub(crate) fn roles(&self) -> Vec<String> {
        if self.roles.is_empty() {
            return eidas::Role::THIRD_PARTY.iter().map(|role| role.name().to_owned()).collect();
        }
        self.roles.clone()
    }
}

/// Where a sandbox's management API is by default.
pub(crate) const DEFAULT_MANAGEMENT: &str = "http://127.0.0.1:8081";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
