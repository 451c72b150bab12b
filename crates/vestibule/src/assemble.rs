//! Serves what a bank consists of, whichever bank it is: listeners, TLS, stop.

use std::net::SocketAddr;
use std::sync::Arc;

use edge::Observer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::gate::{Gate, Side};
use crate::listener::Listener;
use crate::start_error::StartError;
use crate::tls;

/// An address of this machine that is listened on.
pub(crate) struct Socket {
    tcp: TcpListener,
    /// With the port that was given.
    pub(crate) address: SocketAddr,
}

impl Socket {
    /// Listens at an address, which `option` of the command line names.
    pub(crate) async fn bind(address: &str, option: &'static str) -> Result<Self, StartError> {
        let error = |error: std::io::Error| StartError::Listen {
            address: address.to_owned(),
            reason: match error.kind() {
                std::io::ErrorKind::AddrInUse => "the address is in use".to_owned(),
                _ => error.to_string(),
            },
            option,
        };
        let tcp = TcpListener::bind(address).await.map_err(error)?;
        let address = tcp.local_addr().map_err(error)?;
        Ok(Self { tcp, address })
    }

    /// Where it is reached.
    pub(crate) fn reachable(&self) -> SocketAddr {
        reachable(self.address)
    }
}

/// A bank's listeners. All are there before anything else is tried.
pub(crate) struct Sockets {
    /// Without TLS.
    pub(crate) public: Socket,
    /// With TLS.
    pub(crate) secured: Option<Socket>,
    /// The management API.
    pub(crate) management: Socket,
}

/// The origins that the listeners of a bank stand for.
pub(crate) struct Origins<'a> {
    pub(crate) public: &'a str,
    pub(crate) tls: Option<&'a str>,
    pub(crate) management: &'a str,
}

/// Who is told of the calls of a bank.
pub(crate) struct Observers {
    /// Of those that anybody makes.
    pub(crate) public: Arc<dyn Observer>,
    /// Of those to the management API, which are the test's own.
    pub(crate) management: Arc<dyn Observer>,
}

/// What serves, until it is stopped.
#[derive(Debug)]
pub(crate) struct Serving {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Serving {
    /// Begins to serve what is behind a gate, with certificates that `issue` makes.
    ///
    /// # Errors
    /// [`StartError::Tls`]
    pub(crate) fn begin(
        sockets: Sockets,
        origins: &Origins<'_>,
        gate: &Arc<Gate>,
        issue: tls::Issue,
    ) -> Result<Self, StartError> {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut serve = |socket: Socket, tls, side, origin: &str| {
            let listener =
                Listener { tcp: socket.tcp, tls, gate: Arc::clone(gate), side, origin: Arc::from(origin) };
            tasks.spawn(listener.serve(stopped.clone()));
        };
        if let (Some(socket), Some(origin)) = (sockets.secured, origins.tls) {
            let config = tls::server_config(tls::issued(issue)?)?;
            let acceptor = TlsAcceptor::from(config);
            serve(socket, Some(acceptor), Side::Public, origin);
        }
        serve(sockets.public, None, Side::Public, origins.public);
        serve(sockets.management, None, Side::Management, origins.management);
        Ok(Self { stop, tasks })
    }

    /// Stops accepting, and lets running requests end.
    pub(crate) async fn stop(&mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
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
