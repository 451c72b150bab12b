//! Puts the parts of a bank together and serves them, whichever bank it is: listeners, TLS, tasks, stop.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use edge::Observer;
use gateway::Gateway;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::app::Bank;
use crate::front::{Front, Routes};
use crate::listener::Listener;
use crate::start_error::StartError;
use crate::{tasks, tls};

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

/// What serves and does work of its own, until it is stopped.
#[derive(Debug)]
pub(crate) struct Serving {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Serving {
    /// Begins to serve a bank, its management API, and certificates that `issue` makes, and to take up news of others, if
    /// there are others. The observers are told of each call.
    ///
    /// # Errors
    /// [`StartError::Tls`]
    pub(crate) fn begin(
        sockets: Sockets,
        origins: &Origins<'_>,
        (bank, management, news): (Bank, Router, Option<tasks::News>),
        (gateway, observers): (Gateway, Observers),
        issue: tls::Issue,
    ) -> Result<Self, StartError> {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = tasks::beside(&gateway, bank.due, news, &stopped);
        let mut serve =
            |socket: Socket, tls, (routes, observer): (Routes, &Arc<dyn Observer>), origin: &str| {
                let front = Front { routes, gateway: gateway.clone(), observer: Arc::clone(observer) };
                let listener = Listener { tcp: socket.tcp, tls, front, origin: Arc::from(origin) };
                tasks.spawn(listener.serve(stopped.clone()));
            };
        if let (Some(socket), Some(origin)) = (sockets.secured, origins.tls) {
            let acceptor = TlsAcceptor::from(tls::server_config(issue)?);
            serve(socket, Some(acceptor), (bank.public.clone(), &observers.public), origin);
        }
        serve(sockets.public, None, (bank.public, &observers.public), origins.public);
        serve(sockets.management, None, (management.into(), &observers.management), origins.management);
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
