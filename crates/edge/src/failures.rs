//! Failures that a test asks a bank for, told in the words of the interface that is called.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The bank itself.
    Internal,
    /// The bank is away for a while.
    Unavailable,
    /// Too many calls came.
    TooMany,
    /// The certificate of the call has just expired.
    CertificateExpired,
    /// The consent that the call names is gone.
    ConsentUnknown,
    /// The token of the call is over before its time.
    TokenOver,
}

impl Failure {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::CertificateExpired | Self::TokenOver => StatusCode::UNAUTHORIZED,
            Self::ConsentUnknown => StatusCode::FORBIDDEN,
        }
    }
}

/// A failure and what is said of it.
#[derive(Debug, Clone, Copy)]
pub struct ToldFailure<'a> {
    /// What fails.
    pub failure: Failure,
    /// Why, for whoever reads the answer.
    pub text: &'a str,
    /// The headers of the call.
    pub asked: &'a HeaderMap,
    /// The id of the call, which the answer has under its usual name anyway.
    pub id: &'a HeaderValue,
}

/// How an interface fails where a test wants it to.
#[derive(Debug, Clone, Copy)]
pub struct Failing {
    /// Tells a failure in its format, with the headers that its answers have.
    pub tell: fn(&ToldFailure<'_>) -> Response,
    /// What can fail here beside what can fail anywhere.
    pub knows: &'static [Failure],
    /// Whether a call names a consent, by its headers and path.
    pub names_consent: fn(&HeaderMap, &str) -> bool,
    /// Whether a call is one of a program that can try it again, by its method, path and headers; what a browser shows is none.
    pub is_of_program: fn(&Method, &str, &HeaderMap) -> bool,
    /// Whether calls of a path below its prefix never fail, since they are about something else.
    pub leaves_alone: fn(&str) -> bool,
    /// The header with a signature over the exact octets of its answers, if it signs them.
    pub signature: Option<&'static str>,
}

/// An interface that can fail, and where it is.
#[derive(Debug, Clone)]
pub struct FailingInterface {
    /// Its name.
    pub name: &'static str,
    /// The paths below which it is.
    pub prefixes: Vec<&'static str>,
    /// How it fails.
    pub failing: Failing,
}

impl FailingInterface {
    /// Whether it serves a path.
    pub fn serves(&self, path: &str) -> bool {
        let is_below = self.prefixes.iter().any(|prefix| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        is_below && !(self.failing.leaves_alone)(path)
    }
}
