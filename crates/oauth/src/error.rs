//! Errors of the authorization server: JSON for programs (RFC 6749, 5.2), a page for browsers.

use std::fmt::Display;

use axum::Json;
use axum::response::{IntoResponse, Response};
use edge::{Check, Rejected, note_failed, with_fault};
use gateway::Fault;
use gateway::domain::{GrantRefusal, Language, Refusal, StandingRefusal, Tenant};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use web::{Brand, ErrorPage, WayOn};

use crate::explanations::explain;
use crate::router::Services;
use crate::wire::ErrorBody;

/// Longest description, in characters: what a caller sent may stand in it.
const MAX_DESCRIPTION: usize = 500;

/// The challenge to clients. `Basic` is the one way to prove oneself that has a name in HTTP.
const CLIENT_CHALLENGE: &str = "Basic realm=\"token\"";

/// The code for a third party that may not act, where its customer is told.
pub(crate) const DENIED: &str = "access_denied";

/// What is said of each certificate that is not taken, where refusals are not explained.
pub(crate) const CERTIFICATE: &str = "the certificate is not acceptable";

/// The same of one that lacks a role.
const OTHER_ROLE: &str = "the certificate does not grant the role for this service";

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) description: Option<String>,
    /// What a bank says in its place that explains no refusal of a certificate or a signature.
    terse: Option<String>,
    challenge: Option<&'static str>,
    /// In how many seconds the request would be right.
    retry_after: Option<i64>,
    /// What is behind a failure of the bank itself, for the log.
    pub(crate) fault: Option<Fault>,
}

impl Error {
    pub(crate) fn new(status: StatusCode, error: &'static str, description: impl ToString) -> Self {
        let description = Some(printable(&description.to_string()));
        Self { status, error, description, terse: None, challenge: None, retry_after: None, fault: None }
    }

    /// 400 with a code and what is wrong.
    pub(crate) fn bad(error: &'static str, description: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    /// 401 with a code and what is wrong.
    pub(crate) fn unauthorized(error: &'static str, description: impl ToString) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, error, description)
    }

    /// 401 about a certificate or a signature. OAuth has no codes for them, so the description begins with the one of
    /// NextGenPSD2.
    pub(crate) fn about_keys(error: &'static str, code: &'static str, text: impl Display) -> Self {
        let refused = Self::unauthorized(error, format!("{code}: {text}"));
        match terse_text(code) {
            Some(terse) => refused.or_terse(format!("{code}: {terse}")),
            None => refused,
        }
    }

    /// Adds what is said in place of the description to whoever is not told which check of a certificate or a signature
    /// failed.
    pub(crate) fn or_terse(self, terse: impl Into<String>) -> Self {
        Self { terse: Some(terse.into()), ..self }
    }

    /// Recorded word for word: `Authorization: Bearer` with nothing after it.
    pub(crate) fn authorization_header() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: "Invalid HTTP Authorization header value",
            description: None,
            terse: None,
            challenge: None,
            retry_after: None,
            fault: None,
        }
    }

    /// 429: the client calls too often.
    fn too_many(retry_after: i64, refusal: &Refusal) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", refusal);
        Self { retry_after: Some(retry_after), ..error }
    }

    /// The bank itself failed.
    pub(crate) fn internal(fault: Fault) -> Self {
        let error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "internal error");
        Self { fault: Some(fault), ..error }
    }

    /// Adds what `WWW-Authenticate` says on a 401.
    pub(crate) fn with_challenge(self, challenge: &'static str) -> Self {
        Self { challenge: Some(challenge), ..self }
    }

    /// The same, as what it is where a client has to prove itself (RFC 6749, 5.2).
    pub(crate) fn of_client(self) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, error: "invalid_client", ..self }
            .with_challenge(CLIENT_CHALLENGE)
    }

    /// The same error as a page if the caller is a browser, at a branch if that is known.
    pub(crate) fn for_browser(
        self,
        services: &Services,
        tenant: Option<&Tenant>,
        headers: &HeaderMap,
    ) -> Response {
        let language = services.browser_language(None, headers);
        let way_on = services.way_to_log_in(tenant);
        self.into_page(services, language, headers, services.brand(tenant), way_on)
    }

    /// The same, in the language of a session, and with a way on.
    pub(crate) fn into_page(
        self,
        services: &Services,
        language: Language,
        headers: &HeaderMap,
        brand: Brand,
        way_on: Option<WayOn>,
    ) -> Response {
        if !accepts_page(headers) {
            return self.into_response();
        }
        let challenge = self.challenge();
        self.note();
        let terse = self.terse.filter(|_| !services.edge.explain);
        let detail = terse.or(self.description).unwrap_or_default();
        let code = self.error.to_owned();
        let page = match self.status {
            StatusCode::NOT_FOUND => ErrorPage::not_found(language, detail, code),
            _ => ErrorPage::refused(language, detail, code),
        };
        let page = page.of(brand, way_on);
        with_fault(challenged(web::page(self.status, &page), challenge), self.fault)
    }

    /// Tells observers of it.
    fn note(&self) {
        edge::note_code(self.error);
        let why = self.description.as_deref().unwrap_or(self.error);
        edge::note_refusal(why, |failed| explain(failed, self.error));
    }

    /// What `WWW-Authenticate` says. A 401 always has something (RFC 9110, 15.5.2): clients prove themselves by id and
    /// secret, everything else is a matter of tokens.
    fn challenge(&self) -> Option<&'static str> {
        let default = if self.error == "invalid_client" { "Basic realm=\"token\"" } else { "Bearer" };
        self.challenge.or_else(|| (self.status == StatusCode::UNAUTHORIZED).then_some(default))
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let challenge = self.challenge();
        self.note();
        let body = ErrorBody { error: self.error.to_owned(), error_description: self.description };
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(terse) = self.terse {
            let body = ErrorBody { error: self.error.to_owned(), error_description: Some(terse) };
            response.extensions_mut().insert(Terse(body));
        }
        with_fault(challenged(response, challenge), self.fault)
    }
}

/// The body of an answer for a caller who is not told which check failed.
#[derive(Clone)]
struct Terse(ErrorBody);

/// Middleware of a bank that does not explain its refusals: replaces texts about certificates and signatures.
pub(crate) async fn terse(mut response: Response) -> Response {
    let Some(Terse(body)) = response.extensions_mut().remove::<Terse>() else { return response };
    let (parts, _) = response.into_parts();
    Response::from_parts(parts, Json(body).into_response().into_body())
}

/// What is said of a code of NextGenPSD2 in place of a text that would tell an attacker which check failed.
fn terse_text(code: &str) -> Option<&'static str> {
    match code {
        // Whoever is blocked has to know until when.
        "CERTIFICATE_BLOCKED" => None,
        "ROLE_INVALID" => Some(OTHER_ROLE),
        _ if code.starts_with("CERTIFICATE_") => Some(CERTIFICATE),
        _ if code.starts_with("SIGNATURE_") => Some("the signature is not acceptable"),
        _ => None,
    }
}

/// Whether the caller is a browser that wants to show something.
pub(crate) fn accepts_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn challenged(mut response: Response, challenge: Option<&'static str>) -> Response {
    if let Some(challenge) = challenge {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        note_failed(Check::from(&rejected));
        let code = match rejected {
            Rejected::Busy => "temporarily_unavailable",
            _ => "invalid_request",
        };
        Self::new(rejected.status(), code, rejected)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        note_failed(Check::from(&refusal));
        match &refusal {
            Refusal::InitialAccessTokenUsed => invalid_token(format!(
                "{refusal} (the same request again needs the same X-Request-ID and body)"
            )),
            Refusal::InitialAccessTokenUnknown | Refusal::InitialAccessTokenExpired { .. } => {
                invalid_token(refusal)
            }
            Refusal::InitialAccessTokenForeign => Self::unauthorized("access_denied", refusal),
            Refusal::ClientCredentials => Self::unauthorized("invalid_client", refusal).of_client(),
            Refusal::RedirectUri(gateway::domain::RedirectUriError::None) => {
                Self::bad("invalid_request", refusal)
            }
            Refusal::RedirectUri(_) => Self::bad("invalid_redirect_uri", refusal),
            Refusal::SectorIdentifierUri => Self::bad("invalid_client_metadata", refusal),
            Refusal::SigningKeyMissing => Self::bad(
                "invalid_client_metadata",
                "token_endpoint_auth_method private_key_jwt uses the key of the signing certificate, which must be RSA or \
                 EC P-256; onboard or register with such a certificate in TPP-Signature-Certificate",
            ),
            Refusal::CertificateInvalid { .. } | Refusal::OrganizationMismatch { .. } => {
                denied("CERTIFICATE_INVALID", &refusal)
            }
            Refusal::RoleMissing { .. } => denied("ROLE_INVALID", &refusal),
            Refusal::CertificateExpired { .. } => denied("CERTIFICATE_EXPIRED", &refusal),
            Refusal::CertificateRevoked { .. } => denied("CERTIFICATE_REVOKED", &refusal),
            // It says nothing against the certificate but when to come again.
            Refusal::CertificateUnknown { .. } => {
                Self::unauthorized("access_denied", format!("CERTIFICATE_REVOKED: {refusal}"))
            }
            Refusal::CertificateUnchecked { .. } | Refusal::RegisterUnanswered { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", refusal)
            }
            Refusal::TooManyCalls { retry_after, .. } => Self::too_many(*retry_after, &refusal),
            Refusal::TooManyAtOnce { .. } => Self::too_many(1, &refusal),
            Refusal::CertificateBlocked { .. } => denied("CERTIFICATE_BLOCKED", &refusal),
            Refusal::NotRegistered(_) => Self::unauthorized("invalid_client", refusal).of_client(),
            Refusal::Standing(standing) => of_standing(standing).of_client(),
            Refusal::Grant(grant) => of_grant(grant),
            // Refusals of the interfaces, which have formats of their own.
            Refusal::RequestIdReused { .. }
            | Refusal::RequestIdOfAnother { .. }
            | Refusal::Consent(_)
            | Refusal::Authorisation(_)
            | Refusal::Access(_)
            | Refusal::Funds(_)
            | Refusal::Payment(_) => Self::bad("invalid_request", refusal),
        }
    }
}

fn invalid_token(text: impl ToString) -> Error {
    Error::unauthorized("invalid_token", text).with_challenge("Bearer error=\"invalid_token\"")
}

fn of_grant(refusal: &GrantRefusal) -> Error {
    use GrantRefusal as R;
    let error = match refusal {
        // Clients know both pairs of code and words.
        R::CodeOfAnotherClient(_) => "unauthorized_client",
        R::RefreshTokenUnknown => "invalid_request",
        R::Scope(_) => "invalid_scope",
        R::AccessTokenMissing
        | R::AccessTokenInvalid(_)
        | R::AccessTokenCertificate
        | R::AccessTokenOfAnotherSubject(_) => "invalid_token",
        R::CodeUnknown
        | R::CodeExpired { .. }
        | R::CodeUsed
        | R::SubjectEnded(_)
        | R::RedirectUri
        | R::Verifier
        | R::RefreshTokenUsed
        | R::RefreshTokenCertificate => "invalid_grant",
    };
    let error = Error::bad(error, refusal);
    if error.error == "invalid_token" {
        return error.with_challenge("Bearer error=\"invalid_token\"");
    }
    error
}

fn denied(code: &'static str, refusal: &Refusal) -> Error {
    Error::about_keys("access_denied", code, refusal)
}

fn of_standing(refusal: &StandingRefusal) -> Error {
    let error = Error::about_keys("invalid_client", refusal.code(), refusal);
    if refusal.is_told_to_everybody() { Error { terse: None, ..error } } else { error }
}

impl From<gateway::Error> for Error {
    fn from(error: gateway::Error) -> Self {
        use gateway::Error as E;
        let text = error.to_string();
        match error {
            E::Refused(refusal) => refusal.into(),
            E::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "invalid_request", text),
            E::Conflict => Self::new(StatusCode::CONFLICT, "temporarily_unavailable", text),
            E::Unavailable(fault) => Self {
                fault: Some(fault),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text)
            },
            E::Internal(fault) => Self::internal(fault),
        }
    }
}

/// An error of a use case at a door where a third party that may not act is told so with a code of the door's own.
pub(crate) fn refused_as(code: &'static str, error: gateway::Error) -> Error {
    match error {
        gateway::Error::Refused(refusal @ Refusal::Standing(_)) => {
            let refused = Error { challenge: None, ..refusal.into() };
            let refused = Error { status: StatusCode::BAD_REQUEST, error: code, ..refused };
            if code == "invalid_token" {
                refused.with_challenge("Bearer error=\"invalid_token\"")
            } else {
                refused
            }
        }
        other => other.into(),
    }
}

/// Descriptions may hold printable ASCII without quotes and backslashes only (RFC 6749, 5.2).
fn printable(text: &str) -> String {
    let plain = text.replace('…', "...").replace('"', "'").replace('\\', "/");
    let printable = plain.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' });
    printable.take(MAX_DESCRIPTION).collect()
}
