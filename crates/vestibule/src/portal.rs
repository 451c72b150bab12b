//! What the portal is told about the bank that runs here, and where its pages are.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::Router;
use edge::{Dialect, Recorder};
use gateway::Clock;
use portal::{Address, Description, Settings, TenantDay};
use sandbox::Sandbox;
use url::Url;

use crate::addresses::Addresses;
use crate::assemble::{Socket, Sockets};
use crate::dialects::DIALECTS;

/// The bank's own origins, as browsers write them: the public one first. A listener of this machine is reached as
/// `localhost` too.
pub(crate) fn origins(sockets: &Sockets, public_url: &str) -> Vec<String> {
    let mut urls = vec![public_url.to_owned()];
    let mut listener = |scheme: &str, socket: &Socket| {
        let reachable = socket.reachable();
        urls.push(format!("{scheme}://{reachable}"));
        if reachable.ip().is_loopback() {
            urls.push(format!("{scheme}://localhost:{}", reachable.port()));
        }
    };
    listener("http", &sockets.public);
    if let Some(secured) = &sockets.secured {
        listener("https", secured);
    }
    let mut origins: Vec<String> = Vec::new();
    for url in urls.iter().filter_map(|url| Url::parse(url).ok()) {
        let origin = url.origin().ascii_serialization();
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    origins
}

/// The portal of this bank.
pub(crate) fn pages(
    sandbox: &Sandbox,
    addresses: &Addresses,
    (origins, token): (Vec<String>, String),
    calls: Option<Arc<Recorder>>,
) -> Router {
    let address = |label: &str, url: String| Address { label: label.to_owned(), url };
    let api = |dialect: &Dialect| {
        address(&format!("API ({})", dialect.title), format!("{}{}", addresses.public, dialect.base))
    };
    let mut listed: Vec<_> = DIALECTS.iter().map(api).collect();
    listed.push(address("Authorization server", format!("{}/auth/{{tenant}}", addresses.public)));
    listed.push(address("Management API", addresses.management.clone()));
    listed.extend(addresses.tls.iter().map(|url| address("With TLS", url.clone())));
    let bank = sandbox.clone();
    let tenants = move || {
        let day = |tenant: &gateway::domain::Tenant| TenantDay {
            name: tenant.to_string(),
            today: tenant.date_at(bank.clock.now(Some(tenant))),
        };
        bank.gateway.settings().tenants.iter().map(day).collect()
    };
    let command = |of: fn(&Addresses, &str, &str) -> String| -> Arc<dyn Fn(&str) -> String + Send + Sync> {
        let addresses = addresses.clone();
        Arc::new(move |tenant| of(&addresses, "vestibule", tenant))
    };
    portal::router(Settings {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        addresses: listed,
        management: addresses.management.clone(),
        token,
        origins,
        require_mtls: addresses.require_mtls,
        bank: mark(&sandbox.authorities.root_pem(), sandbox.reset.as_deref()),
        calls,
        tenants: Arc::new(tenants),
        next_command: command(Addresses::next_command),
        flow_command: command(Addresses::flow_command),
        descriptions: descriptions(addresses),
    })
}

/// The interfaces that the reference is about.
fn descriptions(addresses: &Addresses) -> Vec<Description> {
    let public = addresses.public.as_str();
    let of = |name, signed_as, described: edge::openapi::Description| Description {
        name,
        server: public.to_owned(),
        signed_as,
        json: Arc::new(move || described.json()),
    };
    let mut all: Vec<_> = DIALECTS
        .iter()
        .map(|dialect| of(dialect.name, dialect.name, (dialect.description)(public)))
        .collect();
    all.insert(1, of("oauth", "", oauth::description(public, true)));
    all.push(Description {
        name: "management",
        server: addresses.management.clone(),
        signed_as: "",
        json: Arc::new(|| sandbox::management_description().into()),
    });
    all
}

/// A short mark of a bank: its authority is made with its data, and stays when it is reset.
fn mark(authority: &str, reset: Option<&str>) -> String {
    let mut hasher = DefaultHasher::new();
    authority.hash(&mut hasher);
    if let Some(reset) = reset {
        reset.hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}
