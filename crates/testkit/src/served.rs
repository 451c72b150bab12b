//! The server of a test as `vestibule serve` assembles it, with `VESTIBULE_TEST_BANK=core-bank`: a gateway behind a proxy that ends
//! TLS, and behind it, over the core bank interface with mutual TLS, the books of the sandbox that the test would have had.
//! What a test moves by the management API moves at that sandbox. What of it is the gateway's (approvals, third parties,
//! consents) goes to a second node on the gateway's database, beside which the customers' devices are.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::{fs, future};

use axum::extract::Extension;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use core_bank::server::tls::{Listener, TlsSettings};
use core_bank::server::{router, test_authority};
use edge::outbound::Loopback;
use edge::{Agenda, Connection, Edge, Surroundings};
use eidas::Certificate;
use eidas::header::{HeaderForm, certificate_der};
use gateway::{Bank, Clock, Drawer, Gateway, Kept, Keys, Parts, Randomness, Settings, Store};
use http::HeaderMap;
use oauth::{IdTokenAlgorithm, SigningKeys};
use sandbox::{GoingBack, PortalPages, Sandbox, SnapshotError, Snapshots};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use vestibule::configuration::Configuration;
use vestibule::profiles::{RateLimits, Strictness, of_sandbox};
use vestibule::{Behind, DataLocation, Running, SandboxConfig, Served, serve};

use crate::Request;

/// Who connects when nothing in a request says whose it is.
const NOBODY: &str = "PSDNL-DNB-R424242";

/// What the bank is called at every branch: as a bank for tests is at the one that most tests are of.
pub(crate) const BANK: &str = "Vestibule Bank Nederland";

/// The header in which the proxy hands certificates on (RFC 9440).
const CLIENT_CERT: &str = "client-cert";

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
            peer_authorities: [].into(),
            peer_address: Some("127.0.0.1".parse().unwrap()),
        };
        let routes = beside.layer(Extension(connection));
        listeners.spawn(async move { axum::serve(tcp, routes).await.unwrap() });
        for (origin, says_who) in [(&pages, true), (&interface, false)] {
            let way = Way {
                interface: format!("http://{}", served.interface),
                pages: format!("http://{}", served.pages),
                beside: running.addresses.public.clone(),
                issuer: running.addresses.management.clone(),
                authority: running.sandbox.authorities.root_pem(),
                says_who,
                last: Mutex::new(NOBODY.to_owned()),
            };
            ways().insert(origin.clone(), Arc::new(way));
        }
        let _found = Found([pages.clone(), interface.clone()]);
        Self { served, pages, interface, management, _found, _files: files, _listeners: listeners }
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
    let routes = router(running.sandbox.telling().await.unwrap(), asked.tenants.clone());
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
         id_tokens = \"{}\"\n\
         [interface]\nlisten = \"127.0.0.1:0\"\nurl = \"{interface}\"\n\
         [pages]\nlisten = \"127.0.0.1:0\"\nurl = \"{pages}\"\n\
         [proxy]\naddresses = [\"127.0.0.1\"]\n\
         [trust]\nanchor_files = [\"anchors.pem\"]\nintermediate_files = [\"intermediates.pem\"]\n\
         check_revocation = false\n\
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
    let mut trust = eidas::TrustStore::default();
    for certificate in sandbox.authorities.own().unwrap() {
        trust.add_intermediate(&certificate.der);
    }
    let gateway = Gateway::new(Parts {
        settings: Settings { tenants: asked.tenants.clone(), profiles, kept: Kept::default() },
        store: store.clone(),
        clock: sandbox.clock.clone(),
        keys: Keys::load_or_make(&Drawer::new(store, "gateway"), &randomness).await.unwrap(),
        randomness,
        bank: Bank { test_doors: sandbox.bank.test_doors.clone(), ..ports },
        trust,
        revocation: None,
        register: None,
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
    let due = Agenda::default().with(sandbox::due(sandbox));
    let mut sandbox = sandbox.clone();
    sandbox.gateway = gateway;
    let books = sandbox.clone();
    let device_numbers: oauth::DeviceNumbers = Arc::new(move |tenant, iban| {
        let books = books.clone();
        Box::pin(async move { books.digipass_number(&tenant, &iban).await })
    });
    let others = oauth::approvals(edge, keys.await.unwrap(), device_numbers, Vec::new());
    let exchange: sandbox::Exchange =
        Arc::new(|_| Box::pin(future::ready(Err::<(), _>(SnapshotError::Shared))));
    let back = GoingBack { snapshots: Arc::new(Snapshots::none()), exchange };
    sandbox::management(sandbox, others, Vec::new(), due, (PortalPages::new(&[], ""), back))
}

/// The way to a gateway: the proxy before it.
#[derive(Debug)]
struct Way {
    /// Host and port of the listeners.
    interface: String,
    pages: String,
    /// The doors that the bank behind has of its own.
    beside: String,
    /// Who issues certificates: the management API of the sandbox behind.
    issuer: String,
    /// The authority of these certificates.
    authority: String,
    /// Whether a request itself says whose connection it came by. Otherwise the client says it, or nobody.
    says_who: bool,
    /// Who called last.
    last: Mutex<String>,
}

fn ways() -> std::sync::MutexGuard<'static, HashMap<String, Arc<Way>>> {
    static WAYS: OnceLock<Mutex<HashMap<String, Arc<Way>>>> = OnceLock::new();
    WAYS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a request for an origin goes, and the headers that the proxy there adds.
pub(crate) async fn on_the_way(request: &Request, origin: &str) -> Option<(String, HeaderMap)> {
    let way = ways().get(origin).cloned()?;
    let mut headers = request.headers.clone();
    if request.target.starts_with(crate::bunq::BUNQ) {
        return Some((way.beside.clone(), headers));
    }
    if headers.get("accept").is_some_and(|accept| accept.as_bytes().starts_with(b"text/html")) {
        return Some((way.pages.clone(), headers));
    }
    if way.says_who && !headers.contains_key(CLIENT_CERT) {
        let der = match headers.get("ssl-certificate").map(|value| read(value.as_bytes())) {
            Some(Some(der)) => der,
            _ => way.certificate(&way.who(request)).await,
        };
        headers.insert(CLIENT_CERT, presented(&der).parse().unwrap());
    }
    Some((way.interface.clone(), headers))
}

impl Way {
    /// Whose connection a request comes by: that of whom it names, or else of whoever called last.
    fn who(&self, request: &Request) -> String {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(who) = caller(request) {
            *last = who;
        }
        last.clone()
    }

    /// The certificate that a third party connects with: always the same one, also after a restart of the bank.
    async fn certificate(&self, who: &str) -> Vec<u8> {
        static MADE: Mutex<BTreeMap<(String, String), Vec<u8>>> = Mutex::new(BTreeMap::new());
        let made = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.authority.clone(), who.to_owned());
        let known = made().get(&key).cloned();
        if let Some(known) = known {
            return known;
        }
        let wish = json!({"organizationIdentifier": who, "profile": "qwac"});
        let asked = crate::server::client().post(format!("{}/test-certificates", self.issuer));
        let answer = asked.header("content-type", "application/json").body(wish.to_string()).send().await;
        let answer: Value = serde_json::from_slice(&answer.unwrap().bytes().await.unwrap()).unwrap();
        let pem = answer["certificate"].as_str().unwrap_or_else(|| panic!("{who}: {answer}"));
        made().entry(key).or_insert(Certificate::from_pem(pem).unwrap().der).clone()
    }
}

/// A certificate as the proxy hands it on.
pub(crate) fn presented(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(der))
}

fn read(value: &[u8]) -> Option<Vec<u8>> {
    certificate_der(value, HeaderForm::Any).ok()
}

/// The third party that a request is of, by its signing certificate or the client that it names.
fn caller(request: &Request) -> Option<String> {
    let header = |name: &str| request.headers.get(name);
    if let Some(value) = header("tpp-signature-certificate") {
        let certificate = Certificate::from_der(&read(value.as_bytes())?).ok()?;
        let id = certificate.organization_identifier().ok()?.as_str().to_owned();
        return Some(id).filter(|id| is_id(id));
    }
    if let Some(basic) = header("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
    {
        let decoded = String::from_utf8(STANDARD.decode(basic).ok()?).ok()?;
        let id = percent_decode(decoded.split(':').next()?);
        return Some(id).filter(|id| is_id(id));
    }
    let form = std::str::from_utf8(&request.body).ok()?;
    let id =
        url::form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "client_id")?.1.into_owned();
    Some(id).filter(|id| is_id(id))
}

/// What a form would say, which is how ids stand in the header (RFC 6749, 2.3.1).
fn percent_decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={text}").as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

fn is_id(text: &str) -> bool {
    text.starts_with("PSD") && text.split('-').count() == 3 && text.len() < 60
}
