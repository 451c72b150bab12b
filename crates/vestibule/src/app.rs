//! All routes of the bank's public listeners.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use edge::{Dialect, Due, Edge, Mounted, Observer, Rejected, check_host, note_code, observe};
use gateway::Clock;
use gateway::domain::Tenant;
use http::{HeaderMap, Method, StatusCode, header};
use oauth::SigningKeys;
use sandbox::Sandbox;
use tpp::announcement::{self, AnnouncedTenant, Announcement};
use web::{Address, ErrorPage, HomePage};

use crate::dialects::DIALECTS;
use crate::start::Addresses;

/// What a bank consists of.
pub(crate) struct Bank {
    /// What its public listeners serve.
    pub(crate) public: Router,
    /// What its management listener serves.
    pub(crate) management: Router,
    /// What it has to do as time goes by.
    pub(crate) due: Vec<Due>,
}

impl Bank {
    /// Sets everything up, each dialect once.
    pub(crate) fn new(
        edge: &Edge,
        key: SigningKeys,
        (sandbox, addresses): (&Sandbox, &Addresses),
        observer: &Arc<dyn Observer>,
    ) -> Self {
        let mount = |dialect: &Dialect| {
            let mounted = (dialect.mount)(Edge { interface: dialect.name, ..edge.clone() });
            (*dialect, mounted)
        };
        let dialects: Vec<(Dialect, Mounted)> = DIALECTS.iter().map(mount).collect();
        let observed = |router: Router| {
            router.layer(from_fn_with_state((edge.gateway.clone(), Arc::clone(observer)), observe))
        };
        Self {
            management: observed(management(edge, key.clone(), sandbox, &dialects)),
            public: observed(public(edge, key, (sandbox.clone(), addresses.clone()), &dialects)),
            due: due(&dialects),
        }
    }
}

/// Every dialect under its prefix, the authorization server, the pages, and what a sandbox publishes.
fn public(
    edge: &Edge,
    key: SigningKeys,
    (sandbox, addresses): (Sandbox, Addresses),
    dialects: &[(Dialect, Mounted)],
) -> Router {
    let mut mounted: Vec<_> = dialects
        .iter()
        .map(|(dialect, mounted)| (dialect.prefix, dialect.also, mounted.router.clone()))
        .collect();
    mounted.push((oauth::PREFIX, None, oauth::router(edge.clone(), key.clone())));
    let (bank, shown) = (sandbox.clone(), addresses.clone());
    // Layers hold for what was there before them.
    let mut router = web::routes()
        .merge(oauth::well_known(edge.clone(), key))
        .merge(sandbox::publication(sandbox))
        .route("/", get(async move || home(&addresses)))
        .route(announcement::PATH, get(async move || Json(announce(&bank, &shown))))
        .fallback(not_found)
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

/// Dialects say in their own format that a request names no host; here it is said for everything else.
async fn with_host(request: Request, next: Next) -> Response {
    match check_host(&request) {
        Ok(()) => next.run(request).await,
        Err(rejected) => refused(rejected),
    }
}

fn refused(rejected: Rejected) -> Response {
    let body = serde_json::json!({"error": "invalid_request", "message": rejected.to_string()});
    note_code("invalid_request");
    (rejected.status(), Json(body)).into_response()
}

/// What the sandbox says about itself to clients that know its address alone.
fn announce(bank: &Sandbox, addresses: &Addresses) -> Announcement {
    let today = |tenant: &Tenant| AnnouncedTenant {
        name: tenant.to_string(),
        today: tenant.date_at(bank.clock.now(Some(tenant))).to_string(),
    };
    Announcement {
        authority: bank.authorities.root_pem(),
        management: Some(addresses.management.clone()),
        tls: addresses.tls.clone(),
        strict: addresses.strict,
        require_mtls: addresses.require_mtls,
        ephemeral: addresses.data.is_none(),
        tenants: bank.gateway.settings().tenants.iter().map(today).collect(),
    }
}

/// The management listener: what the sandbox itself offers, and approvals without a browser.
fn management(edge: &Edge, key: SigningKeys, sandbox: &Sandbox, dialects: &[(Dialect, Mounted)]) -> Router {
    let bank = sandbox.clone();
    let device_numbers: oauth::DeviceNumbers = Arc::new(move |tenant, iban| {
        let bank = bank.clone();
        Box::pin(async move { bank.digipass_number(&tenant, &iban).await })
    });
    let entrances = dialects.iter().flat_map(|(_, mounted)| mounted.entrances.clone()).collect();
    let approvals = oauth::approvals(edge.clone(), key, device_numbers, entrances);
    let door = |(dialect, mounted): &(Dialect, Mounted)| Some((dialect.name, mounted.door.clone()?));
    let doors = dialects.iter().filter_map(door).collect();
    sandbox::management(sandbox.clone(), approvals, doors, due(dialects))
}

/// What the dialects have to do as time goes by.
fn due(dialects: &[(Dialect, Mounted)]) -> Vec<Due> {
    dialects.iter().filter_map(|(_, mounted)| mounted.due.clone()).collect()
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
    note_code("not_found");
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        let page = ErrorPage {
            title: "There is no such page".to_owned(),
            detail: "Nothing is served under this path. The first page is at /.".to_owned(),
            code: "404".to_owned(),
        };
        return web::page(StatusCode::NOT_FOUND, &page);
    }
    (StatusCode::NOT_FOUND, Json(serde_json::json!({"error": "not_found"}))).into_response()
}
