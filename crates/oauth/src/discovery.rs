//! `GET /auth/{tenant}/.well-known/openid-configuration`, the same for clients of OAuth alone, and the key set.

use axum::extract::{Path, State};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Json, Router};
use edge::{Edge, Rejected, guard};
use gateway::domain::{ClientAuthentication, RequestId};
use http::Method;
use jsonwebtoken::jwk::JwkSet;
use web::Brand;

use crate::client_assertion::algorithms;
use crate::error::Error;
use crate::keys::SigningKeys;
use crate::router::{PREFIX, Services};
use crate::wire::{Configuration, EndpointAliases};

/// The configuration of a tenant's issuer. All members that clients look for are there, and all are true.
pub(crate) async fn configuration(
    State(services): State<Services>,
    Path(tenant): Path<String>,
) -> Result<Json<Configuration>, Error> {
    check_tenant(&services, &tenant)?;
    let edge = &services.edge;
    let issuer = services.issuer(&tenant);
    let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let methods = ClientAuthentication::NAMES.map(|(_, name)| name);
    let algorithms: Vec<_> = algorithms(&services.profile().clients).map(|(_, name)| name).collect();
    let aliases = edge.mtls_url.as_ref().map(|origin| {
        let base = format!("{origin}/auth/{tenant}/v1");
        EndpointAliases {
            token_endpoint: format!("{base}/token"),
            userinfo_endpoint: format!("{base}/userinfo"),
            revocation_endpoint: format!("{base}/token/revoke"),
            registration_endpoint: format!("{base}/registration"),
            pushed_authorization_request_endpoint: Some(format!("{base}/par")),
        }
    });
    // A bank whose services cannot be made has no door for them.
    let for_services = edge.gateway.is_for_tests();
    Ok(Json(Configuration {
        authorization_endpoint: format!("{issuer}/v1/auth"),
        token_endpoint: format!("{issuer}/v1/token"),
        userinfo_endpoint: format!("{issuer}/v1/userinfo"),
        revocation_endpoint: format!("{issuer}/v1/token/revoke"),
        registration_endpoint: format!("{issuer}/v1/registration"),
        introspection_endpoint: for_services.then(|| format!("{issuer}/v1/introspect")),
        pushed_authorization_request_endpoint: Some(format!("{issuer}/v1/par")),
        require_pushed_authorization_requests: false,
        jwks_uri: format!("{issuer}/v1/jwks"),
        issuer,
        mutual_tls_sender_constrained_access_tokens: true,
        tls_client_certificate_bound_access_tokens: true,
        authorization_response_iss_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        claims_parameter_supported: false,
        require_request_uri_registration: false,
        response_types_supported: strings(&["code"]),
        response_modes_supported: strings(&["query"]),
        display_values_supported: strings(&["page"]),
        subject_types_supported: strings(&["pairwise"]),
        scopes_supported: strings(&["openid", "offline_access"]),
        claims_supported: strings(&["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce"]),
        claim_types_supported: strings(&["normal"]),
        grant_types_supported: strings(&["authorization_code", "refresh_token"]),
        token_endpoint_auth_methods_supported: strings(&methods),
        token_endpoint_auth_signing_alg_values_supported: strings(&algorithms),
        code_challenge_methods_supported: strings(&["S256"]),
        id_token_signing_alg_values_supported: strings(&[services.keys.algorithm_name()]),
        userinfo_signing_alg_values_supported: strings(&["none"]),
        revocation_endpoint_auth_methods_supported: strings(&methods),
        revocation_endpoint_auth_signing_alg_values_supported: strings(&algorithms),
        introspection_endpoint_auth_methods_supported: strings(
            &["client_secret_basic"][..usize::from(for_services)],
        ),
        mtls_endpoint_aliases: aliases,
    }))
}

/// The configuration where RFC 8414, 3.1 has it: the well-known part comes before the path of the issuer.
pub fn well_known(edge: Edge, keys: SigningKeys) -> Router {
    let services = Services { edge: edge.clone(), keys, brand: Brand::default() };
    let path = format!("/.well-known/oauth-authorization-server{PREFIX}/{{tenant}}");
    Router::new()
        .route(&format!("{path}/"), get(configuration))
        .route(&path, get(configuration))
        .method_not_allowed_fallback(async |method: Method| Error::from(Rejected::Method(method)))
        .layer(from_fn_with_state(edge, guard::<Error>))
        .with_state(services)
}

/// The public keys of the issuer.
pub(crate) async fn jwks(
    State(services): State<Services>,
    Path(tenant): Path<String>,
) -> Result<Json<JwkSet>, Error> {
    check_tenant(&services, &tenant)?;
    Ok(Json(services.keys.jwks(services.edge.gateway.system_time())))
}

fn check_tenant(services: &Services, tenant: &str) -> Result<(), Error> {
    let id = RequestId::new(String::new());
    services.edge.gateway.context(tenant, id).map(|_| ()).ok_or_else(|| Rejected::NotFound.into())
}
