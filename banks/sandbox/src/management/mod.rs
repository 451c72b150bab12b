//! The management API: certificates, customers and accounts on demand, and clocks that move. It has a listener of its own and exists in
//! a sandbox only.

mod accounts;
mod calls;
mod clocks;
mod data;
mod faults;
mod origins;
mod payments;
mod registers;
mod resource_servers;
mod snapshots;
mod status_service;
mod tenants;
mod third_parties;
mod trusted_lists;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRef, Path, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use edge::{
    Agenda, ClientSecret, Connection, Door, FailingInterface, Rejected, SMALL_BODY, check_path, read_body,
    read_json, require_json, with_fault,
};
use gateway::domain::{CertificateRecord, CertificateStatus, Timestamp};
use gateway::{Clock, Fault, StoreError};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::calls::calls;
pub use self::origins::PortalPages;
pub use self::snapshots::GoingBack;

use crate::Sandbox;
use crate::clock::ClockError;
use crate::test_certificates::{TestCertificate, TestCertificateRequest, issue};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What the handlers need.
#[derive(Clone)]
struct Management {
    sandbox: Sandbox,
    interfaces: Arc<Interfaces>,
    due: Agenda,
    back: GoingBack,
    /// One clock is moved at a time: a move stops on its way, and what it computed has to hold when it goes on.
    moving: Arc<tokio::sync::Mutex<()>>,
}

impl FromRef<Management> for Sandbox {
    fn from_ref(management: &Management) -> Self {
        management.sandbox.clone()
    }
}

/// What the interfaces of the bank keep themselves, each by its name.
#[derive(Clone, Default)]
pub struct Interfaces {
    /// Where customers have credentials of their own.
    pub doors: Vec<(&'static str, Door)>,
    /// Where third parties have clients of their own.
    pub client_secrets: Vec<(&'static str, ClientSecret)>,
    /// How each can fail where a test wants it to.
    pub failing: Vec<FailingInterface>,
}

impl std::fmt::Debug for Interfaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interfaces(…)")
    }
}

/// Makes the router of the management listener; `others` are routes that need more than the bank, `interfaces` what those keep
/// themselves, and `due` what has to be done as time goes by: it is done before the answer when a clock was moved. `pages` are
/// the web pages that may call it, and `back` is how the bank goes back to what it was.
pub fn management(
    sandbox: Sandbox,
    others: Router,
    interfaces: Interfaces,
    due: Agenda,
    (pages, back): (PortalPages, GoingBack),
) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/openapi.json", get(description))
        .route("/ca.pem", get(ca_pem))
        .route("/test-certificates", post(issue_certificate).get(list_certificates))
        .route("/test-certificates/{fingerprint}", put(set_certificate_status))
        .route("/status-service", get(status_service::read).put(status_service::set))
        .route("/register", get(registers::read_all))
        .route("/register/{organizationIdentifier}", get(registers::read).put(registers::set))
        .route("/trusted-lists", get(trusted_lists::read).put(trusted_lists::set))
        .route("/trusted-lists/list-of-lists.xml", get(trusted_lists::list_of_lists))
        .route("/trusted-lists/NL.xml", get(trusted_lists::national))
        .route("/third-parties", get(third_parties::list))
        .route("/third-parties/{id}", put(third_parties::set_status))
        .route("/clock", get(clocks::read_all).put(clocks::move_them))
        .route("/personas", get(accounts::list_personas))
        .route("/test-accounts", post(accounts::make_test_account).get(accounts::list_test_accounts))
        .route("/test-accounts/{iban}", put(accounts::set_account_status))
        .route("/test-accounts/{iban}/transactions", post(data::add_transaction))
        .route("/test-accounts/{iban}/withdrawal", post(accounts::withdraw))
        .route("/data", post(data::load))
        .route("/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/faults/{id}", delete(faults::remove))
        .route("/consents", get(accounts::list_consents))
        .route("/consents/{consent}/revocation", post(accounts::revoke_consent))
        .route("/payments/{payment}", get(payments::read).put(payments::set_status))
        .route("/payments/{payment}/refund", post(payments::refund))
        .route("/resource-servers", post(resource_servers::put))
        .route("/tenants", get(tenants::list))
        .route("/tenants/{tenant}", put(tenants::set_name))
        .fallback(async || Error::from(Rejected::NotFound))
        .route("/snapshots", get(snapshots::list))
        .route("/snapshots/{name}", put(snapshots::save).delete(snapshots::remove))
        .route("/snapshots/{name}/restore", post(snapshots::restore))
        .route("/reset", post(snapshots::reset))
        .with_state(Management {
            sandbox,
            interfaces: Arc::new(interfaces),
            due,
            back,
            moving: Arc::default(),
        })
        .merge(others)
        .method_not_allowed_fallback(async |method: Method| Error::from(Rejected::Method(method)))
        .layer(from_fn_with_state(pages, origins::own_pages_only))
        .layer(from_fn(private))
}

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct Error {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// What is behind a failure of the bank itself, for the log.
    fault: Option<Fault>,
}

impl Error {
    pub(crate) fn bad(code: &'static str, message: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// It cannot be done as things are.
    pub(crate) fn conflict(message: impl ToString) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    fn new(status: StatusCode, code: &'static str, message: impl ToString) -> Self {
        Self { status, code, message: message.to_string(), fault: None }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        edge::note_code(self.code);
        let body = serde_json::json!({"error": self.code, "message": self.message});
        with_fault((self.status, Json(body)).into_response(), self.fault)
    }
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        let code = match rejected {
            Rejected::Busy => "temporarily_unavailable",
            _ => "invalid_request",
        };
        Self::new(rejected.status(), code, rejected)
    }
}

impl From<gateway::Error> for Error {
    fn from(error: gateway::Error) -> Self {
        use gateway::Error as E;
        let text = error.to_string();
        match error {
            E::Refused(refusal) => Self::bad("invalid_request", refusal),
            E::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", text),
            E::Conflict => Self::new(StatusCode::CONFLICT, "conflict", text),
            E::Unavailable(fault) => Self {
                fault: Some(fault),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text)
            },
            E::Internal(fault) => Self {
                fault: Some(fault),
                ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", text)
            },
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        gateway::Error::from(error).into()
    }
}

impl From<ClockError> for Error {
    fn from(error: ClockError) -> Self {
        match error {
            ClockError::OutOfRange => Self::bad("out_of_range", error),
            ClockError::Store(error) => error.into(),
        }
    }
}

/// Answers hold private keys: no cache keeps them, no page of another site embeds them, no browser guesses what they are.
async fn private(request: Request, next: Next) -> Response {
    edge::note_matched(&request);
    let mut response = match check_path(request.uri()) {
        Ok(()) => next.run(request).await,
        Err(rejected) => Error::from(rejected).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// This interface's description (OpenAPI 3.1), which a test holds against the routes.
const DESCRIPTION: &str = include_str!("openapi.json");

/// The description with the version of the program.
pub fn management_description() -> String {
    DESCRIPTION.replacen("\"0.0.0\"", concat!("\"", env!("CARGO_PKG_VERSION"), "\""), 1)
}

async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], management_description()).into_response()
}

/// The operations, each in a few words.
const INDEX: &[(&str, &str)] = &[
    ("GET /openapi.json", "this interface's description (OpenAPI 3.1)"),
    ("GET /ca.pem", "certificate of the sandbox's root authority"),
    ("POST /test-certificates", "issue a test certificate"),
    ("GET /test-certificates", "the certificates that were issued last"),
    ("PUT /test-certificates/{fingerprint}", "set a certificate's status: active, revoked or blocked"),
    (
        "GET /status-service",
        "how the authority tells whether certificates were revoked: OCSP responder and revocation lists",
    ),
    ("PUT /status-service", "let them say nothing, or let what they say hold for a short time only"),
    ("GET /register", "the register of payment institutions, in the form of the European Banking Authority"),
    ("GET /register/{organizationIdentifier}", "what it says of one of them"),
    (
        "PUT /register/{organizationIdentifier}",
        "let it say otherwise: withdrawn, absent, or other services by country",
    ),
    ("GET /trusted-lists", "what the trusted lists say of the authority"),
    (
        "PUT /trusted-lists",
        "let them say otherwise: withdrawn, other purposes, a time after which they are too old",
    ),
    ("GET /trusted-lists/list-of-lists.xml", "a signed list of lists (ETSI TS 119 612)"),
    ("GET /trusted-lists/NL.xml", "the signed trusted list to which it points"),
    ("GET /third-parties", "the third parties that came last"),
    ("PUT /third-parties/{id}", "set a third party's status: active or blocked"),
    ("GET /clock", "the tenants' clocks"),
    ("PUT /clock", "set, advance or reset a tenant's clock, or all of them"),
    ("GET /personas", "kinds of customers"),
    ("POST /test-accounts", "make a customer with accounts"),
    ("GET /test-accounts", "the customers that were made last"),
    ("PUT /test-accounts/{iban}", "set an account's status: enabled, blocked or deleted"),
    (
        "POST /test-accounts/{iban}/transactions",
        "enter money that comes in or goes out, booked on any day or pending",
    ),
    (
        "POST /test-accounts/{iban}/withdrawal",
        "withdraw in the bank's own app what the holders gave (core bank interface)",
    ),
    ("POST /data", "load customers, accounts and transactions from YAML, CSV or JSON"),
    ("GET /faults", "the faults that wait for calls"),
    ("POST /faults", "let the next calls, or those of a third party, path or interface, go wrong"),
    ("DELETE /faults", "take all faults away"),
    ("DELETE /faults/{id}", "take a fault away"),
    ("GET /consents?iban={iban}", "the consents that the holders of an account gave"),
    ("POST /consents/{consentId}/revocation", "withdraw a consent as its customer"),
    ("GET /payments/{paymentId}", "a payment as the bank sees it"),
    ("PUT /payments/{paymentId}", "set a payment's status, with what that means in the books"),
    ("POST /payments/{paymentId}/refund", "give the money of a payment back"),
    ("GET /tenants", "the bank's branches and its name at each"),
    ("PUT /tenants/{tenant}", "give the bank another name at a branch"),
    ("GET /snapshots", "the bank as it was, by name"),
    ("PUT /snapshots/{name}", "save the bank as it is, under a name"),
    ("DELETE /snapshots/{name}", "remove a snapshot"),
    ("POST /snapshots/{name}/restore", "put the bank back to what it was when a snapshot was saved"),
    ("POST /reset", "put the bank back to its first start; its test authority stays"),
    ("GET /calls", "the requests that the bank received last, each with why it was refused; with filters"),
    ("GET /calls/{number}", "one of them in full; with .har after the number as an HTTP archive"),
    ("GET /calls/stream", "requests as they come, as server-sent events"),
    ("GET /calls.har", "requests as an HTTP archive"),
    ("POST /resource-servers", "give a service of the bank a secret for token introspection"),
    ("POST /signing-keys", "sign ID tokens with a new key; the one before stays in the key set for a day"),
    ("POST /approvals", "authorise or refuse what an authorization URL asks for, as a customer would"),
];

async fn index() -> Json<serde_json::Value> {
    Json(INDEX.iter().copied().collect())
}

async fn ca_pem(State(sandbox): State<Sandbox>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-pem-file")], sandbox.authorities.root_pem()).into_response()
}

async fn issue_certificate(
    State(sandbox): State<Sandbox>,
    request: Request,
) -> Result<(StatusCode, Json<TestCertificate>), Error> {
    let request: TestCertificateRequest = json(request).await?;
    Ok((StatusCode::CREATED, Json(issue(&sandbox, request).await?)))
}

/// A certificate as the bank remembers it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KnownCertificate {
    fingerprint: String,
    organization_identifier: String,
    profile: &'static str,
    serial_number: String,
    recorded_at: Timestamp,
    status: &'static str,
    status_since: Option<Timestamp>,
}

impl From<CertificateRecord> for KnownCertificate {
    fn from(record: CertificateRecord) -> Self {
        Self {
            organization_identifier: record.holder.tpp.to_string(),
            profile: record.kind.name(),
            serial_number: record.holder.serial,
            recorded_at: record.recorded_at,
            status: record.status.name(),
            status_since: record.status.since(),
            fingerprint: record.holder.fingerprint,
        }
    }
}

async fn list_certificates(State(sandbox): State<Sandbox>) -> Result<Json<serde_json::Value>, Error> {
    let known: Vec<_> =
        sandbox.gateway.certificates().await?.into_iter().map(KnownCertificate::from).collect();
    Ok(Json(serde_json::json!({"certificates": known})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    status: String,
}

async fn set_certificate_status(
    State(sandbox): State<Sandbox>,
    Path(fingerprint): Path<String>,
    request: Request,
) -> Result<Json<KnownCertificate>, Error> {
    let NewStatus { status } = json(request).await?;
    let status = CertificateStatus::from_name(&status, sandbox.clock.now(None)).ok_or_else(|| {
        Error::bad("invalid_status", format!("status \"{status}\" is not one of active, revoked, blocked"))
    })?;
    let fingerprint = fingerprint.to_ascii_lowercase().replace(':', "");
    Ok(Json(sandbox.gateway.set_certificate_status(&fingerprint, status).await?.into()))
}

/// What a query says that knows one parameter, and needs none.
fn only_parameter(query: Option<&str>, name: &str) -> Result<Option<String>, Error> {
    let mut found = None;
    for (said, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if said != name || found.is_some() {
            let text = format!("the query has the parameter {name} or none, once; there is no other");
            return Err(Error::bad("invalid_request", text));
        }
        found = Some(value.into_owned());
    }
    Ok(found)
}

/// A JSON body. The media type must be said, which also keeps forms of other sites out.
async fn json<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Error> {
    require_json(request.headers())?;
    let connection = request.extensions().get::<Connection>().cloned();
    let body = read_body(request.into_body(), SMALL_BODY, connection.as_ref()).await?;
    read_json(&body).map_err(|error| Error::bad("invalid_request", format!("the body: {error}")))
}
