//! What every call passes before and after its route: the watch of the observer, and faults that a test asked for.
//!
//! It stands in front of the routes rather than around each of them: a layer of the router costs each call a copy of its
//! route and two allocations.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use edge::{Observer, observe};
use gateway::Gateway;
use http::{Request, Response};
use tower::Service as _;

/// Tells whether the other routes are to be used now.
pub(crate) type Switch = Arc<dyn Fn() -> bool + Send + Sync>;

/// What a listener serves.
#[derive(Clone)]
pub(crate) struct Routes {
    usual: Router,
    /// The same routes behind something that is seldom needed.
    other: Option<(Switch, Router)>,
}

impl From<Router> for Routes {
    fn from(usual: Router) -> Self {
        Self { usual, other: None }
    }
}

impl Routes {
    /// These routes, but what is made of them while the switch says so.
    pub(crate) fn switched(self, switch: Switch, make: impl FnOnce(Router) -> Router) -> Self {
        let other = make(self.usual.clone());
        Self { other: Some((switch, other)), ..self }
    }

    fn now(&self) -> Router {
        match &self.other {
            Some((switch, other)) if switch() => other.clone(),
            _ => self.usual.clone(),
        }
    }
}

/// The routes of a listener with whoever is told of each call.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) routes: Routes,
    pub(crate) gateway: Gateway,
    pub(crate) observer: Arc<dyn Observer>,
}

impl Front {
    /// Answers a call.
    pub(crate) async fn answer(self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let Self { routes, gateway, observer } = self;
        let answered = observe(&gateway, observer.as_ref(), request, |request| routes.now().call(request));
        gateway.in_snapshots(answered).await
    }
}
