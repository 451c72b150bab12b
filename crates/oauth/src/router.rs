//! Paths and handlers of the authorization server.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use edge::{Connection, Edge, Rejected, SMALL_BODY, guard, read_body};
use gateway::Ctx;
use gateway::domain::RequestId;
use http::Method;
use http::request::Parts;

use crate::error::Error;
use crate::keys::SigningKey;
use crate::{authorize, discovery, introspect, pages, par, registration, revoke, token, userinfo};

/// The path prefix the authorization server is mounted under.
pub const PREFIX: &str = "/auth";

/// What the handlers need.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    pub(crate) edge: Edge,
    pub(crate) key: Arc<SigningKey>,
}

impl Services {
    /// The issuer of a tenant (OpenID Connect Discovery 1.0, 3).
    pub(crate) fn issuer(&self, tenant: &str) -> String {
        format!("{}{PREFIX}/{tenant}", self.edge.public_url)
    }

    /// Whom access tokens are for: the bank's interfaces.
    pub(crate) fn audience(&self) -> String {
        self.edge.public_url.to_string()
    }
}

/// Makes the router of the authorization server.
pub fn router(edge: Edge, key: SigningKey) -> Router {
    let services = Services { edge: edge.clone(), key: Arc::new(key) };
    let routes: [(&str, MethodRouter<Services>); 10] = [
        (pages::PATH, get(pages::get).post(pages::post)),
        ("/{tenant}/v1/par", post(par::push)),
        ("/{tenant}/v1/introspect", post(introspect::introspect)),
        ("/{tenant}/.well-known/openid-configuration", get(discovery::configuration)),
        ("/{tenant}/v1/jwks", get(discovery::jwks)),
        ("/{tenant}/v1/registration", post(registration::register)),
        ("/{tenant}/v1/auth", get(authorize::get).head(authorize::head).post(authorize::post)),
        ("/{tenant}/v1/token", post(token::exchange)),
        ("/{tenant}/v1/token/revoke", post(revoke::revoke)),
        ("/{tenant}/v1/userinfo", get(userinfo::userinfo).post(userinfo::userinfo)),
    ];
    let mut router = Router::new();
    for (path, handlers) in routes {
        router = router.route(&format!("{path}/"), handlers.clone()).route(path, handlers);
    }
    router
        .fallback(async || Error::from(Rejected::NotFound))
        .method_not_allowed_fallback(async |method: Method| Error::from(Rejected::Method(method)))
        .layer(from_fn_with_state(edge, guard::<Error>))
        .with_state(services)
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
        let id = parts.extensions.get::<RequestId>().cloned().ok_or(Rejected::NotFound)?;
        let connection = parts.extensions.get::<Connection>().cloned().ok_or(Rejected::NotFound)?;
        let ctx = services.edge.gateway.context(&tenant, id).ok_or(Rejected::NotFound)?;
        Ok(Self { ctx, connection })
    }
}

impl Call {
    /// Where the caller's browser reaches the bank: by the listener it came to if that has TLS, else by the
    /// public address.
    pub(crate) fn browser_origin<'a>(&'a self, services: &'a Services) -> &'a str {
        if self.connection.origin.starts_with("https:") {
            &self.connection.origin
        } else {
            &services.edge.public_url
        }
    }
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

impl<S: Send + Sync, const LIMIT: usize> FromRequest<S> for LimitedBody<LIMIT> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let connection = request.extensions().get::<Connection>().cloned();
        Ok(Self(read_body(request.into_body(), LIMIT, connection.as_ref()).await?))
    }
}

/// Checks that a call to an API endpoint presents a TLS client certificate where the bank demands one.
pub(crate) fn check_mtls(services: &Services, call: &Call) -> Result<(), Error> {
    if services.edge.require_mtls && call.connection.peer_certificate.is_none() {
        return Err(Error::unauthorized(
            "access_denied",
            "CERTIFICATE_MISSING: no TLS client certificate was presented; connect with a QWAC",
        ));
    }
    Ok(())
}
