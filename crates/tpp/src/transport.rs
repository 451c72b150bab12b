//! Sending: time-outs, no redirects, retries only where nothing can go wrong twice.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use url::Url;

use crate::call::{Answered, Call, Observer, Seen};
use crate::error::{BankError, Error};
use crate::hint::Hint;
use crate::identity::TlsIdentity;

const CONNECT_TIME: Duration = Duration::from_secs(10);
const TOTAL_TIME: Duration = Duration::from_secs(60);

/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// Pauses before each further attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(2)];

/// A wait that is longer is told, with what it waits for.
const SILENCE: Duration = Duration::from_secs(1);

/// How to reach a bank.
#[derive(Debug, Clone, Default)]
pub struct TransportSettings {
    /// File with a private authority that the bank's TLS certificate comes from; without one the system's
    /// authorities are trusted.
    pub ca_file: Option<PathBuf>,
    /// Client certificate for TLS.
    pub tls: Option<TlsIdentity>,
}

/// The way to a bank.
#[derive(Clone)]
pub struct Transport {
    client: reqwest::Client,
    settings: TransportSettings,
    observer: Option<Observer>,
}

/// An answer that is a success.
#[derive(Debug)]
pub(crate) struct Received {
    /// Its header fields.
    pub(crate) headers: HeaderMap,
    /// The exact octets of its body.
    pub(crate) body: Bytes,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Transport {
    /// Sets the way up. `observer` is told of each call before it is sent, of each answer, and of each wait.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Setup`] for files that cannot be used.
    pub fn new(settings: TransportSettings, observer: Option<Observer>) -> Result<Self, Error> {
        let setup = |error: reqwest::Error| {
            let cause = causes(&error).last().unwrap_or_default();
            let text = match &settings.tls {
                Some(tls) if cause.contains("keys may not be consistent") => format!(
                    "{} is not the private key of the certificate in {}; name the two that belong together",
                    tls.private_key.display(),
                    tls.certificate.display()
                ),
                _ => format!("TLS cannot be set up: {cause}"),
            };
            Error::Setup(text)
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIME)
            .timeout(TOTAL_TIME)
            .redirect(Policy::none());
        if let Some(path) = &settings.ca_file {
            let chain = eidas::certificate::chain_from_pem(read(path)?).map_err(|e| unusable(path, &e))?;
            let authorities = chain.iter().map(|der| reqwest::Certificate::from_der(der));
            let authorities = authorities.collect::<Result<Vec<_>, _>>().map_err(setup)?;
            builder = builder.tls_certs_only(authorities);
        }
        if let Some(tls) = &settings.tls {
            let key = eidas::pem::private_key(&read(&tls.private_key)?);
            let mut pem = key.map_err(|error| unusable(&tls.private_key, &error))?.to_pem();
            let chain = eidas::certificate::ordered_chain(read(&tls.certificate)?);
            for certificate in chain.map_err(|error| unusable(&tls.certificate, &error))? {
                pem += &eidas::certificate::to_pem(&certificate.der);
            }
            builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).map_err(setup)?);
        }
        Ok(Self { client: builder.build().map_err(setup)?, settings, observer })
    }

    /// Whether connections present a client certificate.
    pub(crate) fn presents_certificate(&self) -> bool {
        self.settings.tls.is_some()
    }

    /// Sends a call and reads its answer as JSON.
    ///
    /// # Errors
    /// [`Error`]
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let url = call.url.clone();
        parse(url, &self.send(call).await?)
    }

    /// The same for what is good once, such as an authorization code: it is sent again only if the bank says that it is
    /// not available, and never because no answer came.
    ///
    /// # Errors
    /// [`Error`]
    pub(crate) async fn json_once<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let url = call.url.clone();
        let is_untouched = |error: &Error| matches!(error, Error::Bank(error) if error.status == 503);
        parse(url, &self.repeated(call, is_untouched).await?.body)
    }

    /// Sends a call. The same octets with the same `X-Request-ID` are sent again if the bank could not be
    /// reached, or answers that it is not available for a moment; never after any other refusal.
    ///
    /// # Errors
    /// [`Error::Bank`], [`Error::Unreachable`], [`Error::Answer`]
    pub(crate) async fn send(&self, call: Call) -> Result<Bytes, Error> {
        self.receive(call, true).await.map(|received| received.body)
    }

    /// Sends a call and hands out the header fields of its answer too. With `repeats`, as [`Transport::send`]
    /// does; without, it is sent once whatever happens, for a bank that would do a thing twice.
    ///
    /// # Errors
    /// [`Error::Bank`], [`Error::Unreachable`], [`Error::Answer`]
    pub(crate) async fn receive(&self, call: Call, repeats: bool) -> Result<Received, Error> {
        self.repeated(call, |error| repeats && error.is_temporary()).await
    }

    /// Sends a call, and the same octets again, twice at most, after a failure that allows it.
    async fn repeated(&self, call: Call, allows: impl Fn(&Error) -> bool) -> Result<Received, Error> {
        let call = self.announced(call);
        let mut pauses = PAUSES.iter();
        let mut before = None;
        loop {
            // A query may hold what is secret.
            let url = call.url.split('?').next().unwrap_or_default();
            let waiting_for = format!("the answer of {} {url}", call.method);
            let result = self.patiently(&waiting_for, self.attempt(&call)).await;
            match (result, pauses.next()) {
                (Err(error), Some(pause)) if allows(&error) => {
                    self.pause(*pause, &error).await;
                    before = Some(more_telling(before, error));
                }
                (Err(error), _) => return Err(more_telling(before, error)),
                (received, _) => return received,
            }
        }
    }

    /// Sends a call once and hands out its answer, whatever that says.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Unresolved`], [`Error::Answer`] if it is too large.
    pub(crate) async fn ask(&self, call: Call) -> Result<Answered, Error> {
        let call = self.announced(call);
        let url = call.url.split('?').next().unwrap_or_default();
        self.patiently(&format!("the answer of {} {url}", call.method), self.exchange(&call)).await
    }

    /// A call with the files that it is sent with, once it was told.
    fn announced(&self, mut call: Call) -> Call {
        if call.url.starts_with("https:") {
            call.ca_file.clone_from(&self.settings.ca_file);
            let files = self.settings.tls.as_ref();
            call.tls_files = files.map(|tls| (tls.certificate.clone(), tls.private_key.clone()));
        }
        self.tell(&Seen::Call(&call));
        call
    }

    /// Waits before the same call again, and says for how long and why if that is long.
    pub(crate) async fn pause(&self, pause: Duration, error: &Error) {
        if pause >= SILENCE {
            let (seconds, error) = (pause.as_secs(), error.to_string());
            let error = error.split(';').next().unwrap_or_default();
            self.tell(&Seen::Wait(&format!("Waiting {seconds} s before the same call again: {error}")));
        }
        tokio::time::sleep(pause).await;
    }

    /// Waits for something, and says what it is if that takes long.
    pub(crate) async fn patiently<T>(&self, waiting_for: &str, something: impl Future<Output = T>) -> T {
        tokio::pin!(something);
        tokio::select! {
            done = &mut something => return done,
            () = tokio::time::sleep(SILENCE) => {}
        }
        self.tell(&Seen::Wait(&format!("Waiting for {waiting_for} …")));
        something.await
    }

    fn tell(&self, seen: &Seen<'_>) {
        if let Some(observer) = &self.observer {
            observer(seen);
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Received, Error> {
        let Answered { status, headers, body } = self.exchange(call).await?;
        if status.is_success() {
            return Ok(Received { headers, body: body.into() });
        }
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let retry_after = text("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        Err(Error::Bank(BankError::parse(status.as_u16(), &body, text("x-request-id"), retry_after)))
    }

    async fn exchange(&self, call: &Call) -> Result<Answered, Error> {
        let unreachable = |error: reqwest::Error| why(&call.url, &error);
        let mut request = self.client.request(call.method.clone(), &call.url);
        for (name, value) in &call.headers {
            request = request.header(name.as_ref(), value);
        }
        if !call.body.is_empty() {
            request = request.body(call.body.clone());
        }
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = body_of(&mut response, MAX_ANSWER).await.map_err(unreachable)?;
        let body = body.ok_or_else(|| {
            let reason = format!("it is larger than {MAX_ANSWER} bytes");
            Error::Answer { url: call.url.clone(), reason }
        })?;
        let answered = Answered { status, headers: std::mem::take(response.headers_mut()), body };
        self.tell(&Seen::Answer(&answered));
        Ok(answered)
    }
}

/// The body of an answer; none if it is larger than `most` octets, whatever the answer says of its size.
pub(crate) async fn body_of(
    response: &mut reqwest::Response,
    most: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn parse<T: DeserializeOwned>(url: String, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Answer { url, reason: error.to_string() })
}

/// Of what two attempts failed with, the last one, unless it says less about the connection than the one before.
fn more_telling(before: Option<Error>, last: Error) -> Error {
    match before {
        Some(before @ Error::Unreachable { .. }) if last.ended_without_a_word() => before,
        _ => last,
    }
}

/// Why a bank was not reached, with scheme and port: a wrong one of them is the commonest cause.
fn why(called: &str, error: &reqwest::Error) -> Error {
    let url = called.to_owned();
    let cause = causes(error).last().unwrap_or_default();
    let Ok(parsed) = Url::parse(called) else { return Error::Unreachable { url, reason: cause, hint: None } };
    let (scheme, host) = (parsed.scheme(), parsed.host_str().unwrap_or_default());
    let port = parsed.port_or_known_default().unwrap_or_default();
    let way = format!("{scheme} to port {port}");
    // What the look-up of a name failed with says nothing about names.
    if causes(error).any(|cause| cause == "dns error") {
        return Error::Unresolved { url, name: host.to_owned(), way };
    }
    let other = match scheme {
        "http" if cause.contains("HTTP version") => Some(("the TLS port", "https")),
        "https" if cause.contains("InvalidContentType") => Some(("the port without TLS", "http")),
        _ => None,
    };
    let (told, hint) = match other {
        Some((what, scheme)) => (format!("; this is {what}: say {scheme}://{host}:{port}"), None),
        None => (String::new(), Some(Hint::StartSandbox)),
    };
    Error::Unreachable { url, reason: format!("{cause}, {way}{told}"), hint }
}

/// What lies behind an error. The cause at the bottom says most: "Connection refused" rather than "error sending
/// request".
fn causes(error: &reqwest::Error) -> impl Iterator<Item = String> {
    let first: &dyn std::error::Error = error;
    std::iter::successors(Some(first), |error| error.source()).map(ToString::to_string)
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| unusable(path, &error))
}

fn unusable(path: &std::path::Path, error: &dyn std::fmt::Display) -> Error {
    Error::File { path: path.display().to_string(), reason: error.to_string() }
}
