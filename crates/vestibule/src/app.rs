//! All routes of the bank's public listeners.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use edge::{
    Agenda, Check, Dialect, Edge, Explanation, Mounted, Rejected, check_host, check_path, note_code,
    note_matched, note_refusal,
};
use gateway::domain::Tenant;
use http::{HeaderMap, Method, StatusCode, header};
use oauth::SigningKeys;
use web::{Brand, ErrorPage, Looks, WayOn};

use crate::front::Routes;

/// What a bank consists of.
pub(crate) struct Bank {
    /// What its public listeners serve.
    pub(crate) public: Routes,
    /// What it has to do as time goes by.
    pub(crate) due: Agenda,
    /// The dialects that it speaks.
    pub(crate) dialects: Vec<(Dialect, Mounted)>,
}

impl Bank {
    /// Sets everything up, each dialect once. `own` is what this kind of bank serves beside.
    pub(crate) fn new(
        edge: &Edge,
        key: SigningKeys,
        (own, looks): (Router, &Looks),
        dialects: &[Dialect],
    ) -> Self {
        let mount = |dialect: &Dialect| (*dialect, (dialect.mount)(edge.at(dialect.name)));
        let dialects: Vec<(Dialect, Mounted)> = dialects.iter().map(mount).collect();
        let due = dialects.iter().filter_map(|(_, mounted)| mounted.due.clone());
        let due = due.fold(Agenda::default(), Agenda::with);
        Self { public: public(edge, key, (own, looks), &dialects).into(), due, dialects }
    }
}

/// Every dialect under its prefix, the authorization server, the pages, and what the bank has of its own.
fn public(
    edge: &Edge,
    key: SigningKeys,
    (own, looks): (Router, &Looks),
    dialects: &[(Dialect, Mounted)],
) -> Router {
    let mut mounted: Vec<_> = dialects
        .iter()
        .map(|(dialect, mounted)| (dialect.prefix, dialect.also, mounted.router.clone()))
        .collect();
    let brand = looks.brand(edge.gateway.is_for_tests());
    mounted.push((oauth::PREFIX, None, oauth::router(edge.clone(), key.clone(), brand.clone())));
    let first = edge.gateway.settings().tenants.first().cloned();
    // Layers hold for what was there before them.
    let mut router = web::routes(looks)
        .merge(oauth::well_known(edge.clone(), key))
        .merge(own)
        .fallback(async move |headers: HeaderMap| not_found(&brand, first.as_ref(), &headers))
        .method_not_allowed_fallback(async |method: Method| refused(Rejected::Method(method)))
        .layer(from_fn(with_host));
    for (prefix, also, dialect) in mounted {
        if let Some(also) = also {
            let dialect = dialect.clone().into_service::<Body>();
            router = router.route_service(&format!("{also}/{{*rest}}"), dialect);
        }
        // Nesting leaves the prefix with a bare slash out; a dialect answers that in its format too.
        router = router
            .route_service(&format!("{prefix}/"), dialect.clone().into_service::<Body>())
            .nest(prefix, dialect);
    }
    router
}

/// Dialects say in their own format that a request names no host, or a path that is no text; here it is said for everything else.
async fn with_host(request: Request, next: Next) -> Response {
    note_matched(&request);
    match check_host(&request).and_then(|()| check_path(request.uri())) {
        Ok(()) => next.run(request).await,
        Err(rejected) => refused(rejected),
    }
}

fn refused(rejected: Rejected) -> Response {
    let body = serde_json::json!({"error": "invalid_request", "message": rejected.to_string()});
    note_code("invalid_request");
    (rejected.status(), Json(body)).into_response()
}

fn not_found(brand: &Brand, branch: Option<&Tenant>, headers: &HeaderMap) -> Response {
    note_code("not_found");
    note_refusal("nothing is served under this path", |_| Explanation {
        check: Check::Request,
        clause: "RFC 9110, 15.5.5",
        remedy: "Take the addresses from the first page, and paths from the openapi.json of the interface.",
    });
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        let languages = &brand.texts.languages;
        let language = web::language_of_browser(headers, languages).unwrap_or_else(|| languages.first());
        let detail = if brand.is_for_tests {
            "Nothing is served under this path. The first page is at /."
        } else {
            "Nothing is served under this path."
        };
        let page = ErrorPage::not_found(language, detail.to_owned(), "404".to_owned());
        let way_on = branch.map(|branch| WayOn::log_in(format!("{}/{branch}/customer", oauth::PREFIX)));
        return web::page(StatusCode::NOT_FOUND, &page.of(brand.clone(), way_on));
    }
    (StatusCode::NOT_FOUND, Json(serde_json::json!({"error": "not_found"}))).into_response()
}
