//! Start and stop of a sandbox: its listeners, its data, what it is told by its configuration.

use std::net::SocketAddr;
use std::sync::Arc;

use edge::certificate_addresses::CertificateAddresses;
use edge::outbound::Loopback;
use edge::{Observer, Recorder, Recording};
use eidas::certificate::chain_from_pem;
use gateway::{Randomness, Store, StoreError};
use sandbox::{PortalPages, Sandbox, SandboxSettings, Snapshots};
use url::{Host, Url};

use crate::addresses::Addresses;
use crate::assemble::{Observers, Origins, Serving, Socket, Sockets};
use crate::config::{DataLocation, SandboxConfig};
use crate::data_folder::{self, DataFolder};
use crate::exchange::Exchange;
use crate::house::Plan;
use crate::profiles::Strictness;
use crate::start_error::StartError;
use crate::{portal, tls};

/// A sandbox that serves. Dropping it without [`Running::stop`] cuts everything off.
#[derive(Debug)]
pub struct Running {
    /// Where it can be reached.
    pub addresses: Addresses,
    /// The bank itself as it started, for tests that look behind the doors. After a restore or reset another one serves.
    pub sandbox: Sandbox,
    exchange: Arc<Exchange>,
    recorder: Option<Arc<Recorder>>,
    serving: Serving,
    folder: Option<DataFolder>,
}

impl Running {
    /// Gives the bank that serves now, whatever was restored or reset since the start.
    pub fn of_the_moment(&self) -> impl Fn() -> Sandbox + Send + Sync + 'static {
        let exchange = Arc::clone(&self.exchange);
        move || exchange.bank()
    }

    /// Stops accepting, lets running requests end, closes the data.
    pub async fn stop(mut self) {
        // Whoever listens to calls would be waited for.
        self.recorder.iter().for_each(|recorder| recorder.close());
        self.serving.stop().await;
        self.exchange.stop().await;
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

/// Starts a sandbox. When this returns, every listener answers.
///
/// # Errors
/// [`StartError`]
pub async fn start(config: SandboxConfig) -> Result<Running, StartError> {
    if config.require_mtls && config.tls_listen.is_none() {
        return Err(StartError::MtlsWithoutTls);
    }
    let sockets = sockets(&config).await?;
    let public_url = match &config.public_url {
        Some(url) => check_public_url(url)?,
        None => format!("http://{}", sockets.public.reachable()),
    };
    let (mut folder, store) = open_store(&config.data).await?;
    let tls_url = sockets.secured.as_ref().map(|socket| format!("https://{}", socket.reachable()));
    let management_url = format!("http://{}", sockets.management.reachable());
    let origins = Origins { public: &public_url, tls: tls_url.as_deref(), management: &management_url };
    let recorder = config.record_calls.then(Arc::<Recorder>::default);
    let page_origins = portal::origins(&sockets, &public_url);
    let token = Randomness::from_system().secret();
    let plan = Plan {
        settings: settings(&config, &public_url, read_trusted(&config)?),
        id_token_algorithm: config.id_token_algorithm,
        require_mtls: config.require_mtls,
        explain: config.explain,
        addresses: addresses(&config, &origins),
        loopback: loopback(&sockets, &public_url),
        pages: PortalPages::new(&page_origins, &token),
        portal: (page_origins, token),
        observers: observers(&config, recorder.as_ref()),
        recorder: recorder.clone(),
        snapshots: Arc::new(snapshots(&config.data, folder.as_ref())),
    };
    let names = server_names(sockets.secured.as_ref().map(Socket::reachable), &public_url);
    let exchange = Exchange::begin(plan, store).await?;
    let sandbox = exchange.bank();
    let addresses = exchange.addresses();
    let serving = Serving::begin(sockets, &origins, exchange.gate(), issuer(&sandbox, names))?;
    if let Some(folder) = &mut folder {
        folder.runs()?;
    }
    Ok(Running { addresses, sandbox, recorder, exchange, serving, folder })
}

fn observers(config: &SandboxConfig, recorder: Option<&Arc<Recorder>>) -> Observers {
    let management = Arc::clone(&config.observer);
    let public: Arc<dyn Observer> = match recorder {
        Some(recorder) => {
            Arc::new(Recording { observer: Arc::clone(&management), recorder: Arc::clone(recorder) })
        }
        None => Arc::clone(&management),
    };
    Observers { public, management }
}

/// Where the bank's snapshots are.
fn snapshots(data: &DataLocation, folder: Option<&DataFolder>) -> Snapshots {
    match (data, folder) {
        (DataLocation::Database(_), _) => Snapshots::none(),
        (_, Some(folder)) => {
            Snapshots::in_folder(folder.snapshots(), (data_folder::OWNER, data_folder::ENTRY))
        }
        (_, None) => Snapshots::in_memory(),
    }
}

async fn sockets(config: &SandboxConfig) -> Result<Sockets, StartError> {
    let public = Socket::bind(&config.listen, "--listen").await?;
    let management = Socket::bind(&config.management_listen, "--management-listen").await?;
    if !management.address.ip().is_loopback() {
        tracing::warn!(
            "the management API at {} has no log-in: whoever reaches this address can act as any customer and issue \
             certificates; let nobody else reach it, or leave --management-listen at 127.0.0.1",
            management.address
        );
    }
    let secured = match &config.tls_listen {
        Some(address) => Some(Socket::bind(address, "--tls-listen").await?),
        None => None,
    };
    Ok(Sockets { public, secured, management })
}

/// Which addresses of its own machine the bank may call, with these listeners: clients that are tried out run beside the
/// sandbox.
fn loopback(sockets: &Sockets, public_url: &str) -> Loopback {
    let listeners = [Some(&sockets.public), Some(&sockets.management), sockets.secured.as_ref()];
    let listeners = listeners.into_iter().flatten().map(|socket| format!("http://{}", socket.address));
    let own =
        listeners.chain([public_url.to_owned()]).map(|url| Url::parse(&url)).collect::<Result<Vec<_>, _>>();
    own.map_or(Loopback::Refused, |own| Loopback::beside(&own))
}

/// Issues certificates of the listener with TLS, for these names.
fn issuer(sandbox: &Sandbox, names: Vec<String>) -> tls::Issue {
    let (authorities, randomness) = (Arc::clone(&sandbox.authorities), Arc::clone(&sandbox.randomness));
    Box::new(move |now| authorities.issue_server(&names, &randomness, now).map_err(|error| error.to_string()))
}

fn addresses(config: &SandboxConfig, origins: &Origins<'_>) -> Addresses {
    Addresses {
        public: origins.public.to_owned(),
        tls: origins.tls.map(str::to_owned),
        management: origins.management.to_owned(),
        tenants: config.tenants.iter().map(ToString::to_string).collect(),
        seed: config.seed,
        data: match &config.data {
            DataLocation::Folder(path) => Some(path.clone()),
            DataLocation::Memory | DataLocation::Database(_) => None,
        },
        ephemeral: config.data == DataLocation::Memory,
        strict: config.strictness == Strictness::Strict,
        require_mtls: config.require_mtls,
    }
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
            let memory = |error: StoreError| sandbox::SandboxError::Store(error.into());
            Ok((None, Store::in_memory().map_err(memory)?))
        }
        DataLocation::Database(address) => {
            Ok((None, Store::connect(address.expose()).await.map_err(StartError::Database)?))
        }
    }
}

fn settings(config: &SandboxConfig, public_url: &str, trusted: Vec<Vec<u8>>) -> SandboxSettings {
    let mut profiles = (config.profiles)(config.strictness, config.rate_limits);
    profiles.berlin_group.cross_border_payments = config.cross_border_payments;
    SandboxSettings {
        tenants: config.tenants.clone(),
        profiles,
        seed: config.seed,
        begin: config.begin,
        public_url: public_url.to_owned(),
        trusted,
        revocation: config.check_revocation.then(|| {
            let addresses = CertificateAddresses::new(config.hosts.iter().cloned());
            Arc::new(addresses) as Arc<dyn gateway::revocation::Fetch>
        }),
        misbehaves: config.misbehaves,
        provider: config.provider.clone(),
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
fn server_names(address: Option<SocketAddr>, public_url: &str) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(address.map(|address| address.ip().to_string()));
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
