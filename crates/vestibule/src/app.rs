//! All routes of the bank's public listeners.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use edge::Edge;
use http::{HeaderMap, StatusCode, header};
use oauth::SigningKeys;
use sandbox::Sandbox;
use web::{Address, ErrorPage, HomePage};

use crate::dialects::DIALECTS;
use crate::start::Addresses;

/// Every dialect under its prefix, the authorization server, the pages, and what a sandbox publishes.
pub(crate) fn public(edge: &Edge, key: SigningKeys, sandbox: Sandbox, addresses: Addresses) -> Router {
    let mut mounted: Vec<_> = DIALECTS
        .iter()
        .map(|dialect| (dialect.prefix, dialect.also, (dialect.mount)(edge.clone())))
        .collect();
    mounted.push((oauth::PREFIX, None, oauth::router(edge.clone(), key.clone())));
    let mut router = web::routes();
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
        .merge(oauth::well_known(edge.clone(), key))
        .merge(sandbox::publication(sandbox))
        .route("/", get(async move || home(&addresses)))
        .fallback(not_found)
}

/// The management listener: what the sandbox itself offers, and approvals without a browser.
pub(crate) fn management(edge: &Edge, key: SigningKeys, sandbox: &Sandbox) -> Router {
    let bank = sandbox.clone();
    let device_numbers: oauth::DeviceNumbers = Arc::new(move |tenant, iban| {
        let bank = bank.clone();
        // A failure of the store shows as soon as the customer logs in.
        Box::pin(async move { bank.digipass_number(&tenant, &iban).await.ok().flatten() })
    });
    let entrances = DIALECTS.iter().flat_map(|dialect| dialect.entrances).copied().collect();
    let approvals = oauth::approvals(edge.clone(), key, device_numbers, entrances);
    let door = bunq::CustomerDoor::new(edge.clone());
    let access: sandbox::CustomerAccess = Arc::new(move |tenant, customer| {
        let door = door.clone();
        Box::pin(async move { door.access(&tenant, &customer).await })
    });
    sandbox::management(sandbox.clone(), approvals, vec![("bunq", access)])
}

fn home(addresses: &Addresses) -> Response {
    let address = |label: &str, url: String| Address { label: label.to_owned(), url };
    let mut listed = vec![
        address("API (NextGenPSD2)", format!("{}/xs2a-bg/{{tenant}}", addresses.public)),
        address("API (bunq)", format!("{}/bunq/v1", addresses.public)),
        address("Authorization server", format!("{}/auth/{{tenant}}", addresses.public)),
        address("Management API", addresses.management.clone()),
    ];
    listed.extend(addresses.tls.iter().map(|url| address("With TLS", url.clone())));
    let page = HomePage {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        addresses: listed,
        next_command: addresses.next_command("vestibule"),
        flow_command: addresses.flow_command("vestibule"),
        tenants: addresses.tenants.clone(),
    };
    web::page(StatusCode::OK, &page)
}

async fn not_found(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        let page = ErrorPage {
            title: "There is no such page".to_owned(),
            detail: "Nothing is served under this path. The first page is at /.".to_owned(),
            code: "404".to_owned(),
        };
        return web::page(StatusCode::NOT_FOUND, &page);
    }
    (StatusCode::NOT_FOUND, axum::Json(serde_json::json!({"error": "not_found"}))).into_response()
}
