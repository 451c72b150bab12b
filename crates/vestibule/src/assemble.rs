//! Serves what a bank consists of, whichever bank it is: listeners, TLS, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use edge::Observer;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::gate::{Gate, Side};
use crate::listener::{GRACE, Listener};
use crate::serve::TrustedProxy;
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
        let error = |error: std::io::Error| {
            let (address, kind) = (address.to_owned(), error.kind());
            let reason = match kind {
                std::io::ErrorKind::InvalidInput => {
                    return StartError::NoAddress { address, example: "127.0.0.1:8080", option };
                }
                std::io::ErrorKind::AddrInUse => "the address is in use".to_owned(),
                _ => error.to_string(),
            };
            StartError::Listen { address, reason, option }
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
    /// Time that running requests get when it is stopped.
    grace: Duration,
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
        let mut serving = Self::new();
        if let (Some(socket), Some(origin)) = (sockets.secured, origins.tls) {
            let config = tls::server_config(tls::issued(issue)?, tls::ClientCertificate::Asked)?;
            serving.listen(socket, (Some(config), None), (gate, Side::Public), origin);
        }
        serving.listen(sockets.public, (None, None), (gate, Side::Public), origins.public);
        serving.listen(sockets.management, (None, None), (gate, Side::Management), origins.management);
        Ok(serving)
    }

    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::with_grace(GRACE)
    }

    /// Nothing yet, where calls may take longer than most.
    pub(crate) fn with_grace(grace: Duration) -> Self {
        Self { tasks: JoinSet::new(), stop: watch::channel(false).0, grace }
    }

    /// Serves a side of what is behind a gate at an address too, with TLS that ends here, or behind a proxy, or with neither.
    pub(crate) fn listen(
        &mut self,
        socket: Socket,
        (tls, proxy): (Option<Arc<ServerConfig>>, Option<Arc<TrustedProxy>>),
        (gate, side): (&Arc<Gate>, Side),
        origin: &str,
    ) {
        let (tls, gate, origin) = (tls.map(TlsAcceptor::from), Arc::clone(gate), Arc::from(origin));
        let listener = Listener { tcp: socket.tcp, tls, proxy, gate, side, origin, grace: self.grace };
        self.tasks.spawn(listener.serve(self.stop.subscribe()));
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
