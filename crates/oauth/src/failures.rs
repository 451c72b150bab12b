//! Failures that a test asks for, as the authorization server tells them.

use axum::response::{IntoResponse, Response};
use edge::{Failing, FailingInterface, Failure, ToldFailure};
use http::Method;

use crate::error::{Error, accepts_page};
use crate::router::PREFIX;

/// How the authorization server fails.
pub fn failing() -> FailingInterface {
    let failing = Failing {
        tell,
        knows: &[],
        names_consent: |_, _| false,
        // What a browser asks for, and what it sends at the end of a page, is left alone.
        is_of_program: |method, path, headers| {
            method == Method::POST && !accepts_page(headers) && !path.ends_with("/authorise")
        },
        // A customer's own pages.
        leaves_alone: |path| path.split('/').nth(3) == Some("customer"),
        signature: None,
    };
    FailingInterface { name: "oauth", prefixes: vec![PREFIX], failing }
}

fn tell(told: &ToldFailure<'_>) -> Response {
    let code = match told.failure {
        Failure::Unavailable | Failure::TooMany => "temporarily_unavailable",
        Failure::TokenOver | Failure::CertificateExpired => "invalid_token",
        Failure::Internal | Failure::ConsentUnknown => "server_error",
    };
    Error::new(told.failure.status(), code, told.text).into_response()
}
