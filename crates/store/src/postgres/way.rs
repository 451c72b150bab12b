//! The way to the database: its hosts, one after the other until one answers.
//!
//! None is waited for longer than a while, whatever it does meanwhile: a server that was stopped takes connections, since its system
//! does that for it, and says nothing.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::Connection;
use super::failed::unavailable;
use super::pool::Held;
use crate::StoreError;

/// How long a host may take until it has let somebody in, and how long of that its system may take to answer.
const ALONE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(4));

/// The same of each host where there are several: those that do not answer are in front of the one that does.
const ONE_OF_SEVERAL: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(1));

/// How long a host may leave unsaid that it got what was sent, before it is taken for gone. A server that thinks long says so meanwhile.
const UNHEARD: Duration = Duration::from_secs(5);

/// How long nothing is said on a connection before it is asked whether it is still there, and how often and how many times. What is between
/// here and the server forgets connections on which nothing is said, after a few minutes, and the first write on one of them is lost. And where an address moves to another machine, connections whose commits the one before
/// has acknowledged and does not end have their places until this has found that it is gone.
const KEPT_ALIVE: (Duration, Duration, u32) = (Duration::from_secs(10), Duration::from_secs(5), 3);

/// The same where an address says nothing: what the library has, and no address needs to say.
const KEPT_ALIVE_BY_DEFAULT: Duration = Duration::from_hours(2);

/// What the server is told about statements: none runs for longer than somebody waits for it.
const OPTIONS: &str = "-c statement_timeout=20s";

/// The port of PostgreSQL, where none is named.
const PORT: u16 = 5432;

/// The way to the database.
pub(super) struct Way {
    hosts: Vec<Place>,
    /// Which of them was reached last: it is asked first.
    last: AtomicUsize,
    in_any_order: bool,
    tls: Option<MakeRustlsConnect>,
    /// How long one may take until it has let somebody in.
    within: Duration,
}

/// A host, with all that an address says besides.
struct Place {
    /// Without the host.
    config: Config,
    host: Option<Host>,
    address: Option<IpAddr>,
    port: u16,
}

impl fmt::Debug for Way {
    /// Without the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Way").field("hosts", &self.hosts.len()).finish_non_exhaustive()
    }
}

impl Way {
    /// Reads an address. What is wrong with one is not repeated, since it may hold a password.
    pub(super) fn parse(address: &str) -> Result<Self, StoreError> {
        let mut config: Config = address.parse().map_err(|error| wrong(&error))?;
        if config.get_application_name().is_none() {
            config.application_name("vestibule");
        }
        let is_one_of_several = config.get_hosts().len().max(config.get_hostaddrs().len()) > 1;
        let (within, connecting) = if is_one_of_several { ONE_OF_SEVERAL } else { ALONE };
        // As libpq has it, one that is named is for each host, and for all that it takes to be let in.
        let within = config.get_connect_timeout().copied().unwrap_or(within);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(connecting);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNHEARD);
        }
        keep_alive(&mut config);
        // A standby would take no writes, and would not know the latest ones.
        if is_one_of_several && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let options = config.get_options().map(|options| format!("{options} {OPTIONS}"));
        config.options(options.unwrap_or_else(|| OPTIONS.to_owned()));
        if config.get_ssl_mode() == SslMode::Prefer {
            let here = config.get_hostaddrs().iter().all(|address| address.is_loopback())
                && config.get_hosts().iter().all(is_here);
            config.ssl_mode(if here { SslMode::Disable } else { SslMode::Require });
        }
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(trusting_the_system()?)),
        };
        let in_any_order = config.get_load_balance_hosts() == LoadBalanceHosts::Random;
        Ok(Self { hosts: places(&config)?, last: AtomicUsize::new(0), in_any_order, tls, within })
    }

    /// A connection to the first host that gives one.
    pub(super) async fn connect(&self) -> Result<Connection, StoreError> {
        let mut failed = StoreError::unavailable("its address names no host");
        for index in self.order() {
            match self.connect_to(&self.hosts[index]).await {
                Ok(connection) => {
                    self.last.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// A connection to a host, by the first of its addresses that gives one.
    async fn connect_to(&self, place: &Place) -> Result<Connection, StoreError> {
        let mut failed = StoreError::unavailable("the name of a host stands for no address");
        for config in self.configs_of(place).await? {
            match timeout(self.within, self.connect_by(&config)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => failed = error,
                Err(_) => failed = silent(self.within),
            }
        }
        Err(failed)
    }

    /// How many hosts there are: one at least.
    pub(super) fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// Which of them was reached last.
    pub(super) fn last_host(&self) -> usize {
        self.last.load(Ordering::Relaxed) % self.hosts.len().max(1)
    }

    /// In which order the hosts are asked.
    fn order(&self) -> Vec<usize> {
        let count = self.hosts.len();
        let mut order: Vec<_> = (0..count).collect();
        if self.in_any_order {
            let state = RandomState::new();
            order.sort_by_key(|index| state.hash_one(index));
        } else {
            order.rotate_left(self.last_host());
        }
        order
    }

    /// How a host is reached: by each address that its name stands for.
    async fn configs_of(&self, place: &Place) -> Result<Vec<Config>, StoreError> {
        let Place { config, host, address, port } = place;
        let (mut config, port) = (config.clone(), *port);
        config.port(port);
        match (host, address) {
            #[cfg(unix)]
            (Some(Host::Unix(path)), None) => {
                config.host_path(path);
                Ok(vec![config])
            }
            (Some(Host::Tcp(name)), None) => {
                let unknown = |error: std::io::Error| {
                    StoreError::unavailable(format!("the name of a host cannot be looked up: {error}"))
                };
                let found = timeout(self.within, lookup_host((name.as_str(), port)));
                let found = found.await.map_err(|_| silent(self.within))?.map_err(unknown)?;
                let by_address = |found: std::net::SocketAddr| {
                    let mut config = config.clone();
                    config.host(name).hostaddr(found.ip());
                    config
                };
                Ok(found.map(by_address).collect())
            }
            (host, address) => {
                if let Some(Host::Tcp(name)) = host {
                    config.host(name);
                }
                if let Some(address) = address {
                    config.hostaddr(*address);
                }
                Ok(vec![config])
            }
        }
    }

    async fn connect_by(&self, config: &Config) -> Result<Connection, StoreError> {
        match &self.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await.map_err(unreachable)?;
                Ok(Connection::of(client, driven(connection)))
            }
            None => {
                let (client, connection) = config.connect(NoTls).await.map_err(unreachable)?;
                Ok(Connection::of(client, driven(connection)))
            }
        }
    }
}

/// Drives a connection in a task, until it has ended: if its client goes, once the server has answered all that was sent.
fn driven(connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static) -> Held {
    let held = Held::default();
    let until_its_end = held.clone();
    tokio::spawn(async move {
        // Whoever waits for an answer is told of a failure.
        let _ = connection.await;
        drop(until_its_end);
    });
    held
}

/// A host that did not let anybody in within its time.
fn silent(within: Duration) -> StoreError {
    StoreError::unavailable(format!(
        "a host does not answer within {within:?}, or takes connections and says nothing"
    ))
}

/// The hosts of an address, each with the rest of it.
fn places(config: &Config) -> Result<Vec<Place>, StoreError> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    if count == 0 {
        return Err(StoreError::unavailable("the address of the database names no host"));
    }
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(StoreError::unavailable(
            "the address of the database has another number of hostaddr than of host",
        ));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(StoreError::unavailable(
            "the address of the database has neither one port nor one for each host",
        ));
    }
    let rest = without_hosts(config);
    let place = |index: usize| Place {
        config: rest.clone(),
        host: hosts.get(index).cloned(),
        address: addresses.get(index).copied(),
        port: ports.get(index).or(ports.first()).copied().unwrap_or(PORT),
    };
    Ok((0..count).map(place).collect())
}

/// Options that PostgreSQL's own programs take in an address, and that are not taken here. A word that is none of them may be a part of a
/// password.
const NOT_TAKEN: [&str; 20] = [
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslcertmode",
    "sslcrl",
    "sslcrldir",
    "sslsni",
    "sslcompression",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "passfile",
    "service",
    "require_auth",
    "requirepeer",
    "gssencmode",
    "krbsrvname",
    "client_encoding",
    "fallback_application_name",
    "replication",
];

/// What is wrong with an address: the option, and never a value.
fn wrong(error: &tokio_postgres::Error) -> StoreError {
    let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let option = said.split('`').nth(1).unwrap_or_default();
    let is_known = said.starts_with("invalid value");
    let system = "the authorities of this system, or those in the file that SSL_CERT_FILE names";
    StoreError::unavailable(match option {
        "sslmode" => format!(
            "sslmode in the address of the database is disable, prefer or require; write sslmode=require, which checks the \
             certificate of the server and the name in it as verify-full does elsewhere, against {system}"
        ),
        "sslrootcert" => {
            format!(
                "the address of the database has the option sslrootcert; leave it out: a server is checked against {system}"
            )
        }
        option if is_known => {
            format!("the option {option} in the address of the database has a value that it cannot have")
        }
        option if NOT_TAKEN.contains(&option) => {
            format!(
                "the address of the database has the option {option}, which is not taken here; leave it out"
            )
        }
        _ => "the address of the database is none of PostgreSQL, such as postgres://user:password@host/name"
            .to_owned(),
    })
}

/// Lets connections on which nothing is said be asked about, as far as an address does not say otherwise.
fn keep_alive(config: &mut Config) {
    let (idle, interval, retries) = KEPT_ALIVE;
    if config.get_keepalives_idle() == KEPT_ALIVE_BY_DEFAULT {
        config.keepalives_idle(idle);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(interval);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(retries);
    }
}

/// All that an address says, but for its hosts and their ports, which can only be added to.
fn without_hosts(config: &Config) -> Config {
    let mut rest = Config::new();
    rest.ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding());
    if let Some(user) = config.get_user() {
        rest.user(user);
    }
    if let Some(password) = config.get_password() {
        rest.password(password);
    }
    if let Some(name) = config.get_dbname() {
        rest.dbname(name);
    }
    if let Some(options) = config.get_options() {
        rest.options(options);
    }
    if let Some(name) = config.get_application_name() {
        rest.application_name(name);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        rest.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        rest.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        rest.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        rest.keepalives_retries(retries);
    }
    rest
}

fn is_here(host: &Host) -> bool {
    match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn trusting_the_system() -> Result<ClientConfig, StoreError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Unavailable(Arc::new(error)))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Why there is no connection: the library's text names the step, and what is below it the reason.
fn unreachable(error: tokio_postgres::Error) -> StoreError {
    match std::error::Error::source(&error) {
        Some(reason) if error.as_db_error().is_none() => {
            StoreError::unavailable(format!("{error}: {reason}"))
        }
        _ => unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_address_is_lost_but_its_hosts() {
        let text = "host=a,/b hostaddr=192.0.2.1,192.0.2.2 port=1,2 user=u password=p dbname=d options=o application_name=n \
                    sslmode=require sslnegotiation=direct connect_timeout=7 tcp_user_timeout=8 keepalives=0 keepalives_idle=9 \
                    keepalives_interval=10 keepalives_retries=11 target_session_attrs=read-only channel_binding=require";
        let whole: Config = text.parse().unwrap();
        let without = text.split_once(" user=").map(|(_, rest)| format!("user={rest}")).unwrap();
        assert_eq!(without_hosts(&whole), without.parse().unwrap());
        let places = places(&whole).unwrap();
        let found: Vec<_> = places.iter().map(|one| (one.host.clone(), one.address, one.port)).collect();
        let address = |last| Some(IpAddr::from([192, 0, 2, last]));
        assert_eq!(found[0], (Some(Host::Tcp("a".to_owned())), address(1), 1));
        assert_eq!(found[1], (Some(Host::Unix("/b".into())), address(2), 2));
    }

    #[test]
    fn addresses_that_do_not_fit_together_are_refused() {
        for (address, says) in [
            ("user=u", "names no host"),
            ("host=a,b hostaddr=192.0.2.1", "another number of hostaddr"),
            ("host=a,b,c port=1,2", "neither one port"),
            ("host=a nonsense", "none of PostgreSQL"),
            ("host=a sslmode=verify-full", "write sslmode=require"),
            ("postgres://u:p@a/d?sslmode=verify-ca", "write sslmode=require"),
            ("postgres://u:p@a/d?sslrootcert=/ca.pem", "SSL_CERT_FILE"),
            ("host=a sslcert=/c.pem", "the option sslcert, which"),
            ("host=a connect_timeout=soon", "the option connect_timeout in"),
            // With a blank in it, what follows of a password reads as an option.
            ("host=a password=correct horse=battery", "none of PostgreSQL"),
        ] {
            let error = Way::parse(address).unwrap_err().to_string();
            assert!(error.contains(says), "{address}: {error}");
            assert!(
                !["verify-ca", "ca.pem", "soon", "horse"].iter().any(|value| error.contains(value)),
                "{error}"
            );
        }
        let within = |address: &str| Way::parse(address).unwrap().within;
        assert_eq!(within("host=localhost"), ALONE.0);
        assert_eq!(within("host=/a,/b"), ONE_OF_SEVERAL.0);
        assert_eq!(within("host=/a,/b connect_timeout=9"), Duration::from_secs(9));
    }

    /// What is between here and the server forgets who says nothing. What an address says stays.
    #[test]
    fn connections_on_which_nothing_is_said_are_asked_about() {
        let of = |address: &str| {
            let config = &Way::parse(address).unwrap().hosts[0].config;
            (config.get_keepalives_idle(), config.get_keepalives_interval(), config.get_keepalives_retries())
        };
        let seconds = Duration::from_secs;
        assert_eq!(of("host=a"), (seconds(10), Some(seconds(5)), Some(3)));
        let said = "host=a keepalives_idle=7 keepalives_interval=8 keepalives_retries=9";
        assert_eq!(of(said), (seconds(7), Some(seconds(8)), Some(9)));
    }

    /// Who was reached last is asked first, so that a host that is silent costs a new connection nothing.
    #[test]
    fn the_host_that_was_reached_last_is_asked_first() {
        let way = Way::parse("host=/a,/b,/c").unwrap();
        assert_eq!(way.order(), [0, 1, 2]);
        way.last.store(2, Ordering::Relaxed);
        assert_eq!(way.order(), [2, 0, 1]);
        let mut any = Way::parse("host=/a,/b,/c load_balance_hosts=random").unwrap().order();
        any.sort_unstable();
        assert_eq!(any, [0, 1, 2]);
    }
}
