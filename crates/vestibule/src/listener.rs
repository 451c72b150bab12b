//! Accepting connections: limits on number and time, TLS, an orderly end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use edge::Connection;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::activity::{Activity, Overdue};
use crate::gate::{Gate, Side};
use crate::places::{Place, Places};
use crate::serve::TrustedProxy;
use crate::unread;

/// Time for a TLS handshake, and for the header of a request to arrive.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// Time that running requests get when the server stops, at least.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Time that an idle connection gets to end in order.
const FAREWELL: Duration = Duration::from_secs(2);

/// Bytes of header that are read at all. What exceeds the limits of `edge` but fits here gets an answer in the
/// dialect's format. Every connection may come to hold a buffer of this size.
const MAX_HEADER_BUFFER: usize = 64 * 1024;

/// Header fields that are read at all, for the same reason. Room for them is made with every request.
const MAX_FIELDS: usize = 128;

/// Requests at once on one connection over HTTP/2.
const MAX_STREAMS: u32 = 64;

/// One listener of the server.
pub(crate) struct Listener {
    pub(crate) tcp: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    /// Who alone may connect, if TLS ends before it comes here.
    pub(crate) proxy: Option<Arc<TrustedProxy>>,
    /// The way to what it serves.
    pub(crate) gate: Arc<Gate>,
    /// Which part of that it serves.
    pub(crate) side: Side,
    /// Scheme and authority under which callers reach it.
    pub(crate) origin: Arc<str>,
    /// Time that running requests get when the server stops.
    pub(crate) grace: Duration,
}

/// What a connection leads to, and the proxy before it.
struct Way {
    gate: Arc<Gate>,
    side: Side,
    proxy: Option<Arc<TrustedProxy>>,
    grace: Duration,
}

/// Certificates of authorities that are taken along with one. Paths have one or two between the leaf and a trusted one.
pub(crate) const AUTHORITIES: usize = 4;

/// Tells every connection when the server stops.
type Stop = watch::Receiver<bool>;

async fn stopped(stop: &mut Stop) {
    // Whoever would say so is gone: that is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Listener {
    /// Serves until `stop` says so, then lets running requests end.
    pub(crate) async fn serve(self, mut stop: Stop) {
        // All connections of a proxy come from one address.
        let places = if self.proxy.is_some() { Places::for_proxy() } else { Places::new() };
        loop {
            let accepted = tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = accept(&self.tcp, &places) => accepted,
            };
            let Some((stream, place)) = accepted else { continue };
            let connection = Connection {
                origin: Arc::clone(&self.origin),
                peer_certificate: None,
                is_told_by_proxy: false,
                peer_authorities: [].into(),
                peer_address: stream.peer_addr().ok().map(|address| address.ip().to_canonical()),
            };
            if self.proxy.as_ref().is_some_and(|proxy| !proxy.is_at(connection.peer_address)) {
                tracing::debug!("connection closed: it does not come from the proxy");
                continue;
            }
            let (gate, proxy) = (Arc::clone(&self.gate), self.proxy.clone());
            let way = Way { gate, side: self.side, proxy, grace: self.grace };
            let (tls, stop) = (self.tls.clone(), stop.clone());
            tokio::spawn(async move {
                let _place = place;
                match tls {
                    None => serve_connection(stream, way, connection, stop).await,
                    Some(acceptor) => serve_tls(acceptor, stream, way, connection, stop).await,
                }
            });
        }
        drop(self.tcp);
        // Every connection keeps to the same time itself; this is for what does not come back at all.
        let _ = timeout(self.grace * 2, places.all_free()).await;
    }
}

async fn accept(tcp: &TcpListener, places: &Arc<Places>) -> Option<(TcpStream, Place)> {
    let free = places.free().await?;
    match tcp.accept().await {
        Ok((stream, address)) => {
            // Answers are written whole; waiting to fill a packet would only delay them.
            let _ = stream.set_nodelay(true);
            let place = places.take(free, address.ip());
            if place.is_none() {
                tracing::debug!("connection closed: its network has all the places that one can have");
            }
            place.map(|place| (stream, place))
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
    way: Way,
    connection: Connection,
    mut stop: Stop,
) {
    let handshake = tokio::select! {
        handshake = timeout(HEADER_TIME, acceptor.accept(stream)) => handshake,
        () = stopped(&mut stop) => return,
    };
    match handshake {
        Ok(Ok(stream)) => {
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let peer_certificate = chain.first().map(|leaf| Arc::from(leaf.as_ref()));
            let above = chain.iter().skip(1).take(AUTHORITIES).map(|one| one.clone().into_owned());
            let connection = Connection { peer_certificate, peer_authorities: above.collect(), ..connection };
            serve_connection(stream, way, connection, stop).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

async fn serve_connection<S>(stream: S, way: Way, connection: Connection, mut stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let grace = way.grace;
    let activity = Activity::new();
    let requests = activity.clone();
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let running = requests.begin();
        let (mut request, unread) = unread::keep(request);
        let told = way.proxy.as_ref().map(|proxy| proxy.connection(request.headers_mut(), &connection));
        let (connection, unreadable) = told.unwrap_or_else(|| (connection.clone(), None));
        request.extensions_mut().insert(connection);
        if let Some(unreadable) = unreadable {
            request.extensions_mut().insert(unreadable);
        }
        let (gate, side) = (Arc::clone(&way.gate), way.side);
        async move {
            let answer = gate.answer(side, request).await?;
            if let Some(unread) = unread {
                unread.drain().await;
            }
            Ok::<_, Infallible>(answer.map(|body| running.until_sent(body)))
        }
    });
    let builder = protocols();
    let served = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        why = activity.overdue() => {
            tracing::debug!(?why, "connection closed: it does nothing");
            served.as_mut().graceful_shutdown();
            match why {
                Overdue::Idle => timeout(FAREWELL, served).await.unwrap_or(Ok(())),
                Overdue::Request => Ok(()),
            }
        }
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            timeout(grace, served).await.unwrap_or_else(|_| {
                if activity.is_busy() {
                    tracing::warn!("a request did not end in time and was cut off");
                }
                Ok(())
            })
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "connection ended early");
    }
}

/// HTTP/1.1 and HTTP/2 with their limits.
fn protocols() -> auto::Builder<TokioExecutor> {
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
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_BUFFER as u32);
    builder
}
