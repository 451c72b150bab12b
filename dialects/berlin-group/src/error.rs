//! The dialect's errors: status, message code and text.

use axum::Json;
use axum::response::{IntoResponse, Response};
use edge::{Check, Rejected, SignatureRefusal, note_code, note_failed, note_refusal, with_fault};
use gateway::domain::{
    AccessRefusal, AuthorisationRefusal, ConsentRefusal, FundsRefusal, GrantRefusal, PaymentRefusal, Refusal,
    ScaStatus,
};
use gateway::{Fault, Noun};
use http::{HeaderValue, StatusCode, header};

use crate::explanations::explain;
use crate::wire::{ErrorBody, TppMessage};
use crate::wording::text;

/// An answer that is an error.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    status: StatusCode,
    code: Option<&'static str>,
    text: String,
    /// In how many seconds the request would be right.
    retry_after: Option<i64>,
    /// What is behind a failure of the bank itself, for the log.
    fault: Option<Fault>,
    /// Whether the text tells nobody anything that is not known anyway.
    is_public: bool,
}

impl Error {
    pub(crate) fn new(status: StatusCode, code: &'static str, text: impl ToString) -> Self {
        Self {
            status,
            code: Some(code),
            text: text.to_string(),
            retry_after: None,
            fault: None,
            is_public: false,
        }
    }

    /// A failure that a test asked for.
    pub(crate) fn asked_for(status: StatusCode, code: Option<&'static str>, text: &str) -> Self {
        Self { status, code, text: text.to_owned(), retry_after: None, fault: None, is_public: true }
    }

    /// A failure of the bank itself, for which there is no code.
    fn failed(status: StatusCode, text: String, fault: Fault) -> Self {
        Self { status, code: None, text, retry_after: None, fault: Some(fault), is_public: false }
    }

    pub(crate) fn unauthorized(code: &'static str, text: impl ToString) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, text)
    }

    pub(crate) fn format(text: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "FORMAT_ERROR", text)
    }

    /// The same error, saying to which member of a body it belongs.
    pub(crate) fn of_member(self, member: &str) -> Self {
        Self { text: format!("{member}: {}", self.text), ..self }
    }

    /// Status, code and text.
    #[cfg(test)]
    pub(crate) fn parts(&self) -> (u16, &str, &str) {
        (self.status.as_u16(), self.code.unwrap_or_default(), &self.text)
    }

    /// The same error for a caller who is told the code only. Texts about certificates and signatures would
    /// tell an attacker which check failed; other texts say what is wrong with the caller's own request.
    fn terse(&self) -> Self {
        if self.is_public {
            return self.clone();
        }
        let text = match self.code {
            // Whoever is blocked has to know until when.
            Some("CERTIFICATE_BLOCKED") => return self.clone(),
            Some(code) if code.starts_with("CERTIFICATE_") => "The certificate is not acceptable",
            Some(code) if code.starts_with("SIGNATURE_") => "The signature is not acceptable",
            Some("ROLE_INVALID") => "The certificate does not grant the role for this service",
            _ => return self.clone(),
        };
        Self { text: text.to_owned(), ..self.clone() }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        note_code(self.code.unwrap_or(self.status.as_str()));
        note_refusal(&self.text, |failed| explain(failed, self.code));
        let body = ErrorBody {
            tpp_messages: vec![TppMessage {
                text: Some(self.text.clone()),
                code: self.code.map(str::to_owned),
                category: "ERROR".to_owned(),
            }],
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, challenge(self.code));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        let fault = self.fault.clone();
        response.extensions_mut().insert(self);
        with_fault(response, fault)
    }
}

/// What a 401 asks for (RFC 9110, 15.5.2): a token (RFC 6750), or a signature (draft-cavage-12, 3.1.1).
fn challenge(code: Option<&str>) -> HeaderValue {
    HeaderValue::from_static(match code {
        Some("TOKEN_INVALID") => "Bearer error=\"invalid_token\"",
        Some("TOKEN_UNKNOWN" | "CONSENT_INVALID") => "Bearer",
        _ => "Signature realm=\"xs2a\",headers=\"digest x-request-id\"",
    })
}

/// A part of what a caller sent, short enough for a text.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Middleware of a bank that does not explain its refusals: replaces texts about certificates and signatures.
pub(crate) async fn terse(mut response: Response) -> Response {
    let Some(error) = response.extensions_mut().remove::<Error>() else { return response };
    let terse = error.terse();
    if terse.text == error.text {
        return response;
    }
    let (parts, _) = response.into_parts();
    Response::from_parts(parts, terse.into_response().into_body())
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        note_failed(Check::from(&rejected));
        let code = match rejected {
            // Recorded: an unknown path has a text and no code.
            Rejected::NotFound => None,
            // The standard defines no code for a service that is not available.
            Rejected::Busy => None,
            Rejected::Method(_) => Some("SERVICE_INVALID"),
            _ => Some("FORMAT_ERROR"),
        };
        Self {
            status: rejected.status(),
            code,
            text: rejected.to_string(),
            retry_after: None,
            fault: None,
            is_public: false,
        }
    }
}

impl From<SignatureRefusal> for Error {
    fn from(refusal: SignatureRefusal) -> Self {
        if refusal.is_about_time() {
            return Self::new(StatusCode::BAD_REQUEST, "TIMESTAMP_INVALID", refusal);
        }
        Self::unauthorized("SIGNATURE_INVALID", refusal)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        note_failed(Check::from(&refusal));
        let (status, code) = match &refusal {
            // The standard defines no code for it: nothing is wrong with the certificate as far as is known.
            Refusal::CertificateUnchecked { retry_after, .. }
            | Refusal::RegisterUnanswered { retry_after } => {
                return Self {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    code: None,
                    text: text(&refusal),
                    retry_after: Some(*retry_after),
                    fault: None,
                    is_public: true,
                };
            }
            Refusal::TooManyCalls { .. } | Refusal::TooManyAtOnce { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "ACCESS_EXCEEDED")
            }
            Refusal::CertificateInvalid { .. } | Refusal::OrganizationMismatch { .. } => {
                (StatusCode::UNAUTHORIZED, "CERTIFICATE_INVALID")
            }
            Refusal::RoleMissing { .. } => (StatusCode::UNAUTHORIZED, "ROLE_INVALID"),
            Refusal::CertificateExpired { .. } => (StatusCode::UNAUTHORIZED, "CERTIFICATE_EXPIRED"),
            Refusal::CertificateRevoked { .. } | Refusal::CertificateUnknown { .. } => {
                (StatusCode::UNAUTHORIZED, "CERTIFICATE_REVOKED")
            }
            Refusal::CertificateBlocked { .. } => (StatusCode::UNAUTHORIZED, "CERTIFICATE_BLOCKED"),
            Refusal::InitialAccessTokenUnknown
            | Refusal::InitialAccessTokenExpired { .. }
            | Refusal::InitialAccessTokenUsed
            | Refusal::InitialAccessTokenForeign
            | Refusal::SigningKeyMissing
            | Refusal::ClientCredentials => (StatusCode::UNAUTHORIZED, "TOKEN_INVALID"),
            // Refusals of the registration endpoint, which has its own format.
            Refusal::RedirectUri(_)
            | Refusal::SectorIdentifierUri
            | Refusal::RequestIdReused { .. }
            | Refusal::RequestIdOfAnother { .. } => (StatusCode::BAD_REQUEST, "FORMAT_ERROR"),
            Refusal::NotRegistered(_) => (StatusCode::UNAUTHORIZED, "CERTIFICATE_INVALID"),
            Refusal::Standing(refusal) => (StatusCode::UNAUTHORIZED, refusal.code()),
            Refusal::Consent(refusal) => of_consent(refusal),
            Refusal::Authorisation(refusal) => of_authorisation(refusal),
            Refusal::Grant(refusal) => of_grant(refusal),
            Refusal::Access(refusal) => of_access(refusal),
            Refusal::Funds(refusal) => of_funds(refusal),
            Refusal::Payment(refusal) => of_payment(refusal),
        };
        let retry_after = match &refusal {
            Refusal::Access(AccessRefusal::LimitReached { retry_after, .. })
            | Refusal::TooManyCalls { retry_after, .. } => Some(*retry_after),
            Refusal::TooManyAtOnce { .. } => Some(1),
            _ => None,
        };
        let is_public = match &refusal {
            Refusal::Standing(refusal) => refusal.is_told_to_everybody(),
            // It says nothing against the certificate but when to come again.
            Refusal::CertificateUnknown { .. } => true,
            _ => false,
        };
        Self { retry_after, is_public, ..Self::new(status, code, text(&refusal)) }
    }
}

fn of_consent(refusal: &ConsentRefusal) -> (StatusCode, &'static str) {
    use ConsentRefusal as R;
    match refusal {
        R::AccessEmpty
        | R::AccessMixed
        | R::TooManyReferences { .. }
        | R::Frequency { .. }
        | R::FrequencyOfOneOff
        | R::ValidUntilInPast { .. }
        | R::RedirectUri => (StatusCode::BAD_REQUEST, "FORMAT_ERROR"),
        R::AccountNotAllowed(_) | R::AccountProduct(_) | R::AccountCurrency { .. } => {
            (StatusCode::BAD_REQUEST, "PRODUCT_INVALID")
        }
        R::CombinedService => (StatusCode::BAD_REQUEST, "SESSIONS_NOT_SUPPORTED"),
        R::NotValid { .. } => (StatusCode::UNAUTHORIZED, "CONSENT_INVALID"),
        R::Final { .. } => (StatusCode::BAD_REQUEST, "STATUS_INVALID"),
    }
}

fn of_payment(refusal: &PaymentRefusal) -> (StatusCode, &'static str) {
    use PaymentRefusal as R;
    match refusal {
        R::Count | R::NotPositive | R::TooMuch(_) | R::Remittance { .. } | R::Currencies => {
            (StatusCode::BAD_REQUEST, "FORMAT_ERROR")
        }
        R::DebtorUnknown => (StatusCode::NOT_FOUND, "RESOURCE_UNKNOWN"),
        R::DebtorUnavailable { .. }
        | R::DebtorProduct
        | R::DebtorCurrency { .. }
        | R::DebtorNamed { .. }
        | R::ProductUnavailable { .. } => (StatusCode::FORBIDDEN, "PRODUCT_INVALID"),
        R::OtherProduct { .. } => (StatusCode::NOT_FOUND, "PRODUCT_UNKNOWN"),
        R::NoAccess => (StatusCode::UNAUTHORIZED, "CONSENT_INVALID"),
        R::Final { .. } | R::ApprovedBefore => (StatusCode::BAD_REQUEST, "STATUS_INVALID"),
        R::NotSubmitted | R::NotCancellable { .. } | R::LastExecutionMade { .. } => {
            (StatusCode::BAD_REQUEST, "CANCELLATION_INVALID")
        }
        R::OtherDebtor
        | R::CreditorCurrency { .. }
        | R::CreditorUnavailable { .. }
        | R::CreditorUnknown
        | R::SameAccount
        | R::NotEmpty
        | R::InsufficientFunds
        | R::Bank(_) => (StatusCode::BAD_REQUEST, "PAYMENT_FAILED"),
    }
}

/// An authorisation that timed out is a 401, one that was not approved a 400.
fn of_authorisation(refusal: &AuthorisationRefusal) -> (StatusCode, &'static str) {
    match refusal {
        AuthorisationRefusal::NotApproved { status: ScaStatus::Failed, .. } => {
            (StatusCode::UNAUTHORIZED, "CONSENT_INVALID")
        }
        AuthorisationRefusal::NotApproved { .. }
        | AuthorisationRefusal::TooMany { .. }
        | AuthorisationRefusal::TooManyCancellations { .. } => (StatusCode::BAD_REQUEST, "STATUS_INVALID"),
    }
}

fn of_grant(refusal: &GrantRefusal) -> (StatusCode, &'static str) {
    use GrantRefusal as R;
    let code = match refusal {
        R::AccessTokenMissing => "TOKEN_UNKNOWN",
        R::AccessTokenOfAnotherSubject(_) => "CONSENT_INVALID",
        R::AccessTokenInvalid(_)
        | R::AccessTokenCertificate
        // Refusals of the token endpoint, which has its own format.
        | R::CodeUnknown
        | R::CodeOfAnotherClient(_)
        | R::CodeExpired { .. }
        | R::CodeUsed
        | R::SubjectEnded(_)
        | R::Scope(_)
        | R::RedirectUri
        | R::Verifier
        | R::RefreshTokenUnknown
        | R::RefreshTokenCertificate
        | R::RefreshTokenUsed => "TOKEN_INVALID",
    };
    (StatusCode::UNAUTHORIZED, code)
}

fn of_access(refusal: &AccessRefusal) -> (StatusCode, &'static str) {
    use AccessRefusal as R;
    match refusal {
        R::Product { .. } => (StatusCode::FORBIDDEN, "PRODUCT_INVALID"),
        R::NotGranted { .. } | R::Unavailable { .. } => (StatusCode::UNAUTHORIZED, "CONSENT_INVALID"),
        R::LimitReached { .. } => (StatusCode::TOO_MANY_REQUESTS, "ACCESS_EXCEEDED"),
        R::Period { .. } | R::PeriodInFuture { .. } => (StatusCode::BAD_REQUEST, "PERIOD_INVALID"),
        R::EdgeToken => (StatusCode::BAD_REQUEST, "FORMAT_ERROR"),
    }
}

fn of_funds(refusal: &FundsRefusal) -> (StatusCode, &'static str) {
    use FundsRefusal as R;
    match refusal {
        R::NotPositive => (StatusCode::BAD_REQUEST, "FORMAT_ERROR"),
        R::Card => (StatusCode::BAD_REQUEST, "CARD_INVALID"),
        R::Unknown(_) => (StatusCode::NOT_FOUND, "RESOURCE_UNKNOWN"),
        R::NoAccess(_) | R::Product(_) | R::Currency { .. } | R::Currencies => {
            (StatusCode::FORBIDDEN, "PRODUCT_INVALID")
        }
    }
}

impl From<gateway::Error> for Error {
    fn from(error: gateway::Error) -> Self {
        use gateway::Error as E;
        let text = error.to_string();
        match &error {
            E::Refused(_) => {}
            E::NotFound(Noun::Consent) => note_failed(Check::Consent),
            E::NotFound(_) | E::Conflict => note_failed(Check::Resource),
            E::Unavailable(_) | E::Internal(_) => note_failed(Check::Bank),
        }
        match error {
            E::Refused(refusal) => refusal.into(),
            E::NotFound(Noun::Consent) => Self::new(
                StatusCode::FORBIDDEN,
                "CONSENT_UNKNOWN",
                "the consent is not known here, or was not requested by this third party",
            ),
            E::NotFound(Noun::Authorisation) => Self::new(
                StatusCode::FORBIDDEN,
                "RESOURCE_UNKNOWN",
                "the authorisation is not known, or belongs to another consent or payment",
            ),
            E::NotFound(Noun::Account) => Self::new(
                StatusCode::NOT_FOUND,
                "RESOURCE_UNKNOWN",
                "the account is not known, or not part of the consent",
            ),
            E::NotFound(Noun::Payment) => Self::new(
                StatusCode::FORBIDDEN,
                "RESOURCE_UNKNOWN",
                "the payment is not known here, or was not requested by this third party",
            ),
            E::NotFound(Noun::Certificate | Noun::Customer | Noun::ThirdParty) => {
                Self::new(StatusCode::NOT_FOUND, "RESOURCE_UNKNOWN", text)
            }
            E::Conflict => Self::new(StatusCode::CONFLICT, "STATUS_INVALID", text),
            E::Unavailable(fault) => Self::failed(StatusCode::SERVICE_UNAVAILABLE, text, fault),
            E::Internal(fault) => Self::failed(StatusCode::INTERNAL_SERVER_ERROR, text, fault),
        }
    }
}
