//! The way to the bank's page, where a customer logs in and decides whichever interface sent them there.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::session_cookie;

/// The bank's page. Its address says nothing; what it is about is known by the session cookie alone.
pub const BANK_PAGE: &str = "/auth/internalonly/authorise.html";

/// Sends the browser to the bank's page at `origin` with a session.
pub fn enter(origin: &str, secret: &str) -> Response {
    let mut response = redirect(StatusCode::FOUND, &format!("{origin}{BANK_PAGE}"));
    let cookie = session_cookie::set_session(origin, Some(secret));
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

/// A redirect that no cache keeps and that tells nobody where it came from. After a form the status is 303, so
/// that nothing of the form goes along (RFC 9700, 4.12).
pub fn redirect(status: StatusCode, location: &str) -> Response {
    // Registered URIs and our own parameters are ASCII without control characters.
    let Ok(location) = HeaderValue::from_str(location) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (status, headers).into_response()
}
