//! The headers that every answer has: whatever a test asks for, the answer is held against these lists.

use http::{HeaderMap, Method};
use vestibule::DIALECTS;

use crate::{Answer, Request};

/// Whether a dialect or the authorization server answers there.
fn is_of_interface(path: &str) -> bool {
    let below = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    below("/auth") || DIALECTS.iter().any(|dialect| below(dialect.prefix) || dialect.also.is_some_and(below))
}

/// Where bunq's interface proper answers; its pages for browsers are beside it.
const BUNQ: [&str; 2] = ["/bunq/v1/", "/v1/"];

/// What every answer of an interface has, errors too: nobody keeps it, and nobody guesses what it is.
const OF_INTERFACES: &[(&str, &str)] =
    &[("cache-control", "no-store"), ("x-content-type-options", "nosniff")];

/// What every answer of bunq's interface adds: scripts of other origins may read it.
const OF_BUNQ: &[(&str, &str)] = &[
    ("access-control-allow-origin", "*"),
    (
        "access-control-expose-headers",
        "X-Bunq-Server-Signature, X-Bunq-Client-Response-Id, X-Bunq-Client-Request-Id, X-Bunq-Warning",
    ),
    ("x-frame-options", "SAMEORIGIN"),
];

/// What every page has: nothing but our own style sheet loads, nobody frames it, nothing leaks by the referrer. The policy
/// of a page with a form also names where its redirect leads to.
const OF_PAGES: &[(&str, &str)] = &[
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// The beginning and the end of a page's policy; between them may be the target of a form.
const POLICY: (&str, &str) = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'",
    "; base-uri 'none'; frame-ancestors 'none'",
);

/// The beginning of the policy of the portal's pages, which have scripts of their own and call the management API.
const PORTAL_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                             connect-src 'self' http";

/// What no answer has: names of the software.
const OF_NOBODY: &[&str] = &["server", "via", "x-powered-by"];

/// Methods after which an answer's body says nothing about its headers.
const WITHOUT_BODY: [Method; 2] = [Method::HEAD, Method::OPTIONS];

/// Holds an answer against the lists.
///
/// # Panics
/// If a header is missing, is another one, or should not be there.
pub(crate) fn hold(request: &Request, answer: &Answer) {
    let path = request.target.split('?').next().unwrap_or_default();
    let is_below = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
    let wrong = |name: &str| {
        panic!("{} {path}: {} with {name}: {:?}", request.method, answer.status, answer.headers.get(name))
    };
    let all_have = |list: &[(&str, &str)]| {
        for (name, value) in list {
            if answer.headers.get_all(*name).iter().collect::<Vec<_>>() != [value] {
                wrong(name);
            }
        }
    };
    for name in OF_NOBODY {
        if answer.headers.contains_key(*name) {
            wrong(name);
        }
    }
    if answer.header("content-type").starts_with("text/html") {
        all_have(OF_PAGES);
        let policy = answer.header("content-security-policy");
        let is_of_portal = path == "/" || path.starts_with("/portal/");
        let is_like = |begins: &str| policy.starts_with(begins) && policy.ends_with(POLICY.1);
        // A page of the portal may say that there is nothing, as any other page may.
        let is_right = match (is_of_portal, answer.status) {
            (true, 200) => is_like(PORTAL_POLICY),
            (true, 404) => is_like(PORTAL_POLICY) || is_like(POLICY.0),
            _ => is_like(POLICY.0),
        };
        if !is_right {
            wrong("content-security-policy");
        }
    }
    // Above the limits of the HTTP library no interface sees the request.
    if !is_of_interface(path) || answer.status == 431 {
        return;
    }
    all_have(OF_INTERFACES);
    if !is_echoed("x-request-id", &request.headers, answer) {
        wrong("x-request-id");
    }
    if answer.body.is_empty() == answer.headers.contains_key("content-type")
        && !WITHOUT_BODY.contains(&request.method)
    {
        wrong("content-type");
    }
    for (status, name) in
        [(401, "www-authenticate"), (405, "allow"), (429, "retry-after"), (503, "retry-after")]
    {
        if answer.status == status && !answer.headers.contains_key(name) {
            wrong(name);
        }
    }
    if is_below(&BUNQ) {
        all_have(OF_BUNQ);
        all_have(&[("x-bunq-client-response-id", answer.header("x-request-id"))]);
        if request.headers.get("x-bunq-client-request-id") != answer.headers.get("x-bunq-client-request-id") {
            wrong("x-bunq-client-request-id");
        }
    }
}

/// Whether an id came back as it was sent; without a right one, an answer has one of its own.
fn is_echoed(name: &str, sent: &HeaderMap, answer: &Answer) -> bool {
    let mut ids = sent.get_all(name).iter();
    let is_right = |id: &&http::HeaderValue| !id.is_empty() && id.len() <= 256 && id.to_str().is_ok();
    match (ids.next().filter(is_right), ids.next()) {
        (Some(id), None) => answer.headers.get(name) == Some(id),
        _ => !answer.header(name).is_empty(),
    }
}
