//! Failures that a test asks for, as this interface tells them.

use axum::response::{IntoResponse, Response};
use edge::{Failing, Failure, ToldFailure};

use crate::error::Error;

/// How the interface fails.
pub(crate) const FAILING: Failing = Failing {
    tell,
    knows: &[Failure::CertificateExpired, Failure::ConsentUnknown, Failure::TokenOver],
    names_consent: |headers, path| headers.contains_key("consent-id") || path.contains("/consents/"),
    is_of_program: |_, path, _| !path.ends_with(edge::openapi::DESCRIPTION),
    leaves_alone: |_| false,
    signature: None,
};

fn tell(told: &ToldFailure<'_>) -> Response {
    let code = match told.failure {
        Failure::Internal => Some("INTERNAL_SERVER_ERROR"),
        Failure::Unavailable => None,
        Failure::TooMany => Some("ACCESS_EXCEEDED"),
        Failure::CertificateExpired => Some("CERTIFICATE_EXPIRED"),
        Failure::ConsentUnknown => Some("CONSENT_UNKNOWN"),
        Failure::TokenOver => Some("TOKEN_INVALID"),
    };
    Error::asked_for(told.failure.status(), code, told.text).into_response()
}
