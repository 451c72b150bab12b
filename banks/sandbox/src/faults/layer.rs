//! The layer that strikes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use edge::{Caller, Connection, FailingInterface, Failure, SMALL_BODY, note_code, note_matched};
use eidas::header::{HeaderForm, certificate_der};
use gateway::domain::TppId;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;

use super::answers::{Told, answer};
use super::{CallSeen, Faults, Kind, Wish, misbehaviour};
use crate::Sandbox;

/// What a call that a fault struck is logged with, beside its status.
const CODE: &str = "fault-asked-for";

/// Pieces in which a slow body comes.
const PIECES: usize = 10;

/// The interface whose third parties are clients by an id of theirs.
const CLIENTS: &str = "oauth";

/// What the layer needs.
#[derive(Clone)]
pub struct FaultLayer {
    pub(super) sandbox: Sandbox,
    faults: Arc<Faults>,
    /// Tell who calls, where it does not stand in a certificate.
    callers: Arc<[Caller]>,
    interfaces: Arc<[FailingInterface]>,
}

impl FaultLayer {
    /// The layer of a bank with interfaces.
    pub fn new(sandbox: &Sandbox, callers: Vec<Caller>, interfaces: Vec<FailingInterface>) -> Self {
        Self {
            faults: Arc::clone(&sandbox.faults),
            sandbox: sandbox.clone(),
            callers: callers.into(),
            interfaces: interfaces.into(),
        }
    }

    /// Tells whether calls have to pass the layer now.
    pub fn switch(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let faults = Arc::clone(&self.faults);
        move || faults.is_any.load(Ordering::Relaxed)
    }

    /// Who calls, as far as it can be told without asking the interface itself.
    async fn third_party(&self, request: &mut Request) -> Option<TppId> {
        let headers = request.headers();
        let named =
            ["tpp-signature-certificate", "ssl-certificate"].iter().find_map(|name| headers.get(*name));
        let shown = named.and_then(|value| certificate_der(value.as_bytes(), HeaderForm::Any).ok());
        let connection = request.extensions().get::<Connection>();
        let presented =
            || connection.and_then(|connection| connection.peer_certificate.as_deref().map(<[u8]>::to_vec));
        if let Some(der) = shown.or_else(presented) {
            let certificate = eidas::Certificate::from_der(&der).ok()?;
            return Some(TppId::new(certificate.organization_identifier().ok()?.as_str()));
        }
        for caller in self.callers.iter() {
            if let Some(found) = caller(headers.clone()).await {
                return Some(found);
            }
        }
        let interface = self.interfaces.iter().find(|interface| interface.serves(request.uri().path()))?;
        let id = if interface.name == CLIENTS { client_id(request).await? } else { return None };
        self.sandbox.gateway.client(&id).await.ok().flatten().map(|tpp| tpp.id)
    }
}

/// Middleware in front of what the bank serves. It is needed only while [`FaultLayer::switch`] says so.
pub async fn strike(State(layer): State<FaultLayer>, mut request: Request, next: Next) -> Response {
    note_matched(&request);
    let third_party = if layer.faults.ask_who_calls() { layer.third_party(&mut request).await } else { None };
    let path = request.uri().path().to_owned();
    let interface = layer.interfaces.iter().find(|interface| interface.serves(&path));
    let headers = request.headers().clone();
    let call = CallSeen {
        path: &path,
        interface,
        third_party: third_party.as_ref(),
        names_consent: interface.is_some_and(|interface| (interface.failing.names_consent)(&headers, &path)),
    };
    let Some((id, wish)) = layer.faults.take(&call) else {
        let chance = layer.faults.misbehaves;
        return misbehaviour::perhaps(&layer, chance, interface, request, next).await;
    };
    tracing::info!(fault = id, kind = wish.kind.name(), "a fault that was asked for strikes");
    if let Some(told) = refusal(&wish) {
        let answer = answer(interface, &told, (&headers, &layer.sandbox.gateway.new_request_id()));
        note_code(CODE);
        return answer;
    }
    let pause = Duration::from_secs(wish.seconds.unwrap_or_default());
    if wish.kind == Kind::Latency {
        tokio::time::sleep(pause).await;
        let response = next.run(request).await;
        note_code(CODE);
        return response;
    }
    let mut response = next.run(request).await;
    note_code(CODE);
    match wish.kind {
        Kind::Cut => cut(response).await,
        Kind::SlowBody => slow(response, pause).await,
        _ => {
            let name = interface.and_then(|interface| interface.failing.signature);
            if let Some(signature) = name.and_then(|name| response.headers_mut().get_mut(name)) {
                *signature = spoiled(signature);
            }
            response
        }
    }
}

/// What a fault says in place of the bank.
fn refusal(wish: &Wish) -> Option<Told> {
    let failure = wish.kind.failure()?;
    let text = match failure {
        Failure::Internal => "The bank failed, because a test asked for it",
        Failure::Unavailable => "The bank is not available, because a test asked for it",
        Failure::TooMany => {
            "Too many calls, because a test asked for it; try again after the time of Retry-After"
        }
        Failure::CertificateExpired => "The certificate has just expired, because a test asked for it",
        Failure::ConsentUnknown => "The consent is not known, because a test asked for it",
        Failure::TokenOver => "The token is over, because a test asked for it",
    };
    let retry_after = wish.seconds.filter(|_| matches!(wish.kind, Kind::Unavailable | Kind::TooMany));
    Some(Told { failure, text, retry_after })
}

/// The client id of a request to the authorization server: in its credentials, its address or its form.
async fn client_id(request: &mut Request) -> Option<String> {
    let find = |text: &[u8]| {
        let mut pairs = url::form_urlencoded::parse(text);
        pairs.find(|(name, _)| name == "client_id").map(|(_, value)| value.into_owned())
    };
    if let Some(id) = find(request.uri().query().unwrap_or_default().as_bytes()) {
        return Some(id);
    }
    if let Some(id) = basic(request.headers()) {
        return Some(id);
    }
    let announced = request.body().size_hint().upper()?;
    if announced > SMALL_BODY as u64 {
        return None;
    }
    let body = std::mem::take(request.body_mut()).collect().await.ok()?.to_bytes();
    *request.body_mut() = Body::from(body.clone());
    find(&body)
}

/// The name in HTTP Basic authentication (RFC 7617).
fn basic(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let octets = BASE64.decode(value).ok()?;
    let text = String::from_utf8(octets).ok()?;
    let name = text.split(':').next()?.to_owned();
    let decoded =
        url::form_urlencoded::parse(format!("n={name}").as_bytes()).next().map(|(_, name)| name.into_owned());
    decoded.or(Some(name))
}

/// The whole body, which a fault takes apart.
async fn whole(response: Response) -> (http::response::Parts, Bytes) {
    let (parts, body) = response.into_parts();
    let octets = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (parts, octets)
}

/// Half of the answer, and then the end of the connection.
async fn cut(response: Response) -> Response {
    let (mut parts, octets) = whole(response).await;
    // Whoever reads sees that something is missing, even where nothing was.
    let length = octets.len().max(2);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if parts.status == StatusCode::NO_CONTENT {
        parts.status = StatusCode::OK;
    }
    let begun = octets.slice(..octets.len() / 2);
    Response::from_parts(
        parts,
        Body::new(Pieces {
            left: vec![begun],
            pause: Duration::from_millis(20),
            sleep: None,
            ends_well: false,
            length: None,
        }),
    )
}

/// The same answer, piece by piece.
async fn slow(response: Response, time: Duration) -> Response {
    let (mut parts, octets) = whole(response).await;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(octets.len()));
    let size = octets.len().div_ceil(PIECES).max(1);
    let mut left: Vec<Bytes> =
        (0..octets.len()).step_by(size).map(|at| octets.slice(at..(at + size).min(octets.len()))).collect();
    let pause = time / u32::try_from(left.len().max(1)).unwrap_or(1);
    left.reverse();
    let length = Some(octets.len() as u64);
    Response::from_parts(parts, Body::new(Pieces { left, pause, sleep: None, ends_well: true, length }))
}

/// Another signature of the same length.
fn spoiled(signature: &HeaderValue) -> HeaderValue {
    let mut octets = signature.as_bytes().to_vec();
    if let Some(first) = octets.first_mut() {
        *first = if *first == b'A' { b'B' } else { b'A' };
    }
    HeaderValue::from_bytes(&octets).unwrap_or_else(|_| signature.clone())
}

/// A body that comes with pauses.
struct Pieces {
    /// The next one last.
    left: Vec<Bytes>,
    pause: Duration,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
    /// Whether it comes to its end.
    ends_well: bool,
    length: Option<u64>,
}

/// The connection ends here.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut, because a test asked for it")]
struct CutOff;

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        use std::task::Poll;
        if self.left.is_empty() && self.ends_well {
            return Poll::Ready(None);
        }
        let pause = self.pause;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        if sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.sleep = None;
        Poll::Ready(Some(self.left.pop().map(Frame::data).ok_or(CutOff)))
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, |_| {
            SizeHint::with_exact(self.left.iter().map(|piece| piece.len() as u64).sum())
        })
    }
}
