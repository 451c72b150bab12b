//! The port of the gateway, over OpenID Connect.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway::bank::Answer;
use gateway::domain::Timestamp;
use gateway::provider::{Authenticated, IdentityProvider, ProviderRefusal, ProviderResponse, Trip};
use gateway::{Error, Randomness};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

use crate::client::{Client, Failure, plain};
use crate::details;
use crate::documents::{Configuration, Documents, Library};
use crate::id_token::{self, Demands, Unverified};
use crate::settings::{ClientProof, Proof, ProviderSettings, SetupError, is_issuer, is_scope};

/// How long an assertion of the gateway is good, in seconds.
const ASSERTION: i64 = 60;

/// How long ago a customer may have authenticated for a payment, in seconds.
const FOR_PAYMENTS: u32 = 300;

/// A bank's OpenID provider. Cloning is cheap and shares it.
#[derive(Clone)]
pub struct Provider(Arc<RwLock<Arc<Inner>>>);

struct Inner {
    settings: ProviderSettings,
    proof: Proof,
    client: Client,
    library: Library,
    /// Places for pushed requests: half of all.
    pushes: Semaphore,
    randomness: Randomness,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Provider").field(&self.current().settings).finish()
    }
}

/// A claim of the gateway about itself (RFC 7523).
#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Pushed {
    request_uri: String,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
    authorization_details: Option<Value>,
}

impl Provider {
    /// Sets the way up; nobody is asked yet, so that a gateway starts while the provider is away.
    ///
    /// # Errors
    /// [`SetupError`]
    pub fn new(settings: ProviderSettings) -> Result<Self, SetupError> {
        if !is_issuer(&settings.issuer) {
            return Err(SetupError::Issuer);
        }
        if !is_scope(&settings.scope) {
            return Err(SetupError::Scope);
        }
        let shows_certificate = matches!(settings.proof, ClientProof::Certificate(_));
        let inner = Inner {
            proof: Proof::of(&settings.proof)?,
            client: Client::new(&settings)?,
            library: Library::new(&settings.issuer, shows_certificate, settings.limits.documents),
            pushes: Semaphore::new(settings.limits.at_once.div_ceil(2)),
            randomness: Randomness::from_system(),
            settings,
        };
        Ok(Self(Arc::new(RwLock::new(Arc::new(inner)))))
    }

    /// Takes the settings of another one, for whoever shares this. Customers who are on their way come back to the new ones.
    pub fn become_as(&self, other: &Self) {
        let new = other.current();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    fn current(&self) -> Arc<Inner> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl IdentityProvider for Provider {
    fn send<'a>(&'a self, trip: &'a Trip) -> Answer<'a, String> {
        Box::pin(async move { self.current().send(trip).await })
    }

    fn origin(&self) -> Answer<'_, String> {
        Box::pin(async move {
            let inner = self.current();
            let documents = inner.library.documents(&inner.client).await?;
            let url = Url::parse(&documents.configuration.authorization_endpoint);
            Ok(url.map_err(Error::unavailable)?.origin().ascii_serialization())
        })
    }

    fn receive<'a>(
        &'a self,
        trip: &'a Trip,
        response: &'a ProviderResponse,
    ) -> Answer<'a, Result<Authenticated, ProviderRefusal>> {
        Box::pin(async move {
            let received = self.current().receive(trip, response).await?;
            if let Err(refusal) = &received {
                tracing::warn!(%refusal, "a customer did not authenticate at the OpenID provider");
            }
            Ok(received)
        })
    }
}

impl Inner {
    async fn send(&self, trip: &Trip) -> Result<String, Error> {
        let documents = self.library.documents(&self.client).await?;
        let configuration = &documents.configuration;
        let mut url = Url::parse(&configuration.authorization_endpoint).map_err(Error::unavailable)?;
        let request = self.request(trip);
        match &configuration.pushed_authorization_request_endpoint {
            // What a browser carries can be changed on the way, and nobody would say what was shown.
            None if !trip.payments.is_empty() && !self.settings.confirms_payments => {
                let text = "takes no pushed requests and does not confirm payments, so that nobody knows which ones it shows";
                return Err(Failure::away(text).into());
            }
            None => {
                url.query_pairs_mut().extend_pairs(&request);
            }
            Some(endpoint) => {
                // Any browser can be sent there as often as it likes; whoever comes back finds a place nevertheless.
                let place = timeout(self.settings.limits.deadline, self.pushes.acquire()).await;
                let _place = place.ok().and_then(Result::ok).ok_or_else(|| {
                    Failure::away("is not called, because too many customers are sent there at once")
                })?;
                let pushed: Pushed = self.call(endpoint, request, trip.now).await?;
                url.query_pairs_mut()
                    .append_pair("client_id", &self.settings.client_id)
                    .append_pair("request_uri", &pushed.request_uri);
            }
        }
        Ok(url.into())
    }

    /// The authorization request.
    fn request(&self, trip: &Trip) -> Vec<(&'static str, String)> {
        let settings = &self.settings;
        let mut request = vec![
            ("response_type", "code".to_owned()),
            ("client_id", settings.client_id.clone()),
            ("redirect_uri", trip.redirect_uri.clone()),
            ("scope", settings.scope.clone()),
            ("state", trip.state.clone()),
            ("nonce", trip.nonce.clone()),
            ("code_challenge", gateway::code_challenge(&trip.verifier)),
            ("code_challenge_method", "S256".to_owned()),
            ("max_age", settings.max_age.to_string()),
            ("ui_locales", trip.language.code().to_owned()),
        ];
        if !settings.acr_values.is_empty() {
            request.push(("acr_values", settings.acr_values.join(" ")));
        }
        if !trip.payments.is_empty() {
            let details = details::of_payments(&settings.payment_type, &trip.payments);
            request.push(("authorization_details", Value::Array(details).to_string()));
        }
        if trip.is_anew {
            request.push(("prompt", "login".to_owned()));
        }
        request
    }

    async fn receive(
        &self,
        trip: &Trip,
        response: &ProviderResponse,
    ) -> Result<Result<Authenticated, ProviderRefusal>, Error> {
        let documents = self.library.documents(&self.client).await?;
        if let Err(refusal) = self.check_issuer(&documents.configuration, response) {
            return Ok(Err(refusal));
        }
        let code = match &response.outcome {
            Ok(code) => code,
            Err(error) if error.is_empty() => {
                let text = "there is neither code nor error in the response";
                return Ok(Err(ProviderRefusal::Untrusted(text.to_owned())));
            }
            // Also if it says that the provider is away: browsers can write that themselves.
            Err(error) => return Ok(Err(ProviderRefusal::Denied(plain(error)))),
        };
        let form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.clone()),
            ("redirect_uri", trip.redirect_uri.clone()),
            ("code_verifier", trip.verifier.clone()),
        ];
        let tokens: Result<Tokens, _> =
            self.call(&documents.configuration.token_endpoint, form, trip.now).await;
        let tokens = match tokens {
            // Providers say either of a code that has not the form of theirs (RFC 6749, 5.2), and browsers can bring any.
            Err(Failure::Refused { answer, .. })
                if matches!(answer.error.as_str(), "invalid_grant" | "invalid_request") =>
            {
                return Ok(Err(ProviderRefusal::Code(answer.error)));
            }
            tokens => tokens?,
        };
        let is_confirmed = || {
            let asked = details::of_payments(&self.settings.payment_type, &trip.payments);
            let approved = tokens.authorization_details.as_ref().unwrap_or(&Value::Null);
            details::are_confirmed(&asked, approved)
        };
        if !trip.payments.is_empty() && self.settings.confirms_payments && !is_confirmed() {
            let text = "the authorization details that were approved are not those of the payment";
            return Ok(Err(ProviderRefusal::NotEnough(text.to_owned())));
        }
        let Some(token) = &tokens.id_token else {
            return Ok(Err(ProviderRefusal::Untrusted("there is no ID token".to_owned())));
        };
        self.verified(trip, token, documents).await
    }

    /// A response that does not say whose it is is taken only from a provider that never says so (RFC 9207, 2.4).
    fn check_issuer(
        &self,
        configuration: &Configuration,
        response: &ProviderResponse,
    ) -> Result<(), ProviderRefusal> {
        let is_right = match &response.issuer {
            Some(issuer) => *issuer == self.settings.issuer,
            None => !configuration.authorization_response_iss_parameter_supported,
        };
        let wrong = || ProviderRefusal::Untrusted("iss of the response is not the provider's".to_owned());
        if is_right { Ok(()) } else { Err(wrong()) }
    }

    async fn verified(
        &self,
        trip: &Trip,
        token: &str,
        documents: Arc<Documents>,
    ) -> Result<Result<Authenticated, ProviderRefusal>, Error> {
        let header = match id_token::header(token) {
            Ok(header) => header,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let max_age = match trip.payments.is_empty() {
            true => self.settings.max_age,
            false => self.settings.max_age.min(FOR_PAYMENTS),
        };
        let demands = Demands {
            settings: &self.settings,
            nonce: &trip.nonce,
            max_age,
            anew_since: trip.is_anew.then_some(trip.sent_at),
            now: trip.now,
        };
        let look = |documents: &Documents| {
            let key = documents.key(&header).ok_or(Unverified::UnknownKey)?;
            id_token::verified(token, (&header, key), demands)
        };
        let looked = match look(&documents) {
            // The provider has new keys, perhaps one under the id of another.
            Err(Unverified::UnknownKey | Unverified::Signature) => {
                look(&*self.library.after(&self.client, &documents).await?)
            }
            looked => looked,
        };
        Ok(looked.map_err(ProviderRefusal::from))
    }

    /// Calls an endpoint at which the gateway proves itself.
    async fn call<T: serde::de::DeserializeOwned>(
        &self,
        endpoint: &str,
        mut form: Vec<(&'static str, String)>,
        now: Timestamp,
    ) -> Result<T, Failure> {
        let id = &self.settings.client_id;
        let mut authorization = None;
        form.retain(|(name, _)| *name != "client_id");
        match &self.proof {
            Proof::Secret(secret) => {
                // RFC 6749, 2.3.1: both parts are encoded as in forms first.
                let encoded =
                    |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(id), encoded(secret));
                authorization = Some(format!("Basic {}", STANDARD.encode(pair)));
                form.push(("client_id", id.clone()));
            }
            Proof::Certificate => form.push(("client_id", id.clone())),
            Proof::Key { key, algorithm, key_id } => {
                let mut header = jsonwebtoken::Header::new(*algorithm);
                header.kid.clone_from(key_id);
                let (jti, iat) = (self.randomness.id(), now.as_second());
                let aud = self.settings.issuer.as_str();
                let claims = Assertion { iss: id, sub: id, aud, jti, iat, exp: iat + ASSERTION };
                let assertion = jsonwebtoken::encode(&header, &claims, key).map_err(|error| {
                    let text = "is not asked, because what proves the gateway cannot be signed";
                    Failure::Away(format!("{text}: {error}"))
                })?;
                form.push(("client_id", id.clone()));
                form.push(("client_assertion", assertion));
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                form.push(("client_assertion_type", kind.to_owned()));
            }
        }
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
        self.client.post(endpoint, form, authorization).await
    }
}
