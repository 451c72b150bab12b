//! A small OpenID provider on this machine, which can be told to misbehave. It asks nobody for anything: whoever comes is the
//! customer that the test says.

#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gateway::domain::Timestamp;
use http::{HeaderMap, StatusCode, header};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

use crate::{ClientProof, ProviderSettings};

/// Id of the gateway at the provider.
pub const CLIENT: &str = "gateway";

/// Its secret.
pub const SECRET: &str = "a secret: with %";

/// Parameters of a request.
pub type Parameters = BTreeMap<String, String>;

/// How ID tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// As they should be.
    Right,
    /// As they should be, without the id of the key.
    Unnamed,
    /// With a key that is not published, under the id of one that is.
    OtherKey,
    /// With a key that is not published, under its own id.
    UnknownKey,
    /// Not at all (`alg` none).
    Nothing,
    /// With the published key as a secret (HS256).
    Symmetric,
}

/// What becomes of authorization details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Details {
    /// They come back as they were.
    Approved,
    /// They do not come back.
    Forgotten,
    /// Another amount comes back.
    Changed,
}

/// What the provider does.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// The time by which it goes.
    pub now: Timestamp,
    /// Who authenticates; nobody if absent.
    pub subject: Option<String>,
    /// The error code that browsers come back with, if any.
    pub error: Option<String>,
    /// Whether it answers 503.
    pub is_away: bool,
    /// Whether it shows neither its configuration nor its keys, and does all else.
    pub hides_documents: bool,
    /// Whether it says nothing to pushed requests.
    pub hangs: bool,
    /// Whether it takes pushed requests, and no others.
    pub pushes: bool,
    /// `iss` of responses; none if absent.
    pub issuer: Option<String>,
    /// Whether its configuration says that there is one.
    pub says_issuer: bool,
    /// Claims in place of those of the ID token; null takes one away.
    pub claims: Value,
    /// How tokens are signed.
    pub signing: Signing,
    /// Keys that it publishes beside the one that it signs with, before that.
    pub other_keys: Vec<Value>,
    /// What becomes of authorization details.
    pub details: Details,
    /// What it says of a code that it does not take.
    pub of_codes: &'static str,
    /// The public key of the gateway, if it has no secret.
    pub client_key: Option<Jwk>,
}

struct Inner {
    issuer: String,
    behaviour: Mutex<Behaviour>,
    keys: Mutex<Vec<(String, EncodingKey)>>,
    pushed: Mutex<BTreeMap<String, Parameters>>,
    codes: Mutex<BTreeMap<String, Parameters>>,
    requests: Mutex<Vec<Parameters>>,
    /// How often keys were looked up.
    looked_up: Mutex<u32>,
    /// How many pushed requests it says nothing to.
    kept_waiting: Mutex<u32>,
}

/// A provider that runs until the test ends.
#[derive(Clone)]
pub struct TestProvider(Arc<Inner>);

impl std::fmt::Debug for TestProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TestProvider").field(&self.0.issuer).finish()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new key pair in PEM (PKCS#8, P-256).
pub fn new_key() -> String {
    rcgen::KeyPair::generate().unwrap().serialize_pem()
}

/// The same of another curve, P-384.
pub fn new_key_of_another_curve() -> String {
    rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem()
}

/// The public key of a key pair in PEM.
pub fn public_key(pem: &str) -> Jwk {
    let key = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
    Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap()
}

fn signing_key() -> EncodingKey {
    EncodingKey::from_ec_pem(new_key().as_bytes()).unwrap()
}

impl TestProvider {
    /// Starts one that behaves well, on a free port.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn start(now: Timestamp) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let behaviour = Behaviour {
            now,
            subject: None,
            error: None,
            is_away: false,
            hides_documents: false,
            hangs: false,
            pushes: false,
            issuer: Some(issuer.clone()),
            says_issuer: true,
            claims: json!({}),
            signing: Signing::Right,
            other_keys: vec![json!({"kty": "of another time", "kid": "x"})],
            details: Details::Approved,
            of_codes: "invalid_grant",
            client_key: None,
        };
        let this = Self(Arc::new(Inner {
            issuer,
            behaviour: Mutex::new(behaviour),
            keys: Mutex::new(vec![("key-1".to_owned(), signing_key())]),
            pushed: Mutex::default(),
            codes: Mutex::default(),
            requests: Mutex::default(),
            looked_up: Mutex::default(),
            kept_waiting: Mutex::default(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/par", post(push))
            .route("/token", post(token))
            .with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    /// Its issuer.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Settings of a gateway that proves itself with the secret.
    pub fn settings(&self) -> ProviderSettings {
        ProviderSettings::new(self.issuer(), CLIENT, ClientProof::Secret(SECRET.to_owned()))
    }

    /// Tells it what to do from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut locked(&self.0.behaviour));
    }

    /// Signs with a new key from now on, and publishes no other.
    pub fn rotate(&self) {
        let mut keys = locked(&self.0.keys);
        let id = format!("key-{}", keys.len() + 1);
        keys.push((id, signing_key()));
    }

    /// The same under the id of the old one.
    pub fn replace_key(&self) {
        let mut keys = locked(&self.0.keys);
        let (id, _) = keys.last().cloned().unwrap();
        keys.push((id, signing_key()));
    }

    /// The authorization requests that came.
    pub fn requests(&self) -> Vec<Parameters> {
        locked(&self.0.requests).clone()
    }

    /// How often the keys were looked up.
    pub fn looked_up(&self) -> u32 {
        *locked(&self.0.looked_up)
    }

    /// How many pushed requests came to which it says nothing.
    pub fn kept_waiting(&self) -> u32 {
        *locked(&self.0.kept_waiting)
    }

    fn behaviour(&self) -> Behaviour {
        locked(&self.0.behaviour).clone()
    }

    fn signed(&self, behaviour: &Behaviour, request: &Parameters) -> String {
        let now = behaviour.now.as_second();
        let mut claims = json!({
            "iss": self.0.issuer,
            "aud": CLIENT,
            "sub": behaviour.subject,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": request.get("nonce"),
            "acr": request.get("acr_values").and_then(|values| values.split(' ').next()),
        });
        let members = claims.as_object_mut().unwrap();
        members.extend(behaviour.claims.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        let (id, key) = locked(&self.0.keys).last().cloned().unwrap();
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(id);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        match behaviour.signing {
            Signing::Right => jsonwebtoken::encode(&header, &claims, &key).unwrap(),
            Signing::Unnamed => {
                header.kid = None;
                jsonwebtoken::encode(&header, &claims, &key).unwrap()
            }
            Signing::OtherKey => jsonwebtoken::encode(&header, &claims, &signing_key()).unwrap(),
            Signing::UnknownKey => {
                header.kid = Some("nobody's".to_owned());
                jsonwebtoken::encode(&header, &claims, &signing_key()).unwrap()
            }
            Signing::Nothing => format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims)),
            Signing::Symmetric => {
                let jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
                let secret = EncodingKey::from_secret(serde_json::to_string(&jwk).unwrap().as_bytes());
                let header = Header { alg: Algorithm::HS256, ..header };
                jsonwebtoken::encode(&header, &claims, &secret).unwrap()
            }
        }
    }

    /// Whether it is the gateway that calls.
    fn knows(&self, behaviour: &Behaviour, headers: &HeaderMap, form: &Parameters) -> bool {
        let Some(key) = &behaviour.client_key else {
            let encoded: String = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
            let expected = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{encoded}")));
            return headers.get(header::AUTHORIZATION).is_some_and(|given| given == expected.as_str());
        };
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["aud", "iss", "sub", "exp"]);
        validation.set_issuer(&[CLIENT]);
        validation.set_audience(&[&self.0.issuer]);
        let assertion = form.get("client_assertion").map_or("", String::as_str);
        let key = DecodingKey::from_jwk(key).unwrap();
        jsonwebtoken::decode::<Value>(assertion, &key, &validation).is_ok()
    }
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error, "error_description": "as it was told"}))).into_response()
}

fn parameters(body: &str) -> Option<Parameters> {
    let pairs: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let all: Parameters = pairs.iter().cloned().collect();
    (all.len() == pairs.len()).then_some(all)
}

async fn configuration(State(provider): State<TestProvider>) -> Response {
    let (behaviour, issuer) = (provider.behaviour(), &provider.0.issuer);
    if behaviour.is_away || behaviour.hides_documents {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "pushed_authorization_request_endpoint": behaviour.pushes.then(|| format!("{issuer}/par")),
        "authorization_response_iss_parameter_supported": behaviour.says_issuer,
        "code_challenge_methods_supported": ["S256"],
    }))
    .into_response()
}

async fn keys(State(provider): State<TestProvider>) -> Json<Value> {
    *locked(&provider.0.looked_up) += 1;
    let (id, key) = locked(&provider.0.keys).last().cloned().unwrap();
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
    jwk.common.key_id = Some(id);
    let mut published = provider.behaviour().other_keys;
    published.push(json!(jwk));
    Json(json!({"keys": published}))
}

async fn push(State(provider): State<TestProvider>, headers: HeaderMap, body: String) -> Response {
    let behaviour = provider.behaviour();
    if behaviour.hangs {
        *locked(&provider.0.kept_waiting) += 1;
        return std::future::pending().await;
    }
    let Some(form) = parameters(&body) else { return refused(StatusCode::BAD_REQUEST, "invalid_request") };
    if !provider.knows(&behaviour, &headers, &form) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let mut pushed = locked(&provider.0.pushed);
    let uri = format!("urn:ietf:params:oauth:request_uri:{}", pushed.len() + 1);
    pushed.insert(uri.clone(), form);
    (StatusCode::CREATED, Json(json!({"request_uri": uri, "expires_in": 60}))).into_response()
}

async fn authorize(
    State(provider): State<TestProvider>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let behaviour = provider.behaviour();
    let query: Parameters = query.into_iter().collect();
    let request = match query.get("request_uri") {
        Some(uri) => locked(&provider.0.pushed).remove(uri),
        None => Some(query).filter(|_| !behaviour.pushes),
    };
    let is_good = |request: &Parameters| {
        let has = |name: &str, value: &str| request.get(name).is_some_and(|given| given == value);
        has("client_id", CLIENT)
            && has("response_type", "code")
            && has("code_challenge_method", "S256")
            && request.contains_key("nonce")
            && request.contains_key("max_age")
    };
    let Some(request) = request.filter(is_good) else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request");
    };
    locked(&provider.0.requests).push(request.clone());
    let mut back = url::Url::parse(&request["redirect_uri"]).unwrap();
    let error = behaviour.error.or_else(|| behaviour.subject.is_none().then(|| "access_denied".to_owned()));
    match error {
        Some(error) => {
            back.query_pairs_mut().append_pair("error", &error);
        }
        None => {
            let mut codes = locked(&provider.0.codes);
            let code = format!("code-{}", locked(&provider.0.requests).len());
            codes.insert(code.clone(), request.clone());
            back.query_pairs_mut().append_pair("code", &code);
        }
    }
    back.query_pairs_mut().append_pair("state", &request["state"]);
    if let Some(issuer) = &behaviour.issuer {
        back.query_pairs_mut().append_pair("iss", issuer);
    }
    (StatusCode::FOUND, [(header::LOCATION, String::from(back))]).into_response()
}

async fn token(State(provider): State<TestProvider>, headers: HeaderMap, body: String) -> Response {
    let behaviour = provider.behaviour();
    if behaviour.is_away {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let Some(form) = parameters(&body) else { return refused(StatusCode::BAD_REQUEST, "invalid_request") };
    if !provider.knows(&behaviour, &headers, &form) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let request = locked(&provider.0.codes).remove(&form["code"]);
    let is_its = |request: &Parameters| {
        request["redirect_uri"] == form["redirect_uri"]
            && request["code_challenge"] == gateway::code_challenge(&form["code_verifier"])
    };
    let Some(request) = request.filter(is_its) else {
        return refused(StatusCode::BAD_REQUEST, behaviour.of_codes);
    };
    let mut answer = json!({
        "access_token": "nobody's business",
        "token_type": "Bearer",
        "id_token": provider.signed(&behaviour, &request),
    });
    if let Some(details) = request.get("authorization_details") {
        let mut details: Value = serde_json::from_str(details).unwrap();
        if behaviour.details == Details::Changed {
            details[0]["instructedAmount"]["amount"] = json!("0.01");
        }
        if behaviour.details != Details::Forgotten {
            answer["authorization_details"] = details;
        }
    }
    Json(answer).into_response()
}
