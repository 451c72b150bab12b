//! Accepting connections: limits on number and time, TLS, an orderly end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use edge::Connection;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::Service;

/// Connections at once on one listener; more wait in the backlog.
const MAX_CONNECTIONS: usize = 4096;

/// Time for a TLS handshake, and for the header of a request to arrive.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// Time that running requests get when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// Bytes of header that are read at all. What exceeds the limits of `edge` but fits here gets an answer in the
/// dialect's format.
const MAX_HEADER_BUFFER: usize = 256 * 1024;

/// Header fields that are read at all, for the same reason. Room for them is made with every request.
const MAX_FIELDS: usize = 128;

/// One listener of the server.
pub(crate) struct Listener {
    pub(crate) tcp: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) app: Router,
    /// Scheme and authority under which callers reach it.
    pub(crate) origin: Arc<str>,
}

impl Listener {
    /// Serves until `stop` changes, then lets running requests end.
    pub(crate) async fn serve(self, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                _ = stop.changed() => break,
                accepted = accept(&self.tcp, &places) => accepted,
            };
            let Some((stream, place)) = accepted else { continue };
            let connection = Connection {
                origin: Arc::clone(&self.origin),
                peer_certificate: None,
                peer_address: stream.peer_addr().ok().map(|address| address.ip().to_canonical()),
            };
            let (app, tls, watcher) = (self.app.clone(), self.tls.clone(), graceful.watcher());
            tokio::spawn(async move {
                let _place = place;
                match tls {
                    None => serve_connection(stream, app, connection, watcher).await,
                    Some(acceptor) => serve_tls(acceptor, stream, app, connection, watcher).await,
                }
            });
        }
        drop(self.tcp);
        if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
        }
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;
type Watcher = hyper_util::server::graceful::Watcher;

async fn accept(tcp: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, Place)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match tcp.accept().await {
        Ok((stream, _)) => {
            // Answers are written whole; waiting to fill a packet would only delay them.
            let _ = stream.set_nodelay(true);
            Some((stream, place))
        }
        Err(error) => {
            // Out of file descriptors, or the caller gone again: neither ends the server.
            tracing::warn!(%error, "connection not accepted");
            tokio::time::sleep(Duration::from_millis(20)).await;
            None
        }
    }
}

async fn serve_tls(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    app: Router,
    connection: Connection,
    watcher: Watcher,
) {
    match tokio::time::timeout(HEADER_TIME, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let peer_certificate = chain.first().map(|leaf| Arc::from(leaf.as_ref()));
            serve_connection(stream, app, Connection { peer_certificate, ..connection }, watcher).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

async fn serve_connection<S>(stream: S, app: Router, connection: Connection, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(connection.clone());
        app.clone().call(request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(MAX_HEADER_BUFFER)
        .max_headers(MAX_FIELDS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .max_concurrent_streams(64)
        .max_header_list_size(MAX_HEADER_BUFFER as u32);
    let served = watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned()).await;
    if let Err(error) = served {
        tracing::debug!(error, "connection ended early");
    }
}
