//! The dialect's errors: a status, and a text in the caller's language (sections 5.1 and 5.2 of the interface
//! description).

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use edge::{Check, FormError, Rejected, note_failed, with_fault};
use gateway::domain::{AccessRefusal, GrantRefusal, PaymentRefusal, Refusal};
use gateway::{Fault, Noun};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::explanations::explain;
use crate::reply::ascii;
use crate::wire::{ErrorBody, ErrorText};

/// The status of an answer that the bank cannot give at the moment.
pub const UNAVAILABLE: u16 = 491;

/// Nothing but these credentials opens a session; the text is the same whatever is wrong with them.
pub(crate) const WRONG_CREDENTIALS: &str = "User credentials are incorrect. Incorrect API key or IP address.";

/// What a bank that explains nothing says of certificates and signatures.
const CERTIFICATE: &str = "The certificate is not acceptable.";
const SIGNATURE: &str = "The request signature is invalid.";

const SIGNATURE_REQUIRED: &str =
    "For this operation a request signature is required. Check the urls for more information.";

/// Fixed texts with their Dutch translation, for callers that ask for it.
const DUTCH: &[(&str, &str)] = &[
    (WRONG_CREDENTIALS, "De inloggegevens zijn onjuist. Onjuiste API-sleutel of IP-adres."),
    ("Insufficient authentication.", "Onvoldoende authenticatie."),
    ("Insufficient authorisation.", "Onvoldoende autorisatie."),
    (SIGNATURE, "De handtekening van het verzoek is ongeldig."),
    (SIGNATURE_REQUIRED, "Voor deze handeling is een handtekening van het verzoek vereist."),
    ("Resource not found.", "Niet gevonden."),
    ("Route not found.", "Pad niet gevonden."),
    ("Method not allowed.", "Methode niet toegestaan."),
];

/// An answer that is an error.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    /// Pages that help further, by their kind.
    additional: Option<(&'static str, &'static str)>,
    /// Headers of its own.
    pub(crate) headers: Vec<(HeaderName, String)>,
    /// What is behind a failure of the bank itself, for the log.
    pub(crate) fault: Option<Fault>,
    /// What a bank says in place of the text that explains no refusal of a certificate or a signature.
    terse: Option<&'static str>,
}

impl Error {
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), additional: None, headers: Vec::new(), fault: None, terse: None }
    }

    /// The request cannot be served as it is.
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// A certificate or a signature is not taken, for the reason that the text explains; `terse` says no more than that.
    pub(crate) fn about_keys(text: impl Into<String>, terse: &'static str) -> Self {
        Self { terse: Some(terse), ..Self::bad(text) }
    }

    /// A certificate is not taken, for the reason that the text explains.
    pub(crate) fn certificate(text: impl Into<String>) -> Self {
        Self::about_keys(text, CERTIFICATE)
    }

    /// The same for a caller who is not told which check failed: an attacker would learn from it.
    pub(crate) fn terse(self) -> Self {
        match self.terse {
            Some(terse) => Self { text: terse.to_owned(), ..self },
            None => self,
        }
    }

    /// The caller may not do this.
    pub(crate) fn forbidden(text: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, text)
    }

    /// There is no such thing, or it is somebody else's.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Resource not found.")
    }

    /// The token is unknown or expired.
    pub(crate) fn unauthenticated() -> Self {
        Self::forbidden("Insufficient authentication.")
    }

    /// The token is of a kind that this call does not take.
    pub(crate) fn unauthorised() -> Self {
        let challenge = "Bunq realm=\"bunq\", header=\"X-Bunq-Client-Authentication\"".to_owned();
        let error = Self::new(StatusCode::UNAUTHORIZED, "Insufficient authorisation.");
        Self { headers: vec![(header::WWW_AUTHENTICATE, challenge)], ..error }
    }

    /// The method is not one of those that the path has.
    pub(crate) fn method(allowed: &[&str]) -> Self {
        let error = Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.");
        Self { headers: vec![(header::ALLOW, allowed.join(","))], ..error }
    }

    /// The bank cannot answer at the moment.
    pub(crate) fn unavailable(text: impl Into<String>) -> Self {
        Self::new(StatusCode::from_u16(UNAVAILABLE).unwrap_or(StatusCode::SERVICE_UNAVAILABLE), text)
    }

    /// Too often; in so many seconds it is right again.
    pub(crate) fn too_many(text: impl Into<String>, retry_after: i64) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, text);
        Self { headers: vec![(header::RETRY_AFTER, retry_after.max(1).to_string())], ..error }
    }

    /// No API key with this value that may be used from here.
    pub(crate) fn credentials() -> Self {
        Self::bad(WRONG_CREDENTIALS)
    }

    /// The call has to be signed.
    pub(crate) fn signature_required() -> Self {
        let status = StatusCode::from_u16(466).unwrap_or(StatusCode::BAD_REQUEST);
        let additional = ("url_together_post", "https://together.bunq.com/d/15399");
        Self { additional: Some(additional), ..Self::new(status, SIGNATURE_REQUIRED) }
    }

    /// The signature does not fit.
    pub(crate) fn signature_invalid(why: &str) -> Self {
        Self::about_keys(format!("{SIGNATURE} {why}").trim_end(), SIGNATURE)
    }

    /// Tells observers why.
    pub(crate) fn note(&self) {
        edge::note_refusal(&self.text, |failed| explain(failed, self.status, &self.text));
    }

    /// The answer, translated as far as there is a translation.
    pub(crate) fn response(&self, is_dutch: bool) -> Response {
        edge::note_code(self.status.as_str());
        self.note();
        let known = DUTCH.iter().find(|(english, _)| self.text.starts_with(english));
        let translated = match known {
            Some((english, dutch)) if is_dutch => self.text.replacen(english, dutch, 1),
            _ => self.text.clone(),
        };
        let error = ErrorText {
            error_description: self.text.clone(),
            error_description_translated: translated,
            error_additional_parameter: self.additional.map(|page| vec![BTreeMap::from([page])]),
        };
        let body = ascii(&ErrorBody { error: vec![error] });
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], body).into_response();
        for (name, value) in &self.headers {
            // Our own texts, which are ASCII.
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        }
        with_fault(response, self.fault.clone())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.response(false)
    }
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        note_failed(Check::from(&rejected));
        match rejected {
            Rejected::NotFound => Self::new(StatusCode::NOT_FOUND, "Route not found."),
            Rejected::Method(_) => Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed."),
            other => Self::new(other.status(), sentence(&other.to_string())),
        }
    }
}

impl From<FormError> for Error {
    fn from(error: FormError) -> Self {
        Self::bad(match error {
            FormError::Rejected(rejected) => return rejected.into(),
            FormError::TooMany(_) | FormError::NotText => sentence(&error.to_string()),
            FormError::ValueNotText(name) => format!("The parameter \"{name}\" is not valid UTF-8."),
            FormError::Twice(name) => format!("The parameter \"{name}\" occurs more than once."),
            FormError::Missing(name) => format!("The parameter \"{name}\" is required."),
        })
    }
}

impl From<PaymentRefusal> for Error {
    fn from(refusal: PaymentRefusal) -> Self {
        note_failed(Check::Payment);
        Self::bad(sentence(&refusal.to_string()))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        note_failed(Check::from(&refusal));
        let text = sentence(&refusal.to_string());
        match refusal {
            Refusal::CertificateInvalid { .. }
            | Refusal::OrganizationMismatch { .. }
            | Refusal::CertificateExpired { .. }
            | Refusal::CertificateRevoked { .. } => Self::certificate(text),
            Refusal::RoleMissing { .. } => {
                Self::about_keys(text, "The certificate does not grant the role for this service.")
            }
            // Whoever is blocked has to know until when.
            Refusal::CertificateBlocked { .. }
            // It says nothing against the certificate but when to come again.
            | Refusal::CertificateUnknown { .. }
            | Refusal::Payment(_)
            | Refusal::Funds(_)
            // Refusals of the authorization server, which no call of this dialect comes to.
            | Refusal::InitialAccessTokenUnknown
            | Refusal::InitialAccessTokenExpired { .. }
            | Refusal::InitialAccessTokenUsed
            | Refusal::InitialAccessTokenForeign
            | Refusal::SigningKeyMissing
            | Refusal::ClientCredentials
            | Refusal::RedirectUri(_)
            | Refusal::SectorIdentifierUri
            | Refusal::RequestIdReused { .. }
            | Refusal::RequestIdOfAnother { .. }
            | Refusal::Authorisation(_)
            | Refusal::Consent(_) => Self::bad(text),
            Refusal::CertificateUnchecked { .. } | Refusal::RegisterUnanswered { .. } => {
                Self::unavailable(text)
            }
            Refusal::TooManyCalls { retry_after, .. } => Self::too_many(text, retry_after),
            Refusal::TooManyAtOnce { .. } => Self::too_many(text, 1),
            Refusal::NotRegistered(_) => Self::unauthenticated(),
            // The session is there, and of no use: the text says why.
            Refusal::Standing(_) => Self::forbidden(text),
            Refusal::Grant(refusal) => of_grant(&refusal, text),
            Refusal::Access(refusal) => of_access(&refusal, text),
        }
    }
}

/// A grant that has ended takes the session with it.
fn of_grant(refusal: &GrantRefusal, text: String) -> Error {
    use GrantRefusal as R;
    match refusal {
        R::AccessTokenMissing
        | R::AccessTokenInvalid(_)
        | R::AccessTokenCertificate
        | R::AccessTokenOfAnotherSubject(_)
        | R::SubjectEnded(_) => Error::unauthenticated(),
        R::CodeUnknown
        | R::CodeOfAnotherClient(_)
        | R::CodeExpired { .. }
        | R::CodeUsed
        | R::Scope(_)
        | R::RedirectUri
        | R::Verifier
        | R::RefreshTokenUnknown
        | R::RefreshTokenCertificate
        | R::RefreshTokenUsed => Error::bad(text),
    }
}

fn of_access(refusal: &AccessRefusal, text: String) -> Error {
    match refusal {
        AccessRefusal::LimitReached { retry_after, .. } => Error::too_many(text, *retry_after),
        AccessRefusal::NotGranted { .. }
        | AccessRefusal::Product { .. }
        | AccessRefusal::Unavailable { .. } => Error::forbidden(text),
        AccessRefusal::Period { .. } | AccessRefusal::PeriodInFuture { .. } | AccessRefusal::EdgeToken => {
            Error::bad(text)
        }
    }
}

impl From<gateway::Error> for Error {
    fn from(error: gateway::Error) -> Self {
        use gateway::Error as E;
        match error {
            E::Refused(refusal) => refusal.into(),
            E::NotFound(
                Noun::Certificate
                | Noun::Consent
                | Noun::Authorisation
                | Noun::Account
                | Noun::Customer
                | Noun::Payment
                | Noun::ThirdParty,
            ) => Self::not_found(),
            E::Conflict => Self::new(StatusCode::CONFLICT, sentence(&error.to_string())),
            E::Unavailable(fault) => {
                let text = "The service is not available. Please try again later.";
                Self { fault: Some(fault), ..Self::unavailable(text) }
            }
            E::Internal(fault) => {
                let text = "The operation could not be completed. Please try again.";
                Self { fault: Some(fault), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, text) }
            }
        }
    }
}

/// Runs load, decide, save until nothing that was loaded moved on meanwhile: who changes something beside others is not refused for
/// that.
///
/// # Errors
/// Those of the attempt; 409 only if others were faster time and again.
pub(crate) async fn retry<T, F>(attempt: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    gateway::retry(|| async {
        match attempt().await {
            Err(error) if error.status == StatusCode::CONFLICT => Err(gateway::Error::Conflict),
            done => Ok(done),
        }
    })
    .await?
}

/// Texts of the gateway begin in lower case and have no full stop; here they are sentences. An identifier stays as it is.
pub(crate) fn sentence(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    let is_identifier = first.contains(|letter: char| letter.is_ascii_digit() || letter == '-');
    let mut letters = text.chars();
    let mut sentence = String::new();
    if !is_identifier {
        sentence.extend(letters.next().into_iter().flat_map(char::to_uppercase));
    }
    sentence.push_str(letters.as_str());
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_not_capitalised() {
        assert_eq!(sentence("the account was closed"), "The account was closed.");
        assert_eq!(sentence("bunq-user-1 was blocked"), "bunq-user-1 was blocked.");
        assert_eq!(sentence("already done."), "Already done.");
        assert_eq!(sentence(""), ".");
    }
}
