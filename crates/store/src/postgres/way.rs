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
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::Connection;
use super::failed::unavailable;
use crate::StoreError;

/// How long a host may take until it has let somebody in, and how long of that its system may take to answer.
const ALONE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(4));

/// The same of each host where there are several: those that do not answer are in front of the one that does.
const ONE_OF_SEVERAL: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(1));

/// How long a host may leave unsaid that it got what was sent, before it is taken for gone. A server that thinks long says so meanwhile.
const UNHEARD: Duration = Duration::from_secs(5);

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
        let wrong = |_| {
            let text = "the address of the database is none of PostgreSQL, such as postgres://user:password@host/name";
            StoreError::unavailable(text)
        };
        let mut config: Config = address.parse().map_err(wrong)?;
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
                Ok(client) => {
                    self.last.store(index, Ordering::Relaxed);
                    return Ok(Connection::of(client));
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// A connection to a host, by the first of its addresses that gives one.
    async fn connect_to(&self, place: &Place) -> Result<Client, StoreError> {
        let mut failed = StoreError::unavailable("the name of a host stands for no address");
        for config in self.configs_of(place).await? {
            match timeout(self.within, self.connect_by(&config)).await {
                Ok(Ok(client)) => return Ok(client),
                Ok(Err(error)) => failed = error,
                Err(_) => failed = silent(self.within),
            }
        }
        Err(failed)
    }

    /// In which order the hosts are asked.
    fn order(&self) -> Vec<usize> {
        let count = self.hosts.len();
        let mut order: Vec<_> = (0..count).collect();
        if self.in_any_order {
            let state = RandomState::new();
            order.sort_by_key(|index| state.hash_one(index));
        } else {
            order.rotate_left(self.last.load(Ordering::Relaxed) % count.max(1));
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

    async fn connect_by(&self, config: &Config) -> Result<Client, StoreError> {
        match &self.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await.map_err(unreachable)?;
                tokio::spawn(connection);
                Ok(client)
            }
            None => {
                let (client, connection) = config.connect(NoTls).await.map_err(unreachable)?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }
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
        ] {
            let error = Way::parse(address).unwrap_err().to_string();
            assert!(error.contains(says), "{address}: {error}");
        }
        let within = |address: &str| Way::parse(address).unwrap().within;
        assert_eq!(within("host=localhost"), ALONE.0);
        assert_eq!(within("host=/a,/b"), ONE_OF_SEVERAL.0);
        assert_eq!(within("host=/a,/b connect_timeout=9"), Duration::from_secs(9));
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
