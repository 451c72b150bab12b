//! Which web pages may call the management API: those of the bank's own portal, and no others.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edge::{check_host, requested_host};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use subtle::ConstantTimeEq;

use super::Error;

/// The header in which the portal's pages send their token.
const TOKEN: HeaderName = HeaderName::from_static("x-portal-token");

/// How long a browser may remember the answer to a preflight, in seconds.
const PREFLIGHT_LIFE: HeaderValue = HeaderValue::from_static("600");

/// By what the portal's pages are known: the origins of the bank and the token that stands in them.
#[derive(Clone)]
pub struct PortalPages {
    origins: Arc<[String]>,
    token: Arc<str>,
}

impl PortalPages {
    /// Pages at these origins, as browsers write them, with this token.
    pub fn new(origins: &[String], token: &str) -> Self {
        Self { origins: origins.into(), token: token.into() }
    }

    /// The one origin of a request, if it is the bank's own.
    fn own_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut sent = headers.get_all(header::ORIGIN).iter();
        let origin = sent.next().filter(|_| sent.next().is_none())?;
        self.origins.iter().any(|own| own.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let mut sent = headers.get_all(TOKEN).iter();
        match (sent.next(), sent.next()) {
            (Some(token), None) => token.as_bytes().ct_eq(self.token.as_bytes()).into(),
            _ => false,
        }
    }
}

/// The listener has no log-in, so pages of other sites must not reach it through a browser: neither across origins, nor
/// under a name that was made to point here. The portal's own pages are known by their origin and their token; callers that
/// are no browsers send no `Origin`.
pub(super) async fn own_pages_only(
    State(pages): State<PortalPages>,
    request: Request,
    next: Next,
) -> Response {
    if let Err(rejected) = check_host(&request) {
        return Error::from(rejected).into_response();
    }
    let headers = request.headers();
    if !is_local(requested_host(headers, request.uri())) {
        return forbidden("call the management API by IP address or plain host name");
    }
    if !headers.contains_key(header::ORIGIN) {
        return next.run(request).await;
    }
    let Some(origin) = pages.own_origin(headers) else {
        return forbidden(
            "the management API cannot be called from web pages other than those of the sandbox itself",
        );
    };
    let is_preflight =
        request.method() == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let response = if is_preflight {
        preflight()
    } else if pages.has_token(headers) {
        next.run(request).await
    } else {
        forbidden("the header X-Portal-Token must be the token that stands in the sandbox's own pages")
    };
    readable(response, origin)
}

/// Whether the host that was asked for is an address or a plain name: no name of the Internet can be made to point here.
fn is_local(host: &str) -> bool {
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    host.parse::<IpAddr>().is_ok() || !host.contains('.')
}

fn forbidden(message: &str) -> Response {
    Error::new(StatusCode::FORBIDDEN, "forbidden", message).into_response()
}

/// What the portal's pages may send. A preflight has no token, and tells nothing but this.
fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE")),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type, x-portal-token, x-request-id, last-event-id"),
        ),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_LIFE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Lets a page at this origin read the answer.
fn readable(mut response: Response, origin: HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("x-request-id, content-disposition, location"),
    );
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    response
}
