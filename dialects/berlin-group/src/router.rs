//! Paths and handlers of the dialect.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use edge::{Dialect, Edge, Rejected, guard};
use http::Method;

use crate::error::{Error, explain_or_not};
use crate::{accounts, authorisations, consents, onboarding};

/// The dialect, for the list of what a build serves.
pub const DIALECT: Dialect =
    Dialect { name: "berlin-group", prefix: "/xs2a-bg", also: None, mount: |edge| mount(edge).into() };

fn mount(edge: Edge) -> Router {
    let routes = onboarding_routes().into_iter().chain(consent_routes()).chain(account_routes());
    let mut router = Router::new();
    for (path, handlers) in routes {
        // Real clients send a trailing slash at times.
        router = router.route(&format!("{path}/"), handlers.clone()).route(path, handlers);
    }
    router
        .fallback(async || Error::from(Rejected::NotFound))
        .method_not_allowed_fallback(async |method: Method| Error::from(Rejected::Method(method)))
        .layer(from_fn_with_state(edge.clone(), explain_or_not))
        .layer(from_fn_with_state(edge.clone(), guard::<Error>))
        .with_state(edge)
}

type Route = (&'static str, MethodRouter<Edge>);

fn onboarding_routes() -> Vec<Route> {
    vec![
        ("/{tenant}/onboarding/v1", get(onboarding::initial_access_token)),
        ("/{tenant}/v1/onboarding", get(onboarding::initial_access_token)),
    ]
}

fn consent_routes() -> Vec<Route> {
    vec![
        ("/{tenant}/v1/consents", post(consents::create)),
        ("/{tenant}/v1/consents/{consent}", get(consents::read).delete(consents::delete)),
        ("/{tenant}/v1/consents/{consent}/status", get(consents::status)),
        (
            "/{tenant}/v1/consents/{consent}/authorisations",
            get(authorisations::list).post(authorisations::start),
        ),
        (
            "/{tenant}/v1/consents/{consent}/authorisations/{authorisation}",
            get(authorisations::status).put(authorisations::confirm),
        ),
    ]
}

fn account_routes() -> Vec<Route> {
    use accounts::{balances, current, details, list, savings, transactions, transactions_page};
    vec![
        ("/{tenant}/v1/accounts", get(list::<current::Kind>)),
        ("/{tenant}/v1/accounts/{account}", get(details::<current::Kind>)),
        ("/{tenant}/v1/accounts/{account}/balances", get(balances::<current::Kind>)),
        ("/{tenant}/v1/accounts/{account}/transactions", get(transactions::<current::Kind>)),
        ("/{tenant}/v1/accounts/{account}/transactions/page", get(transactions_page::<current::Kind>)),
        ("/{tenant}/v2/savings", get(list::<savings::Kind>)),
        ("/{tenant}/v2/savings/{account}", get(details::<savings::Kind>)),
        ("/{tenant}/v2/savings/{account}/balances", get(balances::<savings::Kind>)),
        ("/{tenant}/v2/savings/{account}/transactions", get(transactions::<savings::Kind>)),
    ]
}
