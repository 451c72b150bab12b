//! What happens to every request of a dialect: limits and the request id.

use axum::extract::{OriginalUri, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use gateway::Gateway;
use gateway::domain::RequestId;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version, header};
use tracing::Instrument;

use crate::observer::{note_interface, note_matched, note_request};
use crate::{Edge, Rejected, Unreadable, single_header};

/// The header with the id of a request.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest path and query, in bytes.
const MAX_TARGET: usize = 8 * 1024;

/// Longest header fields together, in bytes, and how many of them.
const MAX_HEADERS: usize = 32 * 1024;
const MAX_FIELDS: usize = 100;

/// Longest request id, in bytes.
const MAX_REQUEST_ID: usize = 256;

/// Middleware for a dialect's router. `E` is the dialect's error, in whose format rejections are answered.
/// Every response carries the `X-Request-ID` of its request, or a fresh one, as does whatever is logged meanwhile; no cache
/// keeps it.
pub async fn guard<E>(State(edge): State<Edge>, mut request: Request, next: Next) -> Response
where
    E: From<Rejected> + IntoResponse,
{
    note_interface(edge.interface);
    note_matched(&request);
    let (id, checked) = match request_id(request.headers()) {
        Ok(Some(value)) => (value.clone(), check(&request)),
        Ok(None) => (fresh_id(&edge.gateway), check(&request)),
        Err(rejected) => (fresh_id(&edge.gateway), Err(rejected)),
    };
    note_request(&id);
    let request_id = RequestId::new(String::from_utf8_lossy(id.as_bytes()).into_owned());
    let span = tracing::info_span!("call", request = request_id.as_str());
    request.extensions_mut().insert(request_id);
    let mut response = match checked {
        Ok(()) => next.run(request).instrument(span).await,
        Err(rejected) => E::from(rejected).into_response(),
    };
    let is_busy = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, id);
    if is_busy {
        headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("5"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Answers are about one caller, or one customer.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The id of a request that brings none.
pub fn fresh_id(gateway: &Gateway) -> HeaderValue {
    let id = gateway.new_request_id();
    HeaderValue::from_str(id.as_str()).unwrap_or(HeaderValue::from_static("-"))
}

fn request_id(headers: &HeaderMap) -> Result<Option<&HeaderValue>, Rejected> {
    const NAME: &str = "X-Request-ID";
    let value = single_header(headers, "x-request-id").map_err(|_| Rejected::DuplicateHeader(NAME))?;
    match value {
        Some(value) if value.is_empty() => Ok(None),
        Some(value) if value.to_str().is_err() => Err(Rejected::HeaderNotText(NAME)),
        Some(value) if value.len() > MAX_REQUEST_ID => {
            Err(Rejected::HeaderTooLong { name: NAME, max: MAX_REQUEST_ID })
        }
        other => Ok(other),
    }
}

fn check(request: &Request) -> Result<(), Rejected> {
    if let Some(Unreadable(text)) = request.extensions().get() {
        return Err(Rejected::Proxy(text.to_string()));
    }
    let uri = request.extensions().get::<OriginalUri>().map_or(request.uri(), |original| &original.0);
    let target = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    if target.len() > MAX_TARGET {
        return Err(Rejected::TargetTooLong(MAX_TARGET));
    }
    check_path(uri)?;
    check_host(request)?;
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > MAX_HEADERS || headers.len() > MAX_FIELDS {
        return Err(Rejected::HeadersTooLarge { bytes: MAX_HEADERS, fields: MAX_FIELDS });
    }
    if is_ambiguous(uri.path()) {
        return Err(Rejected::NotFound);
    }
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(Rejected::ContentEncoding(String::from_utf8_lossy(encoding.as_bytes()).into_owned()))
        }
        _ => Ok(()),
    }
}

/// Checks that a path is text: names in it are.
///
/// # Errors
/// [`Rejected::PathNotText`]
pub fn check_path(uri: &Uri) -> Result<(), Rejected> {
    let decoded = percent_encoding::percent_decode_str(uri.path());
    decoded.decode_utf8().map(|_| ()).map_err(|_| Rejected::PathNotText)
}

/// Checks that a request says once whom it is for (RFC 9112, 3.2; RFC 9113, 8.3.1). HTTP/1.0 need not say it.
///
/// # Errors
/// [`Rejected::Host`]
pub fn check_host(request: &Request) -> Result<(), Rejected> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let is_host = |host: &Authority| !host.host().is_empty() && !host.as_str().contains('@');
    // In HTTP/2 the authority takes the place of the header, and the two must not differ (RFC 9113, 8.3.1).
    let authority = request.uri().authority().filter(|_| request.version() >= Version::HTTP_2);
    let good = match (hosts.next(), hosts.next()) {
        (None, _) => match authority {
            Some(authority) => is_host(authority),
            None => request.version() < Version::HTTP_11,
        },
        (Some(host), None) => {
            let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
            host.filter(is_host).is_some_and(|host| authority.is_none_or(|authority| *authority == host))
        }
        _ => false,
    };
    good.then_some(()).ok_or(Rejected::Host)
}

/// Whom a request is for: the header `Host`, or what takes its place in HTTP/2. Empty if it does not say.
pub fn requested_host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> &'a str {
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    named.or_else(|| uri.authority().map(Authority::as_str)).unwrap_or_default()
}

/// A path that a proxy could read in another way: dot segments, empty segments, encoded separators.
fn is_ambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    path.contains("//")
        || path.contains('\\')
        || ["%2e", "%2f", "%5c", "%00"].iter().any(|encoded| lower.contains(encoded))
        || path.split('/').any(|segment| segment == "." || segment == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_text() {
        for (path, is_text) in
            [("/a/%C3%A9", true), ("/%zz/%", true), ("/a/%ff%fe", false), ("/%c3/%a9", false)]
        {
            assert_eq!(check_path(&Uri::from_static(path)).is_ok(), is_text, "{path}");
        }
    }

    #[test]
    fn paths_that_can_be_read_in_two_ways_are_not_served() {
        for path in ["/a//b", "/a/./b", "/a/../b", "/a/%2E%2e/b", "/a%2Fb", "/a\\b", "/a%5cb", "/a%00"] {
            assert!(is_ambiguous(path), "{path}");
        }
        for path in ["/", "/a/b", "/a/b/", "/a.b/c..d", "/%20"] {
            assert!(!is_ambiguous(path), "{path}");
        }
    }
}
