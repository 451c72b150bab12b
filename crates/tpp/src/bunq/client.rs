//! Calls as the bank wants them: signed, in a session that is renewed when it is over. Answers are checked against
//! the bank's key before anything is read from them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bunq::wire::SessionRequest;
use http::Method;
use http_signatures::key::{PrivateKey, PublicKey};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::addresses::Addresses;
use super::answer::{ALGORITHM, Answer, check_signature, public_key};
use super::errors::{explain, is_about_credentials, is_about_session};
use super::state::{BunqState, KeptInstallation, KeptSession};
use crate::call::Call;
use crate::error::not_registered;
use crate::state::{Lock, State, StateFolder};
use crate::{Error, Transport, clock, random};

/// A session is renewed so long before it is over.
const RENEW_BEFORE: i64 = 30;

/// How long a session lasts if the bank does not say, in seconds: as short as any that was seen.
const SHORT_SESSION: i64 = 300;

/// How often a call waits because there were too many.
const MAX_WAITS: usize = 2;

/// A client of one bank, with what is kept about the bank.
pub struct Client {
    pub(super) transport: Transport,
    pub(super) addresses: Addresses,
    pub(super) folder: StateFolder,
    /// Everything but what the dialect needs.
    pub(super) rest: State,
    pub(super) kept: BunqState,
    /// What the bank takes for now, as far as it told.
    pub(super) now: Option<Timestamp>,
    keys: Option<Keys>,
    /// The turn to ask for a payment, until what became of it is told.
    pub(super) asking: Option<Lock>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// The keys of an installation.
struct Keys {
    own: PrivateKey,
    /// The bank's, once it is known.
    bank: Option<PublicKey>,
}

/// Whose session a call is made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The third party's own.
    Own,
    /// That of a connection, by its place in the state.
    Connection(usize),
}

/// A request without what depends on the moment.
#[derive(Debug, Clone)]
pub(super) struct Request {
    method: Method,
    pub(super) url: String,
    body: Vec<u8>,
}

impl Request {
    /// The octets that are sent.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }
}

impl Client {
    /// A client of the bank at `bank` that goes on from `state`.
    pub(super) fn new(
        transport: Transport,
        bank: &str,
        folder: StateFolder,
        mut state: State,
    ) -> Result<Self, Error> {
        let addresses = Addresses::of(bank)?;
        let kept = state.bunq.take().unwrap_or_default();
        let mut client =
            Self { transport, addresses, folder, rest: state, kept, now: None, keys: None, asking: None };
        client.load_keys()?;
        Ok(client)
    }

    /// The same at a bank that told which day it is there, `YYYY-MM-DD`: the clock of a sandbox can be moved.
    #[must_use]
    pub(super) fn at_day(mut self, today: Option<&str>) -> Self {
        let day = today.and_then(|day| day.parse::<jiff::civil::Date>().ok());
        let noon = day.and_then(|day| day.at(12, 0, 0, 0).to_zoned_datetime(TimeZone::UTC).ok());
        self.now = noon.map(|noon| noon.timestamp());
        self
    }

    /// The whole state, as it is on disk.
    pub(super) fn whole(&self) -> State {
        State { bunq: Some(self.kept.clone()), ..self.rest.clone() }
    }

    /// Changes what is kept, as it is on disk at this moment.
    pub(super) fn update<T>(
        &mut self,
        change: impl FnOnce(&mut State, &mut BunqState) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (mut state, done) = self.folder.update(&self.rest, |state| {
            let mut kept = state.bunq.take().unwrap_or_default();
            let done = change(state, &mut kept)?;
            state.bunq = Some(kept);
            Ok(done)
        })?;
        let kept = state.bunq.take().unwrap_or_default();
        let has_other_keys = kept.installation != self.kept.installation;
        (self.rest, self.kept) = (state, kept);
        if has_other_keys {
            self.load_keys()?;
        }
        Ok(done)
    }

    /// Changes what the dialect needs.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut BunqState)) -> Result<(), Error> {
        self.update(|_, kept| {
            change(kept);
            Ok(())
        })
    }

    /// Takes up the keys of the installation that is kept.
    fn load_keys(&mut self) -> Result<(), Error> {
        let installation = self.kept.installation.as_ref();
        self.keys = installation.map(|installation| Keys::load(&self.folder, installation)).transpose()?;
        Ok(())
    }

    /// A request to read something; `path` begins with `/v1`.
    pub(super) fn get(&self, path: &str) -> Request {
        Request { method: Method::GET, url: format!("{}{path}", self.addresses.api), body: Vec::new() }
    }

    /// A request to make something.
    pub(super) fn post(&self, path: &str, body: &impl Serialize) -> Result<Request, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Setup(error.to_string()))?;
        Ok(Request { method: Method::POST, body, ..self.get(path) })
    }

    /// A request to change something.
    pub(super) fn put(&self, path: &str, body: &impl Serialize) -> Result<Request, Error> {
        Ok(Request { method: Method::PUT, ..self.post(path, body)? })
    }

    /// Sends a request with a token, signed if there is an installation. If there were too many calls, it waits
    /// and tries again.
    pub(super) async fn send(&self, request: &Request, token: Option<&str>) -> Result<Answer, Error> {
        let mut waits = 0;
        loop {
            let result = self.attempt(request, token).await;
            let pause = match &result {
                Err(Error::Bank(error)) => error.pause(),
                _ => None,
            };
            match pause {
                Some(pause) if waits < MAX_WAITS => {
                    if let Err(error) = &result {
                        self.transport.pause(pause, error).await;
                    }
                }
                _ => return result,
            }
            waits += 1;
        }
    }

    async fn attempt(&self, request: &Request, token: Option<&str>) -> Result<Answer, Error> {
        let mut call = Call::new(request.method.clone(), request.url.clone(), request.body.clone())
            .header("cache-control", "no-cache")
            .header("x-bunq-language", "en_US")
            .header("x-bunq-region", "nl_NL")
            .header("x-bunq-geolocation", "0 0 0 0 000")
            .header("x-bunq-client-request-id", random::request_id().to_string());
        if !request.body.is_empty() {
            call = call.header("content-type", "application/json");
        }
        if let Some(token) = token {
            call = call.header("x-bunq-client-authentication", token);
        }
        if let (Some(keys), Some(_)) = (&self.keys, token) {
            call = call.header("x-bunq-client-signature", keys.sign(&request.body)?);
            let text = String::from_utf8_lossy(&request.body);
            call.signing_string = Some(text.into_owned()).filter(|text| !text.is_empty());
        }
        // A request that makes something must not be sent twice: the bank would make it twice.
        let received = self.transport.receive(call, request.method == Method::GET).await?;
        if let Some(key) = self.keys.as_ref().and_then(|keys| keys.bank.as_ref()) {
            check_signature(key, &received.headers, &received.body)
                .map_err(|reason| Error::Untrusted { url: request.url.clone(), reason })?;
        }
        Ok(Answer::new(request.url.clone(), received.body))
    }

    /// Sends a request with the installation's token.
    pub(super) async fn with_installation(&self, request: &Request) -> Result<Answer, Error> {
        let installation = self.kept.installation.as_ref();
        let answer = installation.and_then(|installation| installation.answer.as_ref());
        let token = &answer.ok_or_else(not_registered)?.token;
        self.send(request, Some(token)).await
    }

    /// Sends a request in a session. One that is over is renewed before, and one that the bank does not take
    /// any more, once.
    pub(super) async fn with_session(&mut self, whose: Whose, request: &Request) -> Result<Answer, Error> {
        let session = self.session(whose).await?;
        let first = self.send(request, Some(&session.token)).await;
        match first {
            Err(Error::Bank(error)) if is_about_session(&error) => {
                let session = self.open_session(whose).await?;
                self.send(request, Some(&session.token)).await
            }
            other => other,
        }
    }

    /// The session that is kept while it lasts, or a new one.
    pub(super) async fn session(&mut self, whose: Whose) -> Result<KeptSession, Error> {
        let kept = match whose {
            Whose::Own => self.kept.session.as_ref(),
            Whose::Connection(at) => {
                self.kept.connections.get(at).and_then(|connection| connection.session.as_ref())
            }
        };
        match kept.filter(|session| clock::now() < session.expires_at) {
            Some(session) => Ok(session.clone()),
            None => self.open_session(whose).await,
        }
    }

    async fn open_session(&mut self, whose: Whose) -> Result<KeptSession, Error> {
        let secret = match whose {
            Whose::Own => self.kept.api_key.as_ref(),
            Whose::Connection(at) => self.kept.connections.get(at).map(|connection| &connection.access_token),
        };
        let secret = secret.ok_or_else(not_registered)?;
        let request = self.post("/v1/session-server", &SessionRequest { secret })?;
        let answer = self.with_installation(&request).await.map_err(|error| explain(error, whose));
        if let (Err(Error::Credentials { error, .. }), Whose::Connection(at)) = (&answer, whose)
            && is_about_credentials(error)
        {
            self.change(|kept| {
                if let Some(connection) = kept.connections.get_mut(at) {
                    connection.ended = true;
                }
            })?;
        }
        let answer = answer?;
        let opened = answer.opened()?;
        let seconds = opened.timeout.unwrap_or(SHORT_SESSION).saturating_sub(RENEW_BEFORE).max(0);
        let expires_at = clock::now().saturating_add(SignedDuration::from_secs(seconds));
        let session = KeptSession {
            token: opened.token,
            user_id: opened.user_id,
            expires_at: expires_at.unwrap_or(Timestamp::MAX),
        };
        let kept_session = Some(session.clone());
        self.change(|kept| match whose {
            Whose::Own => kept.session = kept_session,
            Whose::Connection(at) => {
                if let Some(connection) = kept.connections.get_mut(at) {
                    connection.user_id = Some(opened.user_id);
                    connection.customer = opened.customer;
                    connection.session = kept_session;
                    connection.ended = false;
                }
            }
        })?;
        Ok(session)
    }
}

impl Keys {
    fn load(folder: &StateFolder, installation: &KeptInstallation) -> Result<Self, Error> {
        let own = PrivateKey::from_pem(&folder.read(&installation.private_key)?)
            .map_err(|error| Error::Setup(format!("the key of the installation cannot be used: {error}")))?;
        let unusable = || Error::Setup("the public key that the bank gave cannot be read".to_owned());
        let bank = match &installation.answer {
            Some(answer) => Some(public_key(&answer.server_public_key).ok_or_else(unusable)?),
            None => None,
        };
        Ok(Self { own, bank })
    }

    fn sign(&self, body: &[u8]) -> Result<String, Error> {
        let signature = self.own.sign(ALGORITHM, body);
        let signature =
            signature.map_err(|error| Error::Setup(format!("the request cannot be signed: {error}")))?;
        Ok(STANDARD.encode(signature))
    }
}
