//! From a template to a response, with the headers that every page has.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

/// Nothing but our own style sheet may load, nobody may frame the page, nothing leaks by the referrer.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        ),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Renders a page with a form whose answer may be a redirect to `target`, an origin or a scheme with its colon:
/// browsers hold redirects after a form against the policy too.
pub fn form_page(status: StatusCode, template: &impl Template, target: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {target}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    match HeaderValue::from_str(&policy) {
        Ok(policy) => page_with_policy(status, template, policy),
        Err(_) => page(status, template),
    }
}

/// Renders a page with a content security policy of its own.
pub fn page_with_policy(status: StatusCode, template: &impl Template, policy: HeaderValue) -> Response {
    let mut response = page(status, template);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Renders a page.
pub fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, HEADERS, html).into_response(),
        // Rendering into memory fails only if a value's own Display does, and ours do not.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
