//! Why a bank cannot start.

use std::path::PathBuf;

/// Why a sandbox cannot start. Each is one line with the next step.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error(
        "cannot listen on {address}: {reason}; stop the program that uses it, or choose another address with {option}"
    )]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        reason: String,
        /// The option that changes it.
        option: &'static str,
    },
    /// What is to be listened on is no address.
    #[error(
        "cannot listen on {address}: that is no address with a port; give one such as {example} with {option}"
    )]
    NoAddress {
        /// What was given.
        address: String,
        /// What an address looks like.
        example: &'static str,
        /// The option that changes it.
        option: &'static str,
    },
    /// The public URL is none.
    #[error("--public-url {0} is not http:// or https:// with a host and nothing after it")]
    PublicUrl(String),
    /// The data folder cannot be used.
    #[error("cannot use the data folder {}: {reason}; choose another with --data", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Another process uses the data folder.
    #[error("the data folder {} is in use by another sandbox; stop it, or choose another folder with --data", .0.display())]
    InUse(PathBuf),
    /// A newer program wrote the data folder.
    #[error("the data folder {} was written by a newer version (its schema is {found}, this program knows {known}); use that version, or choose another folder with --data", path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Version of the data.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// The data folder is a bank's, and its database is not there.
    #[error("the data folder {} is that of a bank whose database sandbox.db is missing or empty; put it back together with sandbox.db-wal, or choose another folder with --data (to begin a new bank in this one, remove identity and sandbox.db-wal there)", .0.display())]
    DatabaseGone(PathBuf),
    /// A bank ended there without warning, and what it wrote last is not there.
    #[error("the bank in the data folder {} was not stopped, and its log sandbox.db-wal, which holds what was written last, is missing; put it back, or choose another folder with --data (to go on without what was written last, remove running there)", .0.display())]
    LogGone(PathBuf),
    /// The data folder has a database that is not its own.
    #[error("sandbox.db in the data folder {} is not the database of the bank to which the folder belongs; put the right one back, or choose another folder with --data", .0.display())]
    DatabaseForeign(PathBuf),
    /// The database cannot be used.
    #[error("--database cannot be used: {0}")]
    Database(gateway::StoreError),
    /// A file with trusted authorities cannot be read.
    #[error("cannot read trusted authorities from {}: {reason}", path.display())]
    Trusted {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// `--require-mtls` without a TLS listener.
    #[error("--require-mtls needs the TLS listener; give it an address with --tls-listen")]
    MtlsWithoutTls,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The bank itself cannot start.
    #[error("{0}")]
    Sandbox(#[from] sandbox::SandboxError),
    /// The database of the configuration cannot be used.
    #[error("the database of [database] cannot be used: {0}")]
    ServedDatabase(gateway::StoreError),
    /// Trusted lists cannot be used.
    #[error("the trusted lists of [trusted_lists] cannot be used: {0}")]
    TrustedLists(String),
    /// A register of payment institutions cannot be used.
    #[error("the register of [register] cannot be used: {0}")]
    Register(String),
    /// The configuration names no branch.
    #[error("[bank] has no branch; name one, such as branches = [\"nl\"]")]
    NoBranch,
    /// The configuration names no database.
    #[error("[database] names none; name PostgreSQL with address_file, or a file with sqlite_file")]
    NoDatabase,
    /// What is kept secret does not open, or cannot be sealed.
    #[error("[sealing]: {0}")]
    Sealing(String),
    /// Calls cannot be kept for the audit trail.
    #[error("[audit] spool_folder, where calls stand until they are in the audit trail, cannot be used: {0}")]
    Audit(String),
    /// Traces cannot be sent as the configuration says.
    #[error("[traces]: {0}")]
    Traces(String),
    /// The machine's clock is not that of the database.
    #[error(
        "this machine's clock is {seconds} seconds {direction} that of the machine of [database], which all nodes have; set whichever is wrong"
    )]
    Clock {
        /// How far it is off.
        seconds: u64,
        /// Where.
        direction: &'static str,
    },
    /// The file of the database cannot be used.
    #[error("cannot use {}, sqlite_file of [database]: {reason}", path.display())]
    DatabaseFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The gateway's keys cannot be read or kept.
    #[error("{}", edge::with_causes(.0))]
    Gateway(#[from] gateway::Error),
    /// An authority of the configuration cannot be used.
    #[error("an authority of [trust] cannot be used: {0}")]
    Authority(#[from] eidas::CertificateError),
    /// The authorization server cannot start.
    #[error("{0}")]
    Key(#[from] oauth::KeyError),
    /// The core bank cannot be reached as the configuration says.
    #[error("[core_bank]: {0}")]
    CoreBank(#[from] core_bank::SetupError),
    /// The core bank leaves out what an interface of the configuration needs.
    #[error(
        "[bank] interfaces has \"bunq\", and the core bank numbers no entries, which that interface needs: GET /core/v1/parts does not \
         name entry-numbers; leave \"bunq\" out, or let the core bank offer that part"
    )]
    NoEntryNumbers,
    /// The bank's OpenID provider cannot be reached as the configuration says.
    #[error("[provider]: {0}")]
    Provider(#[from] openid::SetupError),
}

impl StartError {
    /// For a clock that is ahead, or behind if that is negative.
    pub(crate) fn clock(ahead: jiff::SignedDuration) -> Self {
        let direction = if ahead.is_negative() { "behind" } else { "ahead of" };
        Self::Clock { seconds: ahead.as_secs().unsigned_abs(), direction }
    }
}

impl From<crate::serve::SpoolError> for StartError {
    fn from(error: crate::serve::SpoolError) -> Self {
        Self::Audit(edge::with_causes(&error))
    }
}
