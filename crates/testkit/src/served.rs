//! The server of a test as `vestibule serve` assembles it, with `VESTIBULE_TEST_BANK=core-bank`: a gateway behind a proxy that ends
//! TLS, and behind it, over the core bank interface with mutual TLS, the books of the sandbox that the test would have had.
//! What a test moves by the management API moves at that sandbox. What of it is the gateway's (approvals, third parties,
//! consents) goes to a second node on the gateway's database, beside which the customers' devices are.

mod ways;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::{fs, future};

use axum::extract::Extension;
use core_bank::server::tls::{Listener, TlsSettings};
use core_bank::server::{router, test_authority};
use edge::outbound::Loopback;
use edge::{Agenda, Connection, Edge, Surroundings};
use eidas::Certificate;
use eidas::certificate::chain_from_pem;
use gateway::{Bank, Clock, Drawer, Gateway, Kept, Keys, Parts, Randomness, Settings, Store};
use oauth::{IdTokenAlgorithm, SigningKeys};
use sandbox::{GoingBack, Interfaces, PortalPages, Sandbox, SnapshotError, Snapshots};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use vestibule::configuration::Configuration;
use vestibule::profiles::{RateLimits, Strictness, of_sandbox};
use vestibule::{Behind, DIALECTS, DataLocation, Running, SandboxConfig, Served, serve};

use self::ways::{Way, ways};
pub(crate) use self::ways::{on_the_way, presented};

/// Who connects when nothing in a request says whose it is.
const NOBODY: &str = "PSDNL-DNB-R424242";

/// What the bank is called at every branch: as a bank for tests is at the one that most tests are of.
pub(crate) const BANK: &str = "Vestibule Bank Nederland";

/// Whether servers are assembled so.
pub fn is_served() -> bool {
    std::env::var("VESTIBULE_TEST_BANK").is_ok_and(|bank| bank == "core-bank")
}

/// What a bank says where one that explains says `text` with an error code. One that has customers says what fails about
/// certificates and signatures to nobody.
pub fn told<'t>(code: &str, text: &'t str) -> &'t str {
    match code {
        _ if !is_served() => text,
        // Whom the bank blocked is told until when, whatever the bank says of other things.
        "CERTIFICATE_BLOCKED" => text,
        _ if code.starts_with("CERTIFICATE_") => "The certificate is not acceptable",
        _ if code.starts_with("SIGNATURE_") => "The signature is not acceptable",
        "ROLE_INVALID" => "The certificate does not grant the role for this service",
        _ => text,
    }
}

/// The same of the authorization server, whose texts begin with the code.
pub fn told_by_oauth(text: &str) -> String {
    let code = text.split(':').next().unwrap_or_default();
    match told(code, text) {
        said if said == text || code == text => text.to_owned(),
        said => format!("{code}: {}{}", said[..1].to_lowercase(), &said[1..]),
    }
}

/// A gateway in front of a test's sandbox.
#[derive(Debug)]
pub(crate) struct InFront {
    served: Served,
    /// Where browsers reach it, as it believes.
    pub(crate) pages: String,
    /// Where third parties reach it, as it believes.
    pub(crate) interface: String,
    /// Where tests move the world.
    pub(crate) management: String,
    /// Where it keeps its own.
    pub(crate) store: Store,
    _found: Found,
    _files: tempfile::TempDir,
    /// The core bank's listener and that of the management API.
    _listeners: JoinSet<()>,
}

impl InFront {
    /// Puts a gateway in front of a sandbox: `asked` is what the test wants of its server.
    pub(crate) async fn of(running: &Running, asked: &SandboxConfig) -> Self {
        let files = tempfile::tempdir().unwrap();
        let mut listeners = JoinSet::new();
        let core_bank = serve_books(running, asked, files.path(), &mut listeners).await;
        let (pages, interface) = origins();
        let path = write_configuration(asked, files.path(), (&pages, &interface, &core_bank)).await;
        trust(&running.sandbox, asked, files.path());
        let now = running.sandbox.clock.now(None);
        let configuration = Configuration::read(&path, now).unwrap_or_else(|problems| panic!("{problems:?}"));
        let mut kept = None;
        let clock = running.sandbox.clock.clone();
        let served = serve(configuration, clock, |configuration, store| {
            let behind = Behind::core_bank(configuration, store)?;
            kept = Some((store.clone(), behind.ports.clone()));
            Ok(behind)
        });
        let served = served.await.unwrap();
        let (store, ports) = kept.unwrap();
        let beside = beside(&running.sandbox, asked, (&store, ports), &pages).await;
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let management = format!("http://{}", tcp.local_addr().unwrap());
        let connection = Connection {
            origin: Arc::from(management.as_str()),
            peer_certificate: None,
            is_told_by_proxy: false,
            peer_authorities: [].into(),
            peer_address: Some("127.0.0.1".parse().unwrap()),
        };
        let routes = beside.layer(Extension(connection));
        listeners.spawn(async move { axum::serve(tcp, routes).await.unwrap() });
        for (origin, says_who) in [(&pages, true), (&interface, false)] {
            let way = Way {
                interface: format!("http://{}", served.interface),
                pages: format!("http://{}", served.pages),
                issuer: running.addresses.management.clone(),
                authority: running.sandbox.authorities.root_pem(),
                says_who,
                last: Mutex::new(NOBODY.to_owned()),
            };
            ways().insert(origin.clone(), Arc::new(way));
        }
        let _found = Found([pages.clone(), interface.clone()]);
        Self { served, pages, interface, management, store, _found, _files: files, _listeners: listeners }
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.served.stop().await;
    }
}

/// The addresses under which a gateway is found while it is there.
#[derive(Debug)]
struct Found([String; 2]);

impl Drop for Found {
    fn drop(&mut self) {
        self.0.iter().for_each(|origin| drop(ways().remove(origin)));
    }
}

/// Where the books of a test are that wants its data there: the gateway has its own.
pub(crate) fn books(data: &DataLocation) -> DataLocation {
    match data {
        DataLocation::Folder(folder) => DataLocation::Folder(folder.join("books")),
        DataLocation::Memory | DataLocation::Database(_) => DataLocation::Memory,
    }
}

/// Addresses that no other server of this process has.
fn origins() -> (String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    (format!("https://bank-{number}.example.com"), format!("https://api.bank-{number}.example.com"))
}

/// Serves a sandbox's books by the core bank interface, and writes down what the gateway needs to reach it.
async fn serve_books(
    running: &Running,
    asked: &SandboxConfig,
    folder: &Path,
    listeners: &mut JoinSet<()>,
) -> String {
    let made = test_authority::make(&["127.0.0.1".to_owned()]).unwrap();
    for (name, text) in [
        ("core-authority.pem", &made.authority),
        ("core-client.pem", &made.client),
        ("core-client.key", &made.client_key),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let tls = TlsSettings {
        certificate: made.server.into_bytes(),
        private_key: made.server_key.into_bytes(),
        client_authorities: made.authority.into_bytes(),
    };
    let (bank, books) = (running.sandbox.telling().await.unwrap(), Store::clone(&running.sandbox.store));
    let routes = router(bank, books, asked.tenants.clone());
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", tcp.local_addr().unwrap());
    let listener = Listener::begin(tcp, &tls).unwrap();
    listeners.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    url
}

async fn write_configuration(
    asked: &SandboxConfig,
    folder: &Path,
    (pages, interface, core_bank): (&str, &str, &str),
) -> std::path::PathBuf {
    let branches: Vec<_> = asked.tenants.iter().map(|tenant| format!("\"{tenant}\"")).collect();
    let database = match &asked.data {
        DataLocation::Folder(data) => {
            fs::create_dir_all(data).unwrap();
            format!("sqlite_file = {:?}", data.join("sandbox.db"))
        }
        _ if crate::database::is_wanted() => {
            fs::write(folder.join("database.address"), crate::database::make().await).unwrap();
            "address_file = \"database.address\"".to_owned()
        }
        _ => "sqlite_file = \"vestibule.db\"".to_owned(),
    };
    let text = format!(
        "[bank]\nname = \"{BANK}\"\nbranches = [{}]\nrules = \"{}\"\ncross_border_payments = {}\n\
         id_tokens = \"{}\"\ninterfaces = [\"berlin-group\", \"bunq\"]\n\
         [interface]\nlisten = \"127.0.0.1:0\"\nurl = \"{interface}\"\n\
         [pages]\nlisten = \"127.0.0.1:0\"\nurl = \"{pages}\"\n\
         [proxy]\naddresses = [\"127.0.0.1\"]\n\
         [trust]\nanchor_files = [\"anchors.pem\"]\nintermediate_files = [\"intermediates.pem\"]\n\
         check_revocation = false\ntest_authorities = true\n\
         [database]\n{database}\n\
         [core_bank]\nurl = \"{core_bank}\"\ncertificate_file = \"core-client.pem\"\nkey_file = \"core-client.key\"\n\
         trust_files = [\"core-authority.pem\"]\n\
         own_numbers = [\"NLVSTB\", \"NLBUNQ\", \"BE999\", \"GBVSTB\"]\n\
         [management]\nlisten = \"127.0.0.1:0\"\ndrain = \"0s\"\n",
        branches.join(", "),
        if asked.strictness == Strictness::Strict { "strict" } else { "lenient" },
        asked.cross_border_payments,
        if asked.id_token_algorithm == IdTokenAlgorithm::Es256 { "ES256" } else { "RS256" },
    );
    let path = folder.join("vestibule.toml");
    fs::write(&path, text).unwrap();
    path
}

/// Writes down whom the gateway trusts: the sandbox's authorities, and those that the test names.
fn trust(sandbox: &Sandbox, asked: &SandboxConfig, folder: &Path) {
    let own: Vec<_> = sandbox.authorities.own().unwrap();
    let pem = |one: &Certificate| eidas::certificate::to_pem(&one.der);
    let mut anchors = pem(&own[0]);
    for path in &asked.trusted_authorities {
        anchors += &fs::read_to_string(path).unwrap();
    }
    fs::write(folder.join("anchors.pem"), anchors).unwrap();
    fs::write(folder.join("intermediates.pem"), own[1..].iter().map(pem).collect::<String>()).unwrap();
}

/// The same as the second node has it.
fn trust_of(sandbox: &Sandbox, asked: &SandboxConfig) -> eidas::TrustStore {
    let mut trust = eidas::TrustStore::default();
    let own = sandbox.authorities.own().unwrap();
    trust.add_anchor(&own[0].der).unwrap();
    own[1..].iter().for_each(|between| trust.add_intermediate(&between.der));
    for path in &asked.trusted_authorities {
        let named = chain_from_pem(fs::read(path).unwrap()).unwrap();
        named.iter().for_each(|anchor| trust.add_anchor(anchor).unwrap());
    }
    trust
}

/// The management API over the sandbox behind and a second node on the gateway's database.
async fn beside(
    sandbox: &Sandbox,
    asked: &SandboxConfig,
    (store, ports): (&Store, Bank),
    pages: &str,
) -> axum::Router {
    let randomness = Arc::new(Randomness::from_system());
    let mut profiles = of_sandbox(asked.strictness, RateLimits::On);
    profiles.berlin_group.cross_border_payments = asked.cross_border_payments;
    let gateway = Gateway::new(Parts {
        settings: Settings { tenants: asked.tenants.clone(), profiles, kept: Kept::default() },
        store: store.clone(),
        clock: sandbox.clock.clone(),
        keys: Keys::load_or_make(&Drawer::new(store, "gateway"), &randomness).await.unwrap(),
        randomness,
        bank: Bank { test_doors: sandbox.bank.test_doors.clone(), ..ports },
        trust: trust_of(sandbox, asked),
        revocation: None,
        register: None,
        sealing: gateway::Sealing::default(),
    });
    let keys = SigningKeys::load_or_make(Drawer::new(store, "oauth"), asked.id_token_algorithm);
    let edge = Edge::new(Surroundings {
        gateway: gateway.clone(),
        public_url: Arc::from(pages),
        mtls_url: None,
        require_mtls: true,
        explain: false,
        loopback: Loopback::Refused,
    });
    let mounted: Vec<_> = DIALECTS.iter().map(|one| (one.name, (one.mount)(edge.at(one.name)))).collect();
    let due = mounted.iter().filter_map(|(_, mounted)| mounted.due.clone());
    let due = due.fold(Agenda::default().with(sandbox::due(sandbox)), Agenda::with);
    let entrances = mounted.iter().flat_map(|(_, mounted)| mounted.entrances.clone()).collect();
    let doors = mounted.iter().filter_map(|(name, mounted)| Some((*name, mounted.door.clone()?))).collect();
    let mut sandbox = sandbox.clone();
    sandbox.gateway = gateway;
    let books = sandbox.clone();
    let device_numbers: oauth::DeviceNumbers = Arc::new(move |tenant, iban| {
        let books = books.clone();
        Box::pin(async move { books.digipass_number(&tenant, &iban).await })
    });
    let others = oauth::approvals(edge, keys.await.unwrap(), device_numbers, entrances);
    let exchange: sandbox::Exchange =
        Arc::new(|_| Box::pin(future::ready(Err::<(), _>(SnapshotError::Shared))));
    let back = GoingBack { snapshots: Arc::new(Snapshots::none()), exchange };
    let interfaces = Interfaces { doors, ..Interfaces::default() };
    sandbox::management(sandbox, others, interfaces, due, (PortalPages::new(&[], ""), back))
}
