//! Start and stop of a sandbox.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use edge::outbound::Loopback;
use edge::{Due, Edge};
use eidas::certificate::chain_from_pem;
use gateway::{Drawer, Store, Strictness};
use oauth::SigningKeys;
use sandbox::{Sandbox, SandboxSettings};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;
use url::{Host, Url};

use crate::config::{DataLocation, SandboxConfig};
use crate::data_folder::DataFolder;
use crate::listener::Listener;
use crate::{app, forgetting, tls};

/// How late something may be that is due at a moment.
const KEEP_UP_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Where a running sandbox can be reached.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Addresses {
    /// The bank for browsers and callers without TLS.
    pub public: String,
    /// The bank with TLS.
    pub tls: Option<String>,
    /// The management API.
    pub management: String,
    /// Names of the tenants.
    pub tenants: Vec<String>,
    /// The seed of names, ids and numbers, if there is one.
    pub seed: Option<u64>,
    /// The data folder; none if everything is in memory.
    pub data: Option<PathBuf>,
    /// Whether the bank follows the standards to the letter.
    pub strict: bool,
    /// Whether API calls must present a TLS client certificate.
    pub require_mtls: bool,
}

impl Addresses {
    /// The command that registers a third party here, for a program under this name.
    pub fn next_command(&self, program: &str) -> String {
        format!("{program} tpp register {} --redirect-uri https://tpp.example/callback", self.options())
    }

    /// The command that reads a first balance here, for a program under this name.
    pub fn flow_command(&self, program: &str) -> String {
        format!("{program} tpp flow ais --headless approve {}", self.options())
    }

    /// The options that lead a command here. Everything else is announced.
    fn options(&self) -> String {
        let tenant = self.tenants.first().map_or("nl", String::as_str);
        let bank = self.tls.as_ref().filter(|_| self.require_mtls).unwrap_or(&self.public);
        format!("--bank {bank} --tenant {tenant}")
    }
}

/// A sandbox that serves. Dropping it without [`Running::stop`] cuts everything off.
#[derive(Debug)]
pub struct Running {
    /// Where it can be reached.
    pub addresses: Addresses,
    /// The bank itself, for tests that look behind the doors.
    pub sandbox: Sandbox,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
    folder: Option<DataFolder>,
}

impl Running {
    /// Stops accepting, lets running requests end, closes the data.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.listeners.join_next().await.is_some() {}
        // Then the database is whole in its one file, for whoever copies it.
        match (self.sandbox.store.checkpoint(), &self.folder) {
            (Ok(()), Some(folder)) => folder.has_stopped(),
            (Ok(()), None) => {}
            (Err(error), _) => {
                tracing::warn!(%error, "the last changes are in sandbox.db-wal alone; keep it together with sandbox.db");
            }
        }
    }
}

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
    /// The public URL is none.
    #[error("--public-url {0} is not http:// or https:// with a host and nothing after it")]
    PublicUrl(String),
    /// The data folder cannot be used.
    #[error("cannot use the data folder {}: {reason}; choose another with --data, or keep nothing with --ephemeral", path.display())]
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
    /// The authorization server cannot start.
    #[error("{0}")]
    Key(#[from] oauth::KeyError),
}

/// Starts a sandbox. When this returns, every listener answers.
///
/// # Errors
/// [`StartError`]
pub async fn start(config: SandboxConfig) -> Result<Running, StartError> {
    if config.require_mtls && config.tls_listen.is_none() {
        return Err(StartError::MtlsWithoutTls);
    }
    let (public, public_address) = bind(&config.listen, "--listen").await?;
    let (management, management_address) = bind(&config.management_listen, "--management-listen").await?;
    if !management_address.ip().is_loopback() {
        tracing::warn!(
            "the management API at {management_address} has no log-in: whoever reaches this address can act as any \
             customer and issue certificates; let nobody else reach it, or leave --management-listen at 127.0.0.1"
        );
    }
    let secured = match &config.tls_listen {
        Some(address) => Some(bind(address, "--tls-listen").await?),
        None => None,
    };
    let public_url = match &config.public_url {
        Some(url) => check_public_url(url)?,
        None => format!("http://{}", reachable(public_address)),
    };
    let (mut folder, store) = open_store(&config.data).await?;
    let trusted = read_trusted(&config)?;
    let key = {
        let drawer = Drawer::new(&store, "oauth");
        let algorithm = config.id_token_algorithm;
        tokio::spawn(async move { SigningKeys::load_or_make(drawer, algorithm).await })
    };
    let sandbox = Sandbox::start(store, settings(&config, &public_url, trusted)).await?;
    let key = match key.await {
        Ok(key) => key?,
        Err(error) => return Err(oauth::KeyError::Key(error.to_string()).into()),
    };
    let tls_address = secured.as_ref().map(|(_, address)| *address);
    let tls_url = tls_address.map(|address| format!("https://{}", reachable(address)));
    let management_url = format!("http://{}", reachable(management_address));
    let addresses = addresses(&config, sandbox.seed, (&public_url, tls_url.as_deref(), &management_url));
    let edge = Edge {
        gateway: sandbox.gateway.clone(),
        interface: oauth::INTERFACE,
        public_url: Arc::from(public_url.as_str()),
        mtls_url: tls_url.as_deref().map(Arc::from),
        require_mtls: config.require_mtls,
        explain: config.explain,
        loopback: loopback(&[Some(public_address), Some(management_address), tls_address], &public_url),
    };
    let bank = app::Bank::new(&edge, key, (&sandbox, &addresses), &config.observer);
    let (stop, stopped) = watch::channel(false);
    let mut listeners = JoinSet::new();
    listeners.spawn(keep_up(bank.due, stopped.clone()));
    let mut serve = |tcp, tls, app, origin: &str| {
        let listener = Listener { tcp, tls, app, origin: Arc::from(origin) };
        listeners.spawn(listener.serve(stopped.clone()));
    };
    if let (Some((tcp, address)), Some(url)) = (secured, &tls_url) {
        let names = server_names(address, &public_url);
        let issue = issuer(&sandbox, names);
        serve(tcp, Some(TlsAcceptor::from(tls::server_config(issue)?)), bank.public.clone(), url);
    }
    serve(public, None, bank.public, &public_url);
    serve(management, None, bank.management, &addresses.management);
    listeners.spawn(forgetting::run(edge.gateway.clone(), stopped));
    if let Some(folder) = &mut folder {
        folder.runs()?;
    }
    Ok(Running { addresses, sandbox, stop, listeners, folder })
}

/// Which addresses of its own machine the bank may call, with these listeners: clients that are tried out run beside the
/// sandbox.
fn loopback(listeners: &[Option<SocketAddr>], public_url: &str) -> Loopback {
    let listeners = listeners.iter().flatten().map(|address| format!("http://{address}"));
    let own =
        listeners.chain([public_url.to_owned()]).map(|url| Url::parse(&url)).collect::<Result<Vec<_>, _>>();
    own.map_or(Loopback::Refused, |own| Loopback::beside(&own))
}

/// Issues certificates of the listener with TLS, for these names.
fn issuer(sandbox: &Sandbox, names: Vec<String>) -> tls::Issue {
    let (authorities, randomness) = (Arc::clone(&sandbox.authorities), Arc::clone(&sandbox.randomness));
    Box::new(move |now| authorities.issue_server(&names, &randomness, now).map_err(|error| error.to_string()))
}

/// Does what is due as time goes by, until the bank stops.
async fn keep_up(due: Vec<Due>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(KEEP_UP_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = tick.tick() => {}
        }
        for work in &due {
            work().await;
        }
    }
}

fn addresses(
    config: &SandboxConfig,
    seed: Option<u64>,
    (public, tls, management): (&str, Option<&str>, &str),
) -> Addresses {
    Addresses {
        public: public.to_owned(),
        tls: tls.map(str::to_owned),
        management: management.to_owned(),
        tenants: config.tenants.iter().map(ToString::to_string).collect(),
        seed,
        data: match &config.data {
            DataLocation::Folder(path) => Some(path.clone()),
            DataLocation::Memory => None,
        },
        strict: config.strictness == Strictness::Strict,
        require_mtls: config.require_mtls,
    }
}

async fn bind(address: &str, option: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let error = |error: std::io::Error| StartError::Listen {
        address: address.to_owned(),
        reason: match error.kind() {
            std::io::ErrorKind::AddrInUse => "the address is in use".to_owned(),
            _ => error.to_string(),
        },
        option,
    };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    let bound = listener.local_addr().map_err(error)?;
    Ok((listener, bound))
}

/// An address to connect to: one that stands for all interfaces is reached over loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback = match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        return SocketAddr::new(loopback, address.port());
    }
    address
}

fn check_public_url(text: &str) -> Result<String, StartError> {
    let error = || StartError::PublicUrl(text.to_owned());
    let url = Url::parse(text).map_err(|_| error())?;
    let plain =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !plain {
        return Err(error());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

async fn open_store(data: &DataLocation) -> Result<(Option<DataFolder>, Store), StartError> {
    match data {
        DataLocation::Folder(path) => {
            let folder = DataFolder::open(path)?;
            let store = folder.store().await?;
            Ok((Some(folder), store))
        }
        DataLocation::Memory => {
            let memory = |error: gateway::StoreError| sandbox::SandboxError::Store(error.into());
            Ok((None, Store::in_memory().map_err(memory)?))
        }
    }
}

fn settings(config: &SandboxConfig, public_url: &str, trusted: Vec<Vec<u8>>) -> SandboxSettings {
    SandboxSettings {
        tenants: config.tenants.clone(),
        strictness: config.strictness,
        rate_limits: config.rate_limits,
        seed: config.seed,
        begin: config.begin,
        public_url: public_url.to_owned(),
        trusted,
    }
}

fn read_trusted(config: &SandboxConfig) -> Result<Vec<Vec<u8>>, StartError> {
    let mut all = Vec::new();
    for path in &config.trusted_authorities {
        let error = |reason: String| StartError::Trusted { path: path.clone(), reason };
        let octets = std::fs::read(path).map_err(|io| error(io.to_string()))?;
        all.extend(chain_from_pem(&octets).map_err(|pem| error(pem.to_string()))?);
    }
    Ok(all)
}

/// Names that the server's certificate is for.
fn server_names(address: SocketAddr, public_url: &str) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.push(reachable(address).ip().to_string());
    match Url::parse(public_url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => names.push(name.to_owned()),
        Some(Host::Ipv4(ip)) => names.push(ip.to_string()),
        Some(Host::Ipv6(ip)) => names.push(ip.to_string()),
        None => {}
    }
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique
}
