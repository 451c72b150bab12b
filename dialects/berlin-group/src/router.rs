//! Paths and handlers of the dialect.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get};
use edge::{Dialect, Edge, Rejected, guard};
use http::Method;

use crate::error::{Error, explain_or_not};
use crate::onboarding;

/// The dialect, for the list of what a build serves.
pub const DIALECT: Dialect = Dialect { name: "berlin-group", prefix: "/xs2a-bg", mount };

fn mount(edge: Edge) -> Router {
    let routes: [(&str, MethodRouter<Edge>); 2] = [
        ("/{tenant}/onboarding/v1", get(onboarding::initial_access_token)),
        ("/{tenant}/v1/onboarding", get(onboarding::initial_access_token)),
    ];
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
