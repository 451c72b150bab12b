//! Paths and handlers of the authorization server.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use edge::openapi::{self, Description, Operation};
use edge::{Connection, Edge, Rejected, SMALL_BODY, guard, read_body};
use gateway::domain::{Interface, Language, Languages, RequestId, Tenant};
use gateway::{Ctx, Profile};
use http::request::Parts;
use http::{HeaderMap, Method};
use web::{Brand, WayOn};

use crate::error::{Error, accepts_page, terse};
use crate::keys::SigningKeys;
use crate::{
    authorize, customer, discovery, introspect, pages, par, provider_page, registration, revoke, token,
    userinfo,
};

/// Examples for the description; a test holds them against answers.
const EXAMPLES: &str = include_str!("examples.json");

/// The path prefix the authorization server is mounted under.
pub const PREFIX: &str = "/auth";

/// What the handlers need.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    pub(crate) edge: Edge,
    pub(crate) keys: SigningKeys,
    /// What the pages show of the bank, whichever branch it is.
    pub(crate) brand: Brand,
}

impl Services {
    /// The issuer of a tenant (OpenID Connect Discovery 1.0, 3).
    pub(crate) fn issuer(&self, tenant: &str) -> String {
        format!("{}{PREFIX}/{tenant}", self.edge.public_url)
    }

    /// How the bank runs the interface that this is the authorization server of.
    pub(crate) fn profile(&self) -> &Profile {
        self.edge.gateway.profile(Interface::OF_CLIENTS)
    }

    /// Whose pages they are, at a branch if that is known.
    pub(crate) fn brand(&self, tenant: Option<&Tenant>) -> Brand {
        let gateway = &self.edge.gateway;
        let name = tenant.map(|tenant| gateway.bank_name(tenant)).unwrap_or_default();
        Brand { name, is_for_tests: gateway.is_for_tests(), ..self.brand.clone() }
    }

    /// The languages that the pages offer.
    pub(crate) fn languages(&self) -> &Languages {
        &self.brand.texts.languages
    }

    /// The language that an address asks for, if the pages offer it.
    pub(crate) fn language(&self, code: &str) -> Option<Language> {
        Language::from_code(code).filter(|language| self.languages().offers(*language))
    }

    /// The language of pages that belong to no session: what the browser likes best, that of a branch, or the first.
    pub(crate) fn browser_language(&self, branch: Option<&Tenant>, headers: &HeaderMap) -> Language {
        let languages = self.languages();
        let of_branch = || branch.map_or(languages.first(), |branch| languages.at(branch));
        web::language_of_browser(headers, languages).unwrap_or_else(of_branch)
    }

    /// The way to the customer's own pages: of a branch, or of the first one.
    pub(crate) fn way_to_log_in(&self, tenant: Option<&Tenant>) -> Option<WayOn> {
        let tenant = tenant.or(self.edge.gateway.settings().tenants.first())?;
        Some(WayOn::log_in(format!("{PREFIX}/{tenant}/customer")))
    }

    /// Whom access tokens are for: the bank's interfaces.
    pub(crate) fn audience(&self) -> String {
        self.edge.public_url.to_string()
    }
}

/// Makes the router of the authorization server; its pages show a brand of the bank's, under the name of each branch.
pub fn router(edge: Edge, keys: SigningKeys, brand: Brand) -> Router {
    let edge = edge.at("oauth");
    let services = Services { edge: edge.clone(), keys, brand };
    let is_for_tests = edge.gateway.is_for_tests();
    let mut operations = operations(is_for_tests);
    operations.push(description(&edge.public_url, is_for_tests).operation());
    let router = openapi::route_all(Router::new(), operations)
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method);
    let router = if edge.explain { router } else { router.layer(map_response(terse)) };
    router.layer(from_fn_with_state(edge, guard::<Error>)).with_state(services)
}

async fn not_found(State(services): State<Services>, request: Request) -> Response {
    unserved(&services, request, Rejected::NotFound).await
}

async fn wrong_method(State(services): State<Services>, request: Request) -> Response {
    let method = request.method().clone();
    unserved(&services, request, Rejected::Method(method)).await
}

/// What is not served: an error for programs, and for browsers a page of those that they asked beside.
async fn unserved(services: &Services, request: Request, why: Rejected) -> Response {
    let (mut parts, _) = request.into_parts();
    let error = Error::from(why);
    if !accepts_page(&parts.headers) {
        return error.into_response();
    }
    let path = parts.uri.path().to_owned();
    let mut names = path.split('/').skip(1);
    match (names.next().unwrap_or_default(), names.next()) {
        ("internalonly", _) => pages::unserved(services, &mut parts, error).await,
        (tenant, Some("customer")) => customer::unserved(services, &parts, (tenant, error)).await,
        (tenant, _) => {
            let tenant = Tenant::parse(tenant).ok();
            let tenant = tenant.filter(|tenant| services.edge.gateway.settings().tenants.contains(tenant));
            error.for_browser(services, tenant.as_ref(), &parts.headers)
        }
    }
}

/// The description of the authorization server of a bank with this public address. One for tests has an operation more.
pub fn description(public_url: &str, is_for_tests: bool) -> Description {
    let described = operations(is_for_tests).iter().map(|operation| operation.described().clone()).collect();
    Description::new("Authorization server", format!("{public_url}{PREFIX}"), described, EXAMPLES)
}

/// Every operation. Services of the bank, which introspect tokens, are made at the management API of a bank for tests alone.
fn operations(is_for_tests: bool) -> Vec<Operation<Services>> {
    const AUTHORIZATION: &[&str] = &["Authorization"];
    let mut operations = vec![
        Operation::get(
            "/{tenant}/.well-known/openid-configuration",
            200,
            "Configuration of a tenant's issuer",
            discovery::configuration,
        )
        .with("discovery", &[]),
        Operation::get("/{tenant}/v1/jwks", 200, "Keys that ID tokens are signed with", discovery::jwks)
            .with("discovery", &[]),
        Operation::post("/{tenant}/v1/registration", 201, "Register a client", registration::register)
            .with("registration", &["Authorization"]),
        Operation::post("/{tenant}/v1/par", 201, "Push an authorization request", par::push)
            .with("authorization", &[]),
        Operation::new(
            Method::GET,
            "/{tenant}/v1/auth",
            302,
            "Authorization request of a browser",
            get(authorize::get).head(authorize::head),
        )
        .with("authorization", &[]),
        Operation::post("/{tenant}/v1/auth", 302, "Authorization request by a form", authorize::post)
            .with("authorization", &[]),
        Operation::post(
            "/{tenant}/v1/token",
            200,
            "Trade a code or refresh token for tokens",
            token::exchange,
        )
        .with("tokens", &[]),
        Operation::post("/{tenant}/v1/token/revoke", 200, "End a token", revoke::revoke).with("tokens", &[]),
        Operation::get("/{tenant}/v1/userinfo", 200, "Who the customer is", userinfo::userinfo)
            .with("tokens", AUTHORIZATION),
        Operation::post("/{tenant}/v1/userinfo", 200, "Who the customer is", userinfo::userinfo)
            .with("tokens", AUTHORIZATION),
    ];
    if is_for_tests {
        let path = "/{tenant}/v1/introspect";
        let introspection = Operation::post(path, 200, "What a token is worth", introspect::introspect);
        operations.push(introspection.with("tokens", AUTHORIZATION));
    }
    operations.extend(pages_of_the_bank());
    operations.extend(customer::operations());
    operations
}

fn pages_of_the_bank() -> [Operation<Services>; 3] {
    [
        Operation::get(
            pages::PATH,
            200,
            "The bank's page, where the customer logs in and decides",
            pages::get,
        )
        .with("authorization", &[]),
        Operation::get(
            provider_page::PATH,
            302,
            "Customers come back here who authenticated at a provider of the bank",
            provider_page::callback,
        )
        .with("authorization", &[]),
        Operation::post(pages::PATH, 303, "What the customer typed or pressed", pages::post)
            .with("authorization", &[]),
    ]
}

/// A call of a tenant: its context and the connection it came in on.
pub(crate) struct Call {
    pub(crate) ctx: Ctx,
    pub(crate) connection: Connection,
}

impl FromRequestParts<Services> for Call {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Error> {
        let Path(tenant) =
            Path::<String>::from_request_parts(parts, services).await.map_err(|_| Rejected::NotFound)?;
        Self::of(parts, services, &tenant)
    }
}

impl Call {
    /// A call of a tenant, by its name.
    pub(crate) fn of(parts: &Parts, services: &Services, tenant: &str) -> Result<Self, Error> {
        let id = parts.extensions.get::<RequestId>().cloned().ok_or(Rejected::NotFound)?;
        let connection = parts.extensions.get::<Connection>().cloned().ok_or(Rejected::NotFound)?;
        let mut ctx = services.edge.gateway.context(tenant, id).ok_or(Rejected::NotFound)?;
        ctx.language = Some(services.browser_language(Some(&ctx.tenant), &parts.headers));
        Ok(Self { ctx, connection })
    }

    /// Where the caller's browser reaches the bank: by the listener it came to if that has TLS, else by the
    /// public address.
    pub(crate) fn browser_origin<'a>(&'a self, services: &'a Services) -> &'a str {
        browser_origin(&self.connection, services)
    }
}

/// The same of a connection.
pub(crate) fn browser_origin<'a>(connection: &'a Connection, services: &'a Services) -> &'a str {
    if connection.origin.starts_with("https:") { &connection.origin } else { &services.edge.public_url }
}

/// A browser's call to a page that belongs to no tenant.
pub(crate) struct Browser {
    pub(crate) request: RequestId,
    pub(crate) connection: Connection,
}

impl FromRequestParts<Services> for Browser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Services) -> Result<Self, Error> {
        let request = parts.extensions.get::<RequestId>().cloned().ok_or(Rejected::NotFound)?;
        let connection = parts.extensions.get::<Connection>().cloned().ok_or(Rejected::NotFound)?;
        Ok(Self { request, connection })
    }
}

/// A body of at most `LIMIT` bytes; a form has no use for more than a small one.
pub(crate) struct LimitedBody<const LIMIT: usize = SMALL_BODY>(pub(crate) Bytes);

impl<const LIMIT: usize> FromRequest<Services> for LimitedBody<LIMIT> {
    type Rejection = Response;

    async fn from_request(request: Request, services: &Services) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let read = read_body(body, LIMIT, parts.extensions.get()).await;
        // Browsers send forms too, and get a page.
        read.map(Self).map_err(|rejected| Error::from(rejected).for_browser(services, None, &parts.headers))
    }
}

/// Checks that a call to an API endpoint presents a TLS client certificate where the bank demands one.
pub(crate) fn check_mtls(services: &Services, call: &Call) -> Result<(), Error> {
    if services.edge.require_mtls && call.connection.peer_certificate.is_none() {
        let text = "no TLS client certificate was presented; connect with a QWAC";
        return Err(Error::about_keys("access_denied", "CERTIFICATE_MISSING", text));
    }
    Ok(())
}
