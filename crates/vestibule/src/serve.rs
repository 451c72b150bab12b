//! `vestibule serve`: the interfaces in front of a real bank. There is nothing here that only tests need: no management
//! API, no simulated devices, no explaining texts.

mod admin;
mod core_bank;
mod database;
mod health;
mod interfaces;
mod metrics;
mod proxy;
mod register;
mod sealing;
mod spool;
mod trail;
mod trusted_lists;

use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::core_bank::CoreBank;
use axum::Router;
use edge::certificate_addresses::CertificateAddresses;
use edge::outbound::Loopback;
use edge::{CallLog, Edge, Observer, Surroundings};
use gateway::domain::Interface;
use gateway::{
    Clock, Drawer, Gateway, Kept, Keys, Parts, Randomness, Register, Revocation, Sealing, Settings, Store,
    revocation,
};
use oauth::{IdTokenAlgorithm, SigningKeys};
use rustls::ServerConfig;

use self::admin::StaffDoor;
pub use self::admin::admin_description;
use self::database::open;
use self::health::Health;
use self::metrics::Metrics;
pub(crate) use self::proxy::TrustedProxy;
use self::register::RegisterFile;
pub use self::sealing::{RotatedKey, SealedKeys, rotate_keys, seal_keys};
pub(crate) use self::spool::SpoolError;
use self::trail::Notes;
use self::trusted_lists::TrustedLists;
use crate::app::Bank;
use crate::assemble::{Serving, Socket};
use crate::configuration::{Configuration, Limits, Provider, Rules, Server, Signing};
use crate::front::{Front, Routes};
use crate::gate::{Fronts, Gate, Side};
use crate::listener::GRACE;
use crate::profiles::{self, RateLimits, Strictness};
use crate::start_error::StartError;
use crate::tasks::{Beside, Upkeep, Work};
use crate::tls::{ClientCertificate, Replaceable};
use crate::traces::Traced;
use crate::{tasks, tls};

/// What a call takes beside the time that the bank takes.
const BESIDE_THE_BANK: Duration = Duration::from_secs(2);

/// How long a stop waits for what runs beside the calls. What it writes is written as a whole or not at all.
const LAST_WORK: Duration = Duration::from_secs(10);

/// How long a stop waits for the last calls to be in the audit trail.
const LAST_NOTES: Duration = Duration::from_secs(15);

/// The bank behind a gateway.
pub struct Behind {
    /// What the gateway asks it for.
    pub ports: gateway::Bank,
    /// What there is to do for it, each second.
    pub upkeep: Option<Upkeep>,
    /// The way to it, where it is reached over the core bank interface: its calls are counted.
    pub core_bank: Option<CoreBank>,
}

impl std::fmt::Debug for Behind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Behind").field("ports", &self.ports).finish_non_exhaustive()
    }
}

/// A gateway that serves. Dropping it without [`Served::stop`] cuts everything off.
#[derive(Debug)]
pub struct Served {
    /// Where third parties call: the address that is listened on.
    pub interface: SocketAddr,
    /// Where browsers come.
    pub pages: SocketAddr,
    /// Where operators and monitoring ask.
    pub management: SocketAddr,
    configuration: Configuration,
    gateway: Gateway,
    store: Store,
    sealing: Sealing,
    provider: Option<openid::Provider>,
    certificates: [Option<Arc<Replaceable>>; 2],
    staff: Option<StaffDoor>,
    notes: Notes,
    metrics: Arc<Metrics>,
    is_ready: Arc<AtomicBool>,
    register: RegisterFile,
    trusted_lists: Option<TrustedLists>,
    /// Held, so that no other process uses the same file.
    _lock: Option<File>,
    beside: Beside,
    serving: Serving,
    management_serving: Serving,
}

impl Served {
    /// Where the bank's staff calls, if this node has such a listener.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.staff.as_ref().map(StaffDoor::address)
    }

    /// Takes up certificates, keys, trust, limits, the bank's provider and its staff of a configuration. Returns the sections in
    /// which something else changed, which takes effect at the next start.
    ///
    /// # Errors
    /// [`StartError`]; then everything is as it was.
    pub fn reload(&mut self, new: Configuration) -> Result<Vec<&'static str>, StartError> {
        let trust = new.trust.store()?;
        let servers = [new.interface.server(), new.pages.server()];
        let keys = servers.map(|server| server.certified_key());
        let [interface, pages] = keys;
        let (interface, pages) = (interface?, pages?);
        let provider = new.provider.as_ref().map(Provider::way).transpose()?;
        if let (Some(staff), Some(section)) = (&self.staff, &new.admin) {
            staff.replace(section)?;
        }
        for (current, key) in self.certificates.iter().zip([interface, pages]) {
            if let (Some(current), Some(key)) = (current, key) {
                current.replace(key);
            }
        }
        self.gateway.trust(trust);
        for interface in Interface::ALL {
            self.gateway.limit_calls(interface, new.limits.as_ref().map(Limits::of_calls));
        }
        if let Some(lists) = &self.trusted_lists {
            lists.reload(&new.trust, &self.gateway);
        }
        if let Some(revocation) = self.gateway.revocation() {
            revocation.turn(new.trust.check_revocation);
        }
        if let Some(register) = self.gateway.register_of_institutions() {
            register::stop_as_in(register, (self.configuration.register.as_ref(), new.register.as_ref()));
        }
        self.register.look_now();
        if let Some((current, new)) = self.provider.as_ref().zip(provider) {
            current.become_as(&new);
        }
        let later = self.configuration.sections_that_differ(&new);
        // What is presented to the core bank is read at the start alone.
        self.metrics.certificates(&Configuration { core_bank: self.configuration.core_bank.clone(), ..new });
        Ok(later)
    }

    /// Says that it is not ready, waits until that was noticed, then stops accepting and lets running requests end.
    pub async fn stop(mut self) {
        self.is_ready.store(false, Ordering::Relaxed);
        tokio::time::sleep(self.configuration.management.drain).await;
        self.serving.stop().await;
        let Self { beside, management_serving, staff, .. } = &mut self;
        let staff = async {
            if let Some(staff) = staff {
                staff.stop().await;
            }
        };
        // The first may wait for a database that says nothing, and whoever stops the gateway waits for half a minute beside what calls take.
        let _ =
            tokio::join!(tokio::time::timeout(LAST_WORK, beside.stop()), management_serving.stop(), staff,);
        // What a database that says nothing does not take stays in the spool.
        if tokio::time::timeout(LAST_NOTES, self.notes.stop()).await.is_err() {
            tracing::warn!(
                "the audit trail could not be written to its end; the next start or another node does that"
            );
        }
    }
}

/// Starts a gateway in front of the bank that `behind` makes of the gateway's database. When this returns, every listener
/// answers.
///
/// # Errors
/// [`StartError`]
pub async fn serve(
    configuration: Configuration,
    clock: Arc<dyn Clock>,
    behind: impl FnOnce(&Configuration, &Store) -> Result<Behind, StartError>,
) -> Result<Served, StartError> {
    let sockets = Sockets::bind(&configuration).await?;
    let admin = StaffDoor::bind(&configuration).await?;
    let metrics = Arc::new(Metrics::new(Arc::new(CallLog), clock.now(None)));
    metrics.certificates(&configuration);
    let (store, lock) = open(&configuration).await?;
    let store = metrics.of_store(store);
    let mut behind = behind(&configuration, &store)?;
    let dialects = interfaces::of(&configuration, &behind.ports).await?;
    behind.core_bank.iter().for_each(|bank| metrics.of_core_bank(bank));
    let provider = configuration.provider.as_ref().map(Provider::way).transpose()?;
    if let Some(provider) = &provider {
        behind.ports.provider = Some(Arc::new(provider.clone()));
    }
    let sealing = sealing::begin(&configuration, &store).await?;
    let (register, register_file) = register::begin(&configuration, &clock).await?;
    let kept = (&store, &sealing);
    let gateway = gateway(&configuration, kept, Arc::clone(&clock), (behind.ports, register)).await?;
    let branch = configuration.bank.branches.first().ok_or(StartError::NoBranch)?;
    let notes = Notes::begin(&gateway, branch, &configuration.audit.spool_folder)?;
    let trusted_lists = TrustedLists::begin(&configuration, (&gateway, &clock)).await?;
    let keys = signing_keys(&configuration, Drawer::new(&store, "oauth").sealed_by(&sealing)).await?;
    let looks = configuration.looks.of_pages(&configuration.texts);
    let edge = edge(&configuration, &gateway);
    let bank = Bank::new(&edge, keys.clone(), (Router::new(), &looks), &dialects);
    tasks::catch_up(&gateway, &bank.due).await;
    gateway.revocation().iter().for_each(|revocation| metrics.of_revocation(revocation));
    metrics.of_register(&gateway);
    trusted_lists.iter().for_each(|lists| metrics.of_lists(lists));
    let news = gateway.shares_its_store().then(|| tasks::news_of_keys(keys));
    let is_ready = Arc::new(AtomicBool::new(true));
    let health = Health {
        gateway: gateway.clone(),
        is_ready: Arc::clone(&is_ready),
        metrics: Arc::clone(&metrics),
        core_bank: behind.core_bank,
        spool: notes.spool(),
        telling: health::telling(),
    };

    let fronts = Fronts {
        public: front(&gateway, bank.public, traced(&configuration, notes.observer(metrics.clone(), clock))),
        management: front(&gateway, health::routes(health).into(), Arc::new(CallLog)),
    };
    let [interface, pages, management] = sockets.addresses();
    let listening = listen(&configuration, sockets, fronts)?;
    let staff = admin.map(|admin| admin.open(&gateway, &notes)).transpose()?;
    let work = Work { gateway: gateway.clone(), due: bank.due, news, upkeep: behind.upkeep };
    Ok(Served {
        interface,
        pages,
        management,
        configuration,
        gateway,
        store,
        sealing,
        provider,
        certificates: listening.certificates,
        staff,
        notes,
        metrics,
        is_ready,
        register: register_file,
        trusted_lists,
        _lock: lock,
        beside: Beside::begin(work),
        serving: listening.serving,
        management_serving: listening.management,
    })
}

fn front(gateway: &Gateway, routes: Routes, observer: Arc<dyn Observer>) -> Front {
    Front { routes, gateway: gateway.clone(), observer }
}

/// The three listeners' sockets, taken before anything else is done.
struct Sockets {
    interface: Socket,
    pages: Socket,
    management: Socket,
}

impl Sockets {
    async fn bind(configuration: &Configuration) -> Result<Self, StartError> {
        let Configuration { interface, pages, management, .. } = configuration;
        Ok(Self {
            interface: Socket::bind(&interface.listen.to_string(), "[interface] listen").await?,
            pages: Socket::bind(&pages.listen.to_string(), "[pages] listen").await?,
            management: Socket::bind(&management.listen.to_string(), "[management] listen").await?,
        })
    }

    /// Of interface, pages, and management.
    fn addresses(&self) -> [SocketAddr; 3] {
        [&self.interface, &self.pages, &self.management].map(|socket| socket.address)
    }
}

struct Listening {
    /// Of the interface and of the pages.
    certificates: [Option<Arc<Replaceable>>; 2],
    serving: Serving,
    management: Serving,
}

fn listen(
    configuration: &Configuration,
    Sockets { interface, pages, management }: Sockets,
    fronts: Fronts,
) -> Result<Listening, StartError> {
    let gate = Arc::new(Gate::new(fronts));
    // A call that the bank is still answering is answered.
    let grace = GRACE.max(configuration.core_bank.answer_within.0 + BESIDE_THE_BANK);
    let (mut serving, mut management_serving) = (Serving::with_grace(grace), Serving::new());
    let mut certificates = [None, None];
    let listeners = [
        (interface, configuration.interface.server(), ClientCertificate::Asked),
        (pages, configuration.pages.server(), ClientCertificate::NotAsked),
    ];
    for (place, (socket, server, client)) in certificates.iter_mut().zip(listeners) {
        let tls = own_certificate(&server, client)?;
        let config = tls.map(|(certificate, config)| {
            *place = Some(certificate);
            config
        });
        let origin = server.url.as_str().trim_end_matches('/');
        let proxy = configuration.proxy.as_ref().map(|proxy| Arc::new(TrustedProxy::new(proxy, client)));
        serving.listen(socket, (config, proxy), (&gate, Side::Public), origin);
    }
    let origin = format!("http://{}", management.address);
    management_serving.listen(management, (None, None), (&gate, Side::Management), &origin);
    Ok(Listening { certificates, serving, management: management_serving })
}

/// Who is told of the calls at the interfaces and the pages, and names their spans where somebody collects them.
fn traced(configuration: &Configuration, observer: Arc<dyn Observer>) -> Arc<dyn Observer> {
    match &configuration.traces {
        Some(traces) => Arc::new(Traced { observer, from_callers: traces.from_callers }),
        None => observer,
    }
}

async fn signing_keys(configuration: &Configuration, drawer: Drawer) -> Result<SigningKeys, StartError> {
    let algorithm = match configuration.bank.id_tokens {
        Signing::Rs256 => IdTokenAlgorithm::Rs256,
        Signing::Es256 => IdTokenAlgorithm::Es256,
    };
    Ok(SigningKeys::load_or_make(drawer, algorithm).await?)
}

fn edge(configuration: &Configuration, gateway: &Gateway) -> Edge {
    Edge::new(Surroundings {
        gateway: gateway.clone(),
        public_url: Arc::from(configuration.pages.url.as_str()),
        mtls_url: Some(Arc::from(configuration.interface.url.as_str())),
        require_mtls: true,
        explain: false,
        loopback: Loopback::Refused,
    })
}

async fn gateway(
    configuration: &Configuration,
    (store, sealing): (&Store, &Sealing),
    clock: Arc<dyn Clock>,
    (bank, register): (gateway::Bank, Register),
) -> Result<Gateway, StartError> {
    let strictness = match configuration.bank.rules {
        Rules::Strict => Strictness::Strict,
        Rules::Lenient => Strictness::Lenient,
    };
    let mut profiles = profiles::of_sandbox(strictness, RateLimits::On);
    profiles.berlin_group.cross_border_payments = configuration.bank.cross_border_payments;
    let calls = configuration.limits.as_ref().map(Limits::of_calls);
    (profiles.berlin_group.calls, profiles.bunq.calls) = (calls, calls);
    let randomness = Arc::new(Randomness::from_system());
    let fetch = Arc::new(CertificateAddresses::default());
    let revocation = Revocation::new(&[], fetch, revocation::Rules::default());
    revocation.turn(configuration.trust.check_revocation);
    let gateway = Gateway::new(Parts {
        settings: Settings {
            tenants: configuration.bank.branches.clone(),
            profiles,
            kept: Kept {
                audit: configuration.lives.audit_days.duration(),
                statistics: configuration.lives.statistics_days.duration(),
            },
        },
        store: store.clone(),
        clock,
        keys: Keys::load_or_make(&Drawer::new(store, "gateway").sealed_by(sealing), &randomness).await?,
        randomness,
        bank,
        trust: configuration.trust.store()?,
        register: Some(register),
        sealing: sealing.clone(),
        revocation: Some(revocation),
    });
    match gateway.clock_error().await? {
        Some(ahead) => Err(StartError::clock(ahead)),
        None => Ok(gateway),
    }
}

type OwnCertificate = (Arc<Replaceable>, Arc<ServerConfig>);

fn own_certificate(
    server: &Server<'_>,
    client: ClientCertificate,
) -> Result<Option<OwnCertificate>, StartError> {
    let Some(key) = server.certified_key()? else { return Ok(None) };
    let certificate = Arc::new(Replaceable::new(key));
    let config = tls::server_config(certificate.clone(), client)?;
    Ok(Some((certificate, config)))
}
