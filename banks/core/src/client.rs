//! The way to the bank: deadlines, a bound on calls at once, one more attempt where nothing can be done twice, and a rest for a
//! bank that does not answer.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use url::Url;

use crate::failure::Failure;
use crate::trouble::{self, Trouble};
use crate::watch::{self, Asked, Called, Outcome, Watch, Way, operation};
use crate::wire::Problem;

/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// What the way to a bank may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a call may take, all attempts together.
    pub deadline: Duration,
    /// How long it may take to connect.
    pub connect: Duration,
    /// How many calls there may be at once; others wait within their deadline.
    pub at_once: usize,
    /// After how many failures without a success between them the bank is left in peace.
    pub failures: u32,
    /// For how long; then one call looks whether it is there again.
    pub rest: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            connect: Duration::from_secs(2),
            at_once: 64,
            failures: 5,
            rest: Duration::from_secs(2),
        }
    }
}

/// The way to a bank cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address is none.
    #[error(
        "the core bank's address has to be an https URL without query, such as https://core.bank.example:8444"
    )]
    Url,
    /// The address goes on into the interface.
    #[error("the core bank's address ends before /core/v1, such as https://core.bank.example:8444")]
    Path,
    /// The authorities cannot be used.
    #[error("the authorities of the core bank's certificate cannot be used: {0}")]
    Authorities(String),
    /// The gateway's own certificate, or its key, cannot be used.
    #[error("the certificate for the core bank and its private key cannot be used: {0}")]
    Identity(String),
}

/// Whether the bank answers at all.
#[derive(Debug, Default)]
struct Health {
    failures: u32,
    rests_until: Option<Instant>,
}

/// The way to a bank.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    limits: Limits,
    places: Semaphore,
    health: Mutex<Health>,
    watch: OnceLock<Arc<dyn Watch>>,
}

impl Client {
    /// `authorities` and `identity` are PEM: whom the bank's certificate may come from, and the gateway's own certificate with
    /// its key.
    pub(crate) fn new(
        url: &str,
        authorities: &[u8],
        identity: &[u8],
        limits: Limits,
    ) -> Result<Self, SetupError> {
        let url = url.trim_end_matches('/');
        if url.ends_with("/core/v1") {
            return Err(SetupError::Path);
        }
        let base = Url::parse(&format!("{url}/core/v1/")).ok();
        let base = base.filter(|url| url.scheme() == "https" && url.query().or(url.fragment()).is_none());
        let base = base.ok_or(SetupError::Url)?;
        check_authorities(authorities).map_err(SetupError::Authorities)?;
        let authorities = reqwest::Certificate::from_pem_bundle(authorities)
            .map_err(|error| SetupError::Authorities(with_causes(&error)))?;
        let wrong = |error: reqwest::Error| SetupError::Identity(with_causes(&error));
        let http = reqwest::Client::builder()
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .redirect(Policy::none())
            .no_proxy()
            // A connection whose other end vanished is not used for long: over HTTP/2 all calls share it. One that is silent for no
            // longer than a call may take is there.
            .http2_keep_alive_interval(limits.connect)
            .http2_keep_alive_timeout(limits.deadline)
            .http2_keep_alive_while_idle(true)
            .tls_certs_only(authorities)
            .identity(reqwest::Identity::from_pem(identity).map_err(wrong)?)
            .build()
            // The authorities were looked at before.
            .map_err(wrong)?;
        let places = Semaphore::new(limits.at_once);
        Ok(Self { http, base, limits, places, health: Mutex::default(), watch: OnceLock::new() })
    }

    /// Reads what is under a path, whose parts may be of any letters.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, Failure> {
        let mut url = self.url(path);
        if let Value::Object(query) = serde_json::to_value(query).map_err(unwritable)? {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in query {
                pairs.append_pair(&name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
        }
        self.send(Asked { method: "GET", operation: operation(path) }, self.http.get(url), true).await
    }

    /// Asks what a query could not carry; asking twice changes nothing.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.send(Asked { method: "POST", operation: operation(path) }, self.post(path, body)?, true).await
    }

    /// Asks for something to be done, once.
    pub(crate) async fn act<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.send(Asked { method: "POST", operation: operation(path) }, self.post(path, body)?, false).await
    }

    /// How long a call may take.
    pub(crate) fn deadline(&self) -> Duration {
        self.limits.deadline
    }

    /// Tells somebody of each call from now on; whoever comes first is told.
    pub(crate) fn watched_by(&self, watch: Arc<dyn Watch>) {
        let _ = self.watch.set(watch);
    }

    /// How the way is now.
    pub(crate) fn way(&self) -> Way {
        let at_once = self.limits.at_once;
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let in_flight = at_once.saturating_sub(self.places.available_permits());
        Way { in_flight, at_once, rests: health.rests_until.is_some() }
    }

    fn post(&self, path: &[&str], body: &impl Serialize) -> Result<reqwest::RequestBuilder, Failure> {
        let body = serde_json::to_vec(body).map_err(unwritable)?;
        Ok(self.http.post(self.url(path)).header(CONTENT_TYPE, "application/json").body(body))
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // A URL with a host, which this one has, always has a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    async fn send<T: DeserializeOwned>(
        &self,
        asked: Asked,
        call: reqwest::RequestBuilder,
        again: bool,
    ) -> Result<T, Failure> {
        let (begun, span) = (Instant::now(), asked.span(&self.base));
        let call = match self.watch.get() {
            Some(watch) => {
                let mut carried = HeaderMap::new();
                span.in_scope(|| watch.carry(&mut carried));
                call.headers(carried)
            }
            None => call,
        };
        let (outcome, answer) = match self.let_rest() {
            Ok(()) => {
                let mut waiting = Waiting { client: self, asked, begun, is_over: false };
                let until = begun + self.limits.deadline;
                let answer = self.ask_within(until, call, again).instrument(span.clone()).await;
                waiting.is_over = true;
                (Outcome::of(&answer), answer)
            }
            Err(failure) => (Outcome::Spared, Err(failure)),
        };
        watch::end(&span, outcome, &answer);
        self.tell(asked, outcome, begun);
        answer
    }

    fn tell(&self, asked: Asked, outcome: Outcome, begun: Instant) {
        if let Some(watch) = self.watch.get() {
            watch.called(&Called { operation: asked.operation, outcome, took: begun.elapsed() });
        }
    }

    async fn ask_within<T: DeserializeOwned>(
        &self,
        until: Instant,
        call: reqwest::RequestBuilder,
        again: bool,
    ) -> Result<T, Failure> {
        let answer = timeout_at(until, async {
            let _place = self.places.acquire().await.map_err(|error| Failure::away(error.to_string()))?;
            let second = call.try_clone().filter(|_| again);
            match (attempt(call).await, second) {
                (Err(failure), Some(call)) if !failure.is_answer() => {
                    tracing::debug!(%failure, "the core bank is asked once more");
                    attempt(call).await
                }
                (answer, _) => answer,
            }
        });
        let answer =
            answer.await.unwrap_or_else(|_| Err(Failure::away("the core bank did not answer in time")));
        self.note(answer.as_ref().err().is_none_or(Failure::is_answer));
        answer
    }

    /// Fails at once while a bank that did not answer is left in peace. Whoever comes after that is the one who looks, and the
    /// others wait for what comes of it.
    fn let_rest(&self) -> Result<(), Failure> {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        match health.rests_until {
            Some(until) if until > Instant::now() => {
                Err(Failure::away("the core bank did not answer the calls before; it is asked again soon"))
            }
            Some(_) => {
                health.rests_until = Some(Instant::now() + self.limits.rest.max(self.limits.deadline));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn note(&self, is_there: bool) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if is_there {
            if health.rests_until.is_some() {
                tracing::warn!("the core bank answers again");
            }
            *health = Health::default();
            return;
        }
        health.failures = health.failures.saturating_add(1);
        if health.failures >= self.limits.failures {
            if health.rests_until.is_none() {
                tracing::warn!(failures = health.failures, "the core bank does not answer");
            }
            health.rests_until = Some(Instant::now() + self.limits.rest);
        }
    }
}

/// A call that somebody waits for. Third parties have deadlines of their own, some shorter than the bank's: if whoever called goes away,
/// what waits is dropped. Had the bank had time to answer, it counts as one that did not.
struct Waiting<'c> {
    client: &'c Client,
    asked: Asked,
    begun: Instant,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over && self.begun.elapsed() > self.client.limits.deadline / 2 {
            self.client.note(false);
            self.client.tell(self.asked, Outcome::Unanswered, self.begun);
        }
    }
}

async fn attempt<T: DeserializeOwned>(call: reqwest::RequestBuilder) -> Result<T, Failure> {
    // An address may hold ids, which are for no log.
    let broken = |error: reqwest::Error| {
        let error = error.without_url();
        Failure::Away { text: with_causes(&error), trouble: trouble::of_connection(&error) }
    };
    let mut answer = call.send().await.map_err(broken)?;
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(broken)? {
        body.extend_from_slice(&part);
        if body.len() > MAX_ANSWER {
            return Err(Failure::Odd("the core bank's answer is too large".to_owned()));
        }
    }
    let status = answer.status();
    if status.is_success() {
        // What does not fit is told by place and never repeated: it is the customer's.
        return serde_json::from_slice(&body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let text = format!("the core bank's answer does not fit at line {line}, column {column}");
            // All that the interface answers is an object; a page of a proxy begins with anything else.
            match body.trim_ascii_start().first() {
                Some(b'{' | b'[') => Failure::Odd(text),
                _ => Failure::Away { text, trouble: Some(Trouble::NoInterface) },
            }
        });
    }
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) if status.is_client_error() => Err(Failure::Refused(status, problem)),
        _ => Err(Failure::Status(status)),
    }
}

/// Why authorities cannot be used.
fn check_authorities(pem: &[u8]) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(pem) {
        roots.add(authority.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("they hold no certificate in PEM".to_owned()) } else { Ok(()) }
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::away(format!("the question to the core bank cannot be written: {error}"))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
